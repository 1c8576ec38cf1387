//! Backups: taken while others write, looked through, and put back into an empty place; see `docs/restore.ja.md`.

mod archive;
mod before;
mod contents;
mod luggage;
mod names;
mod placing;
mod problem;
mod restore;
mod restored;
mod scratch;
mod sealing;
mod shelf;
mod staging;
mod taking;
#[cfg(test)]
mod tests;
mod verify;

pub use archive::{Passphrase, hex, write_private};
pub(crate) use before::{Copies, tidy as tidy_copies};
pub use luggage::{KeySheet, Luggage};
pub(crate) use names::mark;
pub use problem::{BackupFailure, BackupProblem, RestoreProblem};
pub use restore::restore;
pub use restored::{KeyFate, Restored};
pub use shelf::FolderShelf;
pub(crate) use staging::{refuse_leftover, refuse_unfinished};
pub(crate) use taking::Workshop;
pub use verify::{Verified, VerifyFailure, is_encrypted, settings_of, verify};
