//! The shared shelf for tokens, from threads that may wait. What it cannot say in time it does not say at all.

use std::sync::Arc;
use std::time::{Duration as Span, Instant as Moment};

use crm_domain::instant::Instant;
use crm_domain::ports::connector::TokenSeen;
use crm_domain::ports::tokens::{IssuedToken, ShelfAway, ShelvedToken, TokenShelf, TokenTurn};
use ring::digest::{Context, SHA256};
use time::Duration;
use tokio::runtime::Handle;

use crate::config::LineWorksConfig;
use crate::token::{Token, life};
use crate::token_request::Issued;

/// The longest that the shelf is waited for: without it there is another way.
const PATIENCE: Span = Span::from_secs(3);

/// The place of one connection on the shelf.
pub(crate) struct Shelf {
    shelf: Arc<dyn TokenShelf>,
    connection: String,
}

/// Who asks the service for a token.
pub(crate) enum Turned {
    Good(Token),
    Ours,
    Wait,
    /// The shelf cannot be used.
    Away,
}

impl Shelf {
    pub(crate) fn of(config: &LineWorksConfig, shelf: Arc<dyn TokenShelf>) -> Self {
        Self {
            shelf,
            connection: fingerprint(config),
        }
    }

    pub(crate) fn newest(&self, deadline: Moment) -> Option<i64> {
        wait_for(deadline, self.shelf.newest(&self.connection))
    }

    pub(crate) fn turn(&self, beyond: i64, now: Instant, deadline: Moment) -> Turned {
        match wait_for(deadline, self.shelf.turn(&self.connection, beyond)) {
            Some(TokenTurn::Good(token)) => Turned::Good(taken(token, now)),
            Some(TokenTurn::Ours) => Turned::Ours,
            Some(TokenTurn::Wait) => Turned::Wait,
            None => Turned::Away,
        }
    }

    /// The number of the token on the shelf; `None` if it could not be kept.
    pub(crate) fn keep(&self, issued: &Issued, good_for: Duration, deadline: Moment) -> Option<i64> {
        let token = IssuedToken {
            text: issued.text.clone(),
            scope: issued.info.scope.clone(),
            good_for,
            lives: life(&issued.info),
        };
        wait_for(deadline, self.shelf.keep(&self.connection, &token))
    }

    pub(crate) fn give_up(&self, deadline: Moment) {
        wait_for(deadline, self.shelf.give_up(&self.connection));
    }

    pub(crate) fn refuse(&self, number: i64, deadline: Moment) {
        wait_for(deadline, self.shelf.refuse(&self.connection, number));
    }
}

/// The answer, if it comes in time. What is undone after that stays undone: turns end by themselves.
fn wait_for<T>(deadline: Moment, answer: impl Future<Output = Result<T, ShelfAway>>) -> Option<T> {
    let left = deadline.saturating_duration_since(Moment::now()).min(PATIENCE);
    let runtime = Handle::try_current().ok()?;
    let answered = runtime.block_on(async { tokio::time::timeout(left, answer).await });
    match answered {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(away)) => {
            tracing::debug!("{away}");
            None
        }
        Err(_) => None,
    }
}

fn taken(token: ShelvedToken, now: Instant) -> Token {
    Token {
        text: token.text.into(),
        number: token.number,
        seen: TokenSeen {
            until: token.lives.map(|left| now.plus(left)),
            scope: token.scope,
        },
        until: now.plus(token.good_for),
    }
}

/// Of everything that a token depends on. The private key is part of it, so it tells nothing of the rest.
fn fingerprint(config: &LineWorksConfig) -> String {
    let mut hash = Context::new(&SHA256);
    for part in [
        &config.token_url,
        &config.client_id,
        &config.client_secret,
        &config.service_account,
        &config.private_key,
        &config.scope,
    ] {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finish();
    digest.as_ref()[..16]
        .iter()
        .fold(String::new(), |mut text, byte| {
            text.extend(
                [byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)])),
            );
            text
        })
}
