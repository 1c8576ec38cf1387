//! `crm backup`, `crm verify`, `crm restore` and `crm jobs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_compose::backups::{
    BackupFailure, BackupProblem, Luggage, Passphrase, RestoreProblem, VerifyFailure, is_encrypted, restore,
    settings_of, verify,
};
use crm_compose::{Composition, Need, Settings};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::secret_input::{known_secret, new_secret};
use super::{DONE, Outcome};
use crate::context::Context;
use crate::copy_progress::CopyProgress;
use crate::failure::Failure;
use crate::output::raw;
use crate::texts::Texts;

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file to write; it must not exist.
    file: PathBuf,
    /// Encrypt, with a passphrase from standard input if neither `--passphrase-file` nor `CRM_BACKUP_PASSPHRASE` gives one.
    #[arg(long, conflicts_with = "unencrypted")]
    encrypt: bool,
    /// Do not encrypt, whatever `CRM_BACKUP_PASSPHRASE` says.
    #[arg(long, conflicts_with = "passphrase_file")]
    unencrypted: bool,
    /// Encrypt with the passphrase in this file.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The backup.
    file: PathBuf,
    /// The passphrase is in this file.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The passphrase is in this file.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Restore nothing but the settings and keys, into this new `.env` file.
    #[arg(long)]
    settings: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Jobs {
    /// Show whether sending, fetching and deleting rest since a restore.
    Status,
    /// Let them go on.
    Release,
}

pub(crate) async fn run(context: &Context, command: &Backup) -> Outcome {
    let name = command.file.display().to_string();
    if command.file.exists() {
        return Err(Failure::Own("file_exists", vec![("file", name)]));
    }
    if let Some(dir) = missing_folder(&command.file) {
        return Err(Failure::Own("no_folder", vec![("dir", dir)]));
    }
    let settings = context.settings(Need::Store)?.settings;
    let passphrase = chosen(context, command, &settings)?;
    let luggage = Luggage::of(&settings);
    let parts = Composition::as_it_is(settings.without_line_works())?;
    let taken = parts
        .back_up(&context.actor(), &command.file, passphrase.as_ref(), &luggage)
        .await;
    let taken = taken.map_err(|failure| match failure {
        BackupFailure::Running => Failure::Own("backup_running", Vec::new()),
        BackupFailure::Problem(problem) if problem.code() == "disk_full" => {
            Failure::Own("disk_full", vec![("file", name.clone())])
        }
        BackupFailure::Problem(problem) => told(&problem, &name, context.output.texts()),
        BackupFailure::Domain(error) => Failure::Domain(error),
    })?;
    let key = if taken.encrypted {
        "backup.sealed"
    } else {
        "backup.done"
    };
    let texts = context.output.texts();
    let mut lines = vec![texts.fill(key, &[("file", &name)])];
    if taken.missing_files > 0 {
        lines.push(texts.fill("backup.missing", &[("count", &taken.missing_files.to_string())]));
    }
    if let Some(setting) = luggage.unusable.as_ref().filter(|_| taken.encrypted) {
        lines.push(texts.fill("backup.no_private_key", &[("setting", setting)]));
    }
    let json = json!({"file": name, "bytes": taken.size, "sha256": taken.hash.to_string(),
        "encrypted": taken.encrypted, "missing_files": taken.missing_files});
    context.output.said(&lines.join("\n"), &json);
    DONE
}

/// The passphrase of a new backup: from the file, the settings, or whoever asked for one.
fn chosen(context: &Context, command: &Backup, settings: &Settings) -> Result<Option<Passphrase>, Failure> {
    match (&command.passphrase_file, &settings.backups.passphrase) {
        _ if command.unencrypted => Ok(None),
        (Some(file), _) => from_file(file).map(Some),
        (None, Some(passphrase)) => Ok(Some(passphrase.clone())),
        (None, None) if command.encrypt => {
            let typed = new_secret(context.output.texts(), "secret.passphrase")?;
            of_typed(&typed).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// The folder in which the file would be, if there is none.
fn missing_folder(file: &Path) -> Option<String> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty())?;
    (!dir.is_dir()).then(|| dir.display().to_string())
}

fn from_file(file: &Path) -> Result<Passphrase, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(&name, &error))?;
    Passphrase::new(&text).ok_or_else(too_short)
}

fn of_typed(text: &str) -> Result<Passphrase, Failure> {
    if text.is_empty() {
        return Err(Failure::Own("passphrase_none", Vec::new()));
    }
    Passphrase::new(text).ok_or_else(too_short)
}

fn too_short() -> Failure {
    let min = Passphrase::SHORTEST.to_string();
    Failure::Own("passphrase_short", vec![("min", min)])
}

