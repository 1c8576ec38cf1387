//! The crash trial: the server is killed at random while callbacks and messages pour in; afterwards everything that it
//! answered is looked for.

mod callers;
mod killer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use crm_lineworks_sim::{Endpoint, Fault};
use tokio::task::JoinSet;

use self::callers::Office;
use self::killer::Kills;
use crate::accounts::check::{self, Findings};
use crate::accounts::ledger::Ledger;
use crate::dice::Dice;
use crate::ground::StoreKind;
use crate::trial::{Line, Trial, server_binary};

/// How long LINE WORKS takes for its answer after it accepted a message: time in which a kill leaves nobody knowing.
const ACCEPTED_BEFORE_ANSWER: Duration = Duration::from_millis(12);
/// People who write messages at the same time.
const WRITERS: usize = 3;
/// How long the callers may take to end after the last kill.
const LAST_ORDERS: Duration = Duration::from_mins(2);

/// How the trial is to run.
#[derive(Args, Debug, Clone)]
pub struct CrashOptions {
    /// How often the server is killed, those in a start included.
    #[arg(long, default_value_t = 50)]
    pub kills: usize,
    /// Repeats the same choices; the moments still differ by what the machine does.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Connections that post callbacks.
    #[arg(long, default_value_t = 6)]
    pub connections: usize,
    /// The longest life between two kills, in milliseconds.
    #[arg(long, default_value_t = 1_500)]
    pub longest_life: u64,
    /// The customers who write.
    #[arg(long, default_value_t = 12)]
    pub customers: usize,
    /// What the server keeps its data in.
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    pub store: StoreKind,
    /// The server; beside this program if not given.
    #[arg(long)]
    pub server: Option<PathBuf>,
}

/// What came out.
#[derive(Debug)]
pub struct CrashReport {
    /// Lines of measurement and value.
    pub table: Vec<(String, String)>,
    /// Everything that is not as promised, in words; empty when all is well.
    pub wrong: Vec<String>,
    /// Where data and logs are kept if something is wrong.
    pub evidence: Option<PathBuf>,
}

/// Runs the trial. An error means that it could not be brought to its end, which is no success either; the data are kept
/// then too, and the error says where.
pub async fn run(options: &CrashOptions) -> anyhow::Result<CrashReport> {
    let seed = options.seed.unwrap_or_else(chance);
    let binary = server_binary(options.server.as_deref())?;
    let mut trial = Trial::prepare_on(&binary, &[], options.store).await?;
    trial
        .simulator
        .always_on(Endpoint::Send, Fault::Slow(ACCEPTED_BEFORE_ANSWER));
    match kill_and_compare(&mut trial, options, seed).await {
        Ok((kills, findings, calm)) => {
            let evidence = (!findings.wrong.is_empty()).then(|| trial.keep_evidence());
            Ok(CrashReport {
                table: table(seed, &kills, &findings, calm),
                wrong: findings.wrong,
                evidence,
            })
        }
        Err(error) => {
            let evidence = trial.keep_evidence();
            Err(error.context(format!("seed {seed}; data and logs: {}", evidence.display())))
        }
    }
}

async fn kill_and_compare(
    trial: &mut Trial,
    options: &CrashOptions,
    seed: u64,
) -> anyhow::Result<(Kills, Findings, Duration)> {
    let dice = Dice::new(seed);
    let (mut kills, mut moments) = (Kills::default(), dice.branch(1));
    let before = options.kills.div_ceil(10);
    let start = killer::first_starts(trial, &mut kills, before, &mut moments).await?;
    let desk = trial.office().await?.furnish(options.customers).await?;
    let office = Arc::new(Office {
        desk,
        ledger: Ledger::default(),
        stop: AtomicBool::new(false),
    });
    let mut callers = open_lines(trial, &office, options, &dice);
    killer::kill_again_and_again(trial, &mut kills, options, start, &mut moments).await?;
    office.stop.store(true, Ordering::Relaxed);
    let ending = async { while callers.join_next().await.is_some() {} };
    tokio::time::timeout(LAST_ORDERS, ending)
        .await
        .context("the callers got no answers any more")?;
    let calm = check::wait_until_calm(&trial.books()).await?;
    let records = trial.office().await?;
    let entries = std::mem::take(&mut *office.ledger.entries());
    let desk = check::stranger_becomes_customer(&records, &office.desk, &entries).await?;
    let findings = check::compare(&records, &desk, &trial.simulator, &entries).await?;
    trial.kill()?;
    Ok((kills, findings, calm))
}

fn open_lines(trial: &Trial, office: &Arc<Office>, options: &CrashOptions, dice: &Dice) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for number in 0..options.connections {
        let (line, dice) = (Line::new(trial.door()), dice.branch(100 + number as u64));
        callers.spawn(callers::post_callbacks(
            Arc::clone(office),
            line,
            format!("received-{number}"),
            dice,
        ));
    }
    for number in 0..WRITERS {
        let (line, dice) = (Line::new(trial.door()), dice.branch(10_000 + number as u64));
        callers.spawn(callers::write_messages(
            Arc::clone(office),
            line,
            format!("sent-{number}"),
            dice,
        ));
    }
    callers
}

fn chance() -> u64 {
    use crm_domain::ports::host::Secrets as _;
    let token = crm_host::RingSecrets::new().token();
    token.bytes().fold(7, |sum: u64, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    }) % 1_000_000_000
}

fn table(seed: u64, kills: &Kills, findings: &Findings, calm: Duration) -> Vec<(String, String)> {
    let count = |state: &str| findings.states.get(state).copied().unwrap_or(0);
    let slowest = kills.starts.last().copied().unwrap_or_default();
    let median = kills
        .starts
        .get(kills.starts.len() / 2)
        .copied()
        .unwrap_or_default();
    let starting = |what: &str| {
        findings
            .wrong
            .iter()
            .filter(|wrong| wrong.starts_with(what))
            .count()
    };
    let lines = [
        ("seed", seed.to_string()),
        ("kills", kills.total().to_string()),
        (
            "of them under load · in a start · at once after another · while the database was made",
            format!(
                "{} · {} · {} · {}",
                kills.under_load, kills.in_start, kills.at_once, kills.in_first_start
            ),
        ),
        (
            "start until ready, with what was left: median · longest",
            format!("{median:.0?} · {slowest:.0?}"),
        ),
        ("callbacks that got their 200", findings.acknowledged.to_string()),
        (
            "of them lost · doubled",
            format!("{} · {}", starting("lost"), starting("doubled")),
        ),
        (
            "callbacks whose every answer was lost; of them kept",
            format!("{}; {}", findings.unanswered, findings.kept_unanswered),
        ),
        ("messages that got an answer", findings.written.to_string()),
        (
            "送信済み · 送信失敗 · 結果不明",
            format!("{} · {} · {}", count("sent"), count("failed"), count("unknown")),
        ),
        (
            "結果不明 that LINE WORKS had accepted",
            findings.unknown_accepted.to_string(),
        ),
        ("sent twice", starting("sent twice").to_string()),
        (
            "all recorded and sent after the last start",
            format!("{calm:.1?}"),
        ),
        ("anything not as promised", findings.wrong.len().to_string()),
    ];
    lines.map(|(what, value)| (what.to_owned(), value)).to_vec()
}
