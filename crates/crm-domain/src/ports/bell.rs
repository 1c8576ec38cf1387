//! The bell: instances of one installation wake each other by it. It carries nothing; what counts is in the store.

use async_trait::async_trait;

/// Wakes the other instances that work on the same database.
#[async_trait]
pub trait Bell: Send + Sync {
    /// Something was stored that others may wait for. Returns at once and never fails; many rings soon after another may be
    /// heard as one, and one may be lost: whoever waits also looks by himself from time to time.
    fn ring(&self);

    /// Waits until another instance rang, or may have rung while it could not be heard. Rings between two calls are kept as
    /// one. One caller at a time; giving up waiting loses nothing.
    async fn heard(&self);

    /// Whether there can be no other instance, so that nothing need be told to any.
    fn is_alone(&self) -> bool {
        false
    }
}

/// For a store with one server: nobody else is there to be woken.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBell;

#[async_trait]
impl Bell for NoBell {
    fn ring(&self) {}

    async fn heard(&self) {
        std::future::pending::<()>().await;
    }

    fn is_alone(&self) -> bool {
        true
    }
}
