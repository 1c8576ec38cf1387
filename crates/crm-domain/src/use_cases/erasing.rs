//! Erasing everything about a person, in parts that can be broken off and taken up again.

use time::Duration;

use super::Crm;
use super::carriers::review_carriers;
use crate::audit::{Act, Deed, Did};
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::erasures::{Erasure, ErasureCause, ErasureId, ErasureState, NewErasure, Subject, Talk};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::blobs::BlobHash;
use crate::ports::erased::ErasedKey;
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::tally::{DataKind, Tally};
use crate::teams::Visible;
use crate::trash::TrashKey;
use crate::values::LineUserId;

/// How many rows one unit of work takes.
pub(super) const CHUNK: usize = 100;
/// How long an erasure rests at most after who was at it died.
const CLAIM: Duration = Duration::seconds(15);
/// How old a claim gets before it is renewed.
const RENEW: Duration = Duration::seconds(5);
/// How often one looks again how far an erasure got: twice, and once more for each outcome that was uncertain.
const LOOKS: usize = 6;

/// An erasure that was begun: the person is seen nowhere any more, and it will be done whatever happens.
#[derive(Debug, Clone)]
pub struct Begun {
    erasure: ErasureId,
    /// `None`: another is at it.
    claim: Option<Claim>,
}

/// One's own claim on an erasure. Whoever has it goes on with the erasure, and the others leave it alone; should two be at it
/// all the same, because one was frozen for long, no step is counted or settled twice.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    name: String,
    owner: String,
    since: Instant,
}

impl Claim {
    /// Takes or renews it; `false` if another has it.
    fn take(&self, uow: &mut dyn UnitOfWork) -> Result<bool, StoreError> {
        uow.edit_leases().take_lease(&self.name, &self.owner, CLAIM)
    }
}

impl Crm {
    /// Erases everything about a customer, in the trash or not, and returns the receipt; [`Error::Held`] if that is held
    /// back, of which a receipt is kept too. What is left when this is broken off is done by [`Crm::pursue_erasures`].
    pub async fn erase_customer(&self, actor: &Actor, id: CustomerId) -> Result<Erasure, Error> {
        let begun = self.begin_erasing(actor, id).await?;
        self.go_on_erasing(actor, begun).await
    }

    /// The first step of [`Crm::erase_customer`]: from now on the person is seen nowhere, and will be erased.
    pub async fn begin_erasing(&self, actor: &Actor, id: CustomerId) -> Result<Begun, Error> {
        let begun = self.begin(actor, Action::EraseRecords, id, ErasureCause::Asked);
        begun.await?.ok_or(Error::Held)
    }

