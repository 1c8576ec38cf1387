#![doc = include_str!("../README.md")]

pub mod blobs;
pub mod clock;
pub mod data_dir;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod passwords;
pub mod quarantine;
pub mod secret_key;
pub mod seals;
pub mod secrets;
pub mod server_lock;
pub mod spool;
pub mod vault;
pub mod totp;

pub use blobs::FolderBlobs;
pub use clock::SystemClock;
pub use data_dir::DataDir;
pub use passwords::ArgonPasswords;
pub use quarantine::DiskQuarantine;
pub use secret_key::{MacKey, SecretKey};
pub use seals::KeySeals;
pub use secrets::RingSecrets;
pub use server_lock::{LockError, ServerLock};
pub use spool::DiskSpool;
pub use vault::KeyVault;
pub use totp::TotpCodes;
