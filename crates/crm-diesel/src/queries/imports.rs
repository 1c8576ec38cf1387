//! Imports. Their rows carry a mark in `deleted_at`, which every query looks at anyway, until the import is finished.

use std::collections::HashMap;

use crm_domain::activities::{ActivityId, NewActivity};
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::imports::{Import, ImportId, ImportQueries, ImportRepository, Origin};
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::{Conn, Uow, activities, companies, customers};
use crate::fault::Fault;
use crate::found::in_pieces;
use crate::schema::{self, import_origins, imports};
use crate::stamp::Stamp;

fn note_origin(conn: &mut Conn, import: &Import, origin: &Origin, local_id: i64) -> Result<(), Fault> {
    diesel::insert_into(import_origins::table)
        .values((
            import_origins::import_id.eq(import.id.get()),
            import_origins::source.eq(&import.source),
            import_origins::kind.eq(origin.kind.code()),
            import_origins::foreign_id.eq(origin.foreign_id),
            import_origins::digest.eq(origin.digest.as_slice()),
            import_origins::local_id.eq(local_id),
        ))
        .execute(conn)?;
    Ok(())
}

type OriginKey = (String, i64, Vec<u8>);
type Known = HashMap<OriginKey, i64>;

fn known(conn: &mut Conn, source: &str, origins: &[Origin]) -> Result<Known, Fault> {
    let rows: Vec<(OriginKey, i64)> = import_origins::table
        .filter(import_origins::source.eq(source))
        .filter(import_origins::kind.eq_any(origins.iter().map(|origin| origin.kind.code())))
        .filter(import_origins::foreign_id.eq_any(origins.iter().map(|origin| origin.foreign_id)))
        .select((
            (
                import_origins::kind,
                import_origins::foreign_id,
                import_origins::digest,
            ),
            import_origins::local_id,
        ))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

impl ImportQueries for Uow<'_> {
    fn imported(&mut self, source: &str, origins: &[Origin]) -> Result<Vec<Option<i64>>, StoreError> {
        self.run(|conn| {
            in_pieces(origins, |origins| {
                let known = known(conn, source, origins)?;
                let ids = origins.iter().map(|origin| {
                    let kind = origin.kind.code().to_owned();
                    let key = (kind, origin.foreign_id, origin.digest.to_vec());
                    known.get(&key).copied()
                });
                Ok(ids.collect())
            })
        })
    }
}

impl ImportRepository for Uow<'_> {
    fn begin_import(&mut self, source: &str, at: Instant) -> Result<Import, StoreError> {
        self.run(|conn| {
            let unfinished = imports::table
                .filter(imports::source.eq(source))
                .filter(imports::finished_at.is_null())
                .select(imports::id)
                .first(conn)
                .optional()?;
            let id = match unfinished {
                Some(id) => id,
                None => diesel::insert_into(imports::table)
                    .values((imports::source.eq(source), imports::started_at.eq(Stamp(at))))
                    .returning(imports::id)
                    .get_result(conn)?,
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
        self.run(|conn| {
            let add = |(origin, details): &(Origin, CompanyDetails)| {
                let id = companies::insert(conn, details, at, Some(import.id.get()))?;
                note_origin(conn, import, origin, id.get())?;
                Ok(id)
            };
            rows.iter().map(add).collect()
        })
    }

    fn import_customers(
        &mut self,
        import: &Import,
        rows: &[(Origin, CustomerDetails)],
        at: Instant,
    ) -> Result<Vec<CustomerId>, StoreError> {
        self.run(|conn| {
            let add = |(origin, details): &(Origin, CustomerDetails)| {
                let id = customers::insert(conn, details, at, Some(import.id.get()))?;
                note_origin(conn, import, origin, id.get())?;
                Ok(id)
            };
            rows.iter().map(add).collect()
        })
    }

    fn import_activities(
        &mut self,
        import: &Import,
        rows: &[(Origin, NewActivity)],
    ) -> Result<Vec<ActivityId>, StoreError> {
        self.run(|conn| {
            let new = rows.iter().map(|(_, activity)| activity);
            let ids = activities::insert(conn, new, Some(import.id.get()))?;
            for ((origin, _), id) in rows.iter().zip(&ids) {
                note_origin(conn, import, origin, id.get())?;
            }
            Ok(ids)
        })
    }

    fn finish_import(&mut self, import: &Import, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            use schema::{activities, companies, customers};
            let (id, mark, shown) = (import.id.get(), Stamp::unfinished_import(), None::<Stamp>);
            let rows = companies::table.filter(companies::import_id.eq(id));
            diesel::update(rows.filter(companies::deleted_at.eq(mark)))
                .set(companies::deleted_at.eq(shown))
                .execute(conn)?;
            let rows = customers::table.filter(customers::import_id.eq(id));
            diesel::update(rows.filter(customers::deleted_at.eq(mark)))
                .set(customers::deleted_at.eq(shown))
                .execute(conn)?;
            let rows = activities::table.filter(activities::import_id.eq(id));
            diesel::update(rows.filter(activities::deleted_at.eq(mark)))
                .set(activities::deleted_at.eq(shown))
                .execute(conn)?;
            let unfinished = imports::table.find(id).filter(imports::finished_at.is_null());
            diesel::update(unfinished)
                .set(imports::finished_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(())
        })
    }
}
