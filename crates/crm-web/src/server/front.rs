//! What stands before every route: who calls, from where, how failures are told, and what each answer carries.

use std::sync::Arc;

use async_trait::async_trait;
use crm_domain::error::Error;
use crm_domain::ports::store::StoreError;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{PathPattern, Request, Response};

use super::begun::{Begun, Caller};
use super::body::BodyRefused;
use super::typed::Typed;
use super::{Answer, asking};
use crate::auth::{Identity, Known, Visitor, in_session, referring_page, safe_next};
use crate::demo::is_loopback_host;
use crate::page::Menu;
use crate::problem::{Failure, causes};
use crate::routes::Panicked;
use crate::state::App;
use crate::views::system::ErrorPage;
use crate::{health, links, webhook};

/// Everything that is served.
pub struct Front {
    app: App,
    routes: BoxEndpoint<'static, Response>,
}

impl Front {
    /// Puts the front before the routes.
    pub fn new(app: App, routes: BoxEndpoint<'static, Response>) -> Arc<Self> {
        Arc::new(Self { app, routes })
    }
}

#[async_trait]
impl Answer for Front {
    async fn answer(&self, request: Request) -> Response {
        let begun = Begun::of(&request, &self.app);
        let (caller, callback) = (begun.caller, begun.callback);
        // In a box: what a page needs on its way would otherwise be moved about with every request.
        let response = begun.answered(Box::pin(async {
            // The callback's door comes first: it is the busiest, and needs nothing of what follows.
            if callback {
                webhook::answer(&self.app, request, caller).await
            } else {
                self.pages(request, caller).await
            }
        }));
        let response = response.await;
        begun.end(&self.app, response)
    }
}

impl Front {
    async fn pages(&self, mut request: Request, caller: Option<Caller>) -> Response {
        request.extensions_mut().insert(self.app.clone());
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let changes = changes(&request);
        let answered = self.page(request).await;
        if answered.status() == StatusCode::FORBIDDEN {
            self.write_refusals().await;
        }
        if changes {
            self.app.signals.changed();
        }
        answered
    }

    async fn page(&self, mut request: Request) -> Response {
        let known = Known::default();
        request.extensions_mut().insert(Known::clone(&known));
        let asked = Asked::of(&mut request).await;
        let outcome = match self.refusal(&request) {
            Some(failure) => Err(poem::Error::from(failure)),
            None => self.routes.call(request).await,
        };
        match outcome {
            Ok(response) if response.extensions().get::<Panicked>().is_some() => {
                self.tell(Failure::Broken("a handler panicked").into(), asked, known)
                    .await
            }
            Ok(response) => response,
            Err(error) => {
                let route = error.data::<PathPattern>().cloned();
                let mut told = self.tell(error, asked, known).await;
                if let Some(route) = route {
                    told.set_data(route);
                }
                told
            }
        }
    }

    /// What was refused stands in the audit log by the time the answer goes out, if it can be written now.
    async fn write_refusals(&self) {
        if let Err(error) = self.app.crm.write_refusals().await {
            tracing::warn!("a refusal cannot be written now: {}", causes(&error));
        }
    }

    /// What speaks against looking at the request at all. That something was asked for on a stranger's page is found out
    /// here, whatever the handler looks at; the token of the page is checked where the data is read.
    fn refusal(&self, request: &Request) -> Option<Failure> {
        if let Some(refused) = request.extensions().get::<BodyRefused>() {
            return Some(Failure::Body(*refused));
        }
        let headers = request.headers();
        let in_person = in_session(headers) && !headers.contains_key(header::AUTHORIZATION);
        if changes(request) && in_person && !self.app.settings.origins.allow(headers) {
            return Some(Failure::Forged);
        }
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        (self.app.demo.is_some() && !is_loopback_host(host)).then_some(Failure::WrongHost)
    }

