//! Customers.

#![expect(clippy::ref_option_ref, reason = "written by the derive of Insertable")]

use std::collections::HashMap;

use crm_domain::companies::CompanyId;
use crm_domain::conversations::LinkStatus;
use crm_domain::customers::{
    Customer, CustomerDetails, CustomerFilter, CustomerId, CustomerLine, CustomerQueries, CustomerRepository,
};
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::paging::{Cursor, Page, PageRequest};
use crm_domain::ports::store::StoreError;
use crm_domain::teams::{TeamId, Visible};
use crm_domain::values::normalise::KEY_VERSION;
use crm_domain::values::{EmailAddress, LineUserId, PhoneNumber};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::teams::Seen;
use super::{Backend, Conn, Uow, conversations, customers_found};
use crate::fault::Fault;
use crate::found::in_pieces;
use crate::mend;
use crate::schema::{companies, customers, members};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = customers)]
struct CustomerRow {
    id: i64,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    line_user_id: Option<String>,
    company_id: Option<i64>,
    last_name_kana: String,
    first_name_kana: String,
    remarks: String,
    owner_id: Option<i64>,
    team_id: Option<i64>,
    needs_look: bool,
    version: i64,
    created_at: Stamp,
    updated_at: Stamp,
}

impl TryFrom<CustomerRow> for Customer {
    type Error = StoreError;

