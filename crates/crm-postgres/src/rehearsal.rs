//! The missing migrations, tried on a copy: a schema beside the live one, filled from it and gone with the transaction that
//! made it. Of the live tables nothing but a look is asked, so people go on reading and writing them.

use crm_diesel::postgres::Conn;
use crm_domain::ports::store::StoreError;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::error::PostgresError;
use crate::migrations::{self, plan};

/// One view of everything, however long it takes. Only another program that changes the tables is in the way.
const BEGIN: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                     BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '2s'";
/// A schema of this connection's own, so that two who try at once are not in each other's way.
const SCHEMA: &str = "SELECT 'crm_rehearsal_' || pg_backend_pid()";
/// The live schema's name as a text that statements are made of.
const LIVE: &str = "SELECT quote_literal(quote_ident(current_schema()))";

const REFERENCES: &str = "
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace";
/// Our tables, but for the list of migrations.
const TABLES: &str = "
    FROM pg_class t
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND t.relname !~ '^__'";

/// Applies what is missing to the copy, and returns the names.
pub(crate) fn rehearse(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let plan = plan()?;
    if plan.pending(conn)? == 0 {
        return Ok(Vec::new());
    }
    run(conn, BEGIN)?;
    let had = migrations::plan()?.had_by(conn)?;
    let (live, schema) = (texts(conn, LIVE)?.concat(), texts(conn, SCHEMA)?.concat());
    conn.batch_execute(&format!("CREATE SCHEMA {schema}"))
        .map_err(|error| PostgresError::Forbidden(error.to_string()))?;
    run(conn, &format!("SET LOCAL search_path = {schema}"))?;
    migrations::apply(&had, conn)?;
    fill(conn, &live)?;
    let names = migrations::apply(&plan, conn)?;
    run(conn, "ROLLBACK")?;
    Ok(names)
}

/// Fills the tables of the copy with the rows of the live ones. References and triggers are put aside meanwhile, so that no
/// order matters and no row is made twice.
fn fill(conn: &mut Conn, live: &str) -> Result<(), StoreError> {
    let made = |what: &str, from: &str| format!("SELECT {what} {from}");
    let again = made(
        "format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))",
        REFERENCES,
    );
    let again = texts(conn, &again)?;
    for query in [
        made(
            "format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, c.conname)",
            REFERENCES,
        ),
        made("format('ALTER TABLE %I DISABLE TRIGGER USER', t.relname)", TABLES),
        made("format('DELETE FROM %I', t.relname)", TABLES),
        rows(live),
        counters(live),
        made("format('ALTER TABLE %I ENABLE TRIGGER USER', t.relname)", TABLES),
        made("format('ANALYZE %I', t.relname)", TABLES),
    ] {
        for statement in texts(conn, &query)? {
            run(conn, &statement)?;
        }
    }
    again.iter().try_for_each(|statement| run(conn, statement))
}

/// Statements that copy rows, column by column of the same name. The contents of received files stay away: they are large,
/// sealed, and no migration can look into them.
fn rows(live: &str) -> String {
    format!(
        "SELECT format('INSERT INTO %I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s.%I', t.relname,
            string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
            string_agg(CASE WHEN t.relname = 'blob_chunks' AND a.attname = 'bytes'
                THEN '''''::bytea' ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum),
            {live}, t.relname)
        FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
            JOIN pg_attribute l ON l.attrelid = to_regclass({live} || '.' || quote_ident(t.relname))
                AND l.attname = a.attname AND NOT l.attisdropped
        WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND t.relname !~ '^__'
            AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        GROUP BY t.relname ORDER BY t.relname"
    )
}

/// Statements that let the copy give out numbers where the live tables would.
fn counters(live: &str) -> String {
    format!(
        "SELECT format('SELECT setval(%L::regclass, %s)', mine, pg_sequence_last_value(theirs::regclass))
        FROM (SELECT pg_get_serial_sequence(quote_ident(t.relname), a.attname) AS mine,
                pg_get_serial_sequence({live} || '.' || quote_ident(t.relname), a.attname) AS theirs
            FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
            WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND a.attidentity <> '') AS sequences
        WHERE pg_sequence_last_value(theirs::regclass) IS NOT NULL"
    )
}

fn texts(conn: &mut Conn, query: &str) -> Result<Vec<String>, StoreError> {
    sql::<Text>(query).load(conn).map_err(StoreError::unavailable)
}

fn run(conn: &mut Conn, statement: &str) -> Result<(), StoreError> {
    conn.batch_execute(statement).map_err(StoreError::unavailable)
}
