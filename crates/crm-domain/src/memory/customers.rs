//! Customers in memory.

use super::state::State;
use super::unit::Unit;
use crate::companies::CompanyId;
use crate::conversations::LinkStatus;
use crate::customers::{
    Customer, CustomerDetails, CustomerFilter, CustomerId, CustomerKeys, CustomerLine, CustomerPrefix,
    CustomerQueries, CustomerRepository,
};
use crate::imports::ImportId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::paging::{Page, PageRequest};
use crate::ports::store::StoreError;
use crate::teams::Visible;
use crate::values::LineUserId;

#[derive(Debug, Clone)]
pub(super) struct CustomerRow {
    pub(super) customer: Customer,
    pub(super) keys: CustomerKeys,
    pub(super) discarded_at: Option<Instant>,
    pub(super) registered_from: Option<LineUserId>,
    /// The unfinished import that added it.
    pub(super) hidden_by: Option<ImportId>,
}

impl CustomerRow {
    pub(super) fn new(id: i64, details: &CustomerDetails, hidden_by: Option<ImportId>, at: Instant) -> Self {
        Self {
            customer: Customer {
                id: CustomerId::new(id),
                details: details.clone(),
                owner_id: None,
                team_id: None,
                needs_look: false,
                version: 1,
                created_at: at,
                updated_at: at,
            },
            keys: details.keys(),
            discarded_at: None,
            registered_from: None,
            hidden_by,
        }
    }

    pub(super) fn is_visible(&self) -> bool {
        self.discarded_at.is_none() && self.hidden_by.is_none()
    }

    fn matches(&self, filter: &CustomerFilter) -> bool {
        let details = &self.customer.details;
        filter
            .company
            .is_none_or(|company| details.company_id == Some(company))
            && filter
                .prefix
                .as_ref()
                .is_none_or(|prefix| self.begins_with(prefix))
    }

    fn begins_with(&self, prefix: &CustomerPrefix) -> bool {
        let user_id = self
            .customer
            .details
            .line_user_id
            .as_ref()
            .map_or("", LineUserId::as_str);
        [
            (self.keys.name_key.as_str(), &prefix.name),
            (&self.keys.kana_key, &prefix.name),
            (&self.keys.email_key, &prefix.email),
            (&self.keys.phone_key, &prefix.phone),
            (user_id, &prefix.user_id),
        ]
        .into_iter()
        .any(|(key, typed)| !typed.is_empty() && key.starts_with(typed.as_str()))
    }
}

impl State {
    fn visible_customer_rows(&self) -> impl Iterator<Item = &CustomerRow> {
        self.customers
            .iter()
            .map(|(_, row)| row)
            .filter(|row| row.is_visible())
    }

    /// The customers that are neither in the trash nor part of an unfinished import, oldest first.
    pub(super) fn visible_customers(&self) -> impl Iterator<Item = &Customer> {
        self.visible_customer_rows().map(|row| &row.customer)
    }

    /// One of [`Self::visible_customers`].
    pub(super) fn visible_customer(&self, id: CustomerId) -> Option<&Customer> {
        let row = self.customers.get(id.get())?;
        row.is_visible().then_some(&row.customer)
    }

    /// Takes the company away from its customers.
    pub(super) fn leave_without_company(&mut self, company: CompanyId) {
        for row in self.customers.iter_mut() {
            if row.customer.details.company_id == Some(company) {
                row.customer.details.company_id = None;
            }
        }
    }

    fn customer_line(&self, customer: &Customer) -> CustomerLine {
        let details = &customer.details;
        let company = details.company_id.and_then(|id| self.visible_company(id));
        let user = details.line_user_id.as_ref();
        let talks = user.into_iter().flat_map(|user| self.conversations_of(user));
        CustomerLine {
            customer: customer.clone(),
            company_name: company.map(|company| company.details.name.as_str().to_owned()),
            owner_name: customer
                .owner_id
                .and_then(|id| Some(self.member(id)?.name.clone())),
            link: LinkStatus::of(user.is_some(), talks.map(|talk| (talk.link, talk.link_at))),
        }
    }

    fn check_company(&self, details: &CustomerDetails) -> Result<(), StoreError> {
        match details.company_id {
            Some(id) if self.visible_company(id).is_none() => Err(StoreError::Missing("company_id")),
            _ => Ok(()),
        }
    }
}

