//! A JSON body whose fields are looked at one by one, so that every wrong one is named at once.

use std::collections::BTreeMap;

use poem::{FromRequest as _, Request, RequestBody};
use poem_openapi::impl_apirequest_for_payload;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::problem::Failure;

/// What was sent, and the SHA-256 of how it was written.
pub(super) struct Fields<T> {
    pub(super) data: T,
    pub(super) hash: [u8; 32],
}

impl<T: Type> Payload for Fields<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn check_content_type(content_type: &str) -> bool {
        Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Fields<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = Vec::<u8>::from_request(request, body).await?;
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        let Ok(Value::Object(sent)) = serde_json::from_slice(&bytes) else {
            return Err(Failure::Malformed.into());
        };
        let wrong = wrong::<T>(&sent);
        if !wrong.is_empty() {
            return Err(Failure::Fields(wrong).into());
        }
        match T::parse_from_json(Some(Value::Object(sent))) {
            Ok(data) => Ok(Self { data, hash }),
            Err(_) => Err(Failure::Malformed.into()),
        }
    }
}

impl_apirequest_for_payload!(Fields<T>, T: ParseFromJSON);

/// The fields that are unknown, missing or of a wrong type.
fn wrong<T: ParseFromJSON>(sent: &Map<String, Value>) -> Vec<(String, &'static str)> {
    let mut registry = Registry::new();
    T::register(&mut registry);
    let name = T::name();
    let Some(schema) = registry.schemas.get(name.as_ref()) else {
        return Vec::new();
    };
    let missing = |field: &str| sent.get(field).is_none_or(Value::is_null);
    let required = schema.required.iter().filter(|field| missing(field));
    let mut wrong: BTreeMap<&str, &'static str> =
        required.clone().map(|field| (*field, "required")).collect();
    for (field, value) in sent {
        match schema.properties.iter().find(|(known, _)| known == field) {
            None => {
                wrong.insert(field, "unknown");
            }
            Some(_) if wrong.contains_key(field.as_str()) => {}
            Some((_, kind)) if is_text(kind) && (value.is_string() || value.is_null()) => {}
            Some((_, kind)) if !is_text(kind) && takes::<T>(sent, field, value, &schema.required) => {}
            Some(_) => {
                wrong.insert(field, "malformed");
            }
        }
    }
    wrong
        .into_iter()
        .map(|(field, code)| (field.to_owned(), code))
        .collect()
}

/// The framework would make texts of numbers.
fn is_text(kind: &MetaSchemaRef) -> bool {
    matches!(kind, MetaSchemaRef::Inline(schema) if schema.ty == "string")
}

/// Whether a field can hold a value: with nothing else beside it but what must be there.
fn takes<T: ParseFromJSON>(sent: &Map<String, Value>, field: &str, value: &Value, required: &[&str]) -> bool {
    let beside = required.iter().filter_map(|name| sent.get_key_value(*name));
    let mut alone: Map<String, Value> = beside
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    alone.insert(field.to_owned(), value.clone());
    T::parse_from_json(Some(Value::Object(alone))).is_ok()
}

#[cfg(test)]
mod tests {
    use poem_openapi::Object;
    use poem_openapi::types::MaybeUndefined;
    use serde_json::{Value, json};

    use super::wrong;

    #[derive(Debug, Object)]
    struct Sample {
        text: String,
        number: MaybeUndefined<i64>,
    }

    #[test]
    fn every_wrong_field_is_named() {
        let found = |value: Value| wrong::<Sample>(value.as_object().unwrap());
        let fields = |found: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
            found
                .iter()
                .map(|(field, code)| ((*field).to_owned(), *code))
                .collect()
        };
        assert_eq!(found(json!({"text": "a", "number": null})), fields(&[]));
        assert_eq!(
            found(json!({"number": "x", "name": 1})),
            fields(&[("name", "unknown"), ("text", "required"), ("number", "malformed")])
                .into_iter()
                .collect::<std::collections::BTreeMap<_, _>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!(found(json!({"text": 5})), fields(&[("text", "malformed")]));
    }
}
