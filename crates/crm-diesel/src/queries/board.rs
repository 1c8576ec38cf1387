//! The board. Every column and tab is read from an index that gives its order.

use std::collections::HashMap;

use crm_domain::activities::Direction;
use crm_domain::board::{
    BoardCounts, BoardCustomer, BoardLine, BoardPage, BoardQueries, BoardRequest, Column, Tab,
};
use crm_domain::conversations::{Conversation, ConversationId, ConversationKind};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{CANCELLED, SendState};
use crm_domain::standings::Place;
use crm_domain::teams::Visible;
use diesel::dsl::{max, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::conversations::ConversationRow;
use super::teams::Seen;
use super::{Backend, Conn, Uow, reads, teams};
use crate::fault::Fault;
use crate::found::rows;
use crate::mend;
use crate::schema::{companies, conversations, customers, members, sends};
use crate::stamp::Stamp;

/// The kind stands in the text: a partial index is not used for a bound value.
fn unknown() -> SqlLiteral<Bool> {
    sql(&format!(
        "customer_id IS NULL AND kind = '{}'",
        ConversationKind::Person.code()
    ))
}

type Boxed<'a> = conversations::BoxedQuery<'a, Backend>;

/// What stands at this place on this tab. It is theirs who handle it, or own it where nobody does; the place says which of
/// the two counts, so that one index is read and not every line of the place.
fn at_place<'a>(place: Place, tab: Tab) -> Boxed<'a> {
    let query = conversations::table
        .into_boxed()
        .filter(conversations::board_place.eq(place.code()));
    match (tab, place) {
        // Whose they are is looked up by [`on_tab`].
        (Tab::All | Tab::Team(_), _) => query,
        (Tab::Unowned, _) => query.filter(conversations::owner_id.is_null()),
        (Tab::Mine(me), Place::Taken | Place::Handled) => {
            query.filter(conversations::handler_id.eq(me.get()))
        }
        (Tab::Mine(me), Place::Waiting | Place::Done) => query.filter(conversations::owner_id.eq(me.get())),
    }
}

/// As [`at_place`], with what must be looked up first.
fn on_tab<'a>(conn: &mut Conn, place: Place, tab: Tab) -> Result<Boxed<'a>, Fault> {
    let query = at_place(place, tab);
    let Tab::Team(me) = tab else { return Ok(query) };
    let (own, mates) = teams::own_teams(conn, me)?;
    Ok(query.filter(
        conversations::team_id
            .eq_any(own)
            .or(conversations::owner_id.eq_any(mates)),
    ))
}

fn seen<'a>(query: Boxed<'a>, visible: &Visible) -> Boxed<'a> {
    match visible {
        Visible::All => query,
        Visible::Some(sight) => query.filter(Seen::of(sight).conversations()),
    }
}

fn places(column: Column) -> &'static [Place] {
    match column {
        Column::Waiting => &[Place::Waiting],
        Column::Handled => &[Place::Taken, Place::Handled],
        Column::Done => &[Place::Done],
    }
}

/// The rows of one place, at most `limit`.
fn of_place(
    conn: &mut Conn,
    request: &BoardRequest,
    place: Place,
    limit: usize,
) -> Result<Vec<ConversationRow>, Fault> {
    let after = request.after.filter(|after| after.place == place.code());
    let query = seen(on_tab(conn, place, request.tab)?, &request.visible)
        .limit(rows(limit))
        .select(ConversationRow::as_select());
    let (at, id) = (conversations::board_at, conversations::id);
    let found = if place == Place::Done {
        let query = query.order_by((at.desc(), id.desc()));
        match after {
            Some(after) => {
                let (end, number) = (Stamp(after.at), after.id.get());
                query
                    .filter(at.le(end))
                    .filter(at.lt(end).or(id.lt(number)))
                    .load(conn)?
            }
            None => query.load(conn)?,
        }
    } else {
        let query = query.order_by((at, id));
        match after {
            Some(after) => {
                let (end, number) = (Stamp(after.at), after.id.get());
                query
                    .filter(at.ge(end))
                    .filter(at.gt(end).or(id.gt(number)))
                    .load(conn)?
            }
            None => query.load(conn)?,
        }
    };
    Ok(found)
}

