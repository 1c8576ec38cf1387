//! The statements on the tables of files. Each may be run again when it is not known whether it ran: a draft begun twice is
//! swept once, and nothing else does more the second time.

use crm_diesel::postgres::Conn;
use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blob_places::Glance;
use crm_domain::ports::blobs::{Blob, BlobHash};
use crm_domain::ports::store::StoreError;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Timestamp};

diesel::table! {
    blob_bodies (id) {
        id -> BigInt,
        header -> Nullable<Binary>,
        size -> BigInt,
        begun_at -> Timestamp,
        gone_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    blob_chunks (body, no) {
        body -> BigInt,
        no -> Integer,
        bytes -> Binary,
    }
}

diesel::table! {
    blobs (hash) {
        hash -> Binary,
        size -> BigInt,
        data_key -> Binary,
        body -> BigInt,
    }
}

diesel::joinable!(blobs -> blob_bodies (body));
diesel::allow_tables_to_appear_in_same_query!(blobs, blob_bodies, blob_chunks);

/// How long what was removed or replaced stays for those who are reading it.
const GRACE: &str = "interval '1 hour'";
/// How long a draft may take.
const DRAFT: &str = "interval '1 day'";
/// Bodies swept in one statement.
const SWEPT: i64 = 20;

fn failed(error: diesel::result::Error) -> StoreError {
    StoreError::unavailable(error)
}

fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A content that is found, before it is read.
pub(super) struct Body {
    pub(super) id: i64,
    pub(super) header: Vec<u8>,
}

/// What all contents and drafts take.
pub(super) fn used(conn: &mut Conn) -> Result<u64, StoreError> {
    let sum = sql::<BigInt>("coalesce(sum(size), 0)::bigint");
    let counted = blob_bodies::table.filter(blob_bodies::gone_at.is_null());
    counted.select(sum).get_result(conn).map(count).map_err(failed)
}

pub(super) fn begin(conn: &mut Conn, header: &[u8]) -> Result<i64, StoreError> {
    diesel::insert_into(blob_bodies::table)
        .values((blob_bodies::header.eq(header), blob_bodies::size.eq(0)))
        .returning(blob_bodies::id)
        .get_result(conn)
        .map_err(failed)
}

/// Adds a chunk, and counts the draft with so many bytes of content.
pub(super) fn add(conn: &mut Conn, body: i64, no: i32, bytes: &[u8], counted: u64) -> Result<(), StoreError> {
    diesel::sql_query(
        "WITH grown AS (UPDATE blob_bodies SET size = $4 WHERE id = $1) \
         INSERT INTO blob_chunks (body, no, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(body)
    .bind::<Integer, _>(no)
    .bind::<Binary, _>(bytes)
    .bind::<BigInt, _>(number(counted))
    .execute(conn)
    .map(drop)
    .map_err(failed)
}

/// A chunk; `None` behind the last one.
pub(super) fn chunk(conn: &mut Conn, body: i64, no: i32) -> Result<Option<Vec<u8>>, StoreError> {
    let one = blob_chunks::table.find((body, no)).select(blob_chunks::bytes);
    one.get_result(conn).optional().map_err(failed)
}

pub(super) fn find(conn: &mut Conn, hash: &BlobHash) -> Result<Option<Body>, StoreError> {
    let found: Option<(i64, Option<Vec<u8>>)> = blobs::table
        .inner_join(blob_bodies::table)
        .filter(blobs::hash.eq(hash.0.as_slice()))
        .select((blob_bodies::id, blob_bodies::header))
        .get_result(conn)
        .optional()
        .map_err(failed)?;
    Ok(found.map(|(id, header)| Body {
        id,
        header: header.unwrap_or_default(),
    }))
}

pub(super) fn glance(conn: &mut Conn, hash: &BlobHash) -> Result<Option<Glance>, StoreError> {
    let lying = sql::<BigInt>(
        "coalesce(octet_length(blob_bodies.header), 0) + \
         (SELECT coalesce(sum(octet_length(bytes)), 0) FROM blob_chunks WHERE blob_chunks.body = blobs.body)::bigint",
    );
    let found: Option<(Vec<u8>, i64)> = blobs::table
        .inner_join(blob_bodies::table)
        .filter(blobs::hash.eq(hash.0.as_slice()))
        .select((blobs::data_key, lying))
        .get_result(conn)
        .optional()
        .map_err(failed)?;
    Ok(found.map(|(key, lying)| Glance {
        key: key_of(&key),
        lying: count(lying),
    }))
}

/// Names a body under its hash, instead of what lay there.
pub(super) fn place(conn: &mut Conn, body: i64, key: DataKeyId, blob: &Blob) -> Result<(), StoreError> {
    in_one(conn, |conn| {
        let fresh = (
            blobs::hash.eq(blob.hash.0.as_slice()),
            blobs::size.eq(number(blob.size)),
            blobs::data_key.eq(key.0.as_slice()),
            blobs::body.eq(body),
        );
        let added = diesel::insert_into(blobs::table)
            .values(fresh)
            .on_conflict_do_nothing()
            .execute(conn)
            .map_err(failed)?;
        if added == 0 {
            exchange(conn, body, key, blob)?;
        }
        counts_as(conn, body, blob.size)
    })
}

/// Names a body under its hash if another is named there; `false` if none is.
pub(super) fn replace(conn: &mut Conn, body: i64, key: DataKeyId, blob: &Blob) -> Result<bool, StoreError> {
    in_one(conn, |conn| {
        let there = exchange(conn, body, key, blob)?;
        if there {
            counts_as(conn, body, blob.size)?;
        }
        Ok(there)
    })
}

fn exchange(conn: &mut Conn, body: i64, key: DataKeyId, blob: &Blob) -> Result<bool, StoreError> {
    let named = blobs::table.find(blob.hash.0.as_slice());
    let before: Option<i64> = named
        .select(blobs::body)
        .for_update()
        .get_result(conn)
        .optional()
        .map_err(failed)?;
    match before {
        None => Ok(false),
        Some(before) if before == body => Ok(true),
        Some(before) => {
            diesel::update(named)
                .set((blobs::body.eq(body), blobs::data_key.eq(key.0.as_slice())))
                .execute(conn)
                .map_err(failed)?;
            shut(conn, before)?;
            Ok(true)
        }
    }
}

fn counts_as(conn: &mut Conn, body: i64, size: u64) -> Result<(), StoreError> {
    diesel::update(blob_bodies::table.find(body))
        .set(blob_bodies::size.eq(number(size)))
        .execute(conn)
        .map(drop)
        .map_err(failed)
}

/// From now on nobody opens it any more.
fn shut(conn: &mut Conn, body: i64) -> Result<(), StoreError> {
    diesel::update(blob_bodies::table.find(body))
        .set((
            blob_bodies::header.eq(None::<Vec<u8>>),
            blob_bodies::gone_at.eq(sql::<Nullable<Timestamp>>("now() AT TIME ZONE 'UTC'")),
        ))
        .execute(conn)
        .map(drop)
        .map_err(failed)
}

pub(super) fn remove(conn: &mut Conn, hash: &BlobHash) -> Result<bool, StoreError> {
    in_one(conn, |conn| {
        let body: Option<i64> = diesel::delete(blobs::table.find(hash.0.as_slice()))
            .returning(blobs::body)
            .get_result(conn)
            .optional()
            .map_err(failed)?;
        body.map(|body| shut(conn, body)).transpose()?;
        Ok(body.is_some())
    })
}

pub(super) fn drop_draft(conn: &mut Conn, body: i64) -> Result<(), StoreError> {
    diesel::delete(blob_bodies::table.find(body))
        .execute(conn)
        .map(drop)
        .map_err(failed)
}

pub(super) fn list(
    conn: &mut Conn,
    after: Option<BlobHash>,
    limit: usize,
) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, StoreError> {
    let mut query = blobs::table
        .select((blobs::hash, blobs::data_key))
        .order(blobs::hash)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(blobs::hash.gt(after.0.to_vec()));
    }
    let rows: Vec<(Vec<u8>, Vec<u8>)> = query.load(conn).map_err(failed)?;
    rows.into_iter()
        .map(|(hash, key)| {
            let hash = hash.try_into().map_err(|_| StoreError::Corrupt {
                table: "blobs",
                column: "hash",
                row: 0,
            })?;
            Ok((BlobHash(hash), key_of(&key)))
        })
        .collect()
}

/// Contents by the data key that sealed them.
pub(super) fn counts(conn: &mut Conn) -> Result<Vec<(Option<DataKeyId>, u64)>, StoreError> {
    let grouped = blobs::table
        .group_by(blobs::data_key)
        .select((blobs::data_key, diesel::dsl::count_star()));
    let rows: Vec<(Vec<u8>, i64)> = grouped.load(conn).map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(key, number)| (key_of(&key), count(number)))
        .collect())
}

/// Deletes bodies that nobody needs any more; `false` when there are no more.
pub(super) fn sweep(conn: &mut Conn) -> Result<bool, StoreError> {
    let swept = diesel::sql_query(format!(
        "DELETE FROM blob_bodies WHERE id IN (
             SELECT id FROM blob_bodies AS old
             WHERE (gone_at < (now() AT TIME ZONE 'UTC') - {GRACE} OR begun_at < (now() AT TIME ZONE 'UTC') - {DRAFT})
               AND NOT EXISTS (SELECT FROM blobs WHERE blobs.body = old.id)
             ORDER BY id LIMIT {SWEPT} FOR UPDATE SKIP LOCKED)"
    ))
    .execute(conn)
    .map_err(failed)?;
    Ok(swept > 0)
}

fn key_of(bytes: &[u8]) -> Option<DataKeyId> {
    bytes.try_into().ok().map(DataKeyId)
}

/// All or nothing. A connection on which it failed is thrown away by whoever lent it.
fn in_one<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.batch_execute("BEGIN").map_err(failed)?;
    let done = work(conn)?;
    conn.batch_execute("COMMIT").map_err(failed)?;
    Ok(done)
}
