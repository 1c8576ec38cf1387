//! Files: how the bytes that customers send are fetched from the messenger.

use std::sync::Arc;

use async_trait::async_trait;

use super::blobs::{Blob, Blobs};

/// A fetched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its bytes, kept.
    pub blob: Blob,
    /// Its name, safe to show and to store under: no path, no control or direction characters, at most 200 characters.
    pub name: Option<String>,
    /// Its media type as the messenger told it.
    pub media_type: Option<String>,
}

/// Fetches files.
#[async_trait]
pub trait FileSource: Send + Sync {
    /// Whether there is anything to fetch from.
    fn is_set_up(&self) -> bool;

    /// Fetches a file that this bot received and keeps its bytes; at most [`crate::attachments::LARGEST`] of them.
    async fn fetch(&self, bot: &str, file_id: &str, into: Arc<dyn Blobs>) -> Result<FetchedFile, FetchError>;
}

/// Nothing to fetch from: for programs that have no messenger.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

#[async_trait]
impl FileSource for NoFiles {
    fn is_set_up(&self) -> bool {
        false
    }

    async fn fetch(
        &self,
        _bot: &str,
        _file_id: &str,
        _into: Arc<dyn Blobs>,
    ) -> Result<FetchedFile, FetchError> {
        Err(FetchProblem::NotConfigured.into())
    }
}

/// Why a file was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not fetched: {problem:?}")]
pub struct FetchError {
    /// What happened.
    pub problem: FetchProblem,
    /// How many seconds the service asked to wait.
    pub wait: Option<u32>,
}

impl From<FetchProblem> for FetchError {
    fn from(problem: FetchProblem) -> Self {
        Self { problem, wait: None }
    }
}

/// What kept a file from being fetched; each has its sentence in the catalogues (`file_problem.<code>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchProblem {
    /// LINE WORKS is not set up.
    NotConfigured,
    /// No connection, no answer in time, or the line was cut.
    NoConnection,
    /// LINE WORKS is in trouble or has too much to do.
    Unavailable,
    /// Token or scope are wrong.
    Unauthorized,
    /// LINE WORKS does not have it (any more).
    Gone,
    /// LINE WORKS refuses for another reason.
    Rejected,
    /// It lies on a host that is not LINE WORKS'.
    ForeignHost,
    /// It is larger than allowed.
    TooLarge,
    /// All files together would be more than allowed.
    QuotaReached,
    /// Our disk failed.
    Disk,
}

impl FetchProblem {
    /// Every problem.
    pub const ALL: [Self; 10] = [
        Self::NotConfigured,
        Self::NoConnection,
        Self::Unavailable,
        Self::Unauthorized,
        Self::Gone,
        Self::Rejected,
        Self::ForeignHost,
        Self::TooLarge,
        Self::QuotaReached,
        Self::Disk,
    ];

    /// Stable name for stores, catalogues and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::NoConnection => "no_connection",
            Self::Unavailable => "unavailable",
            Self::Unauthorized => "unauthorized",
            Self::Gone => "gone",
            Self::Rejected => "rejected",
            Self::ForeignHost => "foreign_host",
            Self::TooLarge => "too_large",
            Self::QuotaReached => "quota_reached",
            Self::Disk => "disk",
        }
    }

    /// The problem of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }

    /// Whether trying again later may help without anybody doing anything else.
    pub fn passes(self) -> bool {
        matches!(
            self,
            Self::NotConfigured | Self::NoConnection | Self::Unavailable | Self::Unauthorized | Self::Disk
        )
    }
}
