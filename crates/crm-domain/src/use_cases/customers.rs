//! Customers: list, show, check, register, revise, link, discard.

use super::Crm;
use super::carriers::review_carriers;
use super::entering::{Expected, is_expected};
use super::sight::Reader;
use crate::activities::{Activity, ActivityPlace, Direction};
use crate::audit::{self, Act, Change, Deed};
use crate::customers::{Customer, CustomerDetails, CustomerFilter, CustomerId, CustomerLine};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::members::MemberId;
use crate::paging::{Page, PageRequest};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::trash::TrashKey;
use crate::values::{LineUserId, Problem};

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
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            Ok(unit.customers().customer_list(&filter, &page, &visible)?)
        };
        self.ports.store.read(read).await
    }

    /// [`Crm::list_customers`] for a file: where a replica is read, without the changes of the last moment.
    pub async fn export_customers(
        &self,
        actor: &Actor,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<CustomerLine>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            Ok(unit.customers().customer_list(&filter, &page, &visible)?)
        };
        self.ports.store.read_stale(read).await
    }

    /// One customer with company name and link status.
    pub async fn show_customer(&self, actor: &Actor, id: CustomerId) -> Result<CustomerLine, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        self.ports.store.read(move |unit| found(unit, id, reader)).await
    }

    /// Who carries this user id and what was said last; `NotFound` if nobody does.
    pub async fn check_customer(&self, actor: &Actor, user: LineUserId) -> Result<CustomerCheck, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            let carrying = unit.customers().customers_carrying(std::slice::from_ref(&user))?;
            let mut customers = Vec::new();
            for (_, id) in carrying {
                customers.extend(unit.customers().customer(id, &visible)?);
            }
            let first = customers.first().ok_or(Error::NotFound("customer"))?.customer.id;
            let recent = said_last(unit, first, 5)?;
            Ok(CustomerCheck { customers, recent })
        };
        self.ports.store.read(read).await
    }

    /// Adds a customer. An unknown company is an invalid `company_id`. A login id becomes the user id that callbacks
    /// carry, or is an invalid `line_user_id`.
    pub async fn register_customer(
        &self,
        actor: &Actor,
        details: CustomerDetails,
    ) -> Result<CustomerId, Error> {
        self.may(actor, Action::EditRecords)?;
        let details = self.with_user_id(details, None).await?;
        self.import_customer(actor, details).await
    }

    /// [`Crm::register_customer`] for data of another system: a login id stays as it is.
    pub async fn import_customer(
        &self,
        actor: &Actor,
        details: CustomerDetails,
    ) -> Result<CustomerId, Error> {
        let reader = Reader::of(actor);
        let added = self.act(actor, Action::EditRecords, move |uow, at| {
            let id = add(uow, reader, &details, at)?;
            Ok(Deed::on(Act::CustomerAdded, id)
                .with(audit::added(&details))
                .gives(id))
        });
        let id = added.await?;
        self.claim_soon().await;
        Ok(id)
    }

    /// Replaces what is known of a customer. With a version, only if nobody changed it since ([`Error::Stale`]). A login id
    /// as for [`Crm::register_customer`]; one that was stored before may stay.
    pub async fn revise_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        version: Option<i64>,
        details: CustomerDetails,
    ) -> Result<(), Error> {
        let details = self.resolved(actor, id, details).await?;
        self.import_customer_again(actor, id, version, details).await
    }

    /// [`Crm::revise_customer`] for data of another system: a login id stays as it is.
    pub async fn import_customer_again(
        &self,
        actor: &Actor,
        id: CustomerId,
        version: Option<i64>,
        details: CustomerDetails,
    ) -> Result<(), Error> {
        let reader = Reader::of(actor);
        let revised = self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id, reader)?.customer;
            let version = version.unwrap_or(stored.version);
            let changes = revise(uow, reader, &stored, version, &details, at)?;
            Ok(Deed::on(Act::CustomerChanged, id).with(changes).gives(()))
        });
        revised.await?;
        self.claim_soon().await;
        Ok(())
    }

    /// Ties a customer to a LINE WORKS user id, or unties with `None`. A login id as for [`Crm::revise_customer`].
    pub async fn link_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        user: Option<LineUserId>,
    ) -> Result<(), Error> {
        let stored = self.show_customer(actor, id).await?.customer.details;
        let linked = CustomerDetails {
            line_user_id: user,
            ..stored
        };
        let user = self.resolved(actor, id, linked).await?.line_user_id;
        let reader = Reader::of(actor);
        let linked = self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id, reader)?.customer;
            let before = stored.details.line_user_id.clone();
            may_carry(uow, reader, before.as_ref(), user.as_ref())?;
            let details = CustomerDetails {
                line_user_id: user.clone(),
                ..stored.details.clone()
            };
            let changes = audit::changed(&stored.details, &details);
            uow.edit_customers()
                .revise_customer(id, stored.version, &details, at)?;
            carried(uow, [before, user.clone()], at)?;
            announce(uow, id, at)?;
            Ok(Deed::on(Act::CustomerChanged, id).with(changes).gives(()))
        });
        linked.await?;
        self.claim_soon().await;
        Ok(())
    }

    /// Gives a customer a 担当者, or none. A member that does not exist is an invalid `owner_id`.
    pub async fn assign_owner(
        &self,
        actor: &Actor,
        id: CustomerId,
        owner: Option<MemberId>,
    ) -> Result<(), Error> {
        let reader = Reader::of(actor);
        self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id, reader)?.customer;
            if !uow.edit_customers().set_owner(id, owner, at)? {
                return Err(Error::NotFound("customer"));
            }
            carried(uow, [None, stored.details.line_user_id], at)?;
            announce(uow, id, at)?;
            super::teams::announce_move(uow, at)?;
            let [old, new] = [stored.owner_id, owner].map(|owner| owner.map(|id| id.to_string()));
            Ok(Deed::on(Act::OwnerChanged, id)
                .value("owner_id", old, new)
                .gives(()))
        })
        .await
    }

    /// What was said before a customer carried the id shows on the page at once; what is left is due, and shown by the
    /// recorder.
    pub(super) async fn claim_soon(&self) {
        let _ = self.claim_due().await;
    }

    /// The details with a user id that callbacks carry, if a login id was typed.
    async fn resolved(
        &self,
        actor: &Actor,
        id: CustomerId,
        details: CustomerDetails,
    ) -> Result<CustomerDetails, Error> {
        self.may(actor, Action::EditRecords)?;
        if !details.line_user_id.as_ref().is_some_and(LineUserId::is_login_id) {
            return Ok(details);
        }
        let stored = self.show_customer(actor, id).await?.customer.details.line_user_id;
        self.with_user_id(details, stored.as_ref()).await
    }

    /// Moves a customer to the trash; the conversation stays with it.
    pub async fn discard_customer(&self, actor: &Actor, id: CustomerId) -> Result<(), Error> {
        self.discard_customer_if(actor, id, None).await
    }

    /// [`Crm::discard_customer`] of one that is as expected ([`Error::NotAsExpected`]).
    pub async fn discard_customer_if(
        &self,
        actor: &Actor,
        id: CustomerId,
        expected: Option<Expected<CustomerLine>>,
    ) -> Result<(), Error> {
        let (reader, by) = (Reader::of(actor), actor.author().name);
        self.act(actor, Action::DeleteRecords, move |uow, at| {
            let stored = found(uow, id, reader)?;
            is_expected(expected.as_ref(), &stored)?;
            let user = stored.customer.details.line_user_id;
            if uow.edit_customers().discard_customer(id, at)? {
                uow.edit_trash().sign_discard(TrashKey::Customer(id), &by)?;
                carried(uow, [user, None], at)?;
                announce(uow, id, at)?;
                Ok(Deed::on(Act::CustomerDiscarded, id).gives(()))
            } else {
                Err(Error::NotFound("customer"))
            }
        })
        .await
    }
}

