//! The blocking half of the client: it runs on threads that may wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_domain::ports::connector::TokenSeen;
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::{Answered, OutgoingText, SendError, SendProblem};
use crm_domain::ports::tokens::TokenShelf;
use serde_json::json;

use crate::config::{ConfigError, LineWorksConfig};
use crate::encode;
use crate::heard::heard;
use crate::http::{Answer, Headers, Http};
use crate::journal::Journal;
use crate::jwt::Assertions;
use crate::mention::without_mentions;
use crate::outcome::{self, ServiceTrouble};
use crate::private_key;
use crate::shelf::Shelf;
use crate::token::{Token, TokenCache};
use crate::token_request::{Issued, TokenRequest};

/// LINE WORKS, as one service account sees it.
pub(crate) struct Service {
    pub(crate) bot: String,
    pub(crate) total: Duration,
    pub(crate) domain: String,
    pub(crate) rate_limit: Option<u32>,
    pub(crate) api_url: String,
    http: Http,
    tokens: TokenCache,
    request: TokenRequest,
    clock: Arc<dyn Clock>,
    pub(crate) journal: Journal,
}

impl Service {
    pub(crate) fn new(
        config: &LineWorksConfig,
        clock: Arc<dyn Clock>,
        shelf: Option<Arc<dyn TokenShelf>>,
    ) -> Result<Self, ConfigError> {
        let filled = |name, value: &str| match value.trim() {
            "" => Err(ConfigError::Empty(name)),
            value => Ok(value.to_owned()),
        };
        let client_id = filled("the client id", &config.client_id)?;
        let service_account = filled("the service account", &config.service_account)?;
        let key = private_key::read(&config.private_key)?;
        Ok(Self {
            bot: filled("the bot id", &config.bot_id)?,
            total: config.timeouts.total,
            domain: config.domain_id.clone().unwrap_or_default(),
            rate_limit: config.rate_limit,
            api_url: address("the API address", &config.api_url)?,
            http: Http::new(config.timeouts),
            tokens: TokenCache::sharing(shelf.map(|shelf| Shelf::of(config, shelf))),
            request: TokenRequest {
                url: address("the token address", &config.token_url)?,
                client_secret: filled("the client secret", &config.client_secret)?,
                scope: filled("the scope", &config.scope)?,
                assertions: Assertions::new(key, &client_id, &service_account),
                client_id,
            },
            clock,
            journal: Journal::default(),
        })
    }

    /// Makes sure that there is a token.
    pub(crate) fn prepare(&self, deadline: Instant) -> Result<(), SendError> {
        self.token(deadline).map(|_| ()).map_err(ServiceTrouble::not_sent)
    }

    /// Sends a message by one request. A token that is refused is thrown away.
    pub(crate) fn send(&self, message: &OutgoingText, deadline: Instant) -> Answered {
        let (Some(bot), Some(user)) = (
            encode::segment(&message.bot),
            encode::segment(message.to.as_str()),
        ) else {
            return Answered::only(Err(SendError::Refused(SendProblem::BadRequest)));
        };
        let url = format!("{}/bots/{bot}/users/{user}/messages", self.api_url);
        let text = without_mentions(&message.text);
        let body = json!({"content": {"type": "text", "text": text}}).to_string();
        let token = match self.token(deadline) {
            Ok(token) => token,
            Err(no_token) => {
                note(message, &no_token);
                return Answered::only(Err(no_token.not_sent()));
            }
        };
        let headers = Headers {
            content_type: "application/json",
            bearer: Some(&token.text),
        };
        match self.http.post(&url, &headers, body, deadline) {
            Ok(answer) => self.judge(message, &token, answer, deadline),
            Err(lost) => {
                let error = outcome::unanswered(lost);
                let trouble = ServiceTrouble::unanswered(error.problem());
                note(message, &trouble);
                self.journal.trouble(&trouble, self.now());
                Answered::only(Err(error))
            }
        }
    }

    fn judge(&self, message: &OutgoingText, token: &Token, answer: Answer, deadline: Instant) -> Answered {
        let heard = heard(&answer);
        // The status line alone decides: what becomes of the body is of no account.
        if (200..300).contains(&answer.status) {
            return Answered {
                outcome: Ok(()),
                heard,
            };
        }
        if answer.status == 401 {
            self.tokens.invalidate(token.number, deadline);
        }
        let trouble = trouble_of(answer);
        note(message, &trouble);
        self.journal.trouble(&trouble.without_words(), self.now());
        Answered {
            outcome: Err(outcome::refused(trouble)),
            heard,
        }
    }

