//! A server of its own folder, with the simulated LINE WORKS beside it, that can be killed and started as often as one
//! likes. The simulator lives on and knows what it accepted.

mod line;
pub(crate) mod office;
pub(crate) mod process;
mod request;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crm_lineworks_sim::{Simulator, SimulatorConfig};
use tempfile::TempDir;
use tokio::sync::watch;

pub use line::{Line, Reply};
pub use office::{Desk, Office};
pub use request::{callback, callback_of, send};

pub(crate) use process::signal;

use self::process::Process;
use crate::cluster::ClusterPlan;
use crate::ground::{Books, Ground, StoreKind};
use crate::http::Connection;

/// How long a start may take, with a replay and on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Nothing that the trials do is to be held up by a plan's limit.
const SENDS_A_MINUTE: u32 = 100_000;

/// The server's folder, its simulator and, while it runs, its process. Dropping it kills the process.
#[derive(Debug)]
pub struct Trial {
    binary: PathBuf,
    folder: TempDir,
    /// LINE WORKS, as far as the server knows.
    pub simulator: Simulator,
    ground: Ground,
    settings: Vec<(String, String)>,
    process: Option<Process>,
    starts: usize,
    door: watch::Sender<Option<SocketAddr>>,
}

impl Trial {
    /// A folder and a simulator; the server is not started yet. `more` are further variables of its environment.
    pub async fn prepare(binary: &Path, more: &[(String, String)]) -> anyhow::Result<Self> {
        Self::prepare_on(binary, more, StoreKind::Sqlite).await
    }

    /// The same on a store of this kind.
    pub async fn prepare_on(
        binary: &Path,
        more: &[(String, String)],
        store: StoreKind,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("crm-trial-").tempdir()?;
        let ground = Ground::prepare(store, ClusterPlan::default()).await?;
        let (simulator, mut settings) = line_works().await?;
        let data = folder.path().join("data").display().to_string();
        settings.extend([
            ("CRM_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("CRM_DATA_DIR".to_owned(), data),
        ]);
        settings.extend(ground.settings());
        settings.extend(more.iter().cloned());
        Ok(Self {
            binary: binary.to_owned(),
            folder,
            simulator,
            ground,
            settings,
            process: None,
            starts: 0,
            door: watch::Sender::new(None),
        })
    }

    /// Starts the server and waits until it is ready; how long that took.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.spawn()?;
        let process = self.process.as_mut().context("it was started")?;
        let address = process.address(START).await?;
        while !is_ready(address).await {
            process.assert_alive()?;
            anyhow::ensure!(began.elapsed() < START, "not ready within {START:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.simulator
            .set_callback_url(format!("http://{address}/webhook"));
        self.door.send_replace(Some(address));
        Ok(began.elapsed())
    }

    /// Starts the server without waiting for anything.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        self.starts += 1;
        let log = self.folder.path().join(format!("server-{:04}.log", self.starts));
        self.process = Some(Process::spawn(
            &self.binary,
            self.folder.path(),
            &self.settings,
            log,
        )?);
        Ok(())
    }

    /// Kills the server as the power does. That it had ended by itself before is an error.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.door.send_replace(None);
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        process.assert_alive()?;
        process.kill()
    }

    /// Where the server is, `None` while it is dead.
    pub fn door(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.door.subscribe()
    }

    /// The server's address; an error while it is dead.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.door.borrow().context("the server does not run")
    }

    /// The folder with the data and the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// For looking into the store past the product.
    pub(crate) fn books(&self) -> Books {
        self.ground.books(self.data().join("crm.db"))
    }

    /// Throws the data away, to begin with an empty folder and an empty database again.
    pub async fn forget_data(&mut self) -> anyhow::Result<()> {
        if let Some(cluster) = self.ground.cluster() {
            cluster.forget().await?;
        }
        match std::fs::remove_dir_all(self.data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The hands of an operator on the same data.
    pub async fn office(&self) -> anyhow::Result<Office> {
        Office::open(&self.settings).await
    }

    /// Keeps the folder as evidence and says where it is.
    pub fn keep_evidence(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        if let Some(cluster) = self.ground.cluster() {
            cluster.keep_evidence();
        }
        self.folder.path().to_owned()
    }
}

/// The simulated LINE WORKS, and what a server's settings say about it.
pub(crate) async fn line_works() -> anyhow::Result<(Simulator, Vec<(String, String)>)> {
    let simulator = Simulator::start(SimulatorConfig {
        rate_limit: SENDS_A_MINUTE,
        ..SimulatorConfig::default()
    })
    .await?;
    let own = |(name, value): (&str, String)| (name.to_owned(), value);
    let mut settings: Vec<(String, String)> = simulator.settings().into_iter().map(own).collect();
    settings.extend([
        own(("CRM_API_RATE_LIMIT", "0".to_owned())),
        own(("LINE_WORKS_RATE_LIMIT", SENDS_A_MINUTE.to_string())),
    ]);
    Ok((simulator, settings))
}

/// Whether the server behind this address is ready.
pub(crate) async fn is_ready(address: SocketAddr) -> bool {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let asked = async {
        Connection::open(address)
            .await?
            .exchange(request.as_bytes())
            .await
    };
    asked.await.is_ok_and(|answer| answer.status == 200)
}

/// The server's program: given, or beside this one (a test lies one folder deeper).
pub fn server_binary(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let own = std::env::current_exe()?;
    let beside = own.with_file_name("crm-web");
    let above = own
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join("crm-web"));
    [Some(beside.clone()), above]
        .into_iter()
        .flatten()
        .find(|program| program.is_file())
        .with_context(|| {
            format!(
                "{} is not there. Build it first, as this program was built: cargo build --bin crm-web (with --release if \
                 this one was)",
                beside.display()
            )
        })
}