/// The newest messages without the notes of staff, newest first.
fn said_last(unit: &mut dyn ReadUnit, customer: CustomerId, count: usize) -> Result<Vec<Activity>, Error> {
    let mut said = Vec::new();
    let mut before = None;
    while said.len() < count {
        let part = unit.activities().activities_before(customer, before, 50)?;
        before = part.last().map(|oldest| ActivityPlace {
            timestamp: oldest.timestamp,
            id: oldest.id,
        });
        let is_last = part.len() < 50;
        said.extend(part.into_iter().filter(|row| row.direction != Direction::Note));
        if is_last {
            break;
        }
    }
    said.truncate(count);
    Ok(said)
}

/// Adds a customer in a unit of work.
pub(super) fn add(
    uow: &mut dyn UnitOfWork,
    reader: Reader,
    details: &CustomerDetails,
    at: Instant,
) -> Result<CustomerId, Error> {
    may_carry(uow, reader, None, details.line_user_id.as_ref())?;
    let id = uow.edit_customers().add_customer(details, at)?;
    carried(uow, [None, details.line_user_id.clone()], at)?;
    announce(uow, id, at)?;
    Ok(id)
}

/// Replaces what is known of a customer in a unit of work; says what differs.
pub(super) fn revise(
    uow: &mut dyn UnitOfWork,
    reader: Reader,
    stored: &Customer,
    version: i64,
    details: &CustomerDetails,
    at: Instant,
) -> Result<Vec<Change>, Error> {
    let [before, user] = [&stored.details, details].map(|details| details.line_user_id.as_ref());
    may_carry(uow, reader, before, user)?;
    uow.edit_customers()
        .revise_customer(stored.id, version, details, at)?;
    carried(uow, [before.cloned(), user.cloned()], at)?;
    announce(uow, stored.id, at)?;
    Ok(audit::changed(&stored.details, details))
}

