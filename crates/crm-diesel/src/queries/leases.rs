//! Leases.

use crm_domain::instant::Instant;
use crm_domain::leases::{Lease, LeaseQueries, LeaseRepository};
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;
use time::Duration;

use super::Uow;
use super::dialect::{db_in, db_now};
use crate::schema::leases;
use crate::stamp::Stamp;

impl LeaseQueries for Uow<'_> {
    fn database_now(&mut self) -> Result<Instant, StoreError> {
        self.run(|conn| {
            let now: Stamp = diesel::select(db_now()).get_result(conn)?;
            Ok(now.0)
        })
    }

    fn lease(&mut self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.run(|conn| {
            let row: Option<(String, Stamp, i64)> = leases::table
                .find(name)
                .select((leases::owner, leases::until, leases::number))
                .first(conn)
                .optional()?;
            Ok(row.map(|(owner, until, number)| Lease {
                owner,
                until: until.0,
                number,
            }))
        })
    }
}

impl LeaseRepository for Uow<'_> {
    fn take_lease(&mut self, name: &str, owner: &str, lasts: Duration) -> Result<bool, StoreError> {
        self.run(|conn| {
            let ours = leases::table.find(name).filter(leases::owner.eq(owner));
            let renewed = diesel::update(ours)
                .set(leases::until.eq(db_in(lasts)))
                .execute(conn)?;
            if renewed == 1 {
                return Ok(true);
            }
            let over = leases::table.find(name).filter(leases::until.le(db_now()));
            let taken = diesel::update(over)
                .set((
                    leases::owner.eq(owner),
                    leases::until.eq(db_in(lasts)),
                    leases::number.eq(leases::number + 1),
                ))
                .execute(conn)?;
            if taken == 1 {
                return Ok(true);
            }
            let first = diesel::insert_into(leases::table)
                .values((
                    leases::name.eq(name),
                    leases::owner.eq(owner),
                    leases::until.eq(db_in(lasts)),
                    leases::number.eq(1),
                ))
                .on_conflict_do_nothing()
                .execute(conn)?;
            Ok(first == 1)
        })
    }

    fn give_back_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        self.run(|conn| {
            let living = leases::table
                .find(name)
                .filter(leases::owner.eq(owner))
                .filter(leases::until.gt(db_now()));
            diesel::update(living)
                .set(leases::until.eq(db_now()))
                .execute(conn)?;
            Ok(())
        })
    }

    fn drop_lease(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        self.run(|conn| {
            let ours = leases::table.find(name).filter(leases::owner.eq(owner));
            diesel::delete(ours).execute(conn)?;
            Ok(())
        })
    }
}