    fn try_from(row: CustomerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: CustomerId::new(row.id),
            details: CustomerDetails {
                name: mend::person_name(&row.last_name, &row.first_name, row.id)?,
                reading: mend::person_reading(&row.last_name_kana, &row.first_name_kana),
                email: mend::email(row.email.as_deref()),
                phone: mend::phone(row.phone.as_deref()),
                line_user_id: mend::user_id(row.line_user_id.as_deref()),
                company_id: row.company_id.map(CompanyId::new),
                remarks: mend::remarks(&row.remarks),
            },
            owner_id: row.owner_id.map(MemberId::new),
            team_id: row.team_id.map(TeamId::new),
            needs_look: row.needs_look,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = customers, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CustomerValues<'a> {
    first_name: &'a str,
    last_name: &'a str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    line_user_id: Option<&'a str>,
    company_id: Option<i64>,
    last_name_kana: &'a str,
    first_name_kana: &'a str,
    remarks: &'a str,
    sort_key: String,
    name_key: String,
    kana_key: String,
    email_key: String,
    phone_key: String,
    key_version: i32,
    updated_at: Stamp,
}

impl<'a> CustomerValues<'a> {
    fn new(details: &'a CustomerDetails, at: Instant) -> Self {
        let keys = details.keys();
        Self {
            first_name: details.name.first(),
            last_name: details.name.last(),
            email: details.email.as_ref().map(EmailAddress::as_str),
            phone: details.phone.as_ref().map(PhoneNumber::as_str),
            line_user_id: details.line_user_id.as_ref().map(LineUserId::as_str),
            company_id: details.company_id.map(CompanyId::get),
            last_name_kana: details.reading.last(),
            first_name_kana: details.reading.first(),
            remarks: details.remarks.as_str(),
            sort_key: keys.sort_key,
            name_key: keys.name_key,
            kana_key: keys.kana_key,
            email_key: keys.email_key,
            phone_key: keys.phone_key,
            key_version: KEY_VERSION,
            updated_at: Stamp(at),
        }
    }
}

/// Adds a customer; one of an import stays invisible, and so may be its company.
pub(super) fn insert(
    conn: &mut Conn,
    details: &CustomerDetails,
    at: Instant,
    import: Option<i64>,
) -> Result<CustomerId, Fault> {
    check_company(conn, details.company_id, import.is_some())?;
    let id = diesel::insert_into(customers::table)
        .values((
            CustomerValues::new(details, at),
            customers::version.eq(1),
            customers::created_at.eq(Stamp(at)),
            customers::import_id.eq(import),
            customers::deleted_at.eq(import.map(|_| Stamp::unfinished_import())),
        ))
        .returning(customers::id)
        .get_result(conn)?;
    Ok(CustomerId::new(id))
}

fn check_company(conn: &mut Conn, id: Option<CompanyId>, hidden_too: bool) -> Result<(), Fault> {
    let Some(id) = id else { return Ok(()) };
    let company = companies::table.find(id.get()).filter(
        companies::deleted_at
            .is_null()
            .or(hidden_too.into_sql::<diesel::sql_types::Bool>()),
    );
    if diesel::select(exists(company)).get_result(conn)? {
        Ok(())
    } else {
        Err(StoreError::Missing("company_id").into())
    }
}

/// Whether the customer is there and not in the trash.
pub(super) fn is_visible(conn: &mut Conn, id: i64) -> Result<bool, Fault> {
    let customer = customers::table.find(id).filter(customers::deleted_at.is_null());
    Ok(diesel::select(exists(customer)).get_result(conn)?)
}

/// The customers at these ids, in the list's order, with what is shown beside them: a query for each kind of thing, not
/// for each customer.
fn lines(conn: &mut Conn, ids: &[i64]) -> Result<Vec<CustomerLine>, Fault> {
    let rows: Vec<CustomerRow> = customers::table
        .filter(customers::id.eq_any(ids))
        .order_by((customers::sort_key, customers::id))
        .select(CustomerRow::as_select())
        .load(conn)?;
    let names: HashMap<i64, String> = companies::table
        .filter(companies::id.eq_any(rows.iter().filter_map(|row| row.company_id).collect::<Vec<_>>()))
        .filter(companies::deleted_at.is_null())
        .select((companies::id, companies::name))
        .load(conn)?
        .into_iter()
        .collect();
    let owners: HashMap<i64, String> = members::table
        .filter(members::id.eq_any(rows.iter().filter_map(|row| row.owner_id).collect::<Vec<_>>()))
        .select((members::id, members::name))
        .load(conn)?
        .into_iter()
        .collect();
    let addresses = rows.iter().filter_map(|row| row.line_user_id.clone()).collect();
    let links = conversations::link_states(conn, addresses)?;
    let shown = rows.into_iter().map(|row| {
        let address = row.line_user_id.as_ref();
        let states = address.and_then(|address| links.get(address));
        Ok(CustomerLine {
            company_name: row.company_id.and_then(|id| names.get(&id).cloned()),
            owner_name: row.owner_id.and_then(|id| owners.get(&id).cloned()),
            link: LinkStatus::of(address.is_some(), states.into_iter().flatten().copied()),
            customer: row.try_into()?,
        })
    });
    Ok(shown.collect::<Result<_, StoreError>>()?)
}

impl CustomerQueries for Uow<'_> {
    fn customer(&mut self, id: CustomerId, visible: &Visible) -> Result<Option<CustomerLine>, StoreError> {
        self.run(|conn| {
            let there = is_visible(conn, id.get())?;
            let line = there
                .then(|| lines(conn, &[id.get()]))
                .transpose()?
                .and_then(|mut lines| lines.pop());
            Ok(line.filter(|line| visible.shows(line.customer.owner_id, line.customer.team_id)))
        })
    }

    fn customer_lines(
        &mut self,
        ids: &[CustomerId],
        visible: &Visible,
    ) -> Result<Vec<CustomerLine>, StoreError> {
        self.run(|conn| {
            let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
            in_pieces(&ids, |ids| {
                let mut there = customers::table
                    .filter(customers::id.eq_any(ids))
                    .filter(customers::deleted_at.is_null())
                    .select(customers::id)
                    .into_boxed::<Backend>();
                if let Visible::Some(sight) = visible {
                    there = there.filter(Seen::of(sight).customers());
                }
                let there: Vec<i64> = there.load(conn)?;
                lines(conn, &there)
            })
        })
    }

