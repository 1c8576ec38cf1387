//! From the domain's messages to bubbles under their days.

use crm_domain::activities::{Activity, ActivityPlace, Direction, MessageKind, Sending};
use crm_domain::customers::CustomerLine;
use crm_domain::instant::Instant;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::sends::SendState;
use crm_domain::values::MessageText;

use super::activities::{Body, Composer, Day, Message, Present, Talk, Who};
use super::companies::TimelineEntry;
use super::{Face, filled};
use crate::format::{Times, excerpt, file_size};
use crate::i18n::{Language, catalogue};
use crate::links;
use crate::sentence::Sentence;

/// Characters of a message in the question before deleting.
const QUESTION: usize = 40;
/// Characters of a message on a company's time line.
const TIMELINE: usize = 120;

impl Who {
    /// The person of a customer's record.
    pub fn of(line: &CustomerLine) -> Who {
        let (id, name) = (line.customer.id.get(), line.customer.details.name.full());
        Who {
            id,
            face: Face::of(id, &name),
            name,
            reading: filled(&line.customer.details.reading.full()),
            company_name: line.company_name.clone(),
        }
    }
}

impl Talk {
    /// Messages in the order of their times, oldest first, put under their days.
    pub fn of(activities: &[Activity], may_delete: bool, times: &Times) -> Talk {
        let mut talk = Talk::default();
        for activity in activities {
            let date = times.date_code(activity.timestamp);
            if talk.days.last().is_none_or(|day| day.date != date) {
                talk.days.push(Day {
                    date,
                    label: times.day(activity.timestamp),
                    exact: times.full_day(activity.timestamp),
                    messages: Vec::new(),
                });
            }
            let message = Message::of(activity, may_delete, times);
            talk.last_id = talk.last_id.max(message.id);
            if let Some(day) = talk.days.last_mut() {
                day.messages.push(message);
            }
        }
        talk
    }
}

/// A place in a conversation as it stands in an address: milliseconds, a dot, the id.
pub fn place_code(activity: &Activity) -> String {
    format!("{}.{}", activity.timestamp.unix_millis(), activity.id)
}

/// Reads what [`place_code`] wrote.
pub fn place_of(code: &str) -> Option<ActivityPlace> {
    let (millis, id) = code.split_once('.')?;
    let timestamp = Instant::from_unix_millis(millis.parse().ok()?);
    Some(ActivityPlace {
        timestamp,
        id: id.parse().ok()?,
    })
}

impl Message {
    /// One bubble.
    pub fn of(activity: &Activity, may_delete: bool, times: &Times) -> Message {
        let sending = activity.sending.as_ref();
        let trouble = sending.filter(|sending| sending.may_be_resent());
        let problem = trouble.and_then(|sending| SendProblem::from_code(sending.reason.as_deref()?));
        let resent = sending.is_some_and(Sending::was_resent);
        Message {
            id: activity.id.get(),
            place: place_code(activity),
            send: sending.map(|sending| sending.id.get()),
            side: side(activity.direction),
            body: Body::of(activity),
            excerpt: excerpt(&activity.message, QUESTION),
            time: times.clock(activity.timestamp),
            exact: times.exact(activity.timestamp),
            iso: times.iso(activity.timestamp),
            state: activity.send_state().map(SendState::code),
            author: sending.map(|sending| sending.author.clone()),
            failure: problem
                .map(Sentence::send_problem)
                .or_else(|| resent.then(|| Sentence::of("talk.resent"))),
            customer_id: activity.customer_id.get(),
            resend: trouble.map(|_| activity.message.clone()),
            may_delete,
        }
    }
}

impl Present {
    /// Of the newest messages, newest first, of which at most `limit` were asked for.
    pub fn of(newest: &[Activity], limit: usize) -> Present {
        let ids: Vec<String> = newest.iter().map(|message| message.id.to_string()).collect();
        let oldest = newest.last().filter(|_| newest.len() == limit);
        Present {
            ids: ids.join(","),
            from: oldest.map(place_code).unwrap_or_default(),
        }
    }
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Received => "in",
        Direction::Sent => "out",
    }
}

impl Body {
    fn of(activity: &Activity) -> Body {
        let words = filled(activity.message.trim_end());
        let detail = Detail::of(activity.detail.as_deref());
        let size = detail.size.map(file_size);
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
            (MessageKind::Image, None) => Body::Image,
            (MessageKind::File | MessageKind::Image, name) => Body::File { name, size },
            (MessageKind::Audio, _) => Body::Audio,
            (MessageKind::Video, _) => Body::Video,
        }
    }

    /// What it says on one line, for the time line of a company.
    fn line(&self, language: Language) -> String {
        let kind = match self {
            Body::Text { text } => return excerpt(text, TIMELINE),
            Body::Place { address, .. } => return excerpt(address, TIMELINE),
            Body::File { name: Some(name), .. } => return excerpt(name, TIMELINE),
            Body::File { name: None, .. } => "talk.file",
            Body::Sticker => "talk.kind.sticker",
            Body::Image => "talk.kind.image",
            Body::Video => "talk.kind.video",
            Body::Audio => "talk.kind.audio",
            Body::Other => "talk.kind.other",
        };
        catalogue(language).text(kind, &[])
    }
}