/// Giving a customer an address shows its talk with it. One that a customer carries whom they do not see is not theirs to
/// give.
fn may_carry(
    uow: &mut dyn UnitOfWork,
    reader: Reader,
    before: Option<&LineUserId>,
    user: Option<&LineUserId>,
) -> Result<(), Error> {
    let Some(user) = user.filter(|user| Some(*user) != before) else {
        return Ok(());
    };
    let visible = reader.visible(uow)?;
    for (_, id) in uow.customers().customers_carrying(std::slice::from_ref(user))? {
        if uow.customers().customer(id, &visible)?.is_none() {
            return Err(Error::field("line_user_id", Problem::Taken));
        }
    }
    Ok(())
}

/// A customer carried the first of these ids and carries the second now.
fn carried(uow: &mut dyn UnitOfWork, ids: [Option<LineUserId>; 2], at: Instant) -> Result<(), Error> {
    if ids[0] == ids[1] {
        return Ok(());
    }
    let people: Vec<LineUserId> = ids.into_iter().flatten().collect();
    review_carriers(uow, &people, at)
}

/// The customer that they see, or the error that says there is none.
pub(super) fn found<U: ReadUnit + ?Sized>(
    unit: &mut U,
    id: CustomerId,
    reader: Reader,
) -> Result<CustomerLine, Error> {
    let visible = reader.visible(unit)?;
    unit.customers()
        .customer(id, &visible)?
        .ok_or(Error::NotFound("customer"))
}

/// Tells open pages that this customer was added, changed or deleted.
fn announce(uow: &mut dyn UnitOfWork, id: CustomerId, at: Instant) -> Result<(), StoreError> {
    uow.edit_events()
        .add_events(&[NewEvent::new(EventKind::Customer, at).customer(id)])
}
