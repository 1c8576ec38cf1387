//! The head of a conversation: who waits since when, who has it, what to do next.

use crm_domain::board::BoardLine;
use crm_domain::members::MemberId;
use crm_domain::standings::Place;
use serde::Serialize;

use super::handling::Handling;
use crate::format::{Times, Waiting};

/// Where the conversations with one person stand: one for each bot.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TalkHead {
    /// Those in which something was said or done.
    pub lines: Vec<HeadLine>,
}

/// Where one conversation stands, in words.
#[derive(Debug, Clone, Serialize)]
pub struct HeadLine {
    /// Who has it, and the buttons.
    pub handling: Handling,
    /// How long the person has been waiting.
    pub waiting: Option<Waiting>,
    /// 要確認: a message of ours failed or is not confirmed.
    pub troubled: bool,
    /// How many messages the reader has not seen.
    pub unread: i64,
}

impl TalkHead {
    /// Of the lines that the board would show.
    pub fn of(lines: &[BoardLine], reader: Option<MemberId>, may_handle: bool, times: &Times) -> TalkHead {
        let lines = lines.iter().map(|line| {
            let standing = &line.conversation.standing;
            HeadLine {
                handling: Handling::of(line, reader, may_handle),
                waiting: standing.waiting_since.map(|since| times.waiting(since)),
                troubled: standing.troubled_since.is_some(),
                unread: line.unread,
            }
        });
        TalkHead {
            lines: lines.collect(),
        }
    }

    pub(crate) fn samples() -> [TalkHead; 4] {
        let line = |place, me, waiting: Option<&str>, troubled| HeadLine {
            handling: Handling::sample(7, place, me),
            waiting: waiting.map(|words| Waiting {
                words: words.to_owned(),
                exact: "2025年7月8日（火） 14:05:33".to_owned(),
                iso: "2025-07-08T14:05:33+09:00".to_owned(),
                relative: words.ends_with('分'),
            }),
            troubled,
            unread: i64::from(waiting.is_some()),
        };
        let head = |lines| TalkHead { lines };
        [
            head(vec![line(Place::Waiting, false, Some("25分"), false)]),
            head(vec![line(Place::Taken, true, Some("昨日 17:55から"), true)]),
            head(vec![
                line(Place::Done, false, None, false),
                line(Place::Handled, false, None, false),
            ]),
            head(Vec::new()),
        ]
    }
}
