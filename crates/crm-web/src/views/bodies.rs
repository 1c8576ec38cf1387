//! What a bubble holds, from what was received.

use crm_domain::activities::{Activity, MessageKind};
use crm_domain::attachments::Attachment;

use super::activities::{Body, FileView};
use super::filled;
use crate::format::{excerpt, file_size};
use crate::i18n::{Language, catalogue};
use crate::links;
use crate::sentence::Sentence;

/// Characters of a message on a company's time line.
const TIMELINE: usize = 120;
/// Characters of the word for an unknown kind.
const KIND: usize = 40;

impl Body {
    pub(super) fn of(activity: &Activity) -> Body {
        let words = filled(activity.message.trim_end());
        let detail = Detail::of(activity.detail.as_deref());
        match (activity.kind, words) {
            (MessageKind::Text, Some(text)) => Body::Text { text },
            (MessageKind::Text, None) => Body::Other,
            (MessageKind::Location, words) => match words.or_else(|| detail.place.clone()) {
                Some(address) => Body::Place {
                    map: Some(map_of(detail.place.as_deref().unwrap_or(&address))),
                    address,
                },
                None => Body::Other,
            },
            (MessageKind::Sticker, _) => Body::Sticker,
            (MessageKind::Postback, data) => Body::Button {
                data: data.unwrap_or_default(),
            },
            (MessageKind::Other, _) => Body::Unknown {
                what: detail.kind.unwrap_or_else(|| "?".to_owned()),
            },
            (MessageKind::Image | MessageKind::File | MessageKind::Audio | MessageKind::Video, name) => {
                Body::of_file(activity, name, &detail)
            }
        }
    }

    fn of_file(activity: &Activity, name: Option<String>, detail: &Detail) -> Body {
        let file = activity.file.as_ref();
        let kept = file.and_then(|file| file.blob).map(|blob| blob.size);
        Body::File {
            what: activity.kind.code(),
            name: file.and_then(|file| file.name.clone()).or(name),
            size: kept.or(detail.size).map(file_size),
            bytes: file.map(FileView::of),
        }
    }

    /// What it says on one line, for the time line of a company.
    pub(super) fn line(&self, language: Language) -> String {
        let texts = catalogue(language);
        let kind = match self {
            Body::Text { text } => return excerpt(text, TIMELINE),
            Body::Place { address, .. } => return excerpt(address, TIMELINE),
            Body::File { name: Some(name), .. } => return excerpt(name, TIMELINE),
            Body::File { what, .. } => return texts.text(&format!("talk.kind.{what}"), &[]),
            Body::Button { data } => {
                let label = texts.text("talk.button", &[]);
                return excerpt(&format!("{label} {data}"), TIMELINE);
            }
            Body::Unknown { what } => return texts.text("talk.unknown", &[("what", what)]),
            Body::Sticker => "talk.kind.sticker",
            Body::Other => "talk.kind.other",
        };
        texts.text(kind, &[])
    }
}

impl FileView {
    /// As the bubble shows it.
    pub(super) fn of(file: &Attachment) -> FileView {
        FileView {
            id: file.id.get(),
            state: file.state.code(),
            problem: file.reason.as_deref().map(Sentence::file_problem),
        }
    }
}

/// How far a file got, as one word that changes whenever the bubble does.
pub(super) fn file_state(file: &Attachment) -> String {
    let state = file.state.code();
    match &file.reason {
        Some(reason) => format!("{state}-{reason}"),
        None => state.to_owned(),
    }
}

/// What the button that said these words carries unseen.
pub(super) fn button(activity: &Activity) -> Option<String> {
    let spoken = activity.kind == MessageKind::Text;
    spoken
        .then(|| Detail::of(activity.detail.as_deref()).postback)
        .flatten()
}

/// What LINE WORKS tells beside the words, as far as it is there.
#[derive(Default)]
struct Detail {
    /// `latitude,longitude`.
    place: Option<String>,
    /// Bytes.
    size: Option<u64>,
    /// What a button carries unseen.
    postback: Option<String>,
    /// LINE WORKS' word for the kind.
    kind: Option<String>,
}

impl Detail {
    fn of(json: Option<&str>) -> Detail {
        let content: serde_json::Value = json
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let degrees = |name: &str, most: f64| content[name].as_f64().filter(|at| at.abs() <= most);
        let coordinates = degrees("latitude", 90.0).zip(degrees("longitude", 180.0));
        Detail {
            place: coordinates.map(|(latitude, longitude)| format!("{latitude},{longitude}")),
            size: content["fileSize"].as_u64(),
            postback: content["postback"].as_str().and_then(filled),
            kind: content["type"]
                .as_str()
                .and_then(filled)
                .map(|kind| excerpt(&kind, KIND)),
        }
    }
}

/// A map of the place, given by its coordinates or its address.
fn map_of(place: &str) -> String {
    links::with_query(
        "https://www.google.com/maps/search/",
        &[("api", "1"), ("query", place)],
    )
}

#[cfg(test)]
mod tests {
    use crm_domain::activities::{Activity, Direction, MessageKind};
    use crm_domain::id::Id;
    use crm_domain::instant::Instant;

    use super::button;
    use crate::i18n::Language;
    use crate::views::activities::Body;

    fn message(kind: MessageKind, text: &str, detail: &str) -> Activity {
        Activity {
            id: Id::new(1),
            customer_id: Id::new(1),
            conversation_id: None,
            direction: Direction::Received,
            kind,
            message: text.to_owned(),
            detail: Some(detail.to_owned()).filter(|detail| !detail.is_empty()),
            timestamp: Instant::from_unix_millis(0),
            sending: None,
            note_author: None,
            late: false,
            in_room: false,
            file: None,
        }
    }

    fn body(kind: MessageKind, text: &str, detail: &str) -> Body {
        Body::of(&message(kind, text, detail))
    }

    #[test]
    fn no_bubble_is_empty() {
        for kind in MessageKind::ALL {
            let line = body(kind, "", "").line(Language::Ja);
            assert!(!line.trim().is_empty(), "{kind:?}");
        }
        assert!(matches!(body(MessageKind::Text, " ", ""), Body::Other));
        let hologram = body(MessageKind::Other, "", r#"{"type":"hologram"}"#);
        assert_eq!(
            hologram.line(Language::Ja),
            "［この種類のメッセージは表示できません（hologram）］"
        );
    }

    #[test]
    fn a_place_has_its_map() {
        let unnamed = body(
            MessageKind::Location,
            "",
            r#"{"latitude":35.68,"longitude":139.76}"#,
        );
        assert!(matches!(unnamed, Body::Place { address, map: Some(map) }
            if address == "35.68,139.76" && map.starts_with("https://www.google.com/maps/")));
        let named = body(MessageKind::Location, "東京駅", "");
        assert!(
            matches!(named, Body::Place { map: Some(map), .. } if map.ends_with("query=%E6%9D%B1%E4%BA%AC%E9%A7%85"))
        );
        let nowhere = body(MessageKind::Location, "", r#"{"latitude":95,"longitude":139.76}"#);
        assert!(matches!(nowhere, Body::Other));
    }

    #[test]
    fn what_a_button_carries_is_shown_beside_its_words() {
        let said = message(
            MessageKind::Text,
            "はい",
            r#"{"type":"text","text":"はい","postback":"deal=42"}"#,
        );
        assert_eq!(button(&said).as_deref(), Some("deal=42"));
        assert_eq!(button(&message(MessageKind::Text, "はい", "")), None);
        assert_eq!(
            button(&message(MessageKind::Sticker, "", r#"{"postback":"x"}"#)),
            None
        );
    }
}
