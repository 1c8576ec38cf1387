//! API tokens: everybody's in the administration, one's own in one's own settings.

use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::members::{ApiToken, MemberId, Scopes};
use crm_domain::permissions::Action;
use crm_domain::use_cases::TokenForm;
use crm_domain::values::Problem;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use super::{id, myself, times};
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::format::Times;
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::tokens::{Made, Owner, TOKEN_FIELDS, TokenRow, Tokens, TokensPage};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::TOKENS, get(list).post(add))
        .at("/me/tokens", post(add_own))
        .at("/tokens/:id/revoke", post(revoke))
}

/// What was typed for a new token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    token_name: String,
    read: String,
    write: String,
    send: String,
    expires: String,
    member: String,
}

impl Typed {
    fn state(&self) -> FormState {
        FormState::of(&TOKEN_FIELDS)
            .with("token_name", &self.token_name)
            .with("read", &self.read)
            .with("write", &self.write)
            .with("send", &self.send)
            .with("expires", &self.expires)
            .with("member", &self.member)
    }

    fn refused(&self, error: &Error) -> FormState {
        let mut form = self.state();
        form.refuse_as(error, &[("name", "token_name"), ("scopes", "read")]);
        form
    }

    fn form(&self, member: MemberId, times: &Times) -> Result<TokenForm, Error> {
        let scopes = Scopes {
            read: !self.read.is_empty(),
            write: !self.write.is_empty(),
            send: !self.send.is_empty(),
        };
        if scopes.codes().is_empty() {
            return Err(Error::field("scopes", Problem::Required));
        }
        Ok(TokenForm {
            member,
            name: self.token_name.clone(),
            scopes,
            expires_at: self.expires_at(times)?,
        })
    }

    /// The end of the day that was typed.
    fn expires_at(&self, times: &Times) -> Result<Option<Instant>, Error> {
        let typed = self.expires.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let day = Date::parse(typed, format_description!("[year]-[month]-[day]"));
        let end = day.ok().and_then(|day| times.end_of(day));
        Ok(Some(end.ok_or(Error::field("expires", Problem::Malformed))?))
    }
}

fn empty_form() -> FormState {
    FormState::of(&TOKEN_FIELDS).with("read", "1")
}

#[handler]
async fn list(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    let form = empty_form().with("member", by.member.id.to_string());
    draw(&visitor, &by, form, None, StatusCode::OK).await
}

async fn draw(
    visitor: &Visitor,
    by: &Signed,
    form: FormState,
    made: Option<Made>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let times = times(visitor);
    let tokens = crm.list_tokens(&by.actor).await?;
    let now = crm.now();
    let owners = crm.list_members(&by.actor).await?;
    let owners = owners.into_iter().filter(|owner| owner.disabled_at.is_none());
    let page = TokensPage {
        tokens: Tokens {
            action: links::TOKENS,
            rows: tokens
                .iter()
                .map(|(token, owner)| row(token, &owner.name, &times, now))
                .collect(),
            form,
            owners: owners
                .map(|owner| Owner {
                    id: owner.id.to_string(),
                    name: owner.name,
                })
                .collect(),
            whose: true,
            made,
        },
    };
    visitor.page(status, Menu::AdminTokens, &page)
}

/// One's own tokens, for one's own settings.
pub(super) async fn own(
    visitor: &Visitor,
    by: &Signed,
    again: Option<(FormState, Option<Made>)>,
) -> Result<Tokens, Failure> {
    let crm = &visitor.app.crm;
    let (times, now) = (times(visitor), crm.now());
    let tokens = crm.list_own_tokens(&by.actor).await?;
    let (form, made) = again.unwrap_or_else(|| (empty_form(), None));
    Ok(Tokens {
        action: links::OWN_TOKENS,
        rows: tokens
            .iter()
            .map(|token| row(token, &by.member.name, &times, now))
            .collect(),
        form,
        owners: Vec::new(),
        whose: false,
        made,
    })
}

fn row(token: &ApiToken, owner: &str, times: &Times, now: Instant) -> TokenRow {
    let expired = token.expires_at.is_some_and(|end| end <= now);
    TokenRow {
        id: token.id.get(),
        name: token.name.clone(),
        owner: owner.to_owned(),
        scopes: token.scopes.codes(),
        created: times.short(token.created_at),
        // The day that was chosen ends with the instant.
        expires: token
            .expires_at
            .map(|end| times.full_day(end.minus(time::Duration::SECOND))),
        used: token.used_at.map(|at| times.short(at)),
        state: match token.revoked_at {
            Some(_) => "revoked",
            None if expired => "expired",
            None => "valid",
        },
    }
}

#[handler]
async fn add(visitor: Visitor, Protected { by, data: typed }: Protected<Typed>) -> Result<Response, Failure> {
    visitor.app.crm.may(&by.actor, Action::ManageTokens)?;
    let owner = typed.member.trim().parse();
    let owner = owner.map_err(|_| Error::field("member", Problem::NotAChoice));
    match made(&visitor, &by, &typed, owner).await {
        Ok(made) => {
            let form = empty_form().with("member", &typed.member);
            draw(&visitor, &by, form, Some(made), StatusCode::OK).await
        }
        Err(error @ Error::Invalid(_)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&visitor, &by, typed.refused(&error), None, status).await
        }
        Err(error) => Err(error.into()),
    }
}

#[handler]
async fn add_own(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    match made(&visitor, &by, &typed, Ok(by.member.id)).await {
        Ok(made) => {
            let tokens = own(&visitor, &by, Some((empty_form(), Some(made)))).await?;
            myself::draw(&visitor, &by, None, tokens, StatusCode::OK).await
        }
        Err(error @ Error::Invalid(_)) => {
            let tokens = own(&visitor, &by, Some((typed.refused(&error), None))).await?;
            myself::draw(&visitor, &by, None, tokens, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The secret is shown once and stored nowhere, so it is no redirect that shows it.
async fn made(
    visitor: &Visitor,
    by: &Signed,
    typed: &Typed,
    owner: Result<MemberId, Error>,
) -> Result<Made, Error> {
    let form = typed.form(owner?, &times(visitor))?;
    Ok(Made {
        name: form.name.trim().to_owned(),
        secret: visitor.app.crm.create_token(&by.actor, form).await?,
    })
}

#[handler]
async fn revoke(
    visitor: Visitor,
    Path(number): Path<String>,
    headers: &poem::http::HeaderMap,
    form: Protected<Nothing>,
) -> Result<Response, Failure> {
    visitor.app.crm.revoke_token(&form.by.actor, id(&number)?).await?;
    let back = match crate::auth::referring_page(headers) {
        Some(page) if page.starts_with(links::TOKENS) => links::TOKENS,
        _ => links::ME,
    };
    Ok(visitor.redirect(back, Some(("token_revoked", None))))
}
