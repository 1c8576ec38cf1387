//! Data keys, and the columns that hold what they sealed.

use crm_domain::data_keys::{DataKey, DataKeyId, DataKeyQueries, DataKeyRepository, SealedColumn, SealedRow};
use crm_domain::ports::store::StoreError;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use super::dialect::BY_BYTES;
use super::{Conn, Uow};
use crate::fault::Fault;
use crate::schema::{data_keys, key_fingerprint, named_secrets};
use crate::stamp::Stamp;

/// `key_fingerprint` has one row.
const THE_ONE: i64 = 1;

type KeyRow = (String, Vec<u8>, Stamp, Option<Stamp>);

fn key_of((id, wrapped, made_at, retired_at): KeyRow) -> Result<DataKey, Fault> {
    let id = DataKeyId::from_hex(&id).ok_or(StoreError::Corrupt {
        table: "data_keys",
        column: "id",
        row: 0,
    })?;
    Ok(DataKey {
        id,
        wrapped,
        made_at: made_at.0,
        retired_at: retired_at.map(|at| at.0),
    })
}

fn insert(conn: &mut Conn, key: &DataKey, retired_at: Option<Stamp>) -> Result<usize, Fault> {
    Ok(diesel::insert_into(data_keys::table)
        .values((
            data_keys::id.eq(key.id.to_string()),
            data_keys::wrapped.eq(&key.wrapped),
            data_keys::made_at.eq(Stamp(key.made_at)),
            data_keys::retired_at.eq(retired_at),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?)
}

impl DataKeyQueries for Uow<'_> {
    fn data_keys(&mut self) -> Result<Vec<DataKey>, StoreError> {
        self.run(|conn| {
            let rows: Vec<KeyRow> = data_keys::table
                .order((
                    data_keys::retired_at.is_not_null(),
                    data_keys::made_at.desc(),
                    data_keys::id.desc(),
                ))
                .load(conn)?;
            rows.into_iter().map(key_of).collect()
        })
    }

    fn key_fingerprint(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(|conn| {
            let found = key_fingerprint::table
                .find(THE_ONE)
                .select(key_fingerprint::fingerprint);
            Ok(found.first(conn).optional()?)
        })
    }

    fn sealed_rows(
        &mut self,
        column: &SealedColumn,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let SealedColumn { table, column, key } = column;
        self.run(|conn| {
            // The names are constants of ours; values are bound.
            let rows: Vec<(String, Vec<u8>)> = sql::<(Text, Binary)>(&format!(
                "SELECT CAST({key} AS TEXT), {column} FROM {table} WHERE {column} IS NOT NULL AND CAST({key} AS TEXT) {BY_BYTES} > "
            ))
            .bind::<Text, _>(after.unwrap_or_default())
            .sql(&format!(" ORDER BY CAST({key} AS TEXT) {BY_BYTES} LIMIT "))
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
            .load(conn)?;
            let rows = rows.into_iter();
            Ok(rows.map(|(key, sealed)| SealedRow { key, sealed }).collect())
        })
    }

    fn named_secret(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(|conn| {
            let found = named_secrets::table.find(name).select(named_secrets::sealed);
            Ok(found.first(conn).optional()?)
        })
    }
}

impl DataKeyRepository for Uow<'_> {
    fn note_key_fingerprint(&mut self, fingerprint: &[u8]) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::insert_into(key_fingerprint::table)
                .values((
                    key_fingerprint::id.eq(THE_ONE),
                    key_fingerprint::fingerprint.eq(fingerprint),
                ))
                .on_conflict(key_fingerprint::id)
                .do_update()
                .set(key_fingerprint::fingerprint.eq(fingerprint))
                .execute(conn)?;
            Ok(())
        })
    }

    fn add_data_key(&mut self, key: &DataKey, instead_of: Option<DataKeyId>) -> Result<bool, StoreError> {
        self.run(|conn| {
            let sealing = data_keys::table.filter(data_keys::retired_at.is_null());
            let before: Option<String> = sealing.select(data_keys::id).first(conn).optional()?;
            if before != instead_of.map(|id| id.to_string()) {
                return Ok(false);
            }
            diesel::update(data_keys::table.filter(data_keys::retired_at.is_null()))
                .set(data_keys::retired_at.eq(Some(Stamp(key.made_at))))
                .execute(conn)?;
            // Only one row may seal: of two who come here at once, the second inserts nothing.
            Ok(insert(conn, key, None)? == 1)
        })
    }

    fn adopt_data_key(&mut self, key: &DataKey) -> Result<bool, StoreError> {
        self.run(|conn| {
            let retired_at = key.retired_at.unwrap_or(key.made_at);
            Ok(insert(conn, key, Some(Stamp(retired_at)))? == 1)
        })
    }

    fn rewrap_data_key(&mut self, id: DataKeyId, wrapped: &[u8]) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(data_keys::table.find(id.to_string()))
                .set(data_keys::wrapped.eq(wrapped))
                .execute(conn)?;
            Ok(())
        })
    }

    fn forget_data_key(&mut self, id: DataKeyId) -> Result<bool, StoreError> {
        self.run(|conn| {
            let retired = data_keys::table
                .filter(data_keys::id.eq(id.to_string()))
                .filter(data_keys::retired_at.is_not_null());
            Ok(diesel::delete(retired).execute(conn)? == 1)
        })
    }

    fn reseal_row(
        &mut self,
        column: &SealedColumn,
        was: &SealedRow,
        sealed: &[u8],
    ) -> Result<bool, StoreError> {
        let SealedColumn { table, column, key } = column;
        self.run(|conn| {
            let changed = sql::<BigInt>(&format!("UPDATE {table} SET {column} = "))
                .bind::<Binary, _>(sealed)
                .sql(&format!(" WHERE CAST({key} AS TEXT) = "))
                .bind::<Text, _>(&was.key)
                .sql(&format!(" AND {column} = "))
                .bind::<Binary, _>(&was.sealed)
                .execute(conn)?;
            Ok(changed == 1)
        })
    }

    fn keep_named_secret(&mut self, name: &str, sealed: &[u8]) -> Result<bool, StoreError> {
        self.run(|conn| {
            let added = diesel::insert_into(named_secrets::table)
                .values((named_secrets::name.eq(name), named_secrets::sealed.eq(sealed)))
                .on_conflict_do_nothing()
                .execute(conn)?;
            Ok(added == 1)
        })
    }
}
