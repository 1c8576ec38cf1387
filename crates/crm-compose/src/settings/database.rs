//! The database: a file, or a server.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::problem::Fault;
use super::reader::{Reader, number};

/// Connections at once to a database server when nothing is said.
const CONNECTIONS: u32 = 16;

/// Where the database is. Shown as people know it, never with a password.
#[derive(Debug, Clone)]
pub enum Database {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(DatabaseServer),
}

/// A PostgreSQL server and how it is used.
#[derive(Debug, Clone)]
pub struct DatabaseServer {
    /// Where it is, with user and password.
    pub url: SecretString,
    /// Where readings may go that need not see the newest.
    pub replica: Option<SecretString>,
    /// Connections at once, at least 2.
    pub connections: usize,
}

impl Database {
    /// The database of one URL, with everything else as it is by itself.
    pub fn of_url(url: &str) -> Result<Self, Fault> {
        if is_server(url) {
            return Ok(Self::Server(DatabaseServer {
                url: server_url(url)?,
                replica: None,
                connections: CONNECTIONS as usize,
            }));
        }
        match url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() && !path.ends_with('/') && !path.contains('?') => {
                Ok(Self::File(PathBuf::from(path)))
            }
            _ => Err(Fault::NotADatabase),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Server(_) => None,
        }
    }

    /// The file, if it is one that is not there; a server is only known by asking it.
    pub fn missing(&self) -> Option<&Path> {
        // Of a folder that may not be looked into nobody knows; opening it says why.
        self.file().filter(|file| !file.try_exists().unwrap_or(true))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Server(server) => f.write_str(&without_password(server.url.expose_secret())),
        }
    }
}

/// The URL with stars for the password, in its user part or in its parameters.
pub(super) fn without_password(url: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, Some(parameters)),
        None => (url, None),
    };
    let hidden = match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, rest)), Some((_, host))) => match rest.split_once(':') {
            Some((user, _)) if user.len() < rest.len() - host.len() => {
                format!("{scheme}://{user}:***@{host}")
            }
            _ => address.to_owned(),
        },
        (None, Some((_, host))) => format!("***@{host}"),
        _ => address.to_owned(),
    };
    let Some(parameters) = parameters else {
        return hidden;
    };
    let shown = parameters
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=***"),
            _ => parameter.to_owned(),
        });
    format!("{hidden}?{}", shown.collect::<Vec<_>>().join("&"))
}

fn is_server(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Names a server and a database; everything else the server is asked.
fn server_url(url: &str) -> Result<SecretString, Fault> {
    let address = url.split('?').next().unwrap_or_default();
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let whole = rest
        .rsplit_once('@')
        .map_or(rest, |(_, place)| place)
        .split_once('/')
        .is_some_and(|(hosts, name)| !name.is_empty() && !hosts.split(',').any(str::is_empty));
    if whole && !url.chars().any(char::is_whitespace) {
        Ok(SecretString::from(url))
    } else {
        Err(Fault::NotADatabase)
    }
}

fn replica_url(url: &str) -> Result<SecretString, Fault> {
    if is_server(url) {
        server_url(url)
    } else {
        Err(Fault::NotADatabase)
    }
}

pub(super) fn read(reader: &mut Reader<'_>, default: Database) -> Database {
    let read = reader.parsed("CRM_DATABASE_URL", default, Database::of_url);
    let replica = reader.optional("CRM_DATABASE_REPLICA_URL", replica_url);
    let connections = reader.parsed("CRM_DATABASE_CONNECTIONS", CONNECTIONS, |text| number(text, 2));
    for name in ["CRM_DATABASE_URL", "CRM_DATABASE_REPLICA_URL"] {
        reader.hide(name, without_password);
    }
    match read {
        Database::Server(server) => Database::Server(DatabaseServer {
            replica,
            connections: connections as usize,
            ..server
        }),
        Database::File(file) => {
            if replica.is_some() {
                reader.fault("CRM_DATABASE_REPLICA_URL", Fault::NeedsServer);
            }
            Database::File(file)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Database, without_password};

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://crm:geheim@db/crm", "postgres://crm:***@db/crm"),
            (
                "postgres://crm:ge:he@im@db:5432,db2/crm?sslmode=require",
                "postgres://crm:***@db:5432,db2/crm?sslmode=require",
            ),
            (
                "postgres://crm@db/crm?password=geheim&sslmode=require",
                "postgres://crm@db/crm?password=***&sslmode=require",
            ),
            ("postgres://crm@db:5432/crm", "postgres://crm@db:5432/crm"),
            ("postgres://db:5432/crm", "postgres://db:5432/crm"),
            ("sqlite://data/crm.db", "sqlite://data/crm.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn what_names_no_database_is_refused() {
        for url in [
            "postgres://",
            "postgres://db",
            "postgres://db/",
            "postgres://u:p@/crm",
            "postgres://a,,b/crm",
            "postgres://db/c rm",
            "mysql://db/crm",
            "sqlite://",
            "sqlite://data/",
            "data/crm.db",
            "",
        ] {
            assert!(Database::of_url(url).is_err(), "{url}");
        }
        assert!(matches!(
            Database::of_url("postgresql://a:1,b:2/crm"),
            Ok(Database::Server(_))
        ));
    }
}
