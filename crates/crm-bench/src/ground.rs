//! What the servers under trial keep their data in: a file of one server, or a PostgreSQL for any number of them.

use std::path::PathBuf;

use clap::ValueEnum;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};

use crate::cluster::{Cluster, ClusterPlan, Psql};

/// Servers on one PostgreSQL share it; the same for commands beside them.
const SHARED_KEY: &str = "one key for all servers of a trial, of no worth elsewhere";

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// One server, one file.
    Sqlite,
    /// A PostgreSQL that is started for the trial.
    Postgres,
}

impl StoreKind {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The store itself.
#[derive(Debug)]
pub enum Ground {
    /// The file in the first server's data folder.
    File,
    /// The database of all.
    Server(Box<Cluster>),
}

/// Looks into the store past the product.
#[derive(Debug, Clone)]
pub(crate) enum Books {
    File(PathBuf),
    Server(Psql),
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

impl Ground {
    /// Starts what is needed.
    pub async fn prepare(kind: StoreKind, plan: ClusterPlan) -> anyhow::Result<Self> {
        Ok(match kind {
            StoreKind::Sqlite => Self::File,
            StoreKind::Postgres => Self::Server(Box::new(Cluster::start(plan).await?)),
        })
    }

    /// Which one.
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::File => StoreKind::Sqlite,
            Self::Server(_) => StoreKind::Postgres,
        }
    }

    /// The PostgreSQL, if it is one.
    pub fn cluster(&mut self) -> Option<&mut Cluster> {
        match self {
            Self::File => None,
            Self::Server(cluster) => Some(cluster),
        }
    }

    /// What a server's settings say about it.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        match self {
            Self::File => Vec::new(),
            Self::Server(cluster) => server_settings(cluster.url()),
        }
    }

    /// For looking into it; `file` is where the database is if it is one.
    pub(crate) fn books(&self, file: PathBuf) -> Books {
        match self {
            Self::File => Books::File(file),
            Self::Server(cluster) => Books::Server(cluster.psql()),
        }
    }
}

/// The settings of a server on a PostgreSQL under this address.
pub(crate) fn server_settings(url: String) -> Vec<(String, String)> {
    vec![
        ("CRM_DATABASE_URL".to_owned(), url),
        ("CRM_SECRET_KEY".to_owned(), SHARED_KEY.to_owned()),
    ]
}

impl Books {
    /// The answer to a query of one number named `number`.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        match self {
            Self::Server(psql) => psql.number(sql).await,
            Self::File(file) => {
                let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
                connection.batch_execute("PRAGMA query_only = ON; PRAGMA busy_timeout = 10000;")?;
                let found: Number = diesel::sql_query(sql).get_result(&mut connection)?;
                Ok(found.number)
            }
        }
    }
}
