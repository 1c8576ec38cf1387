//! Looking after the file as a whole.

use std::fs::File;
use std::path::Path;

use async_trait::async_trait;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, SchemaVersion, StoreAdmin};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::connection::{Opener, new_file};
use crate::error::SqliteError;
use crate::{SqliteStore, migrations};

#[async_trait]
impl StoreAdmin for SqliteStore {
    async fn migrations(&self) -> Result<Vec<MigrationStatus>, StoreError> {
        self.readers.with(|conn| migrations::plan()?.status(conn)).await
    }

    async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let opener = self.opener.clone();
        apart(move || migrations::migrate(&opener)).await
    }

    async fn schema_version(&self) -> Result<Option<SchemaVersion>, StoreError> {
        self.readers.with(crm_diesel::sqlite::migrations::version).await
    }

    fn newest_known(&self) -> i64 {
        migrations::plan().map(|plan| plan.newest()).unwrap_or_default()
    }

    async fn rehearse(&self) -> Result<Vec<String>, StoreError> {
        let opener = self.opener.clone();
        apart(move || rehearse(&opener)).await
    }

    async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let (opener, file) = (self.opener.clone(), file.to_owned());
        apart(move || Ok(copy(&opener, &file)?)).await
    }
}

/// Runs what takes long on a thread of its own.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(SqliteError::Panicked.into()))
}

/// Migrates a copy beside the file, which is gone afterwards.
fn rehearse(opener: &Opener) -> Result<Vec<String>, StoreError> {
    let beside = opener.beside(".rehearsal");
    forget(&beside);
    let outcome = copy(opener, &beside)
        .map_err(StoreError::from)
        .and_then(|()| migrations::migrate(&Opener::new(beside.clone(), false, None)?));
    forget(&beside);
    outcome
}

/// Removes a database that is of no use any more, with what SQLite keeps beside it.
fn forget(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        drop(std::fs::remove_file(name));
    }
}

/// Writes one consistent copy, on disk when this returns; a copy that failed leaves no file.
fn copy(opener: &Opener, file: &Path) -> Result<(), SqliteError> {
    let failed = |reason: &dyn std::error::Error| SqliteError::Copy {
        path: file.to_owned(),
        reason: reason.to_string(),
    };
    let Some(name) = file.to_str() else {
        return Err(failed(&std::io::Error::other("its name is not UTF-8")));
    };
    new_file(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => SqliteError::Exists(file.to_owned()),
        _ => failed(&error),
    })?;
    let copied = opener.plain().and_then(|mut conn| {
        diesel::sql_query("VACUUM INTO ?")
            .bind::<Text, _>(name)
            .execute(&mut conn)
            .map_err(|error| failed(&error))?;
        let copy = File::open(file).and_then(|copy| copy.sync_all());
        copy.map_err(|error| failed(&error))
    });
    if copied.is_err() {
        drop(std::fs::remove_file(file));
    }
    copied
}
