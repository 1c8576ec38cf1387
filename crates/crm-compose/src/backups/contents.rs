//! What goes into an archive, in order: looked through once for its manifest, and once more when it is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crm_archive::{FORMAT, Manifest, Member, names};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::{BlobError, BlobHash, Blobs as _};
use crm_domain::ports::vault::VaultError;
use crm_host::SealedBlobs;
use crm_sqlite::copies::Inspection;

use super::archive::{blob_of, hex};
use super::problem::BackupProblem;

/// Everything that is at hand for one archive.
pub(super) struct Contents {
    /// The copy of the database.
    pub(super) database: PathBuf,
    /// What it says of itself.
    pub(super) inspection: Inspection,
    /// The small members, by name.
    pub(super) small: Vec<(&'static str, Vec<u8>)>,
    /// Where the files are.
    pub(super) blobs: SealedBlobs,
    /// The kind of store.
    pub(super) store: &'static str,
    /// When.
    pub(super) at: Instant,
}

impl Contents {
    /// The manifest. Files that are gone or do not open are named as missing: they were lost before.
    pub(super) fn manifest(&self) -> Result<Manifest, BackupProblem> {
        let database = File::open(&self.database).map_err(BackupProblem::folder(&self.database))?;
        let mut members = vec![of(names::DATABASE, database)?];
        for (name, bytes) in &self.small {
            members.push(of(name, bytes.as_slice())?);
        }
        let mut missing = Vec::new();
        for hash in self
            .inspection
            .files
            .iter()
            .filter_map(|text| BlobHash::from_hex(text))
        {
            match self.file(&hash)? {
                Some(member) => members.push(member),
                None => missing.push(hash.to_string()),
            }
        }
        let inside = &self.inspection;
        Ok(Manifest {
            format: FORMAT,
            product: env!("CARGO_PKG_VERSION").to_owned(),
            schema: inside.schema.clone(),
            store: self.store.to_owned(),
            made_at: self.at.to_string(),
            secrets: self.small.iter().any(|(name, _)| *name == names::SECRET_KEY),
            counts: counted(&inside.counts),
            audit_head: inside
                .audit_head
                .as_ref()
                .map(|(at, mac)| format!("{at}:{}", hex(mac))),
            key_fingerprint: inside.key_fingerprint.as_deref().map(hex),
            missing_files: missing,
            members,
        })
    }

    fn file(&self, hash: &BlobHash) -> Result<Option<Member>, BackupProblem> {
        let contents = match self.blobs.open(hash) {
            Ok(Some(contents)) => contents,
            Ok(None) => return Ok(None),
            Err(error) => return lost(error),
        };
        let digits = hash.to_string();
        match Member::of(&names::of_file(&digits), contents) {
            Ok(member) => Ok((member.sha256 == digits).then_some(member)),
            Err(error) => lost(BlobError::from(error)),
        }
    }

    /// The contents of a member of the manifest.
    pub(super) fn open(&self, member: &Member) -> Result<Box<dyn Read + '_>, BackupProblem> {
        if member.name == names::DATABASE {
            let file = File::open(&self.database).map_err(BackupProblem::folder(&self.database))?;
            return Ok(Box::new(file));
        }
        if let Some(hash) = blob_of(&member.name) {
            let opened = self.blobs.open(&hash)?;
            return opened
                .map(|contents| contents as Box<dyn Read>)
                .ok_or(BackupProblem::Went);
        }
        let small = self.small.iter().find(|(name, _)| *name == member.name);
        Ok(Box::new(small.map_or(&[][..], |(_, bytes)| bytes.as_slice())))
    }
}

fn of(name: &str, contents: impl Read) -> Result<Member, BackupProblem> {
    Ok(Member::of(name, contents).map_err(crm_archive::ArchiveError::from)?)
}

/// A file that nobody will ever open again is lost; one that cannot be read now is none that may be left out.
fn lost(error: BlobError) -> Result<Option<Member>, BackupProblem> {
    let sealed = match &error {
        BlobError::Sealed(sealed) => Some(sealed),
        BlobError::Disk(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<VaultError>()),
        _ => None,
    };
    match sealed {
        Some(VaultError::Broken | VaultError::UnknownKey) => Ok(None),
        _ => Err(error.into()),
    }
}

/// Rows of the tables that are ours.
fn counted(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let ours = counts.iter().filter(|(table, _)| !table.starts_with("__"));
    ours.map(|(table, count)| (table.clone(), *count)).collect()
}
