//! Shared counts.

use crm_domain::ports::store::StoreError;
use crm_domain::shared_counts::{SharedCount, SharedCountQueries, SharedCountRepository};
use diesel::prelude::*;
use diesel::upsert::excluded;
use time::Duration;

use super::Uow;
use super::dialect::{db_in, db_now};
use crate::schema::shared_counts;

impl SharedCountQueries for Uow<'_> {
    fn others_counts(&mut self, instance: &str, within: Duration) -> Result<Vec<SharedCount>, StoreError> {
        self.run(|conn| {
            let rows: Vec<(String, i64)> = shared_counts::table
                .filter(shared_counts::instance.ne(instance))
                .filter(shared_counts::told_at.gt(db_in(-within)))
                .select((shared_counts::name, shared_counts::count))
                .load(conn)?;
            let count = |(name, count)| SharedCount { name, count };
            Ok(rows.into_iter().map(count).collect())
        })
    }
}

impl SharedCountRepository for Uow<'_> {
    fn tell_counts(&mut self, instance: &str, counts: &[SharedCount]) -> Result<(), StoreError> {
        self.run(|conn| {
            for told in counts {
                diesel::insert_into(shared_counts::table)
                    .values((
                        shared_counts::instance.eq(instance),
                        shared_counts::name.eq(&told.name),
                        shared_counts::count.eq(told.count),
                        shared_counts::told_at.eq(db_now()),
                    ))
                    .on_conflict((shared_counts::instance, shared_counts::name))
                    .do_update()
                    .set((
                        shared_counts::count.eq(excluded(shared_counts::count)),
                        shared_counts::told_at.eq(excluded(shared_counts::told_at)),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn forget_counts(&mut self, age: Duration) -> Result<usize, StoreError> {
        self.run(|conn| {
            let old = shared_counts::table.filter(shared_counts::told_at.le(db_in(-age)));
            Ok(diesel::delete(old).execute(conn)?)
        })
    }
}
