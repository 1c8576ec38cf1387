//! What goes wrong inside a query, before it is known what it means for the unit of work.

use crm_domain::ports::store::StoreError;
use diesel::result::{DatabaseErrorKind, Error};

/// An error of the database, or one that the domain knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The database's.
    #[error(transparent)]
    Database(#[from] Error),
    /// The domain's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault {
    /// Whether the database may have ended the whole transaction by itself. A statement that violates a constraint is
    /// undone alone; of anything else (disk full, input and output, memory) SQLite promises nothing.
    pub(crate) fn ends_transaction(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Database(Error::DatabaseError(kind, _)) => !is_constraint(*kind),
            Self::Database(error) => !matches!(
                error,
                Error::NotFound
                    | Error::QueryBuilderError(_)
                    | Error::DeserializationError(_)
                    | Error::SerializationError(_)
            ),
        }
    }

    /// The domain's word for it.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => StoreError::unavailable(error),
        }
    }
}

fn is_constraint(kind: DatabaseErrorKind) -> bool {
    matches!(
        kind,
        DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::ExclusionViolation
            | DatabaseErrorKind::RestrictViolation
    )
}
