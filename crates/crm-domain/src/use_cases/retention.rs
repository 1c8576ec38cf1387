//! How long things are kept: rules, holds, receipts, and what would go.

use super::Crm;
use super::audit_log::reason_of;
use super::sight::Reader;
use crate::audit::{Act, Change, Deed, Record, RecordKind};
use crate::customers::CustomerId;
use crate::erasures::Erasure;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::retention::{Foreseen, Hold, HoldId, HouseRun, MONTHS_MAX, Rule, RuleKind, months_before};
use crate::trash::TRASH_LIFE;
use crate::values::normalise::fold_compact;
use crate::values::{FieldError, Problem};

/// How many receipts are shown.
const RECEIPTS: usize = 100;
/// How many rows of the trash the preview counts.
const TRASH_COUNTED: usize = 1_000;

/// A rule and what it would take today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RulePreview {
    /// The rule.
    pub rule: Rule,
    /// What is older goes; `None` when nothing does.
    pub before: Option<Instant>,
    /// What would go.
    pub foreseen: Foreseen,
}

/// Everything about how long things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionOverview {
    /// Every kind with its rule and what would go.
    pub rules: Vec<RulePreview>,
    /// How many things in the trash are over their time, at most 1,000.
    pub trash: usize,
    /// The holds in force.
    pub holds: Vec<Hold>,
    /// The last daily run.
    pub last_run: Option<HouseRun>,
    /// The newest receipts of erasures.
    pub receipts: Vec<Erasure>,
}

impl Crm {
    /// The rules with what they would take today, the holds, the last run and the receipts.
    pub async fn retention(&self, actor: &Actor) -> Result<RetentionOverview, Error> {
        self.may(actor, Action::ManagePrivacy)?;
        let now = self.now();
        let read = move |unit: &mut dyn ReadUnit| {
            let set = unit.retention().retention_rules()?;
            let rules = RuleKind::ALL.map(|kind| Rule {
                kind,
                months: set
                    .iter()
                    .find(|rule| rule.kind == kind)
                    .and_then(|rule| rule.months),
            });
            let rules = rules.into_iter().map(|rule| preview(unit, rule, now));
            Ok::<_, Error>(RetentionOverview {
                rules: rules.collect::<Result<_, _>>()?,
                trash: unit
                    .trash()
                    .trash_before(now.minus(TRASH_LIFE), TRASH_COUNTED)?
                    .len(),
                holds: unit.retention().holds()?,
                last_run: unit.retention().last_house_run()?,
                receipts: unit.erasures().erasures(RECEIPTS)?,
            })
        };
        let mut overview = self.ports.store.read(read).await?;
        for line in &mut overview.rules {
            if let (RuleKind::Audit, Some(before)) = (line.rule.kind, line.before) {
                line.foreseen.count = self.trimmable(before).await?;
            }
        }
        Ok(overview)
    }

    /// How many entries of the audit log are older.
    pub(super) async fn trimmable(&self, before: Instant) -> Result<u64, Error> {
        let count = self
            .ports
            .store
            .write(move |uow| Ok::<_, Error>(uow.edit_audit().trimmable_audit(before)?));
        Ok(u64::try_from(count.await?).unwrap_or(u64::MAX))
    }

    /// What is to be kept how long, in months as typed: empty keeps for ever, else 1 to 1,200. All of it is stored, or none.
    pub async fn set_rules(&self, actor: &Actor, typed: &[(RuleKind, &str)]) -> Result<(), Error> {
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for (kind, months) in typed {
            match months_of(months) {
                Ok(months) => rules.push(Rule { kind: *kind, months }),
                Err(problem) => wrong.push(FieldError::new(kind.code(), problem)),
            }
        }
        if !wrong.is_empty() {
            self.may(actor, Action::ManagePrivacy)?;
            return Err(Error::Invalid(wrong));
        }
        self.act(actor, Action::ManagePrivacy, move |uow, _| {
            let before = uow.retention().retention_rules()?;
            let mut changes = Vec::new();
            for rule in &rules {
                let same = before.iter().find(|other| other.kind == rule.kind);
                let old = same.and_then(|rule| rule.months);
                if old != rule.months {
                    uow.edit_retention().set_rule(*rule)?;
                    let told = |months: Option<u32>| months.map(|months| months.to_string());
                    changes.push(Change::new(rule.kind.code(), told(old), told(rule.months)));
                }
            }
            if changes.is_empty() {
                return Ok(crate::audit::Did::nothing(()));
            }
            Ok(Deed::of(Act::RetentionChanged).with(changes).gives(()))
        })
        .await
    }

    /// Holds deletion back, of one customer or of everything; the reason of one line stands in the log.
    pub async fn place_hold(
        &self,
        actor: &Actor,
        customer: Option<CustomerId>,
        reason: &str,
    ) -> Result<HoldId, Error> {
        self.may(actor, Action::ManagePrivacy)?;
        let (reason, by) = (reason_of(reason)?, actor.author().name);
        self.act(actor, Action::ManagePrivacy, move |uow, at| {
            let id = uow.edit_retention().place_hold(customer, &reason, &by, at)?;
            let record = Record {
                kind: RecordKind::Hold,
                id: id.get(),
            };
            let entry = Deed::on(Act::HoldSet, record).about(customer);
            Ok(entry.because(reason.clone()).gives(id))
        })
        .await
    }

    /// Lifts a hold.
    pub async fn lift_hold(&self, actor: &Actor, id: HoldId) -> Result<(), Error> {
        let by = actor.author().name;
        self.act(actor, Action::ManagePrivacy, move |uow, at| {
            if !uow.edit_retention().lift_hold(id, &by, at)? {
                return Err(Error::NotFound("hold"));
            }
            let record = Record {
                kind: RecordKind::Hold,
                id: id.get(),
            };
            Ok(Deed::on(Act::HoldLifted, record).gives(()))
        })
        .await
    }

    /// Whether deletion of a customer is held back, for whoever sees the customer.
    pub async fn is_held(&self, actor: &Actor, id: CustomerId) -> Result<bool, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        let read = move |unit: &mut dyn ReadUnit| {
            super::customers::found(unit, id, reader)?;
            Ok(unit.retention().is_held(id)?)
        };
        self.ports.store.read(read).await
    }
}

/// The months of a rule as typed; empty is for ever.
fn months_of(typed: &str) -> Result<Option<u32>, Problem> {
    match fold_compact(typed).as_str() {
        "" => Ok(None),
        typed => {
            let months = typed.parse::<u32>().ok();
            let months = months.filter(|count| (1..=MONTHS_MAX).contains(count));
            months.map(Some).ok_or(Problem::Malformed)
        }
    }
}

fn preview(unit: &mut dyn ReadUnit, rule: Rule, now: Instant) -> Result<RulePreview, Error> {
    let before = rule.months.map(|months| months_before(now, months));
    let foreseen = match before {
        Some(before) => unit.retention().foresee(rule.kind, before)?,
        None => Foreseen::default(),
    };
    Ok(RulePreview {
        rule,
        before,
        foreseen,
    })
}
