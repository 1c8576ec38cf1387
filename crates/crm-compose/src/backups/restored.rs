//! What a restore came to: what there is now, and what must be entered again.

use std::path::PathBuf;

/// What became of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFate {
    /// The target's secret key is the backup's; everything opens.
    Same,
    /// The backup's secret key lies in the target now; everything opens.
    Taken,
    /// The target has another key, and the backup held its own: everything was brought under the target's.
    Brought,
    /// The target goes by another key, and the backup's is not known. What only that one opens is gone.
    Adopted {
        /// The addresses of the members whose second factor has to be set up again.
        factors: Vec<String>,
        /// The fields of the connection to LINE WORKS that have to be entered again.
        connection: Vec<String>,
    },
}

impl KeyFate {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Taken => "taken",
            Self::Brought => "brought",
            Self::Adopted { .. } => "adopted",
        }
    }
}

/// What a restore came to.
#[derive(Debug, Clone)]
pub struct Restored {
    /// When the backup was taken, UTC.
    pub made_at: String,
    /// The version of the program that wrote it.
    pub product: String,
    /// Rows of all tables.
    pub rows: u64,
    /// Received files.
    pub files: u64,
    /// Files that the backup did not have; they are fetched again if LINE WORKS still has them.
    pub missing_files: u64,
    /// Callbacks that had been answered and wait to be recorded.
    pub callbacks: u64,
    /// Messages that were on their way and are 結果不明.
    pub given_up: u64,
    /// Migrations that were applied.
    pub migrated: Vec<String>,
    /// What became of the keys.
    pub key: KeyFate,
    /// The fingerprint of the secret key that it goes by now.
    pub fingerprint: String,
    /// A `.env` file with the settings of the backup; it is not in use yet.
    pub settings: Option<PathBuf>,
    /// The private key of LINE WORKS.
    pub private_key: Option<PathBuf>,
    /// Whether an earlier, interrupted restore was cleared away or gone on with.
    pub interrupted: bool,
}
