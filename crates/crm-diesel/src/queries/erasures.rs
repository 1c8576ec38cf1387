//! Erasures and their receipts; what they take stands in `erasing`.

use crm_domain::conversations::{ConversationId, ConversationKind};
use crm_domain::customers::CustomerId;
use crm_domain::erasures::{
    Erasure, ErasureCause, ErasureId, ErasureQueries, ErasureState, NewErasure, Subject, Talk,
};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::erased::Erased;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptId;
use crm_domain::tally::Tally;
use crm_domain::values::LineUserId;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{Conn, Uow, erased_list};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::{corrupt, user_id};
use crate::schema::{
    abandoned_blobs, activities, attachments, conversations, customers, erasure_talks, erasures, receipts,
};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = erasures)]
struct ErasureRow {
    id: i64,
    customer_id: Option<i64>,
    subject: String,
    cause: String,
    state: String,
    requested_at: Stamp,
    requested_by: String,
    finished_at: Option<Stamp>,
    tally: String,
}

impl TryFrom<ErasureRow> for Erasure {
    type Error = StoreError;

    fn try_from(row: ErasureRow) -> Result<Self, StoreError> {
        let bad = |column| corrupt("erasures", column, row.id);
        Ok(Self {
            id: ErasureId::new(row.id),
            customer_id: row.customer_id.map(CustomerId::new),
            cause: ErasureCause::from_code(&row.cause).ok_or_else(|| bad("cause"))?,
            state: ErasureState::from_code(&row.state).ok_or_else(|| bad("state"))?,
            tally: row.tally.parse().map_err(|_| bad("tally"))?,
            subject: row.subject,
            requested_at: row.requested_at.0,
            requested_by: row.requested_by,
            finished_at: row.finished_at.map(|at| at.0),
        })
    }
}

fn all(found: Vec<ErasureRow>) -> Result<Vec<Erasure>, Fault> {
    let found = found.into_iter().map(Erasure::try_from);
    Ok(found.collect::<Result<_, _>>()?)
}

