//! Owners (担当者): which member looks after a customer.

use crm_domain::customers::{CustomerId, CustomerLine};
use crm_domain::error::Error;
use crm_domain::members::MemberId;
use crm_domain::permissions::Action;
use crm_domain::teams::TeamId;
use crm_domain::values::Problem;
use poem::web::Path;
use poem::{Response, Route, handler, post};
use serde::Deserialize;

use super::{id, may};
use crate::auth::{Protected, Signed, Visitor};
use crate::links;
use crate::problem::Failure;
use crate::views::customers::{OwnerChoice, OwnerView};

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/customer/:id/owner", post(assign))
        .at("/customer/:id/team", post(assign_team))
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
    changed(&visitor, &by, customer, "owner_changed").await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChosenTeam {
    /// The team's number; empty for none.
    team_id: String,
}

#[handler]
async fn assign_team(
    visitor: Visitor,
    Path(number): Path<String>,
    Protected { by, data: chosen }: Protected<ChosenTeam>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let team = match chosen.team_id.trim() {
        "" => None,
        number => Some(
            number
                .parse::<TeamId>()
                .map_err(|_| Error::field("team_id", Problem::Missing))?,
        ),
    };
    visitor.app.crm.assign_team(&by.actor, customer, team).await?;
    changed(&visitor, &by, customer, "team_changed").await
}

/// The customer's page; the list when the reader has given the customer out of sight.
async fn changed(
    visitor: &Visitor,
    by: &Signed,
    customer: CustomerId,
    notice: &'static str,
) -> Result<Response, Failure> {
    let page = match visitor.app.crm.show_customer(&by.actor, customer).await {
        Ok(_) => links::customer(customer.get()),
        Err(Error::NotFound(_)) => links::CUSTOMERS.to_owned(),
        Err(error) => return Err(error.into()),
    };
    Ok(visitor.redirect(&page, Some((notice, None))))
}

/// The owner of a customer, and who else can be chosen.
pub(super) async fn owner(visitor: &Visitor, by: &Signed, line: &CustomerLine) -> Result<OwnerView, Failure> {
    let may_choose = may(by, Action::EditRecords) && may(by, Action::HandleConversations);
    let members = if may_choose {
        visitor.app.crm.colleagues(&by.actor).await?
    } else {
        Vec::new()
    };
    let teams = visitor.app.crm.list_teams(&by.actor).await?;
    Ok(OwnerView {
        team: line.customer.team_id.map(TeamId::get),
        teams: teams
            .into_iter()
            .map(|team| OwnerChoice {
                id: team.id.get(),
                name: team.name,
            })
            .collect(),
        id: line.customer.owner_id.map(MemberId::get),
        name: line.owner_name.clone(),
        choices: members.into_iter().map(Into::into).collect(),
        may_choose,
    })
}
