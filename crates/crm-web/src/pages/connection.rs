//! LINE WORKS連携: set up, looked at and tried out.

use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::error::Error;
use crm_domain::ports::connector::PastedEnv;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::sends::SendState;
use crm_domain::use_cases::{ConnectionForm, Recipient};
use crm_domain::values::{LineUserId, MessageText, Problem};
use poem::http::{StatusCode, header};
use poem::{Response, Route, get, handler, post};
use serde::Deserialize;

use super::times;
use crate::auth::{Nothing, Protected, Signed, Visitor};
use crate::i18n::catalogue;
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::sentence::Sentence;
use crate::views::connection::{ConnectionPage, Report, ResultNote};
use crate::workers;

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::LINE_WORKS, get(show).post(save))
        .at(links::LINE_WORKS_ENV, post(paste))
        .at(links::LINE_WORKS_CHECK, post(check))
        .at(links::LINE_WORKS_TOKEN, post(renew))
        .at(links::LINE_WORKS_BOT, post(set_bot))
        .at(links::LINE_WORKS_TEST, post(test))
}

async fn page_of(visitor: &Visitor, by: &Signed) -> Result<ConnectionPage, Failure> {
    let view = visitor.app.crm.show_connection(&by.actor).await?;
    Ok(ConnectionPage::of(&view, &times(visitor)))
}

fn draw(visitor: &Visitor, status: StatusCode, page: &ConnectionPage) -> Result<Response, Failure> {
    visitor.page(status, Menu::AdminLineWorks, page)
}

#[handler]
async fn show(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    let page = page_of(&visitor, &by).await?;
    draw(&visitor, StatusCode::OK, &page)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    version: i64,
    bot_id: String,
    bot_secret: String,
    client_id: String,
    client_secret: String,
    service_account: String,
    private_key: String,
    /// The content of a chosen file.
    key_file: String,
    domain_id: String,
    scope: String,
    password: String,
}

impl Typed {
    fn text(&self, field: ConnectionField) -> &str {
        match field {
            ConnectionField::BotId => &self.bot_id,
            ConnectionField::BotSecret => &self.bot_secret,
            ConnectionField::ClientId => &self.client_id,
            ConnectionField::ClientSecret => &self.client_secret,
            ConnectionField::ServiceAccount => &self.service_account,
            ConnectionField::PrivateKey if self.key_file.trim().is_empty() => &self.private_key,
            ConnectionField::PrivateKey => &self.key_file,
            ConnectionField::DomainId => &self.domain_id,
            ConnectionField::Scope => &self.scope,
        }
    }

    fn form(&self) -> ConnectionForm {
        let mut values = ConnectionValues::default();
        for field in ConnectionField::ALL {
            values.set(field, self.text(field));
        }
        ConnectionForm {
            version: self.version,
            values,
        }
    }
}

