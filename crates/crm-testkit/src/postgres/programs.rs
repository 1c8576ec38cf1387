//! PostgreSQL's programs, run as a user that they accept.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What to type when there is no PostgreSQL.
const INSTALL: &str =
    "this test needs PostgreSQL 15 or newer: apt-get install -y --no-install-recommends postgresql";

/// The newest installed programs.
pub(super) fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .max()
        .expect(INSTALL);
    let bin = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    assert!(newest >= 15 && bin.join("initdb").is_file(), "{INSTALL}");
    bin
}

/// Whether the programs have to be run as another user: PostgreSQL refuses to run as root.
pub(super) fn as_other_user() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The words before a program that must not run as root.
pub(super) fn prefix() -> Vec<&'static str> {
    if as_other_user() {
        vec![
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "--",
        ]
    } else {
        Vec::new()
    }
}

/// One of PostgreSQL's programs.
pub(super) fn program(name: &str) -> Command {
    let path = bin().join(name);
    let prefix = prefix();
    let mut command = match prefix.split_first() {
        Some((first, others)) => {
            let mut command = Command::new(first);
            command.args(others).arg(path);
            command
        }
        None => Command::new(path),
    };
    command
        .stdin(Stdio::null())
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Runs it and panics with what it said if it fails.
pub(super) fn done(command: &mut Command) -> Output {
    let output = command.output().expect(INSTALL);
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Makes a folder that belongs to who runs the server.
pub(super) fn folder(path: &Path) {
    let mut command = Command::new("install");
    command.args(["-d", "-m", "0700"]);
    if as_other_user() {
        command.args(["-o", "postgres", "-g", "postgres"]);
    }
    done(command.arg(path));
}

/// A new cluster in this folder, in the language that orders least like bytes.
pub(super) fn init(data: &Path) {
    folder(data);
    let mut command = program("initdb");
    command
        .args([
            "--locale-provider=icu",
            "--icu-locale=ja",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])
        .args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
        ]);
    done(command.arg("-D").arg(data));
}

/// A port of this machine that nobody uses now.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A running server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    pub(super) port: u16,
}

impl Server {
    pub(super) fn url(self, database: &str) -> String {
        format!(
            "postgres://crm@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// Runs statements as the administrator; returns what they print, a row a line.
    pub(super) fn sql(self, database: &str, statements: &str) -> String {
        let output = done(self.psql("postgres", database).arg("-c").arg(statements));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The same, whatever comes of it.
    pub(super) fn try_sql(self, database: &str, statements: &str) {
        drop(self.psql("postgres", database).arg("-c").arg(statements).output());
    }

    pub(super) fn psql(self, user: &str, database: &str) -> Command {
        let mut command = Command::new(bin().join("psql"));
        command
            .stdin(Stdio::null())
            .current_dir("/")
            .env("PGCONNECT_TIMEOUT", "10")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"])
            .args(["-p", &self.port.to_string(), "-U", user, "-d", database]);
        command
    }

    /// The role that owns the databases: no administrator, like in a good installation.
    pub(super) fn make_role(self) {
        self.sql("postgres", "CREATE ROLE crm LOGIN CREATEDB");
    }
}

/// Starts the server of this folder and waits until it takes connections.
pub(super) fn start(data: &Path, options: &str) {
    let mut command = program("pg_ctl");
    command.arg("-D").arg(data).arg("-l").arg(data.join("server.log"));
    done(
        command
            .args(["-w", "-t", "60", "-o", options, "start"])
            .stdout(Stdio::null()),
    );
}
