//! A real PostgreSQL for tests, which they start themselves.
//!
//! [`TestDatabase`] is a fresh database with every migration, on a server that all test processes of a machine share: the
//! first one starts it, a guardian stops it and removes its folder some seconds after the last one is gone, however that
//! ended. [`Cluster`] is a server of a test's own, to be stopped, frozen, killed and promoted.

mod cluster;
mod programs;
mod shared;

use std::path::{Path, PathBuf};

pub use cluster::Cluster;

use programs::Server;

/// A database with every migration of the working tree; dropping it drops the database.
pub struct TestDatabase {
    /// Where it is: `postgres://crm@127.0.0.1:PORT/NAME`, without TLS and without password.
    pub url: String,
    name: String,
    server: Server,
}

impl TestDatabase {
    /// A database as after the newest migration.
    pub fn new() -> Self {
        Self::from_template(&shared::join().template())
    }

    /// A database without any table.
    pub fn empty() -> Self {
        shared::join();
        Self::from_template("template0")
    }

    fn from_template(template: &str) -> Self {
        let server = shared::join().server();
        let name = unique_name();
        // Copying the files is faster than logging each of their pages; nothing of this is synced.
        server.sql(
            "postgres",
            &format!("CREATE DATABASE {name} OWNER crm TEMPLATE {template} STRATEGY file_copy"),
        );
        Self {
            url: server.url(&name),
            name,
            server,
        }
    }

    /// Runs statements as the server's administrator and returns what they print, a row a line.
    pub fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }

    /// Lets nobody of the product in any more and ends who is connected, as if the server were gone.
    pub fn shut(&self) {
        let name = &self.name;
        self.server.sql(
            "postgres",
            &format!(
                "ALTER DATABASE {name} CONNECTION LIMIT 0; \
                 SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = 'crm'"
            ),
        );
    }

    /// Lets the product in again after [`TestDatabase::shut`].
    pub fn open_again(name: &str) {
        let open = format!("ALTER DATABASE {name} CONNECTION LIMIT -1");
        shared::join().server().sql("postgres", &open);
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Default for TestDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // What a panicking test leaves goes with the server's folder.
        self.server.try_sql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

/// Not the same in two processes, nor twice in one.
fn unique_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{count}", std::process::id())
}

/// The folder of the migrations, and their names in order.
fn migrations() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let entries = std::fs::read_dir(&folder).expect("the folder of the migrations");
    let mut found: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.join("up.sql").is_file())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, path.join("up.sql"))
        })
        .collect();
    found.sort();
    found
}
