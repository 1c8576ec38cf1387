//! A connection for callers that block, with the little runtime that drives it.

use std::future::Future;
use std::sync::Arc;

use crm_domain::ports::bulk::BulkError;
use crm_domain::ports::store::StoreError;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::connection::PlainClient;
use crate::desk::Desk;
use crate::error::PostgresError;

/// Moving everything takes as long as it takes.
const SET_UP: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '10s'; \
                      SET client_min_messages = warning; SET extra_float_digits = 1; SET TimeZone = 'UTC'";

/// Everything happens on the caller's thread, while it calls.
pub(super) struct Session {
    // Before the runtime, which drives it.
    plain: Option<PlainClient>,
    runtime: Option<Runtime>,
}

impl Session {
    pub(super) fn open(desk: &Arc<Desk>) -> Result<Self, BulkError> {
        let threads = |error: std::io::Error| StoreError::from(PostgresError::Threads(error.to_string()));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(threads)?;
        let plain = runtime
            .block_on(desk.pool().opener().plain())
            .map_err(StoreError::from)?;
        let session = Self {
            plain: Some(plain),
            runtime: Some(runtime),
        };
        session.run(SET_UP)?;
        Ok(session)
    }

    /// Waits for what is done with the connection.
    pub(super) fn wait<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, BulkError>,
    ) -> Result<T, BulkError> {
        let (Some(runtime), Some(plain)) = (&self.runtime, &self.plain) else {
            return Err(StoreError::from(PostgresError::Closed).into());
        };
        runtime.block_on(work(&plain.client))
    }

    /// Waits for something else that the runtime drives.
    pub(super) fn beside<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, BulkError> {
        let runtime = self
            .runtime
            .as_ref()
            .ok_or(PostgresError::Closed)
            .map_err(StoreError::from)?;
        Ok(runtime.block_on(work)?)
    }

    /// Statements without values or answers.
    pub(super) fn run(&self, sql: &str) -> Result<(), BulkError> {
        self.wait(async |client| client.batch_execute(sql).await.map_err(|error| failed(&error)))
    }

    pub(super) fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, BulkError> {
        self.wait(async |client| client.query(sql, values).await.map_err(|error| failed(&error)))
    }

    /// The first value of the first row.
    pub(super) fn value<T>(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<T>, BulkError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.rows(sql, values)?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        row.try_get(0).map(Some).map_err(|error| failed(&error))
    }
}

impl Drop for Session {
    /// Does not wait: this may be a place where waiting is not allowed.
    fn drop(&mut self) {
        self.plain = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What PostgreSQL says, without the values that it may quote.
pub(super) fn failed(error: &tokio_postgres::Error) -> BulkError {
    let words = match error.as_db_error() {
        Some(told) if *told.code() == SqlState::INSUFFICIENT_PRIVILEGE => {
            PostgresError::Forbidden(told.message().to_owned())
        }
        Some(told) if *told.code() == SqlState::DISK_FULL => {
            PostgresError::DiskFull(told.message().to_owned())
        }
        Some(told) => PostgresError::Lost(told.message().to_owned()),
        None => PostgresError::Lost(error.to_string()),
    };
    BulkError::Store(words.into())
}