/// The passphrase of a backup that needs one: from the file, the settings, or standard input.
fn needed(
    context: &Context,
    file: &Path,
    passphrase_file: Option<&Path>,
) -> Result<Option<Passphrase>, Failure> {
    let name = file.display().to_string();
    readable(file).map_err(|error| Failure::io(&name, &error))?;
    if !is_encrypted(file).map_err(|problem| told(&problem, &name, context.output.texts()))? {
        return Ok(None);
    }
    if let Some(file) = passphrase_file {
        return from_file(file).map(Some);
    }
    let loaded = context.settings(Need::Store).ok();
    if let Some(passphrase) = loaded.and_then(|loaded| loaded.settings.backups.passphrase) {
        return Ok(Some(passphrase));
    }
    let typed = known_secret(context.output.texts(), "secret.passphrase")?;
    of_typed(&typed).map(Some)
}

/// Whether there is such a file that can be read.
fn readable(file: &Path) -> std::io::Result<()> {
    if std::fs::File::open(file)?.metadata()?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

/// What is wrong with a backup or its place.
fn told(problem: &BackupProblem, file: &str, texts: &Texts) -> Failure {
    if let Some((part, name)) = problem.broken_part() {
        let part = texts.fill(&format!("backup_part.{part}"), &[("name", name)]);
        return Failure::Own("backup_broken", vec![("file", file.to_owned()), ("part", part)]);
    }
    let code = match problem.code() {
        "exists" => "file_exists",
        "later" => "backup_later",
        "newer" => "backup_newer",
        "passphrase_missing" | "passphrase_wrong" => "backup_passphrase",
        "key" => "backup_key",
        _ => "backup",
    };
    Failure::Own(
        code,
        vec![
            ("file", file.to_owned()),
            ("error", crate::failure::reasons(problem)),
        ],
    )
}

/// Why a backup could not be looked through: that alone says nothing about it.
fn unverified(failure: &VerifyFailure, file: &str, texts: &Texts) -> Failure {
    let code = match failure.problem.code() {
        "disk_full" => "verify_full",
        "folder" | "store" => "verify",
        _ => return told(&failure.problem, file, texts),
    };
    let dir = failure.unpacked_in.display().to_string();
    let error = crate::failure::reasons(&failure.problem);
    Failure::Own(
        code,
        vec![("file", file.to_owned()), ("dir", dir), ("error", error)],
    )
}

pub(crate) fn look_through(context: &Context, command: &Verify) -> Outcome {
    let name = command.file.display().to_string();
    let passphrase = needed(context, &command.file, command.passphrase_file.as_deref())?;
    let data_dir = context
        .settings(Need::Store)
        .ok()
        .map(|loaded| loaded.settings.data.dir);
    let found = verify(&command.file, passphrase.as_ref(), data_dir.as_deref());
    let found = found.map_err(|failure| unverified(&failure, &name, context.output.texts()))?;
    let manifest = &found.manifest;
    let texts = context.output.texts();
    let count = |table: &str| {
        manifest
            .counts
            .get(table)
            .copied()
            .unwrap_or_default()
            .to_string()
    };
    let pairs = [
        ("file", name.as_str()),
        ("made_at", &manifest.made_at),
        ("product", &manifest.product),
        ("customers", &count("customers")),
        ("activities", &count("activities")),
        ("files", &manifest.files().to_string()),
    ];
    let mut lines = vec![texts.fill("verify.sound", &pairs)];
    lines.push(texts.text(if found.encrypted {
        "verify.sealed"
    } else {
        "verify.open"
    }));
    if !manifest.missing_files.is_empty() {
        let missing = manifest.missing_files.len().to_string();
        lines.push(texts.fill("verify.missing", &[("count", &missing)]));
    }
    let json = json!({"file": name, "bytes": found.written.size,
        "sha256": crm_compose::backups::hex(&found.written.sha256), "encrypted": found.encrypted,
        "manifest": {"product": manifest.product, "schema": manifest.schema, "store": manifest.store,
            "made_at": manifest.made_at, "secrets": manifest.secrets, "counts": manifest.counts,
            "audit_head": manifest.audit_head, "key_fingerprint": manifest.key_fingerprint,
            "files": manifest.files(), "missing_files": manifest.missing_files}});
    context.output.said(&lines.join("\n"), &json);
    DONE
}

pub(crate) async fn put_back(context: &Context, command: &Restore) -> Outcome {
    let name = command.file.display().to_string();
    let passphrase = needed(context, &command.file, command.passphrase_file.as_deref())?;
    if let Some(target) = &command.settings {
        return settings_only(context, command, passphrase.as_ref(), target);
    }
    let settings = context.settings(Need::Store)?.settings;
    // Into a server the rows go as `crm db copy` moves them; into a file there is nothing to wait for.
    let progress = Arc::new(CopyProgress::new(&context.output));
    let restored = restore(
        settings.clone(),
        &command.file,
        passphrase.as_ref(),
        &context.actor(),
        progress.teller(),
    )
    .await;
    progress.end();
    let restored = restored.map_err(|problem| refused(&problem, &name, context.output.texts()))?;
    let lines = super::restored::lines(context.output.texts(), &restored, &settings);
    context
        .output
        .said(&lines.join("\n"), &super::restored::json(&restored, &settings));
    DONE
}

fn refused(problem: &RestoreProblem, file: &str, texts: &Texts) -> Failure {
    match problem {
        RestoreProblem::Backup(problem) if problem.code() != "disk_full" => told(problem, file, texts),
        RestoreProblem::NotEmpty(place) => Failure::Own("not_empty", vec![("place", place.clone())]),
        RestoreProblem::Start(error) => Failure::Own(
            "restore",
            vec![
                ("error", error.sentence(texts.locale())),
                ("file", file.to_owned()),
            ],
        ),
        RestoreProblem::Other(place) => Failure::Own("restore_other", vec![("place", place.clone())]),
        other => Failure::Own(
            if other.code() == "copy" {
                "restore_copy"
            } else {
                "restore"
            },
            vec![
                ("error", crate::failure::reasons(other)),
                ("file", file.to_owned()),
            ],
        ),
    }
}

/// Writes the settings and keys that a backup holds; touches no database.
fn settings_only(
    context: &Context,
    command: &Restore,
    passphrase: Option<&Passphrase>,
    target: &Path,
) -> Outcome {
    let (name, file) = (command.file.display().to_string(), target.display().to_string());
    if target.exists() {
        return Err(Failure::Own("file_exists", vec![("file", file)]));
    }
    let luggage = settings_of(&command.file, passphrase)
        .map_err(|problem| told(&problem, &name, context.output.texts()))?;
    let Some(text) = luggage.settings.as_ref() else {
        return Err(Failure::Own("no_settings", vec![("file", name)]));
    };
    let own = |value: &Option<_>| {
        value
            .as_ref()
            .map(|text: &secrecy::SecretString| text.expose_secret().to_owned())
    };
    let mut more = Vec::new();
    more.extend(own(&luggage.secret_key).map(|key| ("CRM_SECRET_KEY", key)));
    let pem = own(&luggage.private_key).map(|key| key.trim_end().replace('\n', "\\n"));
    more.extend(pem.map(|key| ("LINE_WORKS_PRIVATE_KEY", key)));
    let text = crm_compose::settings::merged_dot_env(text.expose_secret(), &more);
    crm_compose::backups::write_private(target, &text).map_err(|error| Failure::io(&file, &error))?;
    let sentence = context
        .output
        .texts()
        .fill("restore.settings_only", &[("file", &file)]);
    context.output.said(&sentence, &json!({"settings": file}));
    DONE
}

pub(crate) async fn jobs(context: &Context, command: &Jobs) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let texts = context.output.texts();
    match command {
        Jobs::Status => {
            let pause = desk.parts.crm.pause().await?;
            let zone = desk.zone();
            let view = crate::output::View { texts, zone };
            let line = match &pause {
                Some(pause) => texts.fill(
                    &format!("jobs.paused_{}", pause.cause.code()),
                    &[("since", &crate::rows::shown(pause.since, &view))],
                ),
                None => texts.text("jobs.running"),
            };
            let since = pause.map(|pause| pause.since.to_string());
            let cause = pause.map(|pause| pause.cause.code());
            context.output.said(
                &line,
                &json!({"paused": pause.is_some(), "since": since, "cause": cause}),
            );
        }
        Jobs::Release => {
            let released = desk.parts.crm.resume(&desk.actor).await?;
            let line = texts.text(if released { "jobs.released" } else { "jobs.running" });
            context.output.said(&line, &json!({"released": released}));
        }
    }
    DONE
}

/// `crm key sheet`: for the safe.
pub(crate) async fn key_sheet(context: &Context, command: &super::keys::Sheet) -> Outcome {
    let settings = context.settings(Need::Store)?.settings;
    let sheet = sheet_of(&settings)?;
    if !command.yes {
        return Err(Failure::Misused("sheet_unconfirmed", Vec::new()));
    }
    let mut desk = context.desk_as_it_is()?;
    desk.parts.need_key()?;
    desk.parts.crm.note_key_sheet(&desk.actor).await?;
    let at = crate::output::View {
        texts: context.output.texts(),
        zone: desk.zone(),
    };
    let printed = crate::rows::shown(desk.parts.crm.now(), &at);
    raw(&super::restored::sheet(context.output.texts(), &sheet, &printed));
    DONE
}

fn sheet_of(settings: &Settings) -> Result<crm_compose::backups::KeySheet, Failure> {
    crm_compose::backups::KeySheet::of(settings).ok_or(Failure::Own("no_key", Vec::new()))
}
