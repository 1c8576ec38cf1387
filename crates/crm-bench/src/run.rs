//! The whole measurement, one part after the other so that nothing disturbs anything else.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::callbacks::Callbacks;
use crate::load::{self, Outcome};
use crate::pages;
use crate::peer::{Peer, free_address};
use crate::place::Place;
use crate::report::Report;
use crate::server::{BOT_SECRET, wait_for};
use crate::{AllOptions, seed};

/// Pages that are timed. Customer 1 has the longest conversation; what is searched for is said in many messages, in none, and
/// in very many.
const PAGES: [&str; 8] = [
    "/customers",
    "/customers?q=さ",
    "/companies",
    "/customer/1",
    "/company/1",
    "/search?q=見積",
    "/search?q=薔薇",
    "/search?q=い",
];
/// How often each.
const TIMES: usize = 300;

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);
/// How long recording what was answered may take, and finding what a copy brought.
const RECORDING: Duration = Duration::from_mins(5);
const INDEXING: Duration = Duration::from_hours(1);

/// Measures everything and prints the table.
pub(crate) async fn all(options: &AllOptions) -> anyhow::Result<()> {
    let place = Place::prepare(&options.subject).await?;
    let mut report = Report::default();
    let size = options.subject.size;
    report.add(
        "data",
        format!("{} customers, {} messages", size.customers, size.activities),
    );
    let folder = tempfile::tempdir()?;
    let peer_database = folder.path().join("poc.db");
    if options.peer_dir.is_some() {
        ensure!(place.file().exists(), "the peer is measured beside SQLite");
        seed::copy_for_peer(&place.file(), &peer_database)?;
    }
    let ours = measure_server(options, &place, &mut report).await?;
    let hello = measure_hello(options).await?;
    report.add("empty poem handler, same load", hello.to_string());
    report.add(
        "callbacks of an empty handler's requests",
        format!("{:.2}", ours.per_second() / hello.per_second()),
    );
    if let (Some(dir), Some(python)) = (&options.peer_dir, &options.peer_python) {
        measure_peer(options, dir, python, &peer_database, &ours, &mut report).await?;
    }
    report.print();
    Ok(())
}

async fn measure_server(options: &AllOptions, place: &Place, report: &mut Report) -> anyhow::Result<Outcome> {
    let server = place.start().await?;
    report.add("start to first answer", format!("{:.0?}", server.started_in));
    let indexed = place.wait_until_indexed(INDEXING).await?;
    report.add("all messages in the index after", format!("{indexed:.1?}"));
    drop(server);
    let server = place.start().await?;
    report.add(
        "second start to first answer",
        format!("{:.0?}", server.started_in),
    );
    tokio::time::sleep(IDLE).await;
    report.add("resident, idle", format!("{} MiB", server.resident()?));
    time_pages(server.address, &place.cookie, report).await?;
    report.add("resident after the pages", format!("{} MiB", server.resident()?));
    let outcome = load::run(server.address, options.load, callbacks(options)).await?;
    report.add("callbacks", outcome.to_string());
    let waited = place.wait_until_recorded(outcome.answered, RECORDING).await?;
    report.add("all of them recorded after the load", format!("{waited:.1?}"));
    report.add("resident after the load", format!("{} MiB", server.resident()?));
    Ok(outcome)
}

fn callbacks(options: &AllOptions) -> Callbacks {
    Callbacks::new(BOT_SECRET, options.subject.size.customers)
}

async fn time_pages(server: SocketAddr, cookie: &str, report: &mut Report) -> anyhow::Result<()> {
    for path in PAGES {
        let timing = pages::time(server, cookie, &encoded(path), TIMES).await?;
        let value = format!(
            "p50 {:.2?}, p99 {:.2?}, {} KiB",
            timing.median,
            timing.p99,
            timing.bytes / 1024
        );
        report.add(&format!("page {path}"), value);
    }
    Ok(())
}

/// A path as it stands in a request.
fn encoded(path: &str) -> String {
    let written = path.bytes().map(|byte| match byte {
        0..=0x7f => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    written.collect()
}

async fn measure_hello(options: &AllOptions) -> anyhow::Result<Outcome> {
    let address = free_address()?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["hello", &address.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .context("the empty handler does not start")?;
    let outcome = async {
        wait_for(address, Duration::from_secs(5)).await?;
        load::run(address, options.load, callbacks(options)).await
    };
    let outcome = outcome.await;
    child.kill()?;
    child.wait()?;
    outcome
}

async fn measure_peer(
    options: &AllOptions,
    dir: &Path,
    python: &Path,
    database: &Path,
    ours: &Outcome,
    report: &mut Report,
) -> anyhow::Result<()> {
    let peer = Peer::start(python, dir, database).await?;
    for path in ["/customers", "/customer/1"] {
        let timing = pages::time(peer.address, "none=1", path, 5).await?;
        report.add(
            &format!("peer's page {path}"),
            format!("p50 {:.2?}", timing.median),
        );
    }
    let outcome = load::run(peer.address, options.load, callbacks(options)).await?;
    report.add("peer's callbacks", outcome.to_string());
    report.add(
        "callbacks, ours to the peer's",
        format!("{:.0}", ours.per_second() / outcome.per_second()),
    );
    Ok(())
}
