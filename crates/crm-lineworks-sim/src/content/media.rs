//! Images, videos, audio and files: by URL or by the id of an uploaded file.

use super::KnowsFile;
use super::node::Node;
use crate::answers::Refusal;

/// Endings that a tenant blocks by default.
const BLOCKED: [&str; 10] = [
    "bat", "cmd", "com", "cpl", "exe", "scr", "js", "vbs", "wsf", "hta",
];

/// An image or a video: two URLs, or a file id.
pub(super) fn pictured(content: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    content.only(&[
        "type",
        "previewImageUrl",
        "originalContentUrl",
        "fileId",
        "quickReply",
    ])?;
    if content.has("fileId") && content.has("previewImageUrl") {
        return Err(content.refuse("takes URLs or a fileId, not both."));
    }
    source(content, "originalContentUrl", "fileId", knows_file)?;
    if !content.has("fileId") {
        content.url("previewImageUrl", &["https"])?;
    }
    Ok(())
}

/// Audio or a file: one URL, or a file id.
pub(super) fn plain(content: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    content.only(&["type", "originalContentUrl", "fileId", "quickReply"])?;
    source(content, "originalContentUrl", "fileId", knows_file)?;
    let is_file = content.text("type", 100)? == "file";
    if is_file && content.has("originalContentUrl") {
        let url = content.url("originalContentUrl", &["https"])?;
        let name = url
            .split(['?', '#'])
            .next()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or_default();
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        return match ending {
            None => Err(content.refuse("needs a URL with a file name extension.")),
            Some(ending) if BLOCKED.contains(&ending.as_str()) => {
                Err(content.refuse("names a file whose extension is blocked."))
            }
            Some(_) => Ok(()),
        };
    }
    Ok(())
}

/// Exactly one of an https URL and the id of an uploaded file.
pub(super) fn source(
    node: &Node<'_>,
    url: &str,
    file: &str,
    knows_file: KnowsFile<'_>,
) -> Result<(), Refusal> {
    match (node.has(url), node.has(file)) {
        (true, true) => Err(node.refuse(&format!("takes {url} or {file}, not both."))),
        (true, false) => node.url(url, &["https"]).map(|_| ()),
        (false, _) => {
            let file_id = node.text(file, 1000)?;
            if knows_file(file_id) {
                return Ok(());
            }
            Err(node.refuse(&format!("names a {file} that was not uploaded or has expired.")))
        }
    }
}
