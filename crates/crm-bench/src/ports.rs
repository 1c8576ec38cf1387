//! Ports that nobody takes while a server on them is away.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::bail;

/// Below the range from which systems take the ports of outgoing connections: else one of those could sit on a port
/// whose server is only being restarted.
const FIRST: u16 = 12_000;
const LAST: u16 = 31_900;
/// So far apart do two programs begin that look at the same time.
const STEP: u32 = 53;

/// So many free addresses of this machine that stay usable across restarts.
pub(crate) fn lasting_addresses(count: usize) -> anyhow::Result<Vec<SocketAddr>> {
    let room = u32::from(LAST - FIRST);
    let start = std::process::id().wrapping_mul(STEP) % room;
    // All are held until the last one is found, so that none is found twice.
    let mut held = Vec::with_capacity(count);
    for number in 0..room {
        if held.len() == count {
            break;
        }
        let port = FIRST + u16::try_from((start + number) % room)?;
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    }
    if held.len() < count {
        bail!("no {count} free ports on this machine");
    }
    held.iter().map(|listener| Ok(listener.local_addr()?)).collect()
}
