//! `crm backup FILE`.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::{Failure, reasons};

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
    if let Some(dir) = missing_folder(&command.file) {
        return Err(Failure::Own("no_folder", vec![("dir", dir)]));
    }
    let desk = context.desk_as_it_is()?;
    let copied = desk.parts.admin.backup(&command.file).await;
    copied.map_err(|error| {
        // The cause alone: it is not the database that is wrong.
        let cause = error.source().map_or_else(|| error.to_string(), reasons);
        let pairs = vec![("file", name.clone()), ("error", cause)];
        Failure::Own("backup", pairs)
    })?;
    let bytes = std::fs::metadata(&command.file)
        .map(|meta| meta.len())
        .unwrap_or_default();
    let sentence = context.output.texts().fill("backup.done", &[("file", &name)]);
    context
        .output
        .said(&sentence, &json!({"file": name, "bytes": bytes}));
    DONE
}

/// The folder in which the file would be, if there is none.
fn missing_folder(file: &Path) -> Option<String> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty())?;
    (!dir.is_dir()).then(|| dir.display().to_string())
}
