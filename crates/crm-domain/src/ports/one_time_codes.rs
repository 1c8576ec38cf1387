//! Codes that an authenticator app shows: six digits, anew every 30 seconds.

use crate::instant::Instant;

/// What an authenticator app takes in.
#[derive(Clone, PartialEq, Eq)]
pub struct AppEntry {
    /// The `otpauth://` address, for a QR code.
    pub address: String,
    /// The seed in base 32, to be typed where no camera is.
    pub secret: String,
}

/// Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds).
pub trait OneTimeCodes: Send + Sync {
    /// The number of the step whose code this is, among the step at that time, the one before and the one after; `None`
    /// if it is none of theirs.
    fn step_of(&self, seed: &[u8], code: &str, at: Instant) -> Option<i64>;

    /// What an app takes in for this seed; `issuer` and `account` are what it shows above the code.
    fn app_entry(&self, seed: &[u8], issuer: &str, account: &str) -> AppEntry;
}

/// No codes: for programs whose people sign in elsewhere. No code is ever right.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCodes;

impl OneTimeCodes for NoCodes {
    fn step_of(&self, _seed: &[u8], _code: &str, _at: Instant) -> Option<i64> {
        None
    }

    fn app_entry(&self, _seed: &[u8], _issuer: &str, _account: &str) -> AppEntry {
        AppEntry {
            address: String::new(),
            secret: String::new(),
        }
    }
}
