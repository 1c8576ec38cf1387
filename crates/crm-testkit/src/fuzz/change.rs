//! What is done to an input before it is tried.

/// Numbers that trip arithmetic on lengths and ends.
const EDGES: [u8; 9] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, b'\n', b'"', b'%'];
/// No input grows beyond this.
const LONGEST: usize = 64 * 1_024;

/// Numbers that look like chance and come out the same for the same seed and case (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of one case.
    pub fn new(seed: u64, case: u64) -> Self {
        Self(seed ^ case.wrapping_mul(0xA076_1D64_78BD_642F))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let number = self.next().checked_rem(end as u64).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A piece of these bytes, up to `most` long.
    fn piece(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        let size = self.below(most.min(length - from) + 1);
        from..from + size
    }
}

/// One of the inputs, changed in one to some dozen places.
pub(super) fn changed(dice: &mut Dice, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[dice.below(inputs.len())].clone();
    let most = 1 << dice.below(6);
    for _ in 0..=dice.below(most) {
        change(dice, &mut input, inputs);
    }
    input.truncate(LONGEST);
    input
}

fn change(dice: &mut Dice, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
    if input.is_empty() {
        input.push(dice.byte());
    }
    let at = dice.below(input.len());
    match dice.below(9) {
        0 => input[at] ^= 1 << dice.below(8),
        1 => input[at] = dice.byte(),
        2 => input[at] = EDGES[dice.below(EDGES.len())],
        3 => input[at] = input[at].wrapping_add(1).wrapping_sub(2 * (dice.byte() & 1)),
        4 => input.insert(at, dice.byte()),
        5 => drop(input.drain(dice.piece(input.len(), 64))),
        6 => repeat(dice, input, at),
        7 => input.truncate(at),
        _ => borrow(dice, input, at, inputs),
    }
}

/// A piece of it once more, somewhere else.
fn repeat(dice: &mut Dice, input: &mut Vec<u8>, at: usize) {
    let piece = input[dice.piece(input.len(), 64)].to_vec();
    input.splice(at..at, piece);
}

/// A piece of another input, put in or written over what stands there.
fn borrow(dice: &mut Dice, input: &mut Vec<u8>, at: usize, inputs: &[Vec<u8>]) {
    let other = &inputs[dice.below(inputs.len())];
    let piece = other[dice.piece(other.len(), 256)].to_vec();
    let over = if dice.below(2) == 0 { piece.len() } else { 0 };
    let end = (at + over).min(input.len());
    input.splice(at..end, piece);
}

#[cfg(test)]
mod tests {
    use super::{Dice, LONGEST, changed};

    #[test]
    fn the_same_seed_and_case_give_the_same_input() {
        let inputs = [b"{\"type\":\"message\"}".to_vec(), Vec::new(), vec![0; LONGEST]];
        let make = |seed, case| changed(&mut Dice::new(seed, case), &inputs);
        let mut different = std::collections::HashSet::new();
        for case in 0..300 {
            let input = make(7, case);
            assert_eq!(input, make(7, case));
            assert!(input.len() <= LONGEST);
            different.insert(input);
        }
        assert!(different.len() > 200, "{} of 300", different.len());
        assert_ne!(make(1, 0), make(2, 0));
    }
}
