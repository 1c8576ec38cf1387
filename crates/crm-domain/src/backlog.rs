//! What waits to be worked on, for whoever watches the program.

use crate::instant::Instant;
use crate::ports::store::StoreError;

/// Things that wait for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Callbacks that are kept and not recorded yet.
    Receipts,
    /// Messages of ours that wait to be sent.
    Queued,
    /// Messages of ours on their way.
    Sending,
    /// Files that are to be fetched.
    Files,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 4] = [Self::Receipts, Self::Queued, Self::Sending, Self::Files];
}

/// How much waits in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// How many; as many as were looked at when there are more.
    pub count: usize,
    /// Since when the oldest of those that were looked at waits.
    pub oldest: Option<Instant>,
}

impl Depth {
    /// Of the times since when things wait.
    pub fn of(waiting: impl IntoIterator<Item = Instant>) -> Self {
        waiting.into_iter().fold(Self::default(), |depth, since| Self {
            count: depth.count + 1,
            oldest: Some(depth.oldest.map_or(since, |oldest| oldest.min(since))),
        })
    }
}

/// Looking at queues.
pub trait BacklogQueries {
    /// How much waits; at most `most` are looked at, so that a long queue does not take long to measure.
    fn backlog(&mut self, queue: Queue, most: usize) -> Result<Depth, StoreError>;
}
