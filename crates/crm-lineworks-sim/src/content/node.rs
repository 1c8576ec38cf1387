//! An object within a message, with its path for what the refusals say.

use crate::answers::Refusal;
use serde_json::{Map, Value};

/// The longest URL.
const URL_LIMIT: usize = 1000;

pub(crate) struct Node<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    pub(crate) fn root(map: &'a Map<String, Value>) -> Self {
        Self {
            path: String::new(),
            map,
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(crate) fn refuse(&self, why: &str) -> Refusal {
        Refusal::invalid(format!("{} {why}", self.path))
    }

    /// Refuses properties that are not defined, and defined ones that are null.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        for (name, value) in self.map {
            if !names.contains(&name.as_str()) {
                return Err(Refusal::invalid(format!(
                    "{} is not a defined property.",
                    self.path_of(name)
                )));
            }
            if value.is_null() {
                return Err(Refusal::invalid(format!(
                    "{} must not be null.",
                    self.path_of(name)
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    fn value(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.map
            .get(name)
            .ok_or_else(|| Refusal::missing(&self.path_of(name)))
    }

    /// A required text of 1 to `limit` characters.
    pub(crate) fn text(&self, name: &str, limit: usize) -> Result<&'a str, Refusal> {
        let text = self.value(name)?.as_str();
        let text = text.ok_or_else(|| Refusal::invalid(format!("{} must be a text.", self.path_of(name))))?;
        if text.is_empty() {
            return Err(Refusal::invalid(format!(
                "{} must not be empty.",
                self.path_of(name)
            )));
        }
        if text.chars().count() > limit {
            return Err(Refusal::too_long(&self.path_of(name), limit));
        }
        Ok(text)
    }

    /// A text that may be absent.
    pub(crate) fn optional_text(&self, name: &str, limit: usize) -> Result<Option<&'a str>, Refusal> {
        if self.has(name) {
            self.text(name, limit).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A required text out of a list.
    pub(crate) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<&'a str, Refusal> {
        let text = self.text(name, URL_LIMIT)?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(Refusal::invalid(format!(
            "{} must be one of {}.",
            self.path_of(name),
            allowed.join(", ")
        )))
    }

    /// A required number whose absolute value is at most `limit`.
    pub(crate) fn number(&self, name: &str, limit: f64) -> Result<(), Refusal> {
        let number = self.value(name)?.as_f64();
        match number {
            None => Err(Refusal::invalid(format!(
                "{} must be a number.",
                self.path_of(name)
            ))),
            Some(number) if number.abs() > limit => Err(Refusal::out_of_range(format!(
                "{} is out of range.",
                self.path_of(name)
            ))),
            Some(_) => Ok(()),
        }
    }

    /// A required URL of one of these schemes; of any scheme if none is given.
    pub(crate) fn url(&self, name: &str, schemes: &[&str]) -> Result<&'a str, Refusal> {
        let url = self.text(name, URL_LIMIT)?;
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        let scheme_right = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && (schemes.is_empty() || schemes.iter().any(|wanted| wanted.eq_ignore_ascii_case(scheme)));
        let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let rest_right = if web {
            rest.strip_prefix("//")
                .is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        } else {
            !rest.is_empty()
        };
        if scheme_right && rest_right && !url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Ok(url);
        }
        Err(Refusal::invalid(format!(
            "{} is not a valid URI.",
            self.path_of(name)
        )))
    }

    /// Refuses an object of more than `limit` bytes of JSON.
    pub(crate) fn fits(&self, limit: usize) -> Result<(), Refusal> {
        let size = serde_json::to_vec(self.map).map_or(usize::MAX, |bytes| bytes.len());
        if size <= limit {
            return Ok(());
        }
        Err(Refusal::limit_exceeded(format!(
            "{} is larger than {limit} bytes.",
            self.path
        )))
    }

    pub(crate) fn is_empty_list(&self, name: &str) -> bool {
        self.map
            .get(name)
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
    }

    /// A required object.
    pub(crate) fn object(&self, name: &str) -> Result<Node<'a>, Refusal> {
        let path = self.path_of(name);
        match self.value(name)? {
            Value::Object(map) => Ok(Node { path, map }),
            _ => Err(Refusal::invalid(format!("{path} must be an object."))),
        }
    }

    /// A required list of 1 to `limit` objects.
    pub(crate) fn list(&self, name: &str, limit: usize) -> Result<Vec<Node<'a>>, Refusal> {
        let path = self.path_of(name);
        objects(self.value(name)?, &path, limit)
    }

    /// A required list of 1 to `rows` lists of 1 to `columns` objects.
    pub(crate) fn grid(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<Node<'a>>, Refusal> {
        let path = self.path_of(name);
        let lists = items(self.value(name)?, &path, rows)?;
        let mut all = Vec::new();
        for (row, list) in lists.iter().enumerate() {
            all.extend(objects(list, &format!("{path}[{row}]"), columns)?);
        }
        Ok(all)
    }
}

fn items<'a>(value: &'a Value, path: &str, limit: usize) -> Result<&'a [Value], Refusal> {
    let list = value
        .as_array()
        .ok_or_else(|| Refusal::invalid(format!("{path} must be a list.")))?;
    if list.is_empty() {
        return Err(Refusal::invalid(format!("{path} must not be empty.")));
    }
    if list.len() > limit {
        return Err(Refusal::too_long(path, limit));
    }
    Ok(list)
}

fn objects<'a>(value: &'a Value, path: &str, limit: usize) -> Result<Vec<Node<'a>>, Refusal> {
    let each = |(at, item): (usize, &'a Value)| match item {
        Value::Object(map) => Ok(Node {
            path: format!("{path}[{at}]"),
            map,
        }),
        _ => Err(Refusal::invalid(format!("{path}[{at}] must be an object."))),
    };
    items(value, path, limit)?.iter().enumerate().map(each).collect()
}
