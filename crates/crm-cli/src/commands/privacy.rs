//! `crm trash`, `crm retention`, and what is done about one person: restore, erase, export.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crm_compose::Need;
use crm_domain::customers::CustomerId;
use crm_domain::dossiers::{Datum, Dossier};
use crm_domain::ports::blobs::BlobHash;
use crm_domain::retention::{HoldId, MONTHS_MAX, RuleKind};
use crm_domain::tally::DataKind;
use crm_domain::use_cases::Restoration;
use serde_json::json;

use super::{DONE, FAILED, Outcome};
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::output;
use crate::privacy_rows::{HoldRow, RuleRow, TrashRow};

/// How many rows of the trash are read together.
const AT_ONCE: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Trash {
    /// Show what was deleted, newest first.
    List,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Retention {
    /// Show the rules and what they would take today.
    Preview,
    /// Delete now what is over its time.
    Run,
    /// Say after how many months something goes.
    Set {
        /// Of what.
        #[arg(value_parser = ["messages", "notes", "unknown_senders", "audit"])]
        kind: String,
        /// How many months, 1 to 1200; none for ever.
        #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MONTHS_MAX)))]
        months: Option<u32>,
    },
    /// Show what is held back.
    Holds,
    /// Hold deletion back, of a customer or of everything.
    Hold {
        /// The customer's id; everything without it.
        #[arg(long)]
        customer: Option<CustomerId>,
        /// Why, in one line.
        #[arg(long)]
        reason: String,
    },
    /// Lift a hold.
    Lift {
        /// Its id.
        id: HoldId,
    },
}

pub(crate) async fn trash(context: &Context, command: Trash) -> Outcome {
    let Trash::List = command;
    let desk = context.desk(Need::Store).await?;
    let (mut rows, mut place) = (Vec::new(), None);
    loop {
        let page = desk.parts.crm.list_trash(&desk.actor, place, AT_ONCE).await?;
        let held = page.held;
        let part = page
            .items
            .iter()
            .map(|item| TrashRow::new(item, held.contains(&item.key)));
        rows.extend(part);
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    context.output.list(&rows, desk.zone());
    DONE
}

pub(crate) async fn retention(context: &Context, command: Retention) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    let texts = context.output.texts();
    match command {
        Retention::Preview => {
            let overview = crm.retention(&desk.actor).await?;
            let rows: Vec<RuleRow> = overview.rules.iter().map(RuleRow::new).collect();
            context.output.list(&rows, desk.zone());
        }
        Retention::Run => {
            let run = crm.keep_house(&desk.actor).await?;
            let sentence = match (run.held, run.tally.is_empty()) {
                (true, _) => texts.text("retention.held"),
                (false, true) => texts.text("retention.nothing"),
                (false, false) => texts.fill("retention.taken", &[("taken", &run.tally.to_string())]),
            };
            let taken: serde_json::Map<String, serde_json::Value> = run
                .tally
                .iter()
                .map(|(kind, count)| (kind.code().to_owned(), count.into()))
                .collect();
            context
                .output
                .said(&sentence, &json!({"held": run.held, "taken": taken}));
        }
        Retention::Set { kind, months } => {
            let kind = RuleKind::from_code(&kind).ok_or(Failure::Misused("misused", Vec::new()))?;
            let typed = months.map(|months| months.to_string()).unwrap_or_default();
            crm.set_rules(&desk.actor, &[(kind, &typed)]).await?;
            context.output.said(
                &texts.text("retention.set"),
                &json!({"kind": kind.code(), "months": months}),
            );
        }
        Retention::Holds => {
            let overview = crm.retention(&desk.actor).await?;
            let rows: Vec<HoldRow> = overview.holds.iter().map(HoldRow::new).collect();
            context.output.list(&rows, desk.zone());
        }
        Retention::Hold { customer, reason } => {
            let id = crm.place_hold(&desk.actor, customer, &reason).await?;
            let sentence = texts.fill("retention.hold", &[("id", &id.to_string())]);
            context.output.said(&sentence, &json!({"id": id}));
        }
        Retention::Lift { id } => {
            crm.lift_hold(&desk.actor, id).await?;
            let sentence = texts.fill("retention.lifted", &[("id", &id.to_string())]);
            context.output.said(&sentence, &json!({"id": id, "lifted": true}));
        }
    }
    DONE
}

/// Brings a customer back; when others have the same e-mail, phone or user id, only with `anyway`.
pub(super) async fn restore(context: &Context, desk: &Desk, id: CustomerId, anyway: bool) -> Outcome {
    let texts = context.output.texts();
    let restored = desk.parts.crm.restore_customer(&desk.actor, id, anyway);
    match restored.await? {
        Restoration::Done => {
            let sentence = texts.fill("customer.restored", &[("id", &id.to_string())]);
            context
                .output
                .said(&sentence, &json!({"id": id, "restored": true}));
            DONE
        }
        Restoration::Collides(others) => {
            for other in &others {
                let told = texts.fill(
                    "customer.collides",
                    &[
                        ("field", other.field),
                        ("id", &other.customer.to_string()),
                        ("name", &other.name),
                    ],
                );
                output::note(&told);
            }
            output::note(&texts.text("customer.restore_anyway"));
            FAILED
        }
    }
}

/// Erases everything about a customer and shows the receipt; asks for `--yes`.
pub(super) async fn erase(context: &Context, desk: &Desk, id: CustomerId, yes: bool) -> Outcome {
    if !yes {
        return Err(Failure::Misused(
            "erase_unconfirmed",
            vec![("id", id.to_string())],
        ));
    }
    let receipt = desk.parts.crm.erase_customer(&desk.actor, id).await?;
    let taken: serde_json::Map<String, serde_json::Value> = receipt
        .tally
        .iter()
        .map(|(kind, count)| (kind.code().to_owned(), count.into()))
        .collect();
    let value = json!({
        "receipt": receipt.id,
        "subject": receipt.subject,
        "state": receipt.state.code(),
        "requested_at": receipt.requested_at,
        "requested_by": receipt.requested_by,
        "finished_at": receipt.finished_at,
        "erased": taken,
    });
    // Another may be at it, or a backup that still copies its files.
    let told = match receipt.finished_at {
        Some(_) => "customer.erased",
        None => "customer.erasing",
    };
    let sentence = context.output.texts().fill(
        told,
        &[
            ("id", &id.to_string()),
            ("receipt", &receipt.id.to_string()),
            ("taken", &receipt.tally.to_string()),
        ],
    );
    context.output.said(&sentence, &value);
    DONE
}

/// Writes everything held about a customer as JSON, and the files into a folder if one is named.
pub(super) async fn export(desk: &Desk, id: CustomerId, files: Option<PathBuf>) -> Outcome {
    let dossier = desk.parts.crm.export_customer(&desk.actor, id).await?;
    if let Some(folder) = files {
        write_files(desk, &dossier, &folder).map_err(|error| {
            let folder = folder.display().to_string();
            Failure::Own(
                "files_unwritten",
                vec![("folder", folder), ("error", error.to_string())],
            )
        })?;
    }
    let text = serde_json::to_string_pretty(&dossier).unwrap_or_default();
    output::raw(&format!("{text}\n"));
    DONE
}

fn write_files(desk: &Desk, dossier: &Dossier, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for record in dossier.records(DataKind::Files) {
        let hash = record.0.iter().find_map(|(name, value)| match value {
            Datum::Text(text) if *name == "sha256" => BlobHash::from_hex(text),
            _ => None,
        });
        let Some(hash) = hash else { continue };
        let found = desk.parts.crm.stored_content(&desk.actor, &hash);
        let Some(mut content) = found.map_err(io::Error::other)? else {
            continue;
        };
        let mut file = new_file(&folder.join(hash.to_string()))?;
        let mut piece = vec![0; 64 * 1024];
        loop {
            let count = content.read(&mut piece)?;
            if count == 0 {
                break;
            }
            file.write_all(piece.get(..count).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// A file that only its owner reads.
fn new_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
