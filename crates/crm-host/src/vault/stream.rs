//! Files sealed in a stream: a header, then chunks of 64 KiB, each with its own tag. A chunk's nonce is its number and
//! whether it is the last, so chunks can be neither swapped nor left out, and an end cut off is found. The last chunk is
//! bound to the hash of the whole content, so a file under another's name does not open either.

use std::io::{self, BufRead, BufReader, Read, Write};

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::vault::VaultError;
use ring::aead::{Aad, LessSafeKey, Nonce};

use super::KeyVault;
use super::material::{Material, SALT};

/// What a sealed file begins with; its last byte is the version.
const MAGIC: [u8; 8] = *b"\x89CRMfil\x01";
/// Bytes before the first chunk.
pub(crate) const HEADER: usize = MAGIC.len() + 8 + SALT;
/// Bytes of content in a chunk.
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// The data key that sealed the file which begins so; `None`: it is a file from before files were sealed.
pub(crate) fn data_key_of(begin: &[u8]) -> Option<DataKeyId> {
    let rest = begin.strip_prefix(&MAGIC)?;
    let (id, rest) = rest.split_first_chunk::<8>()?;
    (rest.len() >= SALT).then_some(DataKeyId(*id))
}

/// How large the sealed file of so many bytes is.
pub(crate) fn sealed_size(plain: u64) -> u64 {
    let chunks = plain.div_ceil(CHUNK as u64).max(1);
    HEADER as u64 + plain + chunks * TAG as u64
}

/// One file's key and place in the count of chunks.
struct Chunks {
    key: LessSafeKey,
    header: [u8; HEADER],
    next: u32,
}

impl Chunks {
    fn new(material: &Material, header: [u8; HEADER]) -> Result<Self, VaultError> {
        let salt = header.last_chunk::<SALT>().ok_or(VaultError::Broken)?;
        Ok(Self {
            key: material.file(salt)?,
            header,
            next: 0,
        })
    }

    /// The next chunk's nonce and what is bound to it; `last` is the content's hash at its end.
    fn turn(&mut self, last: Option<&BlobHash>) -> Result<(Nonce, Vec<u8>), VaultError> {
        let mut nonce = [0; 12];
        nonce[7..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(last.is_some());
        self.next = self.next.checked_add(1).ok_or(VaultError::Broken)?;
        let mut bound = self.header.to_vec();
        bound.extend(last.map(|hash| hash.0).iter().flatten());
        Ok((Nonce::assume_unique_for_key(nonce), bound))
    }
}

/// Seals what is written to it.
pub(crate) struct Sealing {
    chunks: Chunks,
    waiting: Vec<u8>,
}

impl Sealing {
    /// Begins a file: its header goes first.
    pub(crate) fn begin(vault: &KeyVault, material: &Material) -> Result<(Self, [u8; HEADER]), VaultError> {
        let mut header = [0; HEADER];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        let (id, salt) = rest.split_at_mut(8);
        magic.copy_from_slice(&MAGIC);
        id.copy_from_slice(&material.id().0);
        vault.fill(salt);
        let sealing = Self {
            chunks: Chunks::new(material, header)?,
            waiting: Vec::new(),
        };
        Ok((sealing, header))
    }

    /// Takes bytes; what is full goes out, but never the last chunk.
    pub(crate) fn write(&mut self, mut bytes: &[u8], out: &mut dyn Write) -> io::Result<u64> {
        let mut written = 0;
        while !bytes.is_empty() {
            if self.waiting.len() == CHUNK {
                written += self.put(None, out)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
        }
        Ok(written)
    }

    /// Writes the last chunk.
    pub(crate) fn finish(&mut self, hash: &BlobHash, out: &mut dyn Write) -> io::Result<u64> {
        self.put(Some(hash), out)
    }

    fn put(&mut self, last: Option<&BlobHash>, out: &mut dyn Write) -> io::Result<u64> {
        let (nonce, bound) = self.chunks.turn(last).map_err(io::Error::other)?;
        self.chunks
            .key
            .seal_in_place_append_tag(nonce, Aad::from(bound), &mut self.waiting)
            .map_err(|_| io::Error::other(VaultError::Unavailable))?;
        out.write_all(&self.waiting)?;
        let count = self.waiting.len() as u64;
        self.waiting.clear();
        Ok(count)
    }
}

/// Opens what it reads; an error as soon as a chunk is not what was sealed.
pub(crate) struct Opened<R> {
    from: BufReader<R>,
    chunks: Chunks,
    hash: BlobHash,
    plain: Vec<u8>,
    given: usize,
    ended: bool,
    broken: bool,
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, VaultError::Broken)
}

impl<R: Read> Opened<R> {
    /// The content with this hash, from a file whose header was read.
    pub(crate) fn new(
        material: &Material,
        header: [u8; HEADER],
        hash: BlobHash,
        from: R,
    ) -> Result<Self, VaultError> {
        Ok(Self {
            from: BufReader::with_capacity(CHUNK + TAG, from),
            chunks: Chunks::new(material, header)?,
            hash,
            plain: Vec::new(),
            given: 0,
            ended: false,
            broken: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut sealed = std::mem::take(&mut self.plain);
        sealed.clear();
        self.from
            .by_ref()
            .take((CHUNK + TAG) as u64)
            .read_to_end(&mut sealed)?;
        self.ended = self.from.fill_buf()?.is_empty();
        let last = self.ended.then_some(&self.hash);
        let (nonce, bound) = self.chunks.turn(last).map_err(|_| broken())?;
        let opened = self
            .chunks
            .key
            .open_in_place(nonce, Aad::from(bound), &mut sealed);
        let count = opened.map_err(|_| broken())?.len();
        sealed.truncate(count);
        (self.plain, self.given) = (sealed, 0);
        Ok(())
    }
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            // Nobody goes on behind a broken chunk.
            if std::mem::replace(&mut self.broken, true) {
                return Err(broken());
            }
            self.next_chunk()?;
            self.broken = false;
        }
        let rest = self.plain.get(self.given..).unwrap_or_default();
        let count = rest.len().min(out.len());
        let ((to, _), (from, _)) = (out.split_at_mut(count), rest.split_at(count));
        to.copy_from_slice(from);
        self.given += count;
        Ok(count)
    }
}