#[handler]
async fn save(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<Typed>,
) -> Result<Response, Failure> {
    let saved = visitor
        .app
        .crm
        .save_connection(&by.actor, typed.form(), &typed.password);
    match saved.await {
        Ok(()) => {
            connected(&visitor);
            Ok(visitor.redirect(links::LINE_WORKS, Some(("connection_saved", None))))
        }
        Err(error @ (Error::Invalid(_) | Error::Stale | Error::TooManySignIns { .. })) => {
            let mut page = page_of(&visitor, &by).await?;
            page.keep_typed(|field| typed.text(field).to_owned());
            page.form.refuse_with(&error);
            refused(&visitor, &error, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// The page with what is wrong; after too many wrong passwords with how long to wait.
fn refused(visitor: &Visitor, error: &Error, page: &ConnectionPage) -> Result<Response, Failure> {
    let Error::TooManySignIns { retry_after } = error else {
        return draw(visitor, StatusCode::UNPROCESSABLE_ENTITY, page);
    };
    let mut response = draw(visitor, StatusCode::TOO_MANY_REQUESTS, page)?;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, (*retry_after).into());
    Ok(response)
}

/// What waited for a connection goes on.
fn connected(visitor: &Visitor) {
    visitor.app.signals.message_queued();
    visitor.app.signals.files_waiting();
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypedEnv {
    version: i64,
    env: String,
    env_password: String,
}

#[handler]
async fn paste(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<TypedEnv>,
) -> Result<Response, Failure> {
    let crm = &visitor.app.crm;
    let pasted = crm.read_pasted_env(&by.actor, &typed.env)?;
    let mut page = page_of(&visitor, &by).await?;
    page.unused = unused(&pasted);
    let mut values = ConnectionValues::default();
    for field in ConnectionField::ALL {
        let shown = page.form.fields.get(field.code());
        let kept = shown.map(|state| state.value.as_str()).unwrap_or_default();
        values.set(field, pasted.values.get(field).unwrap_or(kept));
    }
    if pasted.values.iter().next().is_none() {
        page.paste.refuse("env", Sentence::of("connection.env_empty"));
        return draw(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let form = ConnectionForm {
        version: typed.version,
        values: values.clone(),
    };
    match crm.save_connection(&by.actor, form, &typed.env_password).await {
        Ok(()) => pasted_well(&visitor, &by, page).await,
        Err(error @ (Error::Invalid(_) | Error::Stale | Error::TooManySignIns { .. })) => {
            page.keep_typed(|field| values.get(field).unwrap_or_default().to_owned());
            page.type_again = true;
            refuse(&mut page, &error);
            refused(&visitor, &error, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// Leads on when there is nothing more to say about what was pasted.
async fn pasted_well(visitor: &Visitor, by: &Signed, told: ConnectionPage) -> Result<Response, Failure> {
    connected(visitor);
    if told.unused.is_empty() {
        return Ok(visitor.redirect(links::LINE_WORKS, Some(("connection_saved", None))));
    }
    let page = ConnectionPage {
        unused: told.unused,
        result: Some(ResultNote::good("notice.connection_saved")),
        ..page_of(visitor, by).await?
    };
    draw(visitor, StatusCode::OK, &page)
}

/// The password stands in the other form; the values stand in the fields of the first.
fn refuse(page: &mut ConnectionPage, error: &Error) {
    page.form.refuse_with(error);
    let of_password = page
        .form
        .fields
        .get_mut("password")
        .and_then(|field| field.error.take());
    if let Some(why) = of_password {
        page.paste.refuse("env_password", why);
    }
}

fn unused(pasted: &PastedEnv) -> Vec<Sentence> {
    let about = |key: &'static str| move |name: &String| Sentence::of(key).about(name);
    let unknown = pasted.unknown.iter().map(about("connection.unused_name"));
    let elsewhere = pasted.elsewhere.iter().map(about("connection.unused_elsewhere"));
    let file = pasted.key_file.iter().map(about("connection.unused_key_file"));
    let lines = pasted.bad_lines.iter().map(|line| Sentence {
        number: u64::try_from(*line).ok(),
        ..Sentence::of("connection.unused_line")
    });
    unknown.chain(elsewhere).chain(file).chain(lines).collect()
}

#[handler]
async fn check(visitor: Visitor, Protected { by, .. }: Protected<Nothing>) -> Result<Response, Failure> {
    let report = visitor.app.crm.check_connection(&by.actor).await?;
    let page = ConnectionPage {
        report: Some(Report::of(&report)),
        ..page_of(&visitor, &by).await?
    };
    draw(&visitor, StatusCode::OK, &page)
}

#[handler]
async fn renew(visitor: Visitor, Protected { by, .. }: Protected<Nothing>) -> Result<Response, Failure> {
    match visitor.app.crm.renew_access_token(&by.actor).await? {
        Ok(_) => Ok(visitor.redirect(links::LINE_WORKS, Some(("token_renewed", None)))),
        Err(trouble) => {
            let page = ConnectionPage {
                result: Some(ResultNote::trouble(&trouble)),
                ..page_of(&visitor, &by).await?
            };
            draw(&visitor, StatusCode::OK, &page)
        }
    }
}

#[handler]
async fn set_bot(visitor: Visitor, Protected { by, .. }: Protected<Nothing>) -> Result<Response, Failure> {
    match visitor.app.crm.set_bot_up(&by.actor).await? {
        Ok(_) => Ok(visitor.redirect(links::LINE_WORKS, Some(("bot_set_up", None)))),
        Err(trouble) => {
            let mut result = ResultNote::trouble(&trouble);
            let refused = [
                SendProblem::Forbidden,
                SendProblem::BadRequest,
                SendProblem::Rejected,
                SendProblem::NotFound,
            ];
            if refused.contains(&trouble.problem) {
                result.sentence = Sentence::of("connection.bot_refused");
            }
            let page = ConnectionPage {
                result: Some(result),
                ..page_of(&visitor, &by).await?
            };
            draw(&visitor, StatusCode::OK, &page)
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypedTest {
    user_id: String,
}

#[handler]
async fn test(
    visitor: Visitor,
    Protected { by, data: typed }: Protected<TypedTest>,
) -> Result<Response, Failure> {
    let (result, refused) = match send_test(&visitor, &by, &typed.user_id).await {
        Ok(result) => (Some(result), None),
        Err(error @ (Error::Invalid(_) | Error::Messenger(_))) => (None, Some(Sentence::error(&error))),
        Err(error) => return Err(error.into()),
    };
    let mut page = page_of(&visitor, &by).await?;
    page.test = page.test.with("user_id", &typed.user_id);
    page.result = result;
    let status = match refused {
        None => StatusCode::OK,
        Some(why) => {
            page.test.refuse("user_id", why);
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    draw(&visitor, status, &page)
}

/// Sends by the way that every message takes, and waits for what becomes of it.
async fn send_test(visitor: &Visitor, by: &Signed, user: &str) -> Result<ResultNote, Error> {
    visitor
        .app
        .crm
        .may(&by.actor, crm_domain::permissions::Action::ManageConnection)?;
    let user = LineUserId::new(user).map_err(|problem| Error::field("user_id", problem))?;
    let user = user.ok_or(Error::field("user_id", Problem::Required))?;
    let words = catalogue(visitor.language).text("connection.test_message", &[]);
    let text = MessageText::new(&words).map_err(|problem| Error::field("message", problem))?;
    let to = Recipient::User(user);
    let outcome = workers::send(&visitor.app, &by.actor, to, text, None).await?;
    let sentence = match (outcome.state, outcome.problem) {
        (SendState::Sent, _) => return Ok(ResultNote::good("connection.test_sent")),
        (SendState::Queued | SendState::Sending, None) => Sentence::of("connection.test_waits"),
        (SendState::Queued, Some(problem)) => Sentence::send_waits(problem),
        (_, Some(problem)) => Sentence::send_problem(problem),
        (_, None) => Sentence::of("connection.test_unknown"),
    };
    Ok(ResultNote {
        good: false,
        sentence,
        words: String::new(),
    })
}
