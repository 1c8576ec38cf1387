//! 書き出し: the whole list of customers or companies as a file, read page by page. Asks why; the reason stands in the log.

use std::sync::Arc;

use crm_domain::companies::{CompanyFilter, CompanyLine};
use crm_domain::customers::{CustomerFilter, CustomerLine};
use crm_domain::error::Error;
use crm_domain::paging::{Cursor, PageRequest};
use crm_domain::permissions::Action;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::times;
use crate::auth::{Protected, Signed, Visitor};
use crate::csv;
use crate::forms::FormState;
use crate::i18n::Language;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::exports::{EXPORT_FIELDS, ExportPage};

/// Rows read at once.
const PAGE: usize = 500;

/// Columns as our own import knows them: by their code, or as Japanese spreadsheets call them.
const CUSTOMER: [(&str, &str); 11] = [
    ("id", "ID"),
    ("last_name", "姓"),
    ("first_name", "名"),
    ("last_name_kana", "セイ"),
    ("first_name_kana", "メイ"),
    ("email", "メール"),
    ("phone", "電話"),
    ("line_user_id", "LINE WORKS ID"),
    ("company_id", "会社ID"),
    ("company_name", "会社名"),
    ("remarks", "備考"),
];
const COMPANY: [(&str, &str); 7] = [
    ("id", "ID"),
    ("name", "会社名"),
    ("name_kana", "会社名（カナ）"),
    ("address", "住所"),
    ("phone", "電話"),
    ("website", "ウェブサイト"),
    ("remarks", "備考"),
];

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::CUSTOMERS_EXPORT, get(ask_customers).post(export_customers))
        .at(links::COMPANIES_EXPORT, get(ask_companies).post(export_companies))
}

fn customers(form: FormState) -> ExportPage {
    ExportPage {
        list: "customers",
        action: links::CUSTOMERS_EXPORT,
        back: links::CUSTOMERS,
        form,
    }
}

fn companies(form: FormState) -> ExportPage {
    ExportPage {
        list: "companies",
        action: links::COMPANIES_EXPORT,
        back: links::COMPANIES,
        form,
    }
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn ask_customers(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ExportRecords)?;
    let page = customers(FormState::of(&EXPORT_FIELDS));
    visitor.page(StatusCode::OK, Menu::Customers, &page)
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn ask_companies(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ExportRecords)?;
    let page = companies(FormState::of(&EXPORT_FIELDS));
    visitor.page(StatusCode::OK, Menu::Companies, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Why {
    reason: String,
}

#[handler]
async fn export_customers(
    visitor: Visitor,
    Protected { by, data }: Protected<Why>,
) -> Result<Response, Failure> {
    let crm = visitor.app.crm.clone();
    if let Err(error) = crm.note_list_export(&by.actor, "customers", &data.reason).await {
        let page = customers(refused(&data, error)?);
        return visitor.page(StatusCode::UNPROCESSABLE_ENTITY, Menu::Customers, &page);
    }
    let (name, head) = begin(&visitor, "customers", &CUSTOMER);
    let by = Arc::new((crm, by.actor));
    Ok(csv::download(
        &name,
        head,
        move |after: Option<Option<Cursor>>| {
            let by = Arc::clone(&by);
            async move {
                let Some(wanted) = after.map_or(Some(None), |after| after.map(Some)) else {
                    return Ok((Vec::new(), None));
                };
                let page = PageRequest::after(wanted, PAGE);
                let found =
                    by.0.export_customers(&by.1, CustomerFilter::default(), page)
                        .await?;
                Ok((found.items.iter().map(customer).collect(), Some(found.next)))
            }
        },
    ))
}

#[handler]
async fn export_companies(
    visitor: Visitor,
    Protected { by, data }: Protected<Why>,
) -> Result<Response, Failure> {
    let crm = visitor.app.crm.clone();
    if let Err(error) = crm.note_list_export(&by.actor, "companies", &data.reason).await {
        let page = companies(refused(&data, error)?);
        return visitor.page(StatusCode::UNPROCESSABLE_ENTITY, Menu::Companies, &page);
    }
    let (name, head) = begin(&visitor, "companies", &COMPANY);
    let by = Arc::new((crm, by.actor));
    Ok(csv::download(
        &name,
        head,
        move |after: Option<Option<Cursor>>| {
            let by = Arc::clone(&by);
            async move {
                let Some(wanted) = after.map_or(Some(None), |after| after.map(Some)) else {
                    return Ok((Vec::new(), None));
                };
                let page = PageRequest::after(wanted, PAGE);
                let found =
                    by.0.export_companies(&by.1, CompanyFilter::default(), page)
                        .await?;
                Ok((found.items.iter().map(company).collect(), Some(found.next)))
            }
        },
    ))
}

/// The form with what is wrong with the reason; any other error is told otherwise.
fn refused(typed: &Why, error: Error) -> Result<FormState, Failure> {
    let Error::Invalid(_) = error else {
        return Err(error.into());
    };
    let mut form = FormState::of(&EXPORT_FIELDS).with("reason", &typed.reason);
    form.refuse_with(&error);
    Ok(form)
}

/// The file's name and its first line.
fn begin(visitor: &Visitor, list: &str, columns: &[(&str, &str)]) -> (String, String) {
    let day = times(visitor).date_code(visitor.app.crm.now());
    let titles: Vec<&str> = columns
        .iter()
        .map(|(code, label)| match visitor.language {
            Language::Ja => *label,
            Language::En => *code,
        })
        .collect();
    (format!("{list}-{day}.csv"), csv::line(&titles))
}

fn customer(line: &CustomerLine) -> String {
    let details = &line.customer.details;
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    csv::line(&[
        line.customer.id.to_string(),
        details.name.last().to_owned(),
        details.name.first().to_owned(),
        details.reading.last().to_owned(),
        details.reading.first().to_owned(),
        details
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned())
            .unwrap_or_default(),
        details
            .phone
            .as_ref()
            .map(|phone| phone.as_str().to_owned())
            .unwrap_or_default(),
        details
            .line_user_id
            .as_ref()
            .map(|user| user.as_str().to_owned())
            .unwrap_or_default(),
        number(details.company_id.map(crm_domain::id::Id::get)),
        line.company_name.clone().unwrap_or_default(),
        details.remarks.as_str().to_owned(),
    ])
}

fn company(line: &CompanyLine) -> String {
    let details = &line.company.details;
    csv::line(&[
        line.company.id.to_string(),
        details.name.as_str().to_owned(),
        details.name_kana.as_str().to_owned(),
        details
            .address
            .as_ref()
            .map(|line| line.as_str().to_owned())
            .unwrap_or_default(),
        details
            .phone
            .as_ref()
            .map(|phone| phone.as_str().to_owned())
            .unwrap_or_default(),
        details
            .website
            .as_ref()
            .map(|site| site.as_str().to_owned())
            .unwrap_or_default(),
        details.remarks.as_str().to_owned(),
    ])
}
