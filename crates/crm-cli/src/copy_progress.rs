//! How a long copy says how far it is: a bar where somebody looks at one, otherwise a line now and then on standard error.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_compose::transfer::{Teller, Told};
use crm_domain::ports::bulk::Finishing;
use indicatif::ProgressBar;
use serde_json::json;

use crate::output::{self, Output};
use crate::progress::bar;
use crate::texts::Texts;

/// Lines of the same step come no faster than this.
const PAUSE: Duration = Duration::from_secs(5);

/// A table of so many rows has a line of its own.
const MANY: u64 = 1_000;

/// Hears how far a copy is.
pub(crate) struct CopyProgress {
    texts: Texts,
    json: bool,
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    step: String,
    said: Option<Instant>,
}

impl CopyProgress {
    pub(crate) fn new(output: &Output) -> Self {
        let looked_at = std::io::stderr().is_terminal() && !output.is_json();
        Self {
            texts: output.texts().clone(),
            json: output.is_json(),
            state: Mutex::new(State {
                bar: looked_at.then(|| bar(0)),
                step: String::new(),
                said: None,
            }),
        }
    }

    /// What a copy tells how far it is.
    pub(crate) fn teller(self: &Arc<Self>) -> Teller {
        let progress = Arc::clone(self);
        Arc::new(move |told| progress.told(&told))
    }

    fn told(&self, told: &Told<'_>) {
        let (key, name, done, total) = match told {
            Told::Table { name, done, total } => ("copy.rows", (*name).to_owned(), *done, *total),
            Told::Finishing(step) => ("copy.finishing", self.finishing(step), 0, 0),
            Told::Proving { name, done } => ("copy.proving", (*name).to_owned(), *done, 0),
            Told::Files { done, total } => ("copy.files", String::new(), *done, *total),
        };
        let step = self.texts.fill(key, &[("name", &name)]);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = state.step != step;
        if let Some(bar) = &state.bar {
            bar.set_length(total.max(done));
            bar.set_position(done);
            bar.set_message(step.clone());
        } else if done < total || fresh {
            self.line(&mut state, key, &name, &step, fresh, (done, total));
        }
        state.step = step;
    }

    fn finishing(&self, step: &Finishing<'_>) -> String {
        if self.json {
            return step.to_string();
        }
        let (key, name) = match step {
            Finishing::Index(name) => ("copy.step_index", *name),
            Finishing::References(table) => ("copy.step_references", *table),
            Finishing::Check => ("copy.step_check", ""),
        };
        self.texts.fill(key, &[("name", name)])
    }

    fn line(&self, state: &mut State, key: &str, name: &str, step: &str, fresh: bool, at: (u64, u64)) {
        // Only how long ago the last line was matters, not what time it is.
        let is_worth_a_line = fresh && (self.json || at.1 >= MANY);
        if !is_worth_a_line && state.said.is_some_and(|said| said.elapsed() < PAUSE) {
            return;
        }
        state.said = Some(Instant::now());
        let (done, total) = at;
        if self.json {
            let step = key.trim_start_matches("copy.");
            output::note(&json!({"step": step, "name": name, "done": done, "total": total}).to_string());
        } else if total > 0 {
            output::note(&format!("{step} {done}/{total}"));
        } else {
            output::note(step);
        }
    }

    pub(crate) fn end(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &state.bar {
            bar.finish_and_clear();
        }
    }
}
