//! Where settings come from: the environment, the `.env` file, and files that `X_FILE` names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crm_domain::members::Locale;

use super::dot_env;
use super::known;
use super::problem::{Fault, Problem};

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The process environment.
    Environment,
    /// The `.env` file.
    DotEnv,
    /// The file that `X_FILE` names.
    File(PathBuf),
    /// The page for the connection with LINE WORKS.
    Pages,
    /// Nowhere: the default.
    Default,
}

/// Every name and value given, before any of them is understood. The environment wins over `.env`; an empty value
/// counts as not given.
#[derive(Clone, Default)]
pub struct Source {
    given: BTreeMap<String, (String, Origin)>,
    operator: Option<String>,
    faults: Vec<Problem>,
}

impl Source {
    /// Reads the process environment and `.env` in the working directory, if there is one.
    #[expect(
        clippy::disallowed_methods,
        reason = "settings are read here, once, and handed on as values"
    )]
    pub fn of_process() -> Self {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        match std::fs::read_to_string(".env") {
            Ok(text) => Self::new(environment, Some(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::new(environment, None),
            Err(error) => {
                let mut source = Self::new(environment, None);
                source.faults.push(unreadable(".env", Path::new(".env"), &error));
                source
            }
        }
    }

    /// Takes the environment's pairs and the text of a `.env` file.
    pub fn new(environment: impl IntoIterator<Item = (String, String)>, dot_env: Option<&str>) -> Self {
        let mut source = Self::default();
        source.take_dot_env(dot_env.unwrap_or_default());
        for (name, value) in environment {
            if value.trim().is_empty() {
                continue;
            }
            if known::is_ours(&name) {
                source.given.insert(name, (value, Origin::Environment));
            } else if matches!(name.as_str(), "USER" | "LOGNAME" | "USERNAME") {
                source.operator.get_or_insert(value);
            }
        }
        source
    }

    fn take_dot_env(&mut self, text: &str) {
        for item in dot_env::read(text) {
            match item {
                Ok((name, value)) if !value.trim().is_empty() => {
                    self.given.insert(name, (value, Origin::DotEnv));
                }
                Ok(_) => {}
                // The line's number, never its text: it may hold a secret.
                Err(line) => self.faults.push(Problem::new(".env", Fault::BadLine { line })),
            }
        }
    }

    /// The language set, Japanese if none or another one is: also for saying what is wrong with the settings.
    pub fn locale(&self) -> Locale {
        let given = self
            .given
            .get("CRM_LOCALE")
            .map(|(code, _)| code.trim().to_ascii_lowercase());
        given
            .and_then(|code| Locale::from_code(&code))
            .unwrap_or(Locale::Ja)
    }

    /// The system's name for whoever runs this program.
    pub fn operator(&self) -> &str {
        self.operator.as_deref().unwrap_or("operator")
    }

    /// What could not even be read.
    pub(super) fn faults(&self) -> &[Problem] {
        &self.faults
    }

    /// The names given that mean nothing here: all of `.env`, those with our prefixes of the environment.
    pub fn unknown(&self) -> Vec<String> {
        let known = |name: &str| known::find(name).is_some();
        self.given
            .keys()
            .filter(|name| !known(name) && !name.strip_suffix("_FILE").is_some_and(known))
            .cloned()
            .collect()
    }

    /// The value of a setting, from itself or from the file that `X_FILE` names; both at once are a problem.
    pub(super) fn get(&self, name: &str) -> Result<Option<(String, Origin)>, Problem> {
        let direct = self.given.get(name);
        let file_name = format!("{name}_FILE");
        let file = self
            .given
            .get(&file_name)
            .filter(|_| known::find(&file_name).is_none_or(|known| known.is_file_of_other));
        match (direct, file) {
            (Some(_), Some(_)) => Err(Problem::new(name, Fault::Both { other: file_name })),
            (Some(found), None) => Ok(Some(found.clone())),
            (None, Some((path, _))) => read_file(&file_name, Path::new(path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Whether any of these is given, itself or by file.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.given.contains_key(*name) || self.given.contains_key(&format!("{name}_FILE")))
    }

    /// Every name given.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Gives a value, whatever was given before.
    pub(super) fn put(&mut self, name: &str, value: &str, origin: Origin) {
        self.given.insert(name.to_owned(), (value.to_owned(), origin));
    }

    /// The value as given, without looking into files.
    pub(super) fn direct(&self, name: &str) -> Option<&(String, Origin)> {
        self.given.get(name)
    }
}

impl std::fmt::Debug for Source {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

pub(super) fn read_file(name: &str, path: &Path) -> Result<(String, Origin), Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((text.trim_end().to_owned(), Origin::File(path.to_owned()))),
        Err(error) => Err(unreadable(name, path, &error)),
    }
}

fn unreadable(name: &str, path: &Path, error: &std::io::Error) -> Problem {
    let fault = Fault::Unreadable {
        path: path.to_owned(),
        error: error.to_string(),
    };
    Problem::new(name, fault)
}
