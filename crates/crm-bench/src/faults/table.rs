//! The table of `docs/reliability.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::kind::FaultKind;
use super::watch::Everything;
use crate::ground::StoreKind;

/// Between these lines the table stands in a document.
const BEGIN: &str = "<!-- faults: begin -->";
const END: &str = "<!-- faults: end -->";
const HEAD: &str = "| fault | store | times | callbacks answered 200 | of them lost · doubled | callbacks whose first answer \
                    was no 200 | messages · 結果不明 | sent twice | pages shown | longest wait: callback · page · live sign |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n";

/// What came of one fault on one store.
#[derive(Debug, Clone)]
pub struct Row {
    /// What went wrong.
    pub fault: FaultKind,
    /// On which store.
    pub store: StoreKind,
    /// How often.
    pub times: usize,
    /// Callbacks answered 200.
    pub answered: usize,
    /// Of them not recorded.
    pub lost: usize,
    /// Callbacks recorded twice.
    pub doubled: usize,
    /// Messages answered.
    pub messages: usize,
    /// Of them 結果不明.
    pub unknown: usize,
    /// Messages that LINE WORKS accepted twice.
    pub sent_twice: usize,
    /// Everything that is not as promised, in words.
    pub wrong: Vec<String>,
    pub(super) borne: Everything,
}

impl Row {
    /// Callbacks whose first try was not answered 200.
    pub fn refused_callbacks(&self) -> u64 {
        self.borne.callbacks.failed_first
    }

    /// Pages that were shown.
    pub fn pages(&self) -> u64 {
        self.borne.pages.done
    }

    /// The longest that anybody waited for a page, repeating it included.
    pub fn longest_page(&self) -> Duration {
        self.borne.pages.longest
    }

    /// The longest that a callback waited for its 200, repeating it included.
    pub fn longest_callback(&self) -> Duration {
        self.borne.callbacks.longest
    }

    /// Signs of messages on the live streams.
    pub fn live_signs(&self) -> u64 {
        self.borne.live.done
    }

    fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} · {} | {} | {} · {} | {} | {} | {} · {} · {} |",
            self.fault.words(self.store),
            self.store.name(),
            self.times,
            self.answered,
            self.lost,
            self.doubled,
            self.borne.callbacks.failed_first,
            self.messages,
            self.unknown,
            self.sent_twice,
            self.borne.pages.done,
            seconds(self.borne.callbacks.longest),
            seconds(self.borne.pages.longest),
            seconds(self.borne.live.longest),
        )
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// All rows as Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    rows.iter().fold(HEAD.to_owned(), |mut table, row| {
        let _ = writeln!(table, "{}", row.line());
        table
    })
}

/// Puts the table in place of the old one.
pub(crate) fn write_into(document: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(document)?;
    let place = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        place.with_context(|| format!("{} has no place `{BEGIN}` … `{END}`", document.display()))?;
    let table = markdown(rows);
    Ok(std::fs::write(
        document,
        format!("{before}{BEGIN}\n{table}{END}{after}"),
    )?)
}
