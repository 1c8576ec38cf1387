//! What erasures take, in parts.

use crm_domain::conversations::{Conversation, ConversationId, LinkState};
use crm_domain::customers::CustomerId;
use crm_domain::erasures::{ErasureId, ErasureRepository, ErasureState, NewErasure, Talk};
use crm_domain::imports::ImportedKind;
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::erased::Erased;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::{ReceiptId, ReceiptState};
use crm_domain::tally::{DataKind, Tally};
use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Conn, Uow, erased_list, erasures, forget, idempotency};
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::{
    abandoned_blobs, activities, attachments, conversations, customers, drafts, import_origins, legal_holds,
    notes, reads, receipts, senders, sends, waitings,
};
use crate::stamp::Stamp;

/// The code stands in the text: a partial index is not used for a bound value.
fn unclaimed() -> SqlLiteral<Bool> {
    sql(&format!("state = '{}'", ReceiptState::Unclaimed.code()))
}

/// The callbacks of a conversation of which nothing stands on any page.
fn unshown_callbacks(conn: &mut Conn, talk: i64, limit: usize) -> Result<Vec<i64>, Fault> {
    let mut found: Vec<i64> = receipts::table
        .filter(receipts::conversation_id.eq(talk))
        .filter(unclaimed())
        .limit(rows(limit))
        .select(receipts::id)
        .load(conn)?;
    let with_files: Vec<i64> = attachments::table
        .filter(attachments::conversation_id.eq(talk))
        .limit(rows(limit))
        .select(attachments::receipt_id)
        .load(conn)?;
    found.extend(with_files);
    Ok(found)
}

/// One part after the other, the next when the one before has nothing left.
fn talk_part(conn: &mut Conn, talk: i64, limit: usize, at: Instant) -> Result<Tally, Fault> {
    let shown: Vec<i64> = activities::table
        .filter(activities::conversation_id.eq(talk))
        .limit(rows(limit))
        .select(activities::id)
        .load(conn)?;
    if !shown.is_empty() {
        return Ok(forget::activities(conn, &shown, at)?.0);
    }
    let callbacks = unshown_callbacks(conn, talk, limit)?;
    if !callbacks.is_empty() {
        return forget::receipts(conn, &callbacks, at);
    }
    let ours: Vec<i64> = sends::table
        .filter(sends::conversation_id.eq(talk))
        .limit(rows(limit))
        .select(sends::id)
        .load(conn)?;
    if !ours.is_empty() {
        return forget::sends(conn, &ours);
    }
    diesel::delete(reads::table.filter(reads::conversation_id.eq(talk))).execute(conn)?;
    let written = notes::table.filter(notes::conversation_id.eq(talk));
    let mut tally = Tally::of(DataKind::Notes, diesel::delete(written).execute(conn)?);
    let typed = drafts::table.filter(drafts::conversation_id.eq(talk));
    tally.add(DataKind::Drafts, diesel::delete(typed).execute(conn)?);
    Ok(tally)
}

fn forget_talk(conn: &mut Conn, (talk, address): &Talk) -> Result<Tally, Fault> {
    let id = talk.get();
    idempotency::forget_of(conn, id)?;
    let known = senders::table.filter(senders::address.eq(address.as_str()));
    let mut tally = Tally::of(DataKind::Senders, diesel::delete(known).execute(conn)?);
    let (nobody, never, nothing) = (None::<i64>, None::<Stamp>, None::<String>);
    let line = (
        conversations::address.eq(format!("erased-{id}")),
        conversations::link.eq(LinkState::Unconfirmed.code()),
        conversations::link_at.eq(Stamp(Conversation::no_event())),
        conversations::channel.eq(nothing.clone()),
        conversations::claim_due.eq(false),
        conversations::customer_id.eq(nobody),
        conversations::owner_id.eq(nobody),
        conversations::team_id.eq(nobody),
        conversations::handler_id.eq(nobody),
        conversations::handled_since.eq(never),
        conversations::waiting_since.eq(never),
        conversations::troubled_since.eq(never),
    );
    let shown = (
        conversations::last_at.eq(never),
        conversations::last_direction.eq(nothing.clone()),
        conversations::last_kind.eq(nothing),
        conversations::last_text.eq(""),
        conversations::last_said_at.eq(never),
        conversations::last_accepted_at.eq(never),
        conversations::received.eq(0),
        conversations::closed_at.eq(never),
        conversations::closed_by.eq(nobody),
        conversations::closed_handler_id.eq(nobody),
        conversations::closed_waiting_id.eq(nobody),
        conversations::board_place.eq(None::<i32>),
        conversations::board_at.eq(never),
        conversations::version.eq(conversations::version + 1),
    );
    let row = conversations::table
        .find(id)
        .filter(conversations::address.eq(address.as_str()));
    let changed = diesel::update(row).set(line).execute(conn)?;
    diesel::update(conversations::table.find(id))
        .set(shown)
        .execute(conn)?;
    tally.add(DataKind::Conversations, changed);
    let open = waitings::table
        .filter(waitings::conversation_id.eq(id))
        .filter(waitings::until.is_null());
    diesel::delete(open).execute(conn)?;
    Ok(tally)
}

