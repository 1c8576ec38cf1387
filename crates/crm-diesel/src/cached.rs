//! Updates that are run again and again.

use diesel::backend::Backend;
use diesel::expression::AppearsOnTable;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;

/// An UPDATE that the connection prepares once for each text that it has. Diesel's own is prepared anew each time, because
/// its text may depend on what it writes; with several indexes and references that costs more than running it.
pub(crate) struct CachedUpdate<T, C, P> {
    table: T,
    changes: C,
    condition: P,
}

/// Writes these values to the rows of `table` for which the condition holds.
pub(crate) fn update<T, P, V>(table: T, condition: P, values: V) -> CachedUpdate<T, V::Changeset, P>
where
    T: Table,
    P: Expression<SqlType = Bool> + AppearsOnTable<T>,
    V: AsChangeset<Target = T>,
{
    CachedUpdate {
        table,
        changes: values.as_changeset(),
        condition,
    }
}

impl<T, C, P, DB> QueryFragment<DB> for CachedUpdate<T, C, P>
where
    DB: Backend,
    T: QueryFragment<DB>,
    C: QueryFragment<DB>,
    P: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.condition.walk_ast(out)
    }
}

/// Without an id of its own it is found again by its text.
impl<T, C, P> QueryId for CachedUpdate<T, C, P> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, C, P, Conn> RunQueryDsl<Conn> for CachedUpdate<T, C, P> {}
