//! Where a conversation stands: who waits since when, who has it, what was said last. Pure; stored with the conversation in
//! the unit of work that changes it, so that no page computes it from the messages.

use time::Duration;

use crate::activities::{Direction, MessageKind};
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::teams::TeamId;
use crate::waitings::WaitingId;

/// How many characters of the last message are kept for lists.
pub const PREVIEW: usize = 80;

/// A message that stands this much before what was there already came late.
const LATE: Duration = Duration::seconds(5);

/// Where on the board a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// 未対応: it waits for us, or a message of ours is in trouble, and nobody has taken it.
    Waiting,
    /// 対応中, and it waits.
    Taken,
    /// 対応中.
    Handled,
    /// 対応済み.
    Done,
}

impl Place {
    /// Every place, in the board's order.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Taken, Self::Handled, Self::Done];

    /// The code that stores keep, which is also the order.
    pub fn code(self) -> i32 {
        match self {
            Self::Waiting => 0,
            Self::Taken => 1,
            Self::Handled => 2,
            Self::Done => 3,
        }
    }

    /// Stable name for catalogues and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Handled => "handled",
            Self::Done => "done",
        }
    }
}

/// The message that was said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastMessage {
    /// When.
    pub at: Instant,
    /// By whom.
    pub direction: Direction,
    /// What it consists of.
    pub kind: MessageKind,
    /// Its beginning, one line of at most [`PREVIEW`] characters.
    pub text: String,
}

impl LastMessage {
    /// Cut to what lists show.
    pub fn new(at: Instant, direction: Direction, kind: MessageKind, text: &str) -> Self {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            at,
            direction,
            kind,
            text: line.chars().take(PREVIEW).collect(),
        }
    }
}

/// What a person closed, so that it can be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Instant,
    /// Who; `None` for the command line.
    pub by: Option<MemberId>,
    /// Who had it.
    pub handler: Option<MemberId>,
    /// The waiting that ended with it.
    pub waiting: Option<WaitingId>,
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The oldest customer who carries the address; `None` for 未登録.
    pub customer_id: Option<CustomerId>,
    /// That customer's 担当者.
    pub owner_id: Option<MemberId>,
    /// That customer's team.
    pub team_id: Option<TeamId>,
    /// Since when the person waits for us: the oldest message after our last accepted answer.
    pub waiting_since: Option<Instant>,
    /// 対応者: who has taken it.
    pub handler_id: Option<MemberId>,
    /// Since when.
    pub handled_since: Option<Instant>,
    /// 要確認: since when a message of ours is 送信失敗 or 結果不明 and nobody did anything about it.
    pub troubled_since: Option<Instant>,
    /// What was said last.
    pub last: Option<LastMessage>,
    /// When the person spoke last.
    pub last_said_at: Option<Instant>,
    /// When LINE WORKS last accepted a message of ours.
    pub last_accepted_at: Option<Instant>,
    /// How many messages were received; the unread ones are those a member has not counted yet.
    pub received: i64,
    /// What was closed last, until something is said again.
    pub closed: Option<Closing>,
    /// Counts the changes.
    pub version: i64,
}

/// What a received message changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// 遅れて受信: it stands before messages that were there already.
    pub late: bool,
    /// Since when the person waits, if the message began that or moved it back.
    pub waits_since: Option<Instant>,
}

impl Standing {
    /// Whether it stands on the board, where, and by which time it is ordered there.
    pub fn place(&self) -> Option<(Place, Instant)> {
        let waits = self.waiting_since.or(self.troubled_since);
        match (self.handler_id, waits) {
            (None, Some(since)) => Some((Place::Waiting, since)),
            (Some(_), Some(since)) => Some((Place::Taken, since)),
            (Some(_), None) => self.handled_since.map(|since| (Place::Handled, since)),
            (None, None) => self.last.as_ref().map(|last| (Place::Done, last.at)),
        }
    }

    /// The person said something. Times of LINE WORKS only are compared with each other: what was accepted after `at`
    /// answers it already.
    pub fn hear(&mut self, at: Instant, kind: MessageKind, text: &str) -> Heard {
        let late = self.last.as_ref().is_some_and(|last| at.plus(LATE) < last.at);
        self.received += 1;
        self.last_said_at = self.last_said_at.max(Some(at));
        self.note_last(LastMessage::new(at, Direction::Received, kind, text));
        let answered = self.last_accepted_at.is_some_and(|accepted| accepted >= at);
        let earlier = self.waiting_since.is_none_or(|since| at < since);
        let waits_since = (!answered && earlier).then_some(at);
        if waits_since.is_some() {
            self.waiting_since = waits_since;
            self.closed = None;
        }
        Heard { late, waits_since }
    }

    /// Keeps the newest message for lists; among equal times the one that came last.
    pub fn note_last(&mut self, message: LastMessage) {
        if self.last.as_ref().is_none_or(|last| last.at <= message.at) {
            self.last = Some(message);
        }
    }

