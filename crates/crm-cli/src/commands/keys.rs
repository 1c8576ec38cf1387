//! `crm key`.

use std::fmt::Write as _;

use crm_compose::RotationError;
use crm_domain::data_keys::DataKeyId;
use crm_domain::use_cases::KeyStatus;
use serde_json::json;

use super::{DONE, FAILED, Outcome};
use crate::context::Context;
use crate::failure::Failure;
use crate::rows::KeyRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Key {
    /// Make a new data key, seal everything anew with it, and forget keys that nothing uses.
    Rotate,
    /// Show the fingerprint of the secret key, and what stands under which data key.
    Status,
    /// Print the secret key with everything that is needed on the day, for the safe.
    Sheet(Sheet),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sheet {
    /// Yes, show the key here and now.
    #[arg(long)]
    pub(crate) yes: bool,
}

pub(crate) async fn run(context: &Context, command: Key) -> Outcome {
    match command {
        Key::Rotate => rotate(context).await,
        Key::Status => status(context).await,
        Key::Sheet(command) => super::backup::key_sheet(context, &command).await,
    }
}

async fn rotate(context: &Context) -> Outcome {
    let mut desk = context.desk(crm_compose::Need::Store).await?;
    desk.parts.need_key()?;
    let rotated = desk.parts.rotate_keys(&desk.actor).await;
    let rotated = rotated.map_err(|error| match error {
        RotationError::AtWork => Failure::Own("rotation_at_work", Vec::new()),
        RotationError::Failed(error) => Failure::Domain(error),
    })?;
    let texts = context.output.texts();
    let mut lines = vec![texts.fill(
        if rotated.fresh {
            "key.rotated"
        } else {
            "key.gone_on"
        },
        &[
            ("values", &rotated.values.to_string()),
            ("files", &rotated.files.to_string()),
        ],
    )];
    for (key, count) in [
        ("key.forgotten", rotated.forgotten.len() as u64),
        ("key.kept", rotated.kept as u64),
        ("key.broken", rotated.broken),
    ] {
        if count > 0 {
            lines.push(texts.fill(key, &[("count", &count.to_string())]));
        }
    }
    let forgotten: Vec<String> = rotated.forgotten.iter().map(DataKeyId::to_string).collect();
    let json = json!({"fresh": rotated.fresh, "values": rotated.values, "files": rotated.files,
        "broken": rotated.broken, "forgotten": forgotten, "kept": rotated.kept});
    context.output.said(&lines.join("\n"), &json);
    if rotated.broken == 0 { DONE } else { FAILED }
}

async fn status(context: &Context) -> Outcome {
    let desk = context.desk_as_it_is()?;
    let status = desk.parts.key_status(&desk.actor).await?;
    let rows: Vec<KeyRow> = status.keys.iter().map(KeyRow::new).collect();
    let trouble = desk.parts.key_trouble();
    let fingerprint = fingerprint(&status);
    if context.output.is_json() {
        let json = json!({"fingerprint": fingerprint, "fits": trouble.is_none(), "keys": rows,
            "plain_files": status.plain_files, "lost": status.lost});
        context.output.said("", &json);
        return DONE;
    }
    let texts = context.output.texts();
    let none = texts.text("key.no_fingerprint");
    let shown = fingerprint.as_deref().unwrap_or(&none);
    context
        .output
        .said(&texts.fill("key.fingerprint", &[("fingerprint", shown)]), &());
    context.output.list(&rows, desk.zone());
    for (key, count) in [("key.plain_files", status.plain_files), ("key.lost", status.lost)] {
        if count > 0 {
            context
                .output
                .said(&texts.fill(key, &[("count", &count.to_string())]), &());
        }
    }
    if let Some(trouble) = trouble {
        context.output.said(&trouble.sentence(texts.locale()), &());
    }
    DONE
}

/// The secret key's fingerprint as it is shown.
pub(super) fn fingerprint(status: &KeyStatus) -> Option<String> {
    let bytes = status.fingerprint.as_ref()?;
    Some(bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes everything that is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