    /// The other steps of [`Crm::erase_customer`], unless another is at them; returns the receipt as it is then. An error
    /// breaks them off: [`Crm::pursue_erasures`] goes on.
    pub async fn go_on_erasing(&self, actor: &Actor, begun: Begun) -> Result<Erasure, Error> {
        self.may(actor, Action::EraseRecords)?;
        let id = begun.erasure;
        self.go_on(begun).await?;
        self.erasure(id).await
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
            Some(begun) => self.go_on(begun).await,
            None => Ok(false),
        }
    }

    /// Goes on with erasures that are not done and that nobody else is at; says with how many. One that cannot go on keeps no
    /// other from it.
    pub async fn pursue_erasures(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let open = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.erasures().open_erasures()?));
        let (mut pursued, mut failed) = (0, None);
        for erasure in open.await? {
            let outcome = match self.claim_erasure(erasure.id).await {
                Ok(begun) => self.go_on(begun).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(was_ours) => pursued += usize::from(was_ours),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(pursued), Err)
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

    /// The person is seen nowhere from now on, and the claim on the rest is ours; `None` if it is held back.
    async fn begin(
        &self,
        actor: &Actor,
        action: Action,
        id: CustomerId,
        cause: ErasureCause,
    ) -> Result<Option<Begun>, Error> {
        let author = actor.author();
        let subject_hash = BlobHash(self.ports.secrets.hash(format!("customer:{id}").as_bytes())).to_string();
        let owner = self.ports.secrets.token();
        self.act(actor, action, move |uow, at| {
            let subject = uow.erasures().subject(id)?.ok_or(Error::NotFound("customer"))?;
            let open = uow.erasures().open_erasures()?;
            if let Some(open) = open.iter().find(|open| open.customer_id == Some(id)) {
                return Ok(Did::nothing(Some(claimed(uow, open.id, &owner, at)?)));
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
                return Ok(refused.gives(None));
            }
            hide(uow, &subject, &author.name, at)?;
            let erasure = uow.edit_erasures().begin_erasure(&new, &subject.talks)?;
            let begun = claimed(uow, erasure, &owner, at)?;
            Ok(Deed::on(Act::CustomerErased, id).gives(Some(begun)))
        })
        .await
    }

    /// Claims one that was begun before.
    async fn claim_erasure(&self, id: ErasureId) -> Result<Begun, Error> {
        let (owner, at) = (self.ports.secrets.token(), self.now());
        self.change_again(move |uow| Ok(claimed(uow, id, &owner, at)?))
            .await
    }

    /// Does what is left of an erasure, if the claim on it is ours, and says whether it was.
    async fn go_on(&self, begun: Begun) -> Result<bool, Error> {
        let Some(mut claim) = begun.claim else {
            return Ok(false);
        };
        let outcome = self.steps(begun.erasure, &mut claim).await;
        let left =
            self.change_again(move |uow| Ok(uow.edit_leases().drop_lease(&claim.name, &claim.owner)?));
        // If it cannot be given up now it is over soon.
        drop::<Result<(), Error>>(left.await);
        outcome.map(|()| true)
    }

    async fn steps(&self, id: ErasureId, claim: &mut Claim) -> Result<(), Error> {
        for _ in 0..LOOKS {
            let erasure = self.erasure(id).await?;
            let Some(customer) = erasure.customer_id else {
                return Ok(());
            };
            let step = match erasure.state {
                ErasureState::Running => {
                    let whom = (id, customer, erasure.requested_at);
                    self.erase_rows(whom, claim).await
                }
                ErasureState::Cleaning => self.clean(id, claim).await,
                ErasureState::Done | ErasureState::Held => return Ok(()),
            };
            match step {
                Ok(true) => {}
                // It got farther than we knew: another is at it, or a unit was stored that we believed lost.
                Err(Error::Stale) if self.renew(claim).await? => {}
                Ok(false) | Err(Error::Held | Error::Stale) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// To be called before every part: renews the claim when it is some seconds old. [`Error::Stale`]: it is another's now.
    pub(super) async fn keep_claim(&self, claim: &mut Claim) -> Result<(), Error> {
        let is_young = self.now().since(claim.since).abs() < RENEW;
        if is_young || self.renew(claim).await? {
            Ok(())
        } else {
            Err(Error::Stale)
        }
    }

    async fn renew(&self, claim: &mut Claim) -> Result<bool, Error> {
        let (asked, since) = (claim.clone(), self.now());
        let ours = self
            .change_again(move |uow| Ok::<_, Error>(asked.take(uow)?))
            .await?;
        claim.since = since;
        Ok(ours)
    }

    /// Takes what the database and the place of the files keep of deleted rows. `false`: it is taken up again when the backup
    /// is done that may still have to copy them.
    async fn clean(&self, id: ErasureId, claim: &mut Claim) -> Result<bool, Error> {
        let Some(contents) = self.remove_contents(Some(claim)).await? else {
            return Ok(false);
        };
        self.ports.store.scrub().await?;
        let at = self.now();
        self.change_again(move |uow| {
            let erasures = uow.edit_erasures();
            erasures.count_erased(id, &contents)?;
            settled(erasures.settle_erasure(id, ErasureState::Done, at)?)
        })
        .await?;
        Ok(true)
    }

    /// Deletes the contents of files that nobody names any more.
    pub(super) async fn remove_contents(
        &self,
        mut claim: Option<&mut Claim>,
    ) -> Result<Option<Tally>, Error> {
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
                if let Some(claim) = &mut claim {
                    self.keep_claim(claim).await?;
                }
                let read =
                    move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.erasures().is_blob_named(&hash)?);
                if !self.ports.store.read(read).await? {
                    let gone = self.ports.blobs.remove(&hash).await;
                    removed +=
                        usize::from(gone.map_err(|error| Error::Store(StoreError::unavailable(error)))?);
                }
                self.change_again(move |uow| Ok::<_, Error>(uow.edit_erasures().settle_blob(&hash)?))
                    .await?;
            }
        }
    }

    pub(super) fn hash_of(&self, address: &LineUserId) -> [u8; 32] {
        self.ports
            .secrets
            .hash(format!("user:{}", address.as_str()).as_bytes())
    }
}

/// The claim on an erasure, if nobody else has it.
fn claimed(
    uow: &mut dyn UnitOfWork,
    erasure: ErasureId,
    owner: &str,
    since: Instant,
) -> Result<Begun, StoreError> {
    let claim = Claim {
        name: format!("erasure {erasure}"),
        owner: owner.to_owned(),
        since,
    };
    let claim = claim.take(uow)?.then_some(claim);
    Ok(Begun { erasure, claim })
}

/// A step that another has taken meanwhile is undone, with what was counted for it.
pub(super) fn settled(is_settled: bool) -> Result<(), Error> {
    is_settled.then_some(()).ok_or(Error::Stale)
}

pub(super) fn not_listed(error: std::io::Error) -> Error {
    Error::Store(StoreError::unavailable(error))
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
