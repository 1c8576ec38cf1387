//! Looking after a database as a whole.

use std::path::Path;

use async_trait::async_trait;

use super::store::StoreError;

/// A migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its name, which begins with its number.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// Which schema a database has, and which programs may work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The number of its newest migration.
    pub version: i64,
    /// The oldest program that may work on it, by the number of that program's newest migration.
    pub oldest_binary: i64,
    /// The version of the program that brought it there; empty before any did.
    pub product: String,
}

impl SchemaVersion {
    /// Whether a program whose newest migration has this number may work on it: also an older one than the database, as
    /// long as nothing was taken away that it needs.
    pub fn admits(&self, newest: i64) -> bool {
        newest >= self.oldest_binary
    }
}

/// What an administrator does with a database.
#[async_trait]
pub trait StoreAdmin: Send + Sync {
    /// Every migration of this binary, oldest first.
    async fn migrations(&self) -> Result<Vec<MigrationStatus>, StoreError>;

    /// Applies what is missing and returns the names; nothing on a database that is up to date.
    async fn migrate(&self) -> Result<Vec<String>, StoreError>;

    /// Which schema the database says that it has; `None` before it says so.
    async fn schema_version(&self) -> Result<Option<SchemaVersion>, StoreError>;

    /// The number of this program's newest migration.
    fn newest_known(&self) -> i64;

    /// Applies what is missing to a copy, or undoes it all again, and returns the names: an error says what would fail.
    async fn rehearse(&self) -> Result<Vec<String>, StoreError>;

    /// Writes a consistent copy of everything to a new file while others work; refuses to overwrite.
    async fn backup(&self, file: &Path) -> Result<(), StoreError>;
}
