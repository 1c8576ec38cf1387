//! A PostgreSQL of our own: one server, or two with streaming replication, killed, restarted and promoted at will.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::ports::lasting_addresses;
use crate::trial::signal;

/// PostgreSQL refuses to run as root; the packages make this user.
const USER: &str = "postgres";
/// Whose database it is, and its name.
const OWNER: &str = "crm";
/// How long a server may take to answer, with the replay of its log.
const START: Duration = Duration::from_mins(1);
const INSTALL: &str = "PostgreSQL is not here. Please run: sudo apt-get install -y --no-install-recommends postgresql postgresql-client";

/// How a server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// `fast`: connections are ended, everything is written down.
    Fast,
    /// Killed, as the power does.
    Killed,
}

/// What a cluster is to be.
#[derive(Debug, Clone, Default)]
pub struct ClusterPlan {
    /// A second server follows the first, and every commit waits for it.
    pub standby: bool,
    /// Further variables of the servers' environment.
    pub environment: Vec<(String, String)>,
}

/// One or two servers; the first one is written to until the other is promoted. Dropping it ends them.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    nodes: Vec<Node>,
    primary: usize,
    environment: Vec<(String, String)>,
}

#[derive(Debug)]
struct Node {
    data: PathBuf,
    address: SocketAddr,
    process: Option<Child>,
}

/// How the database is asked by hand.
#[derive(Debug, Clone)]
pub struct Psql {
    program: PathBuf,
    url: String,
}

