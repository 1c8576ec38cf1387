//! A line to a server that can be cut, now or when a certain word passes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Where the line is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The statement does not reach the server.
    Before,
    /// The server's answer to it is lost.
    After,
    /// It reaches the server, whose answer is not waited for.
    Sent,
}

/// What is waited for, and what happens then.
type Plan = Arc<Mutex<Option<(Vec<u8>, Cut)>>>;

/// Stands between a store and its server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Plan,
    away: Arc<AtomicBool>,
    _lines: JoinSet<()>,
}

impl Proxy {
    /// A line to this port.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Plan::default();
        let mut lines = JoinSet::new();
        let planned = Arc::clone(&plan);
        let away = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&away);
        lines.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if gone.load(Ordering::SeqCst) && planned.lock().unwrap().is_none() {
                    continue;
                }
                let plan = Arc::clone(&planned);
                open.spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    // Whoever hangs up ends it.
                    drop(carry(client, server, &plan).await);
                });
            }
        });
        Self {
            port,
            plan,
            away,
            _lines: lines,
        }
    }

    /// Cuts the line once on which this passes next.
    pub(crate) fn cut_at(&self, word: &str, cut: Cut) {
        *self.plan.lock().unwrap() = Some((word.as_bytes().to_vec(), cut));
    }

    /// After the planned cut nobody gets through any more, or everybody does again.
    pub(crate) fn stay_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Whether it was cut as planned.
    pub(crate) fn was_cut(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    plan: &Mutex<Option<(Vec<u8>, Cut)>>,
) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let bytes = &up[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let cut = take(plan, bytes);
                if cut != Some(Cut::Before) {
                    server.write_all(bytes).await?;
                }
                if cut == Some(Cut::After) {
                    // The server has done it when it answers.
                    let _answered = server.read(&mut down).await?;
                }
                if cut.is_some() {
                    return Ok(());
                }
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}

fn take(plan: &Mutex<Option<(Vec<u8>, Cut)>>, bytes: &[u8]) -> Option<Cut> {
    let mut plan = plan.lock().unwrap();
    let (word, cut) = plan.clone()?;
    if bytes.windows(word.len()).any(|part| part == word) {
        *plan = None;
        return Some(cut);
    }
    None
}
