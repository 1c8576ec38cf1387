//! A form's state as data: fields, what was typed, and what is wrong with it. The words are in the catalogues.

pub mod companies;
pub mod customers;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crm_domain::error::Error;
use crm_domain::values::{FieldError, Problem};
use serde::Serialize;

use crate::sentence::Sentence;

/// What a template needs to draw a form again.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FormState {
    /// Fields by name.
    pub fields: BTreeMap<&'static str, FieldState>,
    /// Names in the order of the form, for the summary of errors.
    pub order: Vec<&'static str>,
    /// Whether the form came back with errors.
    pub failed: bool,
    /// An error that belongs to no single field.
    pub error: Option<Sentence>,
    /// Whether somebody else saved the record in between.
    pub stale: bool,
    /// What is stored now, where it differs from what was typed.
    pub theirs: Vec<Theirs>,
    /// What each field held when the form was drawn, as marks that the form carries along: `email=0f1e2d3c4b5a6978 …`.
    pub marks: String,
}

/// A field that is stored otherwise than it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Theirs {
    /// The field's name.
    pub field: &'static str,
    /// What is stored, as people read it; empty for nothing.
    pub value: String,
    /// What the field holds when it is taken over.
    pub stored: String,
}

/// One field: what was typed, and what is to be said about it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FieldState {
    /// What was typed or stored.
    pub value: String,
    /// Why it was refused.
    pub error: Option<Sentence>,
    /// What looks odd, without being refused.
    pub warning: Option<Sentence>,
}

impl FormState {
    /// A form with these fields, empty.
    pub fn of(names: &[&'static str]) -> FormState {
        FormState {
            fields: names.iter().map(|name| (*name, FieldState::default())).collect(),
            order: names.to_vec(),
            ..FormState::default()
        }
    }

    /// Sets what a field shows. Names that the form does not have are left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> FormState {
        if let Some(field) = self.fields.get_mut(name) {
            field.value = value.into();
        }
        self
    }

    /// Says why a field was refused. What concerns no field of this form concerns all of it.
    pub fn refuse(&mut self, name: &str, why: Sentence) {
        self.failed = true;
        match self.fields.get_mut(name) {
            Some(field) => field.error = field.error.take().or(Some(why)),
            None => self.error = Some(why),
        }
    }

    /// Says why the whole form was refused.
    pub fn refuse_all(&mut self, why: Sentence) {
        self.failed = true;
        self.error = Some(why);
    }

    /// With what it holds now as marks.
    #[must_use]
    pub fn marked(mut self) -> FormState {
        let marks = self.fields.iter().map(|(name, field)| mark(name, &field.value));
        self.marks = marks.collect::<Vec<_>>().join(" ");
        self
    }

    /// Says that somebody else saved in between: `stored` is the form of what they saved, `tidy` that of what was
    /// typed, in the same spelling. A field that was not touched since the form was drawn shows what they saved: saving once
    /// more takes nothing back that nobody here has changed.
    pub fn refuse_stale(&mut self, stored: &FormState, tidy: &FormState) {
        self.stale = true;
        self.refuse_all(Sentence::of("form.stale"));
        let value = |form: &FormState, name: &str| form.fields.get(name).map(|field| field.value.clone());
        let untouched = |name: &str| {
            let held = mark(name, &value(tidy, name).unwrap_or_default());
            self.marks.split(' ').any(|mark| *mark == held)
        };
        let untouched: Vec<_> = self
            .order
            .iter()
            .copied()
            .filter(|name| untouched(name))
            .collect();
        for name in &untouched {
            if let (Some(field), Some(theirs)) = (self.fields.get_mut(name), value(stored, name)) {
                field.value = theirs;
            }
        }
        self.marks = stored.clone().marked().marks;
        self.theirs = (self.order.iter().copied())
            .filter(|name| !untouched.contains(name) && value(stored, name) != value(tidy, name))
            .map(|field| Theirs {
                field,
                value: value(stored, field).unwrap_or_default(),
                stored: value(stored, field).unwrap_or_default(),
            })
            .collect();
    }

