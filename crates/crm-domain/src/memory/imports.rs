//! Imports in memory.

use super::companies::CompanyRow;
use super::customers::CustomerRow;
use super::state::State;
use super::unit::Unit;
use crate::activities::{ActivityId, NewActivity};
use crate::companies::{CompanyDetails, CompanyId};
use crate::customers::{CustomerDetails, CustomerId};
use crate::imports::{Import, ImportId, ImportQueries, ImportRepository, Origin};
use crate::instant::Instant;
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct ImportRow {
    source: String,
    finished_at: Option<Instant>,
}

#[derive(Debug, Clone)]
pub(super) struct OriginRow {
    pub(super) source: String,
    pub(super) origin: Origin,
    pub(super) became: i64,
}

impl State {
    fn note_origin(&mut self, import: &Import, origin: &Origin, became: i64) {
        self.origins.insert(|_| OriginRow {
            source: import.source.clone(),
            origin: origin.clone(),
            became,
        });
    }

    fn became(&self, source: &str, origin: &Origin) -> Option<i64> {
        let mut rows = self.origins.iter().map(|(_, row)| row);
        rows.find(|row| row.source == source && row.origin == *origin)
            .map(|row| row.became)
    }
}

impl ImportQueries for Unit {
    fn imported(&mut self, source: &str, origins: &[Origin]) -> Result<Vec<Option<i64>>, StoreError> {
        self.look(|state| {
            origins
                .iter()
                .map(|origin| state.became(source, origin))
                .collect()
        })
    }
}

impl ImportRepository for Unit {
    fn begin_import(&mut self, source: &str, _at: Instant) -> Result<Import, StoreError> {
        self.change(|state| {
            let unfinished = |row: &ImportRow| row.source == source && row.finished_at.is_none();
            let existing = state.imports.iter().find(|(_, row)| unfinished(row));
            let id = match existing.map(|(id, _)| id) {
                Some(id) => id,
                None => state.imports.insert(|_| ImportRow {
                    source: source.to_owned(),
                    finished_at: None,
                }),
            };
            Ok(Import {
                id: ImportId::new(id),
                source: source.to_owned(),
                finished: false,
            })
        })
    }

    fn import_companies(
        &mut self,
        import: &Import,
        rows: &[(Origin, CompanyDetails)],
        at: Instant,
    ) -> Result<Vec<CompanyId>, StoreError> {
        self.change(|state| {
            let add = |(origin, details): &(Origin, CompanyDetails)| {
                let hidden_by = Some(import.id);
                let id = state
                    .companies
                    .insert(|id| CompanyRow::new(id, details, hidden_by, at));
                state.note_origin(import, origin, id);
                CompanyId::new(id)
            };
            Ok(rows.iter().map(add).collect())
        })
    }

    fn import_customers(
        &mut self,
        import: &Import,
        rows: &[(Origin, CustomerDetails)],
        at: Instant,
    ) -> Result<Vec<CustomerId>, StoreError> {
        self.change(|state| {
            let mut companies = rows.iter().filter_map(|(_, details)| details.company_id);
            if companies.any(|id| state.companies.get(id.get()).is_none()) {
                return Err(StoreError::Missing("company_id"));
            }
            let add = |(origin, details): &(Origin, CustomerDetails)| {
                let hidden_by = Some(import.id);
                let id = state
                    .customers
                    .insert(|id| CustomerRow::new(id, details, hidden_by, at));
                state.note_origin(import, origin, id);
                CustomerId::new(id)
            };
            Ok(rows.iter().map(add).collect())
        })
    }

    fn import_activities(
        &mut self,
        import: &Import,
        rows: &[(Origin, NewActivity)],
    ) -> Result<Vec<ActivityId>, StoreError> {
        self.change(|state| {
            let ids = state.add_activities(rows.iter().map(|(_, row)| row), Some(import.id))?;
            for ((origin, _), id) in rows.iter().zip(&ids) {
                state.note_origin(import, origin, id.get());
            }
            Ok(ids)
        })
    }

    fn finish_import(&mut self, import: &Import, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let show = |hidden_by: &mut Option<ImportId>| {
                if *hidden_by == Some(import.id) {
                    *hidden_by = None;
                }
            };
            state
                .companies
                .iter_mut()
                .for_each(|row| show(&mut row.hidden_by));
            state
                .customers
                .iter_mut()
                .for_each(|row| show(&mut row.hidden_by));
            state
                .activities
                .iter_mut()
                .for_each(|row| show(&mut row.hidden_by));
            if let Some(row) = state.imports.get_mut(import.id.get()) {
                row.finished_at = row.finished_at.or(Some(at));
            }
            Ok(())
        })
    }
}
