//! Bodies that are written piece by piece, as fast as the browser takes them; one that fails is cut off, not ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as HttpBody, Frame};
use poem::Body;
use tokio::sync::mpsc;

/// How many pieces may wait for the browser.
const AHEAD: usize = 2;

/// Where the pieces come from.
pub(crate) type Sender = mpsc::Sender<io::Result<Bytes>>;

struct Pieces(mpsc::Receiver<io::Result<Bytes>>);

/// A body, and where its pieces are put. It ends when the sender is dropped.
pub(crate) fn body() -> (Sender, Body) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    (sender, Body::from(BoxBody::new(Pieces(receiver))))
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }
}
