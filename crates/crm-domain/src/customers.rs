//! Customers: the entity and what a store must be able to do with it.

use crate::companies::CompanyId;
use crate::conversations::LinkStatus;
use crate::id::Id;
use crate::instant::Instant;
use crate::paging::{Cursor, Page, PageRequest};
use crate::ports::store::StoreError;
use crate::teams::Visible;
use crate::values::normalise::{fold, fold_compact, legible};
use crate::values::{EmailAddress, LineUserId, PersonName, PersonReading, PhoneNumber, Remarks};

/// A customer's key.
pub type CustomerId = Id<Customer>;

/// What people enter about a customer (§3.2 and ours).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustomerDetails {
    /// 姓 and 名.
    pub name: PersonName,
    /// セイ and メイ.
    pub reading: PersonReading,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Telephone number.
    pub phone: Option<PhoneNumber>,
    /// The person on LINE WORKS; several customers may carry the same id (§4.3.3).
    pub line_user_id: Option<LineUserId>,
    /// The company the person belongs to.
    pub company_id: Option<CompanyId>,
    /// Free text.
    pub remarks: Remarks,
}

impl CustomerDetails {
    /// The keys under which the customer is ordered and found.
    pub fn keys(&self) -> CustomerKeys {
        let kana_key = fold_compact(&self.reading.full());
        let sort_key = if kana_key.is_empty() {
            order(self.name.last(), self.name.first())
        } else {
            order(self.reading.last(), self.reading.first())
        };
        CustomerKeys {
            sort_key,
            name_key: fold_compact(&self.name.full()),
            kana_key,
            email_key: self.email.as_ref().map(EmailAddress::key).unwrap_or_default(),
            phone_key: self.phone.as_ref().map(PhoneNumber::key).unwrap_or_default(),
        }
    }
}

/// The blank between the parts sorts before every letter, so that 山 田 stands before 山田 太郎.
fn order(last: &str, first: &str) -> String {
    format!("{} {}", fold(last), fold(first))
}

/// Folded forms of a customer's fields, stored beside them; empty where the field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerKeys {
    /// Order of lists: the reading, or the name where there is none.
    pub sort_key: String,
    /// 姓名 without blanks.
    pub name_key: String,
    /// The reading without blanks.
    pub kana_key: String,
    /// The e-mail address in lower case.
    pub email_key: String,
    /// The telephone number's digits.
    pub phone_key: String,
}

/// A customer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its key.
    pub id: CustomerId,
    /// What people entered.
    pub details: CustomerDetails,
    /// 担当者: the member whose customer this is.
    pub owner_id: Option<crate::members::MemberId>,
    /// The team whose customer this is.
    pub team_id: Option<crate::teams::TeamId>,
    /// 要確認: made by itself and not looked at yet.
    pub needs_look: bool,
    /// Counts the changes, beginning with 1; who saves must have seen the newest.
    pub version: i64,
    /// When it was added.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// A customer with what lists and pages show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLine {
    /// The customer.
    pub customer: Customer,
    /// The company's name, if the customer belongs to one.
    pub company_name: Option<String>,
    /// The owner's name, if the customer has one.
    pub owner_name: Option<String>,
    /// State of the LINE WORKS link.
    pub link: LinkStatus,
}

impl CustomerLine {
    /// Where a page that ends with this line is continued.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            key: self.customer.details.keys().sort_key,
            id: self.customer.id.get(),
        }
    }
}

/// Which customers a list shows; customers in the trash never.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerFilter {
    /// Only those whose name, reading, e-mail, phone or LINE WORKS user id begins so.
    pub prefix: Option<CustomerPrefix>,
    /// Only those of this company.
    pub company: Option<CompanyId>,
}

/// What a person typed to find a customer, in the forms of the keys it is compared with; an empty form matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerPrefix {
    /// Compared with the beginning of name and reading.
    pub name: String,
    /// Compared with the beginning of the e-mail address.
    pub email: String,
    /// Compared with the beginning of the telephone number.
    pub phone: String,
    /// Compared with the beginning of the LINE WORKS user id, as typed.
    pub user_id: String,
}

impl CustomerPrefix {
    /// `None` when nothing but blanks was typed.
    pub fn new(typed: &str) -> Option<Self> {
        let name = fold_compact(typed);
        if name.is_empty() {
            return None;
        }
        let phone = PhoneNumber::prefix_key(typed);
        Some(Self {
            email: name.clone(),
            phone,
            user_id: legible(typed).trim().to_owned(),
            name,
        })
    }
}

/// Looking customers up. What lies in the trash is not found.
pub trait CustomerQueries {
    /// One customer; `None` if there is none, it lies in the trash or is not seen.
    fn customer(&mut self, id: CustomerId, visible: &Visible) -> Result<Option<CustomerLine>, StoreError>;

    /// Those of these customers that are seen and do not lie in the trash, in no particular order.
    fn customer_lines(
        &mut self,
        ids: &[CustomerId],
        visible: &Visible,
    ) -> Result<Vec<CustomerLine>, StoreError>;

    /// A page of the list, ordered by sort key, then id, of those that are seen.
    fn customer_list(
        &mut self,
        filter: &CustomerFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CustomerLine>, StoreError>;

    /// Who carries one of these LINE WORKS user ids, whoever sees them: pairs of id and customer, ordered by customer.
    fn customers_carrying(&mut self, ids: &[LineUserId])
    -> Result<Vec<(LineUserId, CustomerId)>, StoreError>;
}

/// Changing customers.
pub trait CustomerRepository {
    /// Adds one with version 1; never collides. A company that is not there, or in the trash, is `Missing("company_id")`.
    fn add_customer(&mut self, details: &CustomerDetails, at: Instant) -> Result<CustomerId, StoreError>;

    /// Replaces the details if the stored version is still `version`, and counts it up; else `Stale`. The company as for
    /// [`CustomerRepository::add_customer`]. What was 要確認 was looked at with it.
    fn revise_customer(
        &mut self,
        id: CustomerId,
        version: i64,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<(), StoreError>;

    /// Adds a customer made from a sender's first message, marked 要確認; `None` if this sender became one before.
    fn register_sender(
        &mut self,
        sender: &LineUserId,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<Option<CustomerId>, StoreError>;

    /// Gives the customer an owner, or none; counts the version up; `false` if it was not there. A member that does not
    /// exist is `Missing("owner_id")`.
    fn set_owner(
        &mut self,
        id: CustomerId,
        owner: Option<crate::members::MemberId>,
        at: Instant,
    ) -> Result<bool, StoreError>;

    /// Moves it to the trash; `false` if it was not there.
    fn discard_customer(&mut self, id: CustomerId, at: Instant) -> Result<bool, StoreError>;
}