/// Begins one, or notes one that was prevented.
pub(super) fn begin(conn: &mut Conn, new: &NewErasure, talks: &[Talk]) -> Result<ErasureId, Fault> {
    let open = (new.state != ErasureState::Held).then_some(new.customer_id.get());
    let id: i64 = diesel::insert_into(erasures::table)
        .values((
            erasures::customer_id.eq(open),
            erasures::subject.eq(&new.subject),
            erasures::cause.eq(new.cause.code()),
            erasures::state.eq(new.state.code()),
            erasures::requested_at.eq(Stamp(new.requested_at)),
            erasures::requested_by_id.eq(new.requested_by.member_id.map(MemberId::get)),
            erasures::requested_by.eq(&new.requested_by.name),
            erasures::tally.eq(""),
        ))
        .returning(erasures::id)
        .get_result(conn)?;
    for (talk, address) in talks {
        diesel::insert_into(erasure_talks::table)
            .values((
                erasure_talks::erasure_id.eq(id),
                erasure_talks::conversation_id.eq(talk.get()),
                erasure_talks::address.eq(address.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(ErasureId::new(id))
}

/// Adds to what was erased.
pub(super) fn count(conn: &mut Conn, id: ErasureId, more: &Tally) -> Result<(), Fault> {
    let row: ErasureRow = erasures::table
        .find(id.get())
        .select(ErasureRow::as_select())
        .first(conn)?;
    let mut tally = Erasure::try_from(row)?.tally;
    tally.merge(more);
    diesel::update(erasures::table.find(id.get()))
        .set(erasures::tally.eq(tally.to_string()))
        .execute(conn)?;
    Ok(())
}

/// Says that it got one step farther, if it had got to the one before, and forgets what is needed no more.
pub(super) fn settle(
    conn: &mut Conn,
    id: ErasureId,
    state: ErasureState,
    at: Instant,
) -> Result<bool, Fault> {
    let row = erasures::table.find(id.get());
    let before = state.before().map(ErasureState::code);
    let moved = diesel::update(row.filter(erasures::state.nullable().eq(before)))
        .set(erasures::state.eq(state.code()))
        .execute(conn)?;
    if moved == 0 {
        return Ok(false);
    }
    let talks = erasure_talks::table.filter(erasure_talks::erasure_id.eq(id.get()));
    diesel::delete(talks).execute(conn)?;
    if state == ErasureState::Done {
        diesel::update(row)
            .set((
                erasures::customer_id.eq(None::<i64>),
                erasures::finished_at.eq(Some(Stamp(at))),
            ))
            .execute(conn)?;
    }
    Ok(true)
}

/// The conversations with persons in which this customer alone has a part.
fn own_talks(conn: &mut Conn, id: i64, address: Option<&str>) -> Result<Vec<Talk>, Fault> {
    let shown: Vec<Option<i64>> = activities::table
        .filter(activities::customer_id.eq(id))
        .filter(activities::conversation_id.is_not_null())
        .select(activities::conversation_id)
        .distinct()
        .load(conn)?;
    let shown: Vec<i64> = shown.into_iter().flatten().collect();
    let carried: Vec<i64> = conversations::table
        .filter(conversations::address.eq_any(address))
        .select(conversations::id)
        .load(conn)?;
    let mut ids = [shown, carried].concat();
    ids.sort_unstable();
    ids.dedup();
    let other_holder = customers::table
        .filter(customers::line_user_id.eq(conversations::address.nullable()))
        .filter(customers::id.ne(id));
    let reader = activities::table
        .filter(activities::conversation_id.eq(conversations::id.nullable()))
        .filter(activities::customer_id.ne(id));
    let found: Vec<(i64, String)> = in_pieces(&ids, |ids| {
        Ok(conversations::table
            .filter(conversations::id.eq_any(ids))
            .filter(conversations::kind.eq(ConversationKind::Person.code()))
            .filter(not(exists(other_holder)))
            .filter(not(exists(reader)))
            .order_by(conversations::id)
            .select((conversations::id, conversations::address))
            .load(conn)?)
    })?;
    Ok(found.into_iter().filter_map(to_talk).collect())
}

fn to_talk((id, address): (i64, String)) -> Option<(ConversationId, LineUserId)> {
    Some((ConversationId::new(id), user_id(Some(&address))?))
}

impl ErasureQueries for Uow<'_> {
    fn erasure(&mut self, id: ErasureId) -> Result<Option<Erasure>, StoreError> {
        self.run(|conn| {
            let row = erasures::table.find(id.get()).select(ErasureRow::as_select());
            let row: Option<ErasureRow> = row.first(conn).optional()?;
            Ok(row.map(Erasure::try_from).transpose()?)
        })
    }

    fn erasures(&mut self, limit: usize) -> Result<Vec<Erasure>, StoreError> {
        self.run(|conn| {
            let newest = erasures::table.order_by(erasures::id.desc()).limit(rows(limit));
            all(newest.select(ErasureRow::as_select()).load(conn)?)
        })
    }

    fn open_erasures(&mut self) -> Result<Vec<Erasure>, StoreError> {
        self.run(|conn| {
            let open = erasures::table
                .filter(erasures::customer_id.is_not_null())
                .order_by(erasures::id);
            all(open.select(ErasureRow::as_select()).load(conn)?)
        })
    }

    fn erasure_talks(&mut self, id: ErasureId) -> Result<Vec<Talk>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, String)> = erasure_talks::table
                .filter(erasure_talks::erasure_id.eq(id.get()))
                .order_by(erasure_talks::id)
                .select((erasure_talks::conversation_id, erasure_talks::address))
                .load(conn)?;
            Ok(found.into_iter().filter_map(to_talk).collect())
        })
    }

    fn subject(&mut self, customer: CustomerId) -> Result<Option<Subject>, StoreError> {
        self.run(|conn| {
            let found: Option<(Option<String>, Stamp)> = customers::table
                .find(customer.get())
                .select((customers::line_user_id, customers::created_at))
                .first(conn)
                .optional()?;
            let Some((address, created_at)) = found else {
                return Ok(None);
            };
            Ok(Some(Subject {
                customer,
                talks: own_talks(conn, customer.get(), address.as_deref())?,
                address: user_id(address.as_deref()),
                created_at: created_at.0,
            }))
        })
    }

    fn talks_after(
        &mut self,
        after: ConversationId,
        limit: usize,
    ) -> Result<Vec<(Talk, Instant, Option<CustomerId>)>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, String, Stamp, Option<i64>)> = conversations::table
                .filter(conversations::id.gt(after.get()))
                .filter(conversations::kind.eq(ConversationKind::Person.code()))
                .order_by(conversations::id)
                .limit(rows(limit))
                .select((
                    conversations::id,
                    conversations::address,
                    conversations::created_at,
                    conversations::customer_id,
                ))
                .load(conn)?;
            let talks = found.into_iter().filter_map(|(id, address, at, customer)| {
                Some((to_talk((id, address))?, at.0, customer.map(CustomerId::new)))
            });
            Ok(talks.collect())
        })
    }

    fn bodies_after(
        &mut self,
        after: ReceiptId,
        limit: usize,
    ) -> Result<Vec<(ReceiptId, Vec<u8>)>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, Vec<u8>)> = receipts::table
                .filter(receipts::id.gt(after.get()))
                .filter(receipts::body.ne(Vec::<u8>::new()))
                .order_by(receipts::id)
                .limit(rows(limit))
                .select((receipts::id, receipts::body))
                .load(conn)?;
            let bodies = found.into_iter().map(|(id, body)| (ReceiptId::new(id), body));
            Ok(bodies.collect())
        })
    }

    fn abandoned_blobs(&mut self, limit: usize) -> Result<Vec<BlobHash>, StoreError> {
        self.run(|conn| {
            let found: Vec<String> = abandoned_blobs::table
                .order_by(abandoned_blobs::sha256)
                .limit(rows(limit))
                .select(abandoned_blobs::sha256)
                .load(conn)?;
            Ok(found.iter().filter_map(|hash| BlobHash::from_hex(hash)).collect())
        })
    }

    fn listed_erased(&mut self) -> Result<Vec<Erased>, StoreError> {
        self.run(erased_list::all)
    }

    fn is_blob_named(&mut self, hash: &BlobHash) -> Result<bool, StoreError> {
        self.run(|conn| {
            let named = attachments::table.filter(attachments::sha256.eq(Some(hash.to_string())));
            Ok(diesel::select(exists(named)).get_result(conn)?)
        })
    }
}
