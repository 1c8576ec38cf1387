//! Why an archive is refused, and where.

use std::fmt;
use std::io;

/// Where in an archive something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At its beginning: it is none of ours, or its header was changed.
    Beginning,
    /// In the manifest.
    Manifest,
    /// In this member, or directly before it.
    Member(String),
    /// Behind the last member.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => f.write_str("the beginning"),
            Self::Manifest => f.write_str("the manifest"),
            Self::Member(name) => f.write_str(name),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is encrypted, and no passphrase was given.
    #[error("the archive is encrypted, and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase is another one, or the header was changed.
    #[error("the passphrase does not open the archive")]
    PassphraseWrong,
    /// It was made by a later version of this program.
    #[error("the archive has format {0}, which this program does not know")]
    Later(u32),
    /// It was changed, is not whole, or never was an archive.
    #[error("the archive is broken at {place}: {reason}")]
    Broken {
        /// Where.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Whoever takes the contents cannot.
    #[error(transparent)]
    Taker(io::Error),
}

impl ArchiveError {
    /// Broken at this place.
    pub fn broken(place: Place, reason: impl std::fmt::Display) -> Self {
        Self::Broken {
            place,
            reason: reason.to_string(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PassphraseMissing => "passphrase_missing",
            Self::PassphraseWrong => "passphrase_wrong",
            Self::Later(_) => "later_format",
            Self::Broken { .. } => "broken",
            Self::Io(error) | Self::Taker(error) if error.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Io(_) | Self::Taker(_) => "io",
        }
    }
}
