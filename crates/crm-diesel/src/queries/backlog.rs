//! What waits. Each look goes through the partial index of what is open.

use crm_domain::backlog::{BacklogQueries, Depth, Queue};
use crm_domain::ports::store::StoreError;
use crm_domain::sends::SendState;
use diesel::prelude::*;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::{attachments, receipts, sends};
use crate::stamp::Stamp;

fn in_state(conn: &mut Conn, state: SendState, most: i64) -> Result<Vec<Stamp>, Fault> {
    Ok(sends::table
        .filter(sends::finished_at.is_null())
        .filter(sends::state.eq(state.code()))
        .select(sends::queued_at)
        .limit(most)
        .load(conn)?)
}

impl BacklogQueries for Uow<'_> {
    fn backlog(&mut self, queue: Queue, most: usize) -> Result<Depth, StoreError> {
        let most = rows(most);
        self.run(|conn| {
            let since: Vec<Stamp> = match queue {
                Queue::Receipts => receipts::table
                    .filter(receipts::settled_at.is_null())
                    .select(receipts::received_at)
                    .limit(most)
                    .load(conn)?,
                Queue::Queued => in_state(conn, SendState::Queued, most)?,
                Queue::Sending => in_state(conn, SendState::Sending, most)?,
                Queue::Files => attachments::table
                    .filter(attachments::next_try_at.is_not_null())
                    .select(attachments::added_at)
                    .limit(most)
                    .load(conn)?,
            };
            Ok(Depth::of(since.into_iter().map(|stamp| stamp.0)))
        })
    }
}
