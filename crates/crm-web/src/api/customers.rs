//! `/api/v1/customers`.

use crm_domain::amendments::CustomerChange;
use crm_domain::customers::{CustomerFilter, CustomerLine};
use crm_domain::id::Id;
use crm_domain::idempotency::Answer;
use crm_domain::use_cases::Looked;
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

/// A customer.
#[derive(Debug, Object)]
pub(crate) struct Customer {
    id: i64,
    /// Given name; may be empty when `last_name` is not.
    first_name: String,
    /// Family name; may be empty when `first_name` is not.
    last_name: String,
    /// Reading of the given name, in katakana.
    first_name_kana: String,
    /// Reading of the family name, in katakana.
    last_name_kana: String,
    email: Option<String>,
    phone: Option<String>,
    /// The person on LINE WORKS.
    line_user_id: Option<String>,
    company_id: Option<i64>,
    /// The company's name.
    company_name: Option<String>,
    /// The member who looks after this customer.
    owner_id: Option<i64>,
    /// That member's name.
    owner_name: Option<String>,
    /// Whether somebody should look at it: made by itself, or of doubtful data.
    needs_look: bool,
    /// State of the LINE WORKS link: `not_set`, `unconfirmed`, `active` or `left`.
    link_status: String,
    remarks: String,
    /// Counts the changes.
    version: i64,
    /// UTC with milliseconds.
    created_at: String,
    /// UTC with milliseconds.
    updated_at: String,
}

impl From<CustomerLine> for Customer {
    fn from(line: CustomerLine) -> Self {
        let CustomerLine {
            customer,
            company_name,
            owner_name,
            link,
        } = line;
        let details = customer.details;
        Self {
            id: customer.id.get(),
            first_name: details.name.first().to_owned(),
            last_name: details.name.last().to_owned(),
            first_name_kana: details.reading.first().to_owned(),
            last_name_kana: details.reading.last().to_owned(),
            email: details.email.map(|email| email.as_str().to_owned()),
            phone: details.phone.map(|phone| phone.as_str().to_owned()),
            line_user_id: details.line_user_id.map(|user| user.as_str().to_owned()),
            company_id: details.company_id.map(Id::get),
            company_name,
            owner_id: customer.owner_id.map(Id::get),
            owner_name,
            needs_look: customer.needs_look,
            link_status: link.code().to_owned(),
            remarks: details.remarks.as_str().to_owned(),
            version: customer.version,
            created_at: customer.created_at.to_string(),
            updated_at: customer.updated_at.to_string(),
        }
    }
}

/// A page of the customers.
#[derive(Debug, Object)]
pub(super) struct CustomerList {
    items: Vec<Customer>,
    /// What `after` asks for the next page with; null on the last one.
    next: Option<String>,
}

/// What is written of a customer. A field that is absent stays as it is, or is empty at first; null or an empty text empties
/// it. One of the two names is needed.
#[derive(Debug, Object)]
pub(super) struct CustomerFields {
    /// Given name, up to 100 characters.
    first_name: MaybeUndefined<String>,
    /// Family name, up to 100 characters.
    last_name: MaybeUndefined<String>,
    /// Reading of the given name; hiragana becomes katakana.
    first_name_kana: MaybeUndefined<String>,
    /// Reading of the family name; hiragana becomes katakana.
    last_name_kana: MaybeUndefined<String>,
    email: MaybeUndefined<String>,
    /// 4 to 20 digits.
    phone: MaybeUndefined<String>,
    /// The person on LINE WORKS: a user id, or a login id that is looked up.
    line_user_id: MaybeUndefined<String>,
    company_id: MaybeUndefined<i64>,
    remarks: MaybeUndefined<String>,
}

impl From<CustomerFields> for CustomerChange {
    fn from(fields: CustomerFields) -> Self {
        Self {
            last_name: text(fields.last_name),
            first_name: text(fields.first_name),
            last_name_kana: text(fields.last_name_kana),
            first_name_kana: text(fields.first_name_kana),
            email: text(fields.email),
            phone: text(fields.phone),
            line_user_id: text(fields.line_user_id),
            company_id: match fields.company_id {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(id) => Some(Some(Id::new(id))),
            },
            remarks: text(fields.remarks),
        }
    }
}

