//! `crm db`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_compose::settings::{DataSettings, Database};
use crm_compose::transfer::{Copied, CopyError, Side, TableProof, copy};
use crm_compose::{Need, Settings};
use serde::Serialize;
use serde_json::json;

use super::{DONE, FAILED, Outcome};
use crate::context::Context;
use crate::copy_progress::CopyProgress;
use crate::failure::Failure;
use crate::output::{self, Row, View};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Databases {
    /// Copy a whole database, with its files, into an empty one, and prove that both are equal.
    Copy(Copy),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    /// What is copied: sqlite://… or postgres://…; `@FILE` reads the address from a file, `-` from standard input.
    from: String,
    /// Where to: a database that is empty.
    to: String,
    /// The folder of the source's files, if it is not `files` beside its database file.
    #[arg(long)]
    from_files: Option<PathBuf>,
    /// The folder of the target's files, if it is not `files` beside its database file.
    #[arg(long)]
    to_files: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, command: Databases) -> Outcome {
    let Databases::Copy(command) = command;
    if command.from == "-" && command.to == "-" {
        return Err(Failure::Misused("copy_two_inputs", Vec::new()));
    }
    let settings = context.settings(Need::Store)?.settings;
    let side = |word: &str, files: Option<PathBuf>| -> Result<Side, Failure> {
        let database = database(word)?;
        let files = files.unwrap_or_else(|| files_of(&database, &settings.data));
        Ok(Side { database, files })
    };
    let from = side(&command.from, command.from_files)?;
    let to = side(&command.to, command.to_files)?;
    let ends = (from.database.to_string(), to.database.to_string());
    let progress = Arc::new(CopyProgress::new(&context.output));
    let copied = copy(from, to, &settings, &context.actor(), progress.teller()).await;
    progress.end();
    let copied = copied.map_err(failure)?;
    show(context, &settings, &copied, &ends)
}

fn failure(error: CopyError) -> Failure {
    match error {
        CopyError::Start(error) => Failure::Start(error),
        other => {
            let (code, pairs) = other.told();
            Failure::Own(code, pairs)
        }
    }
}

/// The address as given, from a file, or from standard input. It may hold a password, which others see in a command line.
fn database(word: &str) -> Result<Database, Failure> {
    let text = if word == "-" {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(10_000).read_to_string(&mut text);
        read.map_err(|error| Failure::io("-", &error))?;
        text
    } else if let Some(file) = word.strip_prefix('@') {
        std::fs::read_to_string(file).map_err(|error| Failure::io(file, &error))?
    } else {
        word.to_owned()
    };
    let url = text.trim();
    Database::of_url(url).map_err(|_| {
        let shown = url
            .split("://")
            .next()
            .filter(|_| url.contains("://"))
            .unwrap_or("?");
        Failure::Misused("copy_address", vec![("scheme", shown.to_owned())])
    })
}

/// Beside the database file, unless the settings have another place for it.
fn files_of(database: &Database, data: &DataSettings) -> PathBuf {
    match database.file() {
        Some(file) if data.database.file() != Some(file) => {
            file.parent().unwrap_or_else(|| Path::new("")).join("files")
        }
        _ => data.files_dir.clone(),
    }
}

#[derive(Serialize)]
struct ProofRow {
    table: String,
    source_rows: u64,
    target_rows: u64,
    source_sha256: String,
    target_sha256: String,
    equal: bool,
}

impl ProofRow {
    fn of(proof: &TableProof) -> Self {
        Self {
            table: proof.table.clone(),
            source_rows: proof.source.rows,
            target_rows: proof.target.rows,
            source_sha256: proof.source.sha256.to_string(),
            target_sha256: proof.target.sha256.to_string(),
            equal: proof.is_equal(),
        }
    }
}

impl Row for ProofRow {
    const COLUMNS: &'static [&'static str] = &["table", "source_rows", "target_rows", "sha256", "equal"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let hashes = if self.equal {
            short(&self.source_sha256)
        } else {
            format!("{} ≠ {}", short(&self.source_sha256), short(&self.target_sha256))
        };
        vec![
            self.table.clone(),
            self.source_rows.to_string(),
            self.target_rows.to_string(),
            hashes,
            view.texts.text(if self.equal { "word.yes" } else { "word.no" }),
        ]
    }
}

fn show(context: &Context, settings: &Settings, copied: &Copied, ends: &(String, String)) -> Outcome {
    let rows: Vec<ProofRow> = copied.tables.iter().map(ProofRow::of).collect();
    let odd: Vec<&str> = rows
        .iter()
        .filter(|row| !row.equal)
        .map(|row| row.table.as_str())
        .collect();
    let texts = context.output.texts();
    if context.output.is_json() {
        let value = json!({"from": ends.0, "to": ends.1, "finished": copied.finished, "tables": rows,
            "files": copied.files.there, "files_missing": copied.files.missing, "given_up": copied.given_up});
        context.output.said("", &value);
    } else {
        context.output.list(&rows, &settings.web.time_zone);
    }
    if !copied.finished {
        output::note(&texts.fill("copy.differs", &[("tables", &odd.join(", ")), ("to", &ends.1)]));
        return FAILED;
    }
    if context.output.is_json() {
        return DONE;
    }
    let mut lines = vec![texts.fill(
        "copy.done",
        &[("to", &ends.1), ("files", &copied.files.there.to_string())],
    )];
    for (key, count) in [
        ("copy.given_up", copied.given_up),
        ("copy.files_missing", copied.files.missing),
    ] {
        if count > 0 {
            lines.push(texts.fill(key, &[("count", &count.to_string())]));
        }
    }
    let dir = &settings.data.spool_dir;
    let spooled = crm_compose::spooled_in(dir).unwrap_or_default();
    if spooled > 0 {
        let (count, dir) = (spooled.to_string(), dir.display().to_string());
        lines.push(texts.fill("copy.spooled", &[("count", &count), ("dir", &dir)]));
    }
    lines.push(texts.text("copy.next"));
    output::raw(&format!("{}\n", lines.join("\n")));
    DONE
}
