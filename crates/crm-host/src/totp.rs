//! Codes of authenticator apps by totp-rs.

use crm_domain::instant::Instant;
use crm_domain::ports::one_time_codes::{AppEntry, OneTimeCodes};
use totp_rs::{Algorithm, Builder, Secret, Totp};

const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// How many steps a clock may be off, either way.
const TOLERANCE: u16 = 1;

/// RFC 6238 as every authenticator app knows it: SHA-1, six digits, 30 seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct TotpCodes;

fn builder(seed: &[u8]) -> Builder {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(TOLERANCE)
        .with_step_duration(STEP_SECONDS)
        .with_secret(seed.to_vec())
}

/// A colon would end the issuer or the account in the address.
fn label(text: &str) -> String {
    text.replace(':', " ")
}

fn seconds(at: Instant) -> u64 {
    u64::try_from(at.unix_millis() / 1000).unwrap_or_default()
}

impl OneTimeCodes for TotpCodes {
    fn step_of(&self, seed: &[u8], code: &str, at: Instant) -> Option<i64> {
        let codes: Totp = builder(seed).build().ok()?;
        let step = codes.check(code, seconds(at))?;
        i64::try_from(step).ok()
    }

    fn app_entry(&self, seed: &[u8], issuer: &str, account: &str) -> AppEntry {
        let issuer = Some(label(issuer)).filter(|issuer| !issuer.trim().is_empty());
        let codes = builder(seed)
            .with_issuer(issuer)
            .with_account_name(label(account))
            .build_noncompliant();
        AppEntry {
            // Only an empty account has no address; then the secret can still be typed.
            address: codes.to_url().unwrap_or_default(),
            secret: Secret::from(seed.to_vec()).to_base32(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TotpCodes, builder, seconds};
    use crm_domain::instant::Instant;
    use crm_domain::ports::one_time_codes::OneTimeCodes;

    /// The seed of RFC 6238's test vectors.
    const SEED: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Instant {
        Instant::from_unix_millis(seconds * 1000)
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(TotpCodes.step_of(SEED, code, at(time)), Some(time / 30), "{time}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_no_more() {
        let shown = |time: i64| {
            let code = builder(SEED).build().unwrap().generate(seconds(at(time)));
            code.to_string()
        };
        let now = 1_111_111_110;
        for (shift, step) in [
            (-60, None),
            (-30, Some(-1)),
            (0, Some(0)),
            (30, Some(1)),
            (60, None),
        ] {
            let found = TotpCodes.step_of(SEED, &shown(now + shift), at(now));
            assert_eq!(found, step.map(|step| now / 30 + step), "{shift}");
        }
    }

    #[test]
    fn nonsense_is_no_code() {
        for code in [
            "",
            "28708",
            "2870822",
            "abcdef",
            "２８７０８２",
            "-87082",
            "287 082 ",
        ] {
            assert_eq!(TotpCodes.step_of(SEED, code, at(59)), None, "{code:?}");
        }
        assert_eq!(TotpCodes.step_of(b"short", "287082", at(59)), None);
    }

    #[test]
    fn an_app_takes_in_the_address() {
        let entry = TotpCodes.app_entry(SEED, "顧客管理: 本社", "hanako@example.jp");
        assert!(entry.address.starts_with("otpauth://totp/"), "{}", entry.address);
        assert!(
            entry.address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            "{}",
            entry.address
        );
        assert!(entry.address.contains("hanako%40example.jp"), "{}", entry.address);
        assert!(entry.address.contains("issuer="), "{}", entry.address);
        assert_eq!(entry.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
