#![doc = include_str!("../README.md")]

mod admin;
mod bulk;
mod connection;
pub mod copies;
mod error;
mod group;
mod migrations;
mod readers;
mod scrub;
mod shelf;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use crm_domain::instant::Instant;
use crm_domain::ports::store::{
    OperationKey, PoolState, ReadWork, Store, StoreError, StoreExt as _, Verdict, Work, settling,
};

use connection::Opener;
use readers::Readers;
use writer::Writer;

pub use error::SqliteError;
pub use migrations::unapplied as unapplied_migrations;

/// Where the database lies and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database file; its folder must exist.
    pub path: PathBuf,
    /// How many readings run at the same time, at least 1; each keeps up to 2 MiB of pages in memory.
    pub readers: u32,
    /// Whether a file that does not exist is created, readable by its owner only.
    pub create: bool,
}

/// A database in one file.
pub struct SqliteStore {
    opener: Opener,
    // Before the writer, so that its last act finds nobody reading.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file; applies no migrations. A copy that is not finished is [`SqliteError::Unfinished`].
    pub fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        let store = Self::open_with(options, None)?;
        store.opener.refuse_unfinished()?;
        Ok(store)
    }

    /// As [`SqliteStore::open`], but only to fill an empty file or to go on with an unfinished copy. `pages` as in
    /// [`SqliteStore::open_limited`].
    pub fn open_for_copy(options: SqliteOptions, pages: Option<u32>) -> Result<Self, StoreError> {
        Self::open_with(options, pages)
    }

    /// As [`SqliteStore::open_for_copy`], for a copy that is to have the schema of this migration and no newer one.
    pub fn open_for_copy_of(options: SqliteOptions, last: i64) -> Result<Self, StoreError> {
        let mut store = Self::open_with(options, None)?;
        store.opener.until = Some(last);
        Ok(store)
    }

    /// As [`SqliteStore::open`], but the file never grows beyond so many pages of 4 KiB: writing more is answered as on a
    /// full disk.
    pub fn open_limited(options: SqliteOptions, pages: u32) -> Result<Self, StoreError> {
        Self::open_with(options, Some(pages))
    }

    fn open_with(options: SqliteOptions, max_pages: Option<u32>) -> Result<Self, StoreError> {
        let opener = Opener::new(options.path, options.create, max_pages)?;
        let writer = Writer::start(&opener)?;
        let readers = Readers::start(&opener, options.readers.max(1))?;
        Ok(Self {
            opener,
            readers,
            writer,
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn run_write(&self, work: Work) -> Result<(), StoreError> {
        self.writer.run(work).await
    }

    async fn run_read(&self, work: ReadWork) -> Result<(), StoreError> {
        self.readers.run(work).await
    }

    /// The writer does one thing after the other: when this has had its turn, also in vain (the disk may be full), the commit
    /// in doubt is over, and a reading sees what became of it.
    async fn settle(&self, key: OperationKey, at: Instant) -> Result<bool, StoreError> {
        let found = Arc::new(AtomicBool::new(false));
        match self.writer.run(settling(key, at, Arc::clone(&found))).await {
            Ok(()) => Ok(found.load(Ordering::Relaxed)),
            Err(_) => self.read(move |unit| unit.operation_done(&key)).await,
        }
    }

    fn pool(&self) -> Option<PoolState> {
        Some(self.readers.state())
    }

    /// Takes the write lock once and gives it back.
    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.run(Box::new(|_| Verdict::RollBack)).await
    }

    async fn migrations_pending(&self) -> Result<usize, StoreError> {
        self.readers.with(|conn| migrations::plan()?.pending(conn)).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        let opener = self.opener.clone();
        admin::apart(move || Ok(scrub::scrub(&opener)?)).await
    }
}
