//! What can be wrong with a setting, and the line that says how to mend it.

use std::fmt;
use std::path::PathBuf;

use crm_domain::members::Locale;

use super::show::Shown;
use super::words;

/// Something wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name, or `.env`.
    pub name: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Problem {
    pub(super) fn new(name: &str, fault: Fault) -> Self {
        Self {
            name: name.to_owned(),
            fault,
        }
    }

    /// One line: the setting, what is wrong, how to mend it. Never holds a secret.
    pub fn line(&self, locale: Locale) -> String {
        format!("{}: {}", self.name, words::of_fault(&self.fault, locale))
    }
}

/// What is wrong. `given` is what was given, never a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The setting and the other one that means the same are both given.
    Both {
        /// The other one.
        other: String,
    },
    /// A file cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's word.
        error: String,
    },
    /// A line of `.env` is not `NAME=value`.
    BadLine {
        /// Its number.
        line: usize,
    },
    /// Not one of the choices.
    NotAChoice {
        /// What was given.
        given: String,
        /// What can be given.
        choices: &'static str,
    },
    /// Not `ADDRESS:PORT`.
    NotAnAddress {
        /// What was given.
        given: String,
    },
    /// The same address as another setting's.
    SameAddress {
        /// The other setting.
        other: &'static str,
    },
    /// Not given, although the other setting needs it.
    NeededBy {
        /// The other setting.
        other: &'static str,
    },
    /// Not an address of the web of the form wanted.
    NotAUrl {
        /// What was given.
        given: String,
        /// How one looks.
        example: &'static str,
    },
    /// Not a whole number in the range.
    NotANumber {
        /// What was given.
        given: String,
        /// The smallest allowed.
        min: u32,
    },
    /// Not an address range.
    NotARange {
        /// What was given.
        given: String,
    },
    /// No time zone has this name.
    UnknownZone {
        /// What was given.
        given: String,
    },
    /// Not a level or list of levels.
    NotAFilter {
        /// What was given.
        given: String,
    },
    /// A secret key copied from the sheet does not fit the check value of this line.
    MistypedKey {
        /// Counted from 1.
        line: usize,
    },
    /// Fewer bytes than needed.
    TooShort {
        /// The fewest bytes.
        min: usize,
    },
    /// The passphrase is too short.
    ShortPassphrase {
        /// The fewest characters.
        min: usize,
    },
    /// Not a time of day.
    NotATime,
    /// Makes sense with a database server only.
    NeedsServer,
    /// Needed because the database is a server's.
    KeyNeededWithServer,
    /// Neither `sqlite://…` nor `postgres://…` with everything needed.
    NotADatabase,
    /// Holds what it cannot, such as blanks.
    Malformed,
    /// Needed because LINE WORKS is set up in part.
    MissingForLineWorks,
    /// The bot's secret is missing, without which no callback can be told from a forged one.
    BotSecretMissing,
    /// The private key's file is not there.
    KeyFileMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The private key is not PEM.
    NotPem,
    /// Not base64.
    NotBase64,
}

/// Something worth saying that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A name that means nothing here.
    UnknownName(String),
    /// Secrets go over the wire in the clear.
    PlainHttp(&'static str),
    /// Callbacks that anybody can forge are accepted.
    UnsignedAllowed,
}

impl Warning {
    /// One line.
    pub fn line(&self, locale: Locale) -> String {
        words::of_warning(self, locale)
    }
}

/// Settings that cannot be used: every problem at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// All of them, in the order of the settings.
    pub problems: Vec<Problem>,
    /// What is worth saying besides.
    pub warnings: Vec<Warning>,
    /// Every setting as far as it is known, the wrong ones as given, secrets hidden.
    pub shown: Vec<Shown>,
    /// The language in which they are said.
    pub locale: Locale,
}

impl SettingsError {
    /// One line for each problem.
    pub fn lines(&self) -> Vec<String> {
        self.problems
            .iter()
            .map(|problem| problem.line(self.locale))
            .collect()
    }
}

impl fmt::Display for SettingsError {
    /// A heading, then one line for each problem and each warning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(words::heading(self.locale))?;
        self.lines().iter().try_for_each(|line| write!(f, "\n- {line}"))?;
        let mark = words::mark_of_warning(self.locale);
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "\n{mark}{}", warning.line(self.locale)))
    }
}

impl std::error::Error for SettingsError {}
