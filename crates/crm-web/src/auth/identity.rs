//! Who asks: read at most once per request.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::error::Error;
use crm_domain::members::Member;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::SignedIn;
use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};
use tokio::sync::OnceCell;

use super::cookies::{SESSION, cookie};
use crate::problem::Failure;
use crate::state::App;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Nobody who proved anything.
    Nobody,
    /// A member, by a session.
    Session(Signed),
    /// A member's program, by a token.
    Token(Signed),
    /// Somebody with a token that is none, or not any more.
    BadToken,
}

/// The header of requests that a page makes by itself.
pub(super) const BY_ITSELF: &str = "x-crm-by-itself";

/// How long noting that a session or token was used may hold up an answer.
const NOTING: Duration = Duration::from_millis(250);

/// Place in a request's extensions where its identity is kept once it is known.
pub(crate) type Known = Arc<OnceCell<Identity>>;

/// Who is signed in. As a handler's argument it turns away whoever is not.
#[derive(Debug, Clone)]
pub struct Signed {
    /// As whom the use cases act.
    pub actor: Actor,
    /// The member.
    pub member: Member,
    /// The session's secret; `None` for programs.
    pub session: Option<String>,
}

impl Signed {
    fn new(signed: SignedIn, session: Option<String>) -> Self {
        Self {
            actor: signed.actor,
            member: signed.member,
            session,
        }
    }
}

impl Identity {
    /// Who sent the request.
    pub async fn of(request: &Request) -> Result<Identity, Failure> {
        let app = App::of(request)?;
        match request.extensions().get::<Known>() {
            Some(known) => Ok(known
                .get_or_try_init(|| read(&app, request.headers()))
                .await?
                .clone()),
            None => read(&app, request.headers()).await,
        }
    }

    /// The member behind it.
    pub fn signed(self) -> Result<Signed, Failure> {
        match self {
            Self::Session(signed) | Self::Token(signed) => Ok(signed),
            Self::Nobody => Err(Failure::NotSignedIn),
            Self::BadToken => Err(Failure::BadToken),
        }
    }
}

async fn read(app: &App, headers: &HeaderMap) -> Result<Identity, Failure> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let token = authorization.to_str().ok().and_then(bearer);
        let signed = match token {
            Some(token) => used(app.crm.token_actor(token), app.crm.token_seen(token)).await?,
            None => None,
        };
        if let Some(signed) = &signed {
            app.allowance.take(&signed.actor)?;
        }
        return Ok(signed.map_or(Identity::BadToken, |signed| {
            Identity::Token(Signed::new(signed, None))
        }));
    }
    let Some(secret) = cookie(headers, SESSION).filter(|secret| !secret.is_empty()) else {
        return Ok(Identity::Nobody);
    };
    // What an open page asks for by itself does not count as use.
    let signed = if headers.contains_key(BY_ITSELF) {
        app.crm.session_seen(secret).await?
    } else {
        used(app.crm.session_actor(secret), app.crm.session_seen(secret)).await?
    };
    Ok(signed.map_or(Identity::Nobody, |signed| {
        Identity::Session(Signed::new(signed, Some(secret.to_owned())))
    }))
}

/// While the database cannot be written people can still read: then the use is not noted.
async fn used(
    noted: impl Future<Output = Result<Option<SignedIn>, Error>>,
    seen: impl Future<Output = Result<Option<SignedIn>, Error>>,
) -> Result<Option<SignedIn>, Error> {
    match tokio::time::timeout(NOTING, noted).await {
        Ok(Err(Error::Store(_))) | Err(_) => seen.await,
        Ok(found) => found,
    }
}

pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<'a> FromRequest<'a> for Signed {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Identity::of(request).await?.signed()?)
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_bearer_is_understood() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}
