//! The audit log.

use crm_domain::audit::{
    AuditEntry, AuditFilter, AuditId, AuditPlace, AuditQueries, AuditRepository, By, Change, NewEntry,
    Record, RecordKind, Seal, Sealed, StoredValues,
};
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::members::{MemberId, TokenId};
use crm_domain::ports::store::StoreError;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{Backend, Conn, Uow};
use crate::fault::Fault;
use crate::found::{in_pieces, rows};
use crate::mend::corrupt;
use crate::schema::{audit, audit_seals, audit_values};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
struct EntryRow {
    id: i64,
    at: Stamp,
    by_kind: String,
    member_id: Option<i64>,
    token_id: Option<i64>,
    by_name: String,
    address: Option<String>,
    act: String,
    record_kind: Option<String>,
    record_id: Option<i64>,
    customer_id: Option<i64>,
    fields: String,
    reason: Option<String>,
    digest: Vec<u8>,
    request_id: Option<String>,
}

impl TryFrom<EntryRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let digest = row
            .digest
            .try_into()
            .map_err(|_| corrupt("audit", "digest", row.id))?;
        Ok(Self {
            id: AuditId::new(row.id),
            at: row.at.0,
            by: By {
                kind: row.by_kind,
                member_id: row.member_id.map(MemberId::new),
                token_id: row.token_id.map(TokenId::new),
                name: row.by_name,
            },
            address: row.address,
            request_id: row.request_id,
            act: row.act,
            record: row.record_kind.zip(row.record_id),
            customer_id: row.customer_id.map(CustomerId::new),
            fields: split(&row.fields),
            reason: row.reason,
            digest,
        })
    }
}

fn split(fields: &str) -> Vec<String> {
    if fields.is_empty() {
        Vec::new()
    } else {
        fields.split(',').map(str::to_owned).collect()
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_values)]
struct ValueRow {
    audit_id: i64,
    salt: Vec<u8>,
    field: String,
    old_value: Option<String>,
    new_value: Option<String>,
    masked: bool,
}

/// The values of some entries, in the order of the entries' ids.
fn values_of(conn: &mut Conn, ids: &[i64]) -> Result<Vec<(AuditId, StoredValues)>, Fault> {
    let found: Vec<ValueRow> = in_pieces(ids, |ids| {
        Ok(audit_values::table
            .filter(audit_values::audit_id.eq_any(ids))
            .order_by((audit_values::audit_id, audit_values::id))
            .select(ValueRow::as_select())
            .load(conn)?)
    })?;
    let mut all: Vec<(AuditId, StoredValues)> = Vec::new();
    for row in found {
        let id = AuditId::new(row.audit_id);
        let salt = row
            .salt
            .try_into()
            .map_err(|_| corrupt("audit_values", "salt", row.audit_id))?;
        let change = Change {
            field: row.field,
            old: row.old_value,
            new: row.new_value,
            masked: row.masked,
        };
        match all.last_mut().filter(|(last, _)| *last == id) {
            Some((_, values)) => values.changes.push(change),
            None => all.push((
                id,
                StoredValues {
                    salt,
                    changes: vec![change],
                },
            )),
        }
    }
    Ok(all)
}

type SealRow = (i64, Option<i64>, Option<Vec<u8>>);

fn seal((audit_id, position, mac): SealRow) -> Result<Seal, StoreError> {
    let mac = mac.and_then(|mac| mac.try_into().ok());
    Ok(Seal {
        position: position.ok_or_else(|| corrupt("audit_seals", "position", audit_id))?,
        entry: AuditId::new(audit_id),
        mac: mac.ok_or_else(|| corrupt("audit_seals", "mac", audit_id))?,
    })
}

type Boxed<'a> = audit::BoxedQuery<'a, Backend>;

fn wanted(filter: &AuditFilter) -> Boxed<'_> {
    let mut query = audit::table.into_boxed();
    if let Some(id) = filter.member_id {
        query = query.filter(audit::member_id.eq(id.get()));
    }
    if let Some(kind) = &filter.by_kind {
        query = query.filter(audit::by_kind.eq(kind));
    }
    if let Some(act) = filter.act {
        query = query.filter(audit::act.eq(act.code()));
    }
    let kind = filter.record.map(|record| record.kind).or(filter.record_kind);
    if let Some(kind) = kind {
        query = query.filter(audit::record_kind.eq(kind.code()));
    }
    if let Some(record) = filter.record {
        query = query.filter(audit::record_id.eq(record.id));
    }
    if let Some(id) = filter.customer_id {
        query = query.filter(audit::customer_id.eq(id.get()));
    }
    if let Some(text) = &filter.text {
        let holds = format!("%{}%", escaped(text));
        let named = audit::by_name.like(holds).escape('\\');
        let address = audit::address
            .is_not_null()
            .and(audit::address.assume_not_null().eq(text));
        let request = audit::request_id
            .is_not_null()
            .and(audit::request_id.assume_not_null().eq(text));
        query = query.filter(named.or(address).or(request));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit::at.ge(Stamp(from)));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit::at.lt(Stamp(to)));
    }
    query
}

