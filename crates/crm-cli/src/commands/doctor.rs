//! `crm doctor`: walks through what usually is wrong (§9), and says what to do.

mod backups;
mod files;
mod keys;
mod line_works;
mod receiving;
mod store;

use crm_compose::{Need, Settings, Source, source_with_pages};
use serde::Serialize;

use super::{DONE, FAILED, Outcome};
use crate::context::Context;
use crate::texts::Texts;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl State {
    fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A check's outcome: what was seen, and what to do if it is not right.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    state: State,
    detail: String,
    advice: String,
}

impl Check {
    /// What was seen in one line, what to do below it.
    fn lines(&self, texts: &Texts) -> String {
        let mark = texts.text(&format!("check_state.{}", self.state.code()));
        let name = texts.text(&format!("check.{}", self.name));
        let seen = if self.detail.is_empty() { "" } else { ": " };
        let mut lines = format!("{mark} {name}{seen}{}", self.detail);
        if !self.advice.is_empty() {
            lines.push_str("\n    → ");
            lines.push_str(&self.advice);
        }
        lines
    }
}

/// Collects checks.
pub(crate) struct Round<'a> {
    texts: &'a Texts,
    checks: Vec<Check>,
}

impl Round<'_> {
    fn put(
        &mut self,
        check: &'static str,
        state: State,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.checks.push(Check {
            name: check,
            state,
            detail: detail.into(),
            advice: advice.into(),
        });
    }

    fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.put(check, State::Ok, detail, "");
    }

    /// What to do stands in the catalogue under `advice.<key>`.
    fn bad(&mut self, check: &'static str, state: State, detail: impl Into<String>, key: &str) {
        let advice = self.texts.text(&format!("advice.{key}"));
        self.put(check, state, detail, advice);
    }

    fn skip(&mut self, checks: &[&'static str], reason: &str) {
        let reason = self.texts.text(&format!("skipped.{reason}"));
        for check in checks {
            self.put(check, State::Skipped, reason.clone(), "");
        }
    }
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let mut round = Round {
        texts: context.output.texts(),
        checks: Vec::new(),
    };
    let source = source_with_pages(&context.source).await;
    if let Some((settings, sound)) = check_settings(&source, &mut round) {
        line_works::check(&mut round, &settings, sound).await;
        store::check(&mut round, settings).await;
    }
    let lines: Vec<String> = round
        .checks
        .iter()
        .map(|check| check.lines(round.texts))
        .collect();
    context.output.said(&lines.join("\n"), &round.checks);
    let bad = round.checks.iter().any(|check| check.state == State::Failed);
    if bad { FAILED } else { DONE }
}

/// Every problem is a line; what can be checked in spite of them is.
fn check_settings(source: &Source, round: &mut Round<'_>) -> Option<(Settings, bool)> {
    let locale = source.locale();
    match Settings::read(source, Need::Everything) {
        Ok(loaded) => {
            round.ok("settings", "");
            for warning in &loaded.warnings {
                round.put("settings", State::Warning, warning.line(locale), "");
            }
            Some((loaded.settings, true))
        }
        Err(error) => {
            for line in error.lines() {
                round.bad("settings", State::Failed, line, "settings");
            }
            for warning in &error.warnings {
                round.put("settings", State::Warning, warning.line(locale), "");
            }
            let store_only = Settings::read(source, Need::Store).ok()?;
            Some((store_only.settings, false))
        }
    }
}
