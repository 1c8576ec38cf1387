//! The only ways to what a request wants to change: both have checked that it was made on a page of ours.

use bytes::Bytes;
use poem::http::{Method, header};
use poem::web::{Form, Multipart};
use poem::{Body, FromRequest, Request, RequestBody};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::browser::Browser;
use super::csrf::{FIELD, HEADER, Holder};
use super::identity::{Identity, Signed};
use crate::links;
use crate::problem::Failure;
use crate::state::App;

/// The type of a form's body.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The data of a form or a JSON body from somebody who is signed in. Programs with a token need no CSRF token.
#[derive(Debug)]
pub struct Protected<T> {
    /// Who sent it.
    pub by: Signed,
    /// What was sent.
    pub data: T,
}

/// Who changes something by a body that is read elsewhere. Programs with a token need no CSRF token; a page sends it in its
/// header.
#[derive(Debug)]
pub struct Writer {
    /// Who.
    pub by: Signed,
}

impl<'a> FromRequest<'a> for Writer {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let identity = Identity::of(request).await?;
        let by_program = matches!(identity, Identity::Token(_));
        let by = identity.signed()?;
        if !by_program {
            let secret = by.session.as_deref().unwrap_or_default();
            let unread = Sent {
                kind: Kind::Empty,
                bytes: Bytes::new(),
            };
            unread.check(request, &[Holder::Session(secret)]).await?;
        }
        Ok(Writer { by })
    }
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
        let sent = Sent::of(request, body).await?;
        if !by_program {
            let secret = by.session.as_deref().unwrap_or_default();
            sent.check(request, &[Holder::Session(secret)]).await?;
        }
        Ok(Protected {
            by,
            data: sent.parse().await?,
        })
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Open<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let sent = Sent::of(request, body).await?;
        let browser = Browser::of(request.headers());
        let signed = Identity::of(request).await?.signed().ok();
        let session = signed.as_ref().and_then(|signed| signed.session.as_deref());
        let holders: Vec<Holder<'_>> = session
            .map(Holder::Session)
            .into_iter()
            .chain(browser.as_ref().map(|browser| Holder::Browser(&browser.id)))
            .collect();
        sent.check(request, &holders).await?;
        Ok(Open(sent.parse().await?))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
    Empty,
    Other,
}

/// A body and what it claims to be.
pub(super) struct Sent {
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
}

impl Sent {
    async fn of(request: &Request, body: &mut RequestBody) -> Result<Sent, Failure> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        let kind = match essence.trim().to_ascii_lowercase().as_str() {
            FORM => Kind::Form,
            "application/json" => Kind::Json,
            // What scripts make of `FormData`.
            "multipart/form-data" => return Sent::of_parts(request, body).await,
            _ => Kind::Other,
        };
        let taken = body
            .take()
            .map_err(|_| Failure::Broken("a body was taken twice"))?;
        let bytes = taken.into_bytes().await.map_err(|_| Failure::Malformed)?;
        match kind {
            _ if bytes.is_empty() => Ok(Sent {
                kind: Kind::Empty,
                bytes,
            }),
            Kind::Other => Err(Failure::WrongType),
            kind => Ok(Sent { kind, bytes }),
        }
    }

    /// Texts and files of text; written as the other kind of form, they are read in the same way.
    pub(super) async fn of_parts(request: &Request, body: &mut RequestBody) -> Result<Sent, Failure> {
        let mut parts = Multipart::from_request(request, body)
            .await
            .map_err(|_| Failure::Malformed)?;
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|_| Failure::Malformed)? {
            let name = part.name().map(links::encode).unwrap_or_default();
            let value = if part.file_name().is_some() {
                // The field that takes the file says what is wrong with bytes that are no text.
                let bytes = part.bytes().await.map_err(|_| Failure::Malformed)?;
                String::from_utf8_lossy(&bytes).into_owned()
            } else {
                part.text().await.map_err(|_| Failure::Malformed)?
            };
            fields.push(format!("{name}={}", links::encode(&value)));
        }
        Ok(Sent {
            kind: Kind::Form,
            bytes: fields.join("&").into(),
        })
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
            None if self.kind == Kind::Form => self.field().await?,
            None => None,
        };
        let token = token.ok_or(Failure::Forged)?;
        if holders.iter().any(|holder| holder.holds(&app.keys, &token)) {
            Ok(())
        } else {
            Err(Failure::Forged)
        }
    }

    pub(super) async fn field(&self) -> Result<Option<String>, Failure> {
        let pairs: Vec<(String, String)> = self.form().await?;
        Ok(pairs
            .into_iter()
            .find(|(name, _)| name == FIELD)
            .map(|(_, value)| value))
    }

    pub(super) async fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        match self.kind {
            Kind::Form => self.form().await,
            Kind::Json => serde_json::from_slice(&self.bytes).map_err(|_| Failure::Malformed),
            // A button sends nothing; whoever expects fields learns which are missing.
            Kind::Empty | Kind::Other => serde_json::from_slice(b"{}").map_err(|_| Failure::Malformed),
        }
    }

    pub(super) async fn form<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_form(self.bytes.clone()).await
    }
}

/// What the body of a form holds.
pub(crate) async fn read_form<T: DeserializeOwned>(bytes: Bytes) -> Result<T, Failure> {
    let request = Request::builder()
        .method(Method::POST)
        .content_type(FORM)
        .finish();
    let mut body = RequestBody::new(Body::from(bytes));
    let form = Form::<T>::from_request(&request, &mut body).await;
    form.map(|Form(data)| data).map_err(|_| Failure::Malformed)
}
