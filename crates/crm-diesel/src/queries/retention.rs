//! Rules, holds and daily runs; what is over its time.

use crm_domain::activities::Direction;
use crm_domain::conversations::{ConversationId, ConversationKind};
use crm_domain::customers::CustomerId;
use crm_domain::erasures::Talk;
use crm_domain::id::Id;
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::{ReceiptId, ReceiptState};
use crm_domain::retention::{
    Foreseen, Hold, HoldId, HouseRun, RetentionQueries, RetentionRepository, Rule, RuleKind,
};
use crm_domain::tally::Tally;
use diesel::dsl::{count_star, exists, min, not};
use diesel::prelude::*;

use super::{Backend, Conn, Uow, forget};
use crate::fault::Fault;
use crate::found::rows;
use crate::mend::{self, corrupt, user_id};
use crate::schema::{
    activities, conversations, customers, house_runs, legal_holds, receipts, retention_rules,
};
use crate::stamp::Stamp;

/// How many runs are remembered.
const RUNS: i64 = 100;

type Found<'a> = activities::BoxedQuery<'a, Backend>;

/// The customers with a hold; of everything is another matter.
fn held_customers(conn: &mut Conn) -> Result<Vec<i64>, Fault> {
    let held: Vec<Option<i64>> = legal_holds::table
        .filter(legal_holds::lifted_at.is_null())
        .select(legal_holds::customer_id)
        .load(conn)?;
    Ok(held.into_iter().flatten().collect())
}

fn everything_held(conn: &mut Conn) -> Result<bool, Fault> {
    let all = legal_holds::table
        .filter(legal_holds::lifted_at.is_null())
        .filter(legal_holds::customer_id.is_null());
    Ok(diesel::select(exists(all)).get_result(conn)?)
}

/// Messages or notes older than this.
fn old<'a>(kind: RuleKind, before: Instant) -> Found<'a> {
    let query = activities::table
        .into_boxed()
        .filter(activities::timestamp.lt(Stamp(before)));
    if kind == RuleKind::Notes {
        query.filter(activities::direction.eq(Direction::Note.code()))
    } else {
        query.filter(activities::direction.ne(Direction::Note.code()))
    }
}

fn foreseen(conn: &mut Conn, query: Found<'_>) -> Result<(u64, Option<Instant>), Fault> {
    let (count, oldest): (i64, Option<Stamp>) = query
        .select((count_star(), min(activities::timestamp)))
        .first(conn)?;
    Ok((u64::try_from(count).unwrap_or_default(), oldest.map(|at| at.0)))
}

fn foresee_activities(conn: &mut Conn, kind: RuleKind, before: Instant) -> Result<Foreseen, Fault> {
    let held = held_customers(conn)?;
    let (held_back, _) = foreseen(
        conn,
        old(kind, before).filter(activities::customer_id.eq_any(held.clone())),
    )?;
    let (count, oldest) = foreseen(
        conn,
        old(kind, before).filter(activities::customer_id.ne_all(held)),
    )?;
    Ok(Foreseen {
        count,
        held: held_back,
        oldest,
    })
}

type Talks<'a> = conversations::BoxedQuery<'a, Backend>;

/// Persons who are no customers, of whom and to whom nothing was said since.
fn silent<'a>(before: Instant) -> Talks<'a> {
    let carrier = customers::table.filter(customers::line_user_id.eq(conversations::address.nullable()));
    let shown = activities::table.filter(activities::conversation_id.eq(conversations::id.nullable()));
    conversations::table
        .into_boxed()
        .filter(conversations::kind.eq(ConversationKind::Person.code()))
        .filter(conversations::customer_id.is_null())
        .filter(conversations::last_at.lt(Stamp(before)))
        .filter(not(exists(carrier)))
        .filter(not(exists(shown)))
}

fn foresee_senders(conn: &mut Conn, before: Instant) -> Result<Foreseen, Fault> {
    let (count, oldest): (i64, Option<Stamp>) = silent(before)
        .select((count_star(), min(conversations::last_at)))
        .first(conn)?;
    Ok(Foreseen {
        count: u64::try_from(count).unwrap_or_default(),
        held: 0,
        oldest: oldest.map(|at| at.0),
    })
}

