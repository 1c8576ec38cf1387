//! Who has a conversation, and the buttons that change it; for the board and the conversation alike.

use crm_domain::board::BoardLine;
use crm_domain::members::MemberId;
use crm_domain::standings::{Place, Standing};
use serde::Serialize;

use super::Face;
use crate::page::Page;
use crate::sentence::Sentence;

/// The context `h` of `parts/handling.html` (buttons) and `parts/handler.html` (badge).
#[derive(Debug, Clone, Serialize)]
pub struct Handling {
    /// The conversation's number.
    pub id: i64,
    /// `waiting`, `taken`, `handled` or `done`; `none` before anything was said.
    pub place: &'static str,
    /// 対応者.
    pub handler: Option<HandlerBadge>,
    /// Offers 自分が対応する.
    pub take: bool,
    /// Offers 対応をやめる.
    pub release: bool,
    /// Offers 引き継ぐ.
    pub hand_over: bool,
    /// Offers 返信不要 (`no_reply`) or 対応済みにする (`done`).
    pub close: Option<&'static str>,
}

/// Who has the conversation.
#[derive(Debug, Clone, Serialize)]
pub struct HandlerBadge {
    /// Full name.
    pub name: String,
    /// Initial and colour.
    pub face: Face,
    /// Whether it is the reader.
    pub me: bool,
}

impl HandlerBadge {
    /// The badge of the member `id` called `name`.
    pub fn of(id: MemberId, name: &str, reader: Option<MemberId>) -> HandlerBadge {
        HandlerBadge {
            name: name.to_owned(),
            face: Face::of(id.get(), name),
            me: reader == Some(id),
        }
    }
}

impl Handling {
    /// What this reader is offered; no button when the reader may not handle conversations.
    pub fn of(line: &BoardLine, reader: Option<MemberId>, may: bool) -> Handling {
        let standing = &line.conversation.standing;
        let place = standing.place().map(|(place, _)| place);
        let handler = standing.handler_id;
        let mine = handler.is_some() && handler == reader;
        Handling {
            id: line.conversation.id.get(),
            place: place.map_or("none", Place::name),
            handler: handler
                .zip(line.handler.as_deref())
                .map(|(id, name)| HandlerBadge::of(id, name, reader)),
            take: may && handler.is_none(),
            release: may && mine,
            hand_over: may && (handler.is_some() || place == Some(Place::Waiting)),
            close: closing(standing, place).filter(|_| may),
        }
    }
}

/// What closing is called: nobody has answered yet, or it is simply over.
fn closing(standing: &Standing, place: Option<Place>) -> Option<&'static str> {
    match place? {
        Place::Done => None,
        Place::Waiting | Place::Taken if standing.waiting_since.is_some() => Some("no_reply"),
        _ => Some("done"),
    }
}

/// `GET /conversation/{id}/hand-over`.
#[derive(Debug, Clone, Serialize)]
pub struct HandOverPage {
    /// The conversation's number.
    pub id: i64,
    /// Who can be chosen.
    pub colleagues: Vec<Colleague>,
    /// What was written.
    pub note: String,
    /// The page to return to; a path of ours.
    pub back: String,
    /// Why it was not done.
    pub error: Option<Sentence>,
}

/// Somebody to whom a conversation can be handed.
#[derive(Debug, Clone, Serialize)]
pub struct Colleague {
    /// The member's number.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// Whether it is the reader.
    pub me: bool,
    /// Whether this one was chosen.
    pub chosen: bool,
}

impl Handling {
    /// A believable one, for samples of pages.
    pub(crate) fn sample(id: i64, place: Place, me: bool) -> Handling {
        let badge = HandlerBadge {
            name: "田中 花子".to_owned(),
            face: Face::of(3, "田中 花子"),
            me,
        };
        let taken = matches!(place, Place::Taken | Place::Handled);
        Handling {
            id,
            place: place.name(),
            handler: taken.then_some(badge),
            take: !taken,
            release: taken && me,
            hand_over: place != Place::Done,
            close: match place {
                Place::Done => None,
                Place::Handled => Some("done"),
                Place::Waiting | Place::Taken => Some("no_reply"),
            },
        }
    }
}

impl Page for HandOverPage {
    const TEMPLATE: &'static str = "hand_over.html";

    fn samples() -> Vec<HandOverPage> {
        let colleague = |id, name: &str, me| Colleague {
            id,
            name: name.to_owned(),
            me,
            chosen: id == 2,
        };
        let page = HandOverPage {
            id: 7,
            colleagues: vec![colleague(1, "田中 花子", true), colleague(2, "佐藤 健", false)],
            note: String::new(),
            back: "/".to_owned(),
            error: None,
        };
        let refused = HandOverPage {
            note: "折り返しのお電話をお願いします".to_owned(),
            error: Some(Sentence::of("problem.to.missing")),
            ..page.clone()
        };
        let alone = HandOverPage {
            colleagues: Vec::new(),
            ..page.clone()
        };
        vec![page, refused, alone]
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::standings::{Place, Standing};

    use super::closing;

    #[test]
    fn what_nobody_answered_needs_no_reply_and_the_rest_is_done() {
        let mut standing = Standing::default();
        assert_eq!(closing(&standing, None), None);
        assert_eq!(closing(&standing, Some(Place::Waiting)), Some("done"));
        standing.waiting_since = Some(crm_domain::instant::Instant::from_unix_millis(0));
        assert_eq!(closing(&standing, Some(Place::Waiting)), Some("no_reply"));
        assert_eq!(closing(&standing, Some(Place::Handled)), Some("done"));
        assert_eq!(closing(&standing, Some(Place::Done)), None);
    }
}
