//! Codes of an authenticator app without its arithmetic.

use crm_domain::instant::Instant;
use crm_domain::ports::one_time_codes::{AppEntry, OneTimeCodes};

const STEP_MILLIS: i64 = 30_000;

/// The code of a step is the step's number and the seed's first byte, cut to six digits.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountedCodes;

impl CountedCodes {
    /// What an app with this seed shows at that time. The seed is taken as [`AppEntry::secret`] gives it.
    pub fn shown(secret: &str, at: Instant) -> String {
        let first = secret.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        code(first.unwrap_or_default(), at.unix_millis() / STEP_MILLIS)
    }
}

fn code(first: u8, step: i64) -> String {
    format!("{:06}", (step * 7 + i64::from(first)) % 1_000_000)
}

impl OneTimeCodes for CountedCodes {
    fn step_of(&self, seed: &[u8], typed: &str, at: Instant) -> Option<i64> {
        let now = at.unix_millis() / STEP_MILLIS;
        (now - 1..=now + 1).find(|step| code(seed[0], *step) == typed)
    }

    fn app_entry(&self, seed: &[u8], issuer: &str, account: &str) -> AppEntry {
        AppEntry {
            address: format!("otpauth://totp/{issuer}:{account}"),
            secret: seed
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")),
        }
    }
}
