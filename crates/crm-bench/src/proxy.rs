//! A line between two programs that is cut where one likes: at once, or at a certain place of a unit of work.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Where a line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A unit of work is about to begin: its BEGIN does not arrive.
    BeforeUnit,
    /// In the middle of a unit of work.
    InUnit,
    /// The COMMIT does not arrive.
    AtCommit,
    /// The COMMIT arrives, its answer is lost.
    AfterCommit,
    /// Whatever is asked arrives, the answer is lost.
    Answer,
}

#[derive(Debug, Default)]
struct Orders {
    cut: Mutex<Option<(Cut, usize)>>,
    done: AtomicUsize,
}

/// The line; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where to connect instead.
    pub address: SocketAddr,
    orders: Arc<Orders>,
    /// While false all lines are cut and new ones are closed at once.
    open: watch::Sender<bool>,
    task: AbortHandle,
}

impl Proxy {
    /// Stands before `target`.
    pub async fn before(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (orders, (open, opened)) = (Arc::new(Orders::default()), watch::channel(true));
        let task = tokio::spawn(serve(listener, target, Arc::clone(&orders), opened)).abort_handle();
        Ok(Self {
            address,
            orders,
            open,
            task,
        })
    }

    /// The next `times` lines that come to this place are cut there.
    pub fn cut(&self, place: Cut, times: usize) {
        *self.orders.lock() = Some((place, times));
    }

    /// How many were cut as ordered, so far.
    pub fn cuts(&self) -> usize {
        self.orders.done.load(Ordering::Relaxed)
    }

    /// Cuts all lines, and closes new ones at once until [`Proxy::open`].
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Lets lines through again, and forgets orders that are not carried out.
    pub fn open(&self) {
        *self.orders.lock() = None;
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Orders {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Cut, usize)>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line that came to this place is to be cut.
    fn takes(&self, place: Cut) -> bool {
        let mut cut = self.lock();
        match &mut *cut {
            Some((wanted, left)) if *wanted == place && *left > 0 => {
                *left -= 1;
                self.done.fetch_add(1, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }
}

async fn serve(
    listener: TcpListener,
    target: SocketAddr,
    orders: Arc<Orders>,
    opened: watch::Receiver<bool>,
) {
    let mut lines = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while lines.try_join_next().is_some() {}
        if *opened.borrow() {
            let (orders, mut opened) = (Arc::clone(&orders), opened.clone());
            lines.spawn(async move {
                tokio::select! {
                    _ = pass(client, target, &orders) => {}
                    _ = opened.wait_for(|open| !open) => {}
                }
            });
        }
    }
}

/// What is known of a line's unit of work.
#[derive(Default)]
struct Course {
    in_unit: bool,
    /// The answer to what went out last is not to arrive.
    answer_is_lost: bool,
}

async fn pass(mut client: TcpStream, target: SocketAddr, orders: &Orders) -> anyhow::Result<()> {
    let mut server = TcpStream::connect(target).await.context("nobody there")?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut course = Course::default();
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let bytes = &asked[..count?];
                if bytes.is_empty() || course.is_cut_by(bytes, orders) {
                    return Ok(());
                }
                server.write_all(bytes).await?;
            }
            count = server.read(&mut answered) => {
                let bytes = &answered[..count?];
                if bytes.is_empty() || course.answer_is_lost {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}

impl Course {
    /// Follows the unit of work; whether the line is to be cut before these bytes arrive.
    fn is_cut_by(&mut self, bytes: &[u8], orders: &Orders) -> bool {
        let says = |words: &[u8]| {
            bytes
                .windows(words.len())
                .any(|window| window.eq_ignore_ascii_case(words))
        };
        if says(b"BEGIN") || says(b"START TRANSACTION") {
            self.in_unit = true;
            return orders.takes(Cut::BeforeUnit);
        }
        if says(b"COMMIT") {
            self.in_unit = false;
            self.answer_is_lost = orders.takes(Cut::AfterCommit);
            return !self.answer_is_lost && orders.takes(Cut::AtCommit);
        }
        if says(b"ROLLBACK") {
            self.in_unit = false;
        }
        self.answer_is_lost |= orders.takes(Cut::Answer);
        self.in_unit && orders.takes(Cut::InUnit)
    }
}
