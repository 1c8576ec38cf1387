//! Connections: each with a task that drives it, which can be cut from outside whoever waits on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crm_diesel::postgres::Conn;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Connection, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// The driver's words with what lies behind them. They hold neither statements nor values.
pub(crate) fn words(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Why a connection ended.
#[derive(Clone, Default)]
pub(crate) struct Fate(Arc<Mutex<Option<String>>>);

impl Fate {
    fn set(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Moves bytes until either side is gone.
pub(crate) async fn drive(
    mut connection: Connection<Socket, Stream>,
    fate: Fate,
    mut heard: impl FnMut(Notification) + Send,
) {
    loop {
        match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            None => return,
            Some(Ok(AsyncMessage::Notification(notification))) => heard(notification),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                fate.set(words(&error));
                return;
            }
        }
    }
}

/// Ends a connection; whoever waits for an answer on it gets an error at once.
#[derive(Clone, Debug)]
pub(crate) struct Cutter(pub(crate) AbortHandle);

impl Cutter {
    pub(crate) fn cut(&self) {
        self.0.abort();
    }

    /// Whether the connection is at its end, cut or lost.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.is_finished()
    }
}

/// A connection for units of work.
pub(crate) struct Line {
    pub(crate) conn: Conn,
    pub(crate) cutter: Cutter,
    pub(crate) fate: Fate,
    /// Since when nobody uses it.
    pub(crate) rested: Instant,
    /// Which of the address's servers it leads to.
    pub(crate) server: usize,
    pub(crate) driver: JoinHandle<()>,
}

impl Line {
    /// Whether its end is known.
    pub(crate) fn is_dead(&self) -> bool {
        self.driver.is_finished()
    }
}

/// A connection as the driver gives it, of the same address and with the same TLS as the others. It ends when this is
/// dropped.
pub struct PlainClient {
    /// Runs statements, such as `LISTEN`.
    pub client: Client,
    /// What the server sent by `NOTIFY`; ends when the connection is lost.
    pub notifications: mpsc::UnboundedReceiver<Notification>,
    pub(crate) cutter: Cutter,
}

impl Drop for PlainClient {
    fn drop(&mut self) {
        self.cutter.cut();
    }
}
