//! The `OpenAPI` document: what the framework derives, with what is true of every operation.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{BASE, service};

const DESCRIPTION: &str = "Access for other programs. Authenticate with `Authorization: Bearer <token>`; an \
    administrator makes tokens with `crm token create`. Times are UTC. \
    A `POST` with an `Idempotency-Key` may be repeated. Lists are read page by page: pass `next` as `after`.";

/// The document, without which no program can be written; it needs no sign-in.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let derived = serde_json::from_str(&service().description(DESCRIPTION).server(BASE).spec());
        completed(derived.unwrap_or_default())
    })
}

fn completed(mut document: Value) -> Value {
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    }
    let schemas = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    if let Some(schemas) = schemas {
        schemas.values_mut().for_each(allow_null);
        schemas.insert("Problem".to_owned(), problem());
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), schemes());
    }
    document["security"] = json!([{"token": []}, {"session": []}]);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, operations) in paths {
            let one = path.contains('{');
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                complete_operation(operation, one, method);
            }
        }
    }
    document
}

/// What may be absent in the framework's eyes is null in our answers.
fn allow_null(schema: &mut Value) {
    let required = schema["required"].clone();
    let always = |name: &str| {
        required
            .as_array()
            .is_some_and(|names| names.iter().any(|one| one == name))
    };
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !always(name) {
            property["nullable"] = json!(true);
        }
    }
}

fn complete_operation(operation: &mut Value, one: bool, method: &str) {
    let reads = method == "get";
    let person = operation["operationId"]
        .as_str()
        .is_some_and(|name| ["addCustomer", "changeCustomer"].contains(&name));
    let summary = operation["summary"].clone();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let problem = |what: &str| {
        json!({
            "description": what,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        })
    };
    for status in ["201", "202", "204"] {
        if let Some(answer) = responses.get_mut(status) {
            answer["description"] = summary.clone();
        }
    }
    if person {
        let what = "Somebody has the same e-mail address, telephone number or user id";
        responses.insert("409".to_owned(), problem(what));
    }
    if matches!(method, "patch" | "delete") {
        responses.insert("412".to_owned(), problem("It is not as `If-Match` says"));
    }
    if let Some(answer) = responses.get_mut("200") {
        let content = answer.get("content").and_then(Value::as_object);
        let shape = content.and_then(|content| content.values().next()).cloned();
        *answer = json!({
            "description": summary,
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": {"application/json": shape},
        });
    }
    if reads {
        responses.insert(
            "304".to_owned(),
            json!({"description": "Unchanged since the tag in `If-None-Match`"}),
        );
    } else if method != "delete" {
        responses.insert("422".to_owned(), problem("A field holds what it cannot"));
    }
    responses.insert("400".to_owned(), problem("A parameter cannot be read"));
    responses.insert("401".to_owned(), problem("No token, or one that is not valid"));
    if one {
        responses.insert("404".to_owned(), problem("There is no such record"));
    }
    responses.insert("default".to_owned(), problem("Anything else that went wrong"));
}

fn schemes() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "crm_session"},
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "code", "errors"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer", "format": "int32"},
            "code": {"type": "string", "description": "Stable name of what went wrong."},
            "errors": {
                "type": "array",
                "description": "The fields that are wrong.",
                "items": {
                    "type": "object",
                    "required": ["field", "code"],
                    "properties": {"field": {"type": "string"}, "code": {"type": "string"}},
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn the_document_is_complete() {
        let document = document();
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(document["servers"][0]["url"], "/api/v1");
        for path in [
            "/customers",
            "/customers/{id}",
            "/companies",
            "/companies/{id}",
            "/messages/{id}",
        ] {
            let operation = &document["paths"][path]["get"];
            assert!(
                operation["summary"].is_string() && operation["operationId"].is_string(),
                "{path}"
            );
            for status in ["200", "304", "400", "401", "default"] {
                assert!(operation["responses"][status].is_object(), "{path} {status}");
            }
        }
        let send = &document["paths"]["/customers/{id}/messages"]["post"];
        for status in ["202", "400", "401", "404", "422", "default"] {
            assert!(send["responses"][status].is_object(), "{status}");
        }
        let customer = &document["components"]["schemas"]["Customer"]["properties"];
        assert_eq!(customer["email"]["nullable"], true);
        assert!(customer["last_name"]["nullable"].is_null());
        let answer = &document["paths"]["/customers"]["get"]["responses"]["200"];
        assert_eq!(
            answer["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/CustomerList"
        );
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = &reference[..reference.find('"').unwrap()];
            assert!(schemas.contains_key(name), "{name} is referred to and missing");
        }
    }
}
