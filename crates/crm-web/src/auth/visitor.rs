//! What a page needs to know of the request: who reads it, in which language, and what stands around it.

use std::time::Duration;

use crm_domain::members::Device;
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{Events, SESSION_LIFE};
use poem::http::{Method, StatusCode, header};
use poem::{FromRequest, Request, RequestBody, Response};

use super::browser::Browser;
use super::cookies::{BROWSER, SESSION, cookie, expired_cookie, set_cookie};
use super::csrf::Holder;
use super::identity::{BY_ITSELF, Identity, Signed};
use super::origin::says_https;
use crate::i18n::Language;
use crate::page::{Banner, Frame, FrameUser, Menu, Notice, Page};
use crate::problem::Failure;
use crate::server::Caller;
use crate::state::{App, language_of};
use crate::views::board::CountsView;

/// How long a browser is remembered: the longest that browsers allow.
const BROWSER_LIFE: Duration = Duration::from_hours(400 * 24);
/// How long a notice waits for the page that tells it.
const NOTICE_LIFE: Duration = Duration::from_mins(1);

/// The reader of a page, signed in or not.
pub struct Visitor {
    /// The program.
    pub app: App,
    /// Who is signed in, if anybody.
    pub signed: Option<Signed>,
    /// In which language to answer.
    pub language: Language,
    /// Whether the browser spoke https, so that cookies are for https only.
    pub https: bool,
    /// Whence the reader comes, as a session keeps it.
    pub device: Device,
    pub(super) browser: Browser,
    new_browser: bool,
    notice: Option<String>,
    cursor: Option<String>,
    counts: Option<CountsView>,
}

impl<'a> FromRequest<'a> for Visitor {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Visitor::of(request).await?)
    }
}

