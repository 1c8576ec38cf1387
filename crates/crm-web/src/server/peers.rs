//! Counts the connections of each peer, so that one cannot take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections each address has open.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One counted connection; dropping it counts it off.
#[derive(Debug)]
pub(super) struct Counted {
    peers: Peers,
    address: IpAddr,
}

impl Peers {
    /// Counts one more connection of `address`, or `None` if it has `most` already.
    pub(super) fn count(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted {
            peers: self.clone(),
            address,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::Peers;

    #[test]
    fn a_peer_gets_no_more_than_its_share_and_gets_it_back() {
        let peers = Peers::default();
        let one = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let first = peers.count(one, 1);
        assert!(first.is_some() && peers.count(one, 1).is_none() && peers.count(other, 1).is_some());
        drop(first);
        assert!(peers.count(one, 1).is_some());
    }
}
