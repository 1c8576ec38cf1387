//! Finds the record that a line means.

use crm_domain::companies::{Company, CompanyDetails, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerLine, CustomerPrefix};
use crm_domain::error::Error;
use crm_domain::paging::PageRequest;
use crm_domain::values::Problem;

use super::report::Refusal;
use super::sheet::Record;
use crate::context::Desk;
use crate::fields::CompanyText;

/// The number in the field `id`; `None` if there is none.
pub(super) fn id<T>(record: &Record, field: &'static str) -> Result<Option<crm_domain::id::Id<T>>, Refusal> {
    match record.text(field) {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| Refusal::field(field, Problem::Malformed)),
    }
}

/// The one company of this name; several are an error.
pub(super) async fn company_named(desk: &Desk, details: &CompanyDetails) -> Result<Option<Company>, Refusal> {
    let mut named = desk.parts.crm.companies_named(&desk.actor, details).await?;
    match named.len() {
        0 | 1 => Ok(named.pop()),
        _ => Err(Refusal::field("name", Problem::Taken)),
    }
}

/// The company that a customer's line names by id or by name.
pub(super) async fn company_of(desk: &Desk, record: &Record) -> Result<Option<CompanyId>, Refusal> {
    if let Some(id) = id(record, "company_id")? {
        return Ok(Some(id));
    }
    let name = record.text("company_name");
    if name.is_empty() {
        return Ok(None);
    }
    let text = CompanyText {
        name: name.to_owned(),
        ..CompanyText::default()
    };
    let found = company_named(desk, &text.check()?).await?;
    let company = found.ok_or_else(|| Refusal::field("company_name", Problem::Missing))?;
    Ok(Some(company.id))
}

/// The customer with the same e-mail address, user id or telephone number, or, when there is none of the three, with the
/// same name in the same company.
pub(super) async fn customer_like(
    desk: &Desk,
    details: &CustomerDetails,
) -> Result<Option<CustomerLine>, Refusal> {
    let wanted = details.keys();
    let user = details.line_user_id.as_ref().map(|user| user.as_str().to_owned());
    let marks = [
        (
            "email",
            details.email.as_ref().map(|email| email.as_str().to_owned()),
        ),
        ("line_user_id", user.clone()),
        (
            "phone",
            details.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        ),
    ];
    for (field, mark) in marks {
        let Some(mark) = mark else { continue };
        let same = |line: &CustomerLine| {
            let (keys, stored) = (line.customer.details.keys(), &line.customer.details);
            match field {
                "email" => keys.email_key == wanted.email_key,
                "phone" => keys.phone_key == wanted.phone_key,
                _ => stored.line_user_id == details.line_user_id,
            }
        };
        if let Some(found) = only(matching(desk, &mark, same).await?, field)? {
            return Ok(Some(found));
        }
    }
    if details.email.is_some() || details.phone.is_some() || user.is_some() {
        return Ok(None);
    }
    let same = |line: &CustomerLine| {
        line.customer.details.keys().name_key == wanted.name_key
            && line.customer.details.company_id == details.company_id
    };
    only(matching(desk, &details.name.full(), same).await?, "last_name")
}

/// The customers found by what was typed that also are the same in full.
async fn matching(
    desk: &Desk,
    typed: &str,
    same: impl Fn(&CustomerLine) -> bool,
) -> Result<Vec<CustomerLine>, Error> {
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new(typed),
        company: None,
    };
    let page = desk
        .parts
        .crm
        .list_customers(&desk.actor, filter, PageRequest::first(1_000))
        .await?;
    Ok(page.items.into_iter().filter(same).collect())
}

/// A line that could mean several records is refused rather than guessed.
fn only(mut found: Vec<CustomerLine>, field: &'static str) -> Result<Option<CustomerLine>, Refusal> {
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(Refusal::field(field, Problem::Taken)),
    }
}
