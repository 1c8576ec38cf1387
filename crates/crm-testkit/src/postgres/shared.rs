//! The server that all test processes share. Each holds a shared lock on a file as long as it lives; whoever gets that lock
//! alone knows that nobody is left.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::migrations;
use super::programs::{self, Server};

/// Nothing of the shared server outlives the tests, so nothing is synced.
const SETTINGS: &str = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal \
    -c max_wal_senders=0 -c max_connections=400 -c shared_buffers=128MB -c autovacuum=off -c jit=off \
    -c checkpoint_timeout=1h -c max_wal_size=2GB -c unix_socket_directories='' -c listen_addresses=127.0.0.1 \
    -c logging_collector=off -c log_min_messages=fatal";

/// Ends the server when nobody used it for three looks. Arguments: the folder, `pg_ctl`, and the words before it.
const GUARDIAN: &str = r#"
folder=$1 pg_ctl=$2; shift 2
idle=0
while [ "$idle" -lt 3 ]; do
    sleep 4
    exec 8>"$folder/start.lock"; flock 8
    if flock -n -x "$folder/users.lock" true; then idle=$((idle + 1)); else idle=0; fi
    if [ "$idle" -ge 3 ]; then
        "$@" "$pg_ctl" -D "$folder/data" -m immediate -w stop
        rm -rf "$folder/data" "$folder/port" "$folder"/template-*
    fi
    exec 8>&-
done
"#;

/// The shared server, as long as this process lives.
pub(super) struct Shared {
    folder: PathBuf,
    server: Server,
    _user: File,
}

/// Starts the server or finds it running.
pub(super) fn join() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let whose = if programs::as_other_user() { "root" } else { "user" };
        let folder = std::env::temp_dir().join(format!("crm-test-postgres-{whose}"));
        if !folder.is_dir() {
            // The server's user must be able to enter it.
            let mut command = Command::new("install");
            programs::done(command.args(["-d", "-m", "0755"]).arg(&folder));
        }
        let starting = lock_file(&folder.join("start.lock"));
        starting.lock().expect("the lock for starting");
        let user = lock_file(&folder.join("users.lock"));
        user.lock_shared().expect("the lock of users");
        let server = running(&folder).unwrap_or_else(|| start(&folder));
        Shared {
            folder,
            server,
            _user: user,
        }
    })
}

fn lock_file(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    options.open(path).expect("a lock file")
}

fn running(folder: &Path) -> Option<Server> {
    let port = fs::read_to_string(folder.join("port"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let server = Server { port };
    let answers = server
        .psql("postgres", "postgres")
        .args(["-c", "SELECT 1"])
        .output();
    answers
        .is_ok_and(|output| output.status.success())
        .then_some(server)
}

fn start(folder: &Path) -> Server {
    let data = folder.join("data");
    // What a machine left that was switched off.
    drop(fs::remove_file(folder.join("port")));
    drop(fs::remove_dir_all(&data));
    for left in fs::read_dir(folder).expect("the folder").flatten() {
        if left.file_name().to_string_lossy().starts_with("template-") {
            drop(fs::remove_file(left.path()));
        }
    }
    programs::init(&data);
    let server = Server {
        port: programs::free_port(),
    };
    programs::start(&data, &format!("{SETTINGS} -p {}", server.port));
    server.make_role();
    fs::write(folder.join("port"), server.port.to_string()).expect("the port's file");
    let mut guardian = Command::new("setsid");
    guardian
        .args(["--fork", "sh", "-c", GUARDIAN, "guardian"])
        .arg(folder);
    guardian
        .arg(programs::bin().join("pg_ctl"))
        .args(programs::prefix());
    guardian
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    guardian.status().expect("setsid and sh");
    server
}

impl Shared {
    pub(super) fn server(&self) -> Server {
        self.server
    }

    /// The name of a database with every migration of the working tree; made when first needed.
    pub(super) fn template(&self) -> String {
        let migrations = migrations();
        let mut hasher = DefaultHasher::new();
        for (name, file) in &migrations {
            name.hash(&mut hasher);
            fs::read(file).expect("a migration").hash(&mut hasher);
        }
        let name = format!("template_{:016x}", hasher.finish());
        let made = self.folder.join(format!("template-{name}"));
        if made.exists() {
            return name;
        }
        let starting = lock_file(&self.folder.join("start.lock"));
        starting.lock().expect("the lock for starting");
        if !made.exists() {
            make_template(self.server, &name, &migrations);
            fs::write(made, "").expect("the template's mark");
        }
        name
    }
}

/// All migrations in one transaction, and noted as diesel notes them.
fn make_template(server: Server, name: &str, migrations: &[(String, PathBuf)]) {
    server.sql("postgres", &format!("DROP DATABASE IF EXISTS {name}"));
    server.sql(
        "postgres",
        &format!("CREATE DATABASE {name} OWNER crm TEMPLATE template0"),
    );
    let mut psql = server.psql("crm", name);
    psql.args(["-1", "-c"]).arg(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    for (migration, file) in migrations {
        let version = migration.split('_').next().unwrap_or(migration);
        psql.arg("-f").arg(file).arg("-c").arg(format!(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
        ));
    }
    programs::done(&mut psql);
}
