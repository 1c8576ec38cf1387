//! Where the customers of a page stand: order key and id, read from indexes alone.

use crm_domain::companies::CompanyId;
use crm_domain::customers::{CustomerFilter, CustomerPrefix};
use crm_domain::paging::{Cursor, PageRequest};
use crm_domain::teams::Visible;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::teams::Seen;
use super::{Backend, Conn};
use crate::fault::Fault;
use crate::found::{behind, merged, rows};
use crate::schema::customers;

type Places = Vec<(String, i64)>;
type Query<'a> = customers::BoxedQuery<'a, Backend, (Text, BigInt)>;

/// From so many hits on, the list is walked in its order instead of sorting them: the page is full soon.
const MANY: i64 = 20_000;

/// The places of a page behind the cursor, one more than asked for.
pub(super) fn places(
    conn: &mut Conn,
    filter: &CustomerFilter,
    page: &PageRequest,
    seen: &Visible,
) -> Result<Places, Fault> {
    let after = page.after.as_ref();
    let limit = rows(page.limit + 1);
    let Some(prefix) = &filter.prefix else {
        let query = behind_cursor(visible(filter.company, seen), after);
        return Ok(in_order(query, limit).load(conn)?);
    };
    let mut lists = Vec::new();
    for key in Key::ALL {
        let from = key.typed(prefix);
        if from.is_empty() {
            continue;
        }
        lists.push(match filter.company {
            None => found(conn, key, seen, from, after, limit)?,
            // A company has few customers: each is looked at.
            Some(_) => walked(conn, key, visible(filter.company, seen), from, after, limit)?,
        });
    }
    Ok(merged(lists, page.limit + 1))
}

fn visible<'a>(company: Option<CompanyId>, seen: &Visible) -> Query<'a> {
    let mut query = customers::table
        .filter(customers::deleted_at.is_null())
        .select((customers::sort_key, customers::id))
        .into_boxed();
    if let Visible::Some(sight) = seen {
        query = query.filter(Seen::of(sight).customers());
    }
    match company {
        None => query,
        Some(id) => query.filter(customers::company_id.eq(id.get())),
    }
}

fn behind_cursor<'a>(query: Query<'a>, after: Option<&'a Cursor>) -> Query<'a> {
    let Some(after) = after else { return query };
    let key = after.key.as_str();
    query
        .filter(customers::sort_key.ge(key))
        .filter(customers::sort_key.gt(key).or(customers::id.gt(after.id)))
}

fn in_order(query: Query<'_>, limit: i64) -> Query<'_> {
    query.order_by((customers::sort_key, customers::id)).limit(limit)
}

/// A column by whose beginning customers are found.
#[derive(Clone, Copy)]
enum Key {
    Name,
    Reading,
    Email,
    Phone,
    UserId,
}

impl Key {
    const ALL: [Self; 5] = [Self::Name, Self::Reading, Self::Email, Self::Phone, Self::UserId];

    fn typed(self, prefix: &CustomerPrefix) -> &str {
        match self {
            Self::Name | Self::Reading => &prefix.name,
            Self::Email => &prefix.email,
            Self::Phone => &prefix.phone,
            Self::UserId => &prefix.user_id,
        }
    }

    /// Names and readings stand in the list's own order, all hits side by side: walking to them would be long.
    fn is_scattered(self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::UserId)
    }

    /// The rows whose key begins so, by the key's index.
    fn range<'a>(self, seen: &Visible, from: &'a str, end: &'a str) -> Query<'a> {
        use customers::{email_key, kana_key, line_user_id, name_key, phone_key};
        let query = visible(None, seen);
        match self {
            Self::Name => query.filter(name_key.ge(from).and(name_key.lt(end))),
            Self::Reading => query.filter(kana_key.ge(from).and(kana_key.lt(end))),
            Self::Email => query.filter(email_key.ge(from).and(email_key.lt(end))),
            Self::Phone => query.filter(phone_key.ge(from).and(phone_key.lt(end))),
            Self::UserId => query
                .filter(line_user_id.ge(from).and(line_user_id.lt(end)))
                .filter(line_user_id.is_not_null()),
        }
    }

    /// The same rows, each tested: an expression, not the column, lets no index but the list's be used.
    fn tested<'a>(self, query: Query<'a>, from: &'a str, end: &'a str) -> Query<'a> {
        use customers::{email_key, kana_key, line_user_id, name_key, phone_key};
        match self {
            Self::Name => query.filter(name_key.concat("").ge(from).and(name_key.concat("").lt(end))),
            Self::Reading => query.filter(kana_key.concat("").ge(from).and(kana_key.concat("").lt(end))),
            Self::Email => query.filter(email_key.concat("").ge(from).and(email_key.concat("").lt(end))),
            Self::Phone => query.filter(phone_key.concat("").ge(from).and(phone_key.concat("").lt(end))),
            Self::UserId => query.filter(
                line_user_id
                    .concat("")
                    .ge(from)
                    .and(line_user_id.concat("").lt(end)),
            ),
        }
    }
}

/// The first hits of one key, met on the way through the list's order.
fn walked(
    conn: &mut Conn,
    key: Key,
    list: Query<'_>,
    from: &str,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Places, Fault> {
    let end = behind(from);
    let query = behind_cursor(key.tested(list, from, &end), after);
    Ok(in_order(query, limit).load(conn)?)
}

/// The first hits of one key: sorted when they are few, met on the list's way when they are many.
fn found(
    conn: &mut Conn,
    key: Key,
    seen: &Visible,
    from: &str,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Places, Fault> {
    let end = behind(from);
    if key.is_scattered() {
        let many = key
            .range(seen, from, &end)
            .offset(MANY)
            .limit(1)
            .load::<(String, i64)>(conn)?;
        if !many.is_empty() {
            return walked(conn, key, visible(None, seen), from, after, limit);
        }
    }
    let order = || customers::sort_key.concat("");
    let mut query = key.range(seen, from, &end);
    if let Some(after) = after {
        let key = after.key.as_str();
        query = query.filter(
            order()
                .gt(key)
                .or(order().eq(key).and(customers::id.gt(after.id))),
        );
    }
    Ok(query.order_by((order(), customers::id)).limit(limit).load(conn)?)
}
