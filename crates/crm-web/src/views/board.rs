//! The board (対応状況).

mod lines;
mod samples;

pub use lines::{Reader, page_of};

use serde::Serialize;

use super::Face;
use super::handling::{HandlerBadge, Handling};
use crate::format::Waiting;

/// `GET /`.
#[derive(Debug, Clone, Serialize)]
pub struct BoardPage {
    /// The tabs.
    pub tabs: Vec<TabView>,
    /// Where the lines alone come from.
    pub fragment: String,
    /// The lines.
    pub lines: BoardLines,
}

/// `GET /board/fragment`: what of the board changes while one looks.
#[derive(Debug, Clone, Serialize)]
pub struct BoardFragment {
    /// The lines.
    pub lines: BoardLines,
    /// How many wait now.
    pub counts: CountsView,
}

/// The columns of one tab.
#[derive(Debug, Clone, Serialize)]
pub struct BoardLines {
    /// All three, or the one that is continued.
    pub columns: Vec<ColumnView>,
    /// Whether there is no conversation at all.
    pub empty: bool,
    /// Where all columns are, when this is one.
    pub all: Option<String>,
}

/// One tab.
#[derive(Debug, Clone, Serialize)]
pub struct TabView {
    /// `mine`, `unowned` or `all`.
    pub code: &'static str,
    /// Its address.
    pub href: String,
    /// Whether it is shown.
    pub active: bool,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnView {
    /// `waiting`, `handled` or `done`.
    pub code: &'static str,
    /// How many lines, `50+` when there are more; `None` behind the first page.
    pub count: Option<String>,
    /// At most 50.
    pub lines: Vec<LineView>,
    /// Address of the next lines.
    pub next: Option<String>,
    /// Address of the first lines, when these are not the first.
    pub first: Option<String>,
}

/// One conversation.
#[derive(Debug, Clone, Serialize)]
pub struct LineView {
    /// Who has it, and the buttons.
    pub handling: Handling,
    /// The customer's page, or the unknown sender's.
    pub href: String,
    /// The person's name.
    pub name: Option<String>,
    /// Why there is no name: `asking` or `nameless`.
    pub nameless: Option<&'static str>,
    /// Initial and colour.
    pub face: Face,
    /// The company.
    pub company: Option<String>,
    /// 未登録.
    pub unknown: bool,
    /// 要確認.
    pub needs_look: bool,
    /// 自分の未読.
    pub unread: Option<String>,
    /// 担当者.
    pub owner: Option<HandlerBadge>,
    /// What was said last.
    pub last: Option<LastView>,
    /// Since when the person waits.
    pub waiting: Option<Waiting>,
}

/// The message that was said last.
#[derive(Debug, Clone, Serialize)]
pub struct LastView {
    /// `in`, `out` or `note`.
    pub side: &'static str,
    /// How far it got, of ours: key `send_state.<state>`.
    pub send_state: Option<&'static str>,
    /// What it is, for all that is not words: key `talk.kind.<kind>`.
    pub kind: Option<&'static str>,
    /// Its beginning.
    pub text: String,
    /// When, in words.
    pub when: String,
    /// To the second.
    pub exact: String,
    /// For machines.
    pub iso: String,
}

/// How many wait, beside the menu and in the title.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CountsView {
    /// 未対応; empty for none.
    pub waiting: String,
    /// Those of them that are the reader's; empty for none.
    pub mine: String,
    /// 未登録の送信者; empty for none.
    pub unknown: String,
}

impl CountsView {
    /// From this many on only that many are told.
    pub const LIMIT: usize = 1_000;

    /// As the menu shows them.
    pub fn of(counts: crm_domain::board::BoardCounts) -> CountsView {
        CountsView {
            waiting: shown(counts.waiting),
            mine: shown(counts.mine),
            unknown: shown(counts.unknown),
        }
    }
}

fn shown(count: usize) -> String {
    match count {
        0 => String::new(),
        CountsView::LIMIT.. => "999+".to_owned(),
        count => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::board::BoardCounts;

    use super::CountsView;

    #[test]
    fn many_are_told_as_many() {
        let counts = CountsView::of(BoardCounts {
            waiting: 1_000,
            mine: 999,
            unknown: 0,
        });
        assert_eq!(
            (
                counts.waiting.as_str(),
                counts.mine.as_str(),
                counts.unknown.as_str()
            ),
            ("999+", "999", "")
        );
    }
}
