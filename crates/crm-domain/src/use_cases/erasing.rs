//! Erasing everything about a person, in parts that can be broken off and taken up again.

use super::Crm;
use super::carriers::review_carriers;
use super::waitings::{stand, talk};
use crate::audit::{Act, Deed};
use crate::conversations::{ConversationId, ConversationKind};
use crate::customers::CustomerId;
use crate::dossiers::Datum;
use crate::erasures::{Erasure, ErasureCause, ErasureId, ErasureState, NewErasure, Subject, Talk};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::blobs::BlobHash;
use crate::ports::erased::{Erased, ErasedKey};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::readings::forget_readings;
use crate::receipts::ReceiptId;
use crate::tally::{DataKind, Tally};
use crate::teams::Visible;
use crate::trash::TrashKey;
use crate::values::LineUserId;

/// How many rows one unit of work takes.
pub(super) const CHUNK: usize = 100;
/// How many bodies are looked through at once.
const BODIES: usize = 100;
/// The fields of a customer or sender by which others may have searched for them.
const KNOWN: [&str; 8] = [
    "last_name",
    "first_name",
    "last_name_kana",
    "first_name_kana",
    "email",
    "phone",
    "line_user_id",
    "address",
];

/// What beginning an erasure came to.
enum Begun {
    Running(ErasureId),
    Held,
}

impl Crm {
    /// Erases everything about a customer, in the trash or not, and returns the receipt; [`Error::Held`] if that is held
    /// back, of which a receipt is kept too. What is left when this is broken off is done by [`Crm::pursue_erasures`].
    pub async fn erase_customer(&self, actor: &Actor, id: CustomerId) -> Result<Erasure, Error> {
        match self
            .begin(actor, Action::EraseRecords, id, ErasureCause::Asked)
            .await?
        {
            Begun::Held => Err(Error::Held),
            Begun::Running(erasure) => {
                self.pursue(erasure).await?;
                self.erasure(erasure).await
            }
        }
    }

