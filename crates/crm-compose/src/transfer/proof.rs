//! The proof that a copy is equal: how many rows each table has on both sides, and a hash over all of them in the order of
//! their key.

use std::thread;

use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::bulk::{Batch, BulkError, BulkSource, TableShape};
use ring::digest::{Context, SHA256};

use super::load::LoadedTable;
use super::{Teller, Told};

/// All rows of a table in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    /// SHA-256 over their canonical form.
    pub sha256: BlobHash,
}

/// A table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProof {
    /// Its name.
    pub table: String,
    /// In the source.
    pub source: Digest,
    /// In the target, read back.
    pub target: Digest,
}

impl TableProof {
    /// Whether both sides have the same rows.
    pub fn is_equal(&self) -> bool {
        self.source == self.target
    }
}

/// Takes rows as they go by.
pub(super) struct Digesting {
    rows: u64,
    hash: Context,
}

impl Default for Digesting {
    fn default() -> Self {
        Self {
            rows: 0,
            hash: Context::new(&SHA256),
        }
    }
}

impl Digesting {
    pub(super) fn add(&mut self, batch: &Batch) {
        self.rows += batch.len() as u64;
        self.hash.update(batch.bytes());
    }

    pub(super) fn done(self) -> Digest {
        let mut sha256 = BlobHash([0; 32]);
        sha256.0.copy_from_slice(self.hash.finish().as_ref());
        let rows = self.rows;
        Digest { rows, sha256 }
    }
}

/// Reads all tables of the target back and compares them with what was read of the source; a table of which an earlier run
/// read a part is read in the source again.
pub fn prove(
    source: &mut dyn BulkSource,
    target: &mut dyn BulkSource,
    tables: &[LoadedTable],
    teller: &Teller,
) -> Result<Vec<TableProof>, BulkError> {
    let mut proofs = Vec::with_capacity(tables.len());
    for LoadedTable { shape, read } in tables {
        let (there, here) = thread::scope(|scope| {
            let again = read
                .is_none()
                .then(|| scope.spawn(|| digest(source, shape, &mut |_| ())));
            let mut done = 0;
            let here = digest(target, shape, &mut |rows| {
                done += rows;
                teller(Told::Proving {
                    name: &shape.name,
                    done,
                });
            });
            let there = match again.map(thread::ScopedJoinHandle::join) {
                None => Ok(*read),
                Some(Ok(read)) => read.map(Some),
                Some(Err(_)) => Err(BulkError::Stopped("reading failed inside".to_owned())),
            };
            (there, here)
        });
        let (Some(source), target) = (there?, here?) else {
            continue;
        };
        proofs.push(TableProof {
            table: shape.name.clone(),
            source,
            target,
        });
    }
    Ok(proofs)
}

fn digest(
    source: &mut dyn BulkSource,
    table: &TableShape,
    went: &mut dyn FnMut(u64),
) -> Result<Digest, BulkError> {
    let mut digest = Digesting::default();
    source.rows(table, None, &mut |batch| {
        digest.add(&batch);
        went(batch.len() as u64);
        Ok(())
    })?;
    Ok(digest.done())
}
