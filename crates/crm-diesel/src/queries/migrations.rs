//! Which migrations a program brings, which of them a database has, and applying the rest. Transactions and locks are the
//! stores' business. What a database says of its schema and of the programs that may work on it is there from migration 25 on.

use std::collections::HashSet;

use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::{MigrationStatus, SchemaVersion};
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;

use super::dialect::has_table;
use super::{Backend, Conn};
use crate::schema::schema_version;

/// The migration from which on a database names its schema.
const NAMED_SINCE: i64 = 25;

/// Where the versions that a database has are kept, by the name that diesel's own tools use.
const LEDGER: &str = "__diesel_schema_migrations";

mod ledger {
    diesel::table! {
        __diesel_schema_migrations (version) {
            version -> Text,
        }
    }
}
use ledger::__diesel_schema_migrations as done;

/// Migrations, oldest first.
pub struct Plan {
    steps: Vec<Box<dyn Migration<Backend>>>,
}

impl Plan {
    /// Every migration of this source.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn of(source: &impl MigrationSource<Backend>) -> Result<Self, StoreError> {
        let mut steps = source.migrations().map_err(StoreError::unavailable)?;
        steps.sort_by_key(|step| version_of(step.as_ref()));
        Ok(Self { steps })
    }

    /// The same up to and with the migration of this number; all of them without one.
    #[must_use]
    pub fn until(mut self, last: Option<i64>) -> Self {
        let stays = |version: &str| last.is_none_or(|last| number(version) <= last);
        self.steps.retain(|step| stays(&version_of(step.as_ref())));
        self
    }

    /// Those that the database has.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn had_by(mut self, conn: &mut Conn) -> Result<Self, StoreError> {
        let applied = applied(conn)?;
        self.steps
            .retain(|step| applied.contains(&version_of(step.as_ref())));
        Ok(self)
    }

    /// The number of the newest one; 0 without any.
    pub fn newest(&self) -> i64 {
        let numbers = self.steps.iter().map(|step| number(&version_of(step.as_ref())));
        numbers.max().unwrap_or_default()
    }

    /// Those of these versions that are not in the plan.
    pub fn unknown(&self, versions: &[String]) -> Vec<String> {
        let known: HashSet<String> = self.steps.iter().map(|step| version_of(step.as_ref())).collect();
        let unknown = versions.iter().filter(|version| !known.contains(*version));
        unknown.cloned().collect()
    }

    /// What a database that is yet to be made will get: all of them, none applied.
    pub fn unapplied(&self) -> Vec<MigrationStatus> {
        self.against(&HashSet::new())
    }

    /// Each with whether the database has it.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn status(&self, conn: &mut Conn) -> Result<Vec<MigrationStatus>, StoreError> {
        Ok(self.against(&applied(conn)?))
    }

    /// How many of them the database has not.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn pending(&self, conn: &mut Conn) -> Result<usize, StoreError> {
        let status = self.status(conn)?;
        Ok(status.iter().filter(|step| !step.applied).count())
    }

    /// Applies what the database has not, notes it, and answers the names. Belongs into a transaction.
    ///
    /// # Errors
    /// `failed`, of a migration's name and what the database said; or the database cannot be asked.
    pub fn apply<E: Into<StoreError>>(
        &self,
        conn: &mut Conn,
        failed: impl Fn(String, String) -> E,
    ) -> Result<Vec<String>, StoreError> {
        conn.batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS {LEDGER} (
                 version VARCHAR(50) PRIMARY KEY NOT NULL,
                 run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
        ))
        .map_err(StoreError::unavailable)?;
        let applied = applied(conn)?;
        let mut names = Vec::new();
        for step in &self.steps {
            let version = version_of(step.as_ref());
            if applied.contains(&version) {
                continue;
            }
            let name = step.name().to_string();
            let failed = |reason: String| failed(name.clone(), reason).into();
            step.run(conn).map_err(|error| failed(error.to_string()))?;
            diesel::insert_into(done::table)
                .values(done::version.eq(version))
                .execute(conn)
                .map_err(|error| failed(error.to_string()))?;
            names.push(name);
        }
        if self.newest() >= NAMED_SINCE {
            note(conn, self.newest()).map_err(StoreError::unavailable)?;
        }
        Ok(names)
    }

    fn against(&self, applied: &HashSet<String>) -> Vec<MigrationStatus> {
        let status = self.steps.iter().map(|step| MigrationStatus {
            name: step.name().to_string(),
            applied: applied.contains(&version_of(step.as_ref())),
        });
        status.collect()
    }
}

/// What the database says of its schema; `None` if it is too old to say anything.
///
/// # Errors
/// The database cannot be asked.
pub fn version(conn: &mut Conn) -> Result<Option<SchemaVersion>, StoreError> {
    let applied = applied(conn)?;
    if !applied.iter().any(|version| number(version) == NAMED_SINCE) {
        return Ok(None);
    }
    let (version, oldest_binary, product) = schema_version::table
        .select((
            schema_version::version,
            schema_version::oldest_binary,
            schema_version::product,
        ))
        .first(conn)
        .map_err(StoreError::unavailable)?;
    Ok(Some(SchemaVersion {
        version,
        oldest_binary,
        product,
    }))
}

/// The versions that the database has; an empty one has none.
fn applied(conn: &mut Conn) -> Result<HashSet<String>, StoreError> {
    if !has_table(conn, LEDGER)? {
        return Ok(HashSet::new());
    }
    let versions = done::table.select(done::version).load(conn);
    Ok(versions.map_err(StoreError::unavailable)?.into_iter().collect())
}

/// Notes that this program brought the database to this migration.
fn note(conn: &mut Conn, version: i64) -> QueryResult<()> {
    diesel::update(schema_version::table)
        .set((
            schema_version::version.eq(version),
            schema_version::product.eq(env!("CARGO_PKG_VERSION")),
        ))
        .execute(conn)
        .map(drop)
}

fn version_of(step: &dyn Migration<Backend>) -> String {
    step.name().version().to_string()
}

/// The number in a migration's version, such as 25 in `0025`.
fn number(version: &str) -> i64 {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}
