//! The messages that the bot has sent.

use serde_json::Value;
use std::collections::VecDeque;
use time::OffsetDateTime;

/// How many messages are kept; older ones are forgotten, though still counted.
const KEPT: usize = 100_000;

/// To whom a message was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A member, by resource id (a login id was resolved where the member is listed).
    User(String),
    /// A room.
    Channel(String),
}

/// A message that the simulator accepted with 201.
#[derive(Debug, Clone, PartialEq)]
pub struct SentMessage {
    /// Counts from 1 in the order of acceptance.
    pub number: u64,
    /// When it was accepted, by the simulator's clock.
    pub at: OffsetDateTime,
    /// To whom.
    pub to: Recipient,
    /// The `content` object as it was sent.
    pub content: Value,
}

impl SentMessage {
    /// The text of a text message.
    pub fn text(&self) -> Option<&str> {
        let is_text = self.content.get("type")?.as_str()? == "text";
        self.content.get("text").filter(|_| is_text)?.as_str()
    }

    /// Whether it went to this member.
    pub fn is_to_user(&self, user_id: &str) -> bool {
        matches!(&self.to, Recipient::User(id) if id == user_id)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    kept: VecDeque<SentMessage>,
    accepted: u64,
}

impl Outbox {
    pub(crate) fn add(&mut self, at: OffsetDateTime, to: Recipient, content: Value) {
        self.accepted += 1;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(SentMessage {
            number: self.accepted,
            at,
            to,
            content,
        });
    }

    pub(crate) fn list(&self, wanted: impl Fn(&SentMessage) -> bool) -> Vec<SentMessage> {
        self.kept
            .iter()
            .filter(|message| wanted(message))
            .cloned()
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
