//! Hundreds of connections that say almost nothing and thousands of forged callbacks, while the real ones come and people look
//! at pages. The server has no more descriptors than a system gives by itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::callbacks::Callbacks;
use crate::http::connect;
use crate::paced::{Pace, Times, keep_asking};
use crate::place::{Place, Subject};
use crate::report::Report;
use crate::server::BOT_SECRET;
use crate::starve::look;

const DESCRIPTORS: u32 = 1_024;
/// Signed callbacks a second.
const SIGNED: u32 = 100;
/// Lines on which callbacks come, forged or not.
const LINES: u32 = 32;
/// Slow connections of one address; more than 256 would be turned away.
const OF_ONE_ADDRESS: u32 = 125;
/// Between two bytes of a slow connection.
const DRIP: Duration = Duration::from_secs(1);
const BOUND_OF_CALLBACKS: Duration = Duration::from_secs(1);
const BOUND_OF_PAGES: Duration = Duration::from_millis(200);

/// How much of what.
#[derive(Args, Debug)]
pub(crate) struct SiegeOptions {
    /// Slow connections at once.
    #[arg(long, default_value_t = 500)]
    slow: u32,
    /// Callbacks a second whose signature is wrong.
    #[arg(long, default_value_t = 2_000)]
    forged: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    #[command(flatten)]
    subject: Subject,
}

/// Measures and prints the table; ends with an error if somebody honest had to wait too long.
pub(crate) async fn run(options: &SiegeOptions) -> anyhow::Result<()> {
    let place = Place::prepare(&options.subject).await?;
    let server = place.start_with(DESCRIPTORS).await?;
    let (slow, forged) = (options.slow, options.forged);
    let mut report = Report::default();
    report.add(
        "besieged by",
        format!(
            "{slow} slow connections, {forged} forged callbacks a second for {} s",
            options.seconds
        ),
    );
    let (besiegers, opened) = drip(server.address, slow);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    let honest = Pace {
        next: began,
        gap: Duration::from_secs(1),
        end: began + Duration::from_secs(options.seconds),
        from: Ipv4Addr::LOCALHOST,
    };
    let forgers = Callers {
        rate: forged,
        from: Ipv4Addr::new(127, 0, 2, 1),
        secret: "another-secret",
    };
    let forgers = forgers.call(server.address, honest, options.subject.size.customers);
    let signed = Callers {
        rate: SIGNED,
        from: Ipv4Addr::LOCALHOST,
        secret: BOT_SECRET,
    };
    let signed = signed.call(server.address, honest, options.subject.size.customers);
    let pages = look(server.address, &place.cookie, honest).await?;
    let signed = all(signed).await?;
    let forged = all(forgers).await?;
    drop(besiegers);
    report.add("slow connections opened in all", opened.load(Relaxed).to_string());
    report.add(
        "forged callbacks answered · failed",
        format!("{} · {}", forged.took.len(), forged.failed),
    );
    report.add("forged callbacks", forged.to_string());
    report.add(
        "signed callbacks, meanwhile",
        format!("{signed}, {} failed", signed.failed),
    );
    for (number, times) in pages.iter().enumerate() {
        report.add(
            &format!("page {}, meanwhile", number + 1),
            format!("{times}, {} failed", times.failed),
        );
    }
    report.add("resident after it", format!("{} MiB", server.resident()?));
    report.print();
    judge(&signed, &pages)
}

fn judge(signed: &Times, pages: &[Times]) -> anyhow::Result<()> {
    let failed = signed.failed + pages.iter().map(|times| times.failed).sum::<usize>();
    ensure!(failed == 0, "{failed} honest requests failed");
    let longest = signed.within(1_000);
    ensure!(
        longest < BOUND_OF_CALLBACKS,
        "a signed callback took {longest:.1?}"
    );
    let slowest = pages
        .iter()
        .map(|times| times.within(990))
        .max()
        .unwrap_or_default();
    ensure!(
        slowest < BOUND_OF_PAGES,
        "pages took {slowest:.1?}, and {BOUND_OF_PAGES:?} is allowed"
    );
    Ok(())
}

/// Keeps so many connections open that send a byte now and then; one that is cut is opened again.
fn drip(server: SocketAddr, count: u32) -> (JoinSet<()>, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let mut lines = JoinSet::new();
    for number in 0..count {
        let opened = Arc::clone(&opened);
        let last = u8::try_from(2 + number / OF_ONE_ADDRESS).unwrap_or(u8::MAX);
        let from = Ipv4Addr::new(127, 0, 1, last);
        lines.spawn(async move {
            loop {
                let Ok(mut stream) = connect(from, server).await else {
                    tokio::time::sleep(DRIP).await;
                    continue;
                };
                opened.fetch_add(1, Relaxed);
                let head: &[u8] = if number % 2 == 0 {
                    b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: "
                } else {
                    b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
                };
                let mut going = stream.write_all(head).await;
                while going.is_ok() {
                    tokio::time::sleep(DRIP).await;
                    going = stream.write_all(b"a").await;
                }
            }
        });
    }
    (lines, opened)
}

/// Who posts callbacks.
struct Callers {
    /// So many a second.
    rate: u32,
    from: Ipv4Addr,
    /// With which they are signed.
    secret: &'static str,
}

impl Callers {
    fn call(&self, server: SocketAddr, pace: Pace, customers: usize) -> JoinSet<anyhow::Result<Times>> {
        let callbacks = Arc::new(Callbacks::new(self.secret, customers));
        let mut lines = JoinSet::new();
        for number in 0..LINES.min(self.rate) {
            let callbacks = Arc::clone(&callbacks);
            let gap = Duration::from_secs(1) / self.rate;
            let pace = Pace {
                next: pace.next + gap * number,
                gap: gap * LINES.min(self.rate),
                from: self.from,
                ..pace
            };
            let request = move |out: &mut String| callbacks.request(out);
            lines.spawn(keep_asking(server, pace, |status| status == 200, request));
        }
        lines
    }
}

async fn all(mut lines: JoinSet<anyhow::Result<Times>>) -> anyhow::Result<Times> {
    let mut seen = Times::default();
    while let Some(line) = lines.join_next().await {
        seen.add(line??);
    }
    Ok(seen)
}
