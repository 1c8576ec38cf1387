//! Reading bodies: all of them within a size and a time, whatever their length claims.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use poem::http::{HeaderMap, StatusCode, header};

/// The most that any request may carry.
pub(super) const LIMIT: usize = 1024 * 1024;
/// How long a body may take.
const TIME: Duration = Duration::from_secs(10);
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
pub(super) async fn read(headers: &HeaderMap, mut body: Incoming) -> Result<Bytes, BodyRefused> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let claimed = body.size_hint().lower();
    let too_large = usize::try_from(claimed).map_or(true, |size| size > LIMIT);
    if too_large && headers.contains_key(header::EXPECT) {
        return Err(BodyRefused::TooLarge);
    }
    let reading = async {
        if too_large {
            swallow(&mut body, 0).await
        } else {
            collect(&mut body).await
        }
    };
    tokio::time::timeout(TIME, reading)
        .await
        .unwrap_or(Err(BodyRefused::TooSlow))
}

async fn collect(body: &mut Incoming) -> Result<Bytes, BodyRefused> {
    let first = next(body).await?.unwrap_or_default();
    if body.is_end_stream() && first.len() <= LIMIT {
        return Ok(first);
    }
    let mut all = BytesMut::from(&first[..]);
    while let Some(piece) = next(body).await? {
        if all.len() + piece.len() > LIMIT {
            return swallow(body, all.len() + piece.len()).await;
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

/// Reads on without keeping anything. The answer is the same whether the sender ends or not.
async fn swallow(body: &mut Incoming, mut taken: usize) -> Result<Bytes, BodyRefused> {
    while let Ok(Some(piece)) = next(body).await {
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