/// What is shown beside these conversations: a query for each kind of thing.
fn lines(
    conn: &mut Conn,
    found: Vec<ConversationRow>,
    reader: Option<MemberId>,
) -> Result<Vec<BoardLine>, Fault> {
    let talks = found.into_iter().map(Conversation::try_from);
    let talks: Vec<Conversation> = talks.collect::<Result<_, _>>()?;
    let mut people = customers_on(conn, &talks)?;
    let names = names(conn, &talks)?;
    let ids: Vec<i64> = talks.iter().map(|talk| talk.id.get()).collect();
    let seen = match reader {
        Some(reader) => reads::seen(conn, &ids, reader)?,
        None => HashMap::new(),
    };
    let sent = last_sends(conn, &talks)?;
    let name = |id: Option<MemberId>| id.and_then(|id| names.get(&id.get()).cloned());
    let lines = talks.into_iter().map(|talk| {
        let unread = talk.standing.received - seen.get(&talk.id.get()).copied().unwrap_or_default();
        BoardLine {
            customer: talk
                .standing
                .customer_id
                .and_then(|id| people.remove(&(id.get(), talk.id.get()))),
            handler: name(talk.standing.handler_id),
            owner: name(talk.standing.owner_id),
            last_send: sent.get(&talk.id.get()).copied(),
            unread: if reader.is_some() { unread } else { 0 },
            conversation: talk,
        }
    });
    Ok(lines.collect())
}

/// The customers of these conversations, under the customer's and the conversation's id.
fn customers_on(
    conn: &mut Conn,
    talks: &[Conversation],
) -> Result<HashMap<(i64, i64), BoardCustomer>, Fault> {
    let ids = talks
        .iter()
        .filter_map(|talk| Some(talk.standing.customer_id?.get()));
    let found: Vec<(i64, String, String, bool, Option<String>)> = customers::table
        .left_join(
            companies::table.on(companies::id
                .nullable()
                .eq(customers::company_id)
                .and(companies::deleted_at.is_null())),
        )
        .filter(customers::id.eq_any(ids.collect::<Vec<_>>()))
        .filter(customers::deleted_at.is_null())
        .select((
            customers::id,
            customers::last_name,
            customers::first_name,
            customers::needs_look,
            companies::name.nullable(),
        ))
        .load(conn)?;
    let mut people = HashMap::new();
    for (id, last, first, needs_look, company_name) in found {
        let customer = BoardCustomer {
            name: mend::person_name(&last, &first, id)?,
            company_name,
            needs_look,
        };
        let theirs = talks
            .iter()
            .filter(|talk| talk.standing.customer_id.is_some_and(|of| of.get() == id));
        people.extend(theirs.map(|talk| ((id, talk.id.get()), customer.clone())));
    }
    Ok(people)
}

/// How far our newest messages got, where the last word is ours.
fn last_sends(conn: &mut Conn, talks: &[Conversation]) -> Result<HashMap<i64, SendState>, Fault> {
    let ours = talks.iter().filter(|talk| {
        let last = talk.standing.last.as_ref();
        last.is_some_and(|last| last.direction == Direction::Sent)
    });
    let ids: Vec<i64> = ours.map(|talk| talk.id.get()).collect();
    let newest: Vec<Option<i64>> = sends::table
        .filter(sends::conversation_id.eq_any(ids))
        .filter(sends::reason.is_null().or(sends::reason.ne(CANCELLED)))
        .group_by(sends::conversation_id)
        .select(max(sends::id))
        .load(conn)?;
    let newest: Vec<i64> = newest.into_iter().flatten().collect();
    let states: Vec<(i64, i64, String)> = sends::table
        .filter(sends::id.eq_any(newest))
        .select((sends::conversation_id, sends::id, sends::state))
        .load(conn)?;
    let states = states.into_iter().map(|(talk, id, code)| {
        let state = SendState::from_code(&code);
        Ok((talk, state.ok_or_else(|| mend::corrupt("sends", "state", id))?))
    });
    Ok(states.collect::<Result<_, StoreError>>()?)
}

