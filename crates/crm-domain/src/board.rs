//! The board (対応状況): every conversation on one line, who waits longest first.

use std::fmt;
use std::str::FromStr;

use crate::conversations::{Conversation, ConversationId};
use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::paging::NotACursor;
use crate::ports::store::StoreError;
use crate::sends::SendState;
use crate::teams::Visible;
use crate::values::PersonName;

/// A column of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    /// 未対応: longest waiting first.
    Waiting,
    /// 対応中: those that still wait first, longest first, then by when they were taken.
    Handled,
    /// 対応済み: newest first.
    Done,
}

impl Column {
    /// Every column, as they stand.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Handled, Self::Done];

    /// The name in addresses, catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Handled => "handled",
            Self::Done => "done",
        }
    }

    /// The column of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.code() == code)
    }
}

/// Whose lines a tab of the board shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tab {
    /// 自分: what this member handles, and what nobody handles of the customers that are theirs.
    Mine(MemberId),
    /// チーム: the customer is one of a team of this member, or owned by somebody in one.
    Team(MemberId),
    /// 担当者なし: the customer has no owner, or is none yet.
    Unowned,
    /// すべて.
    All,
}

/// Where a page of a column is continued: the order's place and time, and the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoardCursor {
    /// [`crate::standings::Place::code`].
    pub place: i32,
    /// The time by which it is ordered.
    pub at: Instant,
    /// Which.
    pub id: ConversationId,
}

impl fmt::Display for BoardCursor {
    /// Text for links: the place, the time in milliseconds and the id, with dots between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.place, self.at.unix_millis(), self.id)
    }
}

impl FromStr for BoardCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let numbers: Option<Vec<i64>> = text.split('.').map(|part| part.parse().ok()).collect();
        match numbers.as_deref() {
            Some([place, millis, id]) if *id > 0 => Ok(Self {
                place: i32::try_from(*place).map_err(|_| NotACursor)?,
                at: Instant::from_unix_millis(*millis),
                id: Id::new(*id),
            }),
            _ => Err(NotACursor),
        }
    }
}

/// The customer on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardCustomer {
    /// 姓 and 名.
    pub name: PersonName,
    /// The company, if the customer belongs to one.
    pub company_name: Option<String>,
    /// 要確認: made by itself, or of doubtful data.
    pub needs_look: bool,
}

/// A line of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardLine {
    /// The conversation and where it stands.
    pub conversation: Conversation,
    /// Who it is; `None` for 未登録.
    pub customer: Option<BoardCustomer>,
    /// 対応者.
    pub handler: Option<String>,
    /// 担当者.
    pub owner: Option<String>,
    /// How far our newest message got, where the last word is ours; `None` for imported ones, which were sent long ago.
    pub last_send: Option<SendState>,
    /// How many messages the reader has not seen.
    pub unread: i64,
}

impl BoardLine {
    /// Where a page that ends with this line is continued.
    pub fn cursor(&self) -> Option<BoardCursor> {
        let (place, at) = self.conversation.standing.place()?;
        Some(BoardCursor {
            place: place.code(),
            at,
            id: self.conversation.id,
        })
    }
}

/// Which page of a column is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardRequest {
    /// Which column.
    pub column: Column,
    /// Whose lines.
    pub tab: Tab,
    /// The reader, whose unread marks are shown; `None` for programs without a member.
    pub reader: Option<MemberId>,
    /// Whose customers' lines, which the use case decides; those of nobody's customer are always there.
    pub visible: Visible,
    /// Continues after this line.
    pub after: Option<BoardCursor>,
    /// How many, at least one.
    pub limit: usize,
}

/// A page of a column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardPage {
    /// The lines, in the column's order.
    pub lines: Vec<BoardLine>,
    /// Whether more stand behind the last of them.
    pub more: bool,
}

/// How many lines wait, each counted up to the limit given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoardCounts {
    /// 未対応.
    pub waiting: usize,
    /// Of these and of 対応中 that wait, those of 自分.
    pub mine: usize,
    /// Conversations of people who are no customers.
    pub unknown: usize,
}

/// Reading the board.
pub trait BoardQueries {
    /// A page of a column; rooms have no line.
    fn board(&mut self, request: &BoardRequest) -> Result<BoardPage, StoreError>;

    /// How many of those that are seen wait, counted up to `limit`; `mine` is 0 without a reader.
    fn board_counts(
        &mut self,
        reader: Option<MemberId>,
        visible: &Visible,
        limit: usize,
    ) -> Result<BoardCounts, StoreError>;

    /// Conversations of people who are no customers, newest message first, with how many the reader has not seen.
    fn unknown_senders(
        &mut self,
        reader: Option<MemberId>,
        before: Option<(Instant, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<BoardLine>, StoreError>;

    /// One conversation's line; `None` when it is no person's.
    fn board_line(
        &mut self,
        id: ConversationId,
        reader: Option<MemberId>,
    ) -> Result<Option<BoardLine>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::BoardCursor;
    use crate::id::Id;
    use crate::instant::Instant;

    #[test]
    fn a_cursor_survives_an_address() {
        let cursor = BoardCursor {
            place: 3,
            at: Instant::from_unix_millis(1_751_942_746_446),
            id: Id::new(7),
        };
        assert_eq!(cursor.to_string(), "3.1751942746446.7");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "1.2", "1.2.0", "1.2.x", "99999999999.2.3", "1.2.3.4"] {
            assert!(bad.parse::<BoardCursor>().is_err(), "{bad}");
        }
    }
}
