//! Customers: list, page, form, question before deleting.

use crm_domain::board::BoardLine;
use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId, CustomerLine, CustomerPrefix};
use crm_domain::error::Error;
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Action;
use crm_domain::senders::Sender;
use crm_domain::sends::SendState;
use crm_domain::use_cases::Looked;
use crm_domain::values::{LineUserId, Remarks};
use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::activities::talk_at;
use super::owners::owner;
use super::{ListQuery, id, may, times};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::forms::customers::{CustomerInput, warn_of_odd_user_id};
use crate::links;
use crate::page::Menu;
use crate::problem::{Failure, status_of_refusal};
use crate::views::CompanyRef;
use crate::views::activities::{Composer, Talk};
use crate::views::conversation::{place_code, place_of};
use crate::views::customers::{
    CUSTOMER_FIELDS, CustomerFormPage, CustomerPage, CustomerRow, CustomersPage, customer_form,
};
use crate::views::system::DeletePage;
use crate::views::talk_head::TalkHead;

/// The most companies that the form offers to choose from.
const CHOICES: usize = 5_000;
/// Messages on a page of a conversation.
pub(super) const MESSAGES: usize = 50;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::CUSTOMERS, get(list))
        .at("/customer/new", get(show_new).post(register))
        .at("/customer/:id", get(show))
        .at("/customer/:id/edit", get(show_edit).post(revise))
        .at("/customer/:id/delete", get(ask_delete).post(discard))
}

