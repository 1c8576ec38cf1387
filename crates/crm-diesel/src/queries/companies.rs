//! Companies.

#![expect(clippy::ref_option_ref, reason = "written by the derive of Insertable")]

use std::collections::HashMap;

use crm_domain::companies::{
    Company, CompanyDetails, CompanyFilter, CompanyId, CompanyLine, CompanyQueries, CompanyRepository,
};
use crm_domain::instant::Instant;
use crm_domain::paging::{Cursor, Page, PageRequest};
use crm_domain::ports::store::StoreError;
use crm_domain::teams::Visible;
use crm_domain::values::normalise::KEY_VERSION;
use crm_domain::values::{Line, PhoneNumber, Website};
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::teams::Seen;
use super::{Backend, Conn, Uow};
use crate::fault::Fault;
use crate::found::{behind, in_pieces, merged, rows};
use crate::mend;
use crate::schema::{companies, customers};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = companies)]
struct CompanyRow {
    id: i64,
    name: String,
    name_kana: String,
    address: Option<String>,
    phone: Option<String>,
    website: Option<String>,
    remarks: String,
    sort_key: String,
    version: i64,
    created_at: Stamp,
    updated_at: Stamp,
}

impl TryFrom<CompanyRow> for Company {
    type Error = StoreError;

    fn try_from(row: CompanyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: CompanyId::new(row.id),
            details: CompanyDetails {
                name: mend::company_name(&row.name, row.id)?,
                name_kana: mend::company_reading(&row.name_kana),
                address: mend::address(row.address.as_deref()),
                phone: mend::phone(row.phone.as_deref()),
                website: mend::website(row.website.as_deref()),
                remarks: mend::remarks(&row.remarks),
            },
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = companies, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CompanyValues<'a> {
    name: &'a str,
    name_kana: &'a str,
    address: Option<&'a str>,
    phone: Option<&'a str>,
    website: Option<&'a str>,
    remarks: &'a str,
    sort_key: String,
    name_key: String,
    kana_key: String,
    key_version: i32,
    updated_at: Stamp,
}

impl<'a> CompanyValues<'a> {
    fn new(details: &'a CompanyDetails, at: Instant) -> Self {
        let keys = details.keys();
        Self {
            name: details.name.as_str(),
            name_kana: details.name_kana.as_str(),
            address: details.address.as_ref().map(Line::as_str),
            phone: details.phone.as_ref().map(PhoneNumber::as_str),
            website: details.website.as_ref().map(Website::as_str),
            remarks: details.remarks.as_str(),
            sort_key: keys.sort_key,
            name_key: keys.name_key,
            kana_key: keys.kana_key,
            key_version: KEY_VERSION,
            updated_at: Stamp(at),
        }
    }
}

/// Adds a company; one of an import stays invisible.
pub(super) fn insert(
    conn: &mut Conn,
    details: &CompanyDetails,
    at: Instant,
    import: Option<i64>,
) -> Result<CompanyId, Fault> {
    let id = diesel::insert_into(companies::table)
        .values((
            CompanyValues::new(details, at),
            companies::version.eq(1),
            companies::created_at.eq(Stamp(at)),
            companies::import_id.eq(import),
            companies::deleted_at.eq(import.map(|_| Stamp::unfinished_import())),
        ))
        .returning(companies::id)
        .get_result(conn)?;
    Ok(CompanyId::new(id))
}

/// Rows of a page behind the cursor, one more than asked for.
fn listed(conn: &mut Conn, page: &PageRequest) -> Result<Vec<CompanyRow>, Fault> {
    let mut query = companies::table
        .filter(companies::deleted_at.is_null())
        .select(CompanyRow::as_select())
        .into_boxed::<Backend>();
    if let Some(after) = &page.after {
        let key = after.key.as_str();
        query = query
            .filter(companies::sort_key.ge(key))
            .filter(companies::sort_key.gt(key).or(companies::id.gt(after.id)));
    }
    let order = (companies::sort_key, companies::id);
    Ok(query.order_by(order).limit(rows(page.limit + 1)).load(conn)?)
}

/// As [`listed`], of those whose name or reading begins so: one range of each key's index.
fn found(conn: &mut Conn, prefix: &str, page: &PageRequest) -> Result<Vec<CompanyRow>, Fault> {
    let end = behind(prefix);
    let mut lists = Vec::new();
    for by_reading in [false, true] {
        let mut query = companies::table
            .filter(companies::deleted_at.is_null())
            .select((companies::sort_key, companies::id))
            .into_boxed::<Backend>();
        query = if by_reading {
            query.filter(companies::kana_key.ge(prefix).and(companies::kana_key.lt(&end)))
        } else {
            query.filter(companies::name_key.ge(prefix).and(companies::name_key.lt(&end)))
        };
        // An expression, not the column: otherwise the whole list is walked in its order to find the few.
        let order = || companies::sort_key.concat("");
        if let Some(after) = &page.after {
            let key = after.key.as_str();
            query = query.filter(
                order()
                    .gt(key)
                    .or(order().eq(key).and(companies::id.gt(after.id))),
            );
        }
        let limit = rows(page.limit + 1);
        lists.push(query.order_by((order(), companies::id)).limit(limit).load(conn)?);
    }
    let places = merged(lists, page.limit + 1).into_iter();
    let ids: Vec<i64> = places.map(|(_, id)| id).collect();
    in_pieces(&ids, |ids| {
        Ok(companies::table
            .filter(companies::id.eq_any(ids))
            .order_by((companies::sort_key, companies::id))
            .select(CompanyRow::as_select())
            .load(conn)?)
    })
}

/// How many customers that are seen belong to each of these companies.
fn customers_of(conn: &mut Conn, ids: &[i64], visible: &Visible) -> Result<HashMap<i64, i64>, Fault> {
    let counts: Vec<(Option<i64>, i64)> = in_pieces(ids, |ids| {
        let mut query = customers::table
            .filter(customers::company_id.eq_any(ids))
            .filter(customers::deleted_at.is_null())
            .group_by(customers::company_id)
            .select((customers::company_id, count_star()))
            .into_boxed::<Backend>();
        if let Visible::Some(sight) = visible {
            query = query.filter(Seen::of(sight).customers());
        }
        Ok(query.load(conn)?)
    })?;
    let counts = counts.into_iter();
    Ok(counts.filter_map(|(id, count)| Some((id?, count))).collect())
}

impl CompanyQueries for Uow<'_> {
    fn company(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        self.run(|conn| {
            let row = companies::table
                .find(id.get())
                .filter(companies::deleted_at.is_null())
                .select(CompanyRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(Company::try_from).transpose()?)
        })
    }

