//! The daily run: what is over its time goes, in parts that can be broken off and taken up again.

use time::Duration;

use super::Crm;
use super::data_keys::of_blob;
use super::erasing::CHUNK;
use super::erasing_rows::review_talks;
use crate::audit::{Act, Deed};
use crate::erasures::ErasureCause;
use crate::error::Error;
use crate::idempotency::ANSWER_LIFE;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::receipts::ReceiptId;
use crate::retention::{BODIES_LIFE, HouseRun, RuleKind, months_before};
use crate::tally::{DataKind, Tally};
use crate::trash::{TRASH_LIFE, TrashKey};

/// How long one run is enough.
const DAY: Duration = Duration::days(1);
/// How much one run takes out of the trash.
const TRASH_A_DAY: usize = 10_000;
/// How many callbacks are looked at together.
const RECEIPTS: usize = 1_000;
/// How many kept answers are forgotten together.
const ANSWERS: usize = 1_000;
/// How many operation keys are forgotten together.
const OPERATIONS: usize = 1_000;

impl Crm {
    /// Whether the daily run is due: none was finished since a day. While work rests after a restore none is.
    pub async fn house_is_due(&self, actor: &Actor) -> Result<bool, Error> {
        self.may(actor, Action::KeepHouse)?;
        let now = self.now();
        let read = |unit: &mut dyn ReadUnit| {
            Ok::<_, Error>((unit.retention().last_house_run()?, unit.backups().pause()?))
        };
        let (last, pause) = self.ports.store.read(read).await?;
        Ok(pause.is_none()
            && last.is_none_or(|run| run.finished_at.is_none() || now.since(run.started_at) >= DAY))
    }

    /// Takes what is over its time: the trash after thirty days, bodies of callbacks after seven, and what the rules say.
    /// While everything is held back nothing goes.
    pub async fn keep_house(&self, actor: &Actor) -> Result<HouseRun, Error> {
        self.may(actor, Action::KeepHouse)?;
        let at = self.now();
        self.forget_operations(at).await?;
        let begun = self.change_again(move |uow| {
            let held = uow.retention().everything_held()?;
            Ok::<_, Error>((uow.edit_retention().begin_house_run(at, held)?, held))
        });
        let (id, held) = begun.await?;
        let tally = if held {
            Tally::default()
        } else {
            self.tidy(actor, at).await?
        };
        let ended = self.now();
        let written = tally.clone();
        self.act(actor, Action::KeepHouse, move |uow, _| {
            uow.edit_retention().end_house_run(id, ended, &written)?;
            if written.is_empty() {
                return Ok(crate::audit::Did::nothing(()));
            }
            let entry = Deed::of(Act::RetentionRun);
            Ok(entry.value("taken", None, Some(written.to_string())).gives(()))
        })
        .await?;
        Ok(HouseRun {
            id,
            started_at: at,
            finished_at: Some(ended),
            held,
            tally,
        })
    }

    async fn tidy(&self, actor: &Actor, now: Instant) -> Result<Tally, Error> {
        self.pursue_erasures(actor).await?;
        let mut tally = self.empty_trash(actor, now).await?;
        tally.merge(&self.empty_bodies(now).await?);
        self.forget_answers(now).await?;
        let read = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.retention().retention_rules()?);
        for rule in self.ports.store.read(read).await? {
            let Some(months) = rule.months else { continue };
            let before = months_before(now, months);
            tally.merge(&match rule.kind {
                RuleKind::Messages | RuleKind::Notes => self.forget_old(rule.kind, before).await?,
                RuleKind::UnknownSenders => self.forget_strangers(before).await?,
                RuleKind::Audit => self.trim(actor, before).await?,
            });
        }
        tally.merge(&self.remove_contents(None).await?.unwrap_or_default());
        self.ports.blobs.tidy().await.map_err(of_blob)?;
        if !tally.is_empty() {
            self.ports.store.scrub().await?;
        }
        Ok(tally)
    }

    /// What is over its time; those with a hold stay.
    async fn empty_trash(&self, actor: &Actor, now: Instant) -> Result<Tally, Error> {
        let read = move |unit: &mut dyn ReadUnit| {
            let over = unit.trash().trash_before(now.minus(TRASH_LIFE), TRASH_A_DAY)?;
            Ok::<_, Error>(over)
        };
        let mut tally = Tally::default();
        for over in self.ports.store.read(read).await? {
            match over.key {
                TrashKey::Customer(id) => {
                    if self.erase_by_rule(actor, id, ErasureCause::Trash).await? {
                        tally.add(DataKind::Customers, 1);
                    }
                }
                TrashKey::Company(id) => {
                    self.purge_company(actor, Action::KeepHouse, id).await?;
                    tally.add(DataKind::Companies, 1);
                }
            }
        }
        Ok(tally)
    }

    async fn empty_bodies(&self, now: Instant) -> Result<Tally, Error> {
        let (mut all, mut after) = (Tally::default(), Some(ReceiptId::new(0)));
        while let Some(place) = after {
            let before = now.minus(BODIES_LIFE);
            let part = self.change_again(move |uow| {
                Ok::<_, Error>(uow.edit_retention().empty_old_bodies(before, place, RECEIPTS)?)
            });
            let (part, next) = part.await?;
            all.merge(&part);
            after = next;
        }
        Ok(all)
    }

    /// What was answered to programs more than a day ago.
    async fn forget_answers(&self, now: Instant) -> Result<(), Error> {
        loop {
            let before = now.minus(ANSWER_LIFE);
            let part = self.change_again(move |uow| {
                Ok::<_, Error>(uow.edit_idempotency().forget_answers(before, ANSWERS)?)
            });
            if part.await? < ANSWERS {
                return Ok(());
            }
        }
    }

    /// Keys by which units of work could be found again a day ago. Nothing personal is in them, so no hold keeps them.
    async fn forget_operations(&self, now: Instant) -> Result<(), Error> {
        loop {
            let before = now.minus(DAY);
            let part =
                self.change_again(move |uow| Ok::<_, Error>(uow.forget_operations(before, OPERATIONS)?));
            if part.await? < OPERATIONS {
                return Ok(());
            }
        }
    }

    async fn forget_old(&self, kind: RuleKind, before: Instant) -> Result<Tally, Error> {
        let mut all = Tally::default();
        loop {
            let at = self.now();
            let part = self.change_again(move |uow| {
                let (part, talks) = uow.edit_retention().forget_activities(kind, before, CHUNK, at)?;
                review_talks(uow, &talks, at)?;
                Ok::<_, Error>(part)
            });
            let part = part.await?;
            if part.is_empty() {
                return Ok(all);
            }
            all.merge(&part);
        }
    }

    async fn forget_strangers(&self, before: Instant) -> Result<Tally, Error> {
        let mut all = Tally::default();
        loop {
            let read =
                move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.retention().silent_talks(before, CHUNK)?);
            let talks = self.ports.store.read(read).await?;
            if talks.is_empty() {
                return Ok(all);
            }
            all.merge(&self.erase_strangers(&talks).await?);
        }
    }

    async fn trim(&self, actor: &Actor, before: Instant) -> Result<Tally, Error> {
        let count = self.trimmable(before).await?;
        while self.trim_audit(actor, before).await? {}
        Ok(Tally::of(
            DataKind::AuditEntries,
            usize::try_from(count).unwrap_or(usize::MAX),
        ))
    }
}