impl CustomerQueries for Unit {
    fn customer(&mut self, id: CustomerId, visible: &Visible) -> Result<Option<CustomerLine>, StoreError> {
        self.look(|state| {
            state
                .visible_customer(id)
                .filter(|customer| visible.shows(customer.owner_id, customer.team_id))
                .map(|customer| state.customer_line(customer))
        })
    }

    fn customer_lines(
        &mut self,
        ids: &[CustomerId],
        visible: &Visible,
    ) -> Result<Vec<CustomerLine>, StoreError> {
        self.look(|state| {
            let customers = ids.iter().filter_map(|id| state.visible_customer(*id));
            customers
                .filter(|customer| visible.shows(customer.owner_id, customer.team_id))
                .map(|customer| state.customer_line(customer))
                .collect()
        })
    }

    fn customer_list(
        &mut self,
        filter: &CustomerFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CustomerLine>, StoreError> {
        self.look(|state| {
            let mut rows: Vec<_> = state
                .visible_customer_rows()
                .filter(|row| row.matches(filter))
                .filter(|row| visible.shows(row.customer.owner_id, row.customer.team_id))
                .map(|row| ((row.keys.sort_key.as_str(), row.customer.id.get()), row))
                .filter(|(place, _)| {
                    page.after
                        .as_ref()
                        .is_none_or(|end| *place > (end.key.as_str(), end.id))
                })
                .collect();
            rows.sort_by_key(|(place, _)| *place);
            let wanted = rows.into_iter().take(page.limit + 1);
            let lines = wanted
                .map(|(_, row)| state.customer_line(&row.customer))
                .collect();
            Page::cut(lines, page.limit, CustomerLine::cursor)
        })
    }

    fn customers_carrying(
        &mut self,
        ids: &[LineUserId],
    ) -> Result<Vec<(LineUserId, CustomerId)>, StoreError> {
        self.look(|state| {
            let carried = state.visible_customers().filter_map(|customer| {
                let id = customer.details.line_user_id.as_ref()?;
                ids.contains(id).then(|| (id.clone(), customer.id))
            });
            carried.collect()
        })
    }
}

impl CustomerRepository for Unit {
    fn add_customer(&mut self, details: &CustomerDetails, at: Instant) -> Result<CustomerId, StoreError> {
        self.change(|state| {
            state.check_company(details)?;
            let id = state
                .customers
                .insert(|id| CustomerRow::new(id, details, None, at));
            Ok(CustomerId::new(id))
        })
    }

    fn revise_customer(
        &mut self,
        id: CustomerId,
        version: i64,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            let stale = StoreError::Stale("customer");
            if state
                .visible_customer(id)
                .is_none_or(|customer| customer.version != version)
            {
                return Err(stale);
            }
            state.check_company(details)?;
            let row = state.customers.get_mut(id.get()).ok_or(stale)?;
            row.keys = details.keys();
            row.customer.details = details.clone();
            row.customer.needs_look = false;
            row.customer.version += 1;
            row.customer.updated_at = at;
            Ok(())
        })
    }

    fn register_sender(
        &mut self,
        sender: &LineUserId,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<Option<CustomerId>, StoreError> {
        self.change(|state| {
            let is_it = |row: &CustomerRow| row.registered_from.as_ref() == Some(sender);
            if state.customers.iter().any(|(_, row)| is_it(row)) {
                return Ok(None);
            }
            let id = state.customers.insert(|id| {
                let mut row = CustomerRow::new(id, details, None, at);
                row.registered_from = Some(sender.clone());
                row.customer.needs_look = true;
                row
            });
            Ok(Some(CustomerId::new(id)))
        })
    }

    fn set_owner(
        &mut self,
        id: CustomerId,
        owner: Option<MemberId>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.change(|state| {
            if owner.is_some_and(|owner| state.member(owner).is_none()) {
                return Err(StoreError::Missing("owner_id"));
            }
            match state.customers.get_mut(id.get()) {
                Some(row) if row.is_visible() => {
                    row.customer.owner_id = owner;
                    row.customer.version += 1;
                    row.customer.updated_at = at;
                    Ok(true)
                }
                _ => Ok(false),
            }
        })
    }

    fn discard_customer(&mut self, id: CustomerId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| match state.customers.get_mut(id.get()) {
            Some(row) if row.is_visible() => {
                row.discarded_at = Some(at);
                Ok(true)
            }
            _ => Ok(false),
        })
    }
}
