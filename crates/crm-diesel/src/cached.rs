//! Statements that are run again and again.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// A statement that the connection prepares once for each text that it has. Diesel prepares every UPDATE and every upsert
/// anew, which costs more than running it; those whose text is always the same are worth keeping.
pub(crate) struct Cached<S>(pub(crate) S);

impl<S, DB> QueryFragment<DB> for Cached<S>
where
    S: QueryFragment<DB>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// Without an id of its own it is found again by its text.
impl<S> QueryId for Cached<S> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, C> RunQueryDsl<C> for Cached<S> {}
