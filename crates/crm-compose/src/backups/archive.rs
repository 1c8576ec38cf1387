//! The archive's own words.

use std::io::{self, Write as _};
use std::path::Path;

pub use crm_archive::Passphrase;

use crm_domain::ports::blobs::BlobHash;
use crm_domain::receipts::NewReceipt;
use crm_host::spool;

use super::taking::private;

/// Callbacks as one member: each with its length before it.
pub(super) fn spool_member(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend((record.len() as u64).to_le_bytes());
        bytes.extend(record);
    }
    bytes
}

/// The callbacks of such a member; what is none is passed over.
pub(super) fn callbacks(mut bytes: &[u8]) -> Vec<NewReceipt> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((record, rest)) = rest.split_at_checked(length) else {
            break;
        };
        found.extend(spool::receipt_of(record));
        bytes = rest;
    }
    found
}

/// A hash as bytes write it.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes everything that is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes a new file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The hash of a file's name in an archive.
pub(super) fn blob_of(name: &str) -> Option<BlobHash> {
    crm_archive::names::file_of(name).and_then(BlobHash::from_hex)
}

#[cfg(test)]
mod tests {
    use super::{callbacks, spool_member};

    #[test]
    fn what_is_no_callback_is_passed_over() {
        assert!(callbacks(&spool_member(&[])).is_empty());
        let odd = spool_member(&[b"no callback".to_vec(), Vec::new()]);
        assert!(callbacks(&odd).is_empty());
        assert!(callbacks(&odd[..odd.len() - 3]).is_empty());
        assert!(callbacks(&[0xff; 20]).is_empty());
    }
}
