//! The quarantine: callbacks that do not count but may be real, held apart until somebody has mended the settings.
//! Strangers can write here, so it is small, slow and shared fairly, and nothing else depends on it.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

use crate::instant::Instant;

/// Why a callback is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeldReason {
    /// Its signature is not the body's.
    WrongSignature,
    /// Its signature is right, but it came from an address that is not allowed.
    OtherAddress,
}

impl HeldReason {
    /// Stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::WrongSignature => "wrong_signature",
            Self::OtherAddress => "other_address",
        }
    }
}

/// A callback that is held, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCallback {
    /// Why.
    pub reason: HeldReason,
    /// `X-WORKS-BotId`.
    pub bot_id: String,
    /// `X-WORKS-Signature`.
    pub signature: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// Who sent it, as far as trusted proxies tell.
    pub from: Option<IpAddr>,
    /// When.
    pub at: Instant,
}

/// Names a held callback in its file.
pub type HeldId = u64;

/// Why the quarantine did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// Its file cannot be used.
    #[error("the file of held callbacks cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// Holds at most 10,000 callbacks, 32 MiB, for 7 days, 20 a second, a fair share for each source. The oldest stay: what
/// does not fit is dropped.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Whether one more of this size is worth looking at now. Cheap; touches no disk and never waits.
    fn admits(&self, from: Option<IpAddr>, bytes: usize) -> bool;

    /// Holds a callback, or drops it where one of the limits is reached. Returns at once; the disk follows.
    fn hold(&self, callback: HeldCallback);

    /// All that are held, oldest first, without those older than 7 days before `now`.
    async fn held(&self, now: Instant) -> Result<Vec<(HeldId, HeldCallback)>, QuarantineError>;

    /// Forgets these.
    async fn release(&self, ids: Vec<HeldId>) -> Result<(), QuarantineError>;
}

/// The quarantine of a program that holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQuarantine;

#[async_trait]
impl Quarantine for NoQuarantine {
    fn admits(&self, _: Option<IpAddr>, _: usize) -> bool {
        false
    }

    fn hold(&self, _: HeldCallback) {}

    async fn held(&self, _: Instant) -> Result<Vec<(HeldId, HeldCallback)>, QuarantineError> {
        Ok(Vec::new())
    }

    async fn release(&self, _: Vec<HeldId>) -> Result<(), QuarantineError> {
        Ok(())
    }
}
