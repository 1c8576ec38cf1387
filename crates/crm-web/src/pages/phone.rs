//! The demonstration's phone: one plays a customer, and sees what the bot answers. A customer signs in to nothing, so
//! neither does who plays one; the demonstration answers on this machine only.

use std::sync::Arc;

use crm_domain::activities::{Activity, Direction};
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerLine};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::sends::SendState;
use poem::http::StatusCode;
use poem::web::Query;
use poem::{Response, Route, get, handler};
use serde::Deserialize;

use super::{id, times};
use crate::auth::{Open, Visitor};
use crate::demo::Demo;
use crate::format::Times;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::Face;
use crate::views::phone::{PhoneFragment, PhoneMessage, PhonePage, Player};

/// How many sample customers one can choose from.
const PLAYERS: usize = 200;
/// How many messages the phone shows.
const MESSAGES: usize = 50;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::PHONE, get(show).post(say))
        .at("/demo/phone/messages", get(messages))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    #[serde(rename = "as")]
    chosen: String,
}

/// Whoever plays.
fn player() -> Actor {
    Actor::Operator {
        name: "demo".to_owned(),
    }
}

/// The demonstration; elsewhere there is no such page.
fn demo(visitor: &Visitor) -> Result<Arc<dyn Demo>, Failure> {
    visitor.app.demo.clone().ok_or(Failure::NoSuchPage)
}

#[handler]
async fn show(visitor: Visitor, Query(choice): Query<Choice>) -> Result<Response, Failure> {
    demo(&visitor)?;
    let crm = &visitor.app.crm;
    let everybody = crm
        .list_customers(&player(), CustomerFilter::default(), PageRequest::first(PLAYERS))
        .await?
        .items;
    let reachable: Vec<&CustomerLine> = everybody
        .iter()
        .filter(|line| line.customer.details.line_user_id.is_some())
        .collect();
    let wanted = choice.chosen.parse::<CustomerId>().ok();
    let chosen = reachable
        .iter()
        .find(|line| Some(line.customer.id) == wanted)
        .or(reachable.first());
    let chosen = chosen.ok_or(Failure::NoSuchPage)?;
    let page = PhonePage {
        people: reachable.iter().map(|line| Player::of(line)).collect(),
        chosen: Player::of(chosen),
        messages: heard(&visitor, chosen.customer.id).await?,
    };
    visitor.page(StatusCode::OK, Menu::None, &page)
}

#[handler]
async fn messages(visitor: Visitor, Query(choice): Query<Choice>) -> Result<Response, Failure> {
    demo(&visitor)?;
    let messages = heard(&visitor, id(&choice.chosen)?).await?;
    visitor.page(StatusCode::OK, Menu::None, &PhoneFragment { messages })
}

/// What the phone shows: what the customer said, and what of ours was accepted.
async fn heard(visitor: &Visitor, customer: CustomerId) -> Result<Vec<PhoneMessage>, Failure> {
    let found = visitor
        .app
        .crm
        .conversation(&player(), customer, None, MESSAGES)
        .await?;
    let times = times(visitor);
    let arrived = |activity: &&Activity| activity.send_state().is_none_or(|state| state == SendState::Sent);
    Ok(found
        .iter()
        .rev()
        .filter(arrived)
        .map(|activity| PhoneMessage::of(activity, &times))
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(rename = "as")]
    player: String,
    text: String,
}

#[handler]
async fn say(visitor: Visitor, Open(said): Open<Said>) -> Result<Response, Failure> {
    let demo = demo(&visitor)?;
    let line = visitor
        .app
        .crm
        .show_customer(&player(), id(&said.player)?)
        .await?;
    let user = line.customer.details.line_user_id.ok_or(Failure::NoSuchPage)?;
    let text = said.text.trim();
    if !text.is_empty() && !demo.say(user.as_str(), text).await {
        return Err(Failure::Broken("the simulator did not take the message"));
    }
    let back = links::with_query(links::PHONE, &[("as", &line.customer.id.to_string())]);
    Ok(visitor.redirect(&back, None))
}

impl Player {
    fn of(line: &CustomerLine) -> Player {
        let (id, name) = (line.customer.id.get(), line.customer.details.name.full());
        Player {
            id,
            face: Face::of(id, &name),
            name,
            company: line.company_name.clone(),
        }
    }
}

impl PhoneMessage {
    fn of(activity: &Activity, times: &Times) -> PhoneMessage {
        PhoneMessage {
            mine: activity.direction == Direction::Received,
            text: activity.message.clone(),
            time: times.clock(activity.timestamp),
            exact: times.exact(activity.timestamp),
            iso: times.iso(activity.timestamp),
        }
    }
}
