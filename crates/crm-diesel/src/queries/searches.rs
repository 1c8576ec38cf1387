//! Messages by what they say. The index holds what was added here; the rest is taken in afterwards.

use std::collections::HashSet;

use crm_domain::activities::{Activity, ActivityId};
use crm_domain::searches::Saying;
use crm_domain::teams::Visible;
use crm_domain::values::SearchWords;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::activities::at;
use super::teams::Seen;
use super::{Backend, Conn, words};
use crate::cached::update;
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::{activities, customers};

/// How many messages that say the words are looked at before the answer says where to go on: whoever sees few of many
/// customers would wait for all that the others said.
const LOOKED_AT: usize = 5_000;
/// How many of those are asked for at once.
const PIECE: usize = 250;
/// And how many after those.
const LARGE_PIECE: usize = 1_000;

/// As `ActivityQueries::activities_saying`.
pub(super) fn saying(
    conn: &mut Conn,
    wanted: &SearchWords,
    before: Option<ActivityId>,
    limit: usize,
    visible: &Visible,
) -> Result<Saying, Fault> {
    let mut below = before.map_or(i64::MAX, ActivityId::get);
    let (mut found, mut looked_at): (Vec<i64>, usize) = (Vec::new(), 0);
    let mut next = None;
    while looked_at < LOOKED_AT {
        // The first is enough for nearly everybody; whoever sees few of many customers asks for more at once.
        let piece = if looked_at == 0 { PIECE } else { LARGE_PIECE };
        let said = words::saying(conn, wanted, below, piece)?;
        looked_at += said.len();
        let seen = seen_of(conn, &said, visible)?;
        found.extend(said.iter().filter(|id| seen.contains(id)));
        next = said.last().filter(|_| said.len() == piece).copied();
        let Some(last) = next.filter(|_| found.len() <= limit) else {
            break;
        };
        below = last;
    }
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().copied();
    }
    Ok(Saying {
        items: in_turn(conn, &found)?,
        next: next.map(ActivityId::new),
    })
}

/// Those that stand on pages that are seen.
fn seen_of(conn: &mut Conn, ids: &[i64], visible: &Visible) -> Result<HashSet<i64>, Fault> {
    let mut query = activities::table
        .inner_join(customers::table)
        .filter(activities::id.eq_any(ids))
        .filter(activities::deleted_at.is_null())
        .filter(customers::deleted_at.is_null())
        .select(activities::id)
        .into_boxed::<Backend>();
    if let Visible::Some(sight) = visible {
        query = query.filter(Seen::of(sight).customers());
    }
    Ok(query.load::<i64>(conn)?.into_iter().collect())
}

fn in_turn(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Activity>, Fault> {
    let mut messages = at(conn, ids)?;
    messages.sort_by_key(|message| std::cmp::Reverse(message.id));
    Ok(messages)
}

/// Whether all are in the index.
pub(super) fn is_complete(conn: &mut Conn) -> Result<bool, Fault> {
    let left = activities::table.filter(not(activities::indexed));
    Ok(!diesel::select(exists(left)).get_result::<bool>(conn)?)
}

/// As `ActivityRepository::index_activities`.
pub(super) fn take_in(conn: &mut Conn, limit: usize) -> Result<usize, Fault> {
    let left: Vec<(i64, String)> = activities::table
        .filter(not(activities::indexed))
        .order_by(activities::id.desc())
        .limit(rows(limit))
        .select((activities::id, activities::message))
        .load(conn)?;
    let ids: Vec<i64> = left.iter().map(|(id, _)| *id).collect();
    words::add(conn, left.iter().map(|(id, said)| (*id, said.as_str())))?;
    for piece in ids.chunks(PIECE) {
        let these = activities::id.eq_any(piece);
        update(activities::table, these, activities::indexed.eq(true)).execute(conn)?;
    }
    Ok(ids.len())
}

/// Takes messages that are about to be deleted out of the index.
pub(super) fn take_out(conn: &mut Conn, ids: &[i64]) -> Result<(), Fault> {
    let kept: Vec<(i64, String)> = activities::table
        .filter(activities::id.eq_any(ids))
        .filter(activities::indexed)
        .select((activities::id, activities::message))
        .load(conn)?;
    words::remove(conn, kept.iter().map(|(id, said)| (*id, said.as_str())))
}
