//! Any bytes as a record of the held callbacks.

use std::net::{IpAddr, Ipv4Addr};

use crm_domain::instant::Instant;
use crm_domain::ports::quarantine::{HeldCallback, HeldReason};

use super::record::{FRAME, first, framed};

/// Takes the bytes for a file, and for the body of a held callback.
pub(crate) fn record(input: &[u8]) {
    if let Some((length, id, held)) = first(input) {
        assert!((FRAME..=input.len()).contains(&length), "more than there is");
        let again = framed(id, &held);
        assert_eq!(
            first(&again),
            Some((again.len(), id, held)),
            "read, written and read again"
        );
    }
    let held = HeldCallback {
        reason: HeldReason::OtherAddress,
        bot_id: "2000001".to_owned(),
        signature: String::from_utf8_lossy(&input[..input.len().min(100)]).into_owned(),
        body: input.to_vec(),
        from: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        at: Instant::from_unix_millis(1_783_474_245_123),
    };
    let whole = framed(7, &held);
    assert_eq!(first(&whole), Some((whole.len(), 7, held)), "written and read");
    let last = whole.len() - 1;
    for end in [0, FRAME, last / 2, last] {
        assert!(
            first(&whole[..end]).is_none(),
            "a torn record of {end} bytes counts"
        );
        let mut changed = whole.clone();
        changed[end] ^= 1;
        assert!(first(&changed).is_none(), "a record changed at {end} counts");
    }
}