/// What has a meaning in LIKE stands for itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

impl AuditQueries for Uow<'_> {
    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        after: Option<AuditPlace>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.run(|conn| {
            let mut query = wanted(filter);
            if let Some(AuditPlace { at, id }) = after {
                let at = Stamp(at);
                query = query
                    .filter(audit::at.le(at))
                    .filter(audit::at.lt(at).or(audit::id.lt(id.get())));
            }
            let found: Vec<EntryRow> = query
                .order_by((audit::at.desc(), audit::id.desc()))
                .limit(rows(limit))
                .select(EntryRow::as_select())
                .load(conn)?;
            Ok(found
                .into_iter()
                .map(AuditEntry::try_from)
                .collect::<Result<_, _>>()?)
        })
    }

    fn audit_entry(&mut self, id: AuditId) -> Result<Option<AuditEntry>, StoreError> {
        self.run(|conn| {
            let found: Option<EntryRow> = audit::table
                .find(id.get())
                .select(EntryRow::as_select())
                .first(conn)
                .optional()?;
            Ok(found.map(AuditEntry::try_from).transpose()?)
        })
    }

    fn audit_values(&mut self, id: AuditId) -> Result<Option<StoredValues>, StoreError> {
        self.run(|conn| Ok(values_of(conn, &[id.get()])?.pop().map(|(_, values)| values)))
    }

    fn unsealed_audit(&mut self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.run(|conn| {
            let found: Vec<EntryRow> = audit_seals::table
                .inner_join(audit::table.on(audit::id.eq(audit_seals::audit_id)))
                .filter(audit_seals::position.is_null())
                .order_by(audit_seals::audit_id)
                .limit(rows(limit))
                .select(EntryRow::as_select())
                .load(conn)?;
            Ok(found
                .into_iter()
                .map(AuditEntry::try_from)
                .collect::<Result<_, _>>()?)
        })
    }

    fn last_seal(&mut self) -> Result<Option<Seal>, StoreError> {
        self.run(|conn| {
            let last: Option<SealRow> = audit_seals::table
                .filter(audit_seals::position.is_not_null())
                .order_by(audit_seals::position.desc())
                .first(conn)
                .optional()?;
            Ok(last.map(seal).transpose()?)
        })
    }

    fn sealed_audit(&mut self, position: i64, limit: usize) -> Result<Vec<Sealed>, StoreError> {
        self.run(|conn| {
            let found: Vec<(SealRow, Option<EntryRow>)> = audit_seals::table
                .left_join(audit::table.on(audit::id.eq(audit_seals::audit_id)))
                .filter(audit_seals::position.gt(position))
                .order_by(audit_seals::position)
                .limit(rows(limit))
                .select((audit_seals::all_columns, Option::<EntryRow>::as_select()))
                .load(conn)?;
            let ids: Vec<i64> = found.iter().map(|((id, _, _), _)| *id).collect();
            let mut values: std::collections::HashMap<_, _> = values_of(conn, &ids)?.into_iter().collect();
            let sealed = found.into_iter().map(|(row, entry)| {
                let seal = seal(row)?;
                Ok(Sealed {
                    seal,
                    entry: entry.map(AuditEntry::try_from).transpose()?,
                    values: values.remove(&seal.entry),
                })
            });
            Ok(sealed.collect::<Result<_, StoreError>>()?)
        })
    }

    fn loose_audit(&mut self) -> Result<(usize, Vec<AuditId>), StoreError> {
        self.run(|conn| {
            let waiting: i64 = audit_seals::table
                .filter(audit_seals::position.is_null())
                .count()
                .get_result(conn)?;
            let seal = audit_seals::table.filter(audit_seals::audit_id.eq(audit::id));
            let loose: Vec<i64> = audit::table
                .filter(not(exists(seal)))
                .order_by(audit::id)
                .limit(100)
                .select(audit::id)
                .load(conn)?;
            let loose = loose.into_iter().map(AuditId::new).collect();
            Ok((usize::try_from(waiting).unwrap_or_default(), loose))
        })
    }
}

