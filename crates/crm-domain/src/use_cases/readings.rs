//! The reading log: noted in memory as people read, written once a second, so that reading costs no write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use time::Duration;

use super::Crm;
use crate::attachments::AttachmentId;
use crate::audit::{Act, By, Change, Deed, Did};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::readings::{NewReading, Reading, ReadingFilter, ReadingKind, ReadingPlace, ReadingRule};
use crate::values::Problem;
use crate::values::normalise::legible;

/// How many readings are held until they are written; beyond, the newest are lost.
const HELD: usize = 20_000;
/// How many are written or forgotten in a unit of work.
const AT_ONCE: usize = 500;
/// The most characters of the words searched for that are kept.
const WORDS: usize = 100;
/// The most days that readings are kept.
const DAYS: u32 = 3_650;

/// Readings that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    readings: Mutex<Vec<NewReading>>,
    off: AtomicBool,
}

/// What somebody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// At a customer.
    Customer(CustomerId),
    /// For these words.
    Search(String),
    /// At a file of a message, on a customer's page or of somebody who is none.
    File {
        /// Whose page.
        customer: Option<CustomerId>,
        /// Which file.
        file: AttachmentId,
    },
}

impl Crm {
    /// Notes that somebody looked at something. Costs no write; what is noted in the last second before a crash is lost.
    pub fn note_reading(&self, actor: &Actor, looked: Looked) {
        if self.held.off.load(Ordering::Relaxed) {
            return;
        }
        let (kind, customer_id, record_id, words) = match looked {
            Looked::Customer(id) => (ReadingKind::Customer, Some(id), None, None),
            Looked::Search(words) => {
                let words: String = legible(&words).trim().chars().take(WORDS).collect();
                if words.is_empty() {
                    return;
                }
                (ReadingKind::Search, None, None, Some(words))
            }
            Looked::File { customer, file } => (ReadingKind::File, customer, Some(file.get()), None),
        };
        let reading = NewReading {
            at: self.now(),
            by: By::from(actor),
            address: self.ports.caller.address(),
            kind,
            customer_id,
            record_id,
            words,
        };
        let mut held = self.held.readings.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() < HELD {
            held.push(reading);
        }
    }

    /// Writes what was noted, unless the log is switched off; says how many. While it is, looks whether another instance
    /// switched it on.
    pub async fn write_readings(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        if self.held.off.load(Ordering::Relaxed) {
            let rule = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.readings().reading_rule()?);
            let on = self.ports.store.read(rule).await?.on;
            self.held.off.store(!on, Ordering::Relaxed);
        }
        let mut written = 0;
        loop {
            let part: Vec<NewReading> = {
                let mut held = self.held.readings.lock().unwrap_or_else(PoisonError::into_inner);
                let count = held.len().min(AT_ONCE);
                held.drain(..count).collect()
            };
            if part.is_empty() {
                return Ok(written);
            }
            let readings = part.clone();
            let outcome = self
                .ports
                .store
                .write(move |uow| {
                    let on = uow.readings().reading_rule()?.on;
                    if on {
                        uow.edit_readings().add_readings(&readings)?;
                    }
                    Ok::<_, Error>(on)
                })
                .await;
            match outcome {
                Ok(on) => {
                    self.held.off.store(!on, Ordering::Relaxed);
                    written += if on { part.len() } else { 0 };
                }
                Err(error) => {
                    self.hold_again(part);
                    return Err(error);
                }
            }
        }
    }

    fn hold_again(&self, mut part: Vec<NewReading>) {
        let mut held = self.held.readings.lock().unwrap_or_else(PoisonError::into_inner);
        part.append(&mut held);
        part.truncate(HELD);
        *held = part;
    }

    /// Forgets readings that are over their time, some at once; says how many: to be called again until none.
    pub async fn prune_readings(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let now = self.now();
        let days = |rule: ReadingRule| Duration::days(rule.days.into());
        let oldest = self.ports.store.read(move |unit| {
            let before = now.minus(days(unit.readings().reading_rule()?));
            let filter = ReadingFilter {
                to: Some(before),
                ..ReadingFilter::default()
            };
            let old = !unit.readings().readings(&filter, None, 1)?.is_empty();
            Ok::<_, Error>(old.then_some(before))
        });
        match oldest.await? {
            Some(before) => {
                self.change_again(move |uow| Ok(uow.edit_readings().prune_readings(before, AT_ONCE)?))
                    .await
            }
            None => Ok(0),
        }
    }

    /// The readings that the filter wants, newest first, and the rule by which they are kept.
    pub async fn list_readings(
        &self,
        actor: &Actor,
        filter: ReadingFilter,
        after: Option<ReadingPlace>,
        limit: usize,
    ) -> Result<(Vec<Reading>, ReadingRule), Error> {
        self.may(actor, Action::ViewAudit)?;
        self.ports
            .store
            .read_stale(move |unit| {
                let rule = unit.readings().reading_rule()?;
                Ok((unit.readings().readings(&filter, after, limit)?, rule))
            })
            .await
    }

    /// Switches the reading log on or off, and says for how many days it is kept: 1 to 3,650, or an invalid `days`.
    pub async fn set_reading_rule(&self, actor: &Actor, rule: ReadingRule) -> Result<(), Error> {
        if rule.days == 0 || rule.days > DAYS {
            return Err(Error::field("days", Problem::Malformed));
        }
        self.act(actor, Action::ManagePrivacy, move |uow, _| {
            let old = uow.readings().reading_rule()?;
            if old == rule {
                return Ok(Did::nothing(()));
            }
            uow.edit_readings().set_reading_rule(rule)?;
            let said = |old: String, new: String, field: &str| {
                (old != new).then(|| Change::new(field, Some(old), Some(new)))
            };
            let changes = [
                said(on(old), on(rule), "reading_log"),
                said(old.days.to_string(), rule.days.to_string(), "reading_log_days"),
            ];
            Ok(Deed::of(Act::SettingChanged)
                .with(changes.into_iter().flatten())
                .gives(()))
        })
        .await?;
        self.held.off.store(!rule.on, Ordering::Relaxed);
        Ok(())
    }

    /// Whether readings were ever to be forgotten at this time; the page names it.
    pub fn readings_since(&self, rule: ReadingRule) -> Instant {
        self.now().minus(Duration::days(rule.days.into()))
    }
}

fn on(rule: ReadingRule) -> String {
    if rule.on { "on" } else { "off" }.to_owned()
}
