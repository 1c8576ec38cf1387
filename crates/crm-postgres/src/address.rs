//! The address of a database: what tokio-postgres knows of it, and what we read ourselves.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::PostgresError;

/// How long a host is waited for when the address does not say.
const CONNECT: Duration = Duration::from_secs(3);
/// After how long without an answer a peer counts as gone.
const GONE: Duration = Duration::from_secs(8);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);

/// What is asked of TLS, as `sslmode` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Any certificate.
    Anybody,
    /// A certificate that one of the roots signed, whatever name it carries.
    Signed,
    /// The same, for this host's name.
    Named,
}

/// One server of the address.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `host:port`.
    pub(crate) at: String,
    pub(crate) config: Config,
}

/// A database that lies on one of several servers.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) targets: Vec<Target>,
    pub(crate) trust: Trust,
    pub(crate) roots: Option<PathBuf>,
    pub(crate) user: String,
    pub(crate) database: String,
}

impl Address {
    /// Reads `postgres://user:password@host:port,host:port/database?…`. Only servers that can be written are wanted
    /// unless the address says otherwise.
    pub(crate) fn parse(
        url: &str,
        application: &str,
        session: TargetSessionAttrs,
    ) -> Result<Self, PostgresError> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(PostgresError::Address(
                "it does not begin with postgres://".to_owned(),
            ));
        }
        let mut options = Options::take(url)?;
        let mut config: Config = options.rest.parse().map_err(|error: tokio_postgres::Error| {
            // The driver's own words may quote a part of the password.
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let known = source.filter(|words| words.starts_with("invalid value for option"));
            PostgresError::Address(known.unwrap_or_else(|| "it cannot be read".to_owned()))
        })?;
        if config.get_application_name().is_none() {
            config.application_name(application);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::Any && !options.session_given {
            config.target_session_attrs(session);
        }
        let mode = options.mode.take().unwrap_or_else(|| "prefer".to_owned());
        let (ssl, trust) = match (mode.as_str(), &options.roots) {
            ("disable", _) => (SslMode::Disable, Trust::Anybody),
            ("allow" | "prefer", _) => (SslMode::Prefer, Trust::Anybody),
            ("require", None) => (SslMode::Require, Trust::Anybody),
            ("require" | "verify-ca", _) => (SslMode::Require, Trust::Signed),
            ("verify-full", _) => (SslMode::Require, Trust::Named),
            (other, _) => {
                return Err(PostgresError::Address(format!(
                    "sslmode is {other}; it can be disable, prefer, require, verify-ca or verify-full"
                )));
            }
        };
        config.ssl_mode(ssl);
        let user = config.get_user().unwrap_or_default().to_owned();
        let database = config.get_dbname().unwrap_or(&user).to_owned();
        Ok(Self {
            targets: targets(&config)?,
            trust,
            roots: options.roots,
            user,
            database,
        })
    }

    /// All hosts, for messages.
    pub(crate) fn shown(&self) -> String {
        let hosts: Vec<&str> = self.targets.iter().map(|target| target.at.as_str()).collect();
        hosts.join(", ")
    }
}

/// The options that the driver does not know, and the address without them.
struct Options {
    rest: String,
    mode: Option<String>,
    roots: Option<PathBuf>,
    session_given: bool,
}

impl Options {
    fn take(url: &str) -> Result<Self, PostgresError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut taken = Self {
            rest: String::new(),
            mode: None,
            roots: None,
            session_given: false,
        };
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => taken.mode = Some(decoded(value)?),
                "sslrootcert" => taken.roots = Some(PathBuf::from(decoded(value)?)),
                "sslcert" | "sslkey" => {
                    return Err(PostgresError::Address(format!(
                        "{name} is not supported; sign in with user and password"
                    )));
                }
                _ => {
                    taken.session_given |= name == "target_session_attrs";
                    kept.push(pair);
                }
            }
        }
        // `system` is libpq's word for the certificates that everybody trusts.
        taken.roots = taken.roots.filter(|path| path.as_os_str() != "system");
        taken.rest = if kept.is_empty() {
            base.to_owned()
        } else {
            format!("{base}?{}", kept.join("&"))
        };
        Ok(taken)
    }
}

