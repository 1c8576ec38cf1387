//! A file on its way in: sealed bytes gathered to chunks, each a row.

use std::io::{self, Write};
use std::sync::Arc;

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blob_places::{Lying, PlaceDraft};
use crm_domain::ports::blobs::{Blob, BlobError};

use super::reader::TableReader;
use super::{TableBlobs, rows};

/// Bytes in a row: four sealed chunks with their tags.
const CHUNK: usize = 4 * (64 * 1024 + 16);
/// After how many bytes it is looked anew what others have used of the quota meanwhile.
const LOOK: u64 = 4 * 1024 * 1024;

pub(super) struct TableDraft {
    place: TableBlobs,
    header: Vec<u8>,
    key: DataKeyId,
    /// Its rows, once there are any.
    body: Option<i64>,
    next: i32,
    waiting: Vec<u8>,
    quota: Quota,
}

/// What is known of the room there is.
#[derive(Default)]
struct Quota {
    /// Bytes that this draft was counted with.
    counted: u64,
    /// Of them those that the database knows of.
    told: u64,
    /// What the others took when it was looked last, and how much this draft had then.
    others: Option<(u64, u64)>,
}

impl TableDraft {
    pub(super) fn new(place: TableBlobs, header: &[u8], key: DataKeyId) -> Self {
        Self {
            place,
            header: header.to_vec(),
            key,
            body: None,
            next: 0,
            waiting: Vec::new(),
            quota: Quota::default(),
        }
    }

    fn body(&mut self) -> Result<i64, BlobError> {
        if let Some(body) = self.body {
            return Ok(body);
        }
        let header = self.header.clone();
        let body = self.place.run(move |conn| rows::begin(conn, &header))?;
        self.body = Some(body);
        Ok(body)
    }

    /// Stores what was gathered.
    fn put(&mut self) -> Result<(), BlobError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (body, no, counted) = (self.body()?, self.next, self.quota.counted);
        let bytes = Arc::new(std::mem::take(&mut self.waiting));
        self.place
            .run(move |conn| rows::add(conn, body, no, &bytes, counted))?;
        self.quota.told = counted;
        self.next += 1;
        Ok(())
    }

    /// What the others take.
    fn others(&mut self) -> Result<u64, BlobError> {
        if let Some((others, then)) = self.quota.others
            && self.quota.counted - then < LOOK
        {
            return Ok(others);
        }
        let used = self.place.run(rows::used)?;
        let others = used.saturating_sub(self.quota.told);
        self.quota.others = Some((others, self.quota.counted));
        Ok(others)
    }
}

impl Write for TableDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK {
            self.put().map_err(io::Error::other)?;
        }
        self.waiting.reserve_exact(CHUNK - self.waiting.len());
        let count = bytes.len().min(CHUNK - self.waiting.len());
        let (now, _) = bytes.split_at(count);
        self.waiting.extend_from_slice(now);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.put().map_err(io::Error::other)
    }
}

impl PlaceDraft for TableDraft {
    fn count(&mut self, bytes: u64) -> Result<(), BlobError> {
        let wanted = self.quota.counted.saturating_add(bytes);
        if self.others()?.saturating_add(wanted) > self.place.quota() {
            return Err(BlobError::Full);
        }
        self.quota.counted = wanted;
        Ok(())
    }

    fn again(&mut self) -> Result<Lying, BlobError> {
        self.put()?;
        Ok(Lying {
            header: self.header.clone(),
            rest: Box::new(TableReader::new(self.place.clone(), self.body()?)),
        })
    }

    fn keep(mut self: Box<Self>, blob: &Blob) -> Result<(), BlobError> {
        self.put()?;
        let (body, key, blob) = (self.body()?, self.key, *blob);
        self.place.run(move |conn| rows::place(conn, body, key, &blob))?;
        self.body = None;
        Ok(())
    }

    fn replace(mut self: Box<Self>, blob: &Blob) -> Result<bool, BlobError> {
        self.put()?;
        let (body, key, blob) = (self.body()?, self.key, *blob);
        let placed = self
            .place
            .run(move |conn| rows::replace(conn, body, key, &blob))?;
        if placed {
            self.body = None;
        }
        Ok(placed)
    }
}

impl Drop for TableDraft {
    /// Of one that was placed there is nothing to take back.
    fn drop(&mut self) {
        if let Some(body) = self.body {
            self.place.try_once(move |conn| rows::drop_draft(conn, body));
        }
    }
}
