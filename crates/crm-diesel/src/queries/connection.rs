//! LINE WORKS as set up in the pages.

use crm_domain::connection::{
    ConnectionField, ConnectionQueries, ConnectionRepository, SealedValue, StoredConnection,
};
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::{Conn, Uow};
use crate::fault::Fault;
use crate::schema::{connection_values, connection_versions};
use crate::stamp::Stamp;

/// There is one connection: the key of its only row.
const ONLY: i64 = 1;

type ValueRow = (String, Vec<u8>, Stamp, String);

fn version(conn: &mut Conn) -> Result<i64, Fault> {
    let version = connection_versions::table
        .find(ONLY)
        .select(connection_versions::version)
        .first(conn)
        .optional()?;
    Ok(version.unwrap_or_default())
}

/// What a later version of the program stored under a name of its own is passed over.
fn value_of((field, sealed, at, by): ValueRow) -> Option<SealedValue> {
    Some(SealedValue {
        field: ConnectionField::from_code(&field)?,
        sealed,
        changed_at: at.0,
        changed_by: by,
    })
}

impl ConnectionQueries for Uow<'_> {
    fn connection(&mut self) -> Result<StoredConnection, StoreError> {
        self.run(|conn| {
            let saved: Option<(i64, Stamp, String)> = connection_versions::table
                .find(ONLY)
                .select((
                    connection_versions::version,
                    connection_versions::saved_at,
                    connection_versions::saved_by,
                ))
                .first(conn)
                .optional()?;
            let rows: Vec<ValueRow> = connection_values::table
                .select((
                    connection_values::field,
                    connection_values::sealed,
                    connection_values::changed_at,
                    connection_values::changed_by,
                ))
                .load(conn)?;
            let mut values: Vec<SealedValue> = rows.into_iter().filter_map(value_of).collect();
            values.sort_by_key(|value| value.field);
            let (version, saved) = saved.map_or((0, None), |(version, at, by)| (version, Some((at.0, by))));
            Ok(StoredConnection {
                version,
                saved,
                values,
            })
        })
    }

    fn connection_version(&mut self) -> Result<i64, StoreError> {
        self.run(version)
    }
}

impl ConnectionRepository for Uow<'_> {
    fn save_connection(
        &mut self,
        known: i64,
        changes: &[(ConnectionField, Option<Vec<u8>>)],
        by: &str,
        at: Instant,
    ) -> Result<i64, StoreError> {
        self.run(|conn| {
            let next = count_on(conn, known, by, at)?;
            for (field, sealed) in changes {
                if let Some(sealed) = sealed {
                    keep(conn, *field, sealed, by, at)?;
                } else {
                    let kept = connection_values::table.find(field.code());
                    diesel::delete(kept).execute(conn)?;
                }
            }
            Ok(next)
        })
    }
}

/// Two who save the first version at once meet at the row's key, those who save a later one at its version.
fn count_on(conn: &mut Conn, known: i64, by: &str, at: Instant) -> Result<i64, Fault> {
    let next = known + 1;
    let counted = if known == 0 {
        diesel::insert_into(connection_versions::table)
            .values((
                connection_versions::id.eq(ONLY),
                connection_versions::version.eq(next),
                connection_versions::saved_at.eq(Stamp(at)),
                connection_versions::saved_by.eq(by),
            ))
            .on_conflict_do_nothing()
            .execute(conn)?
    } else {
        diesel::update(
            connection_versions::table
                .find(ONLY)
                .filter(connection_versions::version.eq(known)),
        )
        .set((
            connection_versions::version.eq(next),
            connection_versions::saved_at.eq(Stamp(at)),
            connection_versions::saved_by.eq(by),
        ))
        .execute(conn)?
    };
    if counted == 1 {
        Ok(next)
    } else {
        Err(StoreError::Stale("connection").into())
    }
}

fn keep(conn: &mut Conn, field: ConnectionField, sealed: &[u8], by: &str, at: Instant) -> Result<(), Fault> {
    diesel::insert_into(connection_values::table)
        .values((
            connection_values::field.eq(field.code()),
            connection_values::sealed.eq(sealed),
            connection_values::changed_at.eq(Stamp(at)),
            connection_values::changed_by.eq(by),
        ))
        .on_conflict(connection_values::field)
        .do_update()
        .set((
            connection_values::sealed.eq(excluded(connection_values::sealed)),
            connection_values::changed_at.eq(excluded(connection_values::changed_at)),
            connection_values::changed_by.eq(excluded(connection_values::changed_by)),
        ))
        .execute(conn)?;
    Ok(())
}
