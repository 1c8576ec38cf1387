//! Received files: downloaded, and fetched again when they could not be. They are others' bytes on our origin, so a browser
//! saves them and never shows or runs them (failure note 26).

use std::io::Read;

use bytes::Bytes;
use crm_domain::attachments::{Attachment, AttachmentId};
use crm_domain::customers::CustomerId;
use crm_domain::use_cases::Looked;
use poem::http::{StatusCode, header};
use poem::web::Path;
use poem::{Body, Response, Route, get, handler, post};
use serde::Deserialize;

use super::id;
use crate::auth::{Protected, Signed, Visitor};
use crate::links;
use crate::pieces;
use crate::problem::Failure;

/// Bytes read and sent at once.
const PIECE: usize = 64 * 1024;

pub(super) fn mount(route: Route) -> Route {
    route
        .at("/file/:id", get(download))
        .at("/file/:id/fetch", post(fetch_again))
}

#[handler]
async fn download(visitor: Visitor, by: Signed, Path(number): Path<String>) -> Result<Response, Failure> {
    let crm = visitor.app.crm.clone();
    let file = crm.show_file(&by.actor, id(&number)?).await?;
    let name = download_name(&file);
    let size = file.blob.map_or(0, |blob| blob.size);
    let looked = Looked::File {
        customer: crm.customer_of_file(&by.actor, file.id).await?,
        file: file.id,
    };
    crm.note_reading(&by.actor, looked);
    let opened = tokio::task::spawn_blocking(move || crm.open_file(&by.actor, &file)).await;
    let bytes = opened.map_err(|_| Failure::Broken("opening a file failed"))??;
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, size)
        .header(
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{}", links::encode(&name)),
        )
        .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header(header::CACHE_CONTROL, "private, no-store")
        .body(sent(bytes)))
}

/// Under which name it is saved.
fn download_name(file: &Attachment) -> String {
    let named = file.name.clone();
    named.unwrap_or_else(|| {
        format!(
            "{}-{}{}",
            file.kind.code(),
            file.id,
            ending(file.media_type.as_deref())
        )
    })
}

/// The ending of what comes without a name.
fn ending(media_type: Option<&str>) -> &'static str {
    match media_type.unwrap_or_default() {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "image/heic" => ".heic",
        "image/webp" => ".webp",
        "audio/mp4" | "audio/x-m4a" => ".m4a",
        "audio/mpeg" => ".mp3",
        "audio/wav" | "audio/x-wav" => ".wav",
        "video/mp4" => ".mp4",
        "video/quicktime" => ".mov",
        "application/pdf" => ".pdf",
        _ => ".bin",
    }
}

#[derive(Debug, Deserialize)]
struct Again {
    /// On whose page the button stood; empty for nobody's.
    #[serde(default)]
    customer: String,
}

#[handler]
async fn fetch_again(
    visitor: Visitor,
    Path(number): Path<String>,
    form: Protected<Again>,
) -> Result<Response, Failure> {
    let file: AttachmentId = id(&number)?;
    visitor.app.crm.retry_file(&form.by.actor, file).await?;
    visitor.app.signals.files_waiting();
    let customer = form.data.customer.parse::<CustomerId>();
    let back = customer.map_or_else(|_| links::HOME.to_owned(), |id| links::customer(id.get()));
    Ok(visitor.redirect(&back, None))
}

/// A file on its way to a browser: read on a thread that may wait, as fast as the browser takes it.
fn sent(mut bytes: Box<dyn Read + Send>) -> Body {
    let (sender, body) = pieces::body();
    tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; PIECE];
        loop {
            let read = bytes.read(&mut piece);
            if matches!(read, Ok(0)) {
                return;
            }
            let failed = read.is_err();
            let read = read.map(|count| Bytes::copy_from_slice(piece.get(..count).unwrap_or_default()));
            if sender.blocking_send(read).is_err() || failed {
                return;
            }
        }
    });
    body
}
