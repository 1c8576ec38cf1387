//! Where conversations stand, as columns.

use crm_domain::activities::{Direction, MessageKind};
use crm_domain::conversations::{ConversationId, ConversationKind};
use crm_domain::customers::CustomerId;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::standings::{Closing, LastMessage, Standing};
use crm_domain::teams::TeamId;
use crm_domain::waitings::WaitingId;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable};

use super::Conn;
use crate::cached::update;
use crate::fault::Fault;
use crate::mend::corrupt;
use crate::schema::conversations;
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations)]
pub(super) struct StandingRow {
    id: i64,
    customer_id: Option<i64>,
    owner_id: Option<i64>,
    team_id: Option<i64>,
    waiting_since: Option<Stamp>,
    handler_id: Option<i64>,
    handled_since: Option<Stamp>,
    troubled_since: Option<Stamp>,
    last_at: Option<Stamp>,
    last_direction: Option<String>,
    last_kind: Option<String>,
    last_text: String,
    last_said_at: Option<Stamp>,
    last_accepted_at: Option<Stamp>,
    received: i64,
    closed_at: Option<Stamp>,
    closed_by: Option<i64>,
    closed_handler_id: Option<i64>,
    closed_waiting_id: Option<i64>,
    version: i64,
}

impl TryFrom<StandingRow> for Standing {
    type Error = StoreError;

    fn try_from(row: StandingRow) -> Result<Self, StoreError> {
        let last = row.last_at.map(|at| {
            let bad = |column| corrupt("conversations", column, row.id);
            let direction = row.last_direction.as_deref().and_then(Direction::from_code);
            let kind = row.last_kind.as_deref().and_then(MessageKind::from_code);
            Ok::<_, StoreError>(LastMessage {
                at: at.0,
                direction: direction.ok_or_else(|| bad("last_direction"))?,
                kind: kind.ok_or_else(|| bad("last_kind"))?,
                text: row.last_text,
            })
        });
        Ok(Self {
            customer_id: row.customer_id.map(CustomerId::new),
            owner_id: row.owner_id.map(MemberId::new),
            team_id: row.team_id.map(TeamId::new),
            waiting_since: row.waiting_since.map(|at| at.0),
            handler_id: row.handler_id.map(MemberId::new),
            handled_since: row.handled_since.map(|at| at.0),
            troubled_since: row.troubled_since.map(|at| at.0),
            last: last.transpose()?,
            last_said_at: row.last_said_at.map(|at| at.0),
            last_accepted_at: row.last_accepted_at.map(|at| at.0),
            received: row.received,
            closed: row.closed_at.map(|at| Closing {
                at: at.0,
                by: row.closed_by.map(MemberId::new),
                handler: row.closed_handler_id.map(MemberId::new),
                waiting: row.closed_waiting_id.map(WaitingId::new),
            }),
            version: row.version,
        })
    }
}

/// Writes every column of a standing and counts the version up.
pub(super) fn save(conn: &mut Conn, id: ConversationId, standing: &Standing) -> Result<(), Fault> {
    let (last, closed, place) = (standing.last.as_ref(), standing.closed.as_ref(), standing.place());
    update(
        conversations::table,
        conversations::id.eq(id.get()),
        (
            (
                conversations::customer_id.eq(standing.customer_id.map(CustomerId::get)),
                conversations::owner_id.eq(standing.owner_id.map(MemberId::get)),
                conversations::team_id.eq(standing.team_id.map(TeamId::get)),
                conversations::waiting_since.eq(standing.waiting_since.map(Stamp)),
                conversations::handler_id.eq(standing.handler_id.map(MemberId::get)),
                conversations::handled_since.eq(standing.handled_since.map(Stamp)),
                conversations::troubled_since.eq(standing.troubled_since.map(Stamp)),
                conversations::last_said_at.eq(standing.last_said_at.map(Stamp)),
                conversations::last_accepted_at.eq(standing.last_accepted_at.map(Stamp)),
                conversations::received.eq(standing.received),
            ),
            (
                conversations::last_at.eq(last.map(|last| Stamp(last.at))),
                conversations::last_direction.eq(last.map(|last| last.direction.code())),
                conversations::last_kind.eq(last.map(|last| last.kind.code())),
                conversations::last_text.eq(last.map_or("", |last| last.text.as_str())),
            ),
            (
                conversations::closed_at.eq(closed.map(|closed| Stamp(closed.at))),
                conversations::closed_by.eq(closed.and_then(|closed| closed.by).map(MemberId::get)),
                conversations::closed_handler_id
                    .eq(closed.and_then(|closed| closed.handler).map(MemberId::get)),
                conversations::closed_waiting_id
                    .eq(closed.and_then(|closed| closed.waiting).map(WaitingId::get)),
            ),
            // Rooms are on no board.
            conversations::board_place.eq(case_when(
                conversations::kind.eq(ConversationKind::Person.code()),
                place
                    .map(|(place, _)| place.code())
                    .into_sql::<Nullable<Integer>>(),
            )),
            conversations::board_at.eq(place.map(|(_, at)| Stamp(at))),
            conversations::version.eq(conversations::version + 1),
        ),
    )
    .execute(conn)?;
    Ok(())
}
