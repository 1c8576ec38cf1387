//! Any bytes as a record of the spool.

use super::record::{FRAME, decode, encode, find, framed};

const EPOCH: [u8; 8] = *b"an epoch";
const PLACE: u64 = 4_096;

/// Takes the bytes for a file, for a record, and for what a record holds.
pub(crate) fn record(input: &[u8]) {
    if let Some(found) = find(EPOCH, PLACE, input) {
        assert!(
            !found.bytes.is_empty() && found.bytes.len() + FRAME <= input.len(),
            "more than there is"
        );
    }
    if let Some(receipt) = decode(input) {
        // A time that no calendar has comes out as the last that one has.
        assert_eq!(encode(&receipt)[8..], input[8..], "read and written again");
        assert_eq!(decode(&encode(&receipt)), Some(receipt), "written and read again");
    }
    if !input.is_empty() {
        written(input);
    }
}

/// What was written is found, in front of anything; torn, changed, moved or from earlier times it is not.
fn written(input: &[u8]) {
    let whole = framed(EPOCH, PLACE, input);
    let found = |file: &[u8]| find(EPOCH, PLACE, file).map(|found| found.bytes.to_vec());
    assert_eq!(found(&whole).as_deref(), Some(input), "written and found");
    assert_eq!(
        found(&[&whole, input].concat()).as_deref(),
        Some(input),
        "found in front of others"
    );
    let last = whole.len() - 1;
    for end in [0, FRAME - 1, FRAME, last / 2, last] {
        assert!(
            found(&whole[..end]).is_none(),
            "a torn record of {end} bytes counts"
        );
        let mut torn = whole.clone();
        torn[end.max(8)..].fill(0);
        let kept = torn == whole;
        assert!(
            kept || found(&torn).is_none(),
            "a record counts that is written up to {end}"
        );
    }
    for at in [0, 8, FRAME, last] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(found(&changed).is_none(), "a record changed at {at} counts");
    }
    assert!(find(EPOCH, PLACE + 1, &whole).is_none(), "moved");
    assert!(find(*b"another.", PLACE, &whole).is_none(), "from earlier times");
}
