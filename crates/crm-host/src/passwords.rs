//! Passwords by argon2id, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use crm_domain::ports::host::{PasswordError, Passwords, Secrets};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 12 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// A password of the 10,000 commonest takes at most 10,001 guesses; one with digits in a row behind it, some more.
const EASY_GUESSES: u64 = 100_000;

/// argon2id with 12 MiB, t=3, p=1, on a blocking thread. One password is hashed at a time and at most
/// [`ArgonPasswords::QUEUE`] wait, so that a flood of sign-ins can neither fill the memory nor hold every thread.
pub struct ArgonPasswords {
    secrets: Arc<dyn Secrets>,
    argon: Argon2<'static>,
    nobody: String,
    turn: Arc<Semaphore>,
    inside: AtomicUsize,
    done: AtomicU64,
}

impl ArgonPasswords {
    /// How many may wait; one more is told that it is busy.
    pub const QUEUE: usize = 20;

    /// Prepares the hash that stands in for accounts that do not exist, which takes as long as one sign-in.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Broken)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let unguessable = secrets.token();
        Ok(Self {
            nobody: hash(&argon, &unguessable, salt(secrets.as_ref()))?,
            argon,
            secrets,
            turn: Arc::new(Semaphore::new(1)),
            inside: AtomicUsize::new(0),
            done: AtomicU64::new(0),
        })
    }

    /// How many passwords were hashed so far: shows that unknown accounts cost as much as known ones.
    pub fn hashed(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = Place::take(&self.inside)?;
        let turn = Arc::clone(&self.turn)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Broken)?;
        self.done.fetch_add(1, Ordering::Relaxed);
        // The turn ends with the work, not with a caller who goes away.
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(turn);
            outcome
        })
        .await;
        outcome.map_err(|_| PasswordError::Broken)?
    }
}

#[async_trait]
impl Passwords for ArgonPasswords {
    async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let (argon, salt) = (self.argon.clone(), salt(self.secrets.as_ref()));
        let password = password.to_owned();
        self.in_turn(move || hash(&argon, &password, salt)).await
    }

    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        let (argon, password) = (self.argon.clone(), password.to_owned());
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let right = self.in_turn(move || check(&argon, &password, &stored)).await?;
        Ok(right && known)
    }

    async fn is_common(&self, password: &str) -> Result<bool, PasswordError> {
        let password = password.to_lowercase();
        self.in_turn(move || Ok(is_common(&password))).await
    }
}

/// Whether somebody who tries the commonest passwords first finds it soon. The library's list of leaked passwords is
/// ordered by frequency, and the guesses it counts are the place in that list; repetitions, rows of keys and endings as
/// 1234 are found as well.
fn is_common(lower_case: &str) -> bool {
    zxcvbn::zxcvbn(lower_case, &[]).guesses() <= EASY_GUESSES
}

fn salt(secrets: &dyn Secrets) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    secrets.fill(&mut salt);
    salt
}

fn hash(argon: &Argon2<'_>, password: &str, salt: [u8; SALT_BYTES]) -> Result<String, PasswordError> {
    argon
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Broken)
}

fn check(argon: &Argon2<'_>, password: &str, stored: &str) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(stored).map_err(|_| PasswordError::Broken)?;
    match argon.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Broken),
    }
}

/// A place among those who hash or wait; given back when dropped, also when the caller goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(inside: &'a AtomicUsize) -> Result<Self, PasswordError> {
        let before = inside.fetch_add(1, Ordering::AcqRel);
        let place = Self(inside);
        if before > ArgonPasswords::QUEUE {
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

    #[tokio::test]
    async fn only_the_right_password_has_the_hash() {
        let passwords = passwords();
        let hash = passwords.hash("正しい馬").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{hash}");
        assert_eq!(passwords.verify("正しい馬", Some(&hash)).await, Ok(true));
        assert_eq!(passwords.verify("wrong", Some(&hash)).await, Ok(false));
        let broken = passwords.verify("x", Some("no hash")).await;
        assert_eq!(broken, Err(PasswordError::Broken));
    }

    #[tokio::test]
    async fn an_unknown_account_costs_one_hash_too() {
        let passwords = passwords();
        let before = passwords.hashed();
        assert_eq!(passwords.verify("anything", None).await, Ok(false));
        assert_eq!(passwords.hashed() - before, 1);
    }

    #[tokio::test]
    async fn common_passwords_are_known_as_such() {
        let passwords = passwords();
        for common in [
            "123456",
            "password",
            "Password1",
            "QWERTYUIOP",
            "unbelievable",
            "123456789012",
            "passwordpassword",
            "Password1234",
            "aaaaaaaaaaaaaaa",
        ] {
            assert_eq!(passwords.is_common(common).await, Ok(true), "{common}");
        }
        for rare in [
            "correct horse",
            "正しい馬の電池ホチキス",
            "long enough 馬",
            "tanuki-to-kitsune",
        ] {
            assert_eq!(passwords.is_common(rare).await, Ok(false), "{rare}");
        }
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
