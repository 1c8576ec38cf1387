//! The audit log in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::state::State;
use super::unit::Unit;
use crate::audit::{
    AuditEntry, AuditFilter, AuditId, AuditPlace, AuditQueries, AuditRepository, NewEntry, Record,
    RecordKind, Seal, Sealed, StoredValues,
};
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::ports::store::StoreError;

/// What belongs to entries: values while they are not emptied, and seals by position.
#[derive(Debug, Clone, Default)]
pub(super) struct AuditSide {
    values: BTreeMap<AuditId, StoredValues>,
    seals: BTreeMap<i64, Seal>,
    open: BTreeSet<AuditId>,
}

fn entry(id: i64, new: &NewEntry) -> AuditEntry {
    let what = &new.what;
    AuditEntry {
        id: AuditId::new(id),
        at: new.at,
        by: new.by.clone(),
        address: new.address.clone(),
        request_id: new.request_id.clone(),
        act: what.act.code().to_owned(),
        record: what
            .record
            .map(|record| (record.kind.code().to_owned(), record.id)),
        customer_id: what.customer_id,
        fields: what.changes.iter().map(|change| change.field.clone()).collect(),
        reason: what.reason.clone(),
        digest: new.digest,
    }
}

fn wanted(filter: &AuditFilter, entry: &AuditEntry) -> bool {
    let record = entry.record.as_ref();
    let is = |record_kind: RecordKind| record.is_some_and(|(kind, _)| kind == record_kind.code());
    let said = |text: &String| {
        entry.by.name.contains(text.as_str())
            || [&entry.address, &entry.request_id]
                .into_iter()
                .any(|exact| exact.as_ref() == Some(text))
    };
    filter.member_id.is_none_or(|id| entry.by.member_id == Some(id))
        && filter.by_kind.as_ref().is_none_or(|kind| entry.by.kind == *kind)
        && filter.act.is_none_or(|act| entry.act == act.code())
        && filter
            .record
            .is_none_or(|wanted| is(wanted.kind) && record.is_some_and(|(_, id)| *id == wanted.id))
        && filter.record_kind.is_none_or(is)
        && filter.customer_id.is_none_or(|id| entry.customer_id == Some(id))
        && filter.text.as_ref().is_none_or(said)
        && filter.from.is_none_or(|from| entry.at >= from)
        && filter.to.is_none_or(|to| entry.at < to)
}

/// The positions of the oldest seals whose entries may go.
fn trimmable(state: &State, before: Instant) -> Vec<(i64, AuditId)> {
    let with_entry = state.audit_side.seals.values().filter_map(|seal| {
        let entry = state.audit.get(seal.entry.get())?;
        Some((seal.position, entry))
    });
    with_entry
        .take_while(|(_, entry)| entry.at < before)
        .map(|(position, entry)| (position, entry.id))
        .collect()
}

impl AuditQueries for Unit {
    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        after: Option<AuditPlace>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.look(|state| {
            let mut found: Vec<AuditEntry> = state
                .audit
                .iter()
                .map(|(_, entry)| entry)
                .filter(|entry| after.is_none_or(|place| entry.place() < place) && wanted(filter, entry))
                .cloned()
                .collect();
            found.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
            found.truncate(limit);
            found
        })
    }

    fn audit_entry(&mut self, id: AuditId) -> Result<Option<AuditEntry>, StoreError> {
        self.look(|state| state.audit.get(id.get()).cloned())
    }

    fn audit_values(&mut self, id: AuditId) -> Result<Option<StoredValues>, StoreError> {
        self.look(|state| state.audit_side.values.get(&id).cloned())
    }

    fn unsealed_audit(&mut self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.look(|state| {
            let open = state.audit_side.open.iter();
            open.filter_map(|id| state.audit.get(id.get()).cloned())
                .take(limit)
                .collect()
        })
    }

    fn last_seal(&mut self) -> Result<Option<Seal>, StoreError> {
        self.look(|state| state.audit_side.seals.values().next_back().copied())
    }

    fn sealed_audit(&mut self, position: i64, limit: usize) -> Result<Vec<Sealed>, StoreError> {
        self.look(|state| {
            let seals = state.audit_side.seals.range(position.saturating_add(1)..);
            seals
                .take(limit)
                .map(|(_, seal)| Sealed {
                    seal: *seal,
                    entry: state.audit.get(seal.entry.get()).cloned(),
                    values: state.audit_side.values.get(&seal.entry).cloned(),
                })
                .collect()
        })
    }

    fn loose_audit(&mut self) -> Result<(usize, Vec<AuditId>), StoreError> {
        self.look(|state| (state.audit_side.open.len(), Vec::new()))
    }
}

impl AuditRepository for Unit {
    fn add_audit(&mut self, entries: &[NewEntry]) -> Result<(), StoreError> {
        self.change(|state| {
            for new in entries {
                let id = AuditId::new(state.audit.insert(|id| entry(id, new)));
                state.audit_side.open.insert(id);
                if !new.what.changes.is_empty() {
                    let values = StoredValues {
                        salt: new.salt,
                        changes: new.what.changes.clone(),
                    };
                    state.audit_side.values.insert(id, values);
                }
            }
            Ok(())
        })
    }

    fn add_seals(&mut self, seals: &[Seal]) -> Result<(), StoreError> {
        self.change(|state| {
            for seal in seals {
                let side = &mut state.audit_side;
                if !side.open.remove(&seal.entry) || side.seals.contains_key(&seal.position) {
                    return Err(StoreError::unavailable("sealed already"));
                }
                side.seals.insert(seal.position, *seal);
            }
            Ok(())
        })
    }

    fn empty_audit_values(&mut self, of: Record) -> Result<usize, StoreError> {
        self.change(|state| {
            let customer = (of.kind == RecordKind::Customer).then(|| CustomerId::new(of.id));
            let about = |entry: &AuditEntry| {
                entry.record.as_ref() == Some(&(of.kind.code().to_owned(), of.id))
                    || customer.is_some() && entry.customer_id == customer
            };
            let ids: Vec<AuditId> = state
                .audit
                .iter()
                .filter(|(_, entry)| about(entry))
                .map(|(id, _)| AuditId::new(id))
                .collect();
            let emptied = ids.iter().filter_map(|id| state.audit_side.values.remove(id));
            Ok(emptied.count())
        })
    }

    fn trim_audit(&mut self, before: Instant, limit: usize) -> Result<Option<i64>, StoreError> {
        self.change(|state| {
            let mut going = trimmable(state, before);
            going.truncate(limit);
            let gone: Vec<AuditId> = going.iter().map(|(_, id)| *id).collect();
            state.audit.retain_rows(|id, _| !gone.contains(&AuditId::new(id)));
            state.audit_side.values.retain(|id, _| !gone.contains(id));
            let last = going.last().map(|(position, _)| *position);
            if let Some(last) = last {
                state.audit_side.seals.retain(|position, _| *position >= last);
            }
            Ok(last)
        })
    }

    fn trimmable_audit(&mut self, before: Instant) -> Result<usize, StoreError> {
        self.look(|state| trimmable(state, before).len())
    }
}
