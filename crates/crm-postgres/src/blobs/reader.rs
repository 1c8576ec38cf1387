//! A file on its way out: a chunk at a time, no connection held between two, so that slow readers hold up nobody.

use std::io::{self, Read};

use super::{TableBlobs, rows};

pub(super) struct TableReader {
    place: TableBlobs,
    body: i64,
    next: i32,
    chunk: Vec<u8>,
    given: usize,
    ended: bool,
}

impl TableReader {
    pub(super) fn new(place: TableBlobs, body: i64) -> Self {
        Self {
            place,
            body,
            next: 0,
            chunk: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn fetch(&mut self) -> io::Result<()> {
        let (body, no) = (self.body, self.next);
        // Freed before the next one comes.
        self.chunk = Vec::new();
        let chunk = self
            .place
            .run(move |conn| rows::chunk(conn, body, no))
            .map_err(io::Error::other)?;
        self.ended = chunk.is_none();
        self.chunk = chunk.unwrap_or_default();
        self.given = 0;
        self.next += 1;
        Ok(())
    }
}

impl Read for TableReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.ended {
            self.fetch()?;
        }
        let rest = self.chunk.get(self.given..).unwrap_or_default();
        let count = rest.len().min(out.len());
        let ((to, _), (from, _)) = (out.split_at_mut(count), rest.split_at(count));
        to.copy_from_slice(from);
        self.given += count;
        Ok(count)
    }
}
