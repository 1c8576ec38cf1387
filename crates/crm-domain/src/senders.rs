//! Senders: people whose messages came and who are no customers yet, with the names that the directory gives them.

use crate::id::Id;
use crate::instant::Instant;
use crate::ports::profiles::{Profile, ProfileName};
use crate::ports::store::StoreError;
use crate::values::LineUserId;

/// A sender's key.
pub type SenderId = Id<Sender>;

/// A person who wrote, as far as the directory has told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its key.
    pub id: SenderId,
    /// The LINE WORKS user id; each stands once.
    pub address: LineUserId,
    /// The name; empty until the directory has told it.
    pub name: ProfileName,
    /// The login id; empty until then.
    pub email: String,
    /// When the directory told.
    pub fetched_at: Option<Instant>,
    /// Why it has not told so far ([`ProfileError::code`](crate::ports::profiles::ProfileError::code)).
    pub problem: Option<String>,
    /// When it is asked next; `None` when it has told.
    pub next_try_at: Option<Instant>,
    /// How often it was asked in vain.
    pub tries: u32,
}

impl Sender {
    /// The name as people read it; `None` if it is not known.
    pub fn full_name(&self) -> Option<String> {
        Some(self.name.full()).filter(|name| !name.is_empty())
    }

    /// Whether there is nothing to call this person by, and the directory has been asked: 「名前を取得できません」.
    pub fn is_nameless(&self) -> bool {
        self.full_name().is_none() && (self.problem.is_some() || self.fetched_at.is_some())
    }
}

/// What asking the directory came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// It told.
    Found(Profile),
    /// It did not.
    Failed {
        /// Why.
        problem: String,
        /// When it is asked again.
        next_try_at: Instant,
    },
}

/// Looking senders up.
pub trait SenderQueries {
    /// Those of whom the directory is to be asked by `now`, the longest due first.
    fn due_senders(&mut self, limit: usize, now: Instant) -> Result<Vec<Sender>, StoreError>;

    /// What is known of these people, in no order; nothing for those never noted.
    fn senders_of(&mut self, addresses: &[LineUserId]) -> Result<Vec<Sender>, StoreError>;
}

/// Changing senders.
pub trait SenderRepository {
    /// Notes people, due at once; those noted before stay as they are.
    fn note_senders(&mut self, addresses: &[LineUserId], at: Instant) -> Result<(), StoreError>;

    /// Writes what asking came to. A name found before stays when asking fails later. Unknown senders are left out.
    fn settle_sender(&mut self, address: &LineUserId, found: &LookUp, at: Instant) -> Result<(), StoreError>;

    /// All that are due by `now` become due at `until` instead, for this reason; they do not count as tried. Answers how
    /// many.
    fn defer_senders(&mut self, problem: &str, now: Instant, until: Instant) -> Result<usize, StoreError>;

    /// Those who wait for this reason become due at `at`.
    fn retry_senders(&mut self, problem: &str, at: Instant) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::Sender;
    use crate::id::Id;
    use crate::ports::profiles::ProfileName;
    use crate::values::LineUserId;

    #[test]
    fn nameless_is_only_who_was_asked_for() {
        let Ok(Some(address)) = LineUserId::new("u") else {
            panic!("a user id");
        };
        let mut sender = Sender {
            id: Id::new(1),
            address,
            name: ProfileName::default(),
            email: String::new(),
            fetched_at: None,
            problem: None,
            next_try_at: None,
            tries: 0,
        };
        assert!(!sender.is_nameless());
        sender.problem = Some("scope_missing".to_owned());
        assert!(sender.is_nameless());
        sender.name.last = "山田".to_owned();
        assert!(!sender.is_nameless());
        assert_eq!(sender.full_name().as_deref(), Some("山田"));
        sender.name.first = "花子".to_owned();
        assert_eq!(sender.full_name().as_deref(), Some("山田 花子"));
    }
}
