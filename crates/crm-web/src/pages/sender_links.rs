//! Tying somebody who wrote to a customer that exists.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerPrefix};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Action;
use crm_domain::use_cases::UnknownSender;
use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::id;
use super::senders::{customer_now, view};
use crate::auth::{Protected, Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::senders::{LinkChoice, LinkPage, ReplacePage};

/// Customers to choose from at once.
const CHOICES: usize = 20;

pub(super) fn mount(route: Route) -> Route {
    route.at("/unknown-senders/:id/link", get(search).post(link))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Search {
    /// What is searched for; the sender's name as long as nothing was typed.
    q: Option<String>,
}

#[handler]
async fn search(
    visitor: Visitor,
    by: Signed,
    Path(number): Path<String>,
    Query(query): Query<Search>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    let crm = &visitor.app.crm;
    let talk = id(&number)?;
    if let Some(to) = customer_now(&visitor, &by, talk).await? {
        return Ok(visitor.redirect(&to, None));
    }
    let unknown = crm.unknown_sender(&by.actor, talk).await?;
    let q = query.q.unwrap_or_else(|| last_name(&unknown));
    let prefix = CustomerPrefix::new(&q);
    let (mut rows, mut more) = (Vec::new(), false);
    if prefix.is_some() {
        let filter = CustomerFilter {
            prefix,
            company: None,
        };
        let found = crm.list_customers(&by.actor, filter, PageRequest::first(CHOICES));
        let found = found.await?;
        more = found.next.is_some();
        rows.extend(found.items.iter().map(LinkChoice::of));
    }
    let page = LinkPage {
        sender: view(&visitor, &by, &unknown),
        q: q.trim().to_owned(),
        rows,
        more,
    };
    visitor.page(StatusCode::OK, Menu::Senders, &page)
}

fn last_name(unknown: &UnknownSender) -> String {
    let sender = unknown.sender.as_ref();
    sender.map(|sender| sender.name.last.clone()).unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    customer_id: String,
    /// `1` once the reader knows that the customer's user id is replaced.
    replace: String,
}

#[handler]
async fn link(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: chosen }: Protected<Chosen>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EditRecords)?;
    let crm = &visitor.app.crm;
    let talk: ConversationId = id(&number)?;
    let customer: CustomerId = id(&chosen.customer_id)?;
    let unknown = crm.unknown_sender(&by.actor, talk).await?;
    let line = crm.show_customer(&by.actor, customer).await?;
    let user = unknown.line.conversation.key.address.clone();
    let carries = line.customer.details.line_user_id.as_ref();
    if carries.is_some_and(|carried| *carried != user) && chosen.replace != "1" {
        let page = ReplacePage {
            sender: view(&visitor, &by, &unknown),
            customer: LinkChoice::of(&line),
        };
        return visitor.page(StatusCode::CONFLICT, Menu::Senders, &page);
    }
    crm.link_customer(&by.actor, customer, Some(user)).await?;
    Ok(visitor.redirect(&links::customer(customer.get()), Some(("linked", None))))
}