    /// Says what a use case answered, beside the fields that it named.
    pub fn refuse_with(&mut self, error: &Error) {
        match error {
            Error::Invalid(fields) => {
                for field in fields {
                    self.refuse(field.field, Sentence::field(field));
                }
            }
            other => self.refuse_all(Sentence::error(other)),
        }
    }

    /// [`FormState::refuse_with`] for a form that calls some fields otherwise: `names` are the pairs of theirs and ours.
    pub fn refuse_as(&mut self, error: &Error, names: &[(&str, &'static str)]) {
        let Error::Invalid(fields) = error else {
            return self.refuse_with(error);
        };
        for field in fields {
            let ours = names.iter().find(|(theirs, _)| *theirs == field.field);
            let ours = ours.map_or(field.field, |(_, ours)| ours);
            self.refuse(ours, Sentence::field(&FieldError::new(ours, field.problem)));
        }
    }

    /// Says what looks odd about a field.
    pub fn warn(&mut self, name: &str, key: &str) {
        if let Some(field) = self.fields.get_mut(name) {
            field.warning = Some(Sentence::of(key));
        }
    }
}

/// The value, or `None` with its problem noted beside the field.
pub(crate) fn collect<T>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    value: Result<T, Problem>,
) -> Option<T> {
    value
        .map_err(|problem| errors.push(FieldError::new(field, problem)))
        .ok()
}

/// What a field held, so short that a form can carry it; another program's marks fit nothing, as if all had been touched.
fn mark(name: &str, value: &str) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{name}={:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use crm_domain::error::Error;
    use crm_domain::values::{FieldError, Problem};

    use super::{FormState, Theirs};

    #[test]
    fn what_somebody_else_saved_is_told_where_it_differs() {
        let names = ["email", "phone", "remarks"];
        let stored = FormState::of(&names)
            .with("email", "a@example.jp")
            .with("phone", "1");
        let typed = FormState::of(&names).with("phone", "1").with("remarks", "x");
        let mut form = typed.clone();
        form.refuse_stale(&stored, &typed);
        let theirs = |field, value: &str| Theirs {
            field,
            value: value.to_owned(),
            stored: value.to_owned(),
        };
        assert_eq!(
            form.theirs,
            [theirs("email", "a@example.jp"), theirs("remarks", "")]
        );
        assert!(form.stale && form.failed);
        assert_eq!(form.fields["remarks"].value, "x");
    }

    #[test]
    fn what_was_not_touched_shows_what_somebody_else_saved() {
        let names = ["email", "phone", "remarks"];
        let drawn = FormState::of(&names).with("phone", "1").with("remarks", "x");
        let typed = drawn.clone().with("phone", "2").with("remarks", "y");
        let stored = drawn.clone().with("email", "a@example.jp").with("remarks", "z");
        let mut form = typed.clone();
        form.marks = drawn.marked().marks;
        form.refuse_stale(&stored, &typed);
        let values = ["email", "phone", "remarks"].map(|name| form.fields[name].value.as_str());
        assert_eq!(values, ["a@example.jp", "2", "y"]);
        let told: Vec<_> = form.theirs.iter().map(|theirs| theirs.field).collect();
        assert_eq!(told, ["phone", "remarks"]);
        assert_eq!(form.marks, stored.marked().marks);
    }

    #[test]
    fn the_first_error_of_a_field_stands_and_strangers_become_the_forms_own() {
        let mut form = FormState::of(&["email"]).with("email", "x").with("unknown", "y");
        let named = |field, problem| FieldError::new(field, problem);
        form.refuse_with(&Error::Invalid(vec![
            named("email", Problem::Malformed),
            named("email", Problem::Required),
            named("key", Problem::TooLong { max: 100 }),
        ]));
        let key = |sentence: &Option<crate::sentence::Sentence>| sentence.clone().map(|found| found.key);
        assert_eq!(
            key(&form.fields["email"].error).as_deref(),
            Some("problem.email.malformed")
        );
        assert_eq!(form.fields["email"].value, "x");
        assert_eq!(key(&form.error).as_deref(), Some("problem.too_long"));
        assert!(form.failed);
    }
}
