//! What is fuzzed here: each function takes any bytes and panics when a promise is broken. The tests below run them for ten
//! seconds each; the crate `fuzz` hands the same functions to cargo-fuzz.

use crate::quarantine::fuzzing as held;
use crate::spool::fuzzing as spooled;
use crate::vault::fuzzing as sealed;

/// What a file of the spool holds: a record is found only where, when and as it was written; a torn one is none.
pub fn spool(input: &[u8]) {
    spooled::record(input);
}

/// What the file of held callbacks holds: read back as it was written; a torn one is none.
pub fn quarantine(input: &[u8]) {
    held::record(input);
}

/// What lies sealed in the database: it opens in its place and as it was sealed, and nothing else does.
pub fn envelope(input: &[u8]) {
    sealed::envelope(input);
}

#[cfg(test)]
mod tests {
    use crm_testkit::fuzz;

    #[test]
    fn fuzz_spool() {
        fuzz::run("spool", super::spool);
    }

    #[test]
    fn fuzz_quarantine() {
        fuzz::run("quarantine", super::quarantine);
    }

    #[test]
    fn fuzz_envelope() {
        fuzz::run("envelope", super::envelope);
    }
}