    fn company_list(
        &mut self,
        filter: &CompanyFilter,
        page: &PageRequest,
        visible: &Visible,
    ) -> Result<Page<CompanyLine>, StoreError> {
        self.run(|conn| {
            let rows = match &filter.prefix {
                None => listed(conn, page)?,
                Some(prefix) => found(conn, prefix, page)?,
            };
            let page = Page::cut(rows, page.limit, |row| Cursor {
                key: row.sort_key.clone(),
                id: row.id,
            });
            let ids: Vec<i64> = page.items.iter().map(|row| row.id).collect();
            let counts = customers_of(conn, &ids, visible)?;
            let lines = page.items.into_iter().map(|row| {
                Ok(CompanyLine {
                    customers: counts.get(&row.id).copied().unwrap_or_default(),
                    company: row.try_into()?,
                })
            });
            Ok(Page {
                items: lines.collect::<Result<_, StoreError>>()?,
                next: page.next,
            })
        })
    }

    fn companies_named(&mut self, name_key: &str) -> Result<Vec<Company>, StoreError> {
        self.run(|conn| {
            let rows = companies::table
                .filter(companies::deleted_at.is_null())
                .filter(companies::name_key.eq(name_key))
                .order_by(companies::id)
                .select(CompanyRow::as_select())
                .load(conn)?;
            let companies = rows.into_iter().map(Company::try_from);
            Ok(companies.collect::<Result<_, _>>()?)
        })
    }
}

impl CompanyRepository for Uow<'_> {
    fn add_company(&mut self, details: &CompanyDetails, at: Instant) -> Result<CompanyId, StoreError> {
        self.run(|conn| insert(conn, details, at, None))
    }

    fn revise_company(
        &mut self,
        id: CompanyId,
        version: i64,
        details: &CompanyDetails,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.run(|conn| {
            let seen = companies::table
                .find(id.get())
                .filter(companies::deleted_at.is_null())
                .filter(companies::version.eq(version));
            let changed = diesel::update(seen)
                .set((
                    CompanyValues::new(details, at),
                    companies::version.eq(version + 1),
                ))
                .execute(conn)?;
            if changed == 1 {
                Ok(())
            } else {
                Err(StoreError::Stale("company").into())
            }
        })
    }

    fn discard_company(&mut self, id: CompanyId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let there = companies::table
                .find(id.get())
                .filter(companies::deleted_at.is_null());
            let discarded = diesel::update(there)
                .set(companies::deleted_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            if discarded == 1 {
                diesel::update(customers::table.filter(customers::company_id.eq(id.get())))
                    .set(customers::company_id.eq(None::<i64>))
                    .execute(conn)?;
            }
            Ok(discarded == 1)
        })
    }
}
