//! The words on the screen: one flat catalogue per language, embedded in the binary.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;

/// A language the pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese, the default.
    #[default]
    Ja,
    /// English.
    En,
}

impl Language {
    /// Every language there is a catalogue for.
    pub const ALL: [Language; 2] = [Language::Ja, Language::En];

    /// The code in settings, forms and `<html lang>`.
    pub fn code(self) -> &'static str {
        match self {
            Language::Ja => "ja",
            Language::En => "en",
        }
    }

    /// Reads `ja` or `en`; anything else is nobody's choice.
    pub fn parse(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// The texts of one language by key. A text may hold places `{name}`.
#[derive(Debug, Default)]
pub struct Catalogue {
    texts: BTreeMap<String, String>,
}

impl Catalogue {
    fn parse(source: &str) -> Catalogue {
        Catalogue {
            texts: serde_json::from_str(source).unwrap_or_default(),
        }
    }

    /// The text as it stands in the catalogue.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// The text with its places filled. A missing key shows itself, so that nobody sees an empty label.
    pub fn text(&self, key: &str, places: &[(&str, &str)]) -> String {
        let Some(text) = self.get(key) else {
            return key.to_owned();
        };
        fill(text, places)
    }

    /// Keys in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }
}

/// Puts values into `{name}` places in one pass, so that a value is never read as a place.
fn fill(text: &str, places: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        if let Some((_, value)) = places.iter().find(|(place, _)| *place == name) {
            filled.push_str(value);
        } else {
            filled.push('{');
            filled.push_str(name);
            filled.push('}');
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// The catalogue of a language.
pub fn catalogue(language: Language) -> &'static Catalogue {
    static JA: OnceLock<Catalogue> = OnceLock::new();
    static EN: OnceLock<Catalogue> = OnceLock::new();
    match language {
        Language::Ja => JA.get_or_init(|| Catalogue::parse(include_str!("../locales/ja.json"))),
        Language::En => EN.get_or_init(|| Catalogue::parse(include_str!("../locales/en.json"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, catalogue, fill};

    fn places(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn values_are_not_read_as_places() {
        assert_eq!(fill("{a} と {b}", &[("a", "{b}"), ("b", "x")]), "{b} と x");
        assert_eq!(fill("{a", &[("a", "1")]), "{a");
        assert_eq!(fill("{other}", &[("a", "1")]), "{other}");
    }

    #[test]
    fn both_catalogues_have_the_same_keys_and_places() {
        let (ja, en) = (catalogue(Language::Ja), catalogue(Language::En));
        assert!(
            ja.keys().count() > 100,
            "the Japanese catalogue could not be read"
        );
        let missing: Vec<&str> = ja.keys().filter(|key| en.get(key).is_none()).collect();
        let surplus: Vec<&str> = en.keys().filter(|key| ja.get(key).is_none()).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "not in English: {missing:?}; only there: {surplus:?}"
        );
        for key in ja.keys() {
            let (a, b) = (ja.get(key).unwrap_or(""), en.get(key).unwrap_or(""));
            assert_eq!(places(a), places(b), "places of {key}");
            assert!(!a.is_empty() && !b.is_empty(), "{key} is empty");
        }
    }
}
