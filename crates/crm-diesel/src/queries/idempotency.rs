//! Kept answers.

use crm_domain::id::Id;
use crm_domain::idempotency::{Answer, Asked, IdempotencyQueries, IdempotencyRepository, KeptAnswer, Named};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::{Backend, Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::schema::idempotency_keys as answers;
use crate::stamp::Stamp;

type Found<'a> = answers::BoxedQuery<'a, Backend>;

#[derive(Queryable)]
struct AnswerRow {
    body_hash: String,
    status: i32,
    location: Option<String>,
    body: String,
}

fn of(asked: &Asked) -> Found<'_> {
    answers::table
        .into_boxed()
        .filter(answers::member_id.eq(asked.member.get()))
        .filter(answers::method.eq(asked.method))
        .filter(answers::path.eq(&asked.path))
        .filter(answers::key.eq(asked.key.as_str()))
}

fn bytes(row: &AnswerRow) -> Option<[u8; 32]> {
    BlobHash::from_hex(&row.body_hash).map(|hash| hash.0)
}

/// What names this customer.
pub(super) fn forget_about(conn: &mut Conn, customer: i64) -> Result<(), Fault> {
    diesel::delete(answers::table.filter(answers::customer_id.eq(customer))).execute(conn)?;
    Ok(())
}

/// What was answered about this conversation.
pub(super) fn forget_of(conn: &mut Conn, talk: i64) -> Result<(), Fault> {
    diesel::delete(answers::table.filter(answers::conversation_id.eq(talk))).execute(conn)?;
    Ok(())
}

impl IdempotencyQueries for Uow<'_> {
    fn kept_answer(&mut self, asked: &Asked, since: Instant) -> Result<Option<KeptAnswer>, StoreError> {
        self.run(|conn| {
            let row: Option<AnswerRow> = of(asked)
                .filter(answers::at.ge(Stamp(since)))
                .select((
                    answers::body_hash,
                    answers::status,
                    answers::location,
                    answers::body,
                ))
                .first(conn)
                .optional()?;
            Ok(row.map(|row| KeptAnswer {
                // What cannot be read is no hash of any body.
                asked: bytes(&row).unwrap_or_default(),
                answer: Answer {
                    status: u16::try_from(row.status).unwrap_or_default(),
                    location: row.location,
                    body: row.body,
                },
            }))
        })
    }
}

impl IdempotencyRepository for Uow<'_> {
    fn keep_answer(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        named: Named,
        since: Instant,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.run(|conn| {
            let old = answers::table
                .filter(answers::member_id.eq(asked.member.get()))
                .filter(answers::method.eq(asked.method))
                .filter(answers::path.eq(&asked.path))
                .filter(answers::key.eq(asked.key.as_str()))
                .filter(answers::at.lt(Stamp(since)));
            diesel::delete(old).execute(conn)?;
            let kept = diesel::insert_into(answers::table)
                .values((
                    answers::member_id.eq(asked.member.get()),
                    answers::method.eq(asked.method),
                    answers::path.eq(&asked.path),
                    answers::key.eq(asked.key.as_str()),
                    answers::body_hash.eq(BlobHash(asked.body).to_string()),
                    answers::status.eq(i32::from(answer.status)),
                    answers::location.eq(answer.location.as_deref()),
                    answers::body.eq(&answer.body),
                    answers::customer_id.eq(named.customer.map(Id::get)),
                    answers::conversation_id.eq(named.conversation.map(Id::get)),
                    answers::at.eq(Stamp(at)),
                ))
                .on_conflict_do_nothing()
                .execute(conn)?;
            if kept == 0 {
                return Err(StoreError::Taken("key").into());
            }
            Ok(())
        })
    }

    fn forget_answers(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| {
            let old: Vec<i64> = answers::table
                .filter(answers::at.lt(Stamp(before)))
                .order_by(answers::at)
                .limit(rows(limit))
                .select(answers::id)
                .load(conn)?;
            Ok(diesel::delete(answers::table.filter(answers::id.eq_any(old))).execute(conn)?)
        })
    }
}
