//! Those who load the servers through the balancer: LINE WORKS with callbacks, people with pages and messages, open pages.
//! Whoever gets no good answer tries again until there is one, and notes how long that took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crm_domain::ports::host::Clock as _;
use crm_host::SystemClock;
use time::UtcOffset;
use tokio::task::JoinSet;

use super::session::page;
use super::stream;
use super::watch::{Everything, Watch};
use crate::accounts::ledger::Ledger;
use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::trial::{Desk, Line, callback, callback_of, send};

/// How many post callbacks, and how long each pauses between two.
const POSTING: (usize, Duration) = (4, Duration::from_millis(40));
/// How many write messages.
const WRITING: (usize, Duration) = (2, Duration::from_millis(120));
/// How many look at pages.
const LOOKING: (usize, Duration) = (2, Duration::from_millis(80));
/// How many pages are open.
const LISTENING: usize = 2;
/// How many of a hundred callbacks are ones that were posted before.
const REPEATED: u64 = 8;
/// A caller gives an answer up after this time and asks again.
const PATIENCE: Duration = Duration::from_secs(10);
/// A caller who got no good answer asks again after this time.
const AGAIN: Duration = Duration::from_millis(50);
/// How long the callers may take to their last answers once they are told to stop.
const LAST_ORDERS: Duration = Duration::from_mins(2);

/// What all callers share.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) desk: Desk,
    pub(crate) ledger: Ledger,
    pub(crate) watch: Watch,
    stop: AtomicBool,
    /// The balancer.
    pub(super) server: SocketAddr,
    /// Of the staff that looks at pages.
    pub(super) cookie: String,
}

/// The callers at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) load: Arc<Load>,
    callers: JoinSet<()>,
}

impl Load {
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Running {
    /// Sets all callers to work.
    pub(crate) fn start(fleet: &Fleet, desk: Desk, cookie: String, dice: &Dice) -> Self {
        let load = Arc::new(Load {
            desk,
            ledger: Ledger::default(),
            watch: Watch::default(),
            stop: AtomicBool::new(false),
            server: fleet.address(),
            cookie,
        });
        let mut callers = JoinSet::new();
        let line = || Line::new(fleet.door()).with_patience(PATIENCE);
        for number in 0..POSTING.0 {
            let dice = dice.branch(100 + number as u64);
            callers.spawn(post_callbacks(
                Arc::clone(&load),
                line(),
                format!("received-{number}"),
                dice,
            ));
        }
        for number in 0..WRITING.0 {
            let dice = dice.branch(200 + number as u64);
            callers.spawn(write_messages(
                Arc::clone(&load),
                line(),
                format!("sent-{number}"),
                dice,
            ));
        }
        for number in 0..LOOKING.0 {
            callers.spawn(look_at_pages(
                Arc::clone(&load),
                line(),
                dice.branch(300 + number as u64),
            ));
        }
        for _ in 0..LISTENING {
            callers.spawn(stream::listen(Arc::clone(&load)));
        }
        Self { load, callers }
    }

    /// Waits until so many callbacks more than now got their 200.
    pub(crate) async fn wait_for_callbacks(&self, more: u64, bound: Duration) -> anyhow::Result<()> {
        let waited = self.wait_for(more, bound, |borne| borne.callbacks.done).await;
        waited.with_context(|| format!("{more} more callbacks were not answered 200 within {bound:?}"))
    }

    /// Waits until so many pages more than now were shown.
    pub(crate) async fn wait_for_pages(&self, more: u64, bound: Duration) -> anyhow::Result<()> {
        let waited = self.wait_for(more, bound, |borne| borne.pages.done).await;
        waited.with_context(|| format!("{more} more pages were not shown within {bound:?}"))
    }

    async fn wait_for(&self, more: u64, bound: Duration, of: fn(&Everything) -> u64) -> anyhow::Result<()> {
        let wanted = of(&self.load.watch.borne()) + more;
        let enough = async {
            while of(&self.load.watch.borne()) < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        Ok(tokio::time::timeout(bound, enough).await?)
    }

    /// Lets every caller come to the last answer.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Arc<Load>> {
        self.load.stop.store(true, Ordering::Relaxed);
        let ending = async { while self.callers.join_next().await.is_some() {} };
        let waited = tokio::time::timeout(LAST_ORDERS, ending).await;
        waited.context("some request got no good answer although nothing is wrong any more")?;
        Ok(self.load)
    }
}

async fn post_callbacks(load: Arc<Load>, mut line: Line, name: String, mut dice: Dice) {
    for number in 0_u64.. {
        if load.is_over() {
            return;
        }
        let (text, body) = if dice.hits(REPEATED) {
            load.ledger.remembered(&mut dice)
        } else {
            None
        }
        .unwrap_or_else(|| new_callback(&load, &format!("{name}-{number}"), &mut dice));
        let (request, began) = (callback(&body), Instant::now());
        for tries in 1.. {
            load.ledger.posts(&text);
            let status = line.ask(&request).await.map(|answer| answer.status);
            if let Some(status) = status {
                load.ledger.callback_answered(&text, status);
            }
            if status == Some(200) {
                load.watch.borne().callbacks.took(began.elapsed(), tries);
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
        tokio::time::sleep(POSTING.1).await;
    }
}

fn new_callback(load: &Load, text: &str, dice: &mut Dice) -> (String, Vec<u8>) {
    let count = load.desk.customers.len() as u64;
    let customer = usize::try_from(dice.below(count)).unwrap_or_default();
    let (_, user) = &load.desk.customers[customer];
    let body = callback_of(user, text, SystemClock.now().at_offset(UtcOffset::UTC));
    load.ledger.knows(text, customer);
    load.ledger.remember(text, &body);
    (text.to_owned(), body)
}

async fn write_messages(load: Arc<Load>, mut line: Line, name: String, mut dice: Dice) {
    for number in 0_u64.. {
        if load.is_over() {
            return;
        }
        let text = format!("{name}-{number}");
        let count = load.desk.customers.len() as u64;
        let customer = usize::try_from(dice.below(count)).unwrap_or_default();
        let (id, _) = load.desk.customers[customer];
        let request = send(&load.desk.token, id.get(), &text, &format!("key-{text}"));
        let began = Instant::now();
        for tries in 1.. {
            load.ledger.writes(&text, customer);
            let answer = line.ask(&request).await;
            if let Some(answer) = &answer {
                load.ledger.message_answered(&text, answer.status, &answer.body);
            }
            if answer.is_some_and(|answer| answer.status < 500) {
                load.watch.borne().messages.took(began.elapsed(), tries);
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
        tokio::time::sleep(WRITING.1).await;
    }
}

async fn look_at_pages(load: Arc<Load>, mut line: Line, mut dice: Dice) {
    let customer = |(id, _): &(crm_domain::customers::CustomerId, String)| format!("/customer/{}", id.get());
    let mut paths: Vec<String> = load.desk.customers.iter().map(customer).collect();
    paths.extend(["/customers", "/companies", "/"].map(str::to_owned));
    while !load.is_over() {
        let Some(path) = dice.pick(&paths) else { return };
        let request = page(load.server, path, &load.cookie);
        let began = Instant::now();
        for tries in 1.. {
            let status = line.ask(request.as_bytes()).await.map(|answer| answer.status);
            if status == Some(200) {
                load.watch.borne().pages.took(began.elapsed(), tries);
                break;
            }
            if let Some(status) = status
                && status < 500
            {
                let strange = format!("{status} to the page {path}");
                load.ledger.entries().strange.push(strange);
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
        tokio::time::sleep(LOOKING.1).await;
    }
}
