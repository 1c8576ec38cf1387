//! 書き出し: the whole list of customers or companies as a file, read page by page. Asks why; the reason stands in the log.

use std::sync::Arc;

use crm_domain::companies::{CompanyFilter, CompanyLine};
use crm_domain::customers::{CustomerFilter, CustomerLine};
use crm_domain::error::Error;
use crm_domain::paging::{Cursor, Page, PageRequest};
use crm_domain::permissions::{Action, Actor};
use crm_domain::use_cases::Crm;
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

/// A list that is taken out.
struct List {
    code: &'static str,
    action: &'static str,
    back: &'static str,
    menu: Menu,
    columns: &'static [(&'static str, &'static str)],
}

const CUSTOMERS: List = List {
    code: "customers",
    action: links::CUSTOMERS_EXPORT,
    back: links::CUSTOMERS,
    menu: Menu::Customers,
    columns: &CUSTOMER,
};
const COMPANIES: List = List {
    code: "companies",
    action: links::COMPANIES_EXPORT,
    back: links::COMPANIES,
    menu: Menu::Companies,
    columns: &COMPANY,
};

impl List {
    fn page(&self, visitor: &Visitor, status: StatusCode, form: FormState) -> Result<Response, Failure> {
        let page = ExportPage {
            list: self.code,
            action: self.action,
            back: self.back,
            form,
        };
        visitor.page(status, self.menu, &page)
    }

    /// The file's name and its first line.
    fn begin(&self, visitor: &Visitor) -> (String, String) {
        let day = times(visitor).date_code(visitor.app.crm.now());
        let titles: Vec<&str> = self
            .columns
            .iter()
            .map(|(code, label)| match visitor.language {
                Language::Ja => *label,
                Language::En => *code,
            })
            .collect();
        (format!("{}-{day}.csv", self.code), csv::line(&titles))
    }
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn ask_customers(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    ask(&CUSTOMERS, &visitor, &by)
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn ask_companies(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    ask(&COMPANIES, &visitor, &by)
}

fn ask(list: &List, visitor: &Visitor, by: &Signed) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ExportRecords)?;
    list.page(visitor, StatusCode::OK, FormState::of(&EXPORT_FIELDS))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Why {
    reason: String,
}

#[handler]
async fn export_customers(visitor: Visitor, why: Protected<Why>) -> Result<Response, Failure> {
    export(&CUSTOMERS, visitor, why, |by, page| async move {
        let every = CustomerFilter::default();
        Ok(lines(&by.0.export_customers(&by.1, every, page).await?, customer))
    })
    .await
}

#[handler]
async fn export_companies(visitor: Visitor, why: Protected<Why>) -> Result<Response, Failure> {
    export(&COMPANIES, visitor, why, |by, page| async move {
        let every = CompanyFilter::default();
        Ok(lines(&by.0.export_companies(&by.1, every, page).await?, company))
    })
    .await
}

/// Lines of the file, and where the next ones begin.
type Lines = (Vec<String>, Option<Cursor>);

fn lines<T>(page: &Page<T>, line: impl Fn(&T) -> String) -> Lines {
    (page.items.iter().map(line).collect(), page.next.clone())
}

/// Notes who takes the list out and why, then answers with the file as it is read; without a reason with the form again.
async fn export<F, R>(
    list: &List,
    visitor: Visitor,
    Protected { by, data }: Protected<Why>,
    read: F,
) -> Result<Response, Failure>
where
    F: Fn(Arc<(Crm, Actor)>, PageRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Lines, Error>> + Send + 'static,
{
    let crm = visitor.app.crm.clone();
    if let Err(error) = crm.note_list_export(&by.actor, list.code, &data.reason).await {
        return list.page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, refused(&data, error)?);
    }
    let (name, head) = list.begin(&visitor);
    let by = Arc::new((crm, by.actor));
    let page = move |after: Option<Option<Cursor>>| {
        let wanted = after.map_or(Some(None), |after| after.map(Some));
        let reading = wanted.map(|wanted| read(Arc::clone(&by), PageRequest::after(wanted, PAGE)));
        async move {
            let Some(reading) = reading else {
                return Ok((Vec::new(), None));
            };
            let (lines, next) = reading.await?;
            Ok((lines, Some(next)))
        }
    };
    Ok(csv::download(&name, head, page))
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
