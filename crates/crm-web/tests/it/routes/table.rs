//! The routes: what each needs of whoever asks. How to add one stands in `mod.rs`.

use crm_domain::permissions::Action;
use crm_domain::permissions::Action::{
    DeleteMessages, DeleteRecords, Diagnose, EditRecords, EraseRecords, ExportRecords, HandleConversations,
    ManageBackups, ManageConnection, ManageMembers, ManagePrivacy, ManageTeams, ManageTokens, SendMessages,
    ViewAudit, ViewRecords,
};

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Public,
    /// A page of ours in a browser, whoever is signed in there; programs have no use for it.
    Browser,
    /// Somebody who is signed in, in person or by a token.
    SignedIn,
    /// Somebody who is signed in in person.
    Person,
    /// Somebody who may do this.
    Act(Action),
    /// Somebody who may do this, in person.
    InPerson(Action),
    /// Somebody whose record it is, or who may do this; to others it is not there.
    Theirs(Action),
    /// There is no such page outside of the demonstration.
    Absent,
}

/// Whose id stands in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Nothing,
    Customer,
    Company,
    TrashedCustomer,
    TrashedCompany,
    Hold,
    Conversation,
    Activity,
    File,
    Send,
    Sender,
    Member,
    User,
    Link,
    Session,
    Token,
    Team,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data {
    Form(&'static [(&'static str, &'static str)]),
    Json(&'static str),
}

/// One route and method.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about few rows"
)]
pub(super) struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub needs: Needs,
    pub about: About,
    pub data: Data,
    pub json: bool,
    pub ends_session: bool,
    /// It answers the same whether the record is there or not.
    pub whatever: bool,
    /// The record is there, but may lack what the route is about: then it answers 404 too.
    pub may_lack: bool,
}

impl Row {
    const fn new(method: &'static str, path: &'static str, needs: Needs) -> Self {
        Self {
            method,
            path,
            needs,
            about: About::Nothing,
            data: Data::Form(&[]),
            json: false,
            ends_session: false,
            whatever: false,
            may_lack: false,
        }
    }

    const fn get(path: &'static str, needs: Needs) -> Self {
        Self::new("GET", path, needs)
    }

    const fn post(path: &'static str, needs: Needs) -> Self {
        Self::new("POST", path, needs)
    }