    /// Gets a JSON text of the API at this path.
    pub(crate) fn get(&self, path: &str, deadline: Instant) -> Result<Vec<u8>, ServiceTrouble> {
        let url = format!("{}{path}", self.api_url);
        let unanswered = |why| ServiceTrouble::unanswered(outcome::problem_of_lost(why));
        let answer = self
            .authorised(deadline, |token| self.http.get(&url, &token.text, deadline))?
            .map_err(|lost| unanswered(lost.why))?;
        if (200..300).contains(&answer.status) {
            return answer.into_body().map_err(unanswered);
        }
        Err(self.noted(trouble_of(answer)))
    }

    /// Changes what lies at this path of the API by a JSON text.
    pub(crate) fn patch(&self, path: &str, body: &str, deadline: Instant) -> Result<(), ServiceTrouble> {
        let url = format!("{}{path}", self.api_url);
        let send = |token: &Token| {
            let headers = Headers {
                content_type: "application/json",
                bearer: Some(&token.text),
            };
            self.http.patch(&url, &headers, body.to_owned(), deadline)
        };
        let answer = self
            .authorised(deadline, send)?
            .map_err(|lost| ServiceTrouble::unanswered(outcome::problem_of_lost(lost.why)))?;
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(self.noted(trouble_of(answer)))
        }
    }

    fn noted(&self, trouble: ServiceTrouble) -> ServiceTrouble {
        self.journal.trouble(&trouble, self.now());
        trouble
    }

    pub(crate) fn now(&self) -> crm_domain::instant::Instant {
        self.clock.now()
    }

    /// Asks for the bytes behind an address, whose reading may take until the deadline.
    pub(crate) fn download(&self, url: &str, deadline: Instant) -> Result<Answer, ServiceTrouble> {
        self.authorised(deadline, |token| self.http.download(url, &token.text, deadline))?
            .map_err(|lost| ServiceTrouble::unanswered(outcome::problem_of_lost(lost.why)))
    }

    /// Runs a request with the token; after a 401 once more with a fresh one. `Err` if there is no token.
    fn authorised<E>(
        &self,
        deadline: Instant,
        run: impl Fn(&Token) -> Result<Answer, E>,
    ) -> Result<Result<Answer, E>, ServiceTrouble> {
        let token = self.token(deadline)?;
        match run(&token) {
            Ok(answer) if answer.status == 401 => {
                self.tokens.invalidate(token.number, deadline);
                Ok(run(&self.token(deadline)?))
            }
            outcome => Ok(outcome),
        }
    }

    /// How old the token at hand is.
    pub(crate) fn token_age(&self) -> Option<time::Duration> {
        self.tokens.age(self.clock.now())
    }

    fn token(&self, deadline: Instant) -> Result<Token, ServiceTrouble> {
        let now = self.clock.now();
        let token = self.tokens.get(now, deadline, || self.ask(deadline))?;
        self.journal.token(&token.seen);
        Ok(token)
    }

    /// Throws the token in memory away and gets a new one.
    pub(crate) fn renew_token(&self, deadline: Instant) -> Result<TokenSeen, ServiceTrouble> {
        self.tokens.forget(deadline);
        Ok(self.token(deadline)?.seen)
    }

    fn ask(&self, deadline: Instant) -> Result<Issued, ServiceTrouble> {
        let issued = self.request.ask(&self.http, self.clock.now(), deadline);
        match &issued {
            Ok(issued) => {
                tracing::debug!(expires_in = issued.info.expires_in, "access token issued");
            }
            Err(trouble) => {
                tracing::warn!("no access token: {trouble}");
                self.journal.trouble(trouble, self.now());
            }
        }
        issued
    }
}

fn trouble_of(answer: Answer) -> ServiceTrouble {
    let problem = outcome::problem_of(answer.status);
    ServiceTrouble::answered(answer, |_| problem)
}

/// One line of log: the service's code, not its description, which may repeat what was sent.
fn note(message: &OutgoingText, trouble: &ServiceTrouble) {
    let (problem, user) = (trouble.problem.code(), message.to.short());
    let code: String = trouble
        .code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(60)
        .collect();
    tracing::warn!(
        user,
        problem,
        status = trouble.status,
        code,
        "message not accepted"
    );
}

/// An http or https address without the slash at its end.
fn address(name: &'static str, text: &str) -> Result<String, ConfigError> {
    let text = text.trim().trim_end_matches('/');
    let uri: ureq::http::Uri = text.parse().map_err(|_| ConfigError::Address(name))?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let whole = uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none();
    if web && whole {
        Ok(text.to_owned())
    } else {
        Err(ConfigError::Address(name))
    }
}
