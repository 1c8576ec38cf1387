//! The trash in memory.

use super::state::State;
use super::unit::Unit;
use crate::companies::CompanyId;
use crate::customers::CustomerId;
use crate::imports::ImportedKind;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::trash::{Collision, TrashKey, TrashPlace, TrashQueries, TrashRepository, Trashed};

/// Who moved what to the trash.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    key: TrashKey,
    by: String,
}

impl State {
    fn signature(&self, key: TrashKey) -> Option<String> {
        let mut signed = self.signatures.iter().rev();
        signed
            .find(|(_, signature)| signature.key == key)
            .map(|(_, signature)| signature.by.clone())
    }

    /// All that lies in the trash, newest first.
    fn all_trash(&self) -> Vec<Trashed> {
        let people = self.customers.iter().filter_map(|(id, row)| {
            let key = TrashKey::Customer(CustomerId::new(id));
            Some(Trashed {
                key,
                name: row.customer.details.name.full(),
                deleted_at: row.discarded_at?,
                deleted_by: self.signature(key),
                owner_id: row.customer.owner_id,
                team_id: row.customer.team_id,
            })
        });
        let firms = self.companies.iter().filter_map(|(id, row)| {
            let key = TrashKey::Company(CompanyId::new(id));
            Some(Trashed {
                key,
                name: row.company.details.name.as_str().to_owned(),
                deleted_at: row.discarded_at?,
                deleted_by: self.signature(key),
                owner_id: None,
                team_id: None,
            })
        });
        let mut all: Vec<Trashed> = people.chain(firms).collect();
        all.sort_by_key(|row| std::cmp::Reverse(row.place()));
        all
    }

    fn sharers(&self, id: CustomerId) -> Vec<Collision> {
        let Some(row) = self.customers.get(id.get()) else {
            return Vec::new();
        };
        let user = row.customer.details.line_user_id.as_ref();
        let mut found = Vec::new();
        for field in ["email", "phone", "line_user_id"] {
            let others = self.customers.iter().map(|(_, other)| other);
            let same = others.filter(|other| match field {
                "email" => !row.keys.email_key.is_empty() && other.keys.email_key == row.keys.email_key,
                "phone" => !row.keys.phone_key.is_empty() && other.keys.phone_key == row.keys.phone_key,
                _ => user.is_some() && other.customer.details.line_user_id.as_ref() == user,
            });
            let visible = same.filter(|other| {
                other.customer.id != id && other.discarded_at.is_none() && other.hidden_by.is_none()
            });
            found.extend(visible.take(5).map(|other| Collision {
                field,
                customer: other.customer.id,
                name: other.customer.details.name.full(),
                owner_id: other.customer.owner_id,
                team_id: other.customer.team_id,
            }));
        }
        found
    }
}

impl TrashQueries for Unit {
    fn trash(&mut self, after: Option<TrashPlace>, limit: usize) -> Result<Vec<Trashed>, StoreError> {
        self.look(|state| {
            let mut all = state.all_trash();
            all.retain(|row| after.is_none_or(|place| row.place() < place));
            all.truncate(limit);
            all
        })
    }

    fn trashed(&mut self, key: TrashKey) -> Result<Option<Trashed>, StoreError> {
        self.look(|state| state.all_trash().into_iter().find(|row| row.key == key))
    }

    fn collisions(&mut self, customer: CustomerId) -> Result<Vec<Collision>, StoreError> {
        self.look(|state| state.sharers(customer))
    }

    fn trash_before(&mut self, before: Instant, limit: usize) -> Result<Vec<Trashed>, StoreError> {
        self.look(|state| {
            let mut all = state.all_trash();
            all.reverse();
            all.retain(|row| row.deleted_at < before);
            all.truncate(limit);
            all
        })
    }
}

impl TrashRepository for Unit {
    fn sign_discard(&mut self, key: TrashKey, by: &str) -> Result<(), StoreError> {
        self.change(|state| {
            state.signatures.retain(|signature| signature.key != key);
            let by = by.to_owned();
            state.signatures.insert(|_| Signature { key, by });
            Ok(())
        })
    }

    fn restore(&mut self, key: TrashKey, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let restored = match key {
                TrashKey::Customer(id) => state.customers.get_mut(id.get()).is_some_and(|row| {
                    row.customer.version += 1;
                    row.customer.updated_at = at;
                    row.discarded_at.take().is_some()
                }),
                TrashKey::Company(id) => state.companies.get_mut(id.get()).is_some_and(|row| {
                    row.company.version += 1;
                    row.company.updated_at = at;
                    row.discarded_at.take().is_some()
                }),
            };
            state.signatures.retain(|signature| signature.key != key);
            Ok(restored)
        })
    }

    fn purge_company(&mut self, id: CompanyId) -> Result<bool, StoreError> {
        self.change(|state| {
            let row = state.companies.get(id.get());
            if row.is_none_or(|row| row.discarded_at.is_none()) {
                return Ok(false);
            }
            state.leave_without_company(id);
            state
                .origins
                .retain(|row| row.origin.kind != ImportedKind::Company || row.became != id.get());
            state.companies.retain_rows(|number, _| number != id.get());
            Ok(true)
        })
    }
}
