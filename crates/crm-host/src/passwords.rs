//! Passwords by argon2id, one at a time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use crm_domain::ports::host::{PasswordError, Passwords, Secrets};

const MEMORY_KIB: u32 = 12 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// argon2id with 12 MiB, t=3, p=1. One password is hashed at a time and at most [`ArgonPasswords::QUEUE`] wait, so that
/// a flood of sign-ins can neither fill the memory nor hold every thread.
pub struct ArgonPasswords {
    argon: Argon2<'static>,
    secrets: Arc<dyn Secrets>,
    nobody: String,
    turn: Mutex<()>,
    inside: AtomicUsize,
    done: AtomicU64,
}

impl ArgonPasswords {
    /// How many may wait; one more is told that it is busy.
    pub const QUEUE: usize = 20;

    /// Prepares the hash that stands in for accounts that do not exist, which takes as long as one sign-in.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Broken)?;
        let mut passwords = Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            secrets,
            nobody: String::new(),
            turn: Mutex::new(()),
            inside: AtomicUsize::new(0),
            done: AtomicU64::new(0),
        };
        let unguessable = passwords.secrets.token();
        passwords.nobody = passwords.hash(&unguessable)?;
        Ok(passwords)
    }

    /// How many passwords were hashed so far: shows that unknown accounts cost as much as known ones.
    pub fn hashed(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, PasswordError>) -> Result<T, PasswordError> {
        let _place = Place::take(&self.inside)?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.done.fetch_add(1, Ordering::Relaxed);
        work()
    }

    fn check(&self, password: &str, hash: &str) -> Result<bool, PasswordError> {
        let hash = PasswordHash::new(hash).map_err(|_| PasswordError::Broken)?;
        match self.argon.verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(_) => Err(PasswordError::Broken),
        }
    }
}

impl Passwords for ArgonPasswords {
    fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let mut salt = [0; SALT_BYTES];
        self.secrets.fill(&mut salt);
        self.in_turn(|| {
            self.argon
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|_| PasswordError::Broken)
        })
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody);
        self.in_turn(|| self.check(password, hash).map(|right| right && known))
    }
}

/// A place among those who hash or wait; given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(inside: &'a AtomicUsize) -> Result<Self, PasswordError> {
        let place = Self(inside);
        if inside.fetch_add(1, Ordering::AcqRel) > ArgonPasswords::QUEUE {
            return Err(PasswordError::Busy);
        }
        Ok(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::{ArgonPasswords, Place};
    use crate::secrets::RingSecrets;
    use crm_domain::ports::host::{PasswordError, Passwords};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn passwords() -> ArgonPasswords {
        ArgonPasswords::new(Arc::new(RingSecrets::new())).unwrap()
    }

    #[test]
    fn only_the_right_password_has_the_hash() {
        let passwords = passwords();
        let hash = passwords.hash("正しい馬").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{hash}");
        assert_eq!(passwords.verify("正しい馬", Some(&hash)), Ok(true));
        assert_eq!(passwords.verify("wrong", Some(&hash)), Ok(false));
        assert_eq!(passwords.verify("x", Some("no hash")), Err(PasswordError::Broken));
    }

    #[test]
    fn an_unknown_account_costs_one_hash_too() {
        let passwords = passwords();
        let before = passwords.hashed();
        assert_eq!(passwords.verify("anything", None), Ok(false));
        assert_eq!(passwords.hashed() - before, 1);
    }

    #[test]
    fn who_finds_the_queue_full_is_told_so_and_leaves_no_trace() {
        let inside = AtomicUsize::new(0);
        let places: Vec<_> = (0..=ArgonPasswords::QUEUE)
            .map(|_| Place::take(&inside).unwrap())
            .collect();
        assert!(matches!(Place::take(&inside), Err(PasswordError::Busy)));
        drop(places);
        assert_eq!(inside.load(Ordering::Acquire), 0);
    }
}
