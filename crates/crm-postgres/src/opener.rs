//! Opens connections, to whichever server of the address answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_diesel::postgres::Conn;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::{Address, Target};
use crate::connection::{Cutter, Fate, Line, PlainClient, Stream, drive, words};
use crate::error::PostgresError;
use crate::tls;

/// How long a connection may take that is open before it can be used.
const SET_UP: Duration = Duration::from_secs(2);
/// How long the server that answered last has before the next one is asked beside it.
const HEAD_START: Duration = Duration::from_millis(700);
/// How long a server has to show that it lives.
const PULSE: Duration = Duration::from_secs(2);
/// A transaction whose program stands still holds back everybody; PostgreSQL ends it after a while.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '4s'; SET statement_timeout = '30s'; \
                       SET lock_timeout = 0; SET client_min_messages = warning";
/// A statement whose program is gone, because it was cut or died, ends within a second instead of keeping its locks until it
/// has waited enough. Servers on some systems cannot tell, and refuse this.
const MIND: &str = "SET client_connection_check_interval = '1s'";

type Opened = (Client, Connection<Socket, Stream>);

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
        let (server, (client, connection)) = self.connect().await?;
        let fate = Fate::default();
        let driver = tokio::spawn(drive(connection, fate.clone(), |_| ()));
        let cutter = Cutter(driver.abort_handle());
        let lost = |reason: String| PostgresError::Lost(reason);
        let set_up = async {
            let conn = AsyncPgConnection::try_from(client).await;
            let mut conn = conn.map_err(|error| lost(error.to_string()))?;
            let set = conn.batch_execute(SESSION).await;
            set.map_err(|error| lost(error.to_string()))?;
            match conn.batch_execute(MIND).await {
                Err(error) if cutter.is_cut() => Err(lost(error.to_string())),
                Ok(()) | Err(_) => Ok(conn),
            }
        };
        let Ok(conn) = timeout(SET_UP, set_up).await else {
            cutter.cut();
            return Err(silent(self.address.shown()));
        };
        Ok(Line {
            conn: Conn::from(conn?),
            cutter,
            fate,
            rested: Instant::now(),
            server,
            driver,
        })
    }

    /// A connection as the driver gives it, for listening.
    pub(crate) async fn plain(&self) -> Result<PlainClient, PostgresError> {
        let (_, (client, connection)) = self.connect().await?;
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

    /// Whether this server shows a sign of life when a connection is asked for. One that refuses it, because it has enough of
    /// them or for any other reason but its own end, lives.
    pub(crate) async fn lives(&self, server: usize) -> bool {
        let Some(target) = self.address.targets.get(server) else {
            return false;
        };
        let connecting = target.config.connect(self.tls.clone());
        match timeout(PULSE, connecting).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.code().is_some_and(|code| !is_ending(code)),
            Err(_) => false,
        }
    }

    /// Asks the servers, the one that answered last first; one that hangs holds up the others for a moment only.
    async fn connect(&self) -> Result<(usize, Opened), PostgresError> {
        let (first, count) = (self.last.load(Ordering::Relaxed), self.address.targets.len());
        let mut others = (0..count).map(|step| (first + step) % count);
        let mut asked = JoinSet::new();
        let mut refused = None;
        loop {
            let next = others.len() > 0;
            if asked.is_empty() {
                match others.next() {
                    Some(server) => self.ask(server, &mut asked),
                    None => return Err(refused.unwrap_or_else(|| silent(self.address.shown()))),
                }
            }
            tokio::select! {
                answer = asked.join_next() => match answer {
                    Some(Ok((server, Ok(opened)))) => {
                        self.last.store(server, Ordering::Relaxed);
                        return Ok((server, opened));
                    }
                    // What a server says that was reached counts for more than that another is down.
                    Some(Ok((_, Err(error)))) => if let None | Some(PostgresError::Unreachable { .. }) = refused {
                        refused = Some(error);
                    },
                    Some(Err(_)) | None => {}
                },
                () = sleep(HEAD_START), if next => if let Some(server) = others.next() {
                    self.ask(server, &mut asked);
                },
            }
        }
    }

    fn ask(&self, server: usize, asked: &mut JoinSet<(usize, Result<Opened, PostgresError>)>) {
        let Some(target) = self.address.targets.get(server).cloned() else {
            return;
        };
        let (tls, user, database) = (
            self.tls.clone(),
            self.address.user.clone(),
            self.address.database.clone(),
        );
        asked.spawn(async move {
            let bound = target.config.get_connect_timeout().copied().unwrap_or(PULSE);
            let opened = match timeout(bound, target.config.connect(tls)).await {
                Ok(Ok(opened)) => Ok(opened),
                Ok(Err(error)) => Err(told(&target, user, database, &error)),
                Err(_) => Err(silent(target.at)),
            };
            (server, opened)
        });
    }
}

/// Whether a server says by this that it ends, has ended, or is not yet there.
fn is_ending(code: &SqlState) -> bool {
    matches!(
        *code,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW
    )
}

fn silent(at: String) -> PostgresError {
    PostgresError::Unreachable {
        at,
        reason: "it takes connections but says nothing".to_owned(),
    }
}

/// Why a server could not be used, in a sentence.
fn told(target: &Target, user: String, database: String, error: &tokio_postgres::Error) -> PostgresError {
    let at = target.at.clone();
    let reason = words(error);
    match error.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            PostgresError::NotAllowed { at, user, reason }
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => PostgresError::NoDatabase {
            hint: creating(&at, &user, &database),
            at,
            name: database,
        },
        Some(&SqlState::TOO_MANY_CONNECTIONS) => PostgresError::TooMany { at, reason },
        Some(code) if !is_ending(code) => PostgresError::Refused { at, reason },
        None if is_about_tls(error) => PostgresError::Refused { at, reason },
        _ => PostgresError::Unreachable { at, reason },
    }
}

/// Whether the two sides do not agree on TLS: a network that fails is an error of the system, and of another kind.
fn is_about_tls(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| {
        let system = source.downcast_ref::<std::io::Error>();
        system.is_none_or(|error| error.kind() == std::io::ErrorKind::InvalidData)
    })
}

/// The command that creates a database where this one was looked for.
fn creating(at: &str, user: &str, database: &str) -> String {
    let (host, port) = at.rsplit_once(':').unwrap_or((at, "5432"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    format!("createdb -h {host} -p {port} --owner {user} {database}")
}

#[cfg(test)]
mod tests {
    use super::creating;

    #[test]
    fn a_missing_database_is_created_where_it_was_looked_for() {
        for (at, command) in [
            (
                "db.example:5433",
                "createdb -h db.example -p 5433 --owner crm firm",
            ),
            ("[::1]:5432", "createdb -h ::1 -p 5432 --owner crm firm"),
        ] {
            assert_eq!(creating(at, "crm", "firm"), command);
        }
    }
}
