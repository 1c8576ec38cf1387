//! The peer: a Flask implementation of the specification under gunicorn, on the same data.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::server::wait_for;

/// A running peer, ended when dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Peer {
    /// Starts gunicorn with 2 workers of 4 threads on `database`.
    pub(crate) async fn start(python: &Path, folder: &Path, database: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let child = Command::new(python)
            .args([
                "-m",
                "gunicorn",
                "-w",
                "2",
                "--threads",
                "4",
                "-t",
                "300",
                "-b",
                &address.to_string(),
                "app:app",
            ])
            .current_dir(folder)
            .env("POC_DB", database)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("gunicorn does not start")?;
        let peer = Self { child, address };
        wait_for(address, std::time::Duration::from_secs(20)).await?;
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The master ends its workers on SIGTERM only.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// An address of this machine that nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