/// Percent-decoded.
fn decoded(text: &str) -> Result<String, PostgresError> {
    let wrong = || PostgresError::Address("an option's value is not percent-encoded rightly".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        if first == b'%' {
            let (hex, behind) = others.split_at_checked(2).ok_or_else(wrong)?;
            let hex = std::str::from_utf8(hex).map_err(|_| wrong())?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| wrong())?);
            rest = behind;
        } else {
            bytes.push(first);
            rest = others;
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// One configuration per host, so that a host that hangs in the middle of signing in cannot hold up the others.
fn targets(all: &Config) -> Result<Vec<Target>, PostgresError> {
    let ports = all.get_ports();
    let target = |(index, host): (usize, &Host)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let mut config = alone(all);
        config.port(port);
        let at = match host {
            Host::Tcp(name) => {
                config.host(name);
                format!("{name}:{port}")
            }
            #[cfg(unix)]
            Host::Unix(folder) => {
                config.host_path(folder);
                format!("{}:{port}", folder.display())
            }
        };
        if let Some(address) = all.get_hostaddrs().get(index) {
            config.hostaddr(*address);
        }
        Target { at, config }
    };
    let targets: Vec<Target> = all.get_hosts().iter().enumerate().map(target).collect();
    if targets.is_empty() {
        return Err(PostgresError::Address("it names no host".to_owned()));
    }
    Ok(targets)
}

/// Everything but the hosts.
fn alone(all: &Config) -> Config {
    let mut config = Config::new();
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(name) = all.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = all.get_options() {
        config.options(options);
    }
    if let Some(name) = all.get_application_name() {
        config.application_name(name);
    }
    let defaults = Config::new();
    let idle = all.get_keepalives_idle();
    let idle = if idle == defaults.get_keepalives_idle() {
        KEEPALIVE_IDLE
    } else {
        idle
    };
    config
        .ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .target_session_attrs(all.get_target_session_attrs())
        .channel_binding(all.get_channel_binding())
        .connect_timeout(all.get_connect_timeout().copied().unwrap_or(CONNECT))
        .tcp_user_timeout(all.get_tcp_user_timeout().copied().unwrap_or(GONE))
        .keepalives(all.get_keepalives())
        .keepalives_idle(idle)
        .keepalives_interval(all.get_keepalives_interval().unwrap_or(KEEPALIVE_INTERVAL))
        .keepalives_retries(all.get_keepalives_retries().unwrap_or(3));
    config
}

#[cfg(test)]
mod tests {
    use super::{Address, Trust};
    use crate::error::PostgresError;
    use tokio_postgres::config::TargetSessionAttrs;

    fn parse(url: &str) -> Result<Address, PostgresError> {
        Address::parse(url, "crm-web", TargetSessionAttrs::ReadWrite)
    }

    #[test]
    fn every_host_gets_its_own_configuration() {
        let address = parse("postgres://crm:pw@db1:5433,db2/crm?connect_timeout=7").unwrap();
        assert_eq!(address.shown(), "db1:5433, db2:5432");
        assert_eq!(address.database, "crm");
        for target in &address.targets {
            assert_eq!(target.config.get_hosts().len(), 1);
            assert_eq!(target.config.get_connect_timeout().unwrap().as_secs(), 7);
            assert_eq!(
                target.config.get_target_session_attrs(),
                TargetSessionAttrs::ReadWrite
            );
            assert_eq!(target.config.get_application_name(), Some("crm-web"));
        }
    }

    #[test]
    fn sslmode_and_roots_are_ours() {
        for (options, trust) in [
            ("", Trust::Anybody),
            ("?sslmode=require", Trust::Anybody),
            ("?sslmode=require&sslrootcert=%2Ftmp%2Fca.pem", Trust::Signed),
            ("?sslmode=verify-ca", Trust::Signed),
            ("?sslmode=verify-full&sslrootcert=system", Trust::Named),
        ] {
            let address = parse(&format!("postgres://crm@db/crm{options}")).unwrap();
            assert_eq!(address.trust, trust, "{options}");
        }
        let roots = parse("postgres://crm@db/crm?sslmode=verify-full&sslrootcert=%2Ftmp%2Fca.pem");
        assert_eq!(roots.unwrap().roots.unwrap().to_str(), Some("/tmp/ca.pem"));
    }

    #[test]
    fn a_bad_address_is_told_without_its_password() {
        for url in [
            "mysql://crm:geheim@db/crm",
            "postgres://crm:geheim@db:port/crm",
            "postgres://crm:geheim@/crm",
            "postgres://crm:geheim@db/crm?sslmode=sometimes",
            "postgres://crm:geheim@db/crm?sslcert=me.pem",
        ] {
            let sentence = parse(url).unwrap_err().to_string();
            assert!(sentence.contains("postgres://user"), "{sentence}");
            assert!(!sentence.contains("geheim"), "{sentence}");
        }
    }
}
