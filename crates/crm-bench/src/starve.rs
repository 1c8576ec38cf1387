//! Sign-in attempts while people look at pages: hashing passwords takes its time, and must take it from nobody else.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::paced::{Pace, Times, keep_asking};
use crate::place::{Place, Subject};
use crate::report::Report;

/// How often each page is asked for in a second.
const PAGES_A_SECOND: u32 = 20;
/// What 99 of 100 pages may take.
const BOUND: Duration = Duration::from_millis(50);
/// What is looked at.
const PAGES: [&str; 3] = ["/", "/customers", "/customer/1"];

/// How much of what.
#[derive(Args, Debug)]
pub(crate) struct StarveOptions {
    /// Sign-in attempts a second, each of another account.
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    #[command(flatten)]
    subject: Subject,
}

/// Measures and prints the table; ends with an error if pages took too long.
pub(crate) async fn run(options: &StarveOptions) -> anyhow::Result<()> {
    ensure!(options.rate > 0, "nothing to do");
    let place = Place::prepare(&options.subject).await?;
    let server = place.start().await?;
    let mut report = Report::default();
    report.add(
        "asked for",
        format!("{} sign-ins a second for {} s", options.rate, options.seconds),
    );
    let mut attempts = JoinSet::new();
    let began = Instant::now() + Duration::from_secs(1);
    let rhythm = Pace {
        next: began,
        gap: Duration::from_secs(1),
        end: began + Duration::from_secs(options.seconds),
        from: Ipv4Addr::LOCALHOST,
    };
    for number in 0..options.rate {
        let form = Form::of(server.address).await?;
        let rhythm = Pace {
            next: began + rhythm.gap * number / options.rate,
            // Attempts come from elsewhere than those who work.
            from: Ipv4Addr::new(127, 0, 0, 2),
            ..rhythm
        };
        let mut count = 0;
        let request = move |out: &mut String| {
            count += 1;
            *out = form.request(&format!("nobody-{number}-{count}@example.jp"));
        };
        attempts.spawn(keep_asking(
            server.address,
            rhythm,
            |status| matches!(status, 422 | 429),
            request,
        ));
    }
    let pages = look(server.address, &place.cookie, rhythm).await?;
    let mut answered = Times::default();
    while let Some(line) = attempts.join_next().await {
        answered.add(line??);
    }
    let (count, failed) = (answered.took.len(), answered.failed);
    report.add(
        "sign-ins answered 422 or 429 · otherwise",
        format!("{count} · {failed}"),
    );
    report.add("sign-ins", answered.to_string());
    for (path, times) in PAGES.iter().zip(&pages) {
        report.add(
            &format!("page {path}, meanwhile"),
            format!("{times}, {} failed", times.failed),
        );
    }
    report.print();
    let slowest = pages
        .iter()
        .map(|times| times.within(990))
        .max()
        .unwrap_or_default();
    ensure!(pages.iter().all(|times| times.failed == 0), "a page failed");
    ensure!(
        slowest < BOUND,
        "pages took {slowest:.1?}, and {BOUND:?} is allowed"
    );
    Ok(())
}

/// Asks for each page at its pace.
pub(crate) async fn look(server: SocketAddr, cookie: &str, pace: Pace) -> anyhow::Result<Vec<Times>> {
    let mut lines = Vec::new();
    for path in PAGES {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\r\n");
        let pace = Pace {
            gap: Duration::from_secs(1) / PAGES_A_SECOND,
            ..pace
        };
        let request = move |out: &mut String| out.clone_from(&request);
        lines.push(tokio::spawn(keep_asking(
            server,
            pace,
            |status| status == 200,
            request,
        )));
    }
    let mut pages = Vec::new();
    for line in lines {
        pages.push(line.await??);
    }
    Ok(pages)
}

/// The sign-in form as one browser has it.
struct Form {
    server: SocketAddr,
    cookie: String,
    token: String,
}

impl Form {
    async fn of(server: SocketAddr) -> anyhow::Result<Self> {
        let request = format!("GET /login HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
        let mut connection = Connection::open(server).await?;
        let answer = connection.exchange(request.as_bytes()).await?;
        let between = |text: &str, before: &str, after: &str| {
            let (_, rest) = text.split_once(before)?;
            Some(rest.split(after).next()?.to_owned())
        };
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        Ok(Self {
            server,
            cookie: between(
                &answer.head.replace("Set-Cookie", "set-cookie"),
                "set-cookie: ",
                ";",
            )
            .context("no cookie")?,
            token: between(&page, "name=\"csrf-token\" content=\"", "\"").context("no token")?,
        })
    }

    fn request(&self, email: &str) -> String {
        let body = format!(
            "email={}&password=wrong-password-1&csrf_token={}",
            email.replace('@', "%40"),
            self.token
        );
        format!(
            "POST /login HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.server,
            self.cookie,
            body.len()
        )
    }
}