/// The callbacks behind `after`, of which those are emptied that are over their time and on no held customer's page.
fn empty_bodies(
    conn: &mut Conn,
    before: Instant,
    after: i64,
    limit: usize,
) -> Result<(Tally, Option<ReceiptId>), Fault> {
    let looked: Vec<i64> = receipts::table
        .filter(receipts::id.gt(after))
        .order_by(receipts::id)
        .limit(rows(limit))
        .select(receipts::id)
        .load(conn)?;
    let Some(last) = looked.last().copied() else {
        return Ok((Tally::default(), None));
    };
    let settled = [ReceiptState::Recorded, ReceiptState::Ignored].map(ReceiptState::code);
    let held = held_customers(conn)?;
    let on_held_page = activities::table
        .filter(activities::receipt_id.eq(receipts::id.nullable()))
        .filter(activities::customer_id.eq_any(held));
    let over = receipts::table
        .filter(receipts::id.gt(after).and(receipts::id.le(last)))
        .filter(receipts::state.eq_any(settled))
        .filter(receipts::settled_at.lt(Stamp(before)))
        .filter(receipts::body.ne(Vec::<u8>::new()))
        .filter(not(exists(on_held_page)));
    let emptied = diesel::update(over)
        .set(receipts::body.eq(Vec::<u8>::new()))
        .execute(conn)?;
    let next = (looked.len() == limit).then(|| ReceiptId::new(last));
    Ok((Tally::of(crm_domain::tally::DataKind::Bodies, emptied), next))
}

type HoldRow = (
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
    String,
    Stamp,
    String,
);

fn to_hold(row: HoldRow) -> Hold {
    let (id, customer, last, first, reason, at, by) = row;
    let name = last
        .zip(first)
        .and_then(|(last, first)| Some(mend::person_name(&last, &first, id).ok()?.full()));
    Hold {
        id: HoldId::new(id),
        customer_id: customer.map(CustomerId::new),
        customer_name: name,
        reason,
        placed_at: at.0,
        placed_by: by,
    }
}

impl RetentionQueries for Uow<'_> {
    fn retention_rules(&mut self) -> Result<Vec<Rule>, StoreError> {
        self.run(|conn| {
            let found: Vec<(String, i32)> = retention_rules::table
                .order_by(retention_rules::kind)
                .select((retention_rules::kind, retention_rules::months))
                .load(conn)?;
            let rules = found.into_iter().filter_map(|(kind, months)| {
                Some(Rule {
                    kind: RuleKind::from_code(&kind)?,
                    months: u32::try_from(months).ok(),
                })
            });
            Ok(rules.collect())
        })
    }

    fn holds(&mut self) -> Result<Vec<Hold>, StoreError> {
        self.run(|conn| {
            let found: Vec<HoldRow> = legal_holds::table
                .left_join(customers::table)
                .filter(legal_holds::lifted_at.is_null())
                .order_by(legal_holds::id.desc())
                .select((
                    legal_holds::id,
                    legal_holds::customer_id,
                    customers::last_name.nullable(),
                    customers::first_name.nullable(),
                    legal_holds::reason,
                    legal_holds::placed_at,
                    legal_holds::placed_by,
                ))
                .load(conn)?;
            Ok(found.into_iter().map(to_hold).collect())
        })
    }

    fn is_held(&mut self, customer: CustomerId) -> Result<bool, StoreError> {
        self.run(|conn| Ok(everything_held(conn)? || held_customers(conn)?.contains(&customer.get())))
    }

    fn everything_held(&mut self) -> Result<bool, StoreError> {
        self.run(everything_held)
    }

    fn last_house_run(&mut self) -> Result<Option<HouseRun>, StoreError> {
        self.run(|conn| {
            let found: Option<(i64, Stamp, Option<Stamp>, bool, String)> = house_runs::table
                .order_by(house_runs::id.desc())
                .select((
                    house_runs::id,
                    house_runs::started_at,
                    house_runs::finished_at,
                    house_runs::held,
                    house_runs::tally,
                ))
                .first(conn)
                .optional()?;
            let Some((id, started, finished, held, tally)) = found else {
                return Ok(None);
            };
            Ok(Some(HouseRun {
                id: Id::new(id),
                started_at: started.0,
                finished_at: finished.map(|at| at.0),
                held,
                tally: tally.parse().map_err(|_| corrupt("house_runs", "tally", id))?,
            }))
        })
    }

    fn foresee(&mut self, kind: RuleKind, before: Instant) -> Result<Foreseen, StoreError> {
        self.run(|conn| match kind {
            RuleKind::Messages | RuleKind::Notes => foresee_activities(conn, kind, before),
            RuleKind::UnknownSenders => foresee_senders(conn, before),
            RuleKind::Audit => Ok(Foreseen::default()),
        })
    }

    fn silent_talks(&mut self, before: Instant, limit: usize) -> Result<Vec<Talk>, StoreError> {
        self.run(|conn| {
            let found: Vec<(i64, String)> = silent(before)
                .order_by(conversations::id)
                .limit(rows(limit))
                .select((conversations::id, conversations::address))
                .load(conn)?;
            let talks = found
                .into_iter()
                .filter_map(|(id, address)| Some((ConversationId::new(id), user_id(Some(&address))?)));
            Ok(talks.collect())
        })
    }
}

