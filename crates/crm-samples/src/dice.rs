//! Numbers that look random and are the same every time.

/// `SplitMix64` on the number of the throw.
pub(crate) fn throw(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number below `end`, which is at least 1.
pub(crate) fn below(end: u64, seed: u64, number: u64) -> u64 {
    let product = u128::from(throw(seed, number)) * u128::from(end);
    u64::try_from(product >> 64).unwrap_or(0)
}

/// One of a list that is not empty.
pub(crate) fn pick<T>(list: &[T], seed: u64, number: u64) -> &T {
    let at = below(list.len() as u64, seed, number);
    &list[usize::try_from(at).unwrap_or(0)]
}
