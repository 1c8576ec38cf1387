//! The words, in both languages.

use std::collections::BTreeMap;

use crm_domain::members::Locale;

const JA: &str = include_str!("../texts/ja.json");
const EN: &str = include_str!("../texts/en.json");

/// A catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    locale: Locale,
    words: BTreeMap<String, String>,
}

impl Texts {
    pub(crate) fn of(locale: Locale) -> Self {
        let json = match locale {
            Locale::Ja => JA,
            Locale::En => EN,
        };
        // A test rules out that the catalogue is no JSON.
        let words = serde_json::from_str(json).unwrap_or_default();
        Self { locale, words }
    }

    pub(crate) fn locale(&self) -> Locale {
        self.locale
    }

    /// The text of this key; the key itself if there is none.
    pub(crate) fn text(&self, key: &str) -> String {
        self.find(key).unwrap_or(key).to_owned()
    }

    /// The text of this key with `{name}` replaced.
    pub(crate) fn fill(&self, key: &str, pairs: &[(&str, &str)]) -> String {
        pairs.iter().fold(self.text(key), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        self.words.get(key).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;
    use crm_domain::members::Locale;
    use crm_domain::ports::messenger::SendProblem;
    use crm_domain::values::Problem;

    #[test]
    fn both_catalogues_have_the_same_keys_and_marks() {
        let (ja, en) = (Texts::of(Locale::Ja), Texts::of(Locale::En));
        let keys = |texts: &Texts| texts.words.keys().cloned().collect::<Vec<_>>();
        assert!(!ja.words.is_empty());
        assert_eq!(keys(&ja), keys(&en));
        for (key, text) in &ja.words {
            let marks = |text: &str| {
                let mut marks: Vec<_> = text
                    .split('{')
                    .skip(1)
                    .map(|rest| rest.split('}').next().map(str::to_owned))
                    .collect();
                marks.sort();
                marks
            };
            assert_eq!(marks(text), marks(&en.words[key]), "{key}");
        }
    }

    #[test]
    fn every_problem_of_the_domain_has_its_words() {
        let ja = Texts::of(Locale::Ja);
        for problem in SendProblem::ALL {
            assert!(
                ja.find(&format!("send_problem.{}", problem.code())).is_some(),
                "{problem:?}"
            );
        }
        for problem in [
            Problem::Required,
            Problem::TooLong { max: 1 },
            Problem::TooShort { min: 1 },
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
        ] {
            assert!(
                ja.find(&format!("problem.{}", problem.code())).is_some(),
                "{problem:?}"
            );
        }
    }
}
