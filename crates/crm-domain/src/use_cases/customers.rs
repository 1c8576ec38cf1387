//! Customers: list, show, check, register, revise, link, discard.

use super::Crm;
use crate::activities::Activity;
use crate::customers::{CustomerDetails, CustomerFilter, CustomerId, CustomerLine};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::paging::{Page, PageRequest};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::values::LineUserId;

/// Who carries a LINE WORKS user id, and what was said last (§5.5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerCheck {
    /// The customers, oldest first; at least one.
    pub customers: Vec<CustomerLine>,
    /// The newest messages of the first of them, newest first, at most five.
    pub recent: Vec<Activity>,
}

impl Crm {
    /// A page of the customers, ordered by reading or name.
    pub async fn list_customers(
        &self,
        actor: &Actor,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<CustomerLine>, Error> {
        actor.may(Action::ViewRecords)?;
        self.ports
            .store
            .read(move |unit| Ok(unit.customers().customer_list(&filter, &page)?))
            .await
    }

    /// One customer with company name and link status.
    pub async fn show_customer(&self, actor: &Actor, id: CustomerId) -> Result<CustomerLine, Error> {
        actor.may(Action::ViewRecords)?;
        self.ports.store.read(move |unit| found(unit, id)).await
    }

    /// Who carries this user id and what was said last; `NotFound` if nobody does.
    pub async fn check_customer(&self, actor: &Actor, user: LineUserId) -> Result<CustomerCheck, Error> {
        actor.may(Action::ViewRecords)?;
        let read = move |unit: &mut dyn ReadUnit| {
            let carrying = unit.customers().customers_carrying(std::slice::from_ref(&user))?;
            let first = carrying.first().ok_or(Error::NotFound("customer"))?.1;
            let customers = carrying
                .iter()
                .map(|(_, id)| found(unit, *id))
                .collect::<Result<Vec<CustomerLine>, Error>>()?;
            let recent = unit.activities().activities_before(first, None, 5)?;
            Ok(CustomerCheck { customers, recent })
        };
        self.ports.store.read(read).await
    }

    /// Adds a customer. An unknown company is an invalid `company_id`.
    pub async fn register_customer(
        &self,
        actor: &Actor,
        details: CustomerDetails,
    ) -> Result<CustomerId, Error> {
        self.change(actor, Action::EditRecords, move |uow, at| {
            let id = uow.edit_customers().add_customer(&details, at)?;
            announce(uow, id, at)?;
            Ok(id)
        })
        .await
    }

    /// Replaces what is known of a customer. With a version, only if nobody changed it since ([`Error::Stale`]).
    pub async fn revise_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        version: Option<i64>,
        details: CustomerDetails,
    ) -> Result<(), Error> {
        self.change(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id)?.customer;
            let version = version.unwrap_or(stored.version);
            uow.edit_customers().revise_customer(id, version, &details, at)?;
            Ok(announce(uow, id, at)?)
        })
        .await
    }

    /// Ties a customer to a LINE WORKS user id, or unties with `None`.
    pub async fn link_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        user: Option<LineUserId>,
    ) -> Result<(), Error> {
        self.change(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id)?.customer;
            let details = CustomerDetails {
                line_user_id: user.clone(),
                ..stored.details
            };
            uow.edit_customers()
                .revise_customer(id, stored.version, &details, at)?;
            Ok(announce(uow, id, at)?)
        })
        .await
    }

    /// Moves a customer to the trash; the conversation stays with it.
    pub async fn discard_customer(&self, actor: &Actor, id: CustomerId) -> Result<(), Error> {
        self.change(actor, Action::DeleteRecords, move |uow, at| {
            if uow.edit_customers().discard_customer(id, at)? {
                Ok(announce(uow, id, at)?)
            } else {
                Err(Error::NotFound("customer"))
            }
        })
        .await
    }
}

/// The customer, or the error that says there is none.
pub(super) fn found<U: ReadUnit + ?Sized>(unit: &mut U, id: CustomerId) -> Result<CustomerLine, Error> {
    unit.customers().customer(id)?.ok_or(Error::NotFound("customer"))
}

/// Tells open pages that this customer was added, changed or deleted.
fn announce(uow: &mut dyn UnitOfWork, id: CustomerId, at: Instant) -> Result<(), StoreError> {
    uow.edit_events()
        .add_events(&[NewEvent::new(EventKind::Customer, at).customer(id)])
}
