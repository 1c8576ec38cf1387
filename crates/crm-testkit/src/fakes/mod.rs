//! Fakes of the ports but the store, whose fake is [`crm_domain::memory::MemoryStore`].

mod callbacks;
mod clock;
mod connector;
mod files;
mod messenger;
mod one_time_codes;
mod passwords;
mod profiles;
mod quarantine;
mod seals;
mod secrets;
mod spool;
mod vault;

pub use callbacks::{FakeCallbacks, SAMPLE_SENDER};
pub use clock::FixedClock;
pub use connector::{CALLBACK_URL, FakeConnector};
pub use files::{FakeFiles, MemoryBlobs};
pub use messenger::{FakeMessenger, FakeMessengers};
pub use one_time_codes::CountedCodes;
pub use passwords::{COMMON_PASSWORD, PlainPasswords};
pub use profiles::FakeProfiles;
pub use quarantine::FakeQuarantine;
pub use seals::FakeSeals;
pub use secrets::{SeededSecrets, sha256 as sha256_of};
pub use spool::FakeSpool;
pub use vault::FakeVault;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked elsewhere has failed already; others may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
