//! The server under measurement, as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::http::Connection;
use crate::peer::free_address;
use crate::place::Place;
use crate::trial::is_ready;

/// The bot that the measured server is set up with.
pub(crate) const BOT_ID: &str = "2000001";
/// Its secret.
pub(crate) const BOT_SECRET: &str = "bench-bot-secret";

/// A running server, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts it in its place, with so many descriptors if they are to be few.
    pub(crate) async fn start(place: &Place, descriptors: Option<u32>) -> anyhow::Result<Self> {
        let (binary, data) = (place.binary(), place.data());
        let mut command = command(binary, descriptors);
        let address = free_address()?;
        let began = Instant::now();
        let child = command
            .current_dir(&data)
            .env("CRM_LISTEN", address.to_string())
            .env("CRM_DATA_DIR", &data)
            .env("CRM_LOG", "warning")
            // The daily backup would begin after twenty seconds, and be measured too.
            .env("CRM_BACKUP_KEEP", "0")
            .env("LINE_WORKS_BOT_ID", BOT_ID)
            .env("LINE_WORKS_BOT_SECRET", BOT_SECRET)
            .env("LINE_WORKS_CLIENT_ID", "bench")
            .env("LINE_WORKS_CLIENT_SECRET", "bench")
            .env("LINE_WORKS_SERVICE_ACCOUNT", "bench.serviceaccount@example")
            .env("LINE_WORKS_DOMAIN_ID", "400000001")
            .env("LINE_WORKS_PRIVATE_KEY_FILE", place.key())
            .envs(place.settings())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| {
                format!(
                    "{} does not start; build it with --release first",
                    binary.display()
                )
            })?;
        let mut server = Self {
            child,
            address,
            started_in: Duration::ZERO,
        };
        wait_until_ready(address, Duration::from_secs(30)).await?;
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        Ok(self.resident_kib()? / 1024)
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(binary: &Path, descriptors: Option<u32>) -> Command {
    let Some(descriptors) = descriptors else {
        return Command::new(binary);
    };
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!("ulimit -n {descriptors} && exec \"$0\""))
        .arg(binary);
    shell
}

/// Waits until crm-web takes requests; while it brings its database up to date it answers, but serves nothing.
async fn wait_until_ready(address: SocketAddr, bound: Duration) -> anyhow::Result<()> {
    let ready = async {
        while !is_ready(address).await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(bound, ready).await;
    waited.with_context(|| format!("{address} was not ready within {bound:?}"))
}

/// Waits until the server answers anything.
pub(crate) async fn wait_for(address: SocketAddr, bound: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + bound;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    while Instant::now() < end {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.exchange(request.as_bytes()).await.is_ok()
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("{address} did not answer within {bound:?}")
}
