//! The browsable page of the JSON API, drawn from its `OpenAPI` document on the server.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::page::Page;

/// `GET /api/docs`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ApiDocsPage {
    /// Title of the API.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// That the page is in English, for readers of another language in theirs.
    pub note: Option<String>,
    /// In the order of their paths.
    pub operations: Vec<Operation>,
    /// The shapes that go in and out.
    pub schemas: Vec<Schema>,
}

/// One method of one path.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// `GET`, `POST`, ….
    pub method: String,
    /// With its places in braces.
    pub path: String,
    /// In one line.
    pub summary: String,
    /// At length.
    pub description: String,
    /// What it takes beside a body.
    pub parameters: Vec<Parameter>,
    /// Name of the body's shape; empty when it has none.
    pub body: String,
    /// What it answers.
    pub responses: Vec<Answer>,
}

/// A parameter of an operation.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `query`, `path` or `header`.
    pub place: String,
    /// Its type.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
}

/// An answer of an operation.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The status.
    pub status: String,
    /// When it comes.
    pub description: String,
    /// Name of the shape; empty when there is no body.
    pub kind: String,
}

/// A shape.
#[derive(Debug, Clone, Serialize)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its fields.
    pub fields: Vec<SchemaField>,
}

/// A field of a shape.
#[derive(Debug, Clone, Serialize)]
pub struct SchemaField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What it means.
    pub description: String,
}

impl ApiDocsPage {
    /// Reads an `OpenAPI` 3 document. Parts that it does not have stay empty.
    pub fn of(document: &Value) -> ApiDocsPage {
        let operations = entries(&document["paths"])
            .flat_map(|(path, methods)| {
                entries(methods).map(move |(method, operation)| Operation::of(path, method, operation))
            })
            .collect();
        ApiDocsPage {
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            description: text(&document["info"]["description"]),
            note: None,
            operations,
            schemas: entries(&document["components"]["schemas"])
                .map(|(name, schema)| Schema::of(name, schema))
                .collect(),
        }
    }
}

impl Operation {
    fn of(path: &str, method: &str, operation: &Value) -> Operation {
        Operation {
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            parameters: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(Parameter::of)
                .collect(),
            body: content_kind(&operation["requestBody"]["content"]),
            responses: entries(&operation["responses"])
                .map(|(status, answer)| Answer {
                    status: status.clone(),
                    description: text(&answer["description"]),
                    kind: content_kind(&answer["content"]),
                })
                .collect(),
        }
    }
}

impl Parameter {
    fn of(parameter: &Value) -> Parameter {
        Parameter {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            kind: kind(&parameter["schema"]),
            required: parameter["required"].as_bool().unwrap_or_default(),
            description: text(&parameter["description"]),
        }
    }
}

impl Schema {
    fn of(name: &str, schema: &Value) -> Schema {
        let fields = entries(&schema["properties"])
            .map(|(name, field)| SchemaField {
                name: name.clone(),
                kind: kind(field),
                description: text(&field["description"]),
            })
            .collect();
        Schema {
            name: name.to_owned(),
            description: text(&schema["description"]),
            fields,
        }
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn content_kind(content: &Value) -> String {
    entries(content)
        .next()
        .map(|(_, media)| kind(&media["schema"]))
        .unwrap_or_default()
}

/// A type in one word: `string`, `array<Customer>`, `integer (int64)`.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts
            .iter()
            .map(kind)
            .find(|kind| !kind.is_empty())
            .unwrap_or_default();
    }
    let base = text(&schema["type"]);
    match (base.as_str(), schema["format"].as_str()) {
        ("array", _) => format!("array<{}>", kind(&schema["items"])),
        (_, Some(format)) => format!("{base} ({format})"),
        _ => base,
    }
}

impl Page for ApiDocsPage {
    const TEMPLATE: &'static str = "api_docs.html";

    fn samples() -> Vec<ApiDocsPage> {
        let document = serde_json::json!({
            "info": {"title": "CRM", "version": "1.0", "description": "Customers and companies"},
            "paths": {"/customers/{id}": {"get": {
                "summary": "One customer", "description": "Answers `404` for one in the trash.",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "format": "int64"}, "description": "Its number"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Customer"}}}},
                "responses": {"200": {"description": "Found", "content": {"application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/Customer"}]}}}},
                              "404": {"description": "Not found"}}}}},
            "components": {"schemas": {"Customer": {"description": "A person", "properties": {
                "id": {"type": "integer", "format": "int64", "description": "Number"},
                "tags": {"type": "array", "items": {"type": "string"}}}}}}
        });
        let noted = ApiDocsPage {
            note: Some("英語です。".to_owned()),
            ..ApiDocsPage::default()
        };
        vec![ApiDocsPage::of(&document), noted]
    }
}

#[cfg(test)]
mod tests {
    use super::ApiDocsPage;
    use crate::page::Page;

    #[test]
    fn a_document_is_read_by_its_references() {
        let page = &ApiDocsPage::samples()[0];
        let operation = &page.operations[0];
        assert_eq!(
            (operation.method.as_str(), operation.body.as_str()),
            ("GET", "Customer")
        );
        assert_eq!(operation.responses[0].kind, "Customer");
        assert_eq!(operation.parameters[0].kind, "integer (int64)");
        assert_eq!(page.schemas[0].fields[1].kind, "array<string>");
    }
}
