//! Who is it: sessions and tokens become actors; making and revoking tokens.

use super::Crm;
use super::members::past;
use crate::error::Error;
use crate::instant::Instant;
use crate::members::{ApiToken, Grants, Member, MemberId, Scopes, TokenId};
use crate::permissions::{Action, Actor};
use crate::ports::store::StoreExt;
use crate::values::{CompanyName, Problem};
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
        let over =
            past(session.seen_at.plus(SESSION_IDLE), now) || past(session.created_at.plus(SESSION_LIFE), now);
        if over || member.disabled_at.is_some() {
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
            grants: Grants::default(),
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
            grants: Grants::default(),
            scopes: Scopes::ALL,
        };
        Ok(Some(SignedIn { actor, member }))
    }

    /// Makes a token for a member and returns its secret, which nothing shows again.
    pub async fn create_token(
        &self,
        actor: &Actor,
        member: MemberId,
        name: &str,
        expires_at: Option<Instant>,
    ) -> Result<String, Error> {
        actor.may(Action::ManageTokens)?;
        let name = CompanyName::new(name).map_err(|problem| Error::field("name", problem))?;
        if expires_at.is_some_and(|end| past(end, self.now())) {
            return Err(Error::field("expires", Problem::Malformed));
        }
        let secret = self.ports.secrets.token();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.change(actor, Action::ManageTokens, move |uow, at| {
            uow.members().member(member)?.ok_or(Error::NotFound("member"))?;
            Ok(uow
                .edit_credentials()
                .add_token(member, name.as_str(), &hash, expires_at, at)?)
        })
        .await?;
        Ok(secret)
    }

    /// All tokens with their members, newest first.
    pub async fn list_tokens(&self, actor: &Actor) -> Result<Vec<(ApiToken, Member)>, Error> {
        actor.may(Action::ManageTokens)?;
        self.ports
            .store
            .read(|unit| Ok(unit.credentials().tokens()?))
            .await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<(), Error> {
        self.change(actor, Action::ManageTokens, move |uow, at| {
            if uow.edit_credentials().revoke_token(id, at)? {
                Ok(())
            } else {
                Err(Error::NotFound("token"))
            }
        })
        .await
    }
}
