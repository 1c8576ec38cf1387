//! Several servers on one store behind a balancer, with the simulated LINE WORKS beside them; each can be killed, frozen,
//! told to stop, and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use crm_lineworks_sim::Simulator;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::balancer::Balancer;
use crate::cluster::{Cluster, ClusterPlan, open_to_all, url_of};
use crate::ground::{Books, Ground, StoreKind, server_settings};
use crate::ports::lasting_addresses;
use crate::proxy::Proxy;
use crate::shim::Shim;
use crate::trial::process::Process;
use crate::trial::{Office, is_ready, line_works};

/// How long a start may take, on a busy machine and with what was left to do.
const START: Duration = Duration::from_mins(1);
/// How long a server may take to stop when it is told to.
const FAREWELL: Duration = Duration::from_secs(30);
/// How long the spools may take once the database is back.
const REPLAY: Duration = Duration::from_mins(2);

/// What is to be set up.
#[derive(Debug, Clone)]
pub struct FleetPlan {
    /// The server's program.
    pub binary: PathBuf,
    /// What the servers keep their data in; a file is served by one.
    pub store: StoreKind,
    /// How many servers there are on a PostgreSQL.
    pub instances: usize,
    /// A second PostgreSQL follows the first, and commits wait for it.
    pub standby: bool,
    /// A shim stands between each server, the database too, and the system.
    pub shims: bool,
    /// A line that can be cut stands between the servers and the database, and before LINE WORKS.
    pub proxies: bool,
}

impl FleetPlan {
    /// Nothing but the servers.
    pub fn new(binary: &Path, store: StoreKind, instances: usize) -> Self {
        Self {
            binary: binary.to_owned(),
            store,
            instances,
            standby: false,
            shims: false,
            proxies: false,
        }
    }
}

/// All that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Fleet {
    binary: PathBuf,
    instances: Vec<Instance>,
    balancer: Balancer,
    /// LINE WORKS, as far as the servers know.
    pub simulator: Simulator,
    /// What the data is kept in.
    pub ground: Ground,
    /// The line to the database.
    pub to_database: Option<Proxy>,
    /// The line to LINE WORKS.
    pub to_line_works: Option<Proxy>,
    /// Before the database, if it is a server.
    pub database_shim: Option<Shim>,
    settings: Vec<(String, String)>,
    door: watch::Sender<Option<SocketAddr>>,
    folder: TempDir,
}

/// One server.
#[derive(Debug)]
pub struct Instance {
    /// Where it listens, past the balancer.
    pub address: SocketAddr,
    /// Between it and the system.
    pub shim: Option<Shim>,
    data: PathBuf,
    settings: Vec<(String, String)>,
    process: Option<Process>,
    starts: usize,
}

impl Fleet {
    /// Starts the store, the servers (all at the same time, as a machine that boots does) and the balancer.
    pub async fn start(plan: &FleetPlan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("crm-fleet-").tempdir()?;
        let shims = plan.shims.then(|| shims(folder.path())).transpose()?;
        let environment = shims.as_ref().map(Shim::silent_environment).unwrap_or_default();
        let cluster = ClusterPlan {
            standby: plan.standby,
            environment,
        };
        let mut ground = Ground::prepare(plan.store, cluster).await?;
        let (simulator, mut settings) = line_works().await?;
        settings.extend(ground.settings());
        let (mut to_database, mut to_line_works) = (None, None);
        let mut own = settings.clone();
        if plan.proxies {
            if let Some(cluster) = ground.cluster() {
                let proxy = Proxy::before(cluster.primary()).await?;
                own.extend(server_settings(url_of(&proxy.address.to_string())));
                to_database = Some(proxy);
            }
            let proxy = Proxy::before(simulator.addr()).await?;
            let api = simulator.api_url();
            let cut = api.replace(&simulator.addr().to_string(), &proxy.address.to_string());
            own.push(("LINE_WORKS_API_URL".to_owned(), cut));
            to_line_works = Some(proxy);
        }
        let count = match plan.store {
            StoreKind::Sqlite => 1,
            StoreKind::Postgres => plan.instances,
        };
        let mut addresses = lasting_addresses(count + 1)?;
        let door = addresses.pop().context("an address for the balancer")?;
        let instances = instances(&addresses, folder.path(), &own, shims.as_ref())?;
        let balancer = Balancer::start(folder.path(), door, &addresses).await?;
        // What works beside the servers keeps its files apart from theirs, unless the database is such a file.
        let data = match plan.store {
            StoreKind::Sqlite => instances.first().map(|one| one.data.clone()).unwrap_or_default(),
            StoreKind::Postgres => folder.path().join("office"),
        };
        settings.push(("CRM_DATA_DIR".to_owned(), data.display().to_string()));
        let mut fleet = Self {
            binary: plan.binary.clone(),
            instances,
            balancer,
            simulator,
            ground,
            to_database,
            to_line_works,
            database_shim: shims,
            settings,
            door: watch::Sender::new(None),
            folder,
        };
        for number in 0..count {
            fleet.spawn(number)?;
        }
        fleet.wait_until_all_ready().await?;
        let webhook = format!("http://{door}/webhook");
        fleet.simulator.set_callback_url(webhook);
        fleet.door.send_replace(Some(door));
        Ok(fleet)
    }

