//! Connections: each with a task that drives it, which can be cut from outside whoever waits on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_diesel::postgres::Conn;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Connection, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::{Address, Target};
use crate::error::PostgresError;
use crate::tls;

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// How long signing in may take beyond the time for reaching the host.
const SIGN_IN: Duration = Duration::from_secs(2);
/// A transaction whose program stands still holds back everybody; PostgreSQL ends it after this long.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '8s'; SET statement_timeout = '30s'; \
                       SET lock_timeout = 0; SET client_min_messages = warning";

/// Opens connections to one address.
pub(crate) struct Opener {
    address: Address,
    tls: MakeRustlsConnect,
    /// The server that answered last; it is asked first.
    last: AtomicUsize,
}

impl Opener {
    pub(crate) fn new(address: Address) -> Result<Self, PostgresError> {
        Ok(Self {
            tls: tls::connector(&address)?,
            address,
            last: AtomicUsize::new(0),
        })
    }

    /// A connection for units of work.
    pub(crate) async fn line(&self) -> Result<Line, PostgresError> {
        let (client, connection) = self.connect().await?;
        let fate = Fate::default();
        let driver = tokio::spawn(drive(connection, fate.clone(), |_| ()));
        let cutter = Cutter(driver.abort_handle());
        let set_up = async {
            let mut conn = AsyncPgConnection::try_from(client)
                .await
                .map_err(|error| PostgresError::Lost(error.to_string()))?;
            conn.batch_execute(SESSION)
                .await
                .map_err(|error| PostgresError::Lost(error.to_string()))?;
            Ok(conn)
        };
        let conn = tokio::time::timeout(SIGN_IN, set_up).await;
        let conn = match conn {
            Ok(conn) => conn?,
            Err(_) => {
                cutter.cut();
                return Err(self.silent());
            }
        };
        Ok(Line {
            conn: Conn::from(conn),
            driver,
            cutter,
            fate,
            rested: Instant::now(),
        })
    }

    /// A connection as the driver gives it, for listening.
    pub(crate) async fn plain(&self) -> Result<PlainClient, PostgresError> {
        let (client, connection) = self.connect().await?;
        let (sender, notifications) = mpsc::unbounded_channel();
        let driver = tokio::spawn(drive(connection, Fate::default(), move |notification| {
            // Nobody listens any more when the receiver is gone.
            drop(sender.send(notification));
        }));
        Ok(PlainClient {
            client,
            notifications,
            cutter: Cutter(driver.abort_handle()),
        })
    }

    fn silent(&self) -> PostgresError {
        PostgresError::Unreachable {
            at: self.address.shown(),
            reason: "it takes connections but says nothing".to_owned(),
        }
    }

    /// Tries the servers one after the other, the one that answered last first.
    async fn connect(&self) -> Result<(Client, Connection<Socket, Stream>), PostgresError> {
        let first = self.last.load(Ordering::Relaxed);
        let mut refused = None;
        for step in 0..self.address.targets.len() {
            let index = (first + step) % self.address.targets.len();
            let Some(target) = self.address.targets.get(index) else {
                continue;
            };
            match self.connect_to(target).await {
                Ok(connected) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(connected);
                }
                // What the first says that was reached counts for more than that another is down.
                Err(error) => match (&refused, &error) {
                    (None | Some(PostgresError::Unreachable { .. }), _) => refused = Some(error),
                    _ => {}
                },
            }
        }
        Err(refused.unwrap_or_else(|| self.silent()))
    }

    async fn connect_to(
        &self,
        target: &Target,
    ) -> Result<(Client, Connection<Socket, Stream>), PostgresError> {
        let reach = target.config.get_connect_timeout().copied().unwrap_or_default();
        let connecting = target.config.connect(self.tls.clone());
        match tokio::time::timeout(reach + SIGN_IN, connecting).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(error)) => Err(self.told(target, &error)),
            Err(_) => Err(PostgresError::Unreachable {
                at: target.at.clone(),
                reason: "it takes connections but says nothing".to_owned(),
            }),
        }
    }

    /// Why a server could not be used, in a sentence.
    fn told(&self, target: &Target, error: &tokio_postgres::Error) -> PostgresError {
        let at = target.at.clone();
        let reason = words(error);
        match error.code() {
            Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
                let user = self.address.user.clone();
                PostgresError::NotAllowed { at, user, reason }
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => PostgresError::NoDatabase {
                at,
                name: self.address.database.clone(),
            },
            Some(&SqlState::TOO_MANY_CONNECTIONS) => PostgresError::TooMany { at, reason },
            _ => PostgresError::Unreachable { at, reason },
        }
    }
}

/// The driver's words with what lies behind them. They hold neither statements nor values.
fn words(error: &tokio_postgres::Error) -> String {
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
async fn drive(
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
pub(crate) struct Cutter(AbortHandle);

impl Cutter {
    pub(crate) fn cut(&self) {
        self.0.abort();
    }
}

/// A connection for units of work.
pub(crate) struct Line {
    pub(crate) conn: Conn,
    pub(crate) cutter: Cutter,
    pub(crate) fate: Fate,
    /// Since when nobody uses it.
    pub(crate) rested: Instant,
    driver: JoinHandle<()>,
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
    cutter: Cutter,
}

impl Drop for PlainClient {
    fn drop(&mut self) {
        self.cutter.cut();
    }
}
