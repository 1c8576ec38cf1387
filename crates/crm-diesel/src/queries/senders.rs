//! Senders and their names.

use std::collections::HashSet;

use crm_domain::instant::Instant;
use crm_domain::ports::profiles::ProfileName;
use crm_domain::ports::store::StoreError;
use crm_domain::senders::{LookUp, Sender, SenderId, SenderQueries, SenderRepository};
use crm_domain::values::LineUserId;
use diesel::prelude::*;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::{corrupt, user_id};
use crate::schema::senders;
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = senders)]
struct SenderRow {
    id: i64,
    address: String,
    last_name: String,
    first_name: String,
    last_name_kana: String,
    first_name_kana: String,
    email: String,
    fetched_at: Option<Stamp>,
    problem: Option<String>,
    next_try_at: Option<Stamp>,
    tries: i32,
}

impl TryFrom<SenderRow> for Sender {
    type Error = StoreError;

    fn try_from(row: SenderRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SenderId::new(row.id),
            address: user_id(Some(&row.address)).ok_or_else(|| corrupt("senders", "address", row.id))?,
            name: ProfileName {
                last: row.last_name,
                first: row.first_name,
                last_kana: row.last_name_kana,
                first_kana: row.first_name_kana,
            },
            email: row.email,
            fetched_at: row.fetched_at.map(|at| at.0),
            problem: row.problem,
            next_try_at: row.next_try_at.map(|at| at.0),
            tries: u32::try_from(row.tries).unwrap_or_default(),
        })
    }
}

fn read(rows: Vec<SenderRow>) -> Result<Vec<Sender>, Fault> {
    Ok(rows.into_iter().map(Sender::try_from).collect::<Result<_, _>>()?)
}

fn note(conn: &mut Conn, address: &LineUserId, at: Instant) -> Result<(), Fault> {
    diesel::insert_into(senders::table)
        .values((
            senders::address.eq(address.as_str()),
            senders::next_try_at.eq(Stamp(at)),
            senders::created_at.eq(Stamp(at)),
        ))
        .on_conflict(senders::address)
        .do_nothing()
        .execute(conn)?;
    Ok(())
}

/// Which of these are noted already: most are, and a look costs less than an insert that does nothing.
fn noted(conn: &mut Conn, addresses: &[LineUserId]) -> Result<Vec<String>, Fault> {
    in_pieces(addresses, |addresses| {
        Ok(senders::table
            .filter(senders::address.eq_any(addresses.iter().map(LineUserId::as_str)))
            .select(senders::address)
            .load(conn)?)
    })
}

impl SenderQueries for Uow<'_> {
    fn due_senders(&mut self, limit: usize, now: Instant) -> Result<Vec<Sender>, StoreError> {
        self.run(|conn| {
            let due = senders::table
                .filter(senders::next_try_at.is_not_null())
                .filter(senders::next_try_at.le(Stamp(now)))
                .order((senders::next_try_at, senders::id))
                .limit(rows(limit))
                .select(SenderRow::as_select())
                .load(conn)?;
            read(due)
        })
    }

    fn senders_of(&mut self, addresses: &[LineUserId]) -> Result<Vec<Sender>, StoreError> {
        self.run(|conn| {
            let found = in_pieces(addresses, |addresses| {
                Ok(senders::table
                    .filter(senders::address.eq_any(addresses.iter().map(LineUserId::as_str)))
                    .select(SenderRow::as_select())
                    .load(conn)?)
            })?;
            read(found)
        })
    }
}

impl SenderRepository for Uow<'_> {
    fn note_senders(&mut self, addresses: &[LineUserId], at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let known: HashSet<String> = noted(conn, addresses)?.into_iter().collect();
            let new = addresses
                .iter()
                .filter(|address| !known.contains(address.as_str()));
            for address in new {
                note(conn, address, at)?;
            }
            Ok(())
        })
    }

    fn settle_sender(&mut self, address: &LineUserId, found: &LookUp, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let sender = senders::table.filter(senders::address.eq(address.as_str()));
            match found {
                LookUp::Found(profile) => diesel::update(sender)
                    .set((
                        senders::last_name.eq(&profile.name.last),
                        senders::first_name.eq(&profile.name.first),
                        senders::last_name_kana.eq(&profile.name.last_kana),
                        senders::first_name_kana.eq(&profile.name.first_kana),
                        senders::email.eq(&profile.email),
                        senders::fetched_at.eq(Stamp(at)),
                        senders::problem.eq(None::<String>),
                        senders::next_try_at.eq(None::<Stamp>),
                        senders::tries.eq(0),
                    ))
                    .execute(conn)?,
                LookUp::Failed { problem, next_try_at } => diesel::update(sender)
                    .set((
                        senders::problem.eq(problem),
                        senders::next_try_at.eq(Stamp(*next_try_at)),
                        senders::tries.eq(senders::tries + 1),
                    ))
                    .execute(conn)?,
            };
            Ok(())
        })
    }

    fn defer_senders(&mut self, problem: &str, now: Instant, until: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let due = senders::table
                .filter(senders::next_try_at.is_not_null())
                .filter(senders::next_try_at.le(Stamp(now)));
            Ok(diesel::update(due)
                .set((
                    senders::problem.eq(problem),
                    senders::next_try_at.eq(Stamp(until)),
                ))
                .execute(conn)?)
        })
    }

    fn retry_senders(&mut self, problem: &str, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let waiting = senders::table
                .filter(senders::next_try_at.is_not_null())
                .filter(senders::problem.eq(problem));
            diesel::update(waiting)
                .set(senders::next_try_at.eq(Stamp(at)))
                .execute(conn)?;
            Ok(())
        })
    }
}
