//! What waits, in memory.

use super::state::State;
use super::unit::Unit;
use crate::backlog::{BacklogQueries, Depth, Queue};
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::sends::SendState;

fn in_state(state: &State, wanted: SendState) -> impl Iterator<Item = Instant> {
    let sends = state.sends.iter().map(|(_, row)| &row.send);
    sends
        .filter(move |send| send.state == wanted)
        .map(|send| send.queued_at)
}

impl BacklogQueries for Unit {
    fn backlog(&mut self, queue: Queue, most: usize) -> Result<Depth, StoreError> {
        self.look(|state| match queue {
            Queue::Receipts => {
                let pending = state.receipts.iter().filter(|(_, row)| row.is_pending());
                Depth::of(pending.map(|(_, row)| row.kept.received_at).take(most))
            }
            Queue::Queued => Depth::of(in_state(state, SendState::Queued).take(most)),
            Queue::Sending => Depth::of(in_state(state, SendState::Sending).take(most)),
            Queue::Files => {
                let files = state.attachments.iter().map(|(_, file)| file);
                let waiting = files.filter(|file| file.next_try_at.is_some());
                Depth::of(waiting.map(|file| file.added_at).take(most))
            }
        })
    }
}
