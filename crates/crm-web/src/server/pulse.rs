//! Watches a connection: what it waits for and since when, so that a silent or stuck one can be closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the head of a request, from its first byte; for the first one from the connection on.
    pub(super) head: Duration,
    /// Between an answer and the next request.
    pub(super) idle: Duration,
    /// For taking a piece of an answer.
    pub(super) write: Duration,
}

impl Patience {
    /// What is left of it when few places are free: who says nothing makes room for who does.
    pub(super) fn short(self) -> Self {
        Self {
            head: self.head / 5,
            idle: self.idle / 15,
            write: self.write,
        }
    }
}

/// What is to be done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// Nothing is going on: it may be closed.
    Retire,
    /// It wastes our time.
    Cut,
}

const HEAD: u8 = 0;
const BUSY: u8 = 1;
const IDLE: u8 = 2;

/// The state of one connection, told by its stream and its service, read by its watch. Times are milliseconds from its
/// beginning; each is a hint of its own, so no order between them is needed.
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    phase: AtomicU8,
    since: AtomicU64,
    /// When a write began to wait, plus one; 0 while none waits.
    stuck_since: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            phase: AtomicU8::new(HEAD),
            since: AtomicU64::new(0),
            stuck_since: AtomicU64::new(0),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn enter(&self, phase: u8) {
        self.since.store(self.now(), Relaxed);
        self.phase.store(phase, Relaxed);
    }

    /// A request's head is complete.
    pub(super) fn request_began(&self) {
        self.enter(BUSY);
    }

    /// Its answer is ready to leave.
    pub(super) fn answered(&self) {
        self.enter(IDLE);
    }

    fn read_some(&self) {
        if self.phase.load(Relaxed) == IDLE {
            self.enter(HEAD);
        }
    }

    fn wrote_some(&self) {
        self.stuck_since.store(0, Relaxed);
        if self.phase.load(Relaxed) == IDLE {
            self.since.store(self.now(), Relaxed);
        }
    }

    fn write_waits(&self) {
        if self.stuck_since.load(Relaxed) == 0 {
            self.stuck_since.store(self.now() + 1, Relaxed);
        }
    }

    /// What is to be done now.
    pub(super) fn verdict(&self, patience: &Patience) -> Verdict {
        let now = self.now();
        let waited = |since: u64| Duration::from_millis(now.saturating_sub(since));
        let stuck = self.stuck_since.load(Relaxed);
        if stuck > 0 && waited(stuck) > patience.write {
            return Verdict::Cut;
        }
        let waited = waited(self.since.load(Relaxed));
        match self.phase.load(Relaxed) {
            HEAD if waited > patience.head => Verdict::Cut,
            IDLE if waited > patience.idle => Verdict::Retire,
            _ => Verdict::Keep,
        }
    }
}

/// A stream that tells its pulse what happens.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    fn told<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &outcome {
            Poll::Ready(_) => self.pulse.wrote_some(),
            Poll::Pending => self.pulse.write_waits(),
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pulse.read_some();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.told(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Patience, Pulse, Verdict};

    const NONE: Patience = Patience {
        head: Duration::ZERO,
        idle: Duration::ZERO,
        write: Duration::from_mins(1),
    };

    fn after_a_moment(pulse: &Pulse) -> Verdict {
        std::thread::sleep(Duration::from_millis(5));
        pulse.verdict(&NONE)
    }

    #[test]
    fn waiting_is_judged_by_what_is_waited_for() {
        let pulse = Pulse::new();
        assert_eq!(after_a_moment(&pulse), Verdict::Cut, "no head came");
        pulse.request_began();
        assert_eq!(after_a_moment(&pulse), Verdict::Keep, "we work");
        pulse.answered();
        assert_eq!(after_a_moment(&pulse), Verdict::Retire, "nothing goes on");
        pulse.read_some();
        assert_eq!(after_a_moment(&pulse), Verdict::Cut, "a head began");
        pulse.request_began();
        pulse.write_waits();
        assert_eq!(
            pulse.verdict(&Patience {
                write: Duration::ZERO,
                ..NONE
            }),
            Verdict::Keep
        );
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(
            pulse.verdict(&Patience {
                write: Duration::ZERO,
                ..NONE
            }),
            Verdict::Cut,
            "it takes no answer"
        );
    }
}
