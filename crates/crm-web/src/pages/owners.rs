//! Owners (担当者): which member looks after a customer.

use crm_domain::customers::{CustomerId, CustomerLine};
use crm_domain::error::Error;
use crm_domain::members::MemberId;
use crm_domain::permissions::Action;
use crm_domain::values::Problem;
use poem::web::Path;
use poem::{Response, Route, handler, post};
use serde::Deserialize;

use super::{id, may};
use crate::auth::{Protected, Signed, Visitor};
use crate::links;
use crate::problem::Failure;
use crate::views::customers::OwnerView;

pub(super) fn mount(route: Route) -> Route {
    route.at("/customer/:id/owner", post(assign))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    /// The member's number; empty for 担当者なし.
    owner_id: String,
}

#[handler]
async fn assign(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: chosen }: Protected<Chosen>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let owner = match chosen.owner_id.trim() {
        "" => None,
        number => Some(
            number
                .parse::<MemberId>()
                .map_err(|_| Error::field("owner_id", Problem::Missing))?,
        ),
    };
    visitor.app.crm.assign_owner(&by.actor, customer, owner).await?;
    Ok(visitor.redirect(&links::customer(customer.get()), Some(("owner_changed", None))))
}

/// The owner of a customer, and who else can be chosen.
pub(super) async fn owner(visitor: &Visitor, by: &Signed, line: &CustomerLine) -> Result<OwnerView, Failure> {
    let may_choose = may(by, Action::EditRecords) && may(by, Action::HandleConversations);
    let members = if may_choose {
        visitor.app.crm.colleagues(&by.actor).await?
    } else {
        Vec::new()
    };
    Ok(OwnerView {
        id: line.customer.owner_id.map(MemberId::get),
        name: line.owner_name.clone(),
        choices: members.into_iter().map(Into::into).collect(),
        may_choose,
    })
}
