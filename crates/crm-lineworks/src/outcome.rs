//! What an answer, or none, means for a message (failure note 16), and for a person who looks for the cause.

use crm_domain::instant::Instant;
use crm_domain::ports::connector::LineTrouble;
use crm_domain::ports::messenger::{SendError, SendProblem};
use serde_json::Value;

use crate::heard::whole;
use crate::http::{Answer, Lost, Why};

/// The most of the service's own words that is kept, in characters.
const WORDS: usize = 200;

/// A request that failed: the problem, and the service's own words for logs and `crm doctor`. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct ServiceTrouble {
    /// What happened.
    pub problem: SendProblem,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The service's code (`code`, or `error` of the token service), empty if it gave none.
    pub code: String,
    /// The service's description, at most 200 characters, empty if it gave none.
    pub description: String,
    /// How many seconds the service asks to wait: 1 to 120.
    pub wait: Option<u32>,
}

impl ServiceTrouble {
    fn sentence(&self) -> String {
        let mut sentence = self.problem.code().to_owned();
        if let Some(status) = self.status {
            sentence = format!("{sentence} (HTTP {status})");
        }
        for words in [&self.code, &self.description] {
            if !words.is_empty() {
                sentence = format!("{sentence} {words}");
            }
        }
        sentence
    }

    /// As it may be shown.
    pub fn seen(&self, now: Instant) -> LineTrouble {
        LineTrouble {
            at: now,
            problem: self.problem,
            words: self.sentence(),
        }
    }

    /// The same without the service's description, which may repeat what was sent.
    pub(crate) fn without_words(&self) -> Self {
        Self {
            description: String::new(),
            ..self.clone()
        }
    }

    /// Without an answer.
    pub(crate) fn unanswered(problem: SendProblem) -> Self {
        Self {
            problem,
            status: None,
            code: String::new(),
            description: String::new(),
            wait: None,
        }
    }

    /// From an answer of the API or of the token service, whose words are read.
    pub(crate) fn answered(answer: Answer, problem: impl FnOnce(&str) -> SendProblem) -> Self {
        let status = answer.status;
        let wait = wait_seconds(&answer);
        let body = answer.into_body().unwrap_or_default();
        let words: Value = serde_json::from_slice(&body).unwrap_or_default();
        let word = |names: [&str; 2]| {
            let text = names.into_iter().find_map(|name| words.get(name)?.as_str());
            text.map(plain).unwrap_or_default()
        };
        let code = word(["code", "error"]);
        Self {
            problem: problem(&code),
            status: Some(status),
            description: word(["description", "error_description"]),
            code,
            wait,
        }
    }

    /// The same for a message that had not left when this happened. What befell the request for a token is told as such:
    /// a cut line there says nothing about the message.
    pub(crate) fn not_sent(self) -> SendError {
        let problem = match self.problem {
            SendProblem::LineCut
            | SendProblem::TimedOut
            | SendProblem::ServerError
            | SendProblem::Interrupted => SendProblem::TokenUnavailable,
            problem => problem,
        };
        SendError::NotSent {
            problem,
            wait: self.wait,
        }
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

/// The wait that a 429 asks for, kept within 1 to 120 seconds.
fn wait_seconds(answer: &Answer) -> Option<u32> {
    if answer.status != 429 {
        return None;
    }
    let asked = answer
        .header("ratelimit-reset")
        .or_else(|| answer.header("retry-after"))?;
    Some(whole(asked)?.clamp(1, 120))
}

/// What a status of the API says.
pub(crate) fn problem_of(status: u16) -> SendProblem {
    match status {
        300..=399 => SendProblem::Redirected,
        400 => SendProblem::BadRequest,
        401 => SendProblem::Unauthorized,
        403 => SendProblem::Forbidden,
        404 => SendProblem::NotFound,
        429 => SendProblem::RateLimited,
        402..=499 => SendProblem::Rejected,
        _ => SendProblem::ServerError,
    }
}

/// What no answer says.
pub(crate) fn problem_of_lost(why: Why) -> SendProblem {
    match why {
        Why::NoConnection => SendProblem::NoConnection,
        Why::TimedOut => SendProblem::TimedOut,
        Why::Cut => SendProblem::LineCut,
        Why::Nonsense => SendProblem::ServerError,
    }
}

/// What an answer that is no success means for the message.
pub(crate) fn refused(trouble: ServiceTrouble) -> SendError {
    match trouble.problem {
        SendProblem::RateLimited | SendProblem::Unauthorized => trouble.not_sent(),
        SendProblem::ServerError => SendError::Unknown(trouble.problem),
        problem => SendError::Refused(problem),
    }
}

/// What no answer means for the message.
pub(crate) fn unanswered(lost: Lost) -> SendError {
    if lost.departed {
        return SendError::Unknown(problem_of_lost(lost.why));
    }
    // Nothing left: the sentences for a time-out or a cut line would say that it may have arrived.
    SendError::NotSent {
        problem: SendProblem::NoConnection,
        wait: None,
    }
}