#[handler]
async fn list(visitor: Visitor, by: Signed, Query(query): Query<ListQuery>) -> Result<Response, Failure> {
    let filter = CustomerFilter {
        prefix: CustomerPrefix::new(&query.q),
        company: None,
    };
    let crm = &visitor.app.crm;
    crm.note_reading(&by.actor, Looked::Search(query.q.clone()));
    let found = crm.list_customers(&by.actor, filter, query.page()?).await?;
    let times = times(&visitor);
    let page = CustomersPage {
        rows: found
            .items
            .iter()
            .map(|line| CustomerRow::of(line, &times))
            .collect(),
        pager: query.pager(links::CUSTOMERS, found.next.as_ref()),
        q: query.q.trim().to_owned(),
        may_export: super::may(&by, Action::ExportRecords),
    };
    visitor.page(StatusCode::OK, Menu::Customers, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TalkQuery {
    /// Messages before this place.
    before: String,
    /// The part in which the message at this place stands.
    at: String,
}

#[handler]
async fn show(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    Query(query): Query<TalkQuery>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let line = crm.show_customer(&by.actor, id(&number)?).await?;
    crm.note_reading(&by.actor, Looked::Customer(line.customer.id));
    let talk = match query.at.as_str() {
        "" => older_talk(&visitor, &by, &line, &query.before).await?,
        at => talk_at(&visitor, &by, &line, at).await?,
    };
    let composer = drafted(&visitor, &by, &line).await?;
    draw(&visitor, &by, &line, talk, composer, StatusCode::OK).await
}

/// The field with what the reader began and has not sent.
pub(super) async fn drafted(
    visitor: &Visitor,
    by: &Signed,
    line: &CustomerLine,
) -> Result<Composer, Failure> {
    let customer = line.customer.id;
    let draft = visitor.app.crm.draft(&by.actor, customer).await?;
    let composer = Composer::of(line, visitor.language, visitor.app.secrets.token());
    let Some(draft) = draft else { return Ok(composer) };
    Ok(Composer {
        replaces: failed_with(visitor, by, customer, &draft.text).await?,
        text: draft.text,
        ..composer
    })
}

/// The message with this text that was not sent and shows why: sending the text once more takes its place.
async fn failed_with(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    text: &str,
) -> Result<Option<i64>, Failure> {
    let newest = visitor.app.crm.conversation(&by.actor, customer, None, MESSAGES);
    let failed = newest.await?.into_iter().find(|message| {
        let sending = message.sending.as_ref();
        sending.is_some_and(|sending| sending.state == SendState::Failed && sending.may_be_resent())
            && message.message.trim().lines().eq(text.trim().lines())
    });
    Ok(failed.map(|message| message.id.get()))
}

/// The customer's page.
pub(super) async fn draw(
    visitor: &Visitor,
    by: &Signed,
    line: &CustomerLine,
    mut talk: Talk,
    mut composer: Composer,
    status: StatusCode,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let lines = crm.conversations_of_customer(&by.actor, line.customer.id).await?;
    talk.mark_unread(&lines);
    composer.seen = talk.last_id;
    let owner = owner(visitor, by, line).await?;
    let head = head_of(visitor, by, &lines);
    let page = CustomerPage::of(line, talk, composer, (head, owner), &times(visitor));
    visitor.page(status, Menu::Customers, &page)
}

/// Where the conversations stand, for this reader.
pub(super) fn head_of(visitor: &Visitor, by: &Signed, lines: &[BoardLine]) -> TalkHead {
    let may_handle = may(by, Action::HandleConversations);
    TalkHead::of(lines, by.actor.member_id(), may_handle, &times(visitor))
}

/// A page of the conversation: the newest messages, or those before a place in it.
pub(super) async fn older_talk(
    visitor: &Visitor,
    by: &Signed,
    line: &CustomerLine,
    before: &str,
) -> Result<Talk, Failure> {
    let place = match before {
        "" => None,
        code => Some(place_of(code).ok_or(Failure::Parameter("before"))?),
    };
    let crm = &visitor.app.crm;
    let mut found = crm
        .conversation(&by.actor, line.customer.id, place, MESSAGES + 1)
        .await?;
    let more = found.len() > MESSAGES;
    found.truncate(MESSAGES);
    found.reverse();
    let mut talk = Talk::of(&found, may(by, Action::DeleteMessages), &times(visitor));
    talk.older = found.first().filter(|_| more).map(place_code);
    talk.newer = place.is_some();
    Ok(talk)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewQuery {
    /// The company that is chosen already.
    company_id: String,
    /// The user id of a sender, whose name is filled in as far as LINE WORKS told it.
    line_user_id: String,
}

#[handler]
async fn show_new(visitor: Visitor, by: Signed, Query(query): Query<NewQuery>) -> Result<Response, Failure> {
    let mut form = FormState::of(&CUSTOMER_FIELDS).with("company_id", query.company_id.trim());
    if let Ok(Some(user)) = LineUserId::new(&query.line_user_id) {
        let known = visitor.app.crm.senders_of(&by.actor, vec![user.clone()]).await?;
        form = of_sender(form.with("line_user_id", user.as_str()), known.first());
    }
    draw_form(&visitor, &by, None, form, StatusCode::OK).await
}

/// The form with what LINE WORKS told of a sender.
fn of_sender(form: FormState, sender: Option<&Sender>) -> FormState {
    let Some(sender) = sender else {
        return form;
    };
    form.with("last_name", &sender.name.last)
        .with("first_name", &sender.name.first)
        .with("last_name_kana", &sender.name.last_kana)
        .with("first_name_kana", &sender.name.first_kana)
}

#[handler]
async fn register(
    visitor: Visitor,
    Protected { by, data: input }: Protected<CustomerInput>,
) -> Result<Response, Failure> {
    let outcome = match input.parse(Remarks::default()) {
        Ok(details) => visitor.app.crm.register_customer(&by.actor, details).await,
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match outcome {
        Ok(new) => Ok(visitor.redirect(&links::customer(new.get()), Some(("added", None)))),
        Err(error) => refuse(&visitor, &by, None, &input, error).await,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EditQuery {
    /// The user id that was chosen among the members.
    line_user_id: String,
}

#[handler]
async fn show_edit(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    Query(query): Query<EditQuery>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    let line = visitor.app.crm.show_customer(&by.actor, id(&number)?).await?;
    let mut form = customer_form(&line.customer.details).marked();
    if let Ok(Some(user)) = LineUserId::new(&query.line_user_id) {
        form = form.with("line_user_id", user.as_str());
    }
    draw_form(
        &visitor,
        &by,
        Some((line.customer.id.get(), line.customer.version)),
        form,
        StatusCode::OK,
    )
    .await
}

#[handler]
async fn revise(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: input }: Protected<CustomerInput>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let line = crm.show_customer(&by.actor, id(&number)?).await?;
    let customer = line.customer;
    let outcome = match input.parse(customer.details.remarks) {
        Ok(details) => {
            let saved = crm
                .revise_customer(&by.actor, customer.id, input.version, details.clone())
                .await;
            if let Err(Error::Stale) = saved {
                return tell_stale(&visitor, &by, customer.id, &input, &details).await;
            }
            saved
        }
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match outcome {
        Ok(()) => Ok(visitor.redirect(&links::customer(customer.id.get()), Some(("saved", None)))),
        Err(error) => {
            let version = input.version.unwrap_or(customer.version);
            refuse(&visitor, &by, Some((customer.id.get(), version)), &input, error).await
        }
    }
}

/// The form again with what was typed, what somebody else saved meanwhile, and the newest version, so that saving once
/// more overwrites what both have changed.
async fn tell_stale(
    visitor: &Visitor,
    by: &Signed,
    number: CustomerId,
    input: &CustomerInput,
    typed: &CustomerDetails,
) -> Result<Response, Failure> {
    let line = visitor.app.crm.show_customer(&by.actor, number).await?;
    let mut form = input.state();
    form.refuse_stale(&customer_form(&line.customer.details), &customer_form(typed));
    for theirs in &mut form.theirs {
        if theirs.field == "company_id" {
            theirs.value = line.company_name.clone().unwrap_or_default();
        }
    }
    let record = Some((number.get(), line.customer.version));
    draw_form(visitor, by, record, form, StatusCode::CONFLICT).await
}

/// The form again with what was typed and what is wrong; other failures are told on a page of their own.
async fn refuse(
    visitor: &Visitor,
    by: &Signed,
    record: Option<(i64, i64)>,
    input: &CustomerInput,
    error: Error,
) -> Result<Response, Failure> {
    let Some(status) = status_of_refusal(&error) else {
        return Err(error.into());
    };
    let mut form = input.state();
    form.refuse_with(&error);
    draw_form(visitor, by, record, form, status).await
}

async fn draw_form(
    visitor: &Visitor,
    by: &Signed,
    record: Option<(i64, i64)>,
    mut form: FormState,
    status: StatusCode,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    warn_of_odd_user_id(&mut form);
    let listed =
        visitor
            .app
            .crm
            .list_companies(&by.actor, CompanyFilter::default(), PageRequest::first(CHOICES));
    let mut companies: Vec<CompanyRef> = listed
        .await?
        .items
        .iter()
        .map(|line| CompanyRef::of(&line.company))
        .collect();
    add_chosen(visitor, by, &form, &mut companies).await;
    let page = CustomerFormPage {
        id: record.map(|(number, _)| number),
        version: record.map(|(_, version)| version),
        back: record.map_or(links::CUSTOMERS.to_owned(), |(number, _)| links::customer(number)),
        companies,
        form,
    };
    visitor.page(status, Menu::Customers, &page)
}

/// The chosen company stands among the choices, even behind the most that are offered.
async fn add_chosen(visitor: &Visitor, by: &Signed, form: &FormState, companies: &mut Vec<CompanyRef>) {
    let Some(chosen) = form.fields["company_id"].value.parse::<CompanyId>().ok() else {
        return;
    };
    if companies.iter().any(|company| company.id == chosen.get()) {
        return;
    }
    if let Ok(company) = visitor.app.crm.show_company(&by.actor, chosen).await {
        companies.push(CompanyRef::of(&company));
    }
}

#[handler]
async fn ask_delete(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::DeleteRecords)?;
    let line = visitor.app.crm.show_customer(&by.actor, id(&number)?).await?;
    let back = links::customer(line.customer.id.get());
    let page = DeletePage {
        what: "customer",
        name: line.customer.details.name.full(),
        action: format!("{back}/delete"),
        back,
    };
    visitor.page(StatusCode::OK, Menu::Customers, &page)
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
        .discard_customer(&form.by.actor, id(&number)?)
        .await?;
    Ok(visitor.redirect(links::CUSTOMERS, Some(("customer_deleted", None))))
}