    fn customer_list(
        &mut self,
        filter: &CustomerFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CustomerLine>, StoreError> {
        self.run(|conn| {
            let places = customers_found::places(conn, filter, page, visible)?;
            let page = Page::cut(places, page.limit, |(key, id)| Cursor {
                key: key.clone(),
                id: *id,
            });
            let ids: Vec<i64> = page.items.into_iter().map(|(_, id)| id).collect();
            Ok(Page {
                items: in_pieces(&ids, |ids| lines(conn, ids))?,
                next: page.next,
            })
        })
    }

    fn customers_carrying(
        &mut self,
        ids: &[LineUserId],
    ) -> Result<Vec<(LineUserId, CustomerId)>, StoreError> {
        self.run(|conn| {
            let mut rows: Vec<(Option<String>, i64)> = in_pieces(ids, |ids| {
                Ok(customers::table
                    .filter(customers::line_user_id.eq_any(ids.iter().map(LineUserId::as_str)))
                    .filter(customers::deleted_at.is_null())
                    .select((customers::line_user_id, customers::id))
                    .load(conn)?)
            })?;
            rows.sort_by_key(|(_, id)| *id);
            let pairs = rows
                .into_iter()
                .filter_map(|(address, id)| Some((mend::user_id(address.as_deref())?, CustomerId::new(id))));
            Ok(pairs.collect())
        })
    }
}

impl CustomerRepository for Uow<'_> {
    fn add_customer(&mut self, details: &CustomerDetails, at: Instant) -> Result<CustomerId, StoreError> {
        self.run(|conn| insert(conn, details, at, None))
    }

    fn revise_customer(
        &mut self,
        id: CustomerId,
        version: i64,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.run(|conn| {
            let seen = customers::table
                .find(id.get())
                .filter(customers::deleted_at.is_null())
                .filter(customers::version.eq(version));
            if !diesel::select(exists(seen)).get_result(conn)? {
                return Err(StoreError::Stale("customer").into());
            }
            check_company(conn, details.company_id, false)?;
            let changed = diesel::update(seen)
                .set((
                    CustomerValues::new(details, at),
                    customers::needs_look.eq(false),
                    customers::version.eq(version + 1),
                ))
                .execute(conn)?;
            if changed == 1 {
                Ok(())
            } else {
                Err(StoreError::Stale("customer").into())
            }
        })
    }

    fn register_sender(
        &mut self,
        sender: &LineUserId,
        details: &CustomerDetails,
        at: Instant,
    ) -> Result<Option<CustomerId>, StoreError> {
        self.run(|conn| {
            check_company(conn, details.company_id, false)?;
            let id: Option<i64> = diesel::insert_into(customers::table)
                .values((
                    CustomerValues::new(details, at),
                    customers::version.eq(1),
                    customers::created_at.eq(Stamp(at)),
                    customers::needs_look.eq(true),
                    customers::registered_from.eq(Some(sender.as_str())),
                ))
                .on_conflict_do_nothing()
                .returning(customers::id)
                .get_result(conn)
                .optional()?;
            Ok(id.map(CustomerId::new))
        })
    }

    fn set_owner(
        &mut self,
        id: CustomerId,
        owner: Option<MemberId>,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            if let Some(owner) = owner {
                let member = members::table.find(owner.get());
                if !diesel::select(exists(member)).get_result(conn)? {
                    return Err(StoreError::Missing("owner_id").into());
                }
            }
            let there = customers::table
                .find(id.get())
                .filter(customers::deleted_at.is_null());
            let changed = diesel::update(there)
                .set((
                    customers::owner_id.eq(owner.map(MemberId::get)),
                    customers::version.eq(customers::version + 1),
                    customers::updated_at.eq(Stamp(at)),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        })
    }

    fn discard_customer(&mut self, id: CustomerId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let there = customers::table
                .find(id.get())
                .filter(customers::deleted_at.is_null());
            let discarded = diesel::update(there)
                .set(customers::deleted_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(discarded == 1)
        })
    }
}
