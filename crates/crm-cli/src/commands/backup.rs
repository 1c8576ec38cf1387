//! `crm backup FILE`.

use std::path::PathBuf;

use serde_json::json;

use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file to write; it must not exist.
    file: PathBuf,
}

pub(crate) async fn run(context: &Context, command: &Backup) -> Outcome {
    let name = command.file.display().to_string();
    if command.file.exists() {
        return Err(Failure::Own("file_exists", vec![("file", name)]));
    }
    let desk = context.desk_as_it_is()?;
    let copied = desk.parts.admin.backup(&command.file).await;
    copied.map_err(crm_domain::error::Error::Store)?;
    let bytes = std::fs::metadata(&command.file)
        .map(|meta| meta.len())
        .unwrap_or_default();
    let sentence = context.output.texts().fill("backup.done", &[("file", &name)]);
    context
        .output
        .said(&sentence, &json!({"file": name, "bytes": bytes}));
    DONE
}
