//! Contexts of the pages about backups.

use serde::Serialize;

use crate::page::Page;

/// How things stand.
#[derive(Debug, Clone, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for a sentence of its own on the page"
)]
pub struct BackupSummary {
    /// When the newest good one was taken; `None`: there is none.
    pub at: Option<String>,
    /// Its age in hours.
    pub hours: Option<u64>,
    /// Its size.
    pub size: Option<String>,
    /// One is being taken.
    pub running: bool,
    /// The last one failed.
    pub failed: bool,
    /// Why, by its code.
    pub problem: Option<String>,
    /// The newest good one is too old.
    pub old: bool,
    /// The file of the newest good one is not where it was written.
    pub gone: Option<String>,
    /// They lie on the disk of the data.
    pub same_disk: bool,
    /// How many received files the newest good one lacks, if any.
    pub missing: Option<u64>,
}

/// `GET /admin/backups`.
#[derive(Debug, Clone, Serialize)]
pub struct BackupsPage {
    /// How things stand.
    pub summary: BackupSummary,
    /// Since when work rests after a restore.
    pub paused: Option<String>,
    /// Why: `restored` or `copied`.
    pub paused_cause: Option<&'static str>,
    /// Where daily ones lie.
    pub folder: String,
    /// How many are kept; 0: none is taken by itself.
    pub keep: usize,
    /// Whether they are encrypted.
    pub encrypted: bool,
    /// When the next one is taken.
    pub next: Option<String>,
    /// Newest first.
    pub rows: Vec<BackupRow>,
}

/// A backup in the list.
#[derive(Debug, Clone, Serialize)]
pub struct BackupRow {
    /// When it was begun.
    pub at: String,
    /// Who asked for it; `None`: the daily one.
    pub by: Option<String>,
    /// `good`, `failed` or `running`.
    pub state: &'static str,
    /// Why it failed, by its code.
    pub problem: Option<String>,
    /// Where it was written.
    pub file: Option<String>,
    /// Its size.
    pub size: Option<String>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// How many received files it lacks, if any.
    pub missing: Option<u64>,
}

/// The codes of problems that have words.
pub const PROBLEMS: [&str; 12] = [
    "disk_full",
    "folder",
    "exists",
    "store",
    "key",
    "broken",
    "passphrase_missing",
    "passphrase_wrong",
    "later",
    "newer",
    "interrupted",
    OTHER,
];

/// Of which nothing is said but where to look.
const OTHER: &str = "other";

/// The code whose words tell of this one: another version may have noted what this one has no words for.
pub(crate) fn told(problem: &str) -> &'static str {
    let known = PROBLEMS.into_iter().find(|known| *known == problem);
    known.unwrap_or(OTHER)
}

impl BackupSummary {
    /// One that is as it should be.
    pub(crate) fn sample() -> BackupSummary {
        BackupSummary {
            at: Some("3:00".to_owned()),
            hours: Some(6),
            size: Some("12.3 MB".to_owned()),
            running: false,
            failed: false,
            problem: None,
            old: false,
            gone: None,
            same_disk: true,
            missing: None,
        }
    }
}

impl Page for BackupsPage {
    const TEMPLATE: &'static str = "backups.html";

    fn samples() -> Vec<BackupsPage> {
        let row = |state, problem: Option<&str>| BackupRow {
            at: "7月8日（火） 3:00".to_owned(),
            by: problem.map(|_| "田中 花子".to_owned()),
            state,
            problem: problem.map(str::to_owned),
            file: (state == "good").then(|| "/srv/backups/crm-20250707180000.tar.zst.age".to_owned()),
            size: (state == "good").then(|| "12.3 MB".to_owned()),
            encrypted: state == "good",
            missing: (state == "good").then_some(3),
        };
        let mut rows = vec![row("running", None), row("good", None)];
        rows.extend(PROBLEMS.map(|problem| row("failed", Some(problem))));
        let full = BackupsPage {
            summary: BackupSummary {
                failed: true,
                problem: Some("disk_full".to_owned()),
                old: true,
                gone: Some("/srv/backups/crm-20250707180000.tar.zst.age".to_owned()),
                missing: Some(3),
                ..BackupSummary::sample()
            },
            paused: Some("7月7日（月） 9:12".to_owned()),
            paused_cause: Some("restored"),
            folder: "/srv/backups".to_owned(),
            keep: 7,
            encrypted: true,
            next: Some("7月9日（水） 3:00".to_owned()),
            rows,
        };
        let empty = BackupsPage {
            summary: BackupSummary {
                at: None,
                hours: None,
                size: None,
                running: true,
                same_disk: false,
                ..BackupSummary::sample()
            },
            paused: Some("9:12".to_owned()),
            paused_cause: Some("copied"),
            keep: 0,
            encrypted: false,
            next: None,
            rows: Vec::new(),
            ..full.clone()
        };
        let usual = BackupsPage {
            summary: BackupSummary::sample(),
            paused: None,
            paused_cause: None,
            encrypted: false,
            ..full.clone()
        };
        vec![full, empty, usual]
    }
}

#[cfg(test)]
mod tests {
    use super::{OTHER, told};

    #[test]
    fn what_has_no_words_is_told_as_another() {
        assert_eq!(told("disk_full"), "disk_full");
        assert_eq!(told("of another version"), OTHER);
    }
}