fn names(conn: &mut Conn, talks: &[Conversation]) -> Result<HashMap<i64, String>, Fault> {
    let ids = talks
        .iter()
        .flat_map(|talk| [talk.standing.handler_id, talk.standing.owner_id]);
    let mut ids: Vec<i64> = ids.flatten().map(MemberId::get).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: Vec<(i64, String)> = members::table
        .filter(members::id.eq_any(ids))
        .select((members::id, members::name))
        .load(conn)?;
    Ok(names.into_iter().collect())
}

fn count(conn: &mut Conn, query: Boxed<'_>, limit: usize) -> Result<usize, Fault> {
    let ids: Vec<i64> = query.limit(rows(limit)).select(conversations::id).load(conn)?;
    Ok(ids.len())
}

impl BoardQueries for Uow<'_> {
    fn board(&mut self, request: &BoardRequest) -> Result<BoardPage, StoreError> {
        self.run(|conn| {
            let begin = request.after.map_or(0, |after| after.place);
            let mut found = Vec::new();
            for place in places(request.column) {
                let wanted = request.limit + 1 - found.len();
                if place.code() >= begin && wanted > 0 {
                    found.extend(of_place(conn, request, *place, wanted)?);
                }
            }
            let more = found.len() > request.limit;
            found.truncate(request.limit);
            Ok(BoardPage {
                lines: lines(conn, found, request.reader)?,
                more,
            })
        })
    }

    fn board_counts(
        &mut self,
        reader: Option<MemberId>,
        visible: &Visible,
        limit: usize,
    ) -> Result<BoardCounts, StoreError> {
        self.run(|conn| {
            let waiting = seen(at_place(Place::Waiting, Tab::All), visible);
            let mut mine = 0;
            if let Some(me) = reader {
                for place in [Place::Waiting, Place::Taken] {
                    mine += count(conn, seen(at_place(place, Tab::Mine(me)), visible), limit)?;
                }
            }
            let unknown = conversations::table
                .into_boxed()
                .filter(unknown())
                .filter(conversations::last_at.is_not_null());
            Ok(BoardCounts {
                waiting: count(conn, waiting, limit)?,
                mine: mine.min(limit),
                unknown: count(conn, unknown, limit)?,
            })
        })
    }

    fn unknown_senders(
        &mut self,
        reader: Option<MemberId>,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<BoardLine>, StoreError> {
        self.run(|conn| {
            let (at, id) = (conversations::last_at, conversations::id);
            let mut query = conversations::table
                .into_boxed()
                .filter(unknown())
                .filter(at.is_not_null());
            if let Some((end, number)) = before {
                let (end, number) = (Stamp(end), number.get());
                query = query.filter(at.le(end)).filter(at.lt(end).or(id.lt(number)));
            }
            let found = query
                .order_by((at.desc(), id.desc()))
                .limit(rows(limit))
                .select(ConversationRow::as_select())
                .load(conn)?;
            lines(conn, found, reader)
        })
    }

    fn board_line(
        &mut self,
        id: ConversationId,
        reader: Option<MemberId>,
    ) -> Result<Option<BoardLine>, StoreError> {
        self.run(|conn| {
            let found = conversations::table
                .find(id.get())
                .filter(conversations::kind.eq(ConversationKind::Person.code()))
                .select(ConversationRow::as_select())
                .load(conn)?;
            Ok(lines(conn, found, reader)?.pop())
        })
    }
}
