//! API tokens: everybody makes and revokes their own, administrators those of all.

use super::Crm;
use super::members::past;
use super::sessions::in_person;
use crate::audit::{Act, Change, Deed};
use crate::error::Error;
use crate::instant::Instant;
use crate::members::{ApiToken, Member, MemberId, NewToken, Scopes, TokenId};
use crate::permissions::{Action, Actor};
use crate::ports::store::StoreExt;
use crate::values::{CompanyName, Problem};

/// A token to be made, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenForm {
    /// For whom it acts.
    pub member: MemberId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Instant>,
}

impl Crm {
    /// Makes a token and returns its secret, which nothing shows again. It never reaches further than its owner.
    pub async fn create_token(&self, actor: &Actor, form: TokenForm) -> Result<String, Error> {
        self.may_manage(actor, form.member)?;
        let name = CompanyName::new(&form.name).map_err(|problem| Error::field("name", problem))?;
        if form.expires_at.is_some_and(|end| past(end, self.now())) {
            return Err(Error::field("expires", Problem::Malformed));
        }
        let secret = self.ports.secrets.token();
        let token = NewToken {
            member_id: form.member,
            name: name.as_str().to_owned(),
            hash: self.ports.secrets.hash(secret.as_bytes()),
            scopes: form.scopes,
            expires_at: form.expires_at,
        };
        self.act_once(self.trace(actor), move |uow, at| {
            let owner = uow.members().member(token.member_id)?;
            let owner = owner.filter(|owner| owner.disabled_at.is_none());
            owner.ok_or(Error::NotFound("member"))?;
            let id = uow.edit_credentials().add_token(&token, at)?;
            Ok(Deed::on(Act::TokenCreated, id).with(told(&token)).gives(()))
        })
        .await?;
        Ok(secret)
    }

    /// All tokens with their members, newest first; revoked ones too.
    pub async fn list_tokens(&self, actor: &Actor) -> Result<Vec<(ApiToken, Member)>, Error> {
        self.may(actor, Action::ManageTokens)?;
        self.ports
            .store
            .read(|unit| Ok(unit.credentials().tokens(None)?))
            .await
    }

    /// One's own tokens, newest first; revoked ones too.
    pub async fn list_own_tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, Error> {
        let id = in_person(actor)?;
        self.ports
            .store
            .read(move |unit| {
                let tokens = unit.credentials().tokens(Some(id))?;
                Ok(tokens.into_iter().map(|(token, _)| token).collect())
            })
            .await
    }

    /// Revokes a token of one's own; administrators revoke anybody's.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<(), Error> {
        let whose = match actor {
            Actor::Member { id, .. } if actor.may(Action::ManageTokens).is_err() => Some(*id),
            _ => {
                self.may(actor, Action::ManageTokens)?;
                None
            }
        };
        self.act_once(self.trace(actor), move |uow, at| {
            let tokens = uow.credentials().tokens(whose)?;
            let known = tokens.iter().any(|(token, _)| token.id == id);
            if known && uow.edit_credentials().revoke_token(id, at)? {
                Ok(Deed::on(Act::TokenRevoked, id).gives(()))
            } else {
                Err(Error::NotFound("token"))
            }
        })
        .await
    }

    /// Revokes the tokens of everybody; returns how many were valid.
    pub async fn revoke_all_tokens(&self, actor: &Actor) -> Result<usize, Error> {
        self.act(actor, Action::ManageTokens, |uow, at| {
            let revoked = uow.edit_credentials().revoke_all_tokens(at)?;
            Ok(Deed::of(Act::TokenRevoked).gives(revoked))
        })
        .await
    }

    /// One's own in person, or as an administrator; a token makes no tokens.
    fn may_manage(&self, actor: &Actor, owner: MemberId) -> Result<(), Error> {
        match actor {
            Actor::Member { id, .. } if *id == owner => Ok(()),
            _ => Ok(self.may(actor, Action::ManageTokens)?),
        }
    }
}

/// What the log says of a new token.
fn told(token: &NewToken) -> Vec<Change> {
    let scopes = [
        ("read", token.scopes.read),
        ("write", token.scopes.write),
        ("send", token.scopes.send),
    ];
    let scopes: Vec<&str> = scopes
        .iter()
        .filter(|(_, may)| *may)
        .map(|(name, _)| *name)
        .collect();
    vec![
        Change::new("member_id", None, Some(token.member_id.to_string())),
        Change::new("name", None, Some(token.name.clone())),
        Change::new("scopes", None, Some(scopes.join(" "))),
        Change::new("expires_at", None, token.expires_at.map(|end| end.to_string())),
        Change::masked("token"),
    ]
}