impl Cluster {
    /// Makes the data folders and starts the servers with an empty database.
    pub async fn start(plan: ClusterPlan) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("crm-cluster-").tempdir()?;
        let addresses = lasting_addresses(2)?;
        let nodes = addresses.into_iter().enumerate().map(|(number, address)| Node {
            data: folder.path().join(format!("node-{number}")),
            address,
            process: None,
        });
        let mut cluster = Self {
            nodes: nodes.take(1 + usize::from(plan.standby)).collect(),
            programs: programs()?,
            primary: 0,
            environment: plan.environment,
            folder,
        };
        cluster.give_to_owner()?;
        cluster.make_first().await?;
        cluster.run(0).await?;
        let server = cluster.psql_at(0, "postgres");
        server.run(&format!("CREATE DATABASE {OWNER}")).await?;
        if plan.standby {
            cluster.follow(1).await?;
        }
        Ok(cluster)
    }

    /// The database's address as `CRM_DATABASE_URL` names it, all servers in it.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| node.address.to_string()).collect();
        url_of(&hosts.join(","))
    }

    /// The address of the server that is written to.
    pub fn primary(&self) -> SocketAddr {
        self.nodes[self.primary].address
    }

    /// Asks whichever server can be written to.
    pub fn psql(&self) -> Psql {
        Psql {
            program: self.programs.join("psql"),
            url: format!("{}&target_session_attrs=read-write&connect_timeout=5", self.url()),
        }
    }

    /// The process of the server that is written to.
    pub fn process(&self) -> anyhow::Result<u32> {
        let process = self.nodes[self.primary].process.as_ref();
        Ok(process.context("the database does not run")?.id())
    }

    /// Stops the server that is written to.
    pub async fn halt(&mut self, how: Halt) -> anyhow::Result<()> {
        let process = self.process()?;
        let children = children_of(process);
        match how {
            Halt::Fast => signal(process, "INT")?,
            // Its children would go on for a moment and finish what they hold.
            Halt::Killed => {
                for one in std::iter::once(process).chain(children) {
                    let _ = signal(one, "KILL");
                }
            }
        }
        let node = &mut self.nodes[self.primary];
        let ended = async {
            while let Some(child) = &mut node.process {
                if child.try_wait()?.is_some() {
                    node.process = None;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            anyhow::Ok(())
        };
        let bound = tokio::time::timeout(START, ended);
        bound.await.context("the database does not stop")?
    }

    /// Starts the server that is written to again.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        self.run(self.primary).await
    }

    /// Waits until the server that is written to answers again; starts it when it gave itself up.
    pub async fn settle(&mut self) -> anyhow::Result<()> {
        let (psql, began) = (self.psql_at(self.primary, "postgres"), Instant::now());
        while psql.run("SELECT 1").await.is_err() {
            let node = &mut self.nodes[self.primary];
            let ended = node.process.as_mut().map(Child::try_wait).transpose()?;
            if ended.flatten().is_some() {
                return self.resume().await;
            }
            ensure!(began.elapsed() < START, "PostgreSQL does not come back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Makes the standby the server that is written to. The other one must be down: two of them would part ways.
    pub async fn promote(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.nodes[self.primary].process.is_none(),
            "the old server still runs"
        );
        let next = self.standby().context("there is no standby")?;
        self.primary = next;
        let data = self.nodes[next].data.clone();
        self.tool("pg_ctl", &["promote", "-w", "-s", "-D"], &data).await
    }

    /// Makes the server that was lost the standby of the one that took over.
    pub async fn rebuild_standby(&mut self) -> anyhow::Result<()> {
        let lost = self.standby().context("there is no second server")?;
        std::fs::remove_dir_all(&self.nodes[lost].data)?;
        self.follow(lost).await
    }

    fn standby(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|number| *number != self.primary)
    }

    /// Throws the database away and makes an empty one.
    pub async fn forget(&self) -> anyhow::Result<()> {
        let server = self.psql_at(self.primary, "postgres");
        server.run(&format!("DROP DATABASE {OWNER} WITH (FORCE)")).await?;
        server.run(&format!("CREATE DATABASE {OWNER}")).await?;
        Ok(())
    }

    /// Keeps data and logs as evidence and says where they are.
    pub fn keep_evidence(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    fn psql_at(&self, node: usize, database: &str) -> Psql {
        let address = self.nodes[node].address;
        Psql {
            program: self.programs.join("psql"),
            url: format!("postgres://{OWNER}@{address}/{database}?sslmode=disable"),
        }
    }

    fn give_to_owner(&self) -> anyhow::Result<()> {
        if is_root()? {
            let text = std::fs::read_to_string("/etc/passwd")?;
            let line = text.lines().find(|line| line.starts_with(&format!("{USER}:")));
            let mut fields = line.context(INSTALL)?.split(':').skip(2);
            let mut id = || fields.next().and_then(|id| id.parse().ok());
            chown(self.folder.path(), id(), id())?;
        }
        Ok(())
    }

    async fn make_first(&self) -> anyhow::Result<()> {
        let first = &self.nodes[0];
        let options = [
            "-U",
            OWNER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=ja-JP",
            "--no-sync",
            "-D",
        ];
        self.tool("initdb", &options, &first.data).await
    }

    /// Copies the server that is written to, follows it, and from then on every commit waits for the copy.
    async fn follow(&mut self, number: usize) -> anyhow::Result<()> {
        let source = self.nodes[self.primary].address;
        let conninfo = format!("host={} port={} user={OWNER}", source.ip(), source.port());
        let options = [
            "-d",
            &conninfo,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
            "-D",
        ];
        let data = self.nodes[number].data.clone();
        self.tool("pg_basebackup", &options, &data).await?;
        self.run(number).await?;
        let primary = self.psql_at(self.primary, "postgres");
        primary
            .run("ALTER SYSTEM SET synchronous_standby_names = '*'")
            .await?;
        primary.run("SELECT pg_reload_conf()").await?;
        let began = Instant::now();
        let following = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')";
        while primary.number(following).await? == 0 {
            ensure!(began.elapsed() < START, "the standby does not follow");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn run(&mut self, number: usize) -> anyhow::Result<()> {
        let name = format!("node-{number}.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join(name))?;
        let node = &self.nodes[number];
        let mut command = self.command("postgres")?.into_std();
        command
            .arg("-D")
            .arg(&node.data)
            .arg("-p")
            .arg(node.address.port().to_string());
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=120",
            "shared_buffers=64MB",
            "wal_keep_size=256MB",
            "max_wal_senders=4",
            "synchronous_commit=on",
            "hot_standby=on",
            "log_checkpoints=off",
        ];
        for setting in settings {
            command.args(["-c", setting]);
        }
        // A standby takes what its primary says from the copied file; only the one written to waits for another.
        if number == self.primary && self.standby().is_none() {
            command.args(["-c", "synchronous_standby_names="]);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.nodes[number].process = Some(command.spawn().context(INSTALL)?);
        self.wait_for(number).await
    }

    async fn wait_for(&mut self, number: usize) -> anyhow::Result<()> {
        let (psql, began) = (self.psql_at(number, "postgres"), Instant::now());
        while psql.run("SELECT 1").await.is_err() {
            let ended = self.nodes[number]
                .process
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten();
            if let Some(status) = ended {
                let log = self.folder.path().join(format!("node-{number}.log"));
                bail!("PostgreSQL ended ({status}): {}", std::fs::read_to_string(log)?);
            }
            ensure!(
                began.elapsed() < START,
                "PostgreSQL did not start within {START:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// A program of PostgreSQL's, as the user it demands.
    fn command(&self, program: &str) -> anyhow::Result<Command> {
        let path = self.programs.join(program);
        let mut command = if is_root()? {
            let mut command = Command::new("setpriv");
            let id = format!("--reuid={USER}");
            command
                .args([&id, &format!("--regid={USER}"), "--init-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.env_clear().current_dir(self.folder.path());
        Ok(command)
    }

    async fn tool(&self, program: &str, options: &[&str], data: &Path) -> anyhow::Result<()> {
        let done = self.command(program)?.args(options).arg(data).output().await?;
        ensure!(
            done.status.success(),
            "{program}: {}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut child) = node.process.take() {
                let _ = signal(child.id(), "CONT");
                // Immediate: its children end too.
                let _ = signal(child.id(), "QUIT");
                let _ = child.wait();
            }
        }
    }
}

impl Psql {
    /// Runs these statements; what they print, without decoration.
    pub async fn run(&self, sql: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
            &self.url,
        ]);
        let done = command.stdin(Stdio::null()).output().await.context(INSTALL)?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    /// A query of one number.
    pub async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let text = self.run(sql).await?;
        text.parse().with_context(|| format!("{text} is no number"))
    }
}

/// The address of our database on these hosts.
pub(crate) fn url_of(hosts: &str) -> String {
    format!("postgres://{OWNER}@{hosts}/{OWNER}?sslmode=disable")
}

/// Lets everybody into a folder and read what is in it: PostgreSQL runs as another user.
pub(crate) fn open_to_all(folder: &Path) -> anyhow::Result<()> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o666))?;
        }
    }
    Ok(())
}

fn is_root() -> anyhow::Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn children_of(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// The folder of the newest version's programs.
fn programs() -> anyhow::Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .context(INSTALL)?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("postgres").is_file().then_some((version, programs))
        })
        .collect();
    found.sort();
    let (_, newest) = found.pop().context(INSTALL)?;
    Ok(newest)
}
