//! Announcing, uploading, finding and downloading files.

use crate::answers::{Refusal, json_answer};
use crate::attachments::{FILE_LIMIT, NotStored, new_file_id};
use crate::form::encode;
use crate::gate::{Operation, bearer_scopes};
use crate::json_body::{self, JSON_LIMIT};
use crate::multipart;
use crate::routes::{STORAGE, bots};
use crate::state::Shared;
use bytes::Bytes;
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const CREATE: Operation = Operation {
    name: "bot-attachment-create",
    scopes: &["bot", "bot.message"],
};
const GET: Operation = Operation {
    name: "bot-attachment-get",
    scopes: &["bot", "bot.message"],
};
/// What the parts of an upload may weigh besides the file.
const ENVELOPE: usize = 64 * 1024;

#[handler]
pub(super) async fn announce(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(bot_id): Path<String>,
    body: Body,
) -> Response {
    let body = json_body::read(body, JSON_LIMIT).await;
    CREATE.run(shared, request, |now| {
        bots::known(shared, &bot_id)?;
        let name = file_name(&json_body::object(request.headers(), &body?)?)?;
        let file_id = new_file_id(shared).map_err(|_| Refusal::internal())?;
        let url = format!("{}{STORAGE}/upload/{file_id}/{}", shared.origin(), encode(&name));
        shared.lock().attachments.announce(file_id.clone(), name, now);
        Ok(json_answer(
            StatusCode::OK,
            &json!({"fileId": file_id, "uploadUrl": url}),
        ))
    })
}

fn file_name(body: &Map<String, Value>) -> Result<String, Refusal> {
    if let Some(other) = body.keys().find(|name| *name != "fileName") {
        return Err(Refusal::invalid(format!("{other} is not a defined property.")));
    }
    match body.get("fileName") {
        None => Err(Refusal::missing("fileName")),
        Some(Value::String(name)) if !name.trim().is_empty() => Ok(name.clone()),
        Some(_) => Err(Refusal::invalid("fileName must be a text.")),
    }
}

#[handler]
pub(super) async fn upload(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path((file_id, _)): Path<(String, String)>,
    body: Body,
) -> Response {
    let taken = match json_body::read(body, FILE_LIMIT + ENVELOPE).await {
        Ok(body) => take(shared, request, &file_id, &body),
        Err(refusal) => Err(refusal),
    };
    taken.unwrap_or_else(Refusal::into_response)
}

fn take(shared: &Shared, request: &Request, file_id: &str, body: &[u8]) -> Result<Response, Refusal> {
    let now = shared.now();
    bearer_scopes(shared, request.headers(), now)?;
    let boundary = json_body::content_type(request.headers()).and_then(multipart::boundary);
    let boundary = boundary.ok_or_else(|| Refusal::invalid("The upload must be multipart/form-data."))?;
    let file =
        multipart::part(body, boundary, "Filedata").ok_or_else(|| Refusal::missing("The part Filedata"))?;
    if file.len() > FILE_LIMIT {
        return Err(Refusal::limit_exceeded("The file is too large."));
    }
    let stored = shared
        .lock()
        .attachments
        .fill(file_id, Bytes::copy_from_slice(file), now);
    match stored {
        Ok(()) => Ok(json_answer(
            StatusCode::OK,
            &json!({"fileId": file_id, "fileSize": file.len().to_string()}),
        )),
        Err(NotStored::Unknown) => Err(Refusal::not_found("The upload URL is unknown or expired.")),
        Err(NotStored::Used) => Err(Refusal::conflict("The upload URL was used before.")),
    }
}

/// The redirect to the bytes. It carries no rate-limit headers, as documented, though it counts.
#[handler]
pub(super) fn locate(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path((bot_id, file_id)): Path<(String, String)>,
) -> Response {
    let mut response = GET.run(shared, request, |now| {
        bots::known(shared, &bot_id)?;
        let known = shared.lock().attachments.get(&file_id, now).is_some();
        if !known {
            return Err(Refusal::not_found("Attachment not found."));
        }
        let url = format!("{}{STORAGE}/download/{}", shared.origin(), encode(&file_id));
        Ok(Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, url)
            .finish())
    });
    if response.status() == StatusCode::FOUND {
        for name in ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
            response.headers_mut().remove(name);
        }
    }
    response
}

#[handler]
pub(super) fn download(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(file_id): Path<String>,
) -> Response {
    let now = shared.now();
    if let Err(refusal) = bearer_scopes(shared, request.headers(), now) {
        return refusal.into_response();
    }
    let Some((name, bytes)) = shared.lock().attachments.get(&file_id, now) else {
        return Refusal::not_found("File not found.").into_response();
    };
    let disposition = format!("attachment; filename*=UTF-8''{}", encode(&name));
    Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_DISPOSITION, disposition)
        .body(bytes)
}
