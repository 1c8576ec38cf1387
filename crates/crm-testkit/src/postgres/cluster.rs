//! A server of a test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::programs::{self, Server};

/// Small, and as safe as a real one: what it confirmed is on the disk.
const SETTINGS: &str = "-c max_connections=200 -c shared_buffers=64MB -c wal_level=replica -c max_wal_senders=8 \
    -c hot_standby=on -c wal_keep_size=256MB -c jit=off -c unix_socket_directories='' -c listen_addresses=127.0.0.1 \
    -c logging_collector=off -c wal_receiver_status_interval=1s";

/// A server with a folder of its own, which does sync; dropping it kills it and removes the folder. It has the role `crm`
/// and, on `start`, a database `crm` of that role without tables. Waits are bounded by a minute; what fails panics.
pub struct Cluster {
    folder: PathBuf,
    server: Server,
    settings: String,
}

impl Cluster {
    /// A new server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A new server with further settings (`name`, `value`) of its configuration.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let cluster = Self::prepare(settings);
        programs::init(&cluster.data());
        cluster.start_again();
        cluster.server.make_role();
        cluster.sql("postgres", "CREATE DATABASE crm OWNER crm");
        cluster
    }

    /// A standby that follows `primary` from now on; `name` is how the primary's `synchronous_standby_names` calls it.
    pub fn standby_of(primary: &Self, name: &str) -> Self {
        let cluster = Self::prepare(&[]);
        programs::folder(&cluster.data());
        let mut command = programs::program("pg_basebackup");
        command
            .arg("-D")
            .arg(cluster.data())
            .args(["-R", "-X", "stream", "-c", "fast", "-d"]);
        programs::done(command.arg(format!(
            "host=127.0.0.1 port={} user=postgres application_name={name}",
            primary.port()
        )));
        cluster.start_again();
        cluster
    }

    fn prepare(settings: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("crm-postgres-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&folder));
        programs::folder(&folder);
        let further = settings.iter().map(|(name, value)| format!(" -c {name}={value}"));
        Self {
            folder,
            server: Server {
                port: programs::free_port(),
            },
            settings: format!("{SETTINGS}{}", further.collect::<String>()),
        }
    }

    /// Where its data are; `pg_hba.conf` and the log `server.log` lie there.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The address of a database on it, for the role `crm`.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// Runs statements as the administrator and returns what they print, a row a line.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.server.sql(database, statements)
    }

    /// Starts it after it was stopped or killed.
    pub fn start_again(&self) {
        programs::start(&self.data(), &format!("{} -p {}", self.settings, self.port()));
    }

    /// Stops it as an administrator does: whoever is connected is thrown out.
    pub fn stop(&self) {
        let mut command = programs::program("pg_ctl");
        programs::done(
            command
                .arg("-D")
                .arg(self.data())
                .args(["-m", "fast", "-w", "stop"]),
        );
    }

    /// Kills every process of it at once, as a power cut does.
    pub fn kill(&self) {
        let processes = self.processes();
        self.signal("KILL");
        let gone = || !processes.iter().any(|pid| Path::new("/proc").join(pid).exists());
        wait("the killed server's end", gone);
        drop(fs::remove_file(self.data().join("postmaster.pid")));
    }

    /// Stops every process of it where it stands (SIGSTOP); connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Cluster::freeze`].
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Makes a standby a server that can be written, and waits until it is.
    pub fn promote(&self) {
        let mut command = programs::program("pg_ctl");
        programs::done(command.arg("-D").arg(self.data()).args(["-w", "promote"]));
    }

    /// From now on commits wait for the standbys of these names (`synchronous_standby_names`); an empty text ends that.
    pub fn synchronous(&self, names: &str) {
        self.sql(
            "postgres",
            &format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"),
        );
        self.reload();
        if !names.is_empty() {
            wait("a synchronous standby", || {
                self.sql(
                    "postgres",
                    "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')",
                ) != "0"
            });
        }
    }

    /// Makes it read its configuration again.
    pub fn reload(&self) {
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Waits until a standby has everything that this one wrote so far.
    pub fn wait_for(&self, standby: &Self) {
        let here = self.sql("postgres", "SELECT pg_current_wal_lsn()");
        wait("the standby", || {
            standby.sql(
                "postgres",
                &format!("SELECT pg_last_wal_replay_lsn() >= '{here}'"),
            ) == "t"
        });
    }

    /// The postmaster and what it started.
    fn processes(&self) -> Vec<String> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(postmaster) = file.lines().next().map(str::to_owned) else {
            return Vec::new();
        };
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let mut all = vec![postmaster];
        all.extend(children.unwrap_or_default().split_whitespace().map(str::to_owned));
        all
    }

    fn signal(&self, signal: &str) {
        let processes = self.processes();
        if !processes.is_empty() {
            let mut command = Command::new("sh");
            // A child may be gone by now.
            drop(
                command
                    .args(["-c", "kill -\"$0\" \"$@\"", signal])
                    .args(processes)
                    .output(),
            );
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "waited a minute for {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
