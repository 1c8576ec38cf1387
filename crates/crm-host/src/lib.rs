#![doc = include_str!("../README.md")]

pub mod clock;
pub mod data_dir;
pub mod passwords;
pub mod secret_key;
pub mod secrets;
pub mod server_lock;

pub use clock::SystemClock;
pub use data_dir::DataDir;
pub use passwords::ArgonPasswords;
pub use secret_key::{MacKey, SecretKey};
pub use secrets::RingSecrets;
pub use server_lock::{LockError, ServerLock};
