//! What a measured server stands on: its folder, its key, its filled database, and somebody who is signed in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::Args;
use crm_compose::transfer::{TableProof, Teller, load, prove};
use crm_domain::ports::bulk::BulkStore as _;
use crm_domain::ports::store::Store;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

use crate::cluster::{Cluster, ClusterPlan};
use crate::ground::{Books, Ground, StoreKind};
use crate::server::Server;
use crate::trial::server_binary;
use crate::{Size, seed, sign_in};

/// What is measured, with which data.
#[derive(Args, Debug)]
pub(crate) struct Subject {
    #[command(flatten)]
    pub(crate) size: Size,
    /// What the data lie in; a PostgreSQL is started for it and takes a copy of the filled file.
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    store: StoreKind,
    /// The release server; beside this program if not given.
    #[arg(long)]
    server: Option<PathBuf>,
    /// A database made by `seed`, to save the filling; it is copied, not changed.
    #[arg(long)]
    database: Option<PathBuf>,
}

/// Where a measured server lives; dropping it removes everything.
pub(crate) struct Place {
    folder: TempDir,
    ground: Ground,
    binary: PathBuf,
    /// The cookie of a session.
    pub(crate) cookie: String,
}

impl Place {
    /// Makes a data folder with a filled database and somebody signed in.
    pub(crate) async fn prepare(subject: &Subject) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("data"))?;
        std::fs::write(
            folder.path().join("private.key"),
            crm_lineworks_sim::test_private_key_pem(),
        )?;
        let ground = Ground::prepare(subject.store, ClusterPlan::default()).await?;
        let mut place = Self {
            folder,
            ground,
            binary: server_binary(subject.server.as_deref())?,
            cookie: String::new(),
        };
        let file = place.file();
        match &subject.database {
            Some(filled) => drop(std::fs::copy(filled, &file)?),
            None => seed::fill(&file, subject.size).await?,
        }
        let store: Arc<dyn Store> = match &place.ground {
            Ground::File => Arc::new(file_store(&file).await?),
            Ground::Server(cluster) => Arc::new(move_into(file, cluster).await?),
        };
        place.cookie = sign_in::session(store.as_ref()).await?;
        Ok(place)
    }

    /// Starts the server here.
    pub(crate) async fn start(&self) -> anyhow::Result<Server> {
        Server::start(self, None).await
    }

    /// Starts it with so many descriptors.
    pub(crate) async fn start_with(&self, descriptors: u32) -> anyhow::Result<Server> {
        Server::start(self, Some(descriptors)).await
    }

    /// The server's program.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its private key for LINE WORKS.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("private.key")
    }

    /// The database, if it is a file.
    pub(crate) fn file(&self) -> PathBuf {
        self.data().join("crm.db")
    }

    /// What tells the server which database it has.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.ground.settings()
    }

    /// Every callback that got its 200 must be on disk, and all of them recorded within this time.
    pub(crate) async fn wait_until_recorded(
        &self,
        answered: usize,
        bound: Duration,
    ) -> anyhow::Result<Duration> {
        const PENDING: &str = "SELECT count(*) AS number FROM receipts WHERE state = 'pending'";
        let waited = self.wait_for_none(PENDING, bound).await?;
        let kept = self
            .books()
            .number("SELECT count(*) AS number FROM receipts")
            .await?;
        ensure!(
            usize::try_from(kept).unwrap_or_default() >= answered,
            "{answered} callbacks were answered and {kept} are on disk"
        );
        Ok(waited)
    }

    /// How long it takes until what is said in all messages can be found; a copy brings no index.
    pub(crate) async fn wait_until_indexed(&self, bound: Duration) -> anyhow::Result<Duration> {
        let open = match self.ground.kind() {
            StoreKind::Sqlite => "SELECT count(*) AS number FROM activities WHERE indexed = 0",
            StoreKind::Postgres => "SELECT count(*) AS number FROM activities WHERE NOT indexed",
        };
        self.wait_for_none(open, bound).await
    }

    async fn wait_for_none(&self, sql: &str, bound: Duration) -> anyhow::Result<Duration> {
        let (books, began) = (self.books(), Instant::now());
        while began.elapsed() < bound {
            if books.number(sql).await? == 0 {
                return Ok(began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} are left after {bound:?}: {sql}", books.number(sql).await?)
    }

    fn books(&self) -> Books {
        self.ground.books(self.file())
    }
}

fn sqlite(file: &Path) -> SqliteOptions {
    SqliteOptions {
        path: file.to_owned(),
        readers: 1,
        create: false,
    }
}

async fn file_store(file: &Path) -> anyhow::Result<SqliteStore> {
    let store = SqliteStore::open(sqlite(file))?;
    store.migrate().await?;
    Ok(store)
}

/// Copies the file to the server, as `crm db copy` does, and removes it.
async fn move_into(file: PathBuf, cluster: &Cluster) -> anyhow::Result<PostgresStore> {
    let options = PostgresOptions {
        url: cluster.url(),
        replica: None,
        connections: 2,
        application: "crm-bench".to_owned(),
    };
    let target = PostgresStore::open_for_copy(options)?;
    let copying = move || {
        let from = SqliteStore::open_for_copy(sqlite(&file), None)?;
        let (mut source, mut written) = (from.bulk_source()?, target.bulk_target()?);
        let silent: Teller = Arc::new(|_| ());
        let loaded = load(source.as_mut(), written.as_mut(), "crm-bench", &silent)?;
        let proofs = prove(source.as_mut(), written.written()?.as_mut(), &loaded, &silent)?;
        ensure!(proofs.iter().all(TableProof::is_equal), "the copy differs");
        written.release()?;
        std::fs::remove_file(&file)?;
        Ok(target)
    };
    tokio::task::spawn_blocking(copying).await?
}
