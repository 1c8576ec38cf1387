//! Everybody who may ask.

use crm_domain::members::{Device, Grants, LinkPurpose, MemberId, Role, Scopes, TokenId};
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{SignInStep, TokenForm};

use super::records::Filled;
use super::table::{Data, Needs, Row};
use crate::harness::{Answer, Ask, Browser, TestServer};

/// How an answer judges the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    Yes,
    /// Not signed in.
    Unknown,
    No,
    NotThere,
    /// No answer that a route may give.
    Broken,
}

impl Allowed {
    pub(super) fn of(answer: &Answer) -> Self {
        let to_login = answer
            .header("location")
            .is_some_and(|place| place.starts_with("/login?next="));
        match answer.status {
            401 => Self::Unknown,
            303 if to_login => Self::Unknown,
            403 => Self::No,
            404 => Self::NotThere,
            200..=202 | 204 | 303 | 409 | 422 => Self::Yes,
            _ => Self::Broken,
        }
    }
}

/// By what a reader is known.
#[derive(Debug, Clone)]
enum Proof {
    None,
    Session(Browser),
    Token(String),
}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub name: &'static str,
    /// What the domain knows; nobody is `None`.
    pub actor: Option<Actor>,
    proof: Proof,
    member: MemberId,
}

const READ: Scopes = Scopes {
    read: true,
    write: false,
    send: false,
};
const WRITE: Scopes = Scopes { write: true, ..READ };
const SEND: Scopes = Scopes { send: true, ..READ };
const NOTHING_MORE: Grants = Grants {
    import: false,
    export: false,
};
const BOTH: Grants = Grants {
    import: true,
    export: true,
};

impl Reader {
    /// Everybody.
    pub(super) async fn all(server: &TestServer) -> Vec<Self> {
        let nobody = Self {
            name: "nobody",
            actor: None,
            proof: Proof::None,
            member: MemberId::new(0),
        };
        vec![
            nobody,
            Self::person(server, "viewer", Role::Viewer, NOTHING_MORE).await,
            Self::person(server, "viewer who may export", Role::Viewer, BOTH).await,
            Self::person(server, "member", Role::Member, NOTHING_MORE).await,
            Self::person(server, "member who may import and export", Role::Member, BOTH).await,
            Self::person(server, "admin", Role::Admin, NOTHING_MORE).await,
            Self::program(server, "admin's token to read", Role::Admin, READ).await,
            Self::program(server, "admin's token to write", Role::Admin, WRITE).await,
            Self::program(server, "member's token to send", Role::Member, SEND).await,
            Self::program(server, "viewer's token for all", Role::Viewer, Scopes::ALL).await,
        ]
    }

    /// Somebody who is signed in.
    pub(super) async fn person(server: &TestServer, name: &'static str, role: Role, grants: Grants) -> Self {
        let member = server.add_member(&address(name), role).await;
        let operator = TestServer::operator();
        server.crm.change_grants(&operator, member, grants).await.unwrap();
        let actor = Actor::Member {
            id: member,
            name: name.to_owned(),
            role,
            grants,
        };
        let browser = session(server, member).await;
        Self {
            name,
            actor: Some(actor),
            proof: Proof::Session(browser),
            member,
        }
    }

    async fn program(server: &TestServer, name: &'static str, role: Role, scopes: Scopes) -> Self {
        let member = server.add_member(&address(name), role).await;
        let form = TokenForm {
            member,
            name: name.to_owned(),
            scopes,
            expires_at: None,
        };
        let token = server.crm.create_token(&TestServer::operator(), form).await;
        let actor = Actor::Token {
            token: TokenId::new(1),
            id: member,
            name: name.to_owned(),
            role,
            grants: Grants::default(),
            scopes,
        };
        Self {
            name,
            actor: Some(actor),
            proof: Proof::Token(token.unwrap()),
            member,
        }
    }

    /// The member behind it.
    pub(super) fn member(&self) -> MemberId {
        self.member
    }

    pub(super) fn is_program(&self) -> bool {
        matches!(self.proof, Proof::Token(_))
    }

