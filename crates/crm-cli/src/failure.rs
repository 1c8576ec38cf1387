//! What went wrong, and how it is said.

use crm_compose::{SettingsError, StartError};
use crm_domain::error::Error;
use crm_domain::values::FieldError;

use crate::texts::Texts;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The settings cannot be used.
    Settings(SettingsError),
    /// The program could not be put together.
    Start(StartError),
    /// A use case refused or failed.
    Domain(Error),
    /// Something of the command line's own: code, and values for the text `failure.<code>`.
    Own(&'static str, Vec<(&'static str, String)>),
    /// Like `Own`, but the command was misused: exit status 2.
    Misused(&'static str, Vec<(&'static str, String)>),
}

impl Failure {
    /// A file that cannot be read or written.
    pub(crate) fn io(file: &str, error: &std::io::Error) -> Self {
        Self::Own(
            "file",
            vec![("file", file.to_owned()), ("error", error.to_string())],
        )
    }

    /// Stable name.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::Start(error) => error.code(),
            Self::Domain(error) => error.code(),
            Self::Own(code, _) | Self::Misused(code, _) => code,
        }
    }

    /// 1: failed, 2: misused.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Misused(..) => 2,
            _ => 1,
        }
    }

    /// What happened, why, what to do; the code comes last.
    pub(crate) fn sentence(&self, texts: &Texts) -> String {
        let text = match self {
            Self::Settings(error) => error.to_string(),
            Self::Start(error) => error.sentence(texts.locale()),
            Self::Domain(error) => domain(error, texts),
            Self::Own(code, pairs) | Self::Misused(code, pairs) => {
                let pairs: Vec<(&str, &str)> = pairs
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                texts.fill(&format!("failure.{code}"), &pairs)
            }
        };
        format!("{text} [{}]", self.code())
    }
}

fn domain(error: &Error, texts: &Texts) -> String {
    match error {
        Error::Invalid(errors) => {
            let lines: Vec<String> = errors.iter().map(|error| field(error, texts)).collect();
            lines.join("\n")
        }
        Error::NotFound(what) => {
            let what = texts.text(&format!("noun.{what}"));
            texts.fill("error.not_found", &[("what", &what)])
        }
        Error::Messenger(problem) => texts.text(&format!("send_problem.{}", problem.code())),
        Error::Vault(error) => texts.fill("error.vault", &[("error", &error.to_string())]),
        Error::Store(error) => texts.fill("error.store", &[("error", &reasons(error))]),
        other => texts.text(&format!("error.{}", other.code())),
    }
}

/// A field's problem in one line.
pub(crate) fn field(error: &FieldError, texts: &Texts) -> String {
    let limit = error
        .problem
        .limit()
        .map(|limit| limit.to_string())
        .unwrap_or_default();
    let problem = texts.fill(&format!("problem.{}", error.problem.code()), &[("limit", &limit)]);
    texts.fill("error.field", &[("field", error.field), ("problem", &problem)])
}

/// An error with what caused it.
pub(crate) fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl From<Vec<FieldError>> for Failure {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Domain(Error::Invalid(errors))
    }
}
