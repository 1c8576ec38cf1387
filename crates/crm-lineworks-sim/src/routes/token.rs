//! `POST /oauth2/v2.0/token` and `/revoke`.

use crate::answers::{OAuthRefusal, json_answer};
use crate::form::{Form, decode};
use crate::json_body::{self, JSON_LIMIT};
use crate::jwt::Expected;
use crate::state::Shared;
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use serde_json::{Value, json};
use std::sync::Arc;
use time::Duration;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[handler]
pub(super) async fn issue(Data(shared): Data<&Arc<Shared>>, request: &Request, body: Body) -> Response {
    let granted = match read_form(request, body).await {
        Ok(form) => grant(shared, &form),
        Err(refusal) => Err(refusal),
    };
    match granted {
        Ok(token) => json_answer(StatusCode::OK, &token),
        Err(refusal) => refusal.into_response(),
    }
}

#[handler]
pub(super) async fn revoke(Data(shared): Data<&Arc<Shared>>, request: &Request, body: Body) -> Response {
    let revoked = read_form(request, body).await.and_then(|form| {
        check_client(shared, &form)?;
        shared.lock().tokens.revoke(form.required("token")?);
        Ok(())
    });
    match revoked {
        Ok(()) => StatusCode::OK.into(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn read_form(request: &Request, body: Body) -> Result<Form, OAuthRefusal> {
    let bytes = json_body::read(body, JSON_LIMIT)
        .await
        .map_err(|_| OAuthRefusal::invalid_request("The form cannot be read."))?;
    Form::parse(json_body::content_type(request.headers()), &bytes)
}

fn grant(shared: &Shared, form: &Form) -> Result<Value, OAuthRefusal> {
    let grant_type = form.required("grant_type")?;
    // An official sample percent-encodes it and lets its HTTP library encode it again; the service takes that.
    let grant_type = decode(grant_type).unwrap_or_else(|| grant_type.to_owned());
    check_client(shared, form)?;
    match grant_type.as_str() {
        JWT_BEARER => {
            let assertion = form.required("assertion")?;
            expected(shared).check(assertion)?;
            new_tokens(shared, ticked_scopes(shared, form)?, None)
        }
        "refresh_token" => {
            let token = form.required("refresh_token")?;
            let refused = || OAuthRefusal::invalid_grant("The refresh token is invalid or expired.");
            let grant = shared
                .lock()
                .tokens
                .refresh(token, shared.now())
                .cloned()
                .ok_or_else(refused)?;
            new_tokens(shared, grant.scopes, Some(token))
        }
        _ => Err(OAuthRefusal::unsupported_grant_type()),
    }
}

/// The client proves itself by form fields, not by Basic authentication.
fn check_client(shared: &Shared, form: &Form) -> Result<(), OAuthRefusal> {
    let right = form.get("client_id") == Some(&shared.config.client_id)
        && form.get("client_secret") == Some(&shared.config.client_secret);
    right.then_some(()).ok_or_else(OAuthRefusal::invalid_client)
}

fn expected(shared: &Shared) -> Expected<'_> {
    Expected {
        key: &shared.key,
        issuer: &shared.config.client_id,
        subject: &shared.config.service_account,
        now: shared.now(),
    }
}

fn ticked_scopes(shared: &Shared, form: &Form) -> Result<Vec<String>, OAuthRefusal> {
    let scopes: Vec<String> = form
        .required("scope")?
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let ticked = shared.lock().scopes.clone();
    if scopes.is_empty() || scopes.iter().any(|scope| !ticked.contains(scope)) {
        return Err(OAuthRefusal::invalid_scope());
    }
    Ok(scopes)
}

/// Issues an access token, and a refresh token unless one is in use (rotation is off).
fn new_tokens(shared: &Shared, scopes: Vec<String>, refresh: Option<&str>) -> Result<Value, OAuthRefusal> {
    let random = || shared.random_text(96).map_err(|_| OAuthRefusal::server_error());
    let (access, now) = (format!("sim1{}", random()?), shared.now());
    let seconds = shared.config.token_lifetime.as_secs();
    let life = Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let scope = scopes.join(" ");
    let refresh = if let Some(token) = refresh {
        token.to_owned()
    } else {
        let token = format!("sim1{}", random()?);
        shared
            .lock()
            .tokens
            .add_refresh(token.clone(), scopes.clone(), now);
        token
    };
    shared.lock().tokens.add(access.clone(), scopes, now, life);
    let expires_in: Value = if shared.config.expires_in_as_number {
        json!(seconds)
    } else {
        json!(seconds.to_string())
    };
    Ok(json!({
        "access_token": access,
        "refresh_token": refresh,
        "scope": scope,
        "token_type": "Bearer",
        "expires_in": expires_in,
    }))
}
