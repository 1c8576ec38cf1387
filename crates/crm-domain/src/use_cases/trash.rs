//! The trash: look, bring back, delete for good.

use super::Crm;
use super::carriers::review_carriers;
use super::sight::Reader;
use crate::audit::{Act, Deed};
use crate::companies::CompanyId;
use crate::customers::CustomerId;
use crate::erasures::Erasure;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::trash::{Collision, TrashKey, TrashPlace, Trashed};

/// How many rows of the trash are looked at together.
const AT_ONCE: usize = 500;

/// A page of the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashPage {
    /// What lies there, newest first.
    pub items: Vec<Trashed>,
    /// Where it goes on.
    pub next: Option<TrashPlace>,
    /// What of it does not go for good: 削除の停止.
    pub held: Vec<TrashKey>,
}

/// What became of bringing a customer back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restoration {
    /// It is back.
    Done,
    /// It is not, because these have the same e-mail, phone or user id; to be asked.
    Collides(Vec<Collision>),
}

impl Crm {
    /// What lies in the trash, newest first: what the actor would see outside it.
    pub async fn list_trash(
        &self,
        actor: &Actor,
        after: Option<TrashPlace>,
        limit: usize,
    ) -> Result<TrashPage, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            let erased = unit.erasures().open_erasures()?;
            let shown = |row: &Trashed| {
                let gone = |erasure: &Erasure| erasure.customer_id.map(TrashKey::Customer) == Some(row.key);
                visible.shows(row.owner_id, row.team_id) && !erased.iter().any(gone)
            };
            let (mut items, mut place) = (Vec::new(), after);
            loop {
                let part = unit.trash().trash(place, AT_ONCE)?;
                let ends = part.len() < AT_ONCE;
                place = part.last().map(Trashed::place);
                items.extend(part.into_iter().filter(shown));
                if ends || items.len() > limit {
                    break;
                }
            }
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).map(Trashed::place);
            let held = held(unit, &items)?;
            Ok(TrashPage { items, next, held })
        };
        self.ports.store.read(read).await
    }

    /// One thing in the trash.
    pub async fn show_trashed(&self, actor: &Actor, key: TrashKey) -> Result<Trashed, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        self.ports
            .store
            .read(move |unit| trashed(unit, key, reader))
            .await
    }

    /// Brings a customer back with everything it had. When others have the same e-mail, phone or user id by now, only with
    /// `anyway`.
    pub async fn restore_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        anyway: bool,
    ) -> Result<Restoration, Error> {
        let reader = Reader::of(actor);
        let restored = self.act(actor, Action::DeleteRecords, move |uow, at| {
            let key = TrashKey::Customer(id);
            trashed(uow, key, reader)?;
            let open = uow.erasures().open_erasures()?;
            if open.iter().any(|erasure| erasure.customer_id == Some(id)) {
                return Err(Error::NotFound("customer"));
            }
            let visible = reader.visible(uow)?;
            let mut collisions = uow.trash().collisions(id)?;
            collisions.retain(|other| visible.shows(other.owner_id, other.team_id));
            if !anyway && !collisions.is_empty() {
                return Ok(crate::audit::Did::nothing(Restoration::Collides(collisions)));
            }
            uow.edit_trash().restore(key, at)?;
            let address = uow.erasures().subject(id)?.and_then(|subject| subject.address);
            review_carriers(uow, address.as_slice(), at)?;
            let event = NewEvent::new(EventKind::Customer, at).customer(id);
            uow.edit_events().add_events(&[event])?;
            Ok(Deed::on(Act::CustomerRestored, id).gives(Restoration::Done))
        });
        let outcome = restored.await?;
        // What was said meanwhile shows on the page; what is left is due, and shown by the recorder.
        let _ = self.claim_due().await;
        Ok(outcome)
    }

    /// Brings a company back; its people stay without company.
    pub async fn restore_company(&self, actor: &Actor, id: CompanyId) -> Result<(), Error> {
        self.act(actor, Action::DeleteRecords, move |uow, at| {
            if !uow.edit_trash().restore(TrashKey::Company(id), at)? {
                return Err(Error::NotFound("company"));
            }
            let event = NewEvent::new(EventKind::Company, at).company(id);
            uow.edit_events().add_events(&[event])?;
            Ok(Deed::on(Act::CompanyRestored, id).gives(()))
        })
        .await
    }

    /// Deletes a company in the trash for good.
    pub async fn erase_company(&self, actor: &Actor, id: CompanyId) -> Result<(), Error> {
        self.purge_company(actor, Action::EraseRecords, id).await
    }

    pub(super) async fn purge_company(
        &self,
        actor: &Actor,
        action: Action,
        id: CompanyId,
    ) -> Result<(), Error> {
        self.act(actor, action, move |uow, _| {
            if uow.retention().everything_held()? {
                return Err(Error::Held);
            }
            if !uow.edit_trash().purge_company(id)? {
                return Err(Error::NotFound("company"));
            }
            uow.edit_audit().empty_audit_values(id.into())?;
            Ok(Deed::on(Act::CompanyErased, id).gives(()))
        })
        .await
    }
}

/// What of it is held back.
fn held(unit: &mut dyn ReadUnit, items: &[Trashed]) -> Result<Vec<TrashKey>, Error> {
    let holds = unit.retention().holds()?;
    let all = holds.iter().any(|hold| hold.customer_id.is_none());
    let keys = items.iter().map(|row| row.key);
    let held = |key: &TrashKey| match key {
        TrashKey::Customer(id) => holds.iter().any(|hold| hold.customer_id == Some(*id)),
        TrashKey::Company(_) => false,
    };
    Ok(keys.filter(|key| all || held(key)).collect())
}

fn trashed<U: ReadUnit + ?Sized>(unit: &mut U, key: TrashKey, reader: Reader) -> Result<Trashed, Error> {
    let visible = reader.visible(unit)?;
    let found = unit.trash().trashed(key)?;
    found
        .filter(|row| visible.shows(row.owner_id, row.team_id))
        .ok_or(Error::NotFound(key.code()))
}