impl Visitor {
    /// The reader who sent the request.
    pub async fn of(request: &Request) -> Result<Visitor, Failure> {
        let app = App::of(request)?;
        let signed = Identity::of(request).await?.signed().ok();
        let headers = request.headers();
        let known = Browser::of(headers);
        let caller = request.extensions().get::<Caller>();
        let caller_https = caller.is_some_and(|caller| caller.https);
        let agent = headers.get(header::USER_AGENT);
        let device = Device {
            address: caller.map(|caller| caller.address.to_string()),
            agent: agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned),
        };
        // Before any data of the page is read: what it holds is this new at least.
        let cursor = match &signed {
            Some(signed) => place(&app, &signed.actor).await,
            None => None,
        };
        let own_choice = signed.as_ref().and_then(|signed| signed.member.locale);
        Ok(Visitor {
            language: own_choice.map_or(app.language(), language_of),
            https: caller_https || says_https(headers),
            device,
            new_browser: known.is_none(),
            browser: known.unwrap_or_else(|| Browser::new(app.secrets.token())),
            notice: cookie(headers, Notice::COOKIE).map(str::to_owned),
            cursor,
            counts: counts(request, &app, signed.as_ref()).await,
            signed,
            app,
        })
    }

    /// The token for the forms of this reader's pages.
    pub fn csrf_token(&self) -> String {
        let session = self.signed.as_ref().and_then(|signed| signed.session.as_deref());
        let holder = session.map_or(Holder::Browser(&self.browser.id), Holder::Session);
        holder.token(&self.app.keys)
    }

    /// What stands around a page.
    pub fn frame(&self, menu: Menu) -> Frame {
        let user = self.signed.as_ref().map(|signed| {
            let role = signed.member.role;
            FrameUser {
                name: signed.member.name.clone(),
                role: role.code(),
                admin: role == crm_domain::members::Role::Admin,
            }
        });
        Frame {
            language: self.language,
            user,
            csrf_token: self.csrf_token(),
            menu,
            cursor: self.cursor.clone(),
            counts: self.counts.clone(),
            banner: self.banner(menu),
            notice: self.notice.as_deref().and_then(Notice::from_cookie),
            demo: self.app.demo.is_some(),
            firm_name: self.app.settings.firm_name.clone(),
        }
    }

    /// The lasting state that this reader must know of: what only administrators can mend, and nobody else feels, is for them.
    fn banner(&self, menu: Menu) -> Option<Banner> {
        if !self.app.crm.can_send() {
            return Some(Banner::LineWorksMissing);
        }
        let role = self.signed.as_ref().map(|signed| signed.member.role)?;
        if role != crm_domain::members::Role::Admin {
            return self.app.backups().now().banner_for_all();
        }
        let trouble = self.app.crm.door_trouble();
        [
            (trouble.store_away, Banner::StoreAway),
            (trouble.wrong_signatures, Banner::WrongSignatures),
            (trouble.other_address, Banner::OtherAddress),
        ]
        .into_iter()
        .find_map(|(there, banner)| there.then_some(banner))
        .or_else(|| {
            let watch = self.app.backups().now();
            if menu == Menu::Board {
                watch.board_banner()
            } else {
                watch.banner()
            }
        })
    }

    /// A page inside its frame. The notice is told, so its cookie ends.
    pub fn page<P: Page>(&self, status: StatusCode, menu: Menu, page: &P) -> Result<Response, Failure> {
        let html = self.app.templates.render(&self.frame(menu), page)?;
        let mut response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .body(html);
        if self.notice.is_some() {
            expired_cookie(&mut response, Notice::COOKIE, self.https);
        }
        if self.signed.is_none() && self.new_browser {
            self.keep_browser(&mut response, &self.browser);
        }
        Ok(response)
    }

    /// Sends the reader on to another page, with a notice for it: its code and the record that it is about.
    pub fn redirect(&self, to: &str, notice: Option<(&'static str, Option<i64>)>) -> Response {
        let mut response = Response::builder()
            .status(StatusCode::SEE_OTHER)
            .header(header::LOCATION, to)
            .finish();
        if let Some((code, id)) = notice {
            let value = Notice::cookie_value(code, id);
            set_cookie(&mut response, Notice::COOKIE, &value, NOTICE_LIFE, self.https);
        }
        response
    }

    /// Lets the session go on under a new secret, for its owner has proved once more who they are.
    pub async fn renew_session(&self, by: &Signed, mut response: Response) -> Result<Response, Failure> {
        if let Some(secret) = &by.session {
            let fresh = self.app.crm.renew_session(secret).await?;
            self.keep_session(&mut response, &fresh);
        }
        Ok(response)
    }

    pub(super) fn keep_session(&self, response: &mut Response, secret: &str) {
        let life = Duration::from_secs(SESSION_LIFE.whole_seconds().unsigned_abs());
        set_cookie(response, SESSION, secret, life, self.https);
    }

    pub(super) fn keep_browser(&self, response: &mut Response, browser: &Browser) {
        set_cookie(response, BROWSER, &browser.value(), BROWSER_LIFE, self.https);
    }
}

/// The place behind what happened so far; in the first moments after the start nobody has looked yet.
async fn place(app: &App, actor: &Actor) -> Option<String> {
    let place = match app.live.place() {
        Some(place) => place,
        None => match app.crm.list_events(actor, None).await.ok()? {
            Events::List { cursor, .. } | Events::Reload(cursor) => cursor,
        },
    };
    Some(place.to_string())
}

/// How many wait, for pages with a menu: neither forms nor what a page asks for by itself need it. A page is shown without
/// when it cannot be read.
async fn counts(request: &Request, app: &App, signed: Option<&Signed>) -> Option<CountsView> {
    let whole = request.method() == Method::GET && !request.headers().contains_key(BY_ITSELF);
    let reader = signed.filter(|signed| whole && signed.session.is_some())?;
    let counts = app.crm.board_counts(&reader.actor, CountsView::LIMIT).await;
    counts.ok().map(CountsView::of)
}