fn add_one(conn: &mut Conn, new: &NewEntry) -> Result<(), Fault> {
    let what = &new.what;
    let fields: Vec<&str> = what.changes.iter().map(|change| change.field.as_str()).collect();
    let insert = diesel::insert_into(audit::table).values((
        audit::at.eq(Stamp(new.at)),
        audit::by_kind.eq(&new.by.kind),
        audit::member_id.eq(new.by.member_id.map(MemberId::get)),
        audit::token_id.eq(new.by.token_id.map(TokenId::get)),
        audit::by_name.eq(&new.by.name),
        audit::address.eq(&new.address),
        audit::act.eq(what.act.code()),
        audit::record_kind.eq(what.record.map(|record| record.kind.code())),
        audit::record_id.eq(what.record.map(|record| record.id)),
        audit::customer_id.eq(what.customer_id.map(CustomerId::get)),
        audit::fields.eq(fields.join(",")),
        audit::reason.eq(&what.reason),
        audit::digest.eq(new.digest.as_slice()),
        audit::request_id.eq(&new.request_id),
    ));
    let id = super::inserted::inserted(conn, insert)?.ok_or(diesel::result::Error::NotFound)?;
    for change in &what.changes {
        diesel::insert_into(audit_values::table)
            .values((
                audit_values::audit_id.eq(id),
                audit_values::salt.eq(new.salt.as_slice()),
                audit_values::field.eq(&change.field),
                audit_values::old_value.eq(&change.old),
                audit_values::new_value.eq(&change.new),
                audit_values::masked.eq(change.masked),
            ))
            .execute(conn)?;
    }
    diesel::insert_into(audit_seals::table)
        .values(audit_seals::audit_id.eq(id))
        .execute(conn)?;
    Ok(())
}

/// The position of the first sealed entry that is not older; behind everything if there is none.
fn first_to_stay(conn: &mut Conn, before: Instant) -> Result<i64, Fault> {
    let first: Option<i64> = audit_seals::table
        .inner_join(audit::table.on(audit::id.eq(audit_seals::audit_id)))
        .filter(audit_seals::position.is_not_null())
        .filter(audit::at.ge(Stamp(before)))
        .order_by(audit_seals::position)
        .select(audit_seals::position.assume_not_null())
        .first(conn)
        .optional()?;
    Ok(first.unwrap_or(i64::MAX))
}

impl AuditRepository for Uow<'_> {
    fn add_audit(&mut self, entries: &[NewEntry]) -> Result<(), StoreError> {
        self.run(|conn| entries.iter().try_for_each(|entry| add_one(conn, entry)))
    }

    fn add_seals(&mut self, seals: &[Seal]) -> Result<(), StoreError> {
        self.run(|conn| {
            for seal in seals {
                let open = audit_seals::table
                    .filter(audit_seals::audit_id.eq(seal.entry.get()))
                    .filter(audit_seals::position.is_null());
                let sealed = diesel::update(open)
                    .set((
                        audit_seals::position.eq(seal.position),
                        audit_seals::mac.eq(seal.mac.as_slice()),
                    ))
                    .execute(conn)?;
                if sealed != 1 {
                    return Err(StoreError::unavailable("sealed already").into());
                }
            }
            Ok(())
        })
    }

    fn empty_audit_values(&mut self, of: Record) -> Result<usize, StoreError> {
        self.run(|conn| {
            let of_customer = (of.kind == RecordKind::Customer).then_some(of.id);
            let by_record = audit::table
                .filter(audit::record_kind.eq(of.kind.code()))
                .filter(audit::record_id.eq(of.id))
                .select(audit::id);
            let mut ids: Vec<i64> = by_record.load(conn)?;
            if let Some(customer) = of_customer {
                let concerned = audit::table.filter(audit::customer_id.eq(customer));
                ids.extend(concerned.select(audit::id).load::<i64>(conn)?);
            }
            ids.sort_unstable();
            ids.dedup();
            let filled: Vec<i64> = in_pieces(&ids, |ids| {
                Ok(audit_values::table
                    .filter(audit_values::audit_id.eq_any(ids))
                    .select(audit_values::audit_id)
                    .distinct()
                    .load(conn)?)
            })?;
            for ids in filled.chunks(500) {
                diesel::delete(audit_values::table.filter(audit_values::audit_id.eq_any(ids)))
                    .execute(conn)?;
            }
            Ok(filled.len())
        })
    }

    fn trim_audit(&mut self, before: Instant, limit: usize) -> Result<Option<i64>, StoreError> {
        self.run(|conn| {
            let end = first_to_stay(conn, before)?;
            let going: Vec<(i64, i64)> = audit_seals::table
                .inner_join(audit::table.on(audit::id.eq(audit_seals::audit_id)))
                .filter(audit_seals::position.lt(end))
                .order_by(audit_seals::position)
                .limit(rows(limit))
                .select((audit_seals::position.assume_not_null(), audit::id))
                .load(conn)?;
            let Some((last, _)) = going.last().copied() else {
                return Ok(None);
            };
            for part in going.chunks(500) {
                let ids: Vec<i64> = part.iter().map(|(_, id)| *id).collect();
                diesel::delete(audit_values::table.filter(audit_values::audit_id.eq_any(&ids)))
                    .execute(conn)?;
                diesel::delete(audit::table.filter(audit::id.eq_any(&ids))).execute(conn)?;
            }
            diesel::delete(audit_seals::table.filter(audit_seals::position.lt(last))).execute(conn)?;
            Ok(Some(last))
        })
    }

    fn trimmable_audit(&mut self, before: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let end = first_to_stay(conn, before)?;
            let count: i64 = audit_seals::table
                .inner_join(audit::table.on(audit::id.eq(audit_seals::audit_id)))
                .filter(audit_seals::position.lt(end))
                .count()
                .get_result(conn)?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }
}
