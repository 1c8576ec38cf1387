//! Button, list and carousel templates.

use super::actions::{self, Place};
use super::node::Node;
use super::{KnowsFile, LINE_LIMIT, media, translations};
use crate::answers::Refusal;

const MAX_COLUMNS: usize = 10;

pub(super) fn button(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&["type", "contentText", "i18nContentTexts", "actions", "quickReply"])?;
    content.text("contentText", LINE_LIMIT)?;
    translations(content, "i18nContentTexts", &[("contentText", LINE_LIMIT)])?;
    each_action(&content.list("actions", 10)?, Place::Template)
}

fn each_action(list: &[Node<'_>], place: Place) -> Result<(), Refusal> {
    list.iter().try_for_each(|action| actions::check(action, place))
}

pub(super) fn list(content: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    content.only(&["type", "coverData", "elements", "actions", "quickReply"])?;
    if content.has("coverData") {
        cover(&content.object("coverData")?, knows_file)?;
    }
    for element in content.list("elements", 4)? {
        element.only(&[
            "title",
            "subtitle",
            "originalContentUrl",
            "fileId",
            "action",
            "i18nTitles",
            "i18nSubtitles",
        ])?;
        element.text("title", LINE_LIMIT)?;
        element.optional_text("subtitle", LINE_LIMIT)?;
        optional_picture(&element, knows_file)?;
        if element.has("action") {
            actions::check(&element.object("action")?, Place::Template)?;
        }
    }
    if content.has("actions") {
        each_action(&content.grid("actions", 2, 2)?, Place::Template)?;
    }
    Ok(())
}

fn cover(cover: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    cover.only(&[
        "backgroundImageUrl",
        "backgroundFileId",
        "title",
        "subtitle",
        "i18nTitles",
        "i18nSubtitles",
    ])?;
    media::source(cover, "backgroundImageUrl", "backgroundFileId", knows_file)?;
    cover.optional_text("title", LINE_LIMIT)?;
    cover.optional_text("subtitle", LINE_LIMIT).map(|_| ())
}

/// Whether the node has a picture; if so, it is by URL or by file id.
fn optional_picture(node: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<bool, Refusal> {
    let pictured = node.has("originalContentUrl") || node.has("fileId");
    if pictured {
        media::source(node, "originalContentUrl", "fileId", knows_file)?;
    }
    Ok(pictured)
}

pub(super) fn carousel(content: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    content.only(&["type", "imageAspectRatio", "imageSize", "columns", "quickReply"])?;
    if content.has("imageAspectRatio") {
        content.one_of("imageAspectRatio", &["rectangle", "square"])?;
    }
    if content.has("imageSize") {
        content.one_of("imageSize", &["cover", "contain"])?;
    }
    let mut shapes = Vec::new();
    for column in content.list("columns", MAX_COLUMNS)? {
        shapes.push(carousel_column(&column, knows_file)?);
    }
    if shapes.windows(2).any(|two| two.first() != two.last()) {
        let needed = "needs the same number of actions, and image and title alike, in all columns.";
        return Err(content.refuse(needed));
    }
    Ok(())
}

/// Checks a column and returns what all columns must have alike: image, title, number of actions.
fn carousel_column(column: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(bool, bool, usize), Refusal> {
    column.only(&[
        "originalContentUrl",
        "fileId",
        "title",
        "text",
        "defaultAction",
        "actions",
        "i18nTitles",
        "i18nTexts",
    ])?;
    let pictured = optional_picture(column, knows_file)?;
    let titled = column.optional_text("title", 40)?.is_some();
    column.text("text", if pictured || titled { 60 } else { 120 })?;
    if column.has("defaultAction") {
        actions::check(&column.object("defaultAction")?, Place::Carousel)?;
    }
    let list = if column.has("actions") {
        column.list("actions", 3)?
    } else {
        Vec::new()
    };
    each_action(&list, Place::Carousel)?;
    Ok((pictured, titled, list.len()))
}

pub(super) fn image_carousel(content: &Node<'_>, knows_file: KnowsFile<'_>) -> Result<(), Refusal> {
    content.only(&["type", "columns", "quickReply"])?;
    for column in content.list("columns", MAX_COLUMNS)? {
        column.only(&[
            "originalContentUrl",
            "fileId",
            "action",
            "i18nImageUrls",
            "i18nFileIds",
        ])?;
        media::source(&column, "originalContentUrl", "fileId", knows_file)?;
        if column.has("action") {
            actions::check(&column.object("action")?, Place::ImageCarousel)?;
        }
    }
    Ok(())
}
