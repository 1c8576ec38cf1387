//! Companies: list, show, register, revise, discard.

use super::Crm;
use super::entering::{Expected, is_expected};
use super::sight::Reader;
use crate::activities::{Activity, ActivityPlace};
use crate::audit::{self, Act, Change, Deed};
use crate::companies::{Company, CompanyDetails, CompanyFilter, CompanyId, CompanyLine};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::paging::{Page, PageRequest};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::trash::TrashKey;

impl Crm {
    /// A page of the companies with the number of their customers, ordered by reading or name.
    pub async fn list_companies(
        &self,
        actor: &Actor,
        filter: CompanyFilter,
        page: PageRequest,
    ) -> Result<Page<CompanyLine>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            Ok(unit.companies().company_list(&filter, &page, &visible)?)
        };
        self.ports.store.read(read).await
    }

    /// [`Crm::list_companies`] for a file: where a replica is read, without the changes of the last moment.
    pub async fn export_companies(
        &self,
        actor: &Actor,
        filter: CompanyFilter,
        page: PageRequest,
    ) -> Result<Page<CompanyLine>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            Ok(unit.companies().company_list(&filter, &page, &visible)?)
        };
        self.ports.store.read_stale(read).await
    }

    /// One company.
    pub async fn show_company(&self, actor: &Actor, id: CompanyId) -> Result<Company, Error> {
        self.may(actor, Action::ViewRecords)?;
        self.ports
            .store
            .read(move |unit| unit.companies().company(id)?.ok_or(Error::NotFound("company")))
            .await
    }

    /// The companies of this name, whatever its width, case and blanks, oldest first.
    pub async fn companies_named(
        &self,
        actor: &Actor,
        details: &CompanyDetails,
    ) -> Result<Vec<Company>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let name_key = details.keys().name_key;
        self.ports
            .store
            .read(move |unit| Ok(unit.companies().companies_named(&name_key)?))
            .await
    }

    /// The newest messages of all its people, newest first, those before `before` if given.
    pub async fn company_conversation(
        &self,
        actor: &Actor,
        id: CompanyId,
        before: Option<ActivityPlace>,
        limit: usize,
    ) -> Result<Vec<Activity>, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            unit.companies().company(id)?.ok_or(Error::NotFound("company"))?;
            let visible = reader.visible(unit)?;
            Ok(unit
                .activities()
                .activities_of_company(id, before, limit, &visible)?)
        };
        self.ports.store.read(read).await
    }

    /// Adds a company.
    pub async fn register_company(&self, actor: &Actor, details: CompanyDetails) -> Result<CompanyId, Error> {
        self.act(actor, Action::EditRecords, move |uow, at| {
            let id = add(uow, &details, at)?;
            Ok(Deed::on(Act::CompanyAdded, id)
                .with(audit::added(&details))
                .gives(id))
        })
        .await
    }

    /// Replaces what is known of a company. With a version, only if nobody changed it since ([`Error::Stale`]).
    pub async fn revise_company(
        &self,
        actor: &Actor,
        id: CompanyId,
        version: Option<i64>,
        details: CompanyDetails,
    ) -> Result<(), Error> {
        self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = found(uow, id)?;
            let version = version.unwrap_or(stored.version);
            let changes = revise(uow, &stored, version, &details, at)?;
            Ok(Deed::on(Act::CompanyChanged, id).with(changes).gives(()))
        })
        .await
    }

    /// Moves a company to the trash; its customers stay, without company.
    pub async fn discard_company(&self, actor: &Actor, id: CompanyId) -> Result<(), Error> {
        self.discard_company_if(actor, id, None).await
    }

    /// [`Crm::discard_company`] of one that is as expected ([`Error::NotAsExpected`]).
    pub async fn discard_company_if(
        &self,
        actor: &Actor,
        id: CompanyId,
        expected: Option<Expected<Company>>,
    ) -> Result<(), Error> {
        let by = actor.author().name;
        self.act(actor, Action::DeleteRecords, move |uow, at| {
            is_expected(expected.as_ref(), &found(uow, id)?)?;
            if uow.edit_companies().discard_company(id, at)? {
                uow.edit_trash().sign_discard(TrashKey::Company(id), &by)?;
                announce(uow, id, at)?;
                Ok(Deed::on(Act::CompanyDiscarded, id).gives(()))
            } else {
                Err(Error::NotFound("company"))
            }
        })
        .await
    }
}

/// Adds a company in a unit of work.
pub(super) fn add(
    uow: &mut dyn UnitOfWork,
    details: &CompanyDetails,
    at: Instant,
) -> Result<CompanyId, StoreError> {
    let id = uow.edit_companies().add_company(details, at)?;
    announce(uow, id, at)?;
    Ok(id)
}

/// Replaces what is known of a company in a unit of work; says what differs.
pub(super) fn revise(
    uow: &mut dyn UnitOfWork,
    stored: &Company,
    version: i64,
    details: &CompanyDetails,
    at: Instant,
) -> Result<Vec<Change>, StoreError> {
    uow.edit_companies()
        .revise_company(stored.id, version, details, at)?;
    announce(uow, stored.id, at)?;
    Ok(audit::changed(&stored.details, details))
}

/// The company, or the error that says there is none.
pub(super) fn found<U: ReadUnit + ?Sized>(unit: &mut U, id: CompanyId) -> Result<Company, Error> {
    unit.companies().company(id)?.ok_or(Error::NotFound("company"))
}

/// Tells open pages that this company was added, changed or deleted.
fn announce(uow: &mut dyn UnitOfWork, id: CompanyId, at: Instant) -> Result<(), StoreError> {
    uow.edit_events()
        .add_events(&[NewEvent::new(EventKind::Company, at).company(id)])
}