    async fn tell(&self, error: poem::Error, asked: Asked, known: Known) -> Response {
        if error.is_from_response() && error.downcast_ref::<Failure>().is_none() {
            return error.into_response();
        }
        let failure = error
            .downcast::<Failure>()
            .unwrap_or_else(|error| Failure::of(&error));
        log_trouble(&failure);
        if asked.api {
            return failure.as_problem();
        }
        let away = matches!(
            failure,
            Failure::Refused(Error::Store(StoreError::Unavailable(_)))
        );
        if away && !known.initialized() {
            // Who asks cannot be looked up either: they get the page that nobody in particular gets.
            let _ = known.set(Identity::Nobody);
        }
        let request = asked.again(&self.app, known);
        let visitor = Visitor::of(&request).await;
        let language = visitor
            .as_ref()
            .map_or(self.app.language(), |visitor| visitor.language);
        if asked.json {
            return failure.as_json(language);
        }
        if matches!(failure, Failure::NotSignedIn) {
            let next = links::with_query(links::LOGIN, &[("next", asked.next())]);
            return Response::builder()
                .status(StatusCode::SEE_OTHER)
                .header(header::LOCATION, next)
                .finish();
        }
        let mut page = ErrorPage::of(failure.status().as_u16());
        page.request_id = asking::request_id();
        page.detail = matches!(
            failure,
            Failure::Forged
                | Failure::WrongHost
                | Failure::WrongMethod
                | Failure::BadToken
                | Failure::Refused(Error::Held | Error::LastAdministrator(_))
        )
        .then(|| failure.sentence());
        if let Some(typed) = asked.typed.filter(|_| away) {
            page.detail = Some(failure.sentence());
            page.again = typed.to_send_again(&asked.target).await;
        }
        let drawn = visitor.and_then(|visitor| visitor.page(failure.status(), Menu::None, &page));
        let mut response = drawn.unwrap_or_else(|_| failure.as_json(language));
        failure.add_headers(&mut response);
        response
    }
}

/// Whether a request may change something.
fn changes(request: &Request) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Logs what is our own fault; the line carries the number that the page shows.
fn log_trouble(failure: &Failure) {
    if failure.status().is_server_error() {
        tracing::error!("request failed: {}", causes(failure));
    }
}

/// What of a request decides how a failure is told.
struct Asked {
    method: Method,
    target: String,
    caller: Option<Caller>,
    headers: HeaderMap,
    api: bool,
    json: bool,
    typed: Option<Typed>,
}

impl Asked {
    async fn of(request: &mut Request) -> Asked {
        let typed = Typed::of(request).await;
        let headers = request.headers();
        let holds = |name: header::HeaderName| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| value.contains("json"))
        };
        let path = request.uri().path();
        let by_program = ["x-csrf-token", "authorization"]
            .iter()
            .any(|name| headers.contains_key(*name));
        Asked {
            method: request.method().clone(),
            target: request
                .uri()
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            caller: request.extensions().get::<Caller>().copied(),
            api: path == "/api" || path.starts_with("/api/"),
            json: by_program
                || holds(header::ACCEPT)
                || holds(header::CONTENT_TYPE)
                || [links::BOARD_COUNTS, links::LINE_WORKS_MEMBERS_JSON].contains(&path)
                || path.starts_with("/check-customer/"),
            headers: headers.clone(),
            typed,
        }
    }

    /// The request once more, for whoever draws the page about it.
    fn again(&self, app: &App, known: Known) -> Request {
        let mut request = Request::default();
        *request.headers_mut() = self.headers.clone();
        request.extensions_mut().insert(app.clone());
        request.extensions_mut().insert(known);
        if let Some(caller) = self.caller {
            request.extensions_mut().insert(caller);
        }
        request
    }

    /// Where to go after signing in: here, or back to the page whose form was sent. A form's own address shows that page
    /// too, except where a button has an address of its own.
    fn next(&self) -> &str {
        if self.method == Method::GET || self.method == Method::HEAD {
            return safe_next(&self.target);
        }
        let buttons = ["/activity/", "/conversation/", "/logout", "/admin/", "/me/"];
        let form = if buttons.iter().any(|button| self.target.starts_with(button)) {
            links::HOME
        } else {
            &self.target
        };
        safe_next(referring_page(&self.headers).unwrap_or(form))
    }
}

/// The second listener: only callbacks and whether the process lives, so that a tunnel exposes no page.
pub struct CallbackDoor(pub App);

#[async_trait]
impl Answer for CallbackDoor {
    async fn answer(&self, request: Request) -> Response {
        let begun = Begun::of(&request, &self.0);
        let caller = begun.caller;
        let response = begun.answered(async {
            match request.uri().path() {
                webhook::PATH => webhook::answer(&self.0, request, caller).await,
                health::LIVES => health::lives(),
                _ => Failure::NoSuchPage.as_problem(),
            }
        });
        let response = response.await;
        begun.end(&self.0, response)
    }
}
