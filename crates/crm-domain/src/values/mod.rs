//! Values that cannot hold nonsense: whoever has one need not check it again.

pub mod email_address;
pub mod file_name;
pub mod line_user_id;
pub mod message_text;
pub mod normalise;
pub mod person_name;
pub mod phone_number;
pub mod plain_text;
pub mod search_words;
pub mod website;

pub use email_address::EmailAddress;
pub use line_user_id::LineUserId;
pub use message_text::MessageText;
pub use person_name::{PersonName, PersonReading};
pub use phone_number::PhoneNumber;
pub use plain_text::{CompanyName, CompanyReading, Line, Remarks};
pub use search_words::SearchWords;
pub use website::Website;

/// Why a value was refused. The words for it are the reader's catalogue's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Problem {
    /// Nothing was given where something is needed.
    #[error("is required")]
    Required,
    /// More characters than `max`.
    #[error("is longer than {max} characters")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
    /// Fewer characters than `min`.
    #[error("is shorter than {min} characters")]
    TooShort {
        /// The fewest characters allowed.
        min: usize,
    },
    /// Not of the shape that this kind of value has.
    #[error("has not the right form")]
    Malformed,
    /// A line break or another control character where none belongs.
    #[error("holds a control character")]
    ControlCharacter,
    /// A blank inside, where none belongs.
    #[error("holds a blank")]
    Blank,
    /// Refers to something that does not exist (any more).
    #[error("does not exist")]
    Missing,
    /// A private key behind a passphrase.
    #[error("is protected by a passphrase")]
    KeyEncrypted,
    /// A certificate or a public key where the private one belongs.
    #[error("is no private key")]
    KeyNotPrivate,
    /// No RSA key, or a damaged one.
    #[error("is damaged or no RSA key")]
    KeyDamaged,
    /// A private key of fewer bits than are safe.
    #[error("has fewer than 2048 bits")]
    KeyTooSmall,
    /// Somebody else has this value already.
    #[error("is taken")]
    Taken,
    /// One of a fixed list was expected.
    #[error("is not one of the choices")]
    NotAChoice,
    /// The member named does not see this customer.
    #[error("does not see this customer")]
    CannotSee,
    /// A password that is among those which are tried first.
    #[error("is among the commonest passwords")]
    Common,
    /// A code of an authenticator app, or a recovery code, that is not good (any more).
    #[error("is not the code expected now")]
    WrongCode,
    /// A login id that nobody has.
    #[error("is the login ID of nobody on LINE WORKS")]
    LoginUnknown,
    /// A login id that cannot be turned into a user id: the app lacks the scope.
    #[error("is a login ID, and the app may not look up its user ID (scope user.profile.read)")]
    LoginScopeMissing,
    /// A login id that cannot be turned into a user id: LINE WORKS is not set up.
    #[error("is a login ID, and LINE WORKS is not set up to look up its user ID")]
    LoginNotConfigured,
    /// A login id that cannot be turned into a user id now.
    #[error("is a login ID, and LINE WORKS cannot be asked for its user ID now")]
    LoginUnresolved,
}

impl Problem {
    /// Stable name: catalogue key (`problem.<code>`), API code and command line code in one.
    pub fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong { .. } => "too_long",
            Self::TooShort { .. } => "too_short",
            Self::Malformed => "malformed",
            Self::ControlCharacter => "control_character",
            Self::Blank => "blank",
            Self::Missing => "missing",
            Self::KeyEncrypted => "key_encrypted",
            Self::KeyNotPrivate => "key_not_private",
            Self::KeyDamaged => "key_damaged",
            Self::KeyTooSmall => "key_too_small",
            Self::Taken => "taken",
            Self::NotAChoice => "not_a_choice",
            Self::CannotSee => "cannot_see",
            Self::Common => "common",
            Self::WrongCode => "wrong_code",
            Self::LoginUnknown => "login_unknown",
            Self::LoginScopeMissing => "login_scope_missing",
            Self::LoginNotConfigured => "login_not_configured",
            Self::LoginUnresolved => "login_unresolved",
        }
    }

    /// The number that the sentence mentions, if it mentions one: a limit in characters.
    pub fn limit(self) -> Option<usize> {
        match self {
            Self::TooLong { max } => Some(max),
            Self::TooShort { min } => Some(min),
            _ => None,
        }
    }
}

/// A [`Problem`] with the field it concerns, named as forms, API and command line name it (`last_name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{field} {problem}")]
pub struct FieldError {
    /// The form field's name.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

impl FieldError {
    /// Pairs a field with its problem.
    pub const fn new(field: &'static str, problem: Problem) -> Self {
        Self { field, problem }
    }
}