    /// [`Crm::erase_customer`] for background work; says whether it was done. Somebody with a hold is left alone.
    pub(super) async fn erase_by_rule(
        &self,
        actor: &Actor,
        id: CustomerId,
        cause: ErasureCause,
    ) -> Result<bool, Error> {
        let read = move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.retention().is_held(id)?);
        if self.ports.store.read(read).await? {
            return Ok(false);
        }
        match self.begin(actor, Action::KeepHouse, id, cause).await? {
            Begun::Held => Ok(false),
            Begun::Running(erasure) => {
                self.pursue(erasure).await?;
                Ok(true)
            }
        }
    }

    /// Goes on with erasures that are not done; says how many are done now.
    pub async fn pursue_erasures(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let open = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.erasures().open_erasures()?));
        let open = open.await?;
        for erasure in &open {
            self.pursue(erasure.id).await?;
        }
        Ok(open.len())
    }

    /// Erases again whom a restored backup brought back; says how many were.
    pub async fn erase_again(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let list = self.ports.erased.all().await.map_err(not_listed)?;
        let (mut again, mut addresses) = (0, Vec::new());
        for erased in list {
            let at = erased.at;
            match erased.key {
                ErasedKey::Address(hash) => addresses.push((hash, at)),
                ErasedKey::Customer(id) => {
                    let read = move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().subject(id)?);
                    let back = self.ports.store.read(read).await?;
                    if back.is_some_and(|subject| subject.created_at <= at) {
                        self.erase_by_rule(actor, id, ErasureCause::Restored).await?;
                        again += 1;
                    }
                }
            }
        }
        Ok(again + self.erase_strangers_again(&addresses).await?)
    }

    async fn erase_strangers_again(&self, addresses: &[([u8; 32], Instant)]) -> Result<usize, Error> {
        let mut after = ConversationId::new(0);
        let mut back: Vec<Talk> = Vec::new();
        while !addresses.is_empty() {
            let read =
                move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().talks_after(after, 500)?);
            let part = self.ports.store.read(read).await?;
            let Some(((last, _), ..)) = part.last() else { break };
            after = *last;
            back.extend(part.into_iter().filter_map(|(talk, opened, customer)| {
                let hash = self.hash_of(&talk.1);
                let listed = |(erased, at): &([u8; 32], Instant)| *erased == hash && opened <= *at;
                (customer.is_none() && addresses.iter().any(listed)).then_some(talk)
            }));
        }
        self.erase_strangers(&back).await?;
        Ok(back.len())
    }

    async fn erasure(&self, id: ErasureId) -> Result<Erasure, Error> {
        let read =
            move |unit: &mut dyn ReadUnit| unit.erasures().erasure(id)?.ok_or(Error::NotFound("erasure"));
        self.ports.store.read(read).await
    }

    /// The person is seen nowhere from now on.
    async fn begin(
        &self,
        actor: &Actor,
        action: Action,
        id: CustomerId,
        cause: ErasureCause,
    ) -> Result<Begun, Error> {
        let author = actor.author();
        let subject_hash = BlobHash(self.ports.secrets.hash(format!("customer:{id}").as_bytes())).to_string();
        self.act(actor, action, move |uow, at| {
            let subject = uow.erasures().subject(id)?.ok_or(Error::NotFound("customer"))?;
            let open = uow.erasures().open_erasures()?;
            if let Some(open) = open.iter().find(|open| open.customer_id == Some(id)) {
                return Ok(crate::audit::Did::nothing(Begun::Running(open.id)));
            }
            let held = uow.retention().is_held(id)?;
            let new = NewErasure {
                customer_id: id,
                subject: subject_hash.clone(),
                cause,
                state: if held {
                    ErasureState::Held
                } else {
                    ErasureState::Running
                },
                requested_at: at,
                requested_by: author.clone(),
            };
            if held {
                uow.edit_erasures().begin_erasure(&new, &[])?;
                let refused = Deed::on(Act::Refused, id).because("legal hold".to_owned());
                return Ok(refused.gives(Begun::Held));
            }
            hide(uow, &subject, &author.name, at)?;
            let erasure = uow.edit_erasures().begin_erasure(&new, &subject.talks)?;
            Ok(Deed::on(Act::CustomerErased, id).gives(Begun::Running(erasure)))
        })
        .await
    }

    /// Does what is left of one erasure, unless it is held back meanwhile.
    async fn pursue(&self, id: ErasureId) -> Result<(), Error> {
        let erasure = self.erasure(id).await?;
        let Some(customer) = erasure.customer_id else {
            return Ok(());
        };
        if erasure.state == ErasureState::Running {
            let read = move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().erasure_talks(id)?);
            let talks = self.ports.store.read(read).await?;
            match self.erase_rows(id, customer, &talks).await {
                Err(Error::Held) => return Ok(()),
                outcome => outcome?,
            }
        }
        // Taken up again when the backup is done that may still have to copy them.
        let Some(contents) = self.remove_contents().await? else {
            return Ok(());
        };
        self.ports.store.scrub().await?;
        let at = self.now();
        self.change_again(move |uow| {
            let erasures = uow.edit_erasures();
            erasures.count_erased(id, &contents)?;
            Ok::<_, Error>(erasures.settle_erasure(id, ErasureState::Done, at)?)
        })
        .await
    }

    async fn erase_rows(&self, id: ErasureId, customer: CustomerId, talks: &[Talk]) -> Result<(), Error> {
        while self.erase_page_part(id, customer).await? {}
        let taken = self.erase_talks(talks).await?;
        let left = self.traces(customer).await?;
        let mut erased = vec![Erased {
            key: ErasedKey::Customer(customer),
            at: self.now(),
        }];
        erased.extend(talks.iter().map(|(_, address)| Erased {
            key: ErasedKey::Address(self.hash_of(address)),
            at: self.now(),
        }));
        // Before the record goes: afterwards nobody would know whom to add.
        self.ports.erased.add(&erased).await.map_err(not_listed)?;
        let (talks, at) = (talks.to_vec(), self.now());
        self.change_again(move |uow| {
            uow.edit_erasures().list_erased(&erased)?;
            let mut tally = taken.clone();
            tally.merge(&left);
            for talk in &talks {
                tally.merge(&whole_talk(uow, talk, at)?);
            }
            while let (part, _) = uow.edit_erasures().erase_page(customer, CHUNK, at)?
                && !part.is_empty()
            {
                tally.merge(&part);
            }
            tally.merge(&uow.edit_erasures().erase_customer(customer)?);
            let erasures = uow.edit_erasures();
            erasures.count_erased(id, &tally)?;
            Ok::<_, Error>(erasures.settle_erasure(id, ErasureState::Cleaning, at)?)
        })
        .await
    }

    /// A part of the person's page; says whether there was any.
    async fn erase_page_part(&self, id: ErasureId, customer: CustomerId) -> Result<bool, Error> {
        let at = self.now();
        self.change_again(move |uow| {
            if uow.retention().is_held(customer)? {
                return Err(Error::Held);
            }
            let (tally, talks) = uow.edit_erasures().erase_page(customer, CHUNK, at)?;
            review_talks(uow, &talks, at)?;
            uow.edit_erasures().count_erased(id, &tally)?;
            Ok::<_, Error>(!tally.is_empty())
        })
        .await
    }

    /// Everything of these conversations but themselves, also what lies outside the database.
    async fn erase_talks(&self, talks: &[Talk]) -> Result<Tally, Error> {
        self.take_in_spool().await?;
        let mut all = Tally::default();
        for (talk, _) in talks {
            loop {
                let (talk, at) = (*talk, self.now());
                let part = self.change_again(move |uow| {
                    Ok::<_, Error>(uow.edit_erasures().erase_talk(talk, CHUNK, at)?)
                });
                let part = part.await?;
                all.merge(&part);
                if part.is_empty() {
                    break;
                }
            }
        }
        let addresses: Vec<LineUserId> = talks.iter().map(|(_, address)| address.clone()).collect();
        all.merge(&self.erase_bodies(&addresses).await?);
        all.add(DataKind::HeldCallbacks, self.release_held(&addresses).await?);
        Ok(all)
    }

    /// People who wrote and are no customers.
    pub(super) async fn erase_strangers(&self, talks: &[Talk]) -> Result<Tally, Error> {
        let mut all = self.erase_talks(talks).await?;
        for talk in talks {
            let (talk, at) = (talk.clone(), self.now());
            let part = self.change_again(move |uow| {
                // Whoever came to carry the address meanwhile keeps what was said.
                let carried = uow
                    .customers()
                    .customers_carrying(std::slice::from_ref(&talk.1))?;
                if carried.is_empty() {
                    whole_talk(uow, &talk, at)
                } else {
                    Ok(Tally::default())
                }
            });
            all.merge(&part.await?);
        }
        Ok(all)
    }

    /// What waits in the spool is taken in first, so that it can be found.
    async fn take_in_spool(&self) -> Result<(), Error> {
        const JOB: Actor = Actor::Job("erasing");
        while self.ports.spool.count() > 0 {
            match self.replay_spool(&JOB, 256).await {
                Ok(replayed) if replayed.more => {}
                Ok(_) => break,
                Err(super::ReplayError::Store(error)) => return Err(error),
                Err(error) => return Err(Error::Store(StoreError::unavailable(error))),
            }
        }
        Ok(())
    }

    /// Callbacks in which one of these people is named: events, and messages in rooms.
    async fn erase_bodies(&self, addresses: &[LineUserId]) -> Result<Tally, Error> {
        let (mut all, mut after) = (Tally::default(), ReceiptId::new(0));
        while !addresses.is_empty() {
            let read =
                move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().bodies_after(after, BODIES)?);
            let part = self.ports.store.read(read).await?;
            let Some((last, _)) = part.last() else { break };
            after = *last;
            let theirs: Vec<ReceiptId> = part
                .iter()
                .filter(|(_, body)| names(body, addresses))
                .map(|(id, _)| *id)
                .collect();
            if !theirs.is_empty() {
                let at = self.now();
                let emptied = self.change_again(move |uow| {
                    Ok::<_, Error>(uow.edit_erasures().empty_receipts(&theirs, at)?)
                });
                all.merge(&emptied.await?);
            }
        }
        Ok(all)
    }

    async fn release_held(&self, addresses: &[LineUserId]) -> Result<usize, Error> {
        let failed = |error| Error::Store(StoreError::unavailable(error));
        let held = self.ports.quarantine.held(self.now()).await.map_err(failed)?;
        let theirs: Vec<_> = held
            .into_iter()
            .filter(|(_, held)| names(&held.body, addresses))
            .map(|(id, _)| id)
            .collect();
        let count = theirs.len();
        if count > 0 {
            self.ports.quarantine.release(theirs).await.map_err(failed)?;
        }
        Ok(count)
    }

    /// What the logs keep of the person: values that changed, and who looked.
    async fn traces(&self, customer: CustomerId) -> Result<Tally, Error> {
        self.write_readings(&Actor::Job("erasing")).await?;
        self.change_again(move |uow| {
            let Some(subject) = uow.erasures().subject(customer)? else {
                return Ok::<_, Error>(Tally::default());
            };
            let known = known_of(uow, &subject)?;
            let forgotten = forget_readings(uow, customer, &known)?;
            let mut tally = Tally::of(DataKind::Readings, forgotten);
            let emptied = uow.edit_audit().empty_audit_values(customer.into())?;
            tally.add(DataKind::AuditValues, emptied);
            Ok(tally)
        })
        .await
    }

    /// Deletes the contents of files that nobody names any more.
    pub(super) async fn remove_contents(&self) -> Result<Option<Tally>, Error> {
        let now = self.now();
        let last = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.backups().backups(1)?);
        let last = self.ports.store.read(last).await?;
        if last.iter().any(|backup| backup.is_running(now)) {
            return Ok(None);
        }
        let mut removed = 0;
        loop {
            let read = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().abandoned_blobs(CHUNK)?);
            let abandoned = self.ports.store.read(read).await?;
            if abandoned.is_empty() {
                return Ok(Some(Tally::of(DataKind::Contents, removed)));
            }
            for hash in abandoned {
                let read =
                    move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().is_blob_named(&hash)?);
                if !self.ports.store.read(read).await? {
                    let gone = self.ports.blobs.remove(&hash);
                    removed +=
                        usize::from(gone.map_err(|error| Error::Store(StoreError::unavailable(error)))?);
                }
                self.change_again(move |uow| Ok::<_, Error>(uow.edit_erasures().settle_blob(&hash)?))
                    .await?;
            }
        }
    }

    fn hash_of(&self, address: &LineUserId) -> [u8; 32] {
        self.ports
            .secrets
            .hash(format!("user:{}", address.as_str()).as_bytes())
    }
}

