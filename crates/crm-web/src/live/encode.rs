//! How events are written: the one place where a stream's bytes are made.

use bytes::Bytes;
use crm_domain::events::{Event, EventCursor};
use serde::Serialize;

/// What a page gets to know of an event: ids.
#[derive(Debug, Serialize)]
pub(crate) struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<i64>,
}

/// The ids that an event names.
pub(crate) fn data_of(event: &Event) -> Data {
    Data {
        conversation: event.what.conversation_id.map(crm_domain::id::Id::get),
        customer: event.what.customer_id.map(crm_domain::id::Id::get),
        company: event.what.company_id.map(crm_domain::id::Id::get),
    }
}

/// The text would break out of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line break or NUL in an event")]
pub(super) struct Unwritable;

fn one_line(text: &str) -> Result<&str, Unwritable> {
    if text.contains(['\r', '\n', '\0']) {
        Err(Unwritable)
    } else {
        Ok(text)
    }
}

/// One event: with an `id` the reader's place moves there.
pub(super) fn block(name: &str, id: Option<&str>, data: &str) -> Result<Bytes, Unwritable> {
    let (name, data) = (one_line(name)?, one_line(data)?);
    let id = id.map(one_line).transpose()?;
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    Ok(Bytes::from(format!("event: {name}\n{id}data: {data}\n\n")))
}

/// A stored event.
pub(super) fn event(event: &Event, place: &EventCursor) -> Result<Bytes, Unwritable> {
    let data = serde_json::to_string(&data_of(event)).map_err(|_| Unwritable)?;
    block(event.what.kind.code(), Some(&place.to_string()), &data)
}

/// The page is to load its data anew, and goes on from here.
pub(super) fn reload(place: &EventCursor) -> Result<Bytes, Unwritable> {
    block("reload", Some(&place.to_string()), "{}")
}

/// The stream's first lines: when to come back, and where the reader stands.
pub(super) fn opening(retry_ms: u64, place: &EventCursor) -> Result<Bytes, Unwritable> {
    let place = place.to_string();
    let place = one_line(&place)?;
    Ok(Bytes::from(format!("retry: {retry_ms}\nid: {place}\n\n")))
}

/// Says that the line is alive. It has no id, so nobody's place moves.
pub(super) fn beat() -> Bytes {
    Bytes::from_static(b":\nevent: beat\ndata: {}\n\n")
}

/// Says that nothing new can be read, so that what is shown may be old, or that it can again.
pub(super) fn freshness(stale: bool) -> Bytes {
    Bytes::from_static(if stale {
        b"event: stale\ndata: {}\n\n"
    } else {
        b"event: current\ndata: {}\n\n"
    })
}

/// The session is over; nothing follows.
pub(super) fn signed_out() -> Bytes {
    Bytes::from_static(b"event: signed-out\ndata: {}\n\n")
}

#[cfg(test)]
mod tests {
    use crm_domain::events::{Event, EventCursor, EventKind, EventPlace, NewEvent, Whose};
    use crm_domain::id::Id;
    use crm_domain::instant::Instant;

    use super::{Unwritable, block, event};

    #[test]
    fn an_event_is_ids_on_one_line() {
        let what = NewEvent::new(EventKind::Message, Instant::from_unix_millis(0))
            .conversation(Id::new(3))
            .customer(Id::new(7));
        let place = EventPlace { xid: 7, seq: 12 };
        let cursor = EventCursor {
            epoch: "ab".to_owned(),
            place,
        };
        assert_eq!(
            event(
                &Event {
                    place,
                    what,
                    whose: Whose::Everybodys
                },
                &cursor
            )
            .unwrap_or_default(),
            "event: message\nid: ab-7-12\ndata: {\"conversation\":3,\"customer\":7}\n\n"
        );
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        for bad in ["a\nb", "a\rb", "a\0b", "\n", "a\r\nevent: x"] {
            assert_eq!(block(bad, None, "{}"), Err(Unwritable));
            assert_eq!(block("a", Some(bad), "{}"), Err(Unwritable));
            assert_eq!(block("a", None, bad), Err(Unwritable));
        }
    }
}
