//! Who asks, looked at without counting as use: open pages ask by themselves, and must not keep a session alive.

use crm_domain::error::Error;
use crm_domain::use_cases::SignedIn;
use poem::http::{HeaderMap, header};

use super::cookies::{SESSION, cookie};
use super::identity::bearer;
use crate::problem::Failure;
use crate::state::App;

/// Who asks, and how to look again whether that still holds.
#[derive(Clone)]
pub struct Proven {
    /// Who it is.
    pub who: SignedIn,
    proof: Proof,
}

#[derive(Clone)]
enum Proof {
    Session(String),
    Token(String),
}

impl Proven {
    /// Who sent these headers.
    pub async fn of(app: &App, headers: &HeaderMap) -> Result<Proven, Failure> {
        let (proof, refusal) = if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer).ok_or(Failure::BadToken)?;
            (Proof::Token(token.to_owned()), Failure::BadToken)
        } else {
            let secret = cookie(headers, SESSION).filter(|secret| !secret.is_empty());
            let secret = secret.ok_or(Failure::NotSignedIn)?;
            (Proof::Session(secret.to_owned()), Failure::NotSignedIn)
        };
        let who = proof.look(app).await?.ok_or(refusal)?;
        app.allowance.take(&who.actor)?;
        Ok(Proven { who, proof })
    }

    /// Looks again; false when it does not hold any more.
    pub async fn still_holds(&mut self, app: &App) -> Result<bool, Error> {
        let Some(who) = self.proof.look(app).await? else {
            return Ok(false);
        };
        self.who = who;
        Ok(true)
    }
}

impl Proof {
    async fn look(&self, app: &App) -> Result<Option<SignedIn>, Error> {
        match self {
            Self::Session(secret) => app.crm.session_seen(secret).await,
            Self::Token(secret) => app.crm.token_seen(secret).await,
        }
    }
}