pub(super) fn not_listed(error: std::io::Error) -> Error {
    Error::Store(StoreError::unavailable(error))
}

/// Whether these bytes hold one of these addresses.
fn names(body: &[u8], addresses: &[LineUserId]) -> bool {
    addresses.iter().any(|address| {
        let address = address.as_str().as_bytes();
        body.windows(address.len()).any(|part| part == address)
    })
}

/// A customer that is not in the trash goes there at once.
fn hide(uow: &mut dyn UnitOfWork, subject: &Subject, by: &str, at: Instant) -> Result<(), Error> {
    let id = subject.customer;
    if uow.customers().customer(id, &Visible::All)?.is_none() {
        return Ok(());
    }
    uow.edit_customers().discard_customer(id, at)?;
    uow.edit_trash().sign_discard(TrashKey::Customer(id), by)?;
    review_carriers(uow, subject.address.as_slice(), at)?;
    let event = NewEvent::new(EventKind::Customer, at).customer(id);
    Ok(uow.edit_events().add_events(&[event])?)
}

/// Everything that is left of a conversation, and the conversation.
fn whole_talk(uow: &mut dyn UnitOfWork, talk: &Talk, at: Instant) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    loop {
        let part = uow.edit_erasures().erase_talk(talk.0, CHUNK, at)?;
        if part.is_empty() {
            break;
        }
        tally.merge(&part);
    }
    tally.merge(&uow.edit_erasures().forget_talk(talk)?);
    let event = NewEvent::new(EventKind::Conversation, at).conversation(talk.0);
    uow.edit_events().add_events(&[event])?;
    Ok(tally)
}

/// Lists show the newest message that stands.
pub(super) fn review_talks(
    uow: &mut dyn UnitOfWork,
    talks: &[ConversationId],
    at: Instant,
) -> Result<(), Error> {
    for id in talks {
        let mut stored = talk(uow, *id)?;
        // What strangers said stands on no page.
        if stored.standing.customer_id.is_none() && stored.key.kind == ConversationKind::Person {
            continue;
        }
        let last = uow.activities().last_message(*id)?;
        if last != stored.standing.last {
            stored.standing.last = last;
            stand(uow, *id, stored.standing, at)?;
        }
    }
    Ok(())
}

/// Names, numbers and addresses of the person.
fn known_of(uow: &mut dyn UnitOfWork, subject: &Subject) -> Result<Vec<String>, StoreError> {
    let mut known = Vec::new();
    for kind in [DataKind::Customers, DataKind::Senders] {
        for record in uow.dossiers().records_about(subject, kind, 0, CHUNK)? {
            let texts = record.0.into_iter().filter_map(|(name, value)| match value {
                Datum::Text(text) if KNOWN.contains(&name) => Some(text),
                _ => None,
            });
            known.extend(texts.filter(|text| !text.is_empty()));
        }
    }
    Ok(known)
}
