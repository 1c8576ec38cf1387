//! A kept-alive connection that is made anew whenever the server is back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;

use crate::http::{Answer, Connection};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(45);

/// One caller's connection.
pub struct Line {
    patience: Duration,
    door: watch::Receiver<Option<SocketAddr>>,
    connection: Option<Connection>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Line {
    /// A line to the server behind this door; nothing is connected yet.
    pub fn new(door: watch::Receiver<Option<SocketAddr>>) -> Self {
        Self {
            patience: PATIENCE,
            door,
            connection: None,
        }
    }

    /// The same for a caller who gives an answer up after this time.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Waits until the server is there, sends the request and returns the answer; `None` when it was lost, and nobody
    /// knows what became of the request.
    pub async fn ask(&mut self, request: &[u8]) -> Option<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let answer = tokio::time::timeout(self.patience, connection.exchange(request)).await;
        let answer = answer.ok()?.ok()?;
        if !says_close(&answer) {
            self.connection = Some(connection);
        }
        Some(Reply {
            status: answer.status,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })
    }

    async fn connect(&mut self) -> Option<Connection> {
        let address = self
            .door
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|door| *door)?;
        let connected = Connection::open(address).await.ok();
        if connected.is_none() {
            // It was killed this moment: the door will tell.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        connected
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

fn says_close(answer: &Answer) -> bool {
    answer.head.to_ascii_lowercase().contains("connection: close")
}
