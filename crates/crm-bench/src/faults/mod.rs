//! Faults against real servers under load: what was answered, what is there afterwards, and how long anybody waited.

mod acts;
mod kind;
mod load;
mod session;
mod stream;
mod table;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

pub use self::kind::FaultKind;
pub use self::session::sign_in;
pub use self::stream::Stream;
pub use self::table::Row;
pub(crate) use self::table::{markdown, write_into};

use self::acts::Act;
use self::load::{Load, Running};
use crate::accounts::check::{self, Findings};
use crate::dice::Dice;
use crate::fleet::{Fleet, FleetPlan};
use crate::ground::StoreKind;
use crate::trial::server_binary;

/// So many customers write.
const CUSTOMERS: usize = 10;
/// The load runs for so many callbacks before the first fault.
const WARM: u64 = 40;
const PATIENCE: Duration = Duration::from_mins(1);

/// Which faults, how often, on what.
#[derive(Args, Debug, Clone)]
pub struct FaultsOptions {
    /// The store; both if not given.
    #[arg(long, value_enum)]
    pub store: Option<StoreKind>,
    /// One fault, or several; all if not given.
    #[arg(long = "fault", value_enum)]
    pub faults: Vec<FaultKind>,
    /// How often each happens.
    #[arg(long, default_value_t = 5)]
    pub times: usize,
    /// Servers on a PostgreSQL; a file is served by one.
    #[arg(long, default_value_t = 3)]
    pub instances: usize,
    /// The longest time a server is frozen, in seconds.
    #[arg(long, default_value_t = 70)]
    pub longest_freeze: u64,
    /// Repeats the same choices; the moments still differ by what the machine does.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The document whose table is replaced.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// The server; beside this program if not given.
    #[arg(long)]
    pub server: Option<PathBuf>,
}

impl FaultsOptions {
    /// One fault, once, as a test wants it.
    pub fn once(store: StoreKind, fault: FaultKind) -> Self {
        Self {
            store: Some(store),
            faults: vec![fault],
            times: 1,
            instances: 3,
            longest_freeze: 5,
            seed: 1,
            out: None,
            server: None,
        }
    }

    /// Every pair of fault and store that is asked for and can be.
    pub(crate) fn wanted(&self) -> Vec<(FaultKind, StoreKind)> {
        use clap::ValueEnum as _;
        let stores = self
            .store
            .map_or_else(|| StoreKind::value_variants().to_vec(), |one| vec![one]);
        let faults = if self.faults.is_empty() {
            FaultKind::value_variants()
        } else {
            &self.faults
        };
        let pairs = faults
            .iter()
            .flat_map(|fault| stores.iter().map(|store| (*fault, *store)));
        pairs.filter(|(fault, store)| fault.happens_on(*store)).collect()
    }
}

/// Servers under load, to which faults happen one after the other.
#[derive(Debug)]
pub struct Run {
    /// All that runs.
    pub fleet: Fleet,
    running: Running,
    dice: Dice,
    longest_freeze: Duration,
    times: usize,
}

impl Run {
    /// Sets everything up and waits until the load runs.
    pub async fn begin(plan: &FleetPlan, options: &FaultsOptions) -> anyhow::Result<Self> {
        let fleet = Fleet::start(plan).await?;
        let desk = fleet.office().await?.furnish(CUSTOMERS).await?;
        let cookie = sign_in(fleet.address()).await?;
        let dice = Dice::new(options.seed);
        let running = Running::start(&fleet, desk, cookie, &dice);
        running.wait_for_callbacks(WARM, PATIENCE).await?;
        Ok(Self {
            fleet,
            running,
            dice: dice.branch(1),
            longest_freeze: Duration::from_secs(options.longest_freeze),
            times: 0,
        })
    }

    /// A fault happens and is over; afterwards callbacks are answered 200 again.
    pub async fn happen(&mut self, fault: FaultKind) -> anyhow::Result<()> {
        let mut act = Act {
            fleet: &mut self.fleet,
            running: &self.running,
            round: self.times,
            dice: &mut self.dice,
            longest_freeze: self.longest_freeze,
        };
        act.happen(fault).await?;
        self.times += 1;
        Ok(())
    }

    /// Waits until so many more callbacks were answered 200.
    pub async fn goes_on(&self, callbacks: u64) -> anyhow::Result<()> {
        self.running.wait_for_callbacks(callbacks, PATIENCE).await
    }

    /// Waits until so many more pages were shown.
    pub async fn shows_pages(&self, pages: u64) -> anyhow::Result<()> {
        self.running.wait_for_pages(pages, PATIENCE).await
    }

    /// Lets all callers come to their last answers, and looks for everything that was answered. Data and logs are kept
    /// when anything is not as promised.
    pub async fn end(self, fault: FaultKind) -> anyhow::Result<Row> {
        let mut fleet = self.fleet;
        let compared = async {
            let load = self.running.finish().await?;
            let findings = compare(&fleet, &load).await?;
            anyhow::Ok(row(fault, fleet.ground.kind(), self.times, findings, &load))
        };
        let mut row = match compared.await {
            Ok(row) => row,
            Err(error) => return Err(with_evidence(error, &mut fleet)),
        };
        if !row.wrong.is_empty() {
            let evidence = fleet.keep_evidence();
            row.wrong.push(format!("data and logs: {}", evidence.display()));
        }
        Ok(row)
    }
}

fn with_evidence(error: anyhow::Error, fleet: &mut Fleet) -> anyhow::Error {
    let evidence = fleet.keep_evidence();
    error.context(format!("data and logs: {}", evidence.display()))
}

/// Runs one fault on one store, as often as the options say. An error means that it could not be brought to its end, which
/// is no success either.
pub async fn run_one(options: &FaultsOptions, fault: FaultKind, store: StoreKind) -> anyhow::Result<Row> {
    let binary = server_binary(options.server.as_deref())?;
    let plan = fault.plan(FleetPlan::new(&binary, store, options.instances));
    let mut run = Run::begin(&plan, options).await?;
    for _ in 0..options.times {
        if let Err(error) = run.happen(fault).await {
            return Err(with_evidence(error, &mut run.fleet));
        }
    }
    run.end(fault).await
}

/// Waits until all is recorded and sent, and looks for everything that was answered.
async fn compare(fleet: &Fleet, load: &Arc<Load>) -> anyhow::Result<Findings> {
    fleet.wait_until_taken_in().await?;
    check::wait_until_calm(&fleet.books()).await?;
    let office = fleet.office().await?;
    let entries = std::mem::take(&mut *load.ledger.entries());
    check::compare(&office, &load.desk, &fleet.simulator, &entries).await
}

fn row(fault: FaultKind, store: StoreKind, times: usize, findings: Findings, load: &Load) -> Row {
    let starting = |what: &str| {
        findings
            .wrong
            .iter()
            .filter(|wrong| wrong.starts_with(what))
            .count()
    };
    Row {
        fault,
        store,
        times,
        answered: findings.acknowledged,
        lost: starting("lost"),
        doubled: starting("doubled"),
        messages: findings.written,
        unknown: findings.states.get("unknown").copied().unwrap_or(0),
        sent_twice: starting("sent twice"),
        borne: *load.watch.borne(),
        wrong: findings.wrong,
    }
}
