//! How long things are kept: rules, what would go, holds, the daily run, receipts.

use crm_domain::customers::CustomerId;
use crm_domain::erasures::Erasure;
use crm_domain::error::Error;
use crm_domain::permissions::Action;
use crm_domain::retention::{Hold, HouseRun, RuleKind};
use crm_domain::tally::Tally;
use crm_domain::use_cases::RulePreview;
use crm_domain::values::Problem;
use crm_domain::values::normalise::fold_compact;
use poem::http::{StatusCode, header};
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::{id, times};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::format::Times;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::retention::{
    HOLD_FIELDS, HoldRow, RULE_FIELDS, ReceiptRow, RetentionPage, RuleRow, RunView, TakenRow,
};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::RETENTION, get(show))
        .at("/admin/retention/rules", post(set_rules))
        .at("/admin/retention/run", post(run_now))
        .at("/admin/retention/holds", post(place_hold))
        .at("/admin/retention/holds/:id/lift", post(lift_hold))
        .at("/customer/:id/export", post(export))
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw(&visitor, &by, None, None, StatusCode::OK).await
}

/// The page, with the forms as they were typed where they were refused.
async fn draw(
    visitor: &Visitor,
    by: &Signed,
    rules: Option<FormState>,
    hold: Option<FormState>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let overview = visitor.app.crm.retention(&by.actor).await?;
    let times = times(visitor);
    let set = overview
        .rules
        .iter()
        .fold(FormState::of(&RULE_FIELDS), |form, line| {
            form.with(line.rule.kind.code(), months(line))
        });
    let page = RetentionPage {
        rules: overview.rules.iter().map(|line| rule(line, &times)).collect(),
        form: rules.unwrap_or(set),
        trash: overview.trash,
        holds: overview.holds.iter().map(|hold| hold_row(hold, &times)).collect(),
        hold_form: hold.unwrap_or_else(|| FormState::of(&HOLD_FIELDS)),
        run: overview.last_run.as_ref().map(|run| run_view(run, &times)),
        receipts: overview
            .receipts
            .iter()
            .map(|receipt| receipt_row(receipt, &times))
            .collect(),
    };
    visitor.page(status, Menu::AdminRetention, &page)
}

fn months(line: &RulePreview) -> String {
    line.rule
        .months
        .map(|months| months.to_string())
        .unwrap_or_default()
}

fn rule(line: &RulePreview, times: &Times) -> RuleRow {
    RuleRow {
        kind: line.rule.kind.code(),
        months: months(line),
        count: line.before.map(|_| line.foreseen.count),
        held: line.foreseen.held,
        oldest: line.foreseen.oldest.map(|at| times.date(at)),
    }
}

fn hold_row(hold: &Hold, times: &Times) -> HoldRow {
    HoldRow {
        id: hold.id.get(),
        customer: hold.customer_id.map(CustomerId::get),
        name: hold.customer_name.clone(),
        reason: hold.reason.clone(),
        at: times.exact(hold.placed_at),
        by: hold.placed_by.clone(),
    }
}

fn taken(tally: &Tally) -> Vec<TakenRow> {
    let rows = tally.iter().map(|(kind, count)| TakenRow {
        kind: kind.code(),
        count,
    });
    rows.collect()
}

fn run_view(run: &HouseRun, times: &Times) -> RunView {
    RunView {
        at: times.exact(run.started_at),
        ended: run.finished_at.is_some(),
        held: run.held,
        taken: taken(&run.tally),
    }
}

fn receipt_row(receipt: &Erasure, times: &Times) -> ReceiptRow {
    ReceiptRow {
        id: receipt.id.get(),
        at: times.exact(receipt.requested_at),
        by: receipt.requested_by.clone(),
        finished: receipt.finished_at.map(|at| times.exact(at)),
        state: receipt.state.code(),
        cause: receipt.cause.code(),
        subject: receipt.subject.clone(),
        taken: taken(&receipt.tally),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rules {
    messages: String,
    notes: String,
    unknown_senders: String,
    audit: String,
}

impl Rules {
    fn typed(&self, kind: RuleKind) -> &str {
        match kind {
            RuleKind::Messages => &self.messages,
            RuleKind::Notes => &self.notes,
            RuleKind::UnknownSenders => &self.unknown_senders,
            RuleKind::Audit => &self.audit,
        }
    }
}

#[handler]
async fn set_rules(visitor: Visitor, Protected { by, data }: Protected<Rules>) -> Result<Response, Failure> {
    let typed = RuleKind::ALL.map(|kind| (kind, data.typed(kind)));
    if let Err(error) = visitor.app.crm.set_rules(&by.actor, &typed).await {
        let Error::Invalid(_) = error else {
            return Err(error.into());
        };
        let empty = FormState::of(&RULE_FIELDS);
        let mut form = typed
            .into_iter()
            .fold(empty, |form, (kind, months)| form.with(kind.code(), months));
        form.refuse_with(&error);
        return draw(&visitor, &by, Some(form), None, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    Ok(visitor.redirect(links::RETENTION, Some(("saved", None))))
}

#[handler]
#[expect(clippy::needless_pass_by_value, reason = "poem hands over what it extracts")]
fn run_now(visitor: Visitor, form: Protected<Nothing>) -> Result<Response, Failure> {
    visitor.app.crm.may(&form.by.actor, Action::ManagePrivacy)?;
    visitor.app.signals.house_wanted();
    Ok(visitor.redirect(links::RETENTION, Some(("house_begun", None))))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewHold {
    /// The customer's number; empty for everything.
    customer: String,
    reason: String,
}

#[handler]
async fn place_hold(
    visitor: Visitor,
    Protected { by, data }: Protected<NewHold>,
) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManagePrivacy)?;
    let placed = match fold_compact(&data.customer).as_str() {
        "" => visitor.app.crm.place_hold(&by.actor, None, &data.reason).await,
        number => match number.parse() {
            Ok(customer) => {
                let crm = &visitor.app.crm;
                let placed = crm.place_hold(&by.actor, Some(customer), &data.reason).await;
                placed.map_err(|error| match error {
                    Error::Invalid(fields) if fields.iter().any(|field| field.field == "customer_id") => {
                        Error::field("customer", Problem::Missing)
                    }
                    other => other,
                })
            }
            Err(_) => Err(Error::field("customer", Problem::Malformed)),
        },
    };
    match placed {
        Ok(_) => Ok(visitor.redirect(links::RETENTION, Some(("hold_placed", None)))),
        Err(error @ Error::Invalid(_)) => {
            let mut form = FormState::of(&HOLD_FIELDS)
                .with("customer", &data.customer)
                .with("reason", &data.reason);
            form.refuse_with(&error);
            draw(&visitor, &by, None, Some(form), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

#[handler]
async fn lift_hold(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    visitor.app.crm.lift_hold(&form.by.actor, id(&number)?).await?;
    Ok(visitor.redirect(links::RETENTION, Some(("hold_lifted", None))))
}

/// Everything held about a customer, as a file.
#[handler]
async fn export(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    let customer: CustomerId = id(&number)?;
    let dossier = visitor.app.crm.export_customer(&form.by.actor, customer).await?;
    let text = serde_json::to_string_pretty(&dossier)
        .map_err(|_| Failure::Broken("a dossier could not be written"))?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"customer-{customer}.json\""),
        )
        .body(text))
}
