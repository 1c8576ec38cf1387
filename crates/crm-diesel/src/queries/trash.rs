//! The trash.

use crm_domain::companies::CompanyId;
use crm_domain::customers::CustomerId;
use crm_domain::imports::ImportedKind;
use crm_domain::instant::Instant;
use crm_domain::members::MemberId;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::TeamId;
use crm_domain::trash::{Collision, TrashKey, TrashPlace, TrashQueries, TrashRepository, Trashed};
use diesel::prelude::*;

use super::{Backend, Conn, Uow};
use crate::fault::Fault;
use crate::found::rows;
use crate::mend;
use crate::schema::{companies, customers, import_origins};
use crate::stamp::Stamp;

type CustomerRow = (
    i64,
    String,
    String,
    Option<Stamp>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);
type SharerRow = (i64, String, String, Option<i64>, Option<i64>);
type CompanyRow = (i64, String, Option<Stamp>, Option<String>);
type CustomersFound<'a> = customers::BoxedQuery<'a, Backend>;
type CompaniesFound<'a> = companies::BoxedQuery<'a, Backend>;

fn to_customer(row: CustomerRow) -> Result<Trashed, StoreError> {
    let (id, last, first, at, by, owner, team) = row;
    let bad = || mend::corrupt("customers", "deleted_at", id);
    Ok(Trashed {
        key: TrashKey::Customer(CustomerId::new(id)),
        name: mend::person_name(&last, &first, id)?.full(),
        deleted_at: at.ok_or_else(bad)?.0,
        deleted_by: by,
        owner_id: owner.map(MemberId::new),
        team_id: team.map(TeamId::new),
    })
}

fn to_company(row: CompanyRow) -> Result<Trashed, StoreError> {
    let (id, name, at, by) = row;
    let bad = || mend::corrupt("companies", "deleted_at", id);
    Ok(Trashed {
        key: TrashKey::Company(CompanyId::new(id)),
        name,
        deleted_at: at.ok_or_else(bad)?.0,
        deleted_by: by,
        owner_id: None,
        team_id: None,
    })
}

fn trashed_customers<'a>() -> CustomersFound<'a> {
    customers::table
        .into_boxed()
        .filter(customers::deleted_at.gt(Stamp::unfinished_import()))
}

fn trashed_companies<'a>() -> CompaniesFound<'a> {
    companies::table
        .into_boxed()
        .filter(companies::deleted_at.gt(Stamp::unfinished_import()))
}

fn load_customers(conn: &mut Conn, query: CustomersFound<'_>) -> Result<Vec<Trashed>, Fault> {
    let found: Vec<CustomerRow> = query
        .select((
            customers::id,
            customers::last_name,
            customers::first_name,
            customers::deleted_at,
            customers::deleted_by,
            customers::owner_id,
            customers::team_id,
        ))
        .load(conn)?;
    Ok(found.into_iter().map(to_customer).collect::<Result<_, _>>()?)
}

fn load_companies(conn: &mut Conn, query: CompaniesFound<'_>) -> Result<Vec<Trashed>, Fault> {
    let found: Vec<CompanyRow> = query
        .select((
            companies::id,
            companies::name,
            companies::deleted_at,
            companies::deleted_by,
        ))
        .load(conn)?;
    Ok(found.into_iter().map(to_company).collect::<Result<_, _>>()?)
}

/// The fields by which a person is told apart, each with those who share it.
fn sharing(conn: &mut Conn, id: i64) -> Result<Vec<Collision>, Fault> {
    let keys: Option<(String, String, Option<String>)> = customers::table
        .find(id)
        .select((
            customers::email_key,
            customers::phone_key,
            customers::line_user_id,
        ))
        .first(conn)
        .optional()?;
    let Some((email, phone, user)) = keys else {
        return Ok(Vec::new());
    };
    let others = || {
        customers::table
            .into_boxed::<Backend>()
            .filter(customers::deleted_at.is_null())
            .filter(customers::id.ne(id))
    };
    let mut found = Vec::new();
    if !email.is_empty() {
        found.extend(sharers(
            conn,
            "email",
            others().filter(customers::email_key.eq(email)),
        )?);
    }
    if !phone.is_empty() {
        found.extend(sharers(
            conn,
            "phone",
            others().filter(customers::phone_key.eq(phone)),
        )?);
    }
    if let Some(user) = user {
        let query = others().filter(customers::line_user_id.eq(user));
        found.extend(sharers(conn, "line_user_id", query)?);
    }
    Ok(found)
}

fn sharers(conn: &mut Conn, field: &'static str, query: CustomersFound<'_>) -> Result<Vec<Collision>, Fault> {
    let found: Vec<SharerRow> = query
        .order_by(customers::id)
        .limit(5)
        .select((
            customers::id,
            customers::last_name,
            customers::first_name,
            customers::owner_id,
            customers::team_id,
        ))
        .load(conn)?;
    let told = found.into_iter().map(|(id, last, first, owner, team)| {
        Ok::<_, StoreError>(Collision {
            field,
            customer: CustomerId::new(id),
            name: mend::person_name(&last, &first, id)?.full(),
            owner_id: owner.map(MemberId::new),
            team_id: team.map(TeamId::new),
        })
    });
    Ok(told.collect::<Result<_, _>>()?)
}

