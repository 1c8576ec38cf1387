//! The audit log itself: sealing, proving, looking at it, forgetting what is over its time.

use super::Crm;
use crate::audit::{
    Act, AuditEntry, AuditFilter, AuditId, AuditPlace, Change, Deed, Did, Head, REASON_MAX, Record,
    RecordKind, Seal, Sealed, content, digest, first_content,
};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::ports::vault::VaultError;
use crate::values::Problem;

/// How many entries a unit of work seals, reads or forgets.
const AT_ONCE: usize = 500;
/// How many faults are told.
const FAULTS: usize = 100;

/// What sealing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealRound {
    /// How many entries were sealed.
    pub sealed: usize,
    /// The end of the chain; `None` while nothing is sealed.
    pub head: Option<Head>,
}

/// What is wrong with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    /// The entry at this position is not what was sealed, or the seal is none of ours.
    Changed(i64, AuditId),
    /// The entry at this position is gone.
    Missing(i64, AuditId),
    /// A value of the entry at this position is not what was written.
    ValueChanged(i64, AuditId),
    /// The seals of these positions, first and last, are gone.
    Gap(i64, i64),
    /// An entry stands in the log that was never to be sealed.
    Loose(AuditId),
    /// The chain ends before the head that was given: its end was cut off.
    Cut(i64),
    /// At the position of the head that was given stands another seal.
    OtherHead(i64),
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// How many entries were checked.
    pub checked: u64,
    /// How many wait for their seal.
    pub waiting: usize,
    /// Of how many the values were emptied, by erasure or retention.
    pub emptied: u64,
    /// The end of the chain; to be written down elsewhere.
    pub head: Option<Head>,
    /// What is wrong, at most 100.
    pub faults: Vec<AuditFault>,
}

/// An entry with its values as far as they are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditDetail {
    /// The entry.
    pub entry: AuditEntry,
    /// What changed; `None` when the values were emptied.
    pub changes: Option<Vec<Change>>,
}

impl Crm {
    /// Seals what waits for it, some entries at once; to be called again while it seals any.
    pub async fn seal_audit(&self, actor: &Actor) -> Result<SealRound, Error> {
        self.may(actor, Action::KeepHouse)?;
        let idle = self.ports.store.read(|unit| {
            let waiting = unit.audit().unsealed_audit(1)?;
            let head = unit.audit().last_seal()?.map(|seal| seal.head());
            Ok::<_, Error>(waiting.is_empty().then_some(SealRound { sealed: 0, head }))
        });
        if let Some(idle) = idle.await? {
            return Ok(idle);
        }
        let macs = std::sync::Arc::clone(&self.ports.seals);
        self.change_again(move |uow| {
            let entries = uow.audit().unsealed_audit(AT_ONCE)?;
            let mut last = uow.audit().last_seal()?.map(|seal| seal.head());
            let mut seals = Vec::with_capacity(entries.len());
            for entry in &entries {
                let position = last.map_or(1, |head| head.position + 1);
                let before = last.map_or([0; 32], |head| head.mac);
                let mac = macs.seal(&content(position, &before, entry));
                let mac = mac.ok_or(VaultError::Unavailable)?;
                last = Some(Head { position, mac });
                seals.push(Seal {
                    position,
                    entry: entry.id,
                    mac,
                });
            }
            uow.edit_audit().add_seals(&seals)?;
            Ok(SealRound {
                sealed: seals.len(),
                head: last,
            })
        })
        .await
    }

    /// Recomputes the whole chain. With a head that was written down earlier it also finds that the end was cut off.
    pub async fn verify_audit(&self, actor: &Actor, known: Option<Head>) -> Result<AuditReport, Error> {
        self.may(actor, Action::ViewAudit)?;
        let mut check = Check {
            known,
            ..Check::default()
        };
        let mut position = 0;
        loop {
            let part = self
                .ports
                .store
                .read(move |unit| Ok::<_, Error>(unit.audit().sealed_audit(position, AT_ONCE)?))
                .await?;
            let Some(last) = part.last() else { break };
            position = last.seal.position;
            for sealed in &part {
                self.check(&mut check, sealed);
            }
        }
        let known = check.report.head.map_or(0, |head| head.position);
        if let Some(head) = check.known.filter(|head| head.position > known) {
            check.fault(AuditFault::Cut(head.position));
        }
        self.check_loose(&mut check).await?;
        Ok(check.report)
    }

