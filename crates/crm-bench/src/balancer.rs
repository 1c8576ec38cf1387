//! nginx before several servers, with a configuration of our own, on free ports.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::http::Connection;

const INSTALL: &str =
    "nginx is not here. Please run: sudo apt-get install -y --no-install-recommends nginx-light";

/// A running nginx. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Balancer {
    child: Child,
    /// Where the world knocks.
    pub(crate) address: SocketAddr,
}

impl Balancer {
    /// Starts it before these servers, which need not run yet.
    pub(crate) async fn start(
        folder: &Path,
        address: SocketAddr,
        servers: &[SocketAddr],
    ) -> anyhow::Result<Self> {
        let config = folder.join("nginx.conf");
        std::fs::write(&config, configuration(folder, address, servers))?;
        let child = Command::new("/usr/sbin/nginx")
            .arg("-p")
            .arg(folder)
            .arg("-e")
            .arg(folder.join("nginx.log"))
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(INSTALL)?;
        let mut balancer = Self { child, address };
        let began = Instant::now();
        while Connection::open(address).await.is_err() {
            let log = || std::fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
            ensure!(
                balancer.child.try_wait()?.is_none(),
                "nginx does not start: {}",
                log()
            );
            ensure!(
                began.elapsed() < Duration::from_secs(20),
                "nginx does not listen: {}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(balancer)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that does not answer is left alone for a second. A callback and a page that got no answer go to the next
/// one; a form does not, once it may have been read: whoever sent it sends it again with its key.
fn configuration(folder: &Path, address: SocketAddr, servers: &[SocketAddr]) -> String {
    let folder = folder.display();
    let mut upstream = String::new();
    for server in servers {
        let _ = writeln!(upstream, "    server {server} max_fails=1 fail_timeout=1s;");
    }
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {folder}/nginx-{kind};\n"))
        .concat();
    format!(
        r#"daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
{temp}  access_log off;
  upstream crm {{
{upstream}    keepalive 16;
  }}
  server {{
    listen {address};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_connect_timeout 1s;
    proxy_next_upstream_tries 3;
    location / {{
      proxy_pass http://crm;
      proxy_read_timeout 3s;
      proxy_next_upstream error timeout http_502 http_503;
    }}
    location = /webhook {{
      proxy_pass http://crm;
      proxy_read_timeout 3s;
      proxy_next_upstream error timeout non_idempotent http_500 http_502 http_503 http_504;
    }}
    location ~ ^/(customer/[0-9]+/send|send-message) {{
      proxy_pass http://crm;
      proxy_read_timeout 45s;
      proxy_next_upstream error timeout;
    }}
    location = /events {{
      proxy_pass http://crm;
      proxy_buffering off;
      proxy_read_timeout 60s;
      proxy_next_upstream error timeout http_502 http_503;
    }}
  }}
}}
"#
    )
}
