//! From the domain's messages to bubbles under their days.

use std::collections::HashMap;

use crm_domain::activities::{Activity, ActivityPlace, Direction, Sending};
use crm_domain::board::BoardLine;
use crm_domain::customers::CustomerLine;
use crm_domain::instant::Instant;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::sends::{CANCELLED, RESENT, SendState};
use crm_domain::values::MessageText;

use super::activities::{Body, Composer, Day, Message, Present, Talk, Who};
use super::companies::TimelineEntry;
use super::{Face, bodies, filled};
use crate::format::{Times, excerpt};
use crate::i18n::{Language, catalogue};
use crate::sentence::Sentence;

/// Characters of a message in the question before deleting.
const QUESTION: usize = 40;

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

    /// Whether this message stands here.
    pub fn holds(&self, id: i64) -> bool {
        let mut messages = self.days.iter().flat_map(|day| &day.messages);
        messages.any(|message| message.id == id)
    }

    /// Marks the first message that the reader has not seen, as far as it stands here.
    pub fn mark_unread(&mut self, lines: &[BoardLine]) {
        let mut left: HashMap<i64, i64> = lines
            .iter()
            .map(|line| (line.conversation.id.get(), line.unread))
            .collect();
        let newest_first = self
            .days
            .iter_mut()
            .rev()
            .flat_map(|day| day.messages.iter_mut().rev());
        let mut first = None;
        for message in newest_first.filter(|message| message.side == "in") {
            let unread = message.conversation.and_then(|id| left.get_mut(&id));
            if let Some(unread) = unread.filter(|unread| **unread > 0) {
                *unread -= 1;
                first = Some(message);
            }
        }
        if let Some(message) = first {
            message.first_unread = true;
        }
    }
}

/// A place in a conversation as it stands in an address: milliseconds, a dot, the id.
pub fn place_code(activity: &Activity) -> String {
    code_of(ActivityPlace {
        timestamp: activity.timestamp,
        id: activity.id,
    })
}

/// Writes what [`place_of`] reads.
pub fn code_of(place: ActivityPlace) -> String {
    format!("{}.{}", place.timestamp.unix_millis(), place.id)
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
        let held = trouble.and_then(|sending| sending.held_at(times.now()));
        let waiting = sending.filter(|sending| sending.next_try_at.is_some());
        let is_open = sending.is_some_and(|sending| !sending.state.is_final());
        Message {
            id: activity.id.get(),
            place: place_code(activity),
            conversation: activity.conversation_id.map(crm_domain::id::Id::get),
            send: sending.map(|sending| sending.id.get()),
            side: side(activity.direction),
            body: Body::of(activity),
            excerpt: excerpt(&activity.message, QUESTION),
            time: times.clock(activity.timestamp),
            exact: times.exact(activity.timestamp),
            iso: times.iso(activity.timestamp),
            state: activity.send_state().map(SendState::code),
            author: sending
                .map(|sending| sending.author.clone())
                .or_else(|| activity.note_author.clone()),
            failure: sending.and_then(failure),
            customer_id: activity.customer_id.get(),
            resend: trouble
                .filter(|_| held.is_none())
                .map(|_| activity.message.clone()),
            held: held.map(|until| times.clock_with_seconds(until)),
            waits: waiting.and_then(problem_of).map(Sentence::send_waits),
            next_try: waiting.and_then(|sending| Some(times.clock(sending.next_try_at?))),
            act: sending.and_then(act),
            treated_by: sending.and_then(|sending| sending.treated_by.clone()),
            may_delete: may_delete && !is_open,
            room: activity.in_room,
            file_state: activity.file.as_ref().map(bodies::file_state),
            late: activity.late,
            first_unread: false,
            button: bodies::button(activity),
        }
    }
}

fn problem_of(sending: &Sending) -> Option<SendProblem> {
    SendProblem::from_code(sending.reason.as_deref()?)
}

/// What a person can do about a message besides sending it again.
fn act(sending: &Sending) -> Option<&'static str> {
    if sending.may_be_cancelled() {
        return Some("cancel");
    }
    sending.may_be_treated_as_sent().then_some("treat")
}

/// Why a message did not surely arrive, and what to do.
fn failure(sending: &Sending) -> Option<Sentence> {
    match sending.reason.as_deref()? {
        RESENT => Some(Sentence::of("talk.resent")),
        CANCELLED => Some(Sentence::of("talk.cancelled")),
        _ if sending.may_be_resent() => problem_of(sending).map(Sentence::send_problem),
        _ => None,
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

pub(super) fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Received => "in",
        Direction::Sent => "out",
        Direction::Note => "note",
    }
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
            question: None,
            seen: 0,
            note: String::new(),
            note_error: None,
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

    /// The field with a note that could not be kept, and why.
    #[must_use]
    pub fn note_failed(self, note: String, why: Sentence) -> Composer {
        Composer {
            note,
            note_error: Some(why),
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
    use crate::views::activities::Talk;

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
            note_author: None,
            late: false,
            in_room: false,
            file: None,
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
