//! The reading log.

use crm_domain::audit::By;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::members::{MemberId, TokenId};
use crm_domain::ports::store::StoreError;
use crm_domain::readings::{
    NewReading, Reading, ReadingFilter, ReadingId, ReadingKind, ReadingPlace, ReadingQueries,
    ReadingRepository, ReadingRule,
};
use diesel::prelude::*;

use super::Uow;
use crate::found::rows;
use crate::mend::corrupt;
use crate::schema::{reading_log, reading_rule};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = reading_log)]
struct Row {
    id: i64,
    at: Stamp,
    by_kind: String,
    member_id: Option<i64>,
    token_id: Option<i64>,
    by_name: String,
    address: Option<String>,
    kind: String,
    customer_id: Option<i64>,
    record_id: Option<i64>,
    words: Option<String>,
}

impl TryFrom<Row> for Reading {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = ReadingKind::from_code(&row.kind);
        Ok(Self {
            id: ReadingId::new(row.id),
            what: NewReading {
                at: row.at.0,
                by: By {
                    kind: row.by_kind,
                    member_id: row.member_id.map(MemberId::new),
                    token_id: row.token_id.map(TokenId::new),
                    name: row.by_name,
                },
                address: row.address,
                kind: kind.ok_or_else(|| corrupt("reading_log", "kind", row.id))?,
                customer_id: row.customer_id.map(CustomerId::new),
                record_id: row.record_id,
                words: row.words,
            },
        })
    }
}

impl ReadingQueries for Uow<'_> {
    fn reading_rule(&mut self) -> Result<ReadingRule, StoreError> {
        self.run(|conn| {
            let stored: Option<(bool, i64)> = reading_rule::table
                .select((reading_rule::is_on, reading_rule::days))
                .first(conn)
                .optional()?;
            let rule = stored.map(|(on, days)| ReadingRule {
                on,
                days: u32::try_from(days).unwrap_or(ReadingRule::default().days),
            });
            Ok(rule.unwrap_or_default())
        })
    }

    fn readings(
        &mut self,
        filter: &ReadingFilter,
        after: Option<ReadingPlace>,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        self.run(|conn| {
            let mut query = reading_log::table.into_boxed();
            if let Some(id) = filter.member_id {
                query = query.filter(reading_log::member_id.eq(id.get()));
            }
            if let Some(kind) = filter.kind {
                query = query.filter(reading_log::kind.eq(kind.code()));
            }
            if let Some(id) = filter.customer_id {
                query = query.filter(reading_log::customer_id.eq(id.get()));
            }
            if let Some(from) = filter.from {
                query = query.filter(reading_log::at.ge(Stamp(from)));
            }
            if let Some(to) = filter.to {
                query = query.filter(reading_log::at.lt(Stamp(to)));
            }
            if let Some(ReadingPlace { at, id }) = after {
                let at = Stamp(at);
                query = query
                    .filter(reading_log::at.le(at))
                    .filter(reading_log::at.lt(at).or(reading_log::id.lt(id.get())));
            }
            let found: Vec<Row> = query
                .order_by((reading_log::at.desc(), reading_log::id.desc()))
                .limit(rows(limit))
                .select(Row::as_select())
                .load(conn)?;
            Ok(found
                .into_iter()
                .map(Reading::try_from)
                .collect::<Result<_, _>>()?)
        })
    }

    fn searches(&mut self, after: ReadingId, limit: usize) -> Result<Vec<(ReadingId, String)>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, String)> = reading_log::table
                .filter(reading_log::id.gt(after.get()))
                .filter(reading_log::words.is_not_null())
                .order_by(reading_log::id)
                .limit(rows(limit))
                .select((reading_log::id, reading_log::words.assume_not_null()))
                .load(conn)?;
            Ok(found
                .into_iter()
                .map(|(id, words)| (ReadingId::new(id), words))
                .collect())
        })
    }
}

impl ReadingRepository for Uow<'_> {
    fn add_readings(&mut self, readings: &[NewReading]) -> Result<(), StoreError> {
        self.run(|conn| {
            for new in readings {
                diesel::insert_into(reading_log::table)
                    .values((
                        reading_log::at.eq(Stamp(new.at)),
                        reading_log::by_kind.eq(&new.by.kind),
                        reading_log::member_id.eq(new.by.member_id.map(MemberId::get)),
                        reading_log::token_id.eq(new.by.token_id.map(TokenId::get)),
                        reading_log::by_name.eq(&new.by.name),
                        reading_log::address.eq(&new.address),
                        reading_log::kind.eq(new.kind.code()),
                        reading_log::customer_id.eq(new.customer_id.map(CustomerId::get)),
                        reading_log::record_id.eq(new.record_id),
                        reading_log::words.eq(&new.words),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn set_reading_rule(&mut self, rule: ReadingRule) -> Result<(), StoreError> {
        self.run(|conn| {
            let values = (
                reading_rule::is_on.eq(rule.on),
                reading_rule::days.eq(i64::from(rule.days)),
            );
            diesel::insert_into(reading_rule::table)
                .values((reading_rule::id.eq(1), values))
                .on_conflict(reading_rule::id)
                .do_update()
                .set(values)
                .execute(conn)?;
            Ok(())
        })
    }

    fn prune_readings(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| {
            let old: Vec<i64> = reading_log::table
                .filter(reading_log::at.lt(Stamp(before)))
                .order_by((reading_log::at, reading_log::id))
                .limit(rows(limit))
                .select(reading_log::id)
                .load(conn)?;
            for ids in old.chunks(500) {
                diesel::delete(reading_log::table.filter(reading_log::id.eq_any(ids))).execute(conn)?;
            }
            Ok(old.len())
        })
    }

    fn forget_readings_of(&mut self, customer: CustomerId) -> Result<usize, StoreError> {
        self.run(|conn| {
            let theirs = reading_log::table.filter(reading_log::customer_id.eq(customer.get()));
            Ok(diesel::delete(theirs).execute(conn)?)
        })
    }

    fn empty_searches(&mut self, ids: &[ReadingId]) -> Result<(), StoreError> {
        self.run(|conn| {
            let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
            for ids in ids.chunks(500) {
                diesel::update(reading_log::table.filter(reading_log::id.eq_any(ids)))
                    .set(reading_log::words.eq(None::<String>))
                    .execute(conn)?;
            }
            Ok(())
        })
    }
}
