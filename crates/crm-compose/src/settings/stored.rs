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

/// What is wrong with LINE WORKS, field by field. What concerns other settings is no field's.
pub(crate) fn wrong_fields(problems: &[Problem]) -> Vec<FieldError> {
    let error = |problem: &Problem| {
        let field = field_of(&problem.name)?;
        Some(FieldError::new(field.code(), field_problem(&problem.fault)))
    };
    problems.iter().filter_map(error).collect()
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

#[cfg(test)]
mod tests {
    use crm_domain::connection::{ConnectionField as F, ConnectionValues};
    use crm_domain::values::Problem;
    use secrecy::ExposeSecret as _;

    use super::{read_pasted, wrong_fields};
    use crate::settings::{Need, Origin, Settings, Source};

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";

    fn source(pairs: &[(&str, &str)]) -> Source {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Source::new(pairs.iter().map(own), None)
    }

    fn pages() -> ConnectionValues {
        let mut values = ConnectionValues::default();
        for (field, value) in [
            (F::BotId, "1"),
            (F::BotSecret, "new,old"),
            (F::ClientId, "client"),
            (F::ClientSecret, "hush"),
            (F::ServiceAccount, "a.serviceaccount@b"),
            (F::PrivateKey, PEM),
        ] {
            values.set(field, value);
        }
        values
    }

    #[test]
    fn the_environment_wins_field_by_field() {
        let given = source(&[("LINE_WORKS_BOT_ID", "2"), ("LINE_WORKS_SCOPE", "bot.message")]);
        let merged = given.with_pages(&pages());
        let loaded = Settings::read(&merged, Need::Everything).unwrap();
        let shown = |name: &str| {
            let found = loaded.shown.iter().find(|shown| shown.name == name).unwrap();
            (found.value.clone(), found.origin.clone())
        };
        assert_eq!(shown("LINE_WORKS_BOT_ID"), ("2".to_owned(), Origin::Environment));
        assert_eq!(
            shown("LINE_WORKS_CLIENT_ID"),
            ("client".to_owned(), Origin::Pages)
        );
        assert_eq!(
            shown("LINE_WORKS_CLIENT_SECRET"),
            ("***".to_owned(), Origin::Pages)
        );
        let line_works = loaded.settings.line_works.unwrap();
        assert_eq!(
            (line_works.bot_secrets.len(), line_works.scope.as_str()),
            (2, "bot.message")
        );
        assert_eq!(line_works.private_key.expose_secret().trim_end(), PEM);
        let fixed: Vec<_> = given
            .fixed()
            .into_iter()
            .map(|value| (value.field, value.value))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(fixed, [(F::BotId, text("2")), (F::Scope, text("bot.message"))]);
    }

    #[test]
    fn what_is_lacking_may_come_from_the_pages_once_there_is_a_database() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().display().to_string();
        let given = source(&[("CRM_DATA_DIR", &dir), ("LINE_WORKS_BOT_ID", "2")]);
        assert!(Settings::read(&given, Need::WithPages).is_err());
        std::fs::write(temp.path().join("crm.db"), "").unwrap();
        let loaded = Settings::read(&given, Need::WithPages).unwrap();
        assert!(loaded.settings.line_works.is_none() && loaded.settings.connection.is_some());
        assert!(Settings::read(&given, Need::Everything).is_err());
        let named = [
            ("CRM_DATA_DIR", dir.as_str()),
            ("LINE_WORKS_PRIVATE_KEY_FILE", "/nonexistent"),
        ];
        let named = source(&[named[0], named[1], ("LINE_WORKS_BOT_ID", "2")]);
        assert!(
            Settings::read(&named, Need::WithPages).is_err(),
            "a file that is named has to be there"
        );
    }

    #[test]
    fn wrong_values_are_told_by_field() {
        let mut values = pages();
        values.set(F::PrivateKey, "no key");
        values.set(F::ClientId, "with blank");
        values.set(F::ServiceAccount, "");
        let given = source(&[]);
        let error = Settings::read(&given.with_pages(&values), Need::LineWorks).unwrap_err();
        let mut wrong: Vec<_> = wrong_fields(&error.problems)
            .into_iter()
            .map(|error| (error.field, error.problem))
            .collect();
        wrong.sort_by_key(|(field, _)| *field);
        let expected = [
            ("client_id", Problem::Blank),
            ("private_key", Problem::Malformed),
            ("service_account", Problem::Required),
        ];
        assert_eq!(wrong, expected);
    }

    #[test]
    fn a_pasted_env_is_sorted_out() {
        let text = "LINE_WORKS_BOT_ID=7\nLINE_WORKS_PRIVATE_KEY_FILE=private.key\nPORT=80\n?\n\
                    LINE_WORKS_API_URL=https://x\nCRM_LISTEN=1\nLINE_WORKS_CLIENT_SECRET='a b'\n";
        let pasted = read_pasted(text);
        assert_eq!(pasted.values.get(F::BotId), Some("7"));
        assert_eq!(pasted.values.get(F::ClientSecret), Some("a b"));
        assert_eq!(pasted.key_file.as_deref(), Some("private.key"));
        assert_eq!(pasted.unknown, ["PORT"]);
        assert_eq!(pasted.elsewhere, ["CRM_LISTEN", "LINE_WORKS_API_URL"]);
        assert_eq!(pasted.bad_lines, [4]);
        let encoded = read_pasted(
            "LINE_WORKS_PRIVATE_KEY_BASE64=LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUIKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQ==",
        );
        assert_eq!(encoded.values.get(F::PrivateKey).map(str::trim_end), Some(PEM));
    }
}
