//! Taking rows away with what only they refer to.

use std::collections::BTreeSet;

use crm_domain::conversations::ConversationId;
use crm_domain::imports::ImportedKind;
use crm_domain::instant::Instant;
use crm_domain::receipts::ReceiptState;
use crm_domain::tally::{DataKind, Tally};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{Conn, searches};
use crate::fault::Fault;
use crate::schema::{
    abandoned_blobs, activities, attachments, departures, import_origins, notes, receipts, sends,
};
use crate::stamp::Stamp;

/// Why a callback that nobody will record stands as of no use.
pub(super) const ERASED: &str = "erased";

type Sources = (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// Deletes these messages, and the callbacks' bodies, files, messages of ours and notes that stand nowhere else then.
/// Tells also of which conversations.
pub(super) fn activities(
    conn: &mut Conn,
    ids: &[i64],
    at: Instant,
) -> Result<(Tally, Vec<ConversationId>), Fault> {
    let theirs = activities::table.filter(activities::id.eq_any(ids));
    let rows: Vec<Sources> = theirs
        .clone()
        .select((
            activities::id,
            activities::conversation_id,
            activities::receipt_id,
            activities::send_id,
            activities::note_id,
        ))
        .load(conn)?;
    let origins = import_origins::table
        .filter(import_origins::kind.eq(ImportedKind::Activity.code()))
        .filter(import_origins::local_id.eq_any(ids));
    let mut tally = Tally::of(DataKind::Origins, diesel::delete(origins).execute(conn)?);
    searches::take_out(conn, ids)?;
    tally.add(DataKind::Activities, diesel::delete(theirs).execute(conn)?);
    let part = |part: fn(&Sources) -> Option<i64>| -> Vec<i64> {
        let numbers: BTreeSet<i64> = rows.iter().filter_map(part).collect();
        numbers.into_iter().collect()
    };
    tally.merge(&unshown_receipts(conn, &part(|row| row.2), at)?);
    tally.merge(&unshown_sends(conn, &part(|row| row.3))?);
    tally.merge(&unshown_notes(conn, &part(|row| row.4))?);
    let talks = part(|row| row.1).into_iter().map(ConversationId::new);
    Ok((tally, talks.collect()))
}

fn unshown_receipts(conn: &mut Conn, ids: &[i64], at: Instant) -> Result<Tally, Fault> {
    let shown = activities::table.filter(activities::receipt_id.eq(receipts::id.nullable()));
    let unshown: Vec<i64> = receipts::table
        .filter(receipts::id.eq_any(ids))
        .filter(not(exists(shown)))
        .select(receipts::id)
        .load(conn)?;
    receipts(conn, &unshown, at)
}

fn unshown_sends(conn: &mut Conn, ids: &[i64]) -> Result<Tally, Fault> {
    let shown = activities::table.filter(activities::send_id.eq(sends::id.nullable()));
    let unshown: Vec<i64> = sends::table
        .filter(sends::id.eq_any(ids))
        .filter(not(exists(shown)))
        .select(sends::id)
        .load(conn)?;
    sends(conn, &unshown)
}

fn unshown_notes(conn: &mut Conn, ids: &[i64]) -> Result<Tally, Fault> {
    let shown = activities::table.filter(activities::note_id.eq(notes::id.nullable()));
    let unshown = notes::table
        .filter(notes::id.eq_any(ids))
        .filter(not(exists(shown)));
    let ids: Vec<i64> = unshown.select(notes::id).load(conn)?;
    let deleted = diesel::delete(notes::table.filter(notes::id.eq_any(ids))).execute(conn)?;
    Ok(Tally::of(DataKind::Notes, deleted))
}

/// Deletes these messages of ours, which stand on no page.
pub(super) fn sends(conn: &mut Conn, ids: &[i64]) -> Result<Tally, Fault> {
    diesel::delete(departures::table.filter(departures::send_id.eq_any(ids))).execute(conn)?;
    let deleted = diesel::delete(sends::table.filter(sends::id.eq_any(ids))).execute(conn)?;
    Ok(Tally::of(DataKind::Sends, deleted))
}

/// Empties the bodies of these callbacks and deletes the files that came with them. What was not recorded never will be.
pub(super) fn receipts(conn: &mut Conn, ids: &[i64], at: Instant) -> Result<Tally, Fault> {
    let mut tally = files(conn, ids)?;
    let full = receipts::table
        .filter(receipts::id.eq_any(ids))
        .filter(receipts::body.ne(Vec::<u8>::new()));
    let emptied = diesel::update(full)
        .set(receipts::body.eq(Vec::<u8>::new()))
        .execute(conn)?;
    tally.add(DataKind::Bodies, emptied);
    let unsettled = [
        ReceiptState::Pending,
        ReceiptState::Unclaimed,
        ReceiptState::Uninterpreted,
    ];
    let open = receipts::table
        .filter(receipts::id.eq_any(ids))
        .filter(receipts::state.eq_any(unsettled.map(ReceiptState::code)));
    diesel::update(open)
        .set((
            receipts::state.eq(ReceiptState::Ignored.code()),
            receipts::reason.eq(Some(ERASED)),
            receipts::settled_at.eq(Some(Stamp(at))),
        ))
        .execute(conn)?;
    Ok(tally)
}

/// Deletes the files that came with these callbacks; their contents are abandoned.
fn files(conn: &mut Conn, receipts: &[i64]) -> Result<Tally, Fault> {
    let theirs = attachments::table.filter(attachments::receipt_id.eq_any(receipts));
    let contents: Vec<Option<String>> = theirs.clone().select(attachments::sha256).load(conn)?;
    for content in contents.into_iter().flatten() {
        abandon(conn, &content)?;
    }
    let deleted = diesel::delete(theirs).execute(conn)?;
    Ok(Tally::of(DataKind::Files, deleted))
}

/// Notes that no row names a content any more.
pub(super) fn abandon(conn: &mut Conn, sha256: &str) -> Result<(), Fault> {
    diesel::insert_into(abandoned_blobs::table)
        .values(abandoned_blobs::sha256.eq(sha256))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(())
}
