//! Imports from other systems: what came from where, so that repeating an import doubles nothing.

use crate::activities::{ActivityId, NewActivity};
use crate::companies::{CompanyDetails, CompanyId};
use crate::customers::{CustomerDetails, CustomerId};
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;

/// An import's key.
pub type ImportId = Id<Import>;

/// An import as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its key.
    pub id: ImportId,
    /// The system it comes from, such as `poc`.
    pub source: String,
    /// Whether all of it is there and shown.
    pub finished: bool,
}

/// What kind of row a foreign row became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportedKind {
    /// A company.
    Company,
    /// A customer.
    Customer,
    /// A message.
    Activity,
}

impl ImportedKind {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Customer => "customer",
            Self::Activity => "activity",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Company, Self::Customer, Self::Activity]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// Where an imported row came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// What it became.
    pub kind: ImportedKind,
    /// Its id in the foreign system.
    pub foreign_id: i64,
    /// The first 16 bytes of SHA-256 over the foreign row: tells another file's row of the same id apart.
    pub digest: [u8; 16],
}

/// Looking imports up.
pub trait ImportQueries {
    /// For each of these origins, in order, the id of ours that it became, if it was imported before: the same foreign id
    /// and the same digest.
    fn imported(&mut self, source: &str, origins: &[Origin]) -> Result<Vec<Option<i64>>, StoreError>;
}

/// Writing imports. Rows stay invisible until [`ImportRepository::finish_import`] shows all of them at once.
pub trait ImportRepository {
    /// Begins an import, or takes up the unfinished one of this source.
    fn begin_import(&mut self, source: &str, at: Instant) -> Result<Import, StoreError>;

    /// Adds companies that stay invisible; the ids come in the given order.
    fn import_companies(
        &mut self,
        import: &Import,
        rows: &[(Origin, CompanyDetails)],
        at: Instant,
    ) -> Result<Vec<CompanyId>, StoreError>;

    /// Adds customers that stay invisible; their company may be invisible too. The ids come in the given order.
    fn import_customers(
        &mut self,
        import: &Import,
        rows: &[(Origin, CustomerDetails)],
        at: Instant,
    ) -> Result<Vec<CustomerId>, StoreError>;

    /// Adds messages that stay invisible, also those of customers who are visible.
    fn import_activities(
        &mut self,
        import: &Import,
        rows: &[(Origin, NewActivity)],
    ) -> Result<Vec<ActivityId>, StoreError>;

    /// Shows everything that the import added.
    fn finish_import(&mut self, import: &Import, at: Instant) -> Result<(), StoreError>;
}