fn answered(line: &CustomerLine) -> Answer {
    let location = format!("{BASE}/customers/{}", line.customer.id);
    repeating::answer(StatusCode::CREATED, location, &Customer::from(line.clone()))
}

fn represented(line: &CustomerLine) -> String {
    Customer::from(line.clone()).to_json_string()
}

pub(super) struct Customers;

#[OpenApi]
impl Customers {
    /// The customers, ordered by reading or name.
    #[oai(path = "/customers", method = "get", operation_id = "listCustomers")]
    async fn list(
        &self,
        app: App,
        by: Signed,
        /// Rows wanted, 1 to 200; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
        /// `next` of the page before.
        after: Query<Option<String>>,
    ) -> poem::Result<Json<CustomerList>> {
        let page = list::page(limit.0, after.0.as_deref())?;
        let page = app
            .crm
            .list_customers(&by.actor, CustomerFilter::default(), page)
            .await;
        let page = page.map_err(Failure::from)?.map(Customer::from);
        Ok(Json(CustomerList {
            items: page.items,
            next: page.next.map(|next| next.to_string()),
        }))
    }

    /// One customer.
    #[oai(path = "/customers/:id", method = "get", operation_id = "showCustomer")]
    async fn show(
        &self,
        app: App,
        by: Signed,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
    ) -> poem::Result<Json<Customer>> {
        let line = app
            .crm
            .show_customer(&by.actor, Id::new(id.0))
            .await
            .map_err(Failure::from)?;
        app.crm
            .note_reading(&by.actor, Looked::Customer(line.customer.id));
        Ok(Json(line.into()))
    }

    /// Adds a customer. 409 when somebody has the same e-mail address, telephone number or user id.
    #[oai(path = "/customers", method = "post", operation_id = "addCustomer")]
    async fn add(
        &self,
        app: App,
        writer: Writer,
        /// `true`: although somebody has the same e-mail address, telephone number or user id.
        anyway: Query<Option<bool>>,
        /// The same key adds once, and is answered the same for 24 hours: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        fields: Fields<CustomerFields>,
    ) -> poem::Result<Answered<Customer, 201>> {
        let path = format!("{BASE}/customers");
        let repeat = repeat(&writer.by, path, key.0.as_deref(), fields.hash, answered)?;
        let entered = app
            .crm
            .enter_customer(
                &writer.by.actor,
                fields.data.into(),
                anyway.0.unwrap_or_default(),
                repeat,
            )
            .await
            .map_err(Failure::from)?;
        Ok(Answered::new(entered, answered))
    }

    /// Changes what is given of a customer. 409 when somebody has the same e-mail address, telephone number or user id.
    #[oai(path = "/customers/:id", method = "patch", operation_id = "changeCustomer")]
    async fn change(
        &self,
        app: App,
        writer: Writer,
        #[oai(validator(minimum(value = "1")))] id: Path<i64>,
        /// `true`: although somebody has the same e-mail address, telephone number or user id.
        anyway: Query<Option<bool>>,
        /// The `ETag` that was read: only if nothing changed since.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        fields: Fields<CustomerFields>,
    ) -> poem::Result<Json<Customer>> {
        let line = app
            .crm
            .amend_customer(
                &writer.by.actor,
                Id::new(id.0),
                fields.data.into(),
                anyway.0.unwrap_or_default(),
                etag::expected(if_match.0, represented),
            )
            .await
            .map_err(Failure::from)?;
        Ok(Json(line.into()))
    }

    /// Moves a customer to the trash, from where people can bring it back for 30 days.
    #[oai(path = "/customers/:id", method = "delete", operation_id = "discardCustomer")]
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
        Discarded::after(app.crm.discard_customer_if(&writer.by.actor, id, expected).await)
    }
}