impl TrashQueries for Uow<'_> {
    fn trash(&mut self, after: Option<TrashPlace>, limit: usize) -> Result<Vec<Trashed>, StoreError> {
        self.run(|conn| {
            // What stands behind the place is sorted out here: equal times are few.
            let (mut people, mut firms) = (trashed_customers(), trashed_companies());
            if let Some(place) = after {
                people = people.filter(customers::deleted_at.le(Stamp(place.deleted_at)));
                firms = firms.filter(companies::deleted_at.le(Stamp(place.deleted_at)));
            }
            let more = rows(limit).saturating_add(if after.is_some() { 1_000 } else { 0 });
            let people = people
                .order_by((customers::deleted_at.desc(), customers::id.desc()))
                .limit(more);
            let firms = firms
                .order_by((companies::deleted_at.desc(), companies::id.desc()))
                .limit(more);
            let mut found = load_customers(conn, people)?;
            found.extend(load_companies(conn, firms)?);
            found.retain(|row| after.is_none_or(|place| row.place() < place));
            found.sort_by_key(|row| std::cmp::Reverse(row.place()));
            found.truncate(limit);
            Ok(found)
        })
    }

    fn trashed(&mut self, key: TrashKey) -> Result<Option<Trashed>, StoreError> {
        self.run(|conn| {
            let mut found = match key {
                TrashKey::Customer(id) => {
                    load_customers(conn, trashed_customers().filter(customers::id.eq(id.get())))?
                }
                TrashKey::Company(id) => {
                    load_companies(conn, trashed_companies().filter(companies::id.eq(id.get())))?
                }
            };
            Ok(found.pop())
        })
    }

    fn collisions(&mut self, customer: CustomerId) -> Result<Vec<Collision>, StoreError> {
        self.run(|conn| sharing(conn, customer.get()))
    }

    fn trash_before(&mut self, before: Instant, limit: usize) -> Result<Vec<Trashed>, StoreError> {
        self.run(|conn| {
            let people = trashed_customers()
                .filter(customers::deleted_at.lt(Stamp(before)))
                .order_by((customers::deleted_at, customers::id))
                .limit(rows(limit));
            let firms = trashed_companies()
                .filter(companies::deleted_at.lt(Stamp(before)))
                .order_by((companies::deleted_at, companies::id))
                .limit(rows(limit));
            let mut found = load_customers(conn, people)?;
            found.extend(load_companies(conn, firms)?);
            found.sort_by_key(Trashed::place);
            found.truncate(limit);
            Ok(found)
        })
    }
}

impl TrashRepository for Uow<'_> {
    fn sign_discard(&mut self, key: TrashKey, by: &str) -> Result<(), StoreError> {
        self.run(|conn| {
            match key {
                TrashKey::Customer(id) => diesel::update(customers::table.find(id.get()))
                    .set(customers::deleted_by.eq(Some(by)))
                    .execute(conn)?,
                TrashKey::Company(id) => diesel::update(companies::table.find(id.get()))
                    .set(companies::deleted_by.eq(Some(by)))
                    .execute(conn)?,
            };
            Ok(())
        })
    }

    fn restore(&mut self, key: TrashKey, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let mark = Stamp::unfinished_import();
            let (nobody, never) = (None::<String>, None::<Stamp>);
            let restored = match key {
                TrashKey::Customer(id) => {
                    let there = customers::table
                        .find(id.get())
                        .filter(customers::deleted_at.gt(mark));
                    let values = (
                        customers::deleted_at.eq(never),
                        customers::deleted_by.eq(nobody),
                        customers::version.eq(customers::version + 1),
                        customers::updated_at.eq(Stamp(at)),
                    );
                    diesel::update(there).set(values).execute(conn)?
                }
                TrashKey::Company(id) => {
                    let there = companies::table
                        .find(id.get())
                        .filter(companies::deleted_at.gt(mark));
                    let values = (
                        companies::deleted_at.eq(never),
                        companies::deleted_by.eq(nobody),
                        companies::version.eq(companies::version + 1),
                        companies::updated_at.eq(Stamp(at)),
                    );
                    diesel::update(there).set(values).execute(conn)?
                }
            };
            Ok(restored == 1)
        })
    }

    fn purge_company(&mut self, id: CompanyId) -> Result<bool, StoreError> {
        self.run(|conn| {
            let there = companies::table
                .find(id.get())
                .filter(companies::deleted_at.gt(Stamp::unfinished_import()));
            if there
                .select(companies::id)
                .first::<i64>(conn)
                .optional()?
                .is_none()
            {
                return Ok(false);
            }
            let people = customers::table.filter(customers::company_id.eq(id.get()));
            diesel::update(people)
                .set(customers::company_id.eq(None::<i64>))
                .execute(conn)?;
            let origins = import_origins::table
                .filter(import_origins::kind.eq(ImportedKind::Company.code()))
                .filter(import_origins::local_id.eq(id.get()));
            diesel::delete(origins).execute(conn)?;
            Ok(diesel::delete(companies::table.find(id.get())).execute(conn)? == 1)
        })
    }
}
