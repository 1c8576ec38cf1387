//! `crm-web --healthy`: whether the server that runs with these settings answers, for machines that watch over it and have no
//! other client at hand.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crm_web::health;

use crate::Failed;

/// How long each step of the question may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// More of the answer is not looked at.
const LINE: u64 = 64;

/// Asks who listens on this address; an error says why it is not well.
pub(crate) fn ask(listen: SocketAddr) -> Result<(), Failed> {
    let address = reachable(listen);
    let answer = exchange(address).map_err(|error| Failed(format!("{address}: {error}")))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(Failed(format!(
        "{address}: {}",
        answer.lines().next().unwrap_or_default()
    )))
}

/// Where this machine reaches what listens everywhere.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let here = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(here, listen.port())
}

/// In clear also where https is spoken: the question and the answer are no secret, and are answered there too.
fn exchange(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let path = health::LIVES;
    stream.write_all(
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut line = Vec::new();
    stream.take(LINE).read_to_end(&mut line)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn what_listens_everywhere_is_reached_here() {
        let reached = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:3000"), "127.0.0.1:3000");
        assert_eq!(reached("[::]:3000"), "[::1]:3000");
        assert_eq!(reached("192.0.2.7:80"), "192.0.2.7:80");
    }
}
