//! What an erasure takes: a person's page, conversations, callbacks and traces, some rows in each unit of work.

use super::Crm;
use super::erasing::{CHUNK, Claim, not_listed, settled};
use super::waitings::{stand, talk};
use crate::conversations::{ConversationId, ConversationKind};
use crate::customers::CustomerId;
use crate::dossiers::Datum;
use crate::erasures::{ErasureId, ErasureState, Subject, Talk};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::Actor;
use crate::ports::erased::{Erased, ErasedKey};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::readings::{Known, ReadingId, searches_naming};
use crate::receipts::ReceiptId;
use crate::tally::{DataKind, Tally};
use crate::values::LineUserId;

/// How many searches are looked through at once.
const SEARCHES: usize = 500;
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

impl Crm {
    /// What stands in the database, to the record itself. [`Error::Held`] before anything goes, if that is held back meanwhile;
    /// [`Error::Stale`] if another has done it or is at it.
    pub(super) async fn erase_rows(
        &self,
        (id, customer, since): (ErasureId, CustomerId, Instant),
        claim: &mut Claim,
    ) -> Result<bool, Error> {
        let read = move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().erasure_talks(id)?);
        let talks = self.ports.store.read(read).await?;
        while self.erase_page_part(id, customer).await? {
            self.keep_claim(claim).await?;
        }
        self.list(customer, &talks, since).await?;
        let mut taken = self.erase_talks(&talks, Some(claim)).await?;
        taken.merge(&self.traces(customer, claim).await?);
        let at = self.now();
        self.change_again(move |uow| {
            let mut tally = taken.clone();
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
            settled(erasures.settle_erasure(id, ErasureState::Cleaning, at)?)
        })
        .await?;
        Ok(true)
    }

    /// Puts them on the list of the erased, once for an erasure that was asked for at `since`. Before callbacks are looked
    /// through: what comes out of the spool of another server afterwards is compared with it. And before the record goes,
    /// after which nobody would know whom to add.
    async fn list(&self, customer: CustomerId, talks: &[Talk], since: Instant) -> Result<(), Error> {
        let inside = self.ports.store.read(|unit| unit.erasures().listed_erased());
        let inside: Vec<Erased> = inside.await.map_err(Error::Store)?;
        let addresses = talks
            .iter()
            .map(|(_, address)| ErasedKey::Address(self.hash_of(address)));
        let at = self.now();
        let erased: Vec<Erased> = std::iter::once(ErasedKey::Customer(customer))
            .chain(addresses)
            .map(|key| {
                let listed = inside.iter().find(|one| one.key == key && one.at >= since);
                listed.cloned().unwrap_or(Erased { key, at })
            })
            .collect();
        let outside = self.ports.erased.all().await.map_err(not_listed)?;
        let mut missing = erased.clone();
        missing.retain(|one| !outside.contains(one));
        if !missing.is_empty() {
            self.ports.erased.add(&missing).await.map_err(not_listed)?;
        }
        self.change_again(move |uow| Ok::<_, Error>(uow.edit_erasures().list_erased(&erased)?))
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
    async fn erase_talks(&self, talks: &[Talk], mut claim: Option<&mut Claim>) -> Result<Tally, Error> {
        self.take_in_spool().await?;
        let mut all = Tally::default();
        for (talk, _) in talks {
            loop {
                if let Some(claim) = &mut claim {
                    self.keep_claim(claim).await?;
                }
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
        all.merge(&self.erase_bodies(&addresses, claim).await?);
        all.add(DataKind::HeldCallbacks, self.release_held(&addresses).await?);
        Ok(all)
    }

    /// People who wrote and are no customers.
    pub(super) async fn erase_strangers(&self, talks: &[Talk]) -> Result<Tally, Error> {
        let mut all = self.erase_talks(talks, None).await?;
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
    async fn erase_bodies(
        &self,
        addresses: &[LineUserId],
        mut claim: Option<&mut Claim>,
    ) -> Result<Tally, Error> {
        let (mut all, mut after) = (Tally::default(), ReceiptId::new(0));
        while !addresses.is_empty() {
            if let Some(claim) = &mut claim {
                self.keep_claim(claim).await?;
            }
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

    /// What the logs keep of the person: values that changed, who looked, and the words of searches.
    async fn traces(&self, customer: CustomerId, claim: &mut Claim) -> Result<Tally, Error> {
        self.write_readings(&Actor::Job("erasing")).await?;
        let (mut tally, known) = self
            .change_again(move |uow| {
                let known = match uow.erasures().subject(customer)? {
                    Some(subject) => known_of(uow, &subject)?,
                    None => Vec::new(),
                };
                let forgotten = uow.edit_readings().forget_readings_of(customer)?;
                let mut tally = Tally::of(DataKind::Readings, forgotten);
                let emptied = uow.edit_audit().empty_audit_values(customer.into())?;
                tally.add(DataKind::AuditValues, emptied);
                Ok::<_, Error>((tally, Known::of(&known)))
            })
            .await?;
        tally.add(DataKind::Readings, self.empty_searches(known, claim).await?);
        Ok(tally)
    }

    /// Empties the words of searches that name the person; says of how many. The log may be long.
    async fn empty_searches(&self, known: Known, claim: &mut Claim) -> Result<usize, Error> {
        let (mut count, mut next) = (0, Some(ReadingId::new(0)));
        while let Some(after) = next.filter(|_| !known.is_empty()) {
            self.keep_claim(claim).await?;
            let names = known.clone();
            let read = move |unit: &mut dyn ReadUnit| {
                Ok::<_, Error>(searches_naming(unit, &names, after, SEARCHES)?)
            };
            let (theirs, last) = self.ports.store.read(read).await?;
            next = last;
            count += theirs.len();
            if !theirs.is_empty() {
                self.change_again(move |uow| Ok::<_, Error>(uow.edit_readings().empty_searches(&theirs)?))
                    .await?;
            }
        }
        Ok(count)
    }
}

/// Whether these bytes hold one of these addresses.
fn names(body: &[u8], addresses: &[LineUserId]) -> bool {
    addresses.iter().any(|address| {
        let address = address.as_str().as_bytes();
        body.windows(address.len()).any(|part| part == address)
    })
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
