//! `/api/v1/companies`.

use crm_domain::companies::{Company as Stored, CompanyFilter};
use crm_domain::id::Id;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::list;
use crate::auth::Signed;
use crate::problem::Failure;
use crate::state::App;

/// A company.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Company {
    id: i64,
    name: String,
    /// How the name is read.
    name_kana: String,
    #[oai(skip_serializing_if_is_none = false)]
    address: Option<String>,
    #[oai(skip_serializing_if_is_none = false)]
    phone: Option<String>,
    #[oai(skip_serializing_if_is_none = false)]
    website: Option<String>,
    remarks: String,
    /// How many customers belong to it; in lists only.
    customers: Option<i64>,
    /// Counts the changes.
    version: i64,
    /// UTC with milliseconds.
    created_at: String,
    /// UTC with milliseconds.
    updated_at: String,
}

impl Company {
    fn new(company: Stored, customers: Option<i64>) -> Self {
        let details = company.details;
        Self {
            id: company.id.get(),
            name: details.name.as_str().to_owned(),
            name_kana: details.name_kana.as_str().to_owned(),
            address: details.address.map(|address| address.as_str().to_owned()),
            phone: details.phone.map(|phone| phone.as_str().to_owned()),
            website: details.website.map(|website| website.as_str().to_owned()),
            remarks: details.remarks.as_str().to_owned(),
            customers,
            version: company.version,
            created_at: company.created_at.to_string(),
            updated_at: company.updated_at.to_string(),
        }
    }
}

/// A page of the companies.
#[derive(Debug, Object)]
pub(super) struct CompanyList {
    items: Vec<Company>,
    /// What `after` asks for the next page with; null on the last one.
    next: Option<String>,
}

pub(super) struct Companies;

#[OpenApi]
impl Companies {
    /// The companies, ordered by reading or name.
    #[oai(path = "/companies", method = "get", operation_id = "listCompanies")]
    async fn list(
        &self,
        app: App,
        by: Signed,
        /// Rows wanted, 1 to 200; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
        /// `next` of the page before.
        after: Query<Option<String>>,
    ) -> poem::Result<Json<CompanyList>> {
        let page = list::page(limit.0, after.0.as_deref())?;
        let page = app
            .crm
            .list_companies(&by.actor, CompanyFilter::default(), page)
            .await;
        let page = page
            .map_err(Failure::from)?
            .map(|line| Company::new(line.company, Some(line.customers)));
        Ok(Json(CompanyList {
            items: page.items,
            next: page.next.map(|next| next.to_string()),
        }))
    }

    /// One company.
    #[oai(path = "/companies/:id", method = "get", operation_id = "showCompany")]
    async fn show(
        &self,
        app: App,
        by: Signed,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
    ) -> poem::Result<Json<Company>> {
        let company = app
            .crm
            .show_company(&by.actor, Id::new(id.0))
            .await
            .map_err(Failure::from)?;
        Ok(Json(Company::new(company, None)))
    }
}
