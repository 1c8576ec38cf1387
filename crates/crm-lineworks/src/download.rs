//! Fetching what customers sent: the API names the place, the place gives the bytes, both for the same token. Redirects are
//! followed by hand, each address checked.

use std::io::Read as _;
use std::time::{Duration, Instant};

use crm_domain::attachments::LARGEST;
use crm_domain::ports::blobs::{BlobError, Blobs};
use crm_domain::ports::files::{FetchError, FetchProblem, FetchedFile};
use crm_domain::ports::messenger::SendProblem;

use crate::disposition;
use crate::encode;
use crate::http::Answer;
use crate::location;
use crate::outcome::ServiceTrouble;
use crate::service::Service;

/// How long one file may take in all: 100 MiB at 170 KiB/s.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);
/// How often a file may be said to lie elsewhere.
const HOPS: usize = 3;
/// Bytes read and written at once.
const PIECE: usize = 64 * 1024;

impl Service {
    /// Fetches a file and keeps its bytes.
    pub(crate) fn fetch(
        &self,
        bot: &str,
        file_id: &str,
        blobs: &dyn Blobs,
        deadline: Instant,
    ) -> Result<FetchedFile, FetchError> {
        let (Some(bot), Some(file)) = (encode::segment(bot), encode::segment(file_id)) else {
            return Err(FetchProblem::Rejected.into());
        };
        let mut url = format!("{}/bots/{bot}/attachments/{file}", self.api_url);
        for _ in 0..=HOPS {
            let answer = self
                .download(&url, deadline)
                .map_err(|trouble| of_trouble(&trouble))?;
            match answer.status {
                200..=299 => return keep(answer, blobs),
                300..=399 => {
                    let location = answer.header("location").unwrap_or_default();
                    let there = location::trusted(location, &self.api_url);
                    url = there.ok_or(FetchProblem::ForeignHost)?.to_string();
                }
                _ => return Err(refused(answer)),
            }
        }
        Err(FetchProblem::Rejected.into())
    }
}

/// Streams the bytes into the store; what is too large is cut off and leaves nothing.
fn keep(answer: Answer, blobs: &dyn Blobs) -> Result<FetchedFile, FetchError> {
    let claimed: Option<u64> = answer
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .filter(|_| answer.header("content-encoding").is_none());
    if claimed.is_some_and(|bytes| bytes > LARGEST) {
        return Err(FetchProblem::TooLarge.into());
    }
    let name = answer
        .raw_header("content-disposition")
        .and_then(disposition::name_of);
    let media_type = answer.header("content-type").and_then(media_type);
    let mut draft = blobs.begin().map_err(of_blob)?;
    let mut reader = answer.into_reader();
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let count = reader.read(&mut piece).map_err(|_| FetchProblem::NoConnection)?;
        let bytes = piece.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        size += bytes.len() as u64;
        if size > LARGEST {
            return Err(FetchProblem::TooLarge.into());
        }
        draft.write(bytes).map_err(of_blob)?;
    }
    if claimed.is_some_and(|bytes| bytes != size) {
        return Err(FetchProblem::NoConnection.into());
    }
    Ok(FetchedFile {
        blob: draft.keep().map_err(of_blob)?,
        name,
        media_type,
    })
}

/// The media type without parameters, if it looks like one.
fn media_type(header: &str) -> Option<String> {
    let essence = header.split(';').next().unwrap_or_default().trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-_".contains(&byte);
    let sane = (3..=100).contains(&essence.len()) && essence.contains('/') && essence.bytes().all(plain);
    sane.then(|| essence.to_ascii_lowercase())
}

fn of_blob(error: BlobError) -> FetchError {
    match error {
        BlobError::Full => FetchProblem::QuotaReached.into(),
        BlobError::Disk(error) => {
            tracing::error!("a received file cannot be written: {error}");
            FetchProblem::Disk.into()
        }
        BlobError::Away(error) => {
            tracing::error!("a received file cannot be written: {error}");
            FetchProblem::Disk.into()
        }
        BlobError::Sealed(error) => {
            tracing::error!("a received file cannot be sealed: {error}");
            FetchProblem::Disk.into()
        }
    }
}

/// What an answer says that is neither the file nor the way to it.
fn refused(answer: Answer) -> FetchError {
    let trouble = ServiceTrouble::answered(answer, |_| SendProblem::Rejected);
    let problem = match trouble.status.unwrap_or_default() {
        401 | 403 => FetchProblem::Unauthorized,
        404 | 410 => FetchProblem::Gone,
        408 | 429 | 500.. => FetchProblem::Unavailable,
        _ => FetchProblem::Rejected,
    };
    tracing::warn!(
        "a received file was not fetched: HTTP {}",
        trouble.status.unwrap_or_default()
    );
    FetchError {
        problem,
        wait: trouble.wait,
    }
}

/// What it means for a file that there was no token or no answer.
fn of_trouble(trouble: &ServiceTrouble) -> FetchError {
    let problem = match trouble.problem {
        SendProblem::CredentialsRefused | SendProblem::ScopeRefused | SendProblem::Unauthorized => {
            FetchProblem::Unauthorized
        }
        SendProblem::NoConnection | SendProblem::TimedOut | SendProblem::LineCut => {
            FetchProblem::NoConnection
        }
        _ => FetchProblem::Unavailable,
    };
    FetchError {
        problem,
        wait: trouble.wait,
    }
}
