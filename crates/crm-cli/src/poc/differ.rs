//! Rows that were taken before and say something else in the file than here: they are kept as they are here, and told.

use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::error::Error;
use crm_domain::ports::store::{Store, StoreExt as _};
use crm_domain::teams::Visible;
use serde::Serialize;

use crate::texts::Texts;

/// A row that was left as it is here.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Differing {
    kind: &'static str,
    /// Its id in the old system.
    foreign_id: i64,
    /// Its id here.
    id: i64,
    /// The names of the fields that are not the same.
    fields: Vec<&'static str>,
}

impl Differing {
    pub(crate) fn line(&self, texts: &Texts) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| texts.text(&format!("column.{field}")))
            .collect();
        let pairs = [
            ("kind", texts.text(&format!("noun.{}", self.kind))),
            ("foreign", self.foreign_id.to_string()),
            ("id", self.id.to_string()),
            ("fields", fields.join(", ")),
        ];
        texts.fill(
            "poc.differing",
            &pairs.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    }
}

/// A row of the old system as it would be taken now, and the id that it has here since it was taken.
pub(super) struct Known<T> {
    pub(super) foreign_id: i64,
    pub(super) id: i64,
    pub(super) details: T,
}

/// Those companies that are not the same here; one that is in the trash is not looked at.
pub(super) async fn companies(
    store: &dyn Store,
    rows: Vec<Known<CompanyDetails>>,
) -> Result<Vec<Differing>, Error> {
    let differing = store.read(move |unit| {
        let mut differing = Vec::new();
        for row in &rows {
            let Some(here) = unit.companies().company(CompanyId::new(row.id))? else {
                continue;
            };
            let (there, here) = (&row.details, &here.details);
            let fields = [
                ("name", there.name != here.name),
                ("address", there.address != here.address),
                ("phone", there.phone != here.phone),
                ("website", there.website != here.website),
            ];
            differing.extend(of("company", row.foreign_id, row.id, &fields));
        }
        Ok(differing)
    });
    differing.await.map_err(Error::Store)
}

/// The same for customers.
pub(super) async fn customers(
    store: &dyn Store,
    rows: Vec<Known<CustomerDetails>>,
) -> Result<Vec<Differing>, Error> {
    let differing = store.read(move |unit| {
        let mut differing = Vec::new();
        for row in &rows {
            let Some(here) = unit
                .customers()
                .customer(CustomerId::new(row.id), &Visible::All)?
            else {
                continue;
            };
            let (there, here) = (&row.details, &here.customer.details);
            let fields = [
                ("last_name", there.name.last() != here.name.last()),
                ("first_name", there.name.first() != here.name.first()),
                ("email", there.email != here.email),
                ("phone", there.phone != here.phone),
                ("line_user_id", there.line_user_id != here.line_user_id),
                ("company_name", there.company_id != here.company_id),
            ];
            differing.extend(of("customer", row.foreign_id, row.id, &fields));
        }
        Ok(differing)
    });
    differing.await.map_err(Error::Store)
}

fn of(kind: &'static str, foreign_id: i64, id: i64, fields: &[(&'static str, bool)]) -> Option<Differing> {
    let fields: Vec<&str> = fields
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| *name)
        .collect();
    (!fields.is_empty()).then_some(Differing {
        kind,
        foreign_id,
        id,
        fields,
    })
}
