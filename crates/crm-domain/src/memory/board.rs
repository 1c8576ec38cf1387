//! The board in memory.

use super::state::State;
use super::unit::Unit;
use crate::activities::Direction;
use crate::board::{
    BoardCounts, BoardCursor, BoardCustomer, BoardLine, BoardPage, BoardQueries, BoardRequest, Column, Tab,
};
use crate::conversations::{Conversation, ConversationId, ConversationKind};
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::sends::{CANCELLED, SendState};
use crate::standings::Place;
use crate::teams::Visible;

impl State {
    fn talks(&self) -> impl Iterator<Item = &Conversation> {
        let talks = self.conversations.iter().map(|(_, talk)| talk);
        talks.filter(|talk| talk.key.kind == ConversationKind::Person)
    }

    fn unread(&self, talk: &Conversation, reader: Option<MemberId>) -> i64 {
        let Some(reader) = reader else { return 0 };
        let mut marks = self.reads.iter().map(|(_, mark)| mark);
        let seen = marks.find(|mark| mark.conversation == talk.id && mark.member == reader);
        talk.standing.received - seen.map_or(0, |mark| mark.received)
    }

    fn last_send(&self, talk: &Conversation) -> Option<SendState> {
        let last = talk.standing.last.as_ref();
        last.filter(|last| last.direction == Direction::Sent)?;
        let sends = self.sends.iter().rev().map(|(_, row)| &row.send);
        let mut ours = sends.filter(|send| send.conversation_id == talk.id);
        let newest = ours.find(|send| send.reason.as_deref() != Some(CANCELLED));
        newest.map(|send| send.state)
    }

    fn board_line(&self, talk: &Conversation, reader: Option<MemberId>) -> BoardLine {
        let name = |id: Option<MemberId>| Some(self.member(id?)?.name.clone());
        let customer = talk.standing.customer_id.and_then(|id| self.visible_customer(id));
        BoardLine {
            customer: customer.map(|customer| BoardCustomer {
                name: customer.details.name.clone(),
                company_name: customer
                    .details
                    .company_id
                    .and_then(|id| self.visible_company(id))
                    .map(|company| company.details.name.as_str().to_owned()),
                needs_look: customer.needs_look,
            }),
            handler: name(talk.standing.handler_id),
            owner: name(talk.standing.owner_id),
            last_send: self.last_send(talk),
            unread: self.unread(talk, reader),
            conversation: talk.clone(),
        }
    }
}

fn stands_in(talk: &Conversation, column: Column) -> bool {
    let Some((place, _)) = talk.standing.place() else {
        return false;
    };
    match column {
        Column::Waiting => place == Place::Waiting,
        Column::Handled => matches!(place, Place::Taken | Place::Handled),
        Column::Done => place == Place::Done,
    }
}

fn is_on(state: &State, talk: &Conversation, tab: Tab) -> bool {
    let standing = &talk.standing;
    match tab {
        Tab::All => true,
        Tab::Team(me) => state.is_of_team(me, standing.owner_id, standing.team_id),
        Tab::Unowned => standing.owner_id.is_none(),
        Tab::Mine(me) => match standing.handler_id {
            Some(handler) => handler == me,
            None => standing.owner_id == Some(me),
        },
    }
}

fn is_seen(talk: &Conversation, visible: &Visible) -> bool {
    let standing = &talk.standing;
    standing.customer_id.is_none() || visible.shows(standing.owner_id, standing.team_id)
}

/// The order of a column; 対応済み runs from the newest.
fn order(cursor: BoardCursor, column: Column) -> (i32, i64, i64) {
    let sign = if column == Column::Done { -1 } else { 1 };
    (
        cursor.place,
        sign * cursor.at.unix_millis(),
        sign * cursor.id.get(),
    )
}

impl BoardQueries for Unit {
    fn board(&mut self, request: &BoardRequest) -> Result<BoardPage, StoreError> {
        self.look(|state| {
            let mut lines: Vec<_> = state
                .talks()
                .filter(|talk| stands_in(talk, request.column) && is_on(state, talk, request.tab))
                .filter(|talk| is_seen(talk, &request.visible))
                .map(|talk| state.board_line(talk, request.reader))
                .filter_map(|line| Some((order(line.cursor()?, request.column), line)))
                .filter(|(at, _)| {
                    request
                        .after
                        .is_none_or(|after| *at > order(after, request.column))
                })
                .collect();
            lines.sort_by_key(|(at, _)| *at);
            let more = lines.len() > request.limit;
            let lines = lines.into_iter().take(request.limit);
            BoardPage {
                lines: lines.map(|(_, line)| line).collect(),
                more,
            }
        })
    }

    fn board_counts(
        &mut self,
        reader: Option<MemberId>,
        visible: &Visible,
        limit: usize,
    ) -> Result<BoardCounts, StoreError> {
        self.look(|state| {
            let waiting = state
                .talks()
                .filter(|talk| is_seen(talk, visible))
                .filter(|talk| stands_in(talk, Column::Waiting));
            let open = state
                .talks()
                .filter(|talk| is_seen(talk, visible))
                .filter(|talk| {
                    let place = talk.standing.place().map(|(place, _)| place);
                    matches!(place, Some(Place::Waiting | Place::Taken))
                });
            let mine = open.filter(|talk| reader.is_some_and(|me| is_on(state, talk, Tab::Mine(me))));
            let unknown = state
                .talks()
                .filter(|talk| talk.standing.customer_id.is_none() && talk.standing.last.is_some());
            BoardCounts {
                waiting: waiting.take(limit).count(),
                mine: mine.take(limit).count(),
                unknown: unknown.take(limit).count(),
            }
        })
    }

    fn unknown_senders(
        &mut self,
        reader: Option<MemberId>,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<BoardLine>, StoreError> {
        self.look(|state| {
            let place = |talk: &Conversation| Some((talk.standing.last.as_ref()?.at, talk.id));
            let mut talks: Vec<_> = state
                .talks()
                .filter(|talk| talk.standing.customer_id.is_none())
                .filter_map(|talk| Some((place(talk)?, talk)))
                .filter(|(at, _)| before.is_none_or(|before| *at < before))
                .collect();
            talks.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            let talks = talks.into_iter().take(limit);
            talks.map(|(_, talk)| state.board_line(talk, reader)).collect()
        })
    }

    fn board_line(
        &mut self,
        id: ConversationId,
        reader: Option<MemberId>,
    ) -> Result<Option<BoardLine>, StoreError> {
        self.look(|state| {
            let mut talks = state.talks();
            let talk = talks.find(|talk| talk.id == id)?;
            Some(state.board_line(talk, reader))
        })
    }
}
