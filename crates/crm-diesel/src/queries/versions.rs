//! Which schema the database has, and which programs may work on it. Only for a database that has migration 25.

use crm_domain::ports::store_admin::SchemaVersion;
use diesel::prelude::*;

use super::Conn;
use crate::schema::schema_version;

/// The migration from which on a database says it.
pub const SINCE: i64 = 25;

/// What the database says.
pub fn read(conn: &mut Conn) -> QueryResult<SchemaVersion> {
    let (version, oldest_binary, product) = schema_version::table
        .select((
            schema_version::version,
            schema_version::oldest_binary,
            schema_version::product,
        ))
        .first(conn)?;
    Ok(SchemaVersion {
        version,
        oldest_binary,
        product,
    })
}

/// Notes that this program brought it to this migration.
pub fn note(conn: &mut Conn, version: i64) -> QueryResult<()> {
    diesel::update(schema_version::table)
        .set((
            schema_version::version.eq(version),
            schema_version::product.eq(env!("CARGO_PKG_VERSION")),
        ))
        .execute(conn)
        .map(drop)
}

/// The number in a migration's version, such as 25 in `0025`.
pub fn number(version: &str) -> i64 {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}
