//! The trash (ごみ箱): deleted customers and companies, for thirty days.

use time::Duration;

use crate::companies::CompanyId;
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::teams::TeamId;

/// How long things lie in the trash before they are gone.
pub const TRASH_LIFE: Duration = Duration::days(30);

/// What lies in the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrashKey {
    /// A company.
    Company(CompanyId),
    /// A customer.
    Customer(CustomerId),
}

impl TrashKey {
    /// Stable name of the kind, for catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Company(_) => "company",
            Self::Customer(_) => "customer",
        }
    }

    /// The bare number.
    pub fn number(self) -> i64 {
        match self {
            Self::Company(id) => id.get(),
            Self::Customer(id) => id.get(),
        }
    }
}

/// Something in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// What.
    pub key: TrashKey,
    /// Its name.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: Instant,
    /// Who deleted it, as shown; `None` if that was not noted.
    pub deleted_by: Option<String>,
    /// A customer's 担当者.
    pub owner_id: Option<MemberId>,
    /// A customer's team.
    pub team_id: Option<TeamId>,
}

impl Trashed {
    /// When it is gone for good, unless its deletion is held back.
    pub fn gone_at(&self) -> Instant {
        self.deleted_at.plus(TRASH_LIFE)
    }

    /// Where it stands in the order of the trash.
    pub fn place(&self) -> TrashPlace {
        TrashPlace {
            deleted_at: self.deleted_at,
            key: self.key,
        }
    }
}

/// A place in the trash, which shows the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrashPlace {
    /// When what stands there was deleted.
    pub deleted_at: Instant,
    /// Decides between equal times.
    pub key: TrashKey,
}

/// Somebody outside the trash with the same e-mail, phone or user id as a customer in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// `email`, `phone` or `line_user_id`.
    pub field: &'static str,
    /// Who has it.
    pub customer: CustomerId,
    /// The name of who has it.
    pub name: String,
    /// The 担当者 of who has it.
    pub owner_id: Option<MemberId>,
    /// The team of who has it.
    pub team_id: Option<TeamId>,
}

/// Looking into the trash. What is part of an unfinished import does not lie in it.
pub trait TrashQueries {
    /// What lies there, newest first, behind `after` if given, at most `limit`.
    fn trash(&mut self, after: Option<TrashPlace>, limit: usize) -> Result<Vec<Trashed>, StoreError>;

    /// One thing in the trash; `None` if it is not there.
    fn trashed(&mut self, key: TrashKey) -> Result<Option<Trashed>, StoreError>;

    /// Who outside the trash has the same e-mail, phone or user id as this customer: field by field, oldest first, at most
    /// five of each.
    fn collisions(&mut self, customer: CustomerId) -> Result<Vec<Collision>, StoreError>;

    /// What was deleted before this, oldest first, at most `limit`.
    fn trash_before(&mut self, before: Instant, limit: usize) -> Result<Vec<Trashed>, StoreError>;
}

/// Changing the trash.
pub trait TrashRepository {
    /// Notes who moved this to the trash.
    fn sign_discard(&mut self, key: TrashKey, by: &str) -> Result<(), StoreError>;

    /// Takes it out of the trash, with everything it had; a company does not get its people back. `false` if it is not there.
    fn restore(&mut self, key: TrashKey, at: Instant) -> Result<bool, StoreError>;

    /// Deletes a company in the trash for good, with where it was imported from; `false` if it is not there.
    fn purge_company(&mut self, id: CompanyId) -> Result<bool, StoreError>;
}
