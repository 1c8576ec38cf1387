//! Companies in memory.

use super::state::State;
use super::unit::Unit;
use crate::companies::{
    Company, CompanyDetails, CompanyFilter, CompanyId, CompanyKeys, CompanyLine, CompanyQueries,
    CompanyRepository,
};
use crate::imports::ImportId;
use crate::instant::Instant;
use crate::paging::{Page, PageRequest};
use crate::ports::store::StoreError;
use crate::teams::Visible;

#[derive(Debug, Clone)]
pub(super) struct CompanyRow {
    pub(super) company: Company,
    keys: CompanyKeys,
    pub(super) discarded_at: Option<Instant>,
    /// The unfinished import that added it.
    pub(super) hidden_by: Option<ImportId>,
}

impl CompanyRow {
    pub(super) fn new(id: i64, details: &CompanyDetails, hidden_by: Option<ImportId>, at: Instant) -> Self {
        Self {
            company: Company {
                id: CompanyId::new(id),
                details: details.clone(),
                version: 1,
                created_at: at,
                updated_at: at,
            },
            keys: details.keys(),
            discarded_at: None,
            hidden_by,
        }
    }

    fn matches(&self, filter: &CompanyFilter) -> bool {
        filter.prefix.as_deref().is_none_or(|prefix| {
            self.keys.name_key.starts_with(prefix) || self.keys.kana_key.starts_with(prefix)
        })
    }
}

impl State {
    fn visible_companies(&self) -> impl Iterator<Item = &CompanyRow> {
        self.companies
            .iter()
            .map(|(_, row)| row)
            .filter(|row| row.discarded_at.is_none() && row.hidden_by.is_none())
    }

    /// The company, if it is neither in the trash nor part of an unfinished import.
    pub(super) fn visible_company(&self, id: CompanyId) -> Option<&Company> {
        let row = self.companies.get(id.get())?;
        (row.discarded_at.is_none() && row.hidden_by.is_none()).then_some(&row.company)
    }

    fn company_line(&self, row: &CompanyRow, visible: &Visible) -> CompanyLine {
        let customers = self
            .visible_customers()
            .filter(|customer| customer.details.company_id == Some(row.company.id))
            .filter(|customer| visible.shows(customer.owner_id, customer.team_id));
        CompanyLine {
            company: row.company.clone(),
            customers: i64::try_from(customers.count()).unwrap_or(i64::MAX),
        }
    }
}

impl CompanyQueries for Unit {
    fn company(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        self.look(|state| state.visible_company(id).cloned())
    }

    fn company_list(
        &mut self,
        filter: &CompanyFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CompanyLine>, StoreError> {
        self.look(|state| {
            let mut rows: Vec<_> = state
                .visible_companies()
                .filter(|row| row.matches(filter))
                .map(|row| ((row.keys.sort_key.as_str(), row.company.id.get()), row))
                .filter(|(place, _)| {
                    page.after
                        .as_ref()
                        .is_none_or(|end| *place > (end.key.as_str(), end.id))
                })
                .collect();
            rows.sort_by_key(|(place, _)| *place);
            let wanted = rows.into_iter().take(page.limit + 1);
            let lines = wanted.map(|(_, row)| state.company_line(row, visible)).collect();
            Page::cut(lines, page.limit, CompanyLine::cursor)
        })
    }

    fn companies_named(&mut self, name_key: &str) -> Result<Vec<Company>, StoreError> {
        self.look(|state| {
            let named = state
                .visible_companies()
                .filter(|row| row.keys.name_key == name_key);
            named.map(|row| row.company.clone()).collect()
        })
    }
}

impl CompanyRepository for Unit {
    fn add_company(&mut self, details: &CompanyDetails, at: Instant) -> Result<CompanyId, StoreError> {
        self.change(|state| {
            let id = state
                .companies
                .insert(|id| CompanyRow::new(id, details, None, at));
            Ok(CompanyId::new(id))
        })
    }

    fn revise_company(
        &mut self,
        id: CompanyId,
        version: i64,
        details: &CompanyDetails,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            let stale = StoreError::Stale("company");
            if state
                .visible_company(id)
                .is_none_or(|company| company.version != version)
            {
                return Err(stale);
            }
            let row = state.companies.get_mut(id.get()).ok_or(stale)?;
            row.keys = details.keys();
            row.company.details = details.clone();
            row.company.version += 1;
            row.company.updated_at = at;
            Ok(())
        })
    }

    fn discard_company(&mut self, id: CompanyId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            if state.visible_company(id).is_none() {
                return Ok(false);
            }
            if let Some(row) = state.companies.get_mut(id.get()) {
                row.discarded_at = Some(at);
            }
            state.leave_without_company(id);
            Ok(true)
        })
    }
}