    const fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    const fn form(self, fields: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            data: Data::Form(fields),
            ..self
        }
    }

    const fn json(self, text: &'static str) -> Self {
        Self {
            data: Data::Json(text),
            ..self
        }
    }

    const fn as_json(self) -> Self {
        Self { json: true, ..self }
    }

    const fn ends_session(self) -> Self {
        Self {
            ends_session: true,
            ..self
        }
    }

    const fn whatever_is_there(self) -> Self {
        Self {
            whatever: true,
            ..self
        }
    }

    const fn may_lack_it(self) -> Self {
        Self {
            may_lack: true,
            ..self
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(super) fn changes(&self) -> bool {
        self.method != "GET"
    }
}

const VIEW: Needs = Needs::Act(ViewRecords);
const EDIT: Needs = Needs::Act(EditRecords);
const DELETE: Needs = Needs::Act(DeleteRecords);
const SEND: Needs = Needs::Act(SendMessages);
const HANDLE: Needs = Needs::Act(HandleConversations);
const MEMBERS: Needs = Needs::Act(ManageMembers);
const TEAMS: Needs = Needs::Act(ManageTeams);
const EXPORT: Needs = Needs::Act(ExportRecords);
const AUDIT: Needs = Needs::InPerson(ViewAudit);
const CONNECTION: Needs = Needs::Act(ManageConnection);

const PRIVACY: Needs = Needs::Act(ManagePrivacy);
const BACKUPS: Needs = Needs::Act(ManageBackups);
const ERASE: Needs = Needs::Act(EraseRecords);

const WHY: &[(&str, &str)] = &[("reason", "監査のため")];
const READINGS: &[(&str, &str)] = &[("reading_log", "1"), ("reading_days", "30")];
const TEAM: &[(&str, &str)] = &[("team_name", "営業{user}"), ("sees", "own")];
const NAME: &[(&str, &str)] = &[("last_name", "山田"), ("first_name", "太郎")];
const MESSAGE: &[(&str, &str)] = &[("message", "こんにちは"), ("anyway", "1")];
const PASSWORD: &[(&str, &str)] = &[("current_password", "wrong"), ("code", "000000")];
const PLACE: &[(&str, &str)] = &[("customer", "{customer}")];

pub(super) const TABLE: &[Row] = &[
    // What a browser needs before anything else.
    Row::get("/assets/:version/*path", Needs::Public),
    Row::get("/favicon.ico", Needs::Public),
    Row::get("/healthz", Needs::Public),
    Row::get("/readyz", Needs::Public),
    Row::get("/metrics", Needs::Public),
    // Signing in and out.
    Row::get("/login", Needs::Public),
    Row::post("/login", Needs::Browser),
    Row::post("/logout", Needs::SignedIn).ends_session(),
    Row::get("/link/:secret", Needs::Public).about(About::Link),
    Row::post("/link/:secret", Needs::Browser)
        .about(About::Link)
        .ends_session(),
    Row::get("/login/code", Needs::Public),
    Row::post("/login/code", Needs::Browser),
    // Somebody is there already, so nobody can make the first administrator.
    Row::get("/setup/:secret", Needs::Absent),
    Row::post("/setup/:secret", Needs::Absent),
    // The board and what lives.
    Row::get("/", VIEW),
    Row::get("/board/fragment", VIEW),
    Row::get("/board/counts", VIEW).as_json(),
    Row::get("/next", VIEW),
    Row::get("/events", VIEW),
    // Companies.
    Row::get("/companies", VIEW),
    Row::get("/company/new", EDIT),
    Row::post("/company/new", EDIT).form(&[("name", "山田商事")]),
    Row::get("/company/:id", VIEW).about(About::Company),
    Row::get("/company/:id/edit", EDIT).about(About::Company),
    Row::post("/company/:id/edit", EDIT)
        .about(About::Company)
        .form(&[("name", "山田商事")]),
    Row::get("/company/:id/delete", DELETE).about(About::Company),
    Row::post("/company/:id/delete", DELETE).about(About::Company),
    // Customers.
    Row::get("/customers", VIEW),
    Row::get("/customers/export", EXPORT),
    Row::post("/customers/export", EXPORT).form(WHY),
    Row::get("/search", VIEW),
    Row::get("/companies/export", EXPORT),
    Row::post("/companies/export", EXPORT).form(WHY),
    Row::get("/admin/audit", AUDIT),
    Row::post("/admin/audit/csv", AUDIT).form(WHY),
    Row::post("/admin/audit/readings", Needs::Act(ManagePrivacy)).form(READINGS),
    Row::get("/customer/new", EDIT),
    Row::post("/customer/new", EDIT).form(NAME),
    Row::get("/customer/:id", VIEW).about(About::Customer),
    Row::get("/customer/:id/edit", EDIT).about(About::Customer),
    Row::post("/customer/:id/edit", EDIT)
        .about(About::Customer)
        .form(NAME),
    Row::get("/customer/:id/delete", DELETE).about(About::Customer),
    Row::post("/customer/:id/delete", DELETE).about(About::Customer),
    Row::post("/customer/:id/owner", EDIT)
        .about(About::Customer)
        .form(&[("owner_id", "")]),
    Row::post("/customer/:id/team", EDIT).about(About::Customer),
    Row::get("/members/line-works", EDIT),
    Row::get("/members/line-works.json", EDIT).as_json(),
    Row::post("/customer/:id/export", PRIVACY).about(About::Customer),
    // The trash.
    Row::get("/trash", VIEW),
    Row::post("/trash/customer/:id/restore", DELETE)
        .about(About::TrashedCustomer)
        .form(&[("anyway", "1")]),
    Row::post("/trash/company/:id/restore", DELETE).about(About::TrashedCompany),
    Row::get("/trash/customer/:id/erase", ERASE).about(About::TrashedCustomer),
    Row::post("/trash/customer/:id/erase", ERASE).about(About::TrashedCustomer),
    Row::get("/trash/company/:id/erase", ERASE).about(About::TrashedCompany),
    Row::post("/trash/company/:id/erase", ERASE).about(About::TrashedCompany),
    // Conversations.
    Row::get("/customer/:id/messages", VIEW).about(About::Customer),
    Row::get("/customer/:id/send", Needs::SignedIn)
        .about(About::Customer)
        .whatever_is_there(),
    Row::post("/customer/:id/send", SEND)
        .about(About::Customer)
        .form(MESSAGE),
    Row::post("/customer/:id/note", EDIT)
        .about(About::Customer)
        .form(MESSAGE),
    Row::post("/customer/:id/draft", SEND)
        .about(About::Customer)
        .form(MESSAGE),
    Row::post("/send-message", SEND).json(r#"{"userId":"{user}","message":"こんにちは"}"#),
    Row::get("/send-message/:id", SEND).about(About::Customer),
    Row::post("/send-message/:id", SEND)
        .about(About::Customer)
        .form(MESSAGE),
    Row::post("/conversation/:id/take", HANDLE).about(About::Conversation),
    Row::post("/conversation/:id/release", HANDLE).about(About::Conversation),
    Row::get("/conversation/:id/hand-over", HANDLE).about(About::Conversation),
    Row::post("/conversation/:id/hand-over", HANDLE)
        .about(About::Conversation)
        .form(&[("to", "1")]),
    Row::post("/conversation/:id/close", HANDLE).about(About::Conversation),
    Row::post("/conversation/:id/undo-close", HANDLE).about(About::Conversation),
    Row::post("/conversation/:id/read", VIEW).about(About::Conversation),
    Row::post("/activity/:id/delete", Needs::Act(DeleteMessages)).about(About::Activity),
    Row::post("/activity/:id/restore", Needs::Act(DeleteMessages)).about(About::Activity),
    Row::post("/send/:id/cancel", SEND).about(About::Send).form(PLACE),
    Row::post("/send/:id/treat-as-sent", SEND)
        .about(About::Send)
        .form(PLACE),
    Row::get("/file/:id", VIEW).about(About::File),
    Row::post("/file/:id/fetch", EDIT).about(About::File).form(PLACE),
    Row::get("/check-customer/:user_id", VIEW)
        .about(About::User)
        .as_json(),
    // Unknown senders.
    Row::get("/unknown-senders", VIEW),
    Row::get("/unknown-senders/:id", VIEW).about(About::Sender),
    Row::post("/unknown-senders/:id/send", SEND)
        .about(About::Sender)
        .form(&[("message", "こんにちは"), ("user_id", "{user}")]),
    Row::get("/unknown-senders/:id/link", EDIT).about(About::Sender),
    Row::post("/unknown-senders/:id/link", EDIT)
        .about(About::Sender)
        .form(&[("customer_id", "{customer}")]),
    // One's own.
    Row::get("/me", Needs::Person),
    Row::post("/me/language", Needs::SignedIn).form(&[("language", "ja")]),
    Row::get("/me/factor", Needs::Person),
    Row::post("/me/factor/begin", Needs::Person).form(PASSWORD),
    Row::post("/me/factor/confirm", Needs::Person)
        .form(&[("code", "000000")])
        .whatever_is_there(),
    Row::post("/me/factor/renew", Needs::Person)
        .form(&[("renew_code", "000000")])
        .whatever_is_there(),
    Row::post("/me/factor/off", Needs::Person)
        .form(PASSWORD)
        .whatever_is_there(),
    Row::post("/me/tokens", Needs::Person).form(&[("token_name", "会計"), ("read", "1")]),
    Row::post("/me/sessions/end", Needs::Theirs(ManageMembers))
        .about(About::Session)
        .form(&[("session", "{id}")]),
    Row::post("/me/sessions/end-all", Needs::Person).ends_session(),
    Row::post("/me/password", Needs::Person).form(&[
        ("current_password", "wrong"),
        ("new_password", "a long enough one"),
    ]),
    // Administration.
    Row::get("/admin", MEMBERS),
    Row::get("/admin/backups", BACKUPS),
    Row::post("/admin/backups/take", BACKUPS),
    Row::post("/admin/backups/resume", BACKUPS),
    Row::get("/admin/retention", PRIVACY),
    Row::post("/admin/retention/rules", PRIVACY),
    Row::post("/admin/retention/run", PRIVACY),
    Row::post("/admin/retention/holds", PRIVACY),
    Row::post("/admin/retention/holds/:id/lift", PRIVACY).about(About::Hold),
    Row::get("/admin/users", MEMBERS),
    Row::post("/admin/users", MEMBERS),
    Row::post("/admin/users/:id/role", MEMBERS)
        .about(About::Member)
        .form(&[("role", "member")]),
    Row::post("/admin/users/:id/link", MEMBERS).about(About::Member),
    Row::get("/admin/users/:id", MEMBERS).about(About::Member),
    Row::get("/admin/users/:id/disable", MEMBERS).about(About::Member),
    Row::post("/admin/users/:id/disable", MEMBERS)
        .about(About::Member)
        .form(&[("to", "later")]),
    Row::post("/admin/users/:id/enable", MEMBERS).about(About::Member),
    Row::get("/admin/users/:id/hand-over", MEMBERS).about(About::Member),
    Row::post("/admin/users/:id/hand-over", MEMBERS)
        .about(About::Member)
        .form(&[("to", "nobody")]),
    Row::post("/admin/users/:id/factors", MEMBERS)
        .about(About::Member)
        .may_lack_it(),
    Row::post("/admin/users/:id/sign-out", MEMBERS).about(About::Member),
    Row::get("/admin/teams", TEAMS),
    Row::post("/admin/teams", TEAMS).form(TEAM),
    Row::get("/admin/teams/:id", TEAMS).about(About::Team),
    Row::post("/admin/teams/:id", TEAMS).about(About::Team).form(TEAM),
    Row::post("/admin/teams/:id/members", TEAMS)
        .about(About::Team)
        .form(&[("nobody", "1")]),
    Row::get("/admin/teams/:id/delete", TEAMS).about(About::Team),
    Row::post("/admin/teams/:id/delete", TEAMS).about(About::Team),
    Row::get("/admin/tokens", Needs::Act(ManageTokens)),
    Row::post("/admin/tokens", Needs::Act(ManageTokens)).form(&[
        ("token_name", "会計"),
        ("read", "1"),
        ("member", "1"),
    ]),
    Row::post("/tokens/:id/revoke", Needs::Theirs(ManageTokens)).about(About::Token),
    Row::get("/admin/sessions", MEMBERS),
    Row::post("/admin/sessions/end", Needs::Theirs(ManageMembers))
        .about(About::Session)
        .form(&[("session", "{id}")]),
    Row::post("/admin/sessions/end-all", MEMBERS).ends_session(),
    Row::get("/admin/line-works", CONNECTION),
    Row::post("/admin/line-works", CONNECTION),
    Row::post("/admin/line-works/env", CONNECTION),
    Row::post("/admin/line-works/check", CONNECTION),
    Row::post("/admin/line-works/token", CONNECTION),
    Row::post("/admin/line-works/bot", CONNECTION),
    Row::post("/admin/line-works/test", CONNECTION),
    Row::get("/test-webhook", Needs::Act(Diagnose)),
    // The demonstration.
    Row::get("/demo/phone", Needs::Absent),
    Row::post("/demo/phone", Needs::Absent),
    Row::get("/demo/phone/messages", Needs::Absent),
    // Programs.
    Row::get("/api/docs", Needs::Public),
    Row::get("/api/v1/openapi.json", Needs::Public),
    Row::get("/api/v1/companies", VIEW).as_json(),
    Row::get("/api/v1/companies/:id", VIEW)
        .about(About::Company)
        .as_json(),
    Row::post("/api/v1/companies", EDIT)
        .json(r#"{"name":"北海商事"}"#)
        .as_json(),
    Row::new("PATCH", "/api/v1/companies/:id", EDIT)
        .about(About::Company)
        .json(r#"{"remarks":"火曜定休"}"#)
        .as_json(),
    Row::new("DELETE", "/api/v1/companies/:id", DELETE)
        .about(About::Company)
        .as_json(),
    Row::get("/api/v1/customers", VIEW).as_json(),
    Row::get("/api/v1/customers/:id", VIEW)
        .about(About::Customer)
        .as_json(),
    Row::post("/api/v1/customers", EDIT)
        .json(r#"{"last_name":"山田","first_name":"太郎"}"#)
        .as_json(),
    Row::new("PATCH", "/api/v1/customers/:id", EDIT)
        .about(About::Customer)
        .json(r#"{"remarks":"水曜休み"}"#)
        .as_json(),
    Row::new("DELETE", "/api/v1/customers/:id", DELETE)
        .about(About::Customer)
        .as_json(),
    Row::post("/api/v1/customers/:id/messages", SEND)
        .about(About::Customer)
        .json(r#"{"text":"こんにちは"}"#)
        .as_json(),
    Row::get("/api/v1/messages/:id", VIEW)
        .about(About::Send)
        .as_json(),
];
