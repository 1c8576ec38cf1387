//! Passwords without the slow hashing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use crm_domain::ports::host::{PasswordError, Passwords};

/// The one password that [`PlainPasswords`] takes for a common one.
pub const COMMON_PASSWORD: &str = "password1234";

/// Keeps passwords readable, so that tests are quick, and counts the checks, so that equal effort can be told.
#[derive(Debug, Default)]
pub struct PlainPasswords {
    checks: AtomicUsize,
    busy: AtomicBool,
}

impl PlainPasswords {
    /// How many passwords were checked, those against no hash too.
    pub fn checks(&self) -> usize {
        self.checks.load(Ordering::Relaxed)
    }

    /// Whether it answers [`PasswordError::Busy`] from now on.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    fn admit(&self) -> Result<(), PasswordError> {
        if self.busy.load(Ordering::Relaxed) {
            Err(PasswordError::Busy)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Passwords for PlainPasswords {
    async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        self.admit()?;
        Ok(format!("$plain${password}"))
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        self.admit()?;
        self.checks.fetch_add(1, Ordering::Relaxed);
        match hash.map(|hash| hash.strip_prefix("$plain$")) {
            None => Ok(false),
            Some(None) => Err(PasswordError::Broken),
            Some(Some(kept)) => Ok(kept == password),
        }
    }

    async fn is_common(&self, password: &str) -> Result<bool, PasswordError> {
        Ok(password.to_lowercase() == COMMON_PASSWORD)
    }
}
