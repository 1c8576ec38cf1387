//! Reads values one by one and collects what is wrong instead of stopping at the first.

use std::collections::BTreeMap;

use super::problem::{Fault, Problem, Warning};
use super::source::{Origin, Source};

/// A value that was used, with where it came from.
pub(super) type Used = BTreeMap<&'static str, (String, Origin)>;

pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
    pub(super) used: Used,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self {
            source,
            problems: source.faults().to_vec(),
            warnings: source.unknown().into_iter().map(Warning::UnknownName).collect(),
            used: Used::new(),
        }
    }

    pub(super) fn fault(&mut self, name: &str, fault: Fault) {
        self.problems.push(Problem::new(name, fault));
    }

    pub(super) fn has_fault(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.name == name)
    }

    /// Shows a value that was read only as `shown` makes it.
    pub(super) fn hide(&mut self, name: &'static str, shown: impl FnOnce(&str) -> String) {
        if let Some((value, _)) = self.used.get_mut(name) {
            *value = shown(value);
        }
    }

    /// The value, blanks at the ends cut; `None` when not given or not readable, which is noted.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.source.get(name) {
            Ok(Some((value, origin))) => {
                let value = value.trim().to_owned();
                self.used.insert(name, (value.clone(), origin));
                Some(value)
            }
            Ok(None) => None,
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// The value understood; the default when it is not given or makes no sense, which is noted.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> T {
        match self.text(name).map(|text| parse(&text)) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(fault)) => {
                self.fault(name, fault);
                default
            }
        }
    }

    /// The same for what may be left out.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.parsed(name, None, |text| parse(text).map(Some))
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)], shown: &'static str) -> Result<T, Fault> {
    choices
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text))
        .map(|(_, value)| *value)
        .ok_or_else(|| Fault::NotAChoice {
            given: text.to_owned(),
            choices: shown,
        })
}

/// A whole number from `min` up.
pub(super) fn number(text: &str, min: u32) -> Result<u32, Fault> {
    text.parse()
        .ok()
        .filter(|value| *value >= min)
        .ok_or_else(|| Fault::NotANumber {
            given: text.to_owned(),
            min,
        })
}

/// A list separated by commas; empty parts are left out.
pub(super) fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse)
        .collect()
}
