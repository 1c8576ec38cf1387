//! The trash: look, bring back, delete for good.

use std::time::Duration;

use crm_domain::erasures::ErasureState;
use crm_domain::id::Id;
use crm_domain::instant::Instant;
use crm_domain::permissions::{Action, Actor};
use crm_domain::trash::{TrashKey, TrashPlace, Trashed};
use crm_domain::use_cases::{Begun, Crm, Restoration};
use poem::http::StatusCode;
use poem::web::{Path, Query};
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;
use tracing::Instrument as _;

use super::{id, may, times};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::format::Times;
use crate::links;
use crate::page::Menu;
use crate::problem::{Failure, causes};
use crate::views::system::DeletePage;
use crate::views::trash::{CollisionPage, CollisionRow, TrashPage, TrashRow};

/// How many rows a page shows.
const ROWS: usize = 50;
/// How long the page waits; what is left is done behind it.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::TRASH, get(list))
        .at("/trash/customer/:id/restore", post(restore_customer))
        .at("/trash/company/:id/restore", post(restore_company))
        .at(
            "/trash/customer/:id/erase",
            get(ask_customer).post(erase_customer),
        )
        .at("/trash/company/:id/erase", get(ask_company).post(erase_company))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrashQuery {
    /// Where the page before ended: the time in milliseconds, the kind, the number.
    after: String,
}

fn place(text: &str) -> Result<Option<TrashPlace>, Failure> {
    let wrong = Failure::Parameter("after");
    let mut parts = text.split('.');
    let (Some(at), Some(kind), Some(number)) = (parts.next(), parts.next(), parts.next()) else {
        return if text.is_empty() { Ok(None) } else { Err(wrong) };
    };
    let number: i64 = number.parse().map_err(|_| Failure::Parameter("after"))?;
    let at: i64 = at.parse().map_err(|_| Failure::Parameter("after"))?;
    let key = match kind {
        "customer" => TrashKey::Customer(Id::new(number)),
        "company" => TrashKey::Company(Id::new(number)),
        _ => return Err(wrong),
    };
    Ok(Some(TrashPlace {
        deleted_at: Instant::from_unix_millis(at),
        key,
    }))
}

fn next(place: TrashPlace) -> String {
    let after = format!(
        "{}.{}.{}",
        place.deleted_at.unix_millis(),
        place.key.code(),
        place.key.number()
    );
    links::with_query(links::TRASH, &[("after", &after)])
}

#[handler]
async fn list(visitor: Visitor, by: Signed, Query(query): Query<TrashQuery>) -> Result<Response, Failure> {
    let found = visitor.app.crm.list_trash(&by.actor, place(&query.after)?, ROWS);
    let found = found.await?;
    let times = times(&visitor);
    let page = TrashPage {
        rows: found
            .items
            .iter()
            .map(|row| line(row, found.held.contains(&row.key), &times))
            .collect(),
        next: found.next.map(next),
        restores: may(&by, Action::DeleteRecords),
        erases: may(&by, Action::EraseRecords),
    };
    visitor.page(StatusCode::OK, Menu::Trash, &page)
}

fn line(row: &Trashed, held: bool, times: &Times) -> TrashRow {
    TrashRow {
        kind: row.key.code(),
        id: row.key.number(),
        name: row.name.clone(),
        at: times.exact(row.deleted_at),
        by: row.deleted_by.clone(),
        gone: times.date(row.gone_at()),
        held,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Anyway {
    anyway: String,
}

#[handler]
async fn restore_customer(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data }: Protected<Anyway>,
) -> Result<Response, Failure> {
    let customer = id(&number)?;
    let crm = &visitor.app.crm;
    let restored = crm.restore_customer(&by.actor, customer, data.anyway == "1");
    let Restoration::Collides(collisions) = restored.await? else {
        let page = links::customer(customer.get());
        return Ok(visitor.redirect(&page, Some(("customer_restored", None))));
    };
    let trashed = crm.show_trashed(&by.actor, TrashKey::Customer(customer)).await?;
    let page = CollisionPage {
        id: customer.get(),
        name: trashed.name,
        collisions: collisions
            .into_iter()
            .map(|other| CollisionRow {
                field: other.field,
                id: other.customer.get(),
                name: other.name,
            })
            .collect(),
    };
    visitor.page(StatusCode::CONFLICT, Menu::Trash, &page)
}

#[handler]
async fn restore_company(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let company: Id<_> = id(&number)?;
    visitor.app.crm.restore_company(&form.by.actor, company).await?;
    let page = links::company(company.get());
    Ok(visitor.redirect(&page, Some(("company_restored", None))))
}

#[handler]
async fn ask_customer(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    ask(&visitor, &by, TrashKey::Customer(id(&number)?)).await
}

#[handler]
async fn ask_company(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    ask(&visitor, &by, TrashKey::Company(id(&number)?)).await
}

async fn ask(visitor: &Visitor, by: &Signed, key: TrashKey) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::EraseRecords)?;
    let trashed = visitor.app.crm.show_trashed(&by.actor, key).await?;
    let page = DeletePage {
        what: match key {
            TrashKey::Customer(_) => "erase_customer",
            TrashKey::Company(_) => "erase_company",
        },
        name: trashed.name,
        action: format!("{}/{}/{}/erase", links::TRASH, key.code(), key.number()),
        back: links::TRASH.to_owned(),
    };
    visitor.page(StatusCode::OK, Menu::Trash, &page)
}

#[handler]
async fn erase_customer(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let (crm, actor, customer) = (&visitor.app.crm, &form.by.actor, id(&number)?);
    actor.may(Action::EraseRecords)?;
    crm.show_trashed(actor, TrashKey::Customer(customer)).await?;
    let begun = crm.begin_erasing(actor, customer).await?;
    let erased = tokio::spawn(erase(crm.clone(), actor.clone(), begun).in_current_span());
    let is_done = matches!(tokio::time::timeout(PATIENCE, erased).await, Ok(Ok(true)));
    let told = if is_done { "erased" } else { "erasing" };
    Ok(visitor.redirect(links::TRASH, Some((told, None))))
}

/// Erases what was begun, also when nobody waits for it any more; says whether all of it is gone. What is broken off here is
/// done by the housekeeper.
async fn erase(crm: Crm, actor: Actor, begun: Begun) -> bool {
    match crm.go_on_erasing(&actor, begun).await {
        Ok(receipt) => receipt.state == ErasureState::Done,
        Err(error) => {
            tracing::error!(
                "an erasure was broken off and will be gone on with: {}",
                causes(&error)
            );
            false
        }
    }
}

#[handler]
async fn erase_company(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    visitor
        .app
        .crm
        .erase_company(&form.by.actor, id(&number)?)
        .await?;
    Ok(visitor.redirect(links::TRASH, Some(("erased", None))))
}
