//! The files that rows name, from where the source keeps them to where the target does. What is there already is only read
//! through, so that a broken-off run goes on where it was.

use std::collections::BTreeSet;
use std::io::Read;

use crm_domain::ports::blobs::{BlobError, BlobHash, Blobs};
use crm_domain::ports::bulk::{BulkError, BulkSource, Cell, CellKind};
use crm_domain::ports::vault::VaultError;

use super::{CopyError, Teller, Told};

/// Bytes copied at once.
const PIECE: usize = 64 << 10;
/// The column in which rows name files.
const COLUMN: &str = "sha256";
/// Names files that are to be deleted.
const ABANDONED: &str = "abandoned_blobs";

/// What became of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilesCopied {
    /// Files that the target has now.
    pub there: u64,
    /// Files that rows name and the source does not have, or not whole: they were lost before.
    pub missing: u64,
}

/// The hashes that rows name.
pub(super) fn named(source: &mut dyn BulkSource) -> Result<BTreeSet<BlobHash>, BulkError> {
    let mut names = BTreeSet::new();
    for table in source.tables()? {
        let has = table
            .columns
            .iter()
            .any(|(name, kind)| name == COLUMN && *kind == CellKind::Text);
        if !has || table.name == ABANDONED {
            continue;
        }
        let others: Vec<&str> = table.columns.iter().map(|column| column.0.as_str()).collect();
        let others: Vec<&str> = others.into_iter().filter(|name| *name != COLUMN).collect();
        let narrow = table.without(&others);
        source.rows(&narrow, None, &mut |batch| {
            let mut rows = batch.rows(narrow.columns.len());
            let mut cells = Vec::new();
            let broken = |_| BulkError::Broken(narrow.name.clone());
            while rows.next_into(&mut cells).map_err(broken)? {
                let texts = cells.iter().filter_map(|cell| match cell {
                    Cell::Text(text) => BlobHash::from_hex(text),
                    _ => None,
                });
                names.extend(texts);
            }
            Ok(())
        })?;
    }
    Ok(names)
}

/// Copies them all and checks each by its hash.
pub(super) fn copy(
    names: &BTreeSet<BlobHash>,
    from: &dyn Blobs,
    to: &dyn Blobs,
    teller: &Teller,
) -> Result<FilesCopied, CopyError> {
    let total = names.len() as u64;
    let mut copied = FilesCopied::default();
    for hash in names {
        teller(Told::Files {
            done: copied.there + copied.missing,
            total,
        });
        let there = match to.open(hash)? {
            Some(bytes) => reads_through(bytes),
            None => false,
        };
        if there || one(hash, from, to)? {
            copied.there += 1;
        } else {
            copied.missing += 1;
        }
    }
    teller(Told::Files { done: total, total });
    Ok(copied)
}

/// `false`: the source has it not, or not whole.
fn one(hash: &BlobHash, from: &dyn Blobs, to: &dyn Blobs) -> Result<bool, BlobError> {
    let mut bytes = match from.open(hash) {
        Ok(Some(bytes)) => bytes,
        Ok(None) | Err(BlobError::Sealed(VaultError::Broken | VaultError::UnknownKey)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut draft = to.begin()?;
    let mut piece = vec![0; PIECE];
    loop {
        match bytes.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => draft.write(piece.get(..count).unwrap_or_default())?,
            // What does not open, or is not the content of its name, ends in this error.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(draft.keep()?.hash == *hash)
}

fn reads_through(mut bytes: Box<dyn Read + Send>) -> bool {
    std::io::copy(&mut bytes, &mut std::io::sink()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::sync::Arc;

    use async_trait::async_trait;
    use crm_domain::ports::blobs::{BlobDraft, BlobError, BlobHash, Blobs};
    use crm_domain::ports::vault::VaultError;

    use super::{FilesCopied, Teller, copy};

    /// Opens nothing, for this reason; without one it has nothing.
    struct Shut(Option<VaultError>);

    #[async_trait]
    impl Blobs for Shut {
        fn begin(&self) -> Result<Box<dyn BlobDraft>, BlobError> {
            Err(BlobError::Full)
        }

        fn open(&self, _: &BlobHash) -> Result<Option<Box<dyn io::Read + Send>>, BlobError> {
            self.0.map_or(Ok(None), |why| Err(why.into()))
        }

        async fn remove(&self, _: &BlobHash) -> Result<bool, BlobError> {
            Ok(false)
        }
    }

    #[test]
    fn a_file_that_cannot_be_opened_just_now_is_not_lost() {
        let names = BTreeSet::from([BlobHash([7; 32])]);
        let quiet: Teller = Arc::new(|_| ());
        let copied = |why| copy(&names, &Shut(why), &Shut(None), &quiet);
        for why in [None, Some(VaultError::Broken), Some(VaultError::UnknownKey)] {
            let lost = FilesCopied { there: 0, missing: 1 };
            assert_eq!(copied(why).unwrap(), lost);
        }
        copied(Some(VaultError::Unavailable)).unwrap_err();
    }
}
