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

/// What an administrator does with a database.
#[async_trait]
pub trait StoreAdmin: Send + Sync {
    /// Every migration of this binary, oldest first.
    async fn migrations(&self) -> Result<Vec<MigrationStatus>, StoreError>;

    /// Applies what is missing and returns the names; nothing on a database that is up to date.
    async fn migrate(&self) -> Result<Vec<String>, StoreError>;

    /// Writes a consistent copy of everything to a new file while others work; refuses to overwrite.
    async fn backup(&self, file: &Path) -> Result<(), StoreError>;
}