    /// How many servers there are.
    pub fn size(&self) -> usize {
        self.instances.len()
    }

    /// One server.
    pub fn instance(&self, number: usize) -> &Instance {
        &self.instances[number]
    }

    /// The balancer's address.
    pub fn address(&self) -> SocketAddr {
        self.balancer.address
    }

    /// The way in through the balancer.
    pub fn door(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.door.subscribe()
    }

    /// The hands of an operator on the same data.
    pub async fn office(&self) -> anyhow::Result<Office> {
        Office::open(&self.settings).await
    }

    /// For looking into the store past the product.
    pub(crate) fn books(&self) -> Books {
        let file = self.instances.first().map(|one| one.data.join("crm.db"));
        self.ground.books(file.unwrap_or_default())
    }

    /// Waits until no callback is left in any server's spool.
    pub(crate) async fn wait_until_taken_in(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        for instance in &self.instances {
            while crm_compose::spooled_in(&instance.data.join("spool"))? > 0 {
                ensure!(
                    began.elapsed() < REPLAY,
                    "the spool was not taken in within {REPLAY:?}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// The PostgreSQL; an error if there is none.
    pub fn cluster(&mut self) -> anyhow::Result<&mut Cluster> {
        self.ground.cluster().context("this needs a PostgreSQL")
    }

    /// Starts a server without waiting for anything.
    pub fn spawn(&mut self, number: usize) -> anyhow::Result<()> {
        let folder = self.folder.path().to_owned();
        let instance = &mut self.instances[number];
        instance.starts += 1;
        let log = folder.join(format!("server-{number}-{:03}.log", instance.starts));
        instance.process = Some(Process::spawn(&self.binary, &folder, &instance.settings, log)?);
        Ok(())
    }

    /// Waits until every server answers that it is ready.
    pub async fn wait_until_all_ready(&mut self) -> anyhow::Result<()> {
        for number in 0..self.size() {
            self.wait_until_ready(number).await?;
        }
        Ok(())
    }

    /// Waits until this server answers that it is ready.
    pub async fn wait_until_ready(&mut self, number: usize) -> anyhow::Result<Duration> {
        let (began, instance) = (Instant::now(), &mut self.instances[number]);
        loop {
            let asked = tokio::time::timeout(Duration::from_secs(2), is_ready(instance.address)).await;
            if asked.unwrap_or(false) {
                return Ok(began.elapsed());
            }
            instance.process()?.assert_alive()?;
            ensure!(began.elapsed() < START, "a server was not ready within {START:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills a server as the power does.
    pub fn kill(&mut self, number: usize) -> anyhow::Result<()> {
        let mut process = self.instances[number].take()?;
        process.assert_alive()?;
        process.kill()
    }

    /// Stops a server's time; the kernel goes on to take its connections.
    pub fn freeze(&mut self, number: usize) -> anyhow::Result<()> {
        self.instances[number].process()?.signal("STOP")
    }

    /// Lets its time go on.
    pub fn thaw(&mut self, number: usize) -> anyhow::Result<()> {
        self.instances[number].process()?.signal("CONT")
    }

    /// Tells a server to stop, as a service manager does, and waits until it has; how long that took.
    pub async fn stop(&mut self, number: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut process = self.instances[number].take()?;
        process.assert_alive()?;
        process.signal("TERM")?;
        let status = process.ended(FAREWELL).await?;
        ensure!(status.success(), "told to stop, a server ended with {status}");
        Ok(began.elapsed())
    }

    /// Fails when a server ended by itself.
    pub fn assert_all_alive(&mut self) -> anyhow::Result<()> {
        self.instances
            .iter_mut()
            .try_for_each(|one| one.process()?.assert_alive())
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

impl Instance {
    fn process(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context("the server does not run")
    }

    fn take(&mut self) -> anyhow::Result<Process> {
        self.process.take().context("the server does not run")
    }
}

/// Where the database's user can reach it too.
fn shims(folder: &Path) -> anyhow::Result<Shim> {
    let place = folder.join("shims");
    std::fs::create_dir(&place)?;
    let shim = Shim::build(&place)?;
    open_to_all(folder)?;
    open_to_all(&place)?;
    Ok(shim)
}

fn instances(
    addresses: &[SocketAddr],
    folder: &Path,
    settings: &[(String, String)],
    shims: Option<&Shim>,
) -> anyhow::Result<Vec<Instance>> {
    let mut instances = Vec::with_capacity(addresses.len());
    for (number, address) in addresses.iter().enumerate() {
        let data = folder.join(format!("data-{number}"));
        let shim = shims
            .map(|shim| shim.another(&format!("server-{number}")))
            .transpose()?;
        let mut own = settings.to_vec();
        own.extend([
            ("CRM_LISTEN".to_owned(), address.to_string()),
            ("CRM_DATA_DIR".to_owned(), data.display().to_string()),
            ("CRM_TRUSTED_PROXIES".to_owned(), "127.0.0.1/32".to_owned()),
        ]);
        own.extend(shim.as_ref().map(Shim::silent_environment).unwrap_or_default());
        instances.push(Instance {
            address: *address,
            shim,
            data,
            settings: own,
            process: None,
            starts: 0,
        });
    }
    Ok(instances)
}