    /// The same person, signed in anew.
    pub(super) async fn again(&self, server: &TestServer) -> Self {
        let proof = match &self.proof {
            Proof::Session(_) => Proof::Session(session(server, self.member).await),
            other => other.clone(),
        };
        Self {
            proof,
            ..self.clone()
        }
    }

    /// Whether one who is not signed in is told so in the form that suits the route.
    pub(super) fn told_in_form(&self, row: &Row, answer: &Answer) -> bool {
        let json = row.json || matches!(row.data, Data::Json(_)) || self.is_program();
        (answer.status == 401) == json
    }

    /// Asks properly.
    pub(super) async fn send(&mut self, server: &TestServer, row: &Row, filled: &Filled) -> Answer {
        let origin = format!("http://{}", server.address);
        match &mut self.proof {
            Proof::Token(token) => {
                let ask = ask(row, filled).header("authorization", format!("Bearer {token}"));
                ask.send(server.address).await
            }
            Proof::Session(browser) => {
                let mut ask = ask(row, filled);
                if row.changes() {
                    ask = ask
                        .header("origin", origin)
                        .header("x-csrf-token", &browser.token);
                }
                browser.clone().send(ask).await
            }
            Proof::None if row.changes() && row.needs == Needs::Browser => {
                let mut browser = server.browser();
                browser.get("/login").await;
                let token = browser.token.clone();
                let ask = ask(row, filled)
                    .header("origin", origin)
                    .header("x-csrf-token", token);
                browser.send(ask).await
            }
            Proof::None => ask(row, filled).send(server.address).await,
        }
    }

    fn browser(&self) -> Browser {
        match &self.proof {
            Proof::Session(browser) => browser.clone(),
            _ => panic!("{} has no session", self.name),
        }
    }

    /// Asks without the token of a page.
    pub(super) async fn without_token(&self, server: &TestServer, row: &Row, filled: &Filled) -> Answer {
        let own = format!("http://{}", server.address);
        self.browser().send(ask(row, filled).header("origin", own)).await
    }

    /// Asks with a good token on a page of somebody else.
    pub(super) async fn elsewhere(&self, _: &TestServer, row: &Row, filled: &Filled) -> Answer {
        let mut browser = self.browser();
        let ask = ask(row, filled).header("x-csrf-token", &browser.token);
        browser.send(ask.header("origin", "https://evil.example")).await
    }

    /// Asks with a good token, but the browser says that the page is of another site.
    pub(super) async fn cross_site(&self, _: &TestServer, row: &Row, filled: &Filled) -> Answer {
        let mut browser = self.browser();
        let ask = ask(row, filled).header("x-csrf-token", &browser.token);
        browser.send(ask.header("sec-fetch-site", "cross-site")).await
    }
}

fn ask(row: &Row, filled: &Filled) -> Ask {
    let ask = Ask::new(row.method, &filled.path);
    match row.data {
        _ if !row.changes() => ask,
        Data::Json(_) => ask
            .header("content-type", "application/json")
            .bytes(filled.body.clone()),
        Data::Form(_) => ask
            .header("content-type", "application/x-www-form-urlencoded")
            .bytes(filled.body.clone()),
    }
}

/// A member's e-mail address.
fn address(name: &str) -> String {
    format!("{}@example.jp", name.replace([' ', '\''], "-"))
}

/// A browser in which this member is signed in, with the token of its pages.
pub(super) async fn session(server: &TestServer, member: MemberId) -> Browser {
    let operator = TestServer::operator();
    let link = server.crm.make_link(&operator, member, LinkPurpose::SignIn).await;
    let step = server.crm.use_link(&link.unwrap(), None, Device::default()).await;
    let SignInStep::Done { secret, .. } = step.unwrap() else {
        panic!("no second factor was set up");
    };
    let mut browser = server.browser();
    browser.cookies.push(("crm_session".to_owned(), secret));
    browser.get("/nowhere").await;
    assert!(!browser.token.is_empty());
    browser
}
