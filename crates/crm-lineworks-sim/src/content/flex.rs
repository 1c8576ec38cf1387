//! Flexible templates: their frame, their size, and the URIs within.

use super::node::Node;
use super::translations;
use crate::answers::Refusal;

/// In bytes of JSON: the English and Korean pages allow 30 KB for a bubble, the Japanese one 15 KB.
const SIZE_LIMIT: usize = 30 * 1024;
const SIZES: [&str; 5] = ["nano", "micro", "kilo", "mega", "giga"];
const COMPONENTS: [&str; 8] = [
    "box",
    "button",
    "image",
    "icon",
    "text",
    "span",
    "separator",
    "filler",
];
const ACTIONS: [&str; 4] = ["postback", "message", "uri", "copy"];

pub(super) fn check(content: &Node<'_>) -> Result<(), Refusal> {
    content.only(&["type", "altText", "i18nAltTexts", "contents", "quickReply"])?;
    content.text("altText", 400)?;
    translations(content, "i18nAltTexts", &[("altText", 400)])?;
    let contents = content.object("contents")?;
    contents.fits(SIZE_LIMIT)?;
    if contents.one_of("type", &["bubble", "carousel"])? == "bubble" {
        return bubble(&contents).map(|_| ());
    }
    contents.only(&["type", "contents"])?;
    let bubbles = contents.list("contents", 10)?;
    let sizes: Vec<&str> = bubbles.iter().map(bubble).collect::<Result<_, _>>()?;
    if sizes.windows(2).any(|two| two.first() != two.last()) {
        return Err(contents.refuse("needs bubbles of the same size."));
    }
    Ok(())
}

/// Checks a bubble and returns its size.
fn bubble<'a>(bubble: &Node<'a>) -> Result<&'a str, Refusal> {
    bubble.only(&[
        "type",
        "size",
        "direction",
        "header",
        "hero",
        "body",
        "footer",
        "styles",
        "action",
    ])?;
    bubble.one_of("type", &["bubble"])?;
    if bubble.has("direction") {
        bubble.one_of("direction", &["ltr", "rtl"])?;
    }
    for block in ["header", "hero", "body", "footer"] {
        if bubble.has(block) {
            component(&bubble.object(block)?)?;
        }
    }
    if bubble.has("action") {
        action(&bubble.object("action")?)?;
    }
    if bubble.has("size") {
        bubble.one_of("size", &SIZES)
    } else {
        Ok("mega")
    }
}

/// A component and those in it: of a known type, its URIs good. Its other properties are not looked at.
fn component(node: &Node<'_>) -> Result<(), Refusal> {
    let kind = node.one_of("type", &COMPONENTS)?;
    if matches!(kind, "image" | "icon") {
        node.url("url", &["https"])?;
    }
    if node.has("action") {
        action(&node.object("action")?)?;
    }
    if matches!(kind, "box" | "text") && node.has("contents") && !node.is_empty_list("contents") {
        node.list("contents", 1000)?.iter().try_for_each(component)?;
    }
    Ok(())
}

fn action(action: &Node<'_>) -> Result<(), Refusal> {
    if action.one_of("type", &ACTIONS)? == "uri" {
        action.url("uri", &[])?;
    }
    Ok(())
}
