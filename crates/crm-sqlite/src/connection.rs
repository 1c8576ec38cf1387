//! Connections and their settings.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use crm_diesel::sqlite::Conn;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::error::SqliteError;

/// How long a statement waits for another program's lock, in milliseconds.
const WAIT: u32 = 2_000;
/// How long the writer waits for one: longer than anybody waits for the writer, so that what a caller gave up on is stored
/// all the same when the lock goes.
const WRITER_WAIT: u32 = 6_000;

/// Opens connections to one file.
#[derive(Debug, Clone)]
pub(crate) struct Opener {
    path: PathBuf,
    url: String,
    max_pages: Option<u32>,
    /// The last migration that is applied here; `None`: all of them.
    pub(crate) until: Option<i64>,
}

impl Opener {
    /// Creates the file if that is wanted and it is not there, so that nobody else can read it from the first moment.
    pub(crate) fn new(path: PathBuf, create: bool, max_pages: Option<u32>) -> Result<Self, SqliteError> {
        if create && !path.exists() {
            new_file(&path).map_err(|error| failed(&path, &error))?;
        }
        let url = url_of(&path)?;
        Ok(Self {
            path,
            url,
            max_pages,
            until: None,
        })
    }

    /// A connection that writes durably.
    pub(crate) fn writing(&self) -> Result<Conn, SqliteError> {
        let mut conn = self.plain()?;
        let mode: String = sql::<Text>("PRAGMA journal_mode = WAL")
            .get_result(&mut conn)
            .map_err(|error| self.failed(&error))?;
        if mode != "wal" {
            return Err(SqliteError::NoWriteAheadLog(self.path.clone()));
        }
        let limit = self.page_limit();
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {WRITER_WAIT}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; {limit}"
        ))
        .map_err(|error| self.failed(&error))?;
        Ok(conn)
    }

    /// A connection that cannot write. What it keeps of the file is of use until somebody writes: the system keeps it too.
    pub(crate) fn reading(&self) -> Result<Conn, SqliteError> {
        let mut conn = self.plain()?;
        conn.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -2000;")
            .map_err(|error| self.failed(&error))?;
        Ok(conn)
    }

    /// A connection that waits for locks, with nothing else set.
    pub(crate) fn plain(&self) -> Result<Conn, SqliteError> {
        let mut conn = Conn::establish(&self.url).map_err(|error| self.failed(&error))?;
        conn.batch_execute(&format!("PRAGMA busy_timeout = {WAIT}"))
            .map_err(|error| self.failed(&error))?;
        Ok(conn)
    }

    /// A file beside this one whose name ends so.
    pub(crate) fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(end);
        self.path.with_file_name(name)
    }

    /// A connection for statements that are only known at run time.
    pub(crate) fn dynamic(&self) -> Result<rusqlite::Connection, SqliteError> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE
            | rusqlite::OpenFlags::SQLITE_OPEN_URI
            | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = rusqlite::Connection::open_with_flags(&self.url, flags);
        let conn = conn.map_err(|error| self.failed(&error))?;
        let wait = std::time::Duration::from_millis(WAIT.into());
        conn.busy_timeout(wait).map_err(|error| self.failed(&error))?;
        Ok(conn)
    }

    /// An error for a file that holds the beginning of a copy.
    pub(crate) fn refuse_unfinished(&self) -> Result<(), SqliteError> {
        let conn = self.dynamic()?;
        if crate::bulk::unfinished(&conn).map_err(|error| self.failed(&error))? {
            Err(SqliteError::Unfinished(self.path.clone()))
        } else {
            Ok(())
        }
    }

    /// The statement that keeps the file from growing beyond its limit; nothing without one.
    pub(crate) fn page_limit(&self) -> String {
        self.max_pages
            .map_or_else(String::new, |pages| format!("PRAGMA max_page_count = {pages};"))
    }

    pub(crate) fn failed(&self, reason: &dyn std::error::Error) -> SqliteError {
        failed(&self.path, reason)
    }
}

/// Creates an empty file that only its owner may read; an existing one is an error.
pub(crate) fn new_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn failed(path: &Path, reason: &dyn std::error::Error) -> SqliteError {
    SqliteError::Open {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// SQLite's own characters in the path are escaped; `mode=rw` creates nothing.
fn url_of(path: &Path) -> Result<String, SqliteError> {
    let Some(text) = path.to_str() else {
        let reason = std::io::Error::other("its name is not UTF-8");
        return Err(failed(path, &reason));
    };
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("file:{escaped}?mode=rw"))
}

#[cfg(test)]
mod tests {
    use super::Opener;
    use diesel::connection::SimpleConnection;
    use diesel::dsl::sql;
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;

    fn pragma(conn: &mut SqliteConnection, name: &str) -> i64 {
        sql::<BigInt>(&format!("PRAGMA {name}")).get_result(conn).unwrap()
    }

    #[test]
    fn who_writes_waits_for_the_disk_and_who_reads_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let opener = Opener::new(folder.path().join("crm.db"), true, None).unwrap();
        let mut writing = opener.writing().unwrap();
        // 2 is FULL: every commit is synced.
        assert_eq!(pragma(&mut writing, "synchronous"), 2);
        assert_eq!(pragma(&mut writing, "foreign_keys"), 1);
        assert_eq!(pragma(&mut writing, "secure_delete"), 1);
        writing.batch_execute("CREATE TABLE t (x)").unwrap();
        let mut reading = opener.reading().unwrap();
        assert!(reading.batch_execute("INSERT INTO t VALUES (1)").is_err());
    }
}
