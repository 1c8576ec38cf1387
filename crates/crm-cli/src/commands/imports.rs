//! `crm import`.

use std::path::{Path, PathBuf};

use crm_compose::{Need, TimeZone};
use serde_json::{Value, json};

use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::poc::{self, PocFile};
use crate::table::{self, Kind, Sheet, TableReport};
use crate::texts::Texts;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Import {
    /// Take in a database of the Python proof of concept; safe to repeat. Refused while the server runs.
    Poc {
        /// The database file (database.db).
        file: PathBuf,
        /// In which time zone its times are written; the one of the settings if not given.
        #[arg(long, value_name = "ZONE")]
        timezone: Option<String>,
    },
    /// Take in customers from a CSV file.
    Customers(TableArgs),
    /// Take in companies from a CSV file.
    Companies(TableArgs),
    /// Take in messages from a CSV file.
    Activities(TableArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct TableArgs {
    /// The file: CSV in UTF-8, its first line the names of the fields.
    file: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Why, in one line, for the audit log.
    #[arg(long, value_name = "R")]
    reason: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Import) -> Outcome {
    match command {
        Import::Poc { file, timezone } => import_poc(context, &file, timezone.as_deref()).await,
        Import::Customers(args) => import_table(context, Kind::Customers, &args).await,
        Import::Companies(args) => import_table(context, Kind::Companies, &args).await,
        Import::Activities(args) => import_table(context, Kind::Activities, &args).await,
    }
}

async fn import_poc(context: &Context, file: &Path, zone: Option<&str>) -> Outcome {
    let zone = match zone {
        None => None,
        Some(name) => Some(
            TimeZone::named(name)
                .ok_or_else(|| Failure::Misused("timezone", vec![("given", name.to_owned())]))?,
        ),
    };
    let source = PocFile::open(file)?;
    let desk = context.desk(Need::Store).await?;
    let lock = desk.parts.lock_store().await?;
    let zone = zone.unwrap_or_else(|| desk.zone().clone());
    let report = poc::import(&desk, source, &zone, context.output.texts()).await?;
    drop(lock);
    if context.output.is_json() {
        context.output.said("", &report);
        return DONE;
    }
    context.output.list(&report.rows(), desk.zone());
    let texts = context.output.texts();
    for row in &report.differing {
        output::raw(&format!("{}\n", row.line(texts)));
    }
    for (reason, count) in &report.mended {
        let line = texts.fill(&format!("mended.{reason}"), &[("count", &count.to_string())]);
        output::raw(&format!("{line}\n"));
    }
    DONE
}

async fn import_table(context: &Context, kind: Kind, args: &TableArgs) -> Outcome {
    let sheet = Sheet::read(&args.file, kind)?;
    let desk = context.desk(Need::Store).await?;
    if !args.dry_run {
        let crm = &desk.parts.crm;
        crm.note_table_import(&desk.actor, kind.name(), args.reason.as_deref())
            .await?;
    }
    let report = table::import(&desk, &sheet, args.dry_run).await?;
    if !args.dry_run {
        let counts = [report.created, report.updated, report.rejected];
        let crm = &desk.parts.crm;
        crm.note_table_imported(&desk.actor, kind.name(), counts).await?;
    }
    let texts = context.output.texts();
    let errors: Vec<Value> = report.errors.iter().map(|error| error.json(texts)).collect();
    let json = json!({
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "errors": errors,
        "warnings": warnings(&report, texts),
        "dry_run": args.dry_run,
        "reason": args.reason,
    });
    let mut sentence = texts.fill(
        if args.dry_run {
            "import.would"
        } else {
            "import.done"
        },
        &[
            ("created", &report.created.to_string()),
            ("updated", &report.updated.to_string()),
            ("unchanged", &report.unchanged.to_string()),
            ("rejected", &report.rejected.to_string()),
        ],
    );
    for error in &report.errors {
        sentence.push('\n');
        sentence.push_str(&error.line(texts));
    }
    for line in &report.login_ids {
        sentence.push('\n');
        sentence.push_str(&login_id(*line, texts));
    }
    context.output.said(&sentence, &json);
    DONE
}

fn warnings(report: &TableReport, texts: &Texts) -> Vec<Value> {
    let warning = |line: &u64| {
        json!({
            "line": line,
            "field": "line_user_id",
            "code": "login_id",
            "message": login_id(*line, texts),
        })
    };
    report.login_ids.iter().map(warning).collect()
}

fn login_id(line: u64, texts: &Texts) -> String {
    texts.fill("import.login_id", &[("line", &line.to_string())])
}
