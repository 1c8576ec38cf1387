//! One's own second factor: begin, confirm, recovery codes, turn off.

use crm_domain::error::Error;
use poem::http::StatusCode;
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::times;
use crate::auth::{Protected, Signed, Visitor};
use crate::forms::FormState;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::qr::QrCode;
use crate::sentence::Sentence;
use crate::views::factors::{BEGIN_FIELDS, CODE_FIELDS, FactorPage, FactorStep, OFF_FIELDS, RENEW_FIELDS};

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::FACTOR, get(show))
        .at("/me/factor/begin", post(begin))
        .at("/me/factor/confirm", post(confirm))
        .at("/me/factor/renew", post(renew))
        .at("/me/factor/off", post(turn_off))
}

/// What the fields of these forms hold; each form has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    current_password: String,
    code: String,
    renew_code: String,
}

/// The form that comes back, and what it says.
#[derive(Default)]
struct Again {
    begin: Option<FormState>,
    confirm: Option<FormState>,
    renew: Option<FormState>,
    off: Option<FormState>,
    status: Option<StatusCode>,
    retry_after: Option<Failure>,
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    draw(&visitor, &by, Again::default()).await
}

async fn draw(visitor: &Visitor, by: &Signed, again: Again) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let status = crm.factor_status(&by.actor).await?;
    let step = match status.since {
        Some(since) => FactorStep::On {
            since: times(visitor).full_day(since),
            left: status.recovery_codes_left,
            renew: again.renew.unwrap_or_else(|| FormState::of(&RENEW_FIELDS)),
            off: again.off.unwrap_or_else(|| FormState::of(&OFF_FIELDS)),
        },
        None => match crm.factor_begun(&by.actor, issuer(visitor)).await? {
            Some(entry) if again.begin.is_none() => FactorStep::Begun {
                qr: QrCode::of(&entry.address).unwrap_or_default(),
                secret: in_groups(&entry.secret),
                form: again.confirm.unwrap_or_else(|| FormState::of(&CODE_FIELDS)),
            },
            _ => FactorStep::Off {
                form: again.begin.unwrap_or_else(|| FormState::of(&BEGIN_FIELDS)),
                has_password: by.member.has_password,
            },
        },
    };
    let status = again.status.unwrap_or(StatusCode::OK);
    let mut response = visitor.page(status, Menu::Me, &FactorPage { step })?;
    if let Some(failure) = again.retry_after {
        failure.add_headers(&mut response);
    }
    Ok(response)
}

/// What the authenticator app shows above the code.
fn issuer(visitor: &Visitor) -> &str {
    visitor.app.settings.firm_name.as_deref().unwrap_or("CRM")
}

/// Groups of four are easier to type.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// A form that was refused for its fields, or because of too many tries; other errors are told by their own page.
fn refused(
    fields: &[&'static str],
    names: &[(&'static str, &'static str)],
    error: Error,
) -> Result<(FormState, StatusCode, Option<Failure>), Failure> {
    let mut form = FormState::of(fields);
    match &error {
        Error::Invalid(_) => form.refuse_as(&error, names),
        Error::TooManySignIns { .. } => form.refuse_all(Sentence::error(&error)),
        _ => return Err(error.into()),
    }
    let failure = Failure::from(error);
    let status = failure.status();
    let held = failure.retry_after().is_some().then_some(failure);
    Ok((form, status, held))
}

#[handler]
async fn begin(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let begun = crm.begin_factor(&by.actor, &typed.current_password, issuer(&visitor));
    match begun.await {
        Ok(_) => Ok(visitor.redirect(links::FACTOR, None)),
        Err(error) => {
            let (form, status, retry_after) = refused(&BEGIN_FIELDS, &[], error)?;
            let again = Again {
                begin: Some(form),
                status: Some(status),
                retry_after,
                ..Again::default()
            };
            draw(&visitor, &by, again).await
        }
    }
}

#[handler]
async fn confirm(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let session = by.session.as_deref().unwrap_or_default();
    let crm = &visitor.app.crm;
    match crm.confirm_factor(&by.actor, session, &typed.code).await {
        Ok(codes) => show_codes(&visitor, codes, true),
        Err(Error::NotFound(_)) => Ok(visitor.redirect(links::FACTOR, None)),
        Err(error) => {
            let (form, status, retry_after) = refused(&CODE_FIELDS, &[], error)?;
            let again = Again {
                confirm: Some(form),
                status: Some(status),
                retry_after,
                ..Again::default()
            };
            draw(&visitor, &by, again).await
        }
    }
}

/// The codes are shown once and stored nowhere, so it is no redirect that shows them.
fn show_codes(visitor: &Visitor, codes: Vec<String>, fresh: bool) -> Result<Response, Failure> {
    let page = FactorPage {
        step: FactorStep::Codes {
            all: codes.join("\n"),
            codes,
            fresh,
        },
    };
    visitor.page(StatusCode::OK, Menu::Me, &page)
}

#[handler]
async fn renew(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    match crm.renew_recovery_codes(&by.actor, &typed.renew_code).await {
        Ok(codes) => show_codes(&visitor, codes, false),
        Err(Error::NotFound(_)) => Ok(visitor.redirect(links::FACTOR, None)),
        Err(error) => {
            let (form, status, retry_after) = refused(&RENEW_FIELDS, &[("code", "renew_code")], error)?;
            let again = Again {
                renew: Some(form),
                status: Some(status),
                retry_after,
                ..Again::default()
            };
            draw(&visitor, &by, again).await
        }
    }
}

#[handler]
async fn turn_off(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let session = by.session.as_deref().unwrap_or_default();
    let crm = &visitor.app.crm;
    let off = crm.turn_off_factor(&by.actor, session, &typed.current_password, &typed.code);
    match off.await {
        Ok(()) => {
            let off = visitor.redirect(links::ME, Some(("factor_off", None)));
            visitor.renew_session(&by, off).await
        }
        Err(Error::NotFound(_)) => Ok(visitor.redirect(links::FACTOR, None)),
        Err(error) => {
            let (form, status, retry_after) = refused(&OFF_FIELDS, &[], error)?;
            let again = Again {
                off: Some(form),
                status: Some(status),
                retry_after,
                ..Again::default()
            };
            draw(&visitor, &by, again).await
        }
    }
}