    /// LINE WORKS accepted a message of ours, or a person takes it as sent. Says whether a waiting ended with it; `later`
    /// is the oldest message said after `at`, which begins the next one.
    pub fn accept(&mut self, at: Instant, later: Option<Instant>) -> bool {
        self.last_accepted_at = self.last_accepted_at.max(Some(at));
        let ended = self.waiting_since.is_some_and(|since| since <= at);
        if ended {
            self.waiting_since = later;
        }
        ended
    }

    /// The person needs nothing more: nobody has it, nobody waits. `waiting` is the one that ends with it.
    pub fn close(&mut self, by: Option<MemberId>, at: Instant, waiting: Option<WaitingId>) {
        self.closed = Some(Closing {
            at,
            by,
            handler: self.handler_id,
            waiting,
        });
        self.waiting_since = None;
        self.handler_id = None;
        self.handled_since = None;
        self.troubled_since = None;
    }

    /// Gives it to a member, or back to nobody.
    pub fn hand_to(&mut self, member: Option<MemberId>, at: Instant) {
        self.handler_id = member;
        self.handled_since = member.map(|_| at);
        self.closed = None;
    }

    /// A time for a message of ours that stands after everything said before, also when our clock was set back.
    pub fn after_everything(&self, now: Instant) -> Instant {
        self.last.as_ref().map_or(now, |last| last.at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, LastMessage, PREVIEW, Place, Standing};
    use crate::activities::{Direction, MessageKind};
    use crate::id::Id;
    use crate::instant::Instant;

    fn at(second: i64) -> Instant {
        Instant::from_unix_millis(second * 1_000)
    }

    fn said(standing: &mut Standing, second: i64) -> Heard {
        standing.hear(at(second), MessageKind::Text, "質問")
    }

    fn place(standing: &Standing) -> Option<(Place, Instant)> {
        standing.place()
    }

    #[test]
    fn waiting_begins_with_the_oldest_message_after_the_last_accepted_answer() {
        let mut standing = Standing::default();
        assert_eq!(place(&standing), None);
        assert_eq!(said(&mut standing, 10).waits_since, Some(at(10)));
        assert_eq!(said(&mut standing, 20).waits_since, None);
        assert_eq!(place(&standing), Some((Place::Waiting, at(10))));
        assert!(standing.accept(at(30), None));
        assert_eq!(place(&standing), Some((Place::Done, at(20))));
        assert_eq!(said(&mut standing, 40).waits_since, Some(at(40)));
    }

    #[test]
    fn a_late_message_reopens_only_if_nothing_accepted_is_newer() {
        let mut standing = Standing::default();
        said(&mut standing, 10);
        standing.accept(at(60), None);
        let late = Heard {
            late: false,
            waits_since: None,
        };
        assert_eq!(said(&mut standing, 30), late, "answered already");
        said(&mut standing, 90);
        let moved = said(&mut standing, 70);
        assert_eq!((moved.late, moved.waits_since), (true, Some(at(70))));
    }

    #[test]
    fn an_answer_does_not_answer_what_was_said_after_it() {
        let mut standing = Standing::default();
        said(&mut standing, 10);
        said(&mut standing, 30);
        assert!(standing.accept(at(20), Some(at(30))));
        assert_eq!(standing.waiting_since, Some(at(30)));
        assert!(!standing.accept(at(25), None), "it was older than the waiting");
        assert_eq!(standing.waiting_since, Some(at(30)));
    }

    #[test]
    fn taking_giving_back_and_closing_move_it_over_the_board() {
        let (mut standing, hanako) = (Standing::default(), Id::new(7));
        said(&mut standing, 10);
        standing.hand_to(Some(hanako), at(11));
        assert_eq!(place(&standing), Some((Place::Taken, at(10))));
        standing.accept(at(12), None);
        assert_eq!(place(&standing), Some((Place::Handled, at(11))));
        standing.close(Some(hanako), at(13), None);
        assert_eq!(place(&standing), Some((Place::Done, at(10))));
        assert_eq!(
            standing.closed.as_ref().and_then(|closed| closed.handler),
            Some(hanako)
        );
        said(&mut standing, 14);
        assert_eq!(
            (place(&standing), standing.closed),
            (Some((Place::Waiting, at(14))), None)
        );
    }

    #[test]
    fn a_message_in_trouble_stands_with_those_who_wait() {
        let mut standing = Standing {
            troubled_since: Some(at(5)),
            ..Standing::default()
        };
        assert_eq!(place(&standing), Some((Place::Waiting, at(5))));
        standing.hand_to(Some(Id::new(1)), at(6));
        assert_eq!(place(&standing), Some((Place::Taken, at(5))));
    }

    #[test]
    fn a_clock_set_back_does_not_put_our_answer_before_the_question() {
        let mut standing = Standing::default();
        said(&mut standing, 3_600);
        assert_eq!(standing.after_everything(at(5)), at(3_600));
        assert_eq!(standing.after_everything(at(3_700)), at(3_700));
    }

    #[test]
    fn a_preview_is_one_short_line() {
        let long = format!("一行目\n二行目 {}", "あ".repeat(200));
        let last = LastMessage::new(at(0), Direction::Sent, MessageKind::Text, &long);
        assert!(last.text.starts_with("一行目 二行目"));
        assert_eq!(last.text.chars().count(), PREVIEW);
    }
}
