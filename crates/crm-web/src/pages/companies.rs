//! Companies: list, page with its two tabs, form, question before deleting.

use std::collections::BTreeMap;

use crm_domain::companies::{Company, CompanyDetails, CompanyFilter, CompanyId};
use crm_domain::customers::CustomerFilter;
use crm_domain::error::Error;
use crm_domain::permissions::Action;
use crm_domain::use_cases::Looked;
use crm_domain::values::Remarks;
use crm_domain::values::normalise::fold_compact;
use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::{ListQuery, id, times};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::forms::companies::CompanyInput;
use crate::links;
use crate::page::Menu;
use crate::problem::{Failure, status_of_refusal};
use crate::views::companies::{
    COMPANY_FIELDS, CompaniesPage, CompanyFormPage, CompanyPage, CompanyRow, TimelineEntry, company_form,
};
use crate::views::customers::CustomerRow;
use crate::views::system::DeletePage;

/// Messages on a company's time line.
const TALKS: usize = 50;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::COMPANIES, get(list))
        .at("/company/new", get(show_new).post(register))
        .at("/company/:id", get(show))
        .at("/company/:id/edit", get(show_edit).post(revise))
        .at("/company/:id/delete", get(ask_delete).post(discard))
}

#[handler]
async fn list(visitor: Visitor, by: Signed, Query(query): Query<ListQuery>) -> Result<Response, Failure> {
    let prefix = Some(fold_compact(&query.q)).filter(|key| !key.is_empty());
    let crm = &visitor.app.crm;
    crm.note_reading(&by.actor, Looked::Search(query.q.clone()));
    let found = crm
        .list_companies(&by.actor, CompanyFilter { prefix }, query.page()?)
        .await?;
    let page = CompaniesPage {
        rows: found.items.iter().map(CompanyRow::of).collect(),
        pager: query.pager(links::COMPANIES, found.next.as_ref()),
        q: query.q.trim().to_owned(),
        may_export: super::may(&by, Action::ExportRecords),
    };
    visitor.page(StatusCode::OK, Menu::Companies, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TabQuery {
    tab: String,
    after: String,
}

#[handler]
async fn show(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    Query(query): Query<TabQuery>,
) -> Result<Response, Failure> {
    let company = visitor.app.crm.show_company(&by.actor, id(&number)?).await?;
    let page = if query.tab == "talks" {
        CompanyPage {
            talks: talks(&visitor, &by, &company).await?,
            ..CompanyPage::of(&company, "talks")
        }
    } else {
        let query = ListQuery {
            after: query.after,
            ..ListQuery::default()
        };
        people(&visitor, &by, &company, &query).await?
    };
    visitor.page(StatusCode::OK, Menu::Companies, &page)
}

async fn people(
    visitor: &Visitor,
    by: &Signed,
    company: &Company,
    query: &ListQuery,
) -> Result<CompanyPage, Failure> {
    let filter = CustomerFilter {
        prefix: None,
        company: Some(company.id),
    };
    let found = visitor
        .app
        .crm
        .list_customers(&by.actor, filter, query.page()?)
        .await?;
    let times = times(visitor);
    Ok(CompanyPage {
        people: found
            .items
            .iter()
            .map(|line| CustomerRow::of(line, &times))
            .collect(),
        pager: query.pager(&links::company(company.id.get()), found.next.as_ref()),
        ..CompanyPage::of(company, "people")
    })
}

/// The newest messages of all its people. A message sent to several of them stands once for each.
async fn talks(visitor: &Visitor, by: &Signed, company: &Company) -> Result<Vec<TimelineEntry>, Failure> {
    let crm = &visitor.app.crm;
    let found = crm
        .company_conversation(&by.actor, company.id, None, TALKS)
        .await?;
    let mut names = BTreeMap::new();
    for activity in &found {
        if let std::collections::btree_map::Entry::Vacant(place) = names.entry(activity.customer_id) {
            let line = crm.show_customer(&by.actor, activity.customer_id).await?;
            place.insert(line.customer.details.name.full());
        }
    }
    let (times, language) = (times(visitor), visitor.language);
    Ok(found
        .iter()
        .map(|activity| {
            let name = names.get(&activity.customer_id).map_or("", String::as_str);
            TimelineEntry::of(activity, name, language, &times)
        })
        .collect())
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn show_new(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw_form(
        &visitor,
        &by,
        None,
        FormState::of(&COMPANY_FIELDS),
        StatusCode::OK,
    )
}

#[handler]
async fn register(
    visitor: Visitor,
    Protected { by, data: input }: Protected<CompanyInput>,
) -> Result<Response, Failure> {
    let outcome = match input.parse(Remarks::default()) {
        Ok(details) => visitor.app.crm.register_company(&by.actor, details).await,
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match outcome {
        Ok(new) => Ok(visitor.redirect(&links::company(new.get()), Some(("added", None)))),
        Err(error) => refuse(&visitor, &by, None, &input, error),
    }
}

#[handler]
async fn show_edit(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    let company = visitor.app.crm.show_company(&by.actor, id(&number)?).await?;
    let form = company_form(&company.details).marked();
    draw_form(
        &visitor,
        &by,
        Some((company.id.get(), company.version)),
        form,
        StatusCode::OK,
    )
}

#[handler]
async fn revise(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: input }: Protected<CompanyInput>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let company = crm.show_company(&by.actor, id(&number)?).await?;
    let outcome = match input.parse(company.details.remarks) {
        Ok(details) => {
            let saved = crm
                .revise_company(&by.actor, company.id, input.version, details.clone())
                .await;
            if let Err(Error::Stale) = saved {
                return tell_stale(&visitor, &by, company.id, &input, &details).await;
            }
            saved
        }
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match outcome {
        Ok(()) => Ok(visitor.redirect(&links::company(company.id.get()), Some(("saved", None)))),
        Err(error) => {
            let version = input.version.unwrap_or(company.version);
            refuse(&visitor, &by, Some((company.id.get(), version)), &input, error)
        }
    }
}

/// The form again with what was typed, what somebody else saved meanwhile, and the newest version, so that saving once
/// more overwrites what both have changed.
async fn tell_stale(
    visitor: &Visitor,
    by: &Signed,
    number: CompanyId,
    input: &CompanyInput,
    typed: &CompanyDetails,
) -> Result<Response, Failure> {
    let stored = visitor.app.crm.show_company(&by.actor, number).await?;
    let mut form = input.state();
    form.refuse_stale(&company_form(&stored.details), &company_form(typed));
    let record = Some((number.get(), stored.version));
    draw_form(visitor, by, record, form, StatusCode::CONFLICT)
}

/// The form again with what was typed and what is wrong; other failures are told on a page of their own.
fn refuse(
    visitor: &Visitor,
    by: &Signed,
    record: Option<(i64, i64)>,
    input: &CompanyInput,
    error: Error,
) -> Result<Response, Failure> {
    let Some(status) = status_of_refusal(&error) else {
        return Err(error.into());
    };
    let mut form = input.state();
    form.refuse_with(&error);
    draw_form(visitor, by, record, form, status)
}

fn draw_form(
    visitor: &Visitor,
    by: &Signed,
    record: Option<(i64, i64)>,
    form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    let page = CompanyFormPage {
        id: record.map(|(number, _)| number),
        version: record.map(|(_, version)| version),
        back: record.map_or(links::COMPANIES.to_owned(), |(number, _)| links::company(number)),
        form,
    };
    visitor.page(status, Menu::Companies, &page)
}

#[handler]
async fn ask_delete(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::DeleteRecords)?;
    let company = visitor.app.crm.show_company(&by.actor, id(&number)?).await?;
    let back = links::company(company.id.get());
    let page = DeletePage {
        what: "company",
        name: company.details.name.as_str().to_owned(),
        action: format!("{back}/delete"),
        back,
    };
    visitor.page(StatusCode::OK, Menu::Companies, &page)
}

#[handler]
async fn discard(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    visitor
        .app
        .crm
        .discard_company(&form.by.actor, id(&number)?)
        .await?;
    Ok(visitor.redirect(links::COMPANIES, Some(("company_deleted", None))))
}
