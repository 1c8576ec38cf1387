//! What an archive says that it holds.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::error::{ArchiveError, Place};
use crate::names;

/// The format that this program writes, and the newest it reads.
pub const FORMAT: u32 = 1;
/// The longest manifest that is read: a million files.
pub(crate) const LONGEST: u64 = 256 * 1024 * 1024;
/// Contents may be so many times larger than the file.
const RATIO: u64 = 1_000;
/// What may be unpacked of any file, however small.
const ALWAYS: u64 = 64 * 1024 * 1024;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that wrote it.
    pub product: String,
    /// The newest migration of the database inside.
    pub schema: String,
    /// The kind of store that it was taken from: `sqlite` or `postgresql`.
    pub store: String,
    /// When it was taken, UTC.
    pub made_at: String,
    /// Whether it holds the secret key, the settings and the private key. It does only behind a passphrase.
    pub secrets: bool,
    /// Rows by table.
    pub counts: BTreeMap<String, u64>,
    /// The end of the audit chain, as `crm audit verify --head` takes it.
    pub audit_head: Option<String>,
    /// The fingerprint of the secret key under which sealed values in the database stand.
    pub key_fingerprint: Option<String>,
    /// Files that rows name and that were not there any more, or not whole.
    pub missing_files: Vec<String>,
    /// Everything in it but the manifest, in order.
    pub members: Vec<Member>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name: one that [`names`] knows.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal digits of its SHA-256.
    pub sha256: String,
}

impl Manifest {
    /// Whether there is a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// How many files it holds.
    pub fn files(&self) -> usize {
        let names = self.members.iter();
        names
            .filter(|member| names::file_of(&member.name).is_some())
            .count()
    }

    /// Reads one that is to be trusted with nothing, out of a file of so many bytes.
    pub(crate) fn read(bytes: &[u8], file: u64) -> Result<Self, ArchiveError> {
        let broken = |reason: &str| ArchiveError::broken(Place::Manifest, reason);
        let format: Format =
            serde_json::from_slice(bytes).map_err(|error| ArchiveError::broken(Place::Manifest, error))?;
        if format.format > FORMAT {
            return Err(ArchiveError::Later(format.format));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| ArchiveError::broken(Place::Manifest, error))?;
        let (mut seen, mut sum) = (HashSet::new(), 0_u64);
        for member in &manifest.members {
            if !names::is_known(&member.name) {
                return Err(broken("it names a member that no backup has"));
            }
            if !seen.insert(member.name.as_str()) {
                return Err(broken("it names a member twice"));
            }
            if names::file_of(&member.name).is_some_and(|hash| hash != member.sha256) {
                return Err(broken("a file's name is not its hash"));
            }
            sum = sum.saturating_add(member.size);
        }
        if sum > file.saturating_mul(RATIO).max(ALWAYS) {
            return Err(broken("its contents would be far larger than the file can hold"));
        }
        Ok(manifest)
    }
}

/// What every format says.
#[derive(Deserialize)]
struct Format {
    format: u32,
}
