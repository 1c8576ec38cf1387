//! The template engine: templates embedded in the binary, strict, always escaping HTML; one environment a language.

use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};
use rust_embed::RustEmbed;

use crate::format::grouped;
use crate::i18n::{Language, catalogue};
use crate::message_html::{escaped, message_html};
use crate::page::{Frame, Page};
use crate::{assets, links};

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Files;

/// All pages in all languages, parsed once at start.
pub struct Templates {
    ja: Environment<'static>,
    en: Environment<'static>,
}

impl Templates {
    /// Parses every template. The error names the template and the line.
    pub fn load() -> Result<Templates, Error> {
        Ok(Templates {
            ja: environment(Language::Ja)?,
            en: environment(Language::En)?,
        })
    }

    /// The page inside its frame, in the frame's language.
    pub fn render<P: Page>(&self, frame: &Frame, page: &P) -> Result<String, Error> {
        let environment = match frame.language {
            Language::Ja => &self.ja,
            Language::En => &self.en,
        };
        let values = context! {
            frame => Serde(frame),
            page => Serde(page),
        };
        environment.get_template(P::TEMPLATE)?.render(values)
    }
}

fn environment(language: Language) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(write_escaped);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_function("t", move |key: &str, places: Kwargs| {
        translate(language, key, &places)
    });
    environment.add_function("say", move |sentence: Value| say(language, &sentence));
    environment.add_function("url", |name: &str, places: Kwargs| url(name, &places));
    environment.add_function("asset", |path: &str| {
        assets::address(path).ok_or_else(|| mistake(format!("there is no asset {path}")))
    });
    environment.add_function("icon_href", icon_href);
    environment.add_filter("message_text", |text: &str| {
        Value::from_safe_string(message_html(text))
    });
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            let source = String::from_utf8_lossy(&file.data).into_owned();
            environment.add_template_owned(name.into_owned(), source)?;
        }
    }
    Ok(environment)
}

fn translate(language: Language, key: &str, places: &Kwargs) -> Result<String, Error> {
    let texts = catalogue(language);
    if texts.get(key).is_none() {
        return Err(mistake(format!("the catalogue has no {key}")));
    }
    let mut values = Vec::new();
    for name in places.args() {
        values.push((name, places.get::<Value>(name)?.to_string()));
    }
    let pairs: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Ok(texts.text(key, &pairs))
}

/// Prints a [`crate::sentence::Sentence`].
fn say(language: Language, sentence: &Value) -> Result<String, Error> {
    let key = sentence.get_attr("key")?;
    let number = sentence.get_attr("number")?;
    let number = if number.is_none() {
        String::new()
    } else {
        grouped(u64::try_from(number)?)
    };
    let name = sentence.get_attr("name")?;
    let places = [
        ("number", number.as_str()),
        ("name", name.as_str().unwrap_or_default()),
    ];
    match catalogue(language).get(key.as_str().unwrap_or_default()) {
        Some(_) => Ok(catalogue(language).text(key.as_str().unwrap_or_default(), &places)),
        None => Err(mistake(format!("the catalogue has no {key}"))),
    }
}

/// Escapes what could end a text or an attribute, and leaves slashes alone, so that addresses stay readable.
fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => {
            out.write_str(&escaped(text))?;
            Ok(())
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn url(name: &str, places: &Kwargs) -> Result<String, Error> {
    let id: Option<i64> = places.get("id")?;
    places.assert_all_used()?;
    links::by_name(name, id).ok_or_else(|| mistake(format!("there is no address {name}")))
}

fn icon_href(name: &str) -> Result<&'static str, Error> {
    assets::icon(name).ok_or_else(|| mistake(format!("there is no icon {name}")))
}

fn mistake(sentence: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, sentence)
}
