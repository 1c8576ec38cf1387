#![doc = include_str!("../README.md")]

pub mod blobs;
pub mod clock;
pub mod data_dir;
pub mod erased;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod key_sheet;
pub mod passwords;
pub mod quarantine;
pub mod seals;
pub mod secret_key;
pub mod secrets;
pub mod server_lock;
pub mod spool;
pub mod totp;
pub mod vault;

pub use blobs::SealedBlobs;
pub use clock::SystemClock;
pub use data_dir::DataDir;
pub use erased::ErasedFile;
pub use passwords::ArgonPasswords;
pub use quarantine::DiskQuarantine;
pub use seals::VaultSeals;
pub use secret_key::{MacKey, SecretKey};
pub use secrets::RingSecrets;
pub use server_lock::{LockError, ServerLock};
pub use spool::DiskSpool;
pub use totp::TotpCodes;
pub use vault::KeyVault;
