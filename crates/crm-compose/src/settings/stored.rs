//! LINE WORKS as set up in the pages, beneath what the environment sets: the environment wins, field by field.

use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::ports::connector::{FixedValue, PastedEnv};
use crm_domain::values::{FieldError, Problem as FieldProblem};

use secrecy::ExposeSecret;

use super::known;
use super::line_works::from_base64;
use super::problem::{Fault, Problem};
use super::source::{Origin, Source};

/// The settings that mean a field. The pages write the first; any of them in the environment wins.
fn names_of(field: ConnectionField) -> &'static [&'static str] {
    match field {
        ConnectionField::BotId => &["LINE_WORKS_BOT_ID"],
        ConnectionField::BotSecret => &["LINE_WORKS_BOT_SECRET"],
        ConnectionField::ClientId => &["LINE_WORKS_CLIENT_ID"],
        ConnectionField::ClientSecret => &["LINE_WORKS_CLIENT_SECRET"],
        ConnectionField::ServiceAccount => &["LINE_WORKS_SERVICE_ACCOUNT"],
        ConnectionField::PrivateKey => &["LINE_WORKS_PRIVATE_KEY", "LINE_WORKS_PRIVATE_KEY_BASE64"],
        ConnectionField::DomainId => &["LINE_WORKS_DOMAIN_ID"],
        ConnectionField::Scope => &["LINE_WORKS_SCOPE"],
    }
}

/// The field that a setting means.
fn field_of(name: &str) -> Option<ConnectionField> {
    let means = |field: &ConnectionField| names_of(*field).contains(&name) || file_of(*field) == name;
    ConnectionField::ALL.into_iter().find(means)
}

/// The setting that names the file with a field's value.
fn file_of(field: ConnectionField) -> String {
    let [name, ..] = names_of(field) else {
        return String::new();
    };
    format!("{name}_FILE")
}

impl Source {
    /// The same with these values where the environment and `.env` give none.
    #[must_use]
    pub fn with_pages(&self, values: &ConnectionValues) -> Self {
        let mut source = self.clone();
        for (field, value) in values.iter() {
            if let ([name, ..], false) = (names_of(field), self.has_any(names_of(field))) {
                source.put(name, value, Origin::Pages);
            }
        }
        source
    }

    /// The fields that the environment or `.env` sets.
    pub(crate) fn fixed(&self) -> Vec<FixedValue> {
        ConnectionField::ALL
            .into_iter()
            .filter(|field| self.has_any(names_of(*field)))
            .map(|field| {
                let direct = names_of(field).iter().find_map(|name| self.direct(name));
                let file = file_of(field);
                let origin = match direct.or_else(|| self.direct(&file)) {
                    Some((_, Origin::Environment)) | None => "environment".to_owned(),
                    Some((_, Origin::DotEnv)) => ".env".to_owned(),
                    Some((_, origin)) => format!("{origin:?}"),
                };
                let value = direct
                    .filter(|_| !field.is_secret())
                    .map(|(value, _)| value.clone());
                FixedValue { field, value, origin }
            })
            .collect()
    }

    /// What is wrong with LINE WORKS, field by field. What concerns other settings is no field's.
    pub(crate) fn wrong_fields(&self, problems: &[Problem]) -> Vec<FieldError> {
        let error = |problem: &Problem| {
            let field = field_of(&problem.name)?;
            Some(FieldError::new(field.code(), field_problem(&problem.fault)))
        };
        problems.iter().filter_map(error).collect()
    }

    /// What LINE WORKS lacks is no problem as long as the pages may give it.
    pub(super) fn may_come_from_pages(&self, problem: &Problem) -> bool {
        let lacking = match problem.fault {
            Fault::MissingForLineWorks | Fault::BotSecretMissing => true,
            Fault::KeyFileMissing { .. } => !self.has_any(names_of(ConnectionField::PrivateKey)),
            _ => false,
        };
        lacking && field_of(&problem.name).is_some()
    }
}

fn field_problem(fault: &Fault) -> FieldProblem {
    match fault {
        Fault::MissingForLineWorks | Fault::BotSecretMissing | Fault::KeyFileMissing { .. } => {
            FieldProblem::Required
        }
        Fault::Malformed => FieldProblem::Blank,
        _ => FieldProblem::Malformed,
    }
}

/// What a pasted `.env` says about LINE WORKS, read as the program reads its own.
pub(crate) fn read_pasted(text: &str) -> PastedEnv {
    let source = Source::new([], Some(text));
    let mut pasted = PastedEnv {
        unknown: source.unknown(),
        ..PastedEnv::default()
    };
    for fault in source.faults() {
        if let Fault::BadLine { line } = fault.fault {
            pasted.bad_lines.push(line);
        }
    }
    for name in source.names() {
        take(&mut pasted, &source, name);
    }
    pasted
}

fn take(pasted: &mut PastedEnv, source: &Source, name: &str) {
    let Some((value, _)) = source.direct(name) else {
        return;
    };
    match field_of(name) {
        Some(ConnectionField::PrivateKey) if name.ends_with("_FILE") => {
            pasted.key_file = Some(value.clone());
        }
        Some(ConnectionField::PrivateKey) if name.ends_with("_BASE64") => {
            let key = from_base64(value);
            let text = key.as_ref().map_or(value.as_str(), ExposeSecret::expose_secret);
            pasted.values.set(ConnectionField::PrivateKey, text);
        }
        Some(field) if !name.ends_with("_FILE") => pasted.values.set(field, value),
        Some(_) => pasted.elsewhere.push(name.to_owned()),
        None if known::find(name).is_some() => pasted.elsewhere.push(name.to_owned()),
        None => {}
    }
}
