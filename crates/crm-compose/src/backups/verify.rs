//! Looking a backup through: every byte of the file, and the database inside.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crm_archive::{Archive, Manifest, Member, Passphrase, Taker, Written, names};
use crm_domain::ports::erased::Erased;
use crm_domain::receipts::NewReceipt;
use crm_host::ErasedFile;
use crm_sqlite::copies::{self, Inspection};

use super::archive::{callbacks, hex};
use super::luggage::Luggage;
use super::problem::BackupProblem;
use super::scratch::for_verifying;
use super::taking::private;

/// The longest of the small members that is taken into memory.
const SMALL: u64 = 1 << 30;

/// A backup that is whole and sound.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What it holds.
    pub manifest: Manifest,
    /// Its size and hash.
    pub written: Written,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

/// Whether a backup needs a passphrase, by how it begins.
pub fn is_encrypted(file: &Path) -> Result<bool, BackupProblem> {
    crm_archive::is_encrypted(file).map_err(BackupProblem::folder(file))
}

/// Reads all of a backup and opens the database inside. Needs as much free space as that takes: beside the file if it is open
/// to everybody, otherwise in the data folder, and where those cannot be had in the system's folder for such things.
pub fn verify(
    file: &Path,
    passphrase: Option<&Passphrase>,
    data_dir: Option<&Path>,
) -> Result<Verified, VerifyFailure> {
    let scratch = is_encrypted(file).and_then(|encrypted| for_verifying(file, encrypted, data_dir));
    let scratch = scratch.map_err(|problem| VerifyFailure {
        problem,
        unpacked_in: PathBuf::new(),
    })?;
    verify_in(file, passphrase, scratch.path()).map_err(|problem| VerifyFailure {
        problem,
        unpacked_in: scratch.path().parent().unwrap_or(Path::new("/")).to_owned(),
    })
}

/// Why a backup was not found sound, or could not be looked through.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct VerifyFailure {
    /// What is wrong.
    pub problem: BackupProblem,
    /// In which folder it was unpacked; empty if it did not come to that.
    pub unpacked_in: PathBuf,
}

/// [`verify`] with a folder for what is unpacked.
pub(super) fn verify_in(
    file: &Path,
    passphrase: Option<&Passphrase>,
    scratch: &Path,
) -> Result<Verified, BackupProblem> {
    Ok(unpack(file, passphrase, scratch)?.0)
}

/// The small members of a backup.
#[derive(Debug, Default)]
pub(super) struct Smalls {
    pub(super) erased: Vec<Erased>,
    pub(super) callbacks: Vec<NewReceipt>,
    pub(super) luggage: Luggage,
}

/// [`verify`], keeping what was unpacked: the database as `unpacked.db` in `scratch`, and the small members.
pub(super) fn unpack(
    file: &Path,
    passphrase: Option<&Passphrase>,
    scratch: &Path,
) -> Result<(Verified, Inspection, Smalls), BackupProblem> {
    let archive = Archive::open(file).map_err(BackupProblem::folder(file))?;
    let encrypted = is_encrypted(file)?;
    let mut unpacking = Unpacking {
        database: database_in(scratch),
        smalls: Smalls::default(),
    };
    let (manifest, written) = archive.walk(passphrase, &mut unpacking)?;
    let inside = copies::inspect(&unpacking.database, true)?;
    agree(&manifest, &inside)?;
    let verified = Verified {
        manifest,
        written,
        encrypted,
    };
    Ok((verified, inside, unpacking.smalls))
}

/// Where [`unpack`] puts the database.
pub(super) fn database_in(scratch: &Path) -> PathBuf {
    scratch.join("unpacked.db")
}

/// The settings and keys that a backup holds, after all of it was read.
pub fn settings_of(file: &Path, passphrase: Option<&Passphrase>) -> Result<Luggage, BackupProblem> {
    struct Keep(Luggage);
    impl Taker for Keep {
        fn manifest(&mut self, _: &Manifest) -> io::Result<()> {
            Ok(())
        }
        fn member(&mut self, member: &Member, contents: &mut dyn Read) -> io::Result<()> {
            if member.name.starts_with("secrets/") {
                self.0.take(&member.name, text(member, contents)?);
            }
            Ok(())
        }
    }
    let mut keep = Keep(Luggage::default());
    let archive = Archive::open(file).map_err(BackupProblem::folder(file))?;
    archive.walk(passphrase, &mut keep)?;
    Ok(keep.0)
}

struct Unpacking {
    database: PathBuf,
    smalls: Smalls,
}

impl Taker for Unpacking {
    fn manifest(&mut self, manifest: &Manifest) -> io::Result<()> {
        if manifest.has(names::DATABASE) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "there is no database in it",
        ))
    }

    fn member(&mut self, member: &Member, contents: &mut dyn Read) -> io::Result<()> {
        match member.name.as_str() {
            names::DATABASE => {
                let mut file: File = private(&self.database)?;
                io::copy(contents, &mut file)?;
                file.sync_all()?;
            }
            names::ERASED => self.smalls.erased = ErasedFile::read_text(&text(member, contents)?),
            names::SPOOL => self.smalls.callbacks = callbacks(&bytes(member, contents)?),
            names::SETTINGS | names::SECRET_KEY | names::PRIVATE_KEY => {
                self.smalls.luggage.take(&member.name, text(member, contents)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn bytes(member: &Member, contents: &mut dyn Read) -> io::Result<Vec<u8>> {
    if member.size > SMALL {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
    }
    let mut bytes = Vec::new();
    contents.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(member: &Member, contents: &mut dyn Read) -> io::Result<String> {
    let bytes = bytes(member, contents)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

/// The database is sound, this program may work on it, and the manifest tells what it holds.
fn agree(manifest: &Manifest, inside: &Inspection) -> Result<(), BackupProblem> {
    if let Some(fault) = inside.faults.first() {
        return Err(BackupProblem::Unsound(fault.clone()));
    }
    if !inside.unknown.is_empty() && !inside.admitted {
        return Err(BackupProblem::Later(manifest.product.clone()));
    }
    let unsound = |what: &str| Err(BackupProblem::Unsound(what.to_owned()));
    let counts = |table: &String| inside.counts.get(table);
    if manifest
        .counts
        .iter()
        .any(|(table, count)| counts(table) != Some(count))
    {
        return unsound("a table has not as many rows as the manifest says");
    }
    if manifest.schema != inside.schema
        || manifest.key_fingerprint != inside.key_fingerprint.as_deref().map(hex)
    {
        return unsound("it is not the database that the manifest tells of");
    }
    let there = |hash: &String| manifest.missing_files.contains(hash) || manifest.has(&names::of_file(hash));
    if !inside.files.iter().all(there) {
        return unsound("a file that a row names is neither there nor known as missing");
    }
    Ok(())
}