/// What LINE WORKS tells beside the words, as far as it is there.
#[derive(Default)]
struct Detail {
    /// `latitude,longitude`.
    place: Option<String>,
    /// Bytes.
    size: Option<u64>,
}

impl Detail {
    fn of(json: Option<&str>) -> Detail {
        let content: serde_json::Value = json
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let coordinates = content["latitude"].as_f64().zip(content["longitude"].as_f64());
        Detail {
            place: coordinates.map(|(latitude, longitude)| format!("{latitude},{longitude}")),
            size: content["fileSize"].as_u64(),
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

impl TimelineEntry {
    /// A message of the person called `name`.
    pub fn of(activity: &Activity, name: &str, language: Language, times: &Times) -> TimelineEntry {
        TimelineEntry {
            id: activity.id.get(),
            customer_id: activity.customer_id.get(),
            name: name.to_owned(),
            face: Face::of(activity.customer_id.get(), name),
            side: side(activity.direction),
            excerpt: Body::of(activity).line(language),
            when: times.short(activity.timestamp),
            exact: times.exact(activity.timestamp),
            iso: times.iso(activity.timestamp),
        }
    }
}

impl Composer {
    /// The field for messages to a customer.
    pub fn of(line: &CustomerLine, language: Language, key: String) -> Composer {
        let texts = catalogue(language);
        let name = line.customer.details.name.full();
        let to = match line.company_name.as_deref() {
            Some(company) => texts.text("composer.to_company", &[("name", &name), ("company", company)]),
            None => texts.text("composer.to", &[("name", &name)]),
        };
        let reachable = line.customer.details.line_user_id.is_some();
        Composer {
            reachable,
            reason: (!reachable).then_some("no_user_id"),
            to,
            key: Some(key),
            text: String::new(),
            replaces: None,
            error: None,
            limit: MessageText::MAX,
        }
    }

    /// The field with what could not be sent, and why.
    #[must_use]
    pub fn failed(self, text: String, why: Sentence) -> Composer {
        Composer {
            text,
            error: Some(why),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::activities::{Activity, Direction, MessageKind};
    use crm_domain::id::Id;
    use crm_domain::instant::Instant;
    use time::macros::offset;

    use super::{place_code, place_of};
    use crate::format::Times;
    use crate::i18n::Language;
    use crate::views::activities::{Body, Talk};

    fn message(id: i64, millis: i64, kind: MessageKind, text: &str) -> Activity {
        Activity {
            id: Id::new(id),
            customer_id: Id::new(1),
            conversation_id: None,
            direction: Direction::Received,
            kind,
            message: text.to_owned(),
            detail: None,
            timestamp: Instant::from_unix_millis(millis),
            sending: None,
        }
    }

    #[test]
    fn messages_stand_under_the_days_of_the_zone() {
        let times = Times::new(
            Language::Ja,
            std::sync::Arc::new(|_| offset!(+9)),
            Instant::from_unix_millis(86_400_000),
        );
        let before_midnight = 15 * 3_600_000 - 1;
        let list = [
            message(2, before_midnight, MessageKind::Text, "a"),
            message(1, before_midnight + 1, MessageKind::Text, "b"),
        ];
        let talk = Talk::of(&list, true, &times);
        assert_eq!(
            talk.days.iter().map(|day| day.label.as_str()).collect::<Vec<_>>(),
            ["昨日", "今日"]
        );
        assert_eq!(talk.last_id, 2);
    }

    #[test]
    fn no_bubble_is_empty() {
        let empty = Body::of(&message(1, 0, MessageKind::Text, ""));
        assert!(matches!(empty, Body::Other));
        let mut unnamed = message(1, 0, MessageKind::Location, "");
        unnamed.detail = Some(r#"{"latitude":35.68,"longitude":139.76}"#.to_owned());
        assert!(matches!(Body::of(&unnamed), Body::Place { address, .. } if address == "35.68,139.76"));
        let place = Body::of(&message(1, 0, MessageKind::Location, "東京駅"));
        assert!(
            matches!(place, Body::Place { map: Some(map), .. } if map.ends_with("query=%E6%9D%B1%E4%BA%AC%E9%A7%85"))
        );
    }

    #[test]
    fn a_place_in_a_conversation_survives_an_address() {
        let there = message(7, 1_751_942_746_446, MessageKind::Text, "");
        let place = place_of(&place_code(&there));
        assert_eq!(
            place.map(|place| (place.timestamp, place.id)),
            Some((there.timestamp, there.id))
        );
        assert!(place_of("x.1").is_none() && place_of("1").is_none() && place_of("1.0").is_none());
    }
}
