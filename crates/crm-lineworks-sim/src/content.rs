//! The `content` of a message: which properties it must and may have.

use crate::answers::Refusal;
use node::Node;
use serde_json::{Map, Value};

mod actions;
mod flex;
mod media;
mod node;
mod templates;

const TEXT_LIMIT: usize = 2000;
const LINE_LIMIT: usize = 1000;
const MENTION_LIMIT: usize = 50;
const LANGUAGES: [&str; 5] = ["ko_KR", "ja_JP", "zh_CN", "zh_TW", "en_US"];

/// Tells whether a file id stands for an uploaded file.
pub(crate) type KnowsFile<'a> = &'a dyn Fn(&str) -> bool;

/// Checks a message body and returns its `content`.
pub(crate) fn check(message: &Map<String, Value>, knows_file: KnowsFile<'_>) -> Result<Value, Refusal> {
    let root = Node::root(message);
    root.only(&["content"])?;
    let content = root.object("content")?;
    let kind = content.text("type", 100)?;
    match kind {
        "text" => text(&content),
        "image" | "video" => media::pictured(&content, knows_file),
        "audio" | "file" => media::plain(&content, knows_file),
        "link" => link(&content),
        "sticker" => sticker(&content),
        "location" => location(&content),
        "button_template" => templates::button(&content),
        "list_template" => templates::list(&content, knows_file),
        "carousel" => templates::carousel(&content, knows_file),
        "image_carousel" => templates::image_carousel(&content, knows_file),
        "flex" => flex::check(&content),
        _ => Err(Refusal::invalid(format!("content.type {kind} is not supported."))),
    }?;
    quick_reply(&content)?;
    message
        .get("content")
        .cloned()
        .ok_or_else(|| Refusal::missing("content"))
}

fn text(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&["type", "text", "i18nTexts", "quickReply"])?;
    let text = content.text("text", TEXT_LIMIT)?;
    if text.matches("<m userId=").count() > MENTION_LIMIT {
        return Err(Refusal::limit_exceeded("At most 50 mentions are allowed."));
    }
    translations(content, "i18nTexts", &[("text", TEXT_LIMIT)])
}

fn link(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&[
        "type",
        "contentText",
        "linkText",
        "link",
        "i18nContentTexts",
        "i18nLinkTexts",
        "quickReply",
    ])?;
    content.text("contentText", LINE_LIMIT)?;
    content.text("linkText", LINE_LIMIT)?;
    content.url("link", &[])?;
    translations(content, "i18nContentTexts", &[("contentText", LINE_LIMIT)])?;
    translations(content, "i18nLinkTexts", &[("linkText", LINE_LIMIT)])
}

fn sticker(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&["type", "packageId", "stickerId", "quickReply"])?;
    content.text("packageId", 100)?;
    content.text("stickerId", 100)?;
    Ok(())
}

fn location(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&["type", "title", "address", "latitude", "longitude", "quickReply"])?;
    content.text("title", 100)?;
    content.text("address", 100)?;
    content.number("latitude", 90.0)?;
    content.number("longitude", 180.0)
}

/// A list of translations, each with a language and the same texts as the original.
fn translations(node: &Node<'_>, name: &str, texts: &[(&str, usize)]) -> Result<(), Refusal> {
    if !node.has(name) {
        return Ok(());
    }
    for translation in node.list(name, LANGUAGES.len())? {
        let mut allowed = vec!["language"];
        allowed.extend(texts.iter().map(|(text, _)| *text));
        translation.only(&allowed)?;
        translation.one_of("language", &LANGUAGES)?;
        for (text, limit) in texts {
            translation.text(text, *limit)?;
        }
    }
    Ok(())
}

fn quick_reply(content: &Node<'_>) -> Result<(), Refusal> {
    if !content.has("quickReply") {
        return Ok(());
    }
    let reply = content.object("quickReply")?;
    reply.only(&["items"])?;
    for item in reply.list("items", 13)? {
        item.only(&[
            "imageUrl",
            "imageResourceId",
            "i18nImageUrls",
            "i18nImageResourceIds",
            "action",
        ])?;
        if item.has("imageUrl") && item.has("imageResourceId") {
            return Err(item.refuse("takes imageUrl or imageResourceId, not both."));
        }
        if item.has("imageUrl") {
            item.url("imageUrl", &["https"])?;
        }
        actions::check(&item.object("action")?, actions::Place::QuickReply)?;
    }
    Ok(())
}
