//! Errors of the domain as sentences: a key of the catalogues and the number or name that the sentence mentions.

use crm_domain::error::Error;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::values::{FieldError, Problem};
use serde::Serialize;

use crate::format::grouped;
use crate::i18n::{Catalogue, Language, catalogue};

/// A sentence of the catalogues; templates print it with `say(…)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// Key of the catalogue.
    pub key: String,
    /// Fills the place `{number}`.
    pub number: Option<u64>,
    /// Fills the place `{name}`.
    pub name: Option<String>,
}

impl Sentence {
    /// A sentence without a number.
    pub fn of(key: impl Into<String>) -> Sentence {
        Sentence {
            key: key.into(),
            number: None,
            name: None,
        }
    }

    /// The sentence about somebody.
    #[must_use]
    pub fn about(self, name: impl Into<String>) -> Sentence {
        Sentence {
            name: Some(name.into()),
            ..self
        }
    }

    /// What a use case answered, for people.
    pub fn error(error: &Error) -> Sentence {
        match error {
            Error::Invalid(fields) => fields
                .first()
                .map_or_else(|| Sentence::of("error.invalid"), Sentence::field),
            Error::Messenger(problem) => Sentence::send_problem(*problem),
            Error::TooManySignIns { retry_after } => Sentence {
                key: "error.too_many_sign_ins".to_owned(),
                number: Some((*retry_after).into()),
                name: None,
            },
            Error::HandledBy(name) => Sentence::of("error.handled_by").about(name),
            other => Sentence::of(format!("error.{}", other.code())),
        }
    }

    /// Why a field was refused: the field's own words where it has some, else those for every field.
    pub fn field(error: &FieldError) -> Sentence {
        let code = error.problem.code();
        let own = format!("problem.{}.{code}", error.field);
        let known = catalogue(Language::default()).get(&own).is_some();
        let key = if known { own } else { format!("problem.{code}") };
        Sentence {
            key,
            number: error.problem.limit().map(|limit| limit as u64),
            name: None,
        }
    }

    /// Why a text was refused as a message.
    pub fn message(problem: Problem) -> Sentence {
        Sentence::field(&FieldError::new("message", problem))
    }

    /// Why a message was not sent, or is not known to be.
    pub fn send_problem(problem: SendProblem) -> Sentence {
        Sentence::of(format!("send_problem.{}", problem.code()))
    }

    /// Why a received file is not there.
    pub fn file_problem(code: &str) -> Sentence {
        Sentence::of(format!("file_problem.{code}"))
    }

    /// Why a message waits although its turn had come.
    pub fn send_waits(problem: SendProblem) -> Sentence {
        let own = format!("send_waits.{}", problem.code());
        let known = catalogue(Language::default()).get(&own).is_some();
        Sentence::of(if known { own } else { "send_waits.other".to_owned() })
    }

    /// The words.
    pub fn words(&self, texts: &Catalogue) -> String {
        let number = self.number.map(grouped).unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        texts.text(&self.key, &[("number", &number), ("name", name)])
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::error::Error;
    use crm_domain::id::Id;
    use crm_domain::instant::Instant;
    use crm_domain::permissions::{Action, Denied};
    use crm_domain::ports::messenger::SendProblem;
    use crm_domain::ports::store::StoreError;
    use crm_domain::ports::vault::VaultError;
    use crm_domain::use_cases::TrialStep;
    use crm_domain::values::{FieldError, Problem};

    use super::Sentence;
    use crate::i18n::{Language, catalogue};

    fn errors() -> Vec<Error> {
        vec![
            Error::Denied(Denied(Action::ManageMembers)),
            Error::NotFound("customer"),
            Error::Invalid(Vec::new()),
            Error::Stale,
            Error::NoAddress,
            Error::HandledBy("田中 花子".to_owned()),
            Error::UnderWay(Instant::from_unix_millis(0)),
            Error::SignInRefused,
            Error::TooManySignIns { retry_after: 60 },
            Error::SignInOver,
            Error::FactorOn,
            Error::LinkSpent,
            Error::LastAdministrator(Id::new(1)),
            Error::Vault(VaultError::Broken),
            Error::Vault(VaultError::UnknownKey),
            Error::Vault(VaultError::Unavailable),
            Error::Store(StoreError::Taken("email")),
            Error::Store(StoreError::Stale("customer")),
            Error::Store(StoreError::Missing("company_id")),
            Error::Store(StoreError::Corrupt {
                table: "customers",
                column: "name",
                row: 1,
            }),
            Error::Store(StoreError::unavailable("full")),
            Error::Store(StoreError::Uncertain),
        ]
    }

    fn problems() -> [Problem; 20] {
        [
            Problem::Required,
            Problem::TooLong { max: 100 },
            Problem::TooShort { min: 4 },
            Problem::Malformed,
            Problem::ControlCharacter,
            Problem::Blank,
            Problem::Missing,
            Problem::Taken,
            Problem::KeyEncrypted,
            Problem::KeyNotPrivate,
            Problem::KeyDamaged,
            Problem::KeyTooSmall,
            Problem::NotAChoice,
            Problem::CannotSee,
            Problem::Common,
            Problem::WrongCode,
            Problem::LoginUnknown,
            Problem::LoginScopeMissing,
            Problem::LoginNotConfigured,
            Problem::LoginUnresolved,
        ]
    }

    #[test]
    fn every_code_has_its_sentence() {
        let fields = [
            "email",
            "phone",
            "line_user_id",
            "website",
            "name",
            "message",
            "elsewhere",
        ];
        let of_fields = fields.into_iter().flat_map(|field| {
            problems()
                .into_iter()
                .map(move |problem| Sentence::field(&FieldError::new(field, problem)))
        });
        let sentences = errors()
            .iter()
            .map(Sentence::error)
            .chain(SendProblem::ALL.into_iter().map(Sentence::send_problem))
            .chain(
                TrialStep::ALL
                    .into_iter()
                    .map(|step| Sentence::of(format!("trial.{}", step.code()))),
            )
            .chain(of_fields)
            .collect::<Vec<_>>();
        for language in Language::ALL {
            for sentence in &sentences {
                assert!(
                    catalogue(language).get(&sentence.key).is_some(),
                    "{language:?} has no {}",
                    sentence.key
                );
                let words = sentence.words(catalogue(language));
                assert!(
                    !words.contains("{name}") && (sentence.number.is_none() || !words.contains("{number}")),
                    "{}",
                    sentence.key
                );
            }
        }
    }

    #[test]
    fn numbers_stand_as_beside_the_field_and_codes_come_last() {
        for language in Language::ALL {
            let texts = catalogue(language);
            let long = Sentence::message(Problem::TooLong { max: 2000 }).words(texts);
            assert!(long.contains("2,000"), "{long}");
            for problem in SendProblem::ALL {
                let words = Sentence::send_problem(problem).words(texts);
                let code = words.find(['4', '5']).map(|place| &words[place..]);
                assert!(code.is_none_or(|code| code.chars().count() == 4), "{words}");
            }
        }
    }

    #[test]
    fn a_field_with_words_of_its_own_uses_them() {
        let email = Sentence::field(&FieldError::new("email", Problem::Malformed));
        assert_eq!(email.key, "problem.email.malformed");
        let name = Sentence::field(&FieldError::new("last_name", Problem::TooLong { max: 100 }));
        assert_eq!((name.key.as_str(), name.number), ("problem.too_long", Some(100)));
    }
}
