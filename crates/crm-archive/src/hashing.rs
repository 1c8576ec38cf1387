//! SHA-256 while bytes go by.

use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

/// A hash.
pub type Sha256 = [u8; 32];

/// Its hexadecimal digits.
pub fn hex(hash: &Sha256) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?'));
    hash.iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Counts and hashes what goes through.
pub(crate) struct Hashing<T> {
    inner: T,
    context: Context,
    count: u64,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            context: Context::new(&SHA256),
            count: 0,
        }
    }

    /// How many bytes went through, their hash, and what they went into.
    pub(crate) fn finish(self) -> (u64, Sha256, T) {
        (self.count, digest(self.context), self.inner)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.count += bytes.len() as u64;
    }
}

pub(crate) fn digest(context: Context) -> Sha256 {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.note(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.note(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