impl RetentionRepository for Uow<'_> {
    fn set_rule(&mut self, rule: Rule) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::delete(retention_rules::table.find(rule.kind.code())).execute(conn)?;
            if let Some(months) = rule.months.and_then(|months| i32::try_from(months).ok()) {
                diesel::insert_into(retention_rules::table)
                    .values((
                        retention_rules::kind.eq(rule.kind.code()),
                        retention_rules::months.eq(months),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn place_hold(
        &mut self,
        customer: Option<CustomerId>,
        reason: &str,
        by: &str,
        at: Instant,
    ) -> Result<HoldId, StoreError> {
        self.run(|conn| {
            if let Some(customer) = customer {
                let there = customers::table.find(customer.get());
                if !diesel::select(exists(there)).get_result::<bool>(conn)? {
                    return Err(StoreError::Missing("customer_id").into());
                }
            }
            let id: i64 = diesel::insert_into(legal_holds::table)
                .values((
                    legal_holds::customer_id.eq(customer.map(CustomerId::get)),
                    legal_holds::reason.eq(reason),
                    legal_holds::placed_at.eq(Stamp(at)),
                    legal_holds::placed_by.eq(by),
                ))
                .returning(legal_holds::id)
                .get_result(conn)?;
            Ok(HoldId::new(id))
        })
    }

    fn lift_hold(&mut self, id: HoldId, by: &str, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let open = legal_holds::table
                .find(id.get())
                .filter(legal_holds::lifted_at.is_null());
            let lifted = diesel::update(open)
                .set((
                    legal_holds::lifted_at.eq(Some(Stamp(at))),
                    legal_holds::lifted_by.eq(Some(by)),
                ))
                .execute(conn)?;
            Ok(lifted == 1)
        })
    }

    fn begin_house_run(&mut self, at: Instant, held: bool) -> Result<Id<HouseRun>, StoreError> {
        self.run(|conn| {
            let id: i64 = diesel::insert_into(house_runs::table)
                .values((
                    house_runs::started_at.eq(Stamp(at)),
                    house_runs::held.eq(held),
                    house_runs::tally.eq(""),
                ))
                .returning(house_runs::id)
                .get_result(conn)?;
            diesel::delete(house_runs::table.filter(house_runs::id.le(id - RUNS))).execute(conn)?;
            Ok(Id::new(id))
        })
    }

    fn end_house_run(&mut self, id: Id<HouseRun>, at: Instant, tally: &Tally) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(house_runs::table.find(id.get()))
                .set((
                    house_runs::finished_at.eq(Some(Stamp(at))),
                    house_runs::tally.eq(tally.to_string()),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn forget_activities(
        &mut self,
        kind: RuleKind,
        before: Instant,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError> {
        self.run(|conn| {
            let held = held_customers(conn)?;
            let ids: Vec<i64> = old(kind, before)
                .filter(activities::customer_id.ne_all(held))
                .order_by((activities::timestamp, activities::id))
                .limit(rows(limit))
                .select(activities::id)
                .load(conn)?;
            forget::activities(conn, &ids, at)
        })
    }

    fn empty_old_bodies(
        &mut self,
        before: Instant,
        after: ReceiptId,
        limit: usize,
    ) -> Result<(Tally, Option<ReceiptId>), StoreError> {
        self.run(|conn| empty_bodies(conn, before, after.get(), limit))
    }
}
