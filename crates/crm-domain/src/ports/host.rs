//! What the machine gives: time, randomness, password hashing.

use async_trait::async_trait;

use crate::instant::Instant;

/// The time. Use cases read it once and pass it on.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// Randomness that nobody can guess, and the hash under which secrets are stored.
pub trait Secrets: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// SHA-256.
    fn hash(&self, bytes: &[u8]) -> [u8; 32];

    /// A new secret of 32 random bytes in hexadecimal: 64 characters.
    fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            text.extend(
                [byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)])),
            );
            text
        })
    }
}

/// Where the program works, for whoever watches it.
pub trait Machine: Send + Sync {
    /// The kind of database: `sqlite` or `postgres`.
    fn database(&self) -> &'static str;

    /// The number of the newest migration.
    fn schema(&self) -> i64;

    /// Free bytes where the data folder lies; `None` where the system does not say.
    fn free_bytes(&self) -> Option<u64>;

    /// Free bytes where daily backups lie; `None` where the system does not say.
    fn free_backup_bytes(&self) -> Option<u64>;

    /// The size of the database's write-ahead log in bytes, if it is a file of ours.
    fn log_bytes(&self) -> Option<u64>;
}

/// From where the present request comes. Use cases ask before a unit of work begins, which runs on another thread.
pub trait Caller: Send + Sync {
    /// The address of whoever asks; `None` for the command line and for background work.
    fn address(&self) -> Option<String>;

    /// The id of the request, which its answer, its log lines and its audit entries carry; `None` where there is no request.
    fn request_id(&self) -> Option<String> {
        None
    }
}

/// Nobody calls over a network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCaller;

impl Caller for NoCaller {
    fn address(&self) -> Option<String> {
        None
    }
}

/// Passwords are hashed slowly, so implementations do it away from the caller's thread and bound how many wait.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The hash in PHC form.
    async fn hash(&self, password: &str) -> Result<String, PasswordError>;

    /// Whether the password has this hash. Takes as long for `None`, so that unknown accounts answer no faster.
    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError>;

    /// Whether the password is among the 10,000 commonest, in any letter case, or is guessed nearly as soon.
    async fn is_common(&self, password: &str) -> Result<bool, PasswordError>;
}

/// A password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many are being hashed already.
    #[error("too many sign-ins at once")]
    Busy,
    /// The stored hash is none, or the machine has no memory left.
    #[error("the password could not be hashed")]
    Broken,
}