    fn check(&self, check: &mut Check, sealed: &Sealed) {
        let seal = sealed.seal;
        let expected = check.report.head.map(|head| head.position + 1);
        // The oldest seal that is left without its entry stands for those that were forgotten.
        let anchors = check.report.head.is_none() && sealed.entry.is_none() && seal.position > 0;
        let expected = expected.unwrap_or(if anchors { seal.position } else { 1 });
        let whole = seal.position == expected;
        if !whole {
            check.fault(AuditFault::Gap(expected, seal.position - 1));
        }
        if anchors {
            check.anchor = Some(seal);
        } else {
            self.check_entry(check, sealed, whole);
        }
        if check
            .known
            .is_some_and(|head| head.position == seal.position && head.mac != seal.mac)
        {
            check.fault(AuditFault::OtherHead(seal.position));
        }
        check.report.head = Some(seal.head());
    }

    fn check_entry(&self, check: &mut Check, sealed: &Sealed, whole: bool) {
        let seal = sealed.seal;
        let Some(entry) = &sealed.entry else {
            check.fault(AuditFault::Missing(seal.position, seal.entry));
            return;
        };
        check.report.checked += 1;
        let before = check.report.head.map_or([0; 32], |head| head.mac);
        let fits = |bytes: &[u8]| self.ports.seals.fits(bytes, &seal.mac);
        let fits = fits(&content(seal.position, &before, entry))
            || fits(&first_content(seal.position, &before, entry));
        // Behind a gap the mac before is not known.
        if whole && !fits {
            check.fault(AuditFault::Changed(seal.position, entry.id));
        }
        if entry.act == Act::AuditTrimmed.code() {
            check.trimmed = entry.record.as_ref().map(|(_, position)| *position);
        }
        match &sealed.values {
            Some(values) => {
                let now = digest(
                    |bytes| self.ports.secrets.hash(bytes),
                    &values.salt,
                    &values.changes,
                );
                if now != entry.digest {
                    check.fault(AuditFault::ValueChanged(seal.position, entry.id));
                }
            }
            None if entry.digest != [0; 32] => check.report.emptied += 1,
            None => {}
        }
    }

    /// What stands beside the chain: entries that wait, entries that belong nowhere, and whether the beginning may be gone.
    async fn check_loose(&self, check: &mut Check) -> Result<(), Error> {
        let read = |unit: &mut dyn ReadUnit| {
            let filter = AuditFilter {
                act: Some(Act::AuditTrimmed),
                ..AuditFilter::default()
            };
            let trimmed = unit.audit().audit_page(&filter, None, 1)?;
            Ok::<_, Error>((unit.audit().loose_audit()?, trimmed))
        };
        let ((waiting, loose), trimmed) = self.ports.store.read(read).await?;
        check.report.waiting = waiting;
        for id in loose {
            check.fault(AuditFault::Loose(id));
        }
        let told = trimmed.first().and_then(|entry| entry.record.as_ref());
        let told = told.map(|(_, position)| *position).max(check.trimmed);
        if let Some(anchor) = check.anchor.filter(|anchor| told != Some(anchor.position)) {
            check.fault(AuditFault::Gap(1, anchor.position));
        }
        Ok(())
    }

