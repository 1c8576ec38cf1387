//! Asking LINE WORKS about its members, with tokens of their own: whatever happens to them, sending does not notice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::profiles::ProfileError;
use crm_domain::ports::tokens::TokenShelf;
use tokio::sync::Semaphore;

use crate::config::{ConfigError, LineWorksConfig};
use crate::http::{Answer, Http};
use crate::jwt::Assertions;
use crate::outcome::{self, ServiceTrouble};
use crate::private_key;
use crate::shelf::Shelf;
use crate::token::TokenCache;
use crate::token_request::TokenRequest;

/// Enough to read the profile of one member.
pub(crate) const LOOK_UP: &str = "user.profile.read";
/// Enough to read the list.
pub(crate) const LIST: &str = "user.read";
/// The longest that a question takes: a person waits before a form.
const TOTAL: Duration = Duration::from_secs(10);
/// How many questions are asked at once; others wait for their turn.
const AT_ONCE: usize = 2;
/// How long a scope that was refused is not asked for again.
const REFUSED: Duration = Duration::from_secs(30);
/// The most of an answer that is read: 100 members with everything that is known of them.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;
/// The wait after a 429 that names none.
const UNSAID_WAIT: u32 = 60;

/// The member directory, as one service account sees it. Copies share their tokens.
#[derive(Clone)]
pub(crate) struct Directory {
    inner: Arc<Inner>,
    turns: Arc<Semaphore>,
}

struct Inner {
    api_url: String,
    http: Http,
    total: Duration,
    clock: Arc<dyn Clock>,
    look_up: Account,
    list: Account,
}

/// The service account with one scope.
struct Account {
    request: TokenRequest,
    tokens: TokenCache,
    refused: Mutex<Option<Moment>>,
}

impl Directory {
    /// The settings have been checked by whoever sends with them.
    pub(crate) fn new(
        config: &LineWorksConfig,
        clock: Arc<dyn Clock>,
        shelf: Option<&Arc<dyn TokenShelf>>,
    ) -> Result<Self, ConfigError> {
        let inner = Inner {
            api_url: config.api_url.trim().trim_end_matches('/').to_owned(),
            http: Http::new(config.timeouts),
            total: config.timeouts.total.min(TOTAL),
            clock,
            look_up: Account::new(config, LOOK_UP, shelf)?,
            list: Account::new(config, LIST, shelf)?,
        };
        Ok(Self {
            inner: Arc::new(inner),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Gets a JSON text at this path, with the scope that is enough or else with the other one.
    pub(crate) async fn get(&self, path: String, scope: &'static str) -> Result<Vec<u8>, ProfileError> {
        let deadline = Moment::now() + self.inner.total;
        let unasked = |problem| ProfileError::Later { problem, wait: None };
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout_at(deadline.into(), turn).await else {
            return Err(unasked(SendProblem::TimedOut));
        };
        let inner = Arc::clone(&self.inner);
        let asking = tokio::task::spawn_blocking(move || {
            let answer = inner.get(&path, scope, deadline);
            drop(turn);
            answer
        });
        asking
            .await
            .unwrap_or_else(|_| Err(unasked(SendProblem::Interrupted)))
    }
}

impl Inner {
    fn get(&self, path: &str, scope: &str, deadline: Moment) -> Result<Vec<u8>, ProfileError> {
        let accounts = if scope == LIST {
            [&self.list, &self.look_up]
        } else {
            [&self.look_up, &self.list]
        };
        let mut answer = Err(ProfileError::ScopeMissing);
        for account in accounts {
            answer = self.get_as(account, path, deadline);
            if answer != Err(ProfileError::ScopeMissing) {
                break;
            }
        }
        answer
    }

    fn get_as(&self, account: &Account, path: &str, deadline: Moment) -> Result<Vec<u8>, ProfileError> {
        if account.is_refused() {
            return Err(ProfileError::ScopeMissing);
        }
        let answer = self.authorised(account, path, deadline).map_err(|trouble| {
            if trouble.problem == SendProblem::ScopeRefused {
                account.refuse();
            }
            error_of(&trouble)
        })?;
        let status = answer.status;
        if (200..300).contains(&status) {
            let body = answer.into_body_within(ANSWER_LIMIT);
            return body.map_err(|why| error_of(&ServiceTrouble::unanswered(outcome::problem_of_lost(why))));
        }
        let trouble = ServiceTrouble::answered(answer, |_| outcome::problem_of(status));
        tracing::debug!(status, code = trouble.code, "members cannot be read");
        Err(error_of(&trouble))
    }

    /// Asks with the token; after a 401 once more with a fresh one.
    fn authorised(&self, account: &Account, path: &str, deadline: Moment) -> Result<Answer, ServiceTrouble> {
        let url = format!("{}{path}", self.api_url);
        let mut again = true;
        loop {
            let now = self.clock.now();
            let token = account
                .tokens
                .get(now, deadline, || account.request.ask(&self.http, now, deadline))?;
            let answer = self
                .http
                .get(&url, &token.text, deadline)
                .map_err(|lost| ServiceTrouble::unanswered(outcome::problem_of_lost(lost.why)))?;
            if answer.status != 401 || !again {
                return Ok(answer);
            }
            again = false;
            account.tokens.invalidate(token.number, deadline);
        }
    }
}

impl Account {
    fn new(
        config: &LineWorksConfig,
        scope: &str,
        shelf: Option<&Arc<dyn TokenShelf>>,
    ) -> Result<Self, ConfigError> {
        let scoped = LineWorksConfig {
            scope: scope.to_owned(),
            ..config.clone()
        };
        let shelf = shelf.map(|shelf| Shelf::of(&scoped, Arc::clone(shelf)));
        let client_id = config.client_id.trim().to_owned();
        let key = private_key::read(&config.private_key)?;
        Ok(Self {
            request: TokenRequest {
                url: config.token_url.trim().trim_end_matches('/').to_owned(),
                client_secret: config.client_secret.trim().to_owned(),
                scope: scope.to_owned(),
                assertions: Assertions::new(key, &client_id, config.service_account.trim()),
                client_id,
            },
            tokens: TokenCache::sharing(shelf),
            refused: Mutex::default(),
        })
    }

    fn is_refused(&self) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|at| at.elapsed() < REFUSED)
    }

    fn refuse(&self) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Moment::now());
    }
}

fn error_of(trouble: &ServiceTrouble) -> ProfileError {
    let later = |wait| ProfileError::Later {
        problem: trouble.problem,
        wait,
    };
    match trouble.problem {
        SendProblem::ScopeRefused => ProfileError::ScopeMissing,
        SendProblem::Forbidden if !["LIMIT_EXCEEDED", "OUT_OF_RANGE"].contains(&trouble.code.as_str()) => {
            ProfileError::ScopeMissing
        }
        SendProblem::NotFound => ProfileError::NotFound,
        SendProblem::RateLimited => later(Some(trouble.wait.unwrap_or(UNSAID_WAIT))),
        problem @ (SendProblem::BadRequest | SendProblem::Rejected | SendProblem::Forbidden) => {
            ProfileError::Refused(problem)
        }
        _ => later(None),
    }
}
