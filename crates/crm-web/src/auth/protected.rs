//! The only ways to what a request wants to change: both have checked that it was made on a page of ours.

use bytes::Bytes;
use poem::http::{HeaderMap, header};
use poem::web::Form;
use poem::{Body, FromRequest, Request, RequestBody};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::browser::Browser;
use super::csrf::{FIELD, HEADER, Holder};
use super::identity::{Identity, Signed};
use crate::problem::Failure;
use crate::state::App;

/// The data of a form or a JSON body from somebody who is signed in. Programs with a token need no CSRF token.
#[derive(Debug)]
pub struct Protected<T> {
    /// Who sent it.
    pub by: Signed,
    /// What was sent.
    pub data: T,
}

/// The data of a form that is there before signing in.
#[derive(Debug)]
pub struct Open<T>(pub T);

/// No data: a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Nothing {}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Protected<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let identity = Identity::of(request).await?;
        let by_program = matches!(identity, Identity::Token(_));
        let by = identity.signed()?;
        let sent = Sent::of(request.headers(), body).await?;
        if !by_program {
            let secret = by.session.as_deref().unwrap_or_default();
            sent.check(request, &[Holder::Session(secret)]).await?;
        }
        Ok(Protected {
            by,
            data: sent.parse(request).await?,
        })
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Open<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let sent = Sent::of(request.headers(), body).await?;
        let browser = Browser::of(request.headers());
        let signed = Identity::of(request).await?.signed().ok();
        let session = signed.as_ref().and_then(|signed| signed.session.as_deref());
        let holders: Vec<Holder<'_>> = session
            .map(Holder::Session)
            .into_iter()
            .chain(browser.as_ref().map(|browser| Holder::Browser(&browser.id)))
            .collect();
        sent.check(request, &holders).await?;
        Ok(Open(sent.parse(request).await?))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
    Empty,
}

/// A body and what it claims to be.
struct Sent {
    kind: Kind,
    bytes: Bytes,
}

impl Sent {
    async fn of(headers: &HeaderMap, body: &mut RequestBody) -> Result<Sent, Failure> {
        let taken = body
            .take()
            .map_err(|_| Failure::Broken("a body was taken twice"))?;
        let bytes = taken.into_bytes().await.map_err(|_| Failure::Malformed)?;
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        let kind = match essence.trim().to_ascii_lowercase().as_str() {
            _ if bytes.is_empty() => Kind::Empty,
            "application/x-www-form-urlencoded" => Kind::Form,
            "application/json" => Kind::Json,
            _ => return Err(Failure::WrongType),
        };
        Ok(Sent { kind, bytes })
    }

    /// Origin first, then the token, from the header or the form's hidden field.
    async fn check(&self, request: &Request, holders: &[Holder<'_>]) -> Result<(), Failure> {
        let app = App::of(request)?;
        if !app.settings.origins.allow(request.headers()) {
            return Err(Failure::Forged);
        }
        let in_header = request
            .headers()
            .get(HEADER)
            .and_then(|value| value.to_str().ok());
        let token = match in_header {
            Some(token) => Some(token.to_owned()),
            None if self.kind == Kind::Form => self.field(request).await?,
            None => None,
        };
        let token = token.ok_or(Failure::Forged)?;
        if holders.iter().any(|holder| holder.holds(&app.keys, &token)) {
            Ok(())
        } else {
            Err(Failure::Forged)
        }
    }

    async fn field(&self, request: &Request) -> Result<Option<String>, Failure> {
        let pairs: Vec<(String, String)> = self.form(request).await?;
        Ok(pairs
            .into_iter()
            .find(|(name, _)| name == FIELD)
            .map(|(_, value)| value))
    }

    async fn parse<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        match self.kind {
            Kind::Form => self.form(request).await,
            Kind::Json => serde_json::from_slice(&self.bytes).map_err(|_| Failure::Malformed),
            // A button sends nothing; whoever expects fields learns which are missing.
            Kind::Empty => serde_json::from_slice(b"{}").map_err(|_| Failure::Malformed),
        }
    }

    async fn form<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let mut body = RequestBody::new(Body::from(self.bytes.clone()));
        let form = Form::<T>::from_request(request, &mut body).await;
        form.map(|Form(data)| data).map_err(|_| Failure::Malformed)
    }
}