    /// The entries that the filter wants, newest first; where a replica is read, without those of the last moment.
    pub async fn list_audit(
        &self,
        actor: &Actor,
        filter: AuditFilter,
        after: Option<AuditPlace>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Error> {
        self.may(actor, Action::ViewAudit)?;
        self.ports
            .store
            .read_stale(move |unit| Ok(unit.audit().audit_page(&filter, after, limit)?))
            .await
    }

    /// [`Crm::list_audit`] with the values, for files and the command line.
    pub async fn list_audit_details(
        &self,
        actor: &Actor,
        filter: AuditFilter,
        after: Option<AuditPlace>,
        limit: usize,
    ) -> Result<Vec<AuditDetail>, Error> {
        self.may(actor, Action::ViewAudit)?;
        let read = move |unit: &mut dyn ReadUnit| {
            let entries = unit.audit().audit_page(&filter, after, limit)?;
            entries.into_iter().map(|entry| detail(unit, entry)).collect()
        };
        self.ports.store.read_stale(read).await
    }

    /// One entry with its values.
    pub async fn show_audit(&self, actor: &Actor, id: AuditId) -> Result<AuditDetail, Error> {
        self.may(actor, Action::ViewAudit)?;
        let read = move |unit: &mut dyn ReadUnit| {
            let entry = unit.audit().audit_entry(id)?.ok_or(Error::NotFound("audit"))?;
            detail(unit, entry)
        };
        self.ports.store.read(read).await
    }

    /// Writes that the log is taken out as a file, and why. To be called before the first row leaves.
    pub async fn note_audit_export(&self, actor: &Actor, reason: &str) -> Result<(), Error> {
        self.may(actor, Action::ViewAudit)?;
        let reason = reason_of(reason)?;
        let deed = Deed::of(Act::ListExported).value("list", None, Some("audit".to_owned()));
        self.log(actor, Action::ExportRecords, deed.because(reason)).await
    }

    /// Writes that a whole list is taken out (`customers`, `companies`), and why. To be called before the first row leaves.
    pub async fn note_list_export(
        &self,
        actor: &Actor,
        list: &'static str,
        reason: &str,
    ) -> Result<(), Error> {
        self.may(actor, Action::ExportRecords)?;
        let reason = reason_of(reason)?;
        let deed = Deed::of(Act::ListExported).value("list", None, Some(list.to_owned()));
        self.log(actor, Action::ExportRecords, deed.because(reason)).await
    }

    /// Writes that rows of a file are about to be taken in, which, and why.
    pub async fn note_table_import(
        &self,
        actor: &Actor,
        list: &'static str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let reason = reason.map(reason_of).transpose()?;
        let deed = Deed::of(Act::ImportBegun).value("list", None, Some(list.to_owned()));
        self.log(actor, Action::ImportRecords, deed.because(reason)).await
    }

    /// Writes how many rows of a file were taken in.
    pub async fn note_table_imported(
        &self,
        actor: &Actor,
        list: &'static str,
        [added, changed, refused]: [u64; 3],
    ) -> Result<(), Error> {
        let count = |field: &str, rows: u64| Change::new(field, None, Some(rows.to_string()));
        let deed = Deed::of(Act::ImportFinished)
            .value("list", None, Some(list.to_owned()))
            .with([
                count("rows_added", added),
                count("rows_changed", changed),
                count("rows_refused", refused),
            ]);
        self.log(actor, Action::ImportRecords, deed).await
    }

    /// Forgets entries from before `before`, some at once, and says whether any were: to be called again until not.
    pub async fn trim_audit(&self, actor: &Actor, before: Instant) -> Result<bool, Error> {
        self.act(actor, Action::KeepHouse, move |uow, _| {
            let Some(position) = uow.edit_audit().trim_audit(before, AT_ONCE)? else {
                return Ok(Did::nothing(false));
            };
            let record = Record {
                kind: RecordKind::Audit,
                id: position,
            };
            Ok(Deed::on(Act::AuditTrimmed, record).gives(true))
        })
        .await
    }
}

/// A reason of one line, as typed: 1 to [`REASON_MAX`] characters, or an invalid `reason`.
pub(super) fn reason_of(text: &str) -> Result<String, Error> {
    let reason = text.trim();
    let problem = match reason.chars().count() {
        0 => Some(Problem::Required),
        count if count > REASON_MAX => Some(Problem::TooLong { max: REASON_MAX }),
        _ if reason.chars().any(char::is_control) => Some(Problem::Malformed),
        _ => None,
    };
    problem.map_or(Ok(reason.to_owned()), |problem| {
        Err(Error::field("reason", problem))
    })
}

fn detail<U: ReadUnit + ?Sized>(unit: &mut U, entry: AuditEntry) -> Result<AuditDetail, Error> {
    let changes = if entry.digest == [0; 32] {
        Some(Vec::new())
    } else {
        unit.audit().audit_values(entry.id)?.map(|values| values.changes)
    };
    Ok(AuditDetail { entry, changes })
}

/// A verification under way.
#[derive(Default)]
struct Check {
    known: Option<Head>,
    anchor: Option<Seal>,
    trimmed: Option<i64>,
    report: AuditReport,
}

impl Check {
    fn fault(&mut self, fault: AuditFault) {
        if self.report.faults.len() < FAULTS {
            self.report.faults.push(fault);
        }
    }
}
