//! Looking after the database as a whole.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use crm_diesel::postgres::Conn;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, SchemaVersion, StoreAdmin};

use crate::error::PostgresError;
use crate::{LOOK, PostgresStore, migrations, rehearsal};

#[async_trait]
impl StoreAdmin for PostgresStore {
    async fn migrations(&self) -> Result<Vec<MigrationStatus>, StoreError> {
        self.with(|conn| migrations::plan()?.status(conn)).await
    }

    async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.apart(migrations::migrate).await
    }

    async fn schema_version(&self) -> Result<Option<SchemaVersion>, StoreError> {
        self.with(crm_diesel::postgres::migrations::version).await
    }

    fn newest_known(&self) -> i64 {
        migrations::plan().map(|plan| plan.newest()).unwrap_or_default()
    }

    /// On a copy beside the live tables, in a transaction that is undone: PostgreSQL makes and unmakes tables like rows.
    async fn rehearse(&self) -> Result<Vec<String>, StoreError> {
        self.apart(rehearsal::rehearse).await
    }

    async fn backup(&self, _file: &Path) -> Result<(), StoreError> {
        Err(PostgresError::NoFile.into())
    }
}

impl PostgresStore {
    /// Lends a connection of the pool for a short look.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let desk = Arc::clone(&self.desk);
        self.threads
            .run(async move { desk.with(LOOK, work).await })
            .await?
    }

    /// Runs what takes long on a connection of its own, which is closed afterwards; a server that is away for a moment is
    /// waited for.
    pub(crate) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let desk = Arc::clone(&self.desk);
        let ran = self.threads.run(async move {
            let mut line = desk.own_line().await?;
            let done = tokio::task::spawn_blocking(move || work(&mut line.conn)).await;
            done.unwrap_or(Err(PostgresError::Panicked.into()))
        });
        ran.await?
    }
}
