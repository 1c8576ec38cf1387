//! The whole measurement, one part after the other so that nothing disturbs anything else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::callbacks::Callbacks;
use crate::load::{self, Outcome};
use crate::pages;
use crate::peer::{Peer, free_address};
use crate::report::Report;
use crate::server::{BOT_SECRET, Server, wait_for};
use crate::sign_in;
use crate::trial::server_binary;
use crate::{AllOptions, Size, seed};

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
    "/search?q=の",
];
/// How often each.
const TIMES: usize = 300;

/// Measures everything and prints the table.
pub(crate) async fn all(options: &AllOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let place = data_folder(folder.path(), options.database.as_deref(), options.size).await?;
    let database = place.data.join("crm.db");
    let mut report = Report::default();
    report.add(
        "data",
        format!(
            "{} customers, {} messages",
            options.size.customers, options.size.activities
        ),
    );
    let peer_database = folder.path().join("poc.db");
    if options.peer_dir.is_some() {
        seed::copy_for_peer(&database, &peer_database)?;
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

/// Where a measured server lives.
pub(crate) struct Place {
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
    /// The cookie of a session.
    pub(crate) cookie: String,
}

/// Makes a data folder with a filled database, a copy if there is one, and somebody signed in.
pub(crate) async fn data_folder(folder: &Path, filled: Option<&Path>, size: Size) -> anyhow::Result<Place> {
    let data = folder.join("data");
    std::fs::create_dir(&data)?;
    let database = data.join("crm.db");
    match filled {
        Some(filled) => drop(std::fs::copy(filled, &database)?),
        None => seed::fill(&database, size).await?,
    }
    let key = folder.join("private.key");
    std::fs::write(&key, crm_lineworks_sim::test_private_key_pem())?;
    let cookie = sign_in::session(&database).await?;
    Ok(Place { data, key, cookie })
}

async fn measure_server(options: &AllOptions, place: &Place, report: &mut Report) -> anyhow::Result<Outcome> {
    let binary = server_binary(options.server.as_deref())?;
    let server = Server::start(&binary, &place.data, &place.key).await?;
    report.add("start to first answer", format!("{:.0?}", server.started_in));
    report.add("resident after start", format!("{} MiB", server.resident()?));
    time_pages(server.address, &place.cookie, report).await?;
    let outcome = load::run(
        server.address,
        options.load,
        Callbacks::new(BOT_SECRET, options.size.customers),
    )
    .await?;
    report.add("callbacks", outcome.to_string());
    let waited = wait_until_recorded(
        &place.data.join("crm.db"),
        outcome.answered,
        Duration::from_mins(1),
    )
    .await?;
    report.add("all of them recorded after the load", format!("{waited:.1?}"));
    report.add("resident after the load", format!("{} MiB", server.resident()?));
    Ok(outcome)
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

/// Every callback that got its 200 must be on disk, and all of them recorded within this time.
pub(crate) async fn wait_until_recorded(
    database: &Path,
    answered: usize,
    bound: Duration,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    while began.elapsed() < bound {
        let counts = seed::count_receipts(database)?;
        if counts.pending == 0 {
            let kept = usize::try_from(counts.receipts).unwrap_or_default();
            ensure!(
                kept >= answered,
                "{answered} callbacks were answered and {kept} are on disk"
            );
            return Ok(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("not all callbacks were recorded within {bound:?}")
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
        load::run(
            address,
            options.load,
            Callbacks::new(BOT_SECRET, options.size.customers),
        )
        .await
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
    let outcome = load::run(
        peer.address,
        options.load,
        Callbacks::new(BOT_SECRET, options.size.customers),
    )
    .await?;
    report.add("peer's callbacks", outcome.to_string());
    report.add(
        "callbacks, ours to the peer's",
        format!("{:.0}", ours.per_second() / outcome.per_second()),
    );
    Ok(())
}
