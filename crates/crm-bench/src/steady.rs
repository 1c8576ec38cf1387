//! A steady stream of callbacks while people look at pages. The stream does not wait for the answers (an open loop): what
//! comes late counts from the moment at which it should have been asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use tokio::task::JoinSet;

use crate::callbacks::Callbacks;
use crate::paced::{Pace, Times, keep_asking};
use crate::place::{Place, Subject};
use crate::report::Report;
use crate::server::BOT_SECRET;

/// How many of each in a second.
const PAGES_A_SECOND: u32 = 20;
/// How long recording may take after the stream.
const RECORDING: Duration = Duration::from_mins(5);

/// How much of what.
#[derive(Args, Debug)]
pub(crate) struct SteadyOptions {
    /// Callbacks a second.
    #[arg(long, default_value_t = 5_000)]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Connections on which they come.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// A page that is asked for meanwhile, as often as wanted. Customer 1 has the longest conversation.
    #[arg(long = "page", default_values = ["/", "/customers", "/customer/1"])]
    pages: Vec<String>,
    #[command(flatten)]
    subject: Subject,
}

/// Measures and prints the table.
pub(crate) async fn run(options: &SteadyOptions) -> anyhow::Result<()> {
    let place = Place::prepare(&options.subject).await?;
    let server = place.start().await?;
    let mut report = Report::default();
    report.add(
        "asked for",
        format!("{} callbacks a second for {} s", options.rate, options.seconds),
    );
    for path in &options.pages {
        let quiet = crate::pages::time(server.address, &place.cookie, path, 100).await?;
        report.add(
            &format!("page {path}, in quiet"),
            format!("p50 {:.1?}, p99 {:.1?}", quiet.median, quiet.p99),
        );
    }
    let seen = stream(options, server.address, &place.cookie).await?;
    report.add("resident after the stream", format!("{} MiB", server.resident()?));
    let (answered, failed) = (seen.callbacks.took.len(), seen.callbacks.failed);
    report.add(
        "callbacks answered 200 · failed",
        format!("{answered} · {failed}"),
    );
    report.add("callbacks", seen.callbacks.to_string());
    for (path, times) in options.pages.iter().zip(&seen.pages) {
        report.add(
            &format!("page {path}, meanwhile"),
            format!("{times}, {} failed", times.failed),
        );
    }
    let waited = place.wait_until_recorded(answered, RECORDING).await?;
    report.add(
        "all of them recorded after the stream, none lost",
        format!("{waited:.1?}"),
    );
    report.print();
    Ok(())
}

struct Seen {
    callbacks: Times,
    pages: Vec<Times>,
}

async fn stream(options: &SteadyOptions, server: SocketAddr, cookie: &str) -> anyhow::Result<Seen> {
    ensure!(options.rate > 0 && options.connections > 0, "nothing to do");
    let callbacks = Arc::new(Callbacks::new(BOT_SECRET, options.subject.size.customers));
    let began = Instant::now();
    let end = began + Duration::from_secs(options.seconds);
    let gap = Duration::from_secs(1) / options.rate;
    let mut lines = JoinSet::new();
    for number in 0..options.connections {
        let callbacks = Arc::clone(&callbacks);
        let pace = Pace {
            next: began + gap * number,
            gap: gap * options.connections,
            end,
            from: Ipv4Addr::LOCALHOST,
        };
        let request = move |out: &mut String| callbacks.request(out);
        lines.spawn(keep_asking(server, pace, |status| status == 200, request));
    }
    let mut pages = Vec::new();
    for path in &options.pages {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\r\n");
        let pace = Pace {
            next: began,
            gap: Duration::from_secs(1) / PAGES_A_SECOND,
            end,
            from: Ipv4Addr::LOCALHOST,
        };
        let request = move |out: &mut String| out.clone_from(&request);
        pages.push(tokio::spawn(keep_asking(
            server,
            pace,
            |status| status == 200,
            request,
        )));
    }
    let mut seen = Seen {
        callbacks: Times::default(),
        pages: Vec::new(),
    };
    while let Some(line) = lines.join_next().await {
        seen.callbacks.add(line??);
    }
    for page in pages {
        seen.pages.push(page.await??);
    }
    Ok(seen)
}
