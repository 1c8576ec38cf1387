//! Reading bodies: all of them within a size and a time, whatever their length claims.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use poem::http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

/// The most that any request may carry.
pub(super) const LIMIT: usize = 1024 * 1024;
/// How long a body may take.
const TIME: Duration = Duration::from_secs(10);
/// From when on it has to come at a rate that any line manages.
const GRACE: Duration = Duration::from_secs(5);
/// That rate, in bytes a second since the body began.
const RATE: u64 = 1024;
/// How much of a refused body is still taken in, so that its sender gets to read the answer.
const SWALLOWED: usize = 16 * 1024 * 1024;

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyRefused {
    /// More than 1 MiB.
    #[error("the body is too large")]
    TooLarge,
    /// It did not come in time.
    #[error("the body came too slowly")]
    TooSlow,
    /// It ended early or is malformed.
    #[error("the body is incomplete")]
    Broken,
}

impl BodyRefused {
    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body. One that says beforehand that it is too large, and waits to be asked for, is not read at all.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, BodyRefused> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let claimed = body.size_hint().lower();
    let too_large = usize::try_from(claimed).map_or(true, |size| size > LIMIT);
    if too_large && headers.contains_key(header::EXPECT) {
        return Err(BodyRefused::TooLarge);
    }
    let mut paced = Paced::new(body);
    let reading = async {
        if too_large {
            swallow(&mut paced, 0).await
        } else {
            collect(&mut paced).await
        }
    };
    tokio::time::timeout(TIME, reading)
        .await
        .unwrap_or(Err(BodyRefused::TooSlow))
}

/// A body that is asked to keep up.
struct Paced {
    body: Incoming,
    begun: Instant,
    taken: u64,
}

impl Paced {
    fn new(body: Incoming) -> Self {
        Self {
            body,
            begun: Instant::now(),
            taken: 0,
        }
    }

    /// The next piece of data; trailers are skipped.
    async fn next(&mut self) -> Result<Option<Bytes>, BodyRefused> {
        let due = self.begun + GRACE + Duration::from_secs(self.taken / RATE);
        let piece = tokio::time::timeout_at(due, next(&mut self.body)).await;
        let piece = piece.unwrap_or(Err(BodyRefused::TooSlow))?;
        self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }
}

async fn collect(body: &mut Paced) -> Result<Bytes, BodyRefused> {
    let first = body.next().await?.unwrap_or_default();
    if body.body.is_end_stream() && first.len() <= LIMIT {
        return Ok(first);
    }
    let mut all = BytesMut::from(&first[..]);
    while let Some(piece) = body.next().await? {
        if all.len() + piece.len() > LIMIT {
            return swallow(body, all.len() + piece.len()).await;
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

/// Reads on without keeping anything. The answer is the same whether the sender ends or not.
async fn swallow(body: &mut Paced, mut taken: usize) -> Result<Bytes, BodyRefused> {
    while let Ok(Some(piece)) = body.next().await {
        taken += piece.len();
        if taken > SWALLOWED {
            break;
        }
    }
    Err(BodyRefused::TooLarge)
}

/// The next piece of data; trailers are skipped.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyRefused> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| BodyRefused::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
