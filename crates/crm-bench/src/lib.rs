#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "a measuring program prints what it measured")]

mod accounts;
mod balancer;
mod callbacks;
pub mod cluster;
mod copying;
mod copying_rows;
pub mod crash;
mod dice;
pub mod faults;
pub mod fleet;
pub mod ground;
mod hello;
mod http;
mod live;
mod load;
mod paced;
mod pages;
mod peer;
mod place;
mod ports;
pub mod proxy;
mod report;
mod run;
mod seed;
mod server;
pub mod shim;
mod siege;
mod sign_in;
mod starve;
mod steady;
pub mod trial;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Load and measure, beside the peer.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything, as in `docs/performance.md`.
    All(AllOptions),
    /// Fill a database.
    Seed {
        /// The file to make.
        file: PathBuf,
        #[command(flatten)]
        size: Size,
    },
    /// Answer every request with an empty poem handler, as a yardstick.
    Hello {
        /// Where to listen.
        #[arg(default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Signed callbacks against a running server.
    Load {
        /// The server, on loopback.
        server: SocketAddr,
        #[command(flatten)]
        load: Load,
        /// The bot secret that signs.
        #[arg(long, default_value = server::BOT_SECRET)]
        secret: String,
        #[command(flatten)]
        size: Size,
    },
    /// Many open pages: what they cost, and how soon a message is on all of them.
    Live(live::LiveOptions),
    /// A steady stream of callbacks while pages are asked for.
    Steady(steady::SteadyOptions),
    /// Sign-in attempts while pages are asked for: do the hashes starve the pages?
    Starve(starve::StarveOptions),
    /// Slow connections and forged callbacks while signed ones come and pages are asked for.
    Siege(siege::SiegeOptions),
    /// A whole database from SQLite to PostgreSQL and back.
    Copy(copying::CopyOptions),
    /// Kills the server at random under load and looks for everything that it answered.
    Crash(crash::CrashOptions),
    /// Kills, freezes, fills, cuts, restarts and promotes under load, on both stores, and looks for everything that was
    /// answered: the table of `docs/reliability.md`.
    Faults(faults::FaultsOptions),
}

/// How much data.
#[derive(Args, Clone, Copy, Debug)]
struct Size {
    /// How many customers.
    #[arg(long, default_value_t = 100_000)]
    customers: usize,
    /// How many messages.
    #[arg(long, default_value_t = 1_000_000)]
    activities: usize,
}

/// How much load.
#[derive(Args, Clone, Copy)]
struct Load {
    /// Connections at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of load.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(Args)]
struct AllOptions {
    #[command(flatten)]
    subject: place::Subject,
    #[command(flatten)]
    load: Load,
    /// The folder of the Flask peer.
    #[arg(long, requires = "peer_python")]
    peer_dir: Option<PathBuf>,
    /// A Python with flask and gunicorn.
    #[arg(long)]
    peer_python: Option<PathBuf>,
}

/// Does what the command line asks for.
pub async fn run() -> anyhow::Result<()> {
    match Options::parse().command {
        Command::All(options) => run::all(&options).await,
        Command::Seed { file, size } => seed::fill(&file, size).await,
        Command::Copy(options) => tokio::task::spawn_blocking(move || copying::run(&options)).await?,
        Command::Hello { listen } => hello::serve(listen).await,
        Command::Load {
            server,
            load,
            secret,
            size,
        } => {
            let outcome = load::run(server, load, callbacks::Callbacks::new(&secret, size.customers)).await?;
            println!("{outcome}");
            Ok(())
        }
        Command::Live(options) => live::run(&options).await,
        Command::Steady(options) => steady::run(&options).await,
        Command::Starve(options) => starve::run(&options).await,
        Command::Siege(options) => siege::run(&options).await,
        Command::Crash(options) => crash(&options).await,
        Command::Faults(options) => break_all(&options).await,
    }
}

async fn crash(options: &crash::CrashOptions) -> anyhow::Result<()> {
    let outcome = crash::run(options).await?;
    let mut report = report::Report::default();
    for (what, value) in &outcome.table {
        report.add(what, value);
    }
    report.print();
    if let Some(evidence) = outcome.evidence {
        for wrong in outcome.wrong.iter().take(50) {
            println!("{wrong}");
        }
        anyhow::bail!("not as promised; data and logs: {}", evidence.display());
    }
    Ok(())
}

async fn break_all(options: &faults::FaultsOptions) -> anyhow::Result<()> {
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for (fault, store) in options.wanted() {
        println!("{}: {}", store.name(), fault.words(store));
        match faults::run_one(options, fault, store).await {
            Ok(row) => {
                failed.extend(row.wrong.iter().take(20).cloned());
                rows.push(row);
            }
            Err(error) => failed.push(format!("{}: {error:#}", store.name())),
        }
        print!("{}", faults::markdown(&rows));
    }
    if failed.is_empty() {
        if let Some(document) = &options.out {
            faults::write_into(document, &rows)?;
        }
        return Ok(());
    }
    for wrong in &failed {
        println!("{wrong}");
    }
    anyhow::bail!("not as promised")
}
