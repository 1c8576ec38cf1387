//! `crm audit`.

use crm_compose::{Need, TimeZone};
use crm_domain::audit::{AuditFilter, AuditPlace, Head};
use crm_domain::instant::Instant;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{AuditDetail, AuditFault, AuditReport};
use serde_json::{Value, json};
use time::Date;
use time::macros::{format_description, time};

use super::{DONE, FAILED, Outcome};
use crate::audit_rows::AuditRow;
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::texts::Texts;

/// How many entries a table shows.
const ROWS: usize = 50;
/// How many entries are read at once.
const PAGE: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    /// Prove that no entry of the audit log was changed or removed.
    Verify {
        /// The end of the log as it was written down earlier (position:mac): also finds that its end was cut off.
        #[arg(long)]
        head: Option<Head>,
    },
    /// Show who did what, newest first.
    List {
        /// The code of an act as the JSON has it, a record (customer:12), an address, or a part of a name.
        #[arg(long)]
        query: Option<String>,
        /// From this day on (2026-12-31).
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Up to this day, it included.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// The most entries; 50 in a table and all in JSON if not given.
        #[arg(long)]
        limit: Option<usize>,
    },
}

pub(crate) async fn run(context: &Context, command: Audit) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    match command {
        Audit::Verify { head } => verify(context, &desk, head).await,
        Audit::List {
            query,
            from,
            to,
            limit,
        } => {
            let text = query.unwrap_or_default();
            let filter = AuditFilter {
                from: from.map(|day| begin(&day, 0, desk.zone())).transpose()?,
                to: to.map(|day| begin(&day, 1, desk.zone())).transpose()?,
                ..AuditFilter::searching(&text)
            };
            let usual = if context.output.is_json() {
                usize::MAX
            } else {
                ROWS
            };
            let found = read(&desk, &filter, limit.unwrap_or(usual)).await?;
            let rows: Vec<AuditRow> = found.iter().map(AuditRow::new).collect();
            context.output.list(&rows, desk.zone());
            DONE
        }
    }
}

async fn read(desk: &Desk, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditDetail>, Failure> {
    let crm = &desk.parts.crm;
    let mut all: Vec<AuditDetail> = Vec::new();
    loop {
        let after: Option<AuditPlace> = all.last().map(|last| last.entry.place());
        let wanted = PAGE.min(limit - all.len());
        let part = crm
            .list_audit_details(&desk.actor, filter.clone(), after, wanted)
            .await?;
        let ended = part.len() < wanted;
        all.extend(part);
        if ended || all.len() >= limit {
            return Ok(all);
        }
    }
}

/// When a day begins that was typed, or one some days later.
fn begin(text: &str, later: i64, zone: &TimeZone) -> Result<Instant, Failure> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .ok()
        .and_then(|day| day.checked_add(time::Duration::days(later)))
        .map(|day| zone.instant_of(day.with_time(time!(0:00))))
        .ok_or_else(|| Failure::Misused("day", vec![("given", text.to_owned())]))
}

async fn verify(context: &Context, desk: &Desk, head: Option<Head>) -> Outcome {
    let crm = &desk.parts.crm;
    // A running server seals by itself.
    if !desk.parts.server_runs().await? {
        while crm.seal_audit(&Actor::Job("crm")).await?.sealed > 0 {}
    }
    let report = crm.verify_audit(&desk.actor, head).await?;
    context
        .output
        .said(&sentences(&report, context.output.texts()), &object(&report));
    if report.faults.is_empty() { DONE } else { FAILED }
}

fn sentences(report: &AuditReport, texts: &Texts) -> String {
    let count = |key: &str, count: String| texts.fill(key, &[("count", &count)]);
    let mut lines: Vec<String> = report
        .faults
        .iter()
        .map(|fault| {
            let (code, first, second) = parts(*fault);
            let words = [("position", first.to_string()), ("id", second.to_string())];
            let words = words.each_ref().map(|(name, value)| (*name, value.as_str()));
            texts.fill(&format!("audit.fault.{code}"), &words)
        })
        .collect();
    let verdict = if lines.is_empty() {
        "audit.whole"
    } else {
        "audit.broken"
    };
    lines.push(count(verdict, report.checked.to_string()));
    if report.emptied > 0 {
        lines.push(count("audit.emptied", report.emptied.to_string()));
    }
    if report.waiting > 0 {
        lines.push(count("audit.waiting", report.waiting.to_string()));
    }
    if let Some(head) = report.head {
        lines.push(texts.fill("audit.head", &[("head", &head.to_string())]));
    }
    lines.join("\n")
}

fn object(report: &AuditReport) -> Value {
    let faults: Vec<Value> = report
        .faults
        .iter()
        .map(|fault| {
            let (code, position, id) = parts(*fault);
            json!({"code": code, "position": position, "id": id})
        })
        .collect();
    json!({
        "checked": report.checked,
        "waiting": report.waiting,
        "emptied": report.emptied,
        "head": report.head.map(|head| head.to_string()),
        "faults": faults,
    })
}

/// A fault's name, the position where it is, and the entry's id or the last position; 0 where there is none.
fn parts(fault: AuditFault) -> (&'static str, i64, i64) {
    match fault {
        AuditFault::Changed(position, id) => ("changed", position, id.get()),
        AuditFault::Missing(position, id) => ("missing", position, id.get()),
        AuditFault::ValueChanged(position, id) => ("value_changed", position, id.get()),
        AuditFault::Gap(first, last) => ("gap", first, last),
        AuditFault::Loose(id) => ("loose", 0, id.get()),
        AuditFault::Cut(position) => ("cut", position, 0),
        AuditFault::OtherHead(position) => ("other_head", position, 0),
    }
}
