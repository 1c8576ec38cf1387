//! Answers that are kept under a key of the caller's choice: a program that does not know whether its request arrived sends
//! it again with the same key, and is answered as the first time. The answer is stored in the unit of work of its effect.

use time::Duration;

use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::StoreError;
use crate::values::Problem;

/// How long an answer is kept.
pub const ANSWER_LIFE: Duration = Duration::DAY;

/// A key: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The most characters.
    pub const MAX: usize = 255;

    /// The key; `None` for an empty text.
    pub fn new(text: &str) -> Result<Option<Self>, Problem> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::Malformed);
        }
        if text.len() > Self::MAX {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request that may come again. Its key belongs to the member, the method and the path: elsewhere it is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who asked, in person or by a token.
    pub member: MemberId,
    /// Such as `POST`.
    pub method: &'static str,
    /// The path, without a query.
    pub path: String,
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of the body.
    pub body: [u8; 32],
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// Where what was made stands.
    pub location: Option<String>,
    /// The body, as it was sent.
    pub body: String,
}

/// An answer with the hash of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of the body of the request.
    pub asked: [u8; 32],
    /// What was answered.
    pub answer: Answer,
}

/// Whom an answer names: it goes when they are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Named {
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The conversation.
    pub conversation: Option<ConversationId>,
}

/// Looking kept answers up.
pub trait IdempotencyQueries {
    /// What was answered to this member, method, path and key since then, whatever the body was.
    fn kept_answer(&mut self, asked: &Asked, since: Instant) -> Result<Option<KeptAnswer>, StoreError>;
}

/// Changing kept answers.
pub trait IdempotencyRepository {
    /// Keeps an answer in place of one that was kept before `since`; `Taken("key")` if a newer one is kept.
    fn keep_answer(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        named: Named,
        since: Instant,
        at: Instant,
    ) -> Result<(), StoreError>;

    /// Forgets answers that were kept before this, `limit` at most; says how many.
    fn forget_answers(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::IdempotencyKey;
    use crate::values::Problem;

    #[test]
    fn a_key_is_up_to_255_visible_characters() {
        let longest = "~".repeat(255);
        assert_eq!(IdempotencyKey::new(&longest).unwrap().unwrap().as_str(), longest);
        assert_eq!(IdempotencyKey::new(""), Ok(None));
        let too_long = Err(Problem::TooLong { max: 255 });
        assert_eq!(IdempotencyKey::new(&"a".repeat(256)), too_long);
        for bad in ["a b", "\u{7f}", "キー", "a\n"] {
            assert_eq!(IdempotencyKey::new(bad), Err(Problem::Malformed), "{bad:?}");
        }
    }
}
