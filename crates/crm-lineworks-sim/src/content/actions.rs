//! What a tap does.

use super::node::Node;
use super::translations;
use crate::answers::Refusal;

/// Where an action stands: it decides which kinds are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Button and list template: no postback.
    Template,
    Carousel,
    /// Labels of at most 12 characters.
    ImageCarousel,
    /// Also camera, camera roll and location; a postback needs its display text.
    QuickReply,
}

impl Place {
    fn label_limit(self) -> usize {
        if self == Self::ImageCarousel { 12 } else { 20 }
    }
}

pub(super) fn check(action: &Node<'_>, place: Place) -> Result<(), Refusal> {
    let kind = action.text("type", 100)?;
    match kind {
        "postback" if place != Place::Template => postback(action, place)?,
        "message" => {
            action.only(&["type", "label", "text", "postback", "i18nLabels", "i18nTexts"])?;
            action.optional_text("text", 1000)?;
            action.optional_text("postback", 1000)?;
        }
        "uri" => {
            action.only(&["type", "label", "uri", "i18nLabels"])?;
            action.url("uri", &[])?;
        }
        "copy" => {
            action.only(&["type", "label", "copyText", "i18nLabels", "i18nCopyTexts"])?;
            action.text("copyText", 1000)?;
        }
        "camera" | "cameraRoll" | "location" if place == Place::QuickReply => {
            action.only(&["type", "label", "i18nLabels"])?;
            action.text("label", place.label_limit())?;
        }
        _ => return Err(action.refuse(&format!("of type {kind} is not allowed here."))),
    }
    action.optional_text("label", place.label_limit())?;
    translations(action, "i18nLabels", &[("label", place.label_limit())])
}

fn postback(action: &Node<'_>, place: Place) -> Result<(), Refusal> {
    action.only(&[
        "type",
        "label",
        "data",
        "displayText",
        "i18nLabels",
        "i18nDisplayTexts",
    ])?;
    action.text("data", 300)?;
    if place == Place::QuickReply {
        action.text("displayText", 300)?;
    }
    action.optional_text("displayText", 300).map(|_| ())
}
