//! The list of the erased, kept outside the database: whoever restores an older backup brings people back, and by this list
//! they are erased again.

use std::io;

use async_trait::async_trait;

use crate::customers::CustomerId;
use crate::instant::Instant;

/// Who was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasedKey {
    /// A customer, by the number.
    Customer(CustomerId),
    /// A person, by SHA-256 of the LINE WORKS user id.
    Address([u8; 32]),
}

/// Somebody who was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Who.
    pub key: ErasedKey,
    /// When; what is younger is somebody else.
    pub at: Instant,
}

/// Keeps who was erased.
#[async_trait]
pub trait ErasedList: Send + Sync {
    /// Adds to the list, on disk when this returns.
    async fn add(&self, erased: &[Erased]) -> io::Result<()>;

    /// Everybody on it.
    async fn all(&self) -> io::Result<Vec<Erased>>;
}

/// The list of a program that keeps none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoErasedList;

#[async_trait]
impl ErasedList for NoErasedList {
    async fn add(&self, _: &[Erased]) -> io::Result<()> {
        Ok(())
    }

    async fn all(&self) -> io::Result<Vec<Erased>> {
        Ok(Vec::new())
    }
}
