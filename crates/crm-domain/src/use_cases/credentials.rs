//! Who is it: sessions and tokens become actors.

use super::Crm;
use super::members::past;
use super::sessions::is_over;
use crate::error::Error;
use crate::instant::Instant;
use crate::members::Member;
use crate::permissions::Actor;
use crate::ports::store::StoreExt;
use time::Duration;

/// A session that nobody used for so long is over.
pub const SESSION_IDLE: Duration = Duration::days(7);
/// A session is over after so long, used or not.
pub const SESSION_LIFE: Duration = Duration::days(30);
/// How exactly last use is noted: a page load must not cost a write.
const SEEN_EVERY: Duration = Duration::minutes(1);

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// As whom they act.
    pub actor: Actor,
    /// The member.
    pub member: Member,
}

impl Crm {
    /// Whose session this cookie's value is; `None` if nobody's (any more).
    pub async fn session_actor(&self, secret: &str) -> Result<Option<SignedIn>, Error> {
        self.session(secret, true).await
    }

    /// [`Crm::session_actor`] without counting as use of the session: for what an open page does by itself.
    pub async fn session_seen(&self, secret: &str) -> Result<Option<SignedIn>, Error> {
        self.session(secret, false).await
    }

    async fn session(&self, secret: &str, used: bool) -> Result<Option<SignedIn>, Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let found = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.credentials().session(&hash)?))
            .await?;
        let Some((session, member)) = found else {
            return Ok(None);
        };
        if is_over(&session, now) || member.disabled_at.is_some() {
            return Ok(None);
        }
        if used && past(session.seen_at.plus(SEEN_EVERY), now) {
            self.change_again(move |uow| Ok(uow.edit_credentials().touch_session(&hash, now)?))
                .await?;
        }
        let actor = Actor::Member {
            id: member.id,
            name: member.name.clone(),
            role: member.role,
            grants: member.grants,
        };
        Ok(Some(SignedIn { actor, member }))
    }

    /// For whom this token acts; `None` if for nobody (any more).
    pub async fn token_actor(&self, secret: &str) -> Result<Option<SignedIn>, Error> {
        self.token(secret, true).await
    }

    /// [`Crm::token_actor`] without counting as use of the token.
    pub async fn token_seen(&self, secret: &str) -> Result<Option<SignedIn>, Error> {
        self.token(secret, false).await
    }

    async fn token(&self, secret: &str, used: bool) -> Result<Option<SignedIn>, Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let found = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.credentials().token_by_hash(&hash)?))
            .await?;
        let Some((token, member)) = found else {
            return Ok(None);
        };
        if token.expires_at.is_some_and(|end| past(end, now)) || member.disabled_at.is_some() {
            return Ok(None);
        }
        let noted = |at: Instant| !past(at.plus(SEEN_EVERY), now);
        if used && !token.used_at.is_some_and(noted) {
            let id = token.id;
            self.change_again(move |uow| Ok(uow.edit_credentials().touch_token(id, now)?))
                .await?;
        }
        let actor = Actor::Token {
            token: token.id,
            id: member.id,
            name: member.name.clone(),
            role: member.role,
            grants: member.grants,
            scopes: token.scopes,
        };
        Ok(Some(SignedIn { actor, member }))
    }
}