fn own_record(conn: &mut Conn, id: i64) -> Result<Tally, Fault> {
    let origins = import_origins::table
        .filter(import_origins::kind.eq(ImportedKind::Customer.code()))
        .filter(import_origins::local_id.eq(id));
    let mut tally = Tally::of(DataKind::Origins, diesel::delete(origins).execute(conn)?);
    let elsewhere = activities::table.filter(activities::note_id.eq(notes::id.nullable()));
    let written = notes::table.filter(notes::customer_id.eq(id));
    let shown: Vec<i64> = written.filter(exists(elsewhere)).select(notes::id).load(conn)?;
    diesel::update(notes::table.filter(notes::id.eq_any(shown)))
        .set(notes::customer_id.eq(None::<i64>))
        .execute(conn)?;
    tally.add(DataKind::Notes, diesel::delete(written).execute(conn)?);
    diesel::delete(legal_holds::table.filter(legal_holds::customer_id.eq(id))).execute(conn)?;
    idempotency::forget_about(conn, id)?;
    diesel::update(conversations::table.filter(conversations::customer_id.eq(id)))
        .set(conversations::customer_id.eq(None::<i64>))
        .execute(conn)?;
    let deleted = diesel::delete(customers::table.find(id)).execute(conn)?;
    tally.add(DataKind::Customers, deleted);
    Ok(tally)
}

impl ErasureRepository for Uow<'_> {
    fn begin_erasure(&mut self, new: &NewErasure, talks: &[Talk]) -> Result<ErasureId, StoreError> {
        self.run(|conn| erasures::begin(conn, new, talks))
    }

    fn count_erased(&mut self, id: ErasureId, more: &Tally) -> Result<(), StoreError> {
        self.run(|conn| erasures::count(conn, id, more))
    }

    fn settle_erasure(
        &mut self,
        id: ErasureId,
        state: ErasureState,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| erasures::settle(conn, id, state, at))
    }

    fn erase_page(
        &mut self,
        customer: CustomerId,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError> {
        self.run(|conn| {
            let ids: Vec<i64> = activities::table
                .filter(activities::customer_id.eq(customer.get()))
                .limit(rows(limit))
                .select(activities::id)
                .load(conn)?;
            forget::activities(conn, &ids, at)
        })
    }

    fn erase_talk(&mut self, talk: ConversationId, limit: usize, at: Instant) -> Result<Tally, StoreError> {
        self.run(|conn| talk_part(conn, talk.get(), limit, at))
    }

    fn forget_talk(&mut self, talk: &Talk) -> Result<Tally, StoreError> {
        self.run(|conn| forget_talk(conn, talk))
    }

    fn empty_receipts(&mut self, ids: &[ReceiptId], at: Instant) -> Result<Tally, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.run(|conn| forget::receipts(conn, &ids, at))
    }

    fn erase_customer(&mut self, customer: CustomerId) -> Result<Tally, StoreError> {
        self.run(|conn| own_record(conn, customer.get()))
    }

    fn list_erased(&mut self, erased: &[Erased]) -> Result<(), StoreError> {
        self.run(|conn| erased_list::add(conn, erased))
    }

    fn abandon_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError> {
        self.run(|conn| forget::abandon(conn, &hash.to_string()))
    }

    fn settle_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::delete(abandoned_blobs::table.find(hash.to_string())).execute(conn)?;
            Ok(())
        })
    }
}
