//! The server under trial, as a child process that is killed as the power kills, frozen, or told to stop.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// What the server's log says before its address.
const LISTENING: &str = "listening on http://";

/// A running server with a log of its own. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `binary` with these settings and nothing else of the environment.
    pub(crate) fn spawn(
        binary: &Path,
        folder: &Path,
        settings: &[(String, String)],
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let out = File::create(&log)?;
        let child = Command::new(binary)
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until the log tells where it listens.
    pub(crate) async fn address(&mut self, bound: Duration) -> anyhow::Result<SocketAddr> {
        let end = Instant::now() + bound;
        while Instant::now() < end {
            if let Some(address) = self.told_address()? {
                return Ok(address);
            }
            self.assert_alive()?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!(
            "the server did not listen within {bound:?}; see {}",
            self.log.display()
        )
    }

    fn told_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let log = std::fs::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        let Some((_, after)) = log.split_once(LISTENING) else {
            return Ok(None);
        };
        // Half a line is no address.
        let told = after
            .split_once(char::is_whitespace)
            .map(|(address, _)| address.parse());
        Ok(told.transpose()?)
    }

    /// An error when it ended by itself, with the end of its log.
    pub(crate) fn assert_alive(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(10)..].join("\n");
        bail!("the server ended by itself ({status}); the end of its log:\n{last}")
    }

    /// The signal of this name (`STOP`, `CONT`, `TERM`).
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.child.id(), name)
    }

    /// Waits until it ended by itself; an error if it did not within `bound`.
    pub(crate) async fn ended(&mut self, bound: Duration) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + bound;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!(
            "the server did not end within {bound:?}; see {}",
            self.log.display()
        )
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal; the shell knows how, on every machine.
pub(crate) fn signal(process: u32, name: &str) -> anyhow::Result<()> {
    let sent = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .status()?;
    ensure!(sent.success(), "the process {process} is not there any more");
    Ok(())
}
