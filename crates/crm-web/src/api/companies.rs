//! `/api/v1/companies`.

use crm_domain::amendments::CompanyChange;
use crm_domain::companies::{Company as Stored, CompanyFilter, CompanyLine};
use crm_domain::id::Id;
use crm_domain::idempotency::Answer;
use poem::http::StatusCode;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::{MaybeUndefined, ToJSON as _};
use poem_openapi::{Object, OpenApi};

use super::fields::Fields;
use super::repeating::{self, Answered, repeat};
use super::{BASE, Discarded, etag, list, text};
use crate::auth::{Signed, Writer};
use crate::problem::Failure;
use crate::state::App;

/// A company.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Company {
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

impl From<CompanyLine> for Company {
    fn from(line: CompanyLine) -> Self {
        Self::new(line.company, Some(line.customers))
    }
}

/// A page of the companies.
#[derive(Debug, Object)]
pub(super) struct CompanyList {
    items: Vec<Company>,
    /// What `after` asks for the next page with; null on the last one.
    next: Option<String>,
}

/// What is written of a company. A field that is absent stays as it is, or is empty at first; null or an empty text empties
/// it. A name is needed.
#[derive(Debug, Object)]
pub(super) struct CompanyFields {
    name: MaybeUndefined<String>,
    /// How the name is read; hiragana becomes katakana.
    name_kana: MaybeUndefined<String>,
    address: MaybeUndefined<String>,
    /// 4 to 20 digits.
    phone: MaybeUndefined<String>,
    /// An address on the web.
    website: MaybeUndefined<String>,
    remarks: MaybeUndefined<String>,
}

impl From<CompanyFields> for CompanyChange {
    fn from(fields: CompanyFields) -> Self {
        Self {
            name: text(fields.name),
            name_kana: text(fields.name_kana),
            address: text(fields.address),
            phone: text(fields.phone),
            website: text(fields.website),
            remarks: text(fields.remarks),
        }
    }
}

fn answered(company: &Stored) -> Answer {
    let location = format!("{BASE}/companies/{}", company.id);
    repeating::answer(
        StatusCode::CREATED,
        location,
        &Company::new(company.clone(), None),
    )
}

fn represented(company: &Stored) -> String {
    Company::new(company.clone(), None).to_json_string()
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

    /// Adds a company.
    #[oai(path = "/companies", method = "post", operation_id = "addCompany")]
    async fn add(
        &self,
        app: App,
        writer: Writer,
        /// The same key adds once, and is answered the same for 24 hours: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        fields: Fields<CompanyFields>,
    ) -> poem::Result<Answered<Company, 201>> {
        let path = format!("{BASE}/companies");
        let repeat = repeat(&writer.by, path, key.0.as_deref(), fields.hash, answered)?;
        let entered = app
            .crm
            .enter_company(&writer.by.actor, fields.data.into(), repeat)
            .await
            .map_err(Failure::from)?;
        Ok(Answered::new(entered, answered))
    }

    /// Changes what is given of a company.
    #[oai(path = "/companies/:id", method = "patch", operation_id = "changeCompany")]
    async fn change(
        &self,
        app: App,
        writer: Writer,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
        /// The `ETag` that was read: only if nothing changed since.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        fields: Fields<CompanyFields>,
    ) -> poem::Result<Json<Company>> {
        let expected = etag::expected(if_match.0, represented);
        let company = app
            .crm
            .amend_company(&writer.by.actor, Id::new(id.0), fields.data.into(), expected)
            .await
            .map_err(Failure::from)?;
        Ok(Json(Company::new(company, None)))
    }

    /// Moves a company to the trash; its customers stay, without company.
    #[oai(path = "/companies/:id", method = "delete", operation_id = "discardCompany")]
    async fn discard(
        &self,
        app: App,
        writer: Writer,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
        /// The `ETag` that was read: only if nothing changed since.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> poem::Result<Discarded> {
        let (id, expected) = (Id::new(id.0), etag::expected(if_match.0, represented));
        Discarded::after(app.crm.discard_company_if(&writer.by.actor, id, expected).await)
    }
}
