//! `crm migrate`.

use crm_compose::{Need, TimeZone};
use serde::Serialize;

use super::{DONE, Outcome};
use crate::context::Context;
use crate::output::{self, Row, View};

#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// Only show which migrations the database has.
    #[arg(long)]
    status: bool,
    /// Apply what is missing to a copy, and show what would be applied.
    #[arg(long, conflicts_with = "status")]
    dry_run: bool,
}

#[derive(Serialize)]
struct MigrationRow {
    name: String,
    applied: bool,
}

impl Row for MigrationRow {
    const COLUMNS: &'static [&'static str] = &["migration", "applied"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let applied = if self.applied { "word.yes" } else { "word.no" };
        vec![self.name.clone(), view.texts.text(applied)]
    }
}

pub(crate) async fn run(context: &Context, command: &Migrate) -> Outcome {
    if command.status {
        return show(context).await;
    }
    if command.dry_run {
        return rehearse(context).await;
    }
    let (desk, applied) = context.desk_and_migrations(Need::Store).await?;
    let rows: Vec<MigrationRow> = applied
        .into_iter()
        .map(|name| MigrationRow { name, applied: true })
        .collect();
    told(context, &rows, desk.zone())
}

/// The rows, or that there is nothing to do.
fn told(context: &Context, rows: &[MigrationRow], zone: &TimeZone) -> Outcome {
    if rows.is_empty() && !context.output.is_json() {
        output::raw(&format!("{}\n", context.output.texts().text("migrate.nothing")));
    } else {
        context.output.list(rows, zone);
    }
    DONE
}

async fn show(context: &Context) -> Outcome {
    let (all, zone) = context.migrations().await?;
    let rows: Vec<MigrationRow> = all
        .into_iter()
        .map(|migration| MigrationRow {
            name: migration.name,
            applied: migration.applied,
        })
        .collect();
    context.output.list(&rows, &zone);
    DONE
}

/// What would be applied. A database that was never made is not made for this.
async fn rehearse(context: &Context) -> Outcome {
    let (all, zone) = context.migrations().await?;
    if all.iter().any(|migration| migration.applied) {
        let desk = context.desk_as_it_is()?;
        desk.parts.rehearse_migrations().await?;
    }
    let missing = all.into_iter().filter(|migration| !migration.applied);
    let rows: Vec<MigrationRow> = missing
        .map(|migration| MigrationRow {
            name: migration.name,
            applied: false,
        })
        .collect();
    told(context, &rows, &zone)
}
