//! Companies: the entity and what a store must be able to do with it.

use crate::id::Id;
use crate::instant::Instant;
use crate::paging::{Cursor, Page, PageRequest};
use crate::ports::store::StoreError;
use crate::teams::Visible;
use crate::values::normalise::{fold, fold_compact};
use crate::values::{CompanyName, CompanyReading, Line, PhoneNumber, Remarks, Website};

/// A company's key.
pub type CompanyId = Id<Company>;

/// What people enter about a company (§3.1 and ours).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompanyDetails {
    /// Its name.
    pub name: CompanyName,
    /// How the name is read, by which lists are ordered.
    pub name_kana: CompanyReading,
    /// Postal address, one line.
    pub address: Option<Line>,
    /// Telephone number.
    pub phone: Option<PhoneNumber>,
    /// Web address.
    pub website: Option<Website>,
    /// Free text.
    pub remarks: Remarks,
}

impl CompanyDetails {
    /// The keys under which it is ordered and found.
    pub fn keys(&self) -> CompanyKeys {
        let name_key = fold_compact(self.name.as_str());
        let kana_key = fold_compact(self.name_kana.as_str());
        let sort_key = if kana_key.is_empty() {
            fold(self.name.as_str())
        } else {
            fold(self.name_kana.as_str())
        };
        CompanyKeys {
            sort_key,
            name_key,
            kana_key,
        }
    }
}

/// Folded forms of a company's fields, stored beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyKeys {
    /// Order of lists: the reading, or the name where there is none.
    pub sort_key: String,
    /// The name without blanks.
    pub name_key: String,
    /// The reading without blanks, may be empty.
    pub kana_key: String,
}

/// A company as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its key.
    pub id: CompanyId,
    /// What people entered.
    pub details: CompanyDetails,
    /// Counts the changes, beginning with 1; who saves must have seen the newest.
    pub version: i64,
    /// When it was added.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// A line of the company list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyLine {
    /// The company.
    pub company: Company,
    /// How many customers belong to it, those in the trash and those that are not seen not counted.
    pub customers: i64,
}

impl CompanyLine {
    /// Where a page that ends with this line is continued.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            key: self.company.details.keys().sort_key,
            id: self.company.id.get(),
        }
    }
}

/// Which companies a list shows; companies in the trash never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompanyFilter {
    /// Only those whose name or reading begins so, folded and without blanks.
    pub prefix: Option<String>,
}

/// Looking companies up. What lies in the trash is not found.
pub trait CompanyQueries {
    /// One company; `None` if there is none or it lies in the trash.
    fn company(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError>;

    /// A page of the list, ordered by sort key, then id.
    fn company_list(
        &mut self,
        filter: &CompanyFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CompanyLine>, StoreError>;

    /// The companies whose name is the same after folding and without blanks, oldest first.
    fn companies_named(&mut self, name_key: &str) -> Result<Vec<Company>, StoreError>;
}

/// Changing companies.
pub trait CompanyRepository {
    /// Adds one with version 1; never collides.
    fn add_company(&mut self, details: &CompanyDetails, at: Instant) -> Result<CompanyId, StoreError>;

    /// Replaces the details if the stored version is still `version`, and counts it up; else `Stale`.
    fn revise_company(
        &mut self,
        id: CompanyId,
        version: i64,
        details: &CompanyDetails,
        at: Instant,
    ) -> Result<(), StoreError>;

    /// Moves it to the trash and leaves its customers without company; `false` if it was not there.
    fn discard_company(&mut self, id: CompanyId, at: Instant) -> Result<bool, StoreError>;
}
