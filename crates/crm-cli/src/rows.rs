//! Records as they are written: the specification's field names, and ours.

use crm_domain::activities::Activity;
use crm_domain::companies::Company;
use crm_domain::customers::CustomerLine;
use crm_domain::instant::Instant;
use crm_domain::members::{ApiToken, Member};
use crm_domain::use_cases::{KeyUse, SessionLine};
use serde::Serialize;
use time::macros::format_description;

use crate::output::{Row, View};

/// An instant for people.
pub(crate) fn shown(at: Instant, view: &View<'_>) -> String {
    let shape = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let local = at.at_offset(view.zone.offset_at(at));
    local.format(shape).unwrap_or_else(|_| at.to_string())
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

#[derive(Debug, Serialize)]
pub(crate) struct CompanyRow {
    pub(crate) id: i64,
    name: String,
    name_kana: String,
    address: Option<String>,
    phone: Option<String>,
    website: Option<String>,
    remarks: String,
    customers: i64,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl CompanyRow {
    pub(crate) fn new(company: &Company, customers: i64) -> Self {
        let details = &company.details;
        Self {
            id: company.id.get(),
            name: details.name.as_str().to_owned(),
            name_kana: details.name_kana.as_str().to_owned(),
            address: details.address.as_ref().map(|line| line.as_str().to_owned()),
            phone: details.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            website: details.website.as_ref().map(|site| site.as_str().to_owned()),
            remarks: details.remarks.as_str().to_owned(),
            customers,
            version: company.version,
            created_at: company.created_at,
            updated_at: company.updated_at,
        }
    }
}

impl Row for CompanyRow {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "name_kana",
        "address",
        "phone",
        "website",
        "customers",
    ];

    fn cells(&self, _: &View<'_>) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.name_kana.clone(),
            text(self.address.as_ref()),
            text(self.phone.as_ref()),
            text(self.website.as_ref()),
            self.customers.to_string(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct CustomerRow {
    pub(crate) id: i64,
    first_name: String,
    last_name: String,
    first_name_kana: String,
    last_name_kana: String,
    email: Option<String>,
    phone: Option<String>,
    line_user_id: Option<String>,
    company_id: Option<i64>,
    company_name: Option<String>,
    owner_id: Option<i64>,
    owner_name: Option<String>,
    remarks: String,
    link_status: &'static str,
    needs_look: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl CustomerRow {
    pub(crate) fn new(line: &CustomerLine) -> Self {
        let (customer, details) = (&line.customer, &line.customer.details);
        Self {
            id: customer.id.get(),
            first_name: details.name.first().to_owned(),
            last_name: details.name.last().to_owned(),
            first_name_kana: details.reading.first().to_owned(),
            last_name_kana: details.reading.last().to_owned(),
            email: details.email.as_ref().map(|email| email.as_str().to_owned()),
            phone: details.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            line_user_id: details.line_user_id.as_ref().map(|user| user.as_str().to_owned()),
            company_id: details.company_id.map(crm_domain::id::Id::get),
            company_name: line.company_name.clone(),
            owner_id: customer.owner_id.map(crm_domain::id::Id::get),
            owner_name: line.owner_name.clone(),
            remarks: details.remarks.as_str().to_owned(),
            link_status: line.link.code(),
            needs_look: customer.needs_look,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

impl Row for CustomerRow {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "full_name",
        "company_name",
        "email",
        "phone",
        "link_status",
        "line_user_id",
    ];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let name = [self.last_name.as_str(), self.first_name.as_str()].join(" ");
        vec![
            self.id.to_string(),
            name.trim().to_owned(),
            text(self.company_name.as_ref()),
            text(self.email.as_ref()),
            text(self.phone.as_ref()),
            view.texts.text(&format!("link_status.{}", self.link_status)),
            text(self.line_user_id.as_ref()),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ActivityRow {
    id: i64,
    customer_id: i64,
    message: String,
    timestamp: Instant,
    direction: &'static str,
    kind: &'static str,
    state: Option<&'static str>,
    author: Option<String>,
}

impl ActivityRow {
    pub(crate) fn new(activity: &Activity) -> Self {
        Self {
            id: activity.id.get(),
            customer_id: activity.customer_id.get(),
            message: activity.plain_text(),
            timestamp: activity.timestamp,
            direction: activity.direction.code(),
            kind: activity.kind.code(),
            state: activity.send_state().map(crm_domain::sends::SendState::code),
            author: activity.sending.as_ref().map(|sending| sending.author.clone()),
        }
    }
}

impl Row for ActivityRow {
    const COLUMNS: &'static [&'static str] = &["id", "timestamp", "message"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let message = if self.message.is_empty() {
            view.texts.text(&format!("kind.{}", self.kind))
        } else {
            self.message.clone()
        };
        vec![self.id.to_string(), shown(self.timestamp, view), message]
    }
}

#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row of JSON says yes or no to each of them"
)]
pub(crate) struct UserRow {
    id: i64,
    email: String,
    name: String,
    role: &'static str,
    may_import: bool,
    may_export: bool,
    has_password: bool,
    has_factor: bool,
    disabled_at: Option<Instant>,
    created_at: Instant,
}

impl UserRow {
    pub(crate) fn new(member: &Member, has_factor: bool) -> Self {
        Self {
            id: member.id.get(),
            may_import: member.grants.import,
            may_export: member.grants.export,
            has_factor,
            email: member.email.as_str().to_owned(),
            name: member.name.clone(),
            role: member.role.code(),
            has_password: member.has_password,
            disabled_at: member.disabled_at,
            created_at: member.created_at,
        }
    }
}

impl UserRow {
    fn grants(&self, view: &View<'_>) -> String {
        let all = [
            (self.may_import, "grant.import"),
            (self.may_export, "grant.export"),
        ];
        let names: Vec<String> = all
            .into_iter()
            .filter(|(granted, _)| *granted)
            .map(|(_, key)| view.texts.text(key))
            .collect();
        names.join(", ")
    }
}

impl Row for UserRow {
    const COLUMNS: &'static [&'static str] =
        &["id", "email", "name", "role", "grants", "factor", "user_state"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let state = match (self.disabled_at, self.has_password) {
            (Some(_), _) => "disabled",
            (None, true) => "active",
            (None, false) => "invited",
        };
        vec![
            self.id.to_string(),
            self.email.clone(),
            self.name.clone(),
            view.texts.text(&format!("role.{}", self.role)),
            self.grants(view),
            view.texts.text(if self.has_factor {
                "factor.on"
            } else {
                "factor.off"
            }),
            view.texts.text(&format!("user_state.{state}")),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct SessionRow {
    id: String,
    user: String,
    created_at: Instant,
    used_at: Instant,
    address: Option<String>,
    browser: Option<String>,
}

impl SessionRow {
    pub(crate) fn new(session: &SessionLine) -> Self {
        Self {
            id: session.id.clone(),
            user: session.member.email.as_str().to_owned(),
            created_at: session.created_at,
            used_at: session.seen_at,
            address: session.address.clone(),
            browser: session.browser.clone(),
        }
    }
}

impl Row for SessionRow {
    const COLUMNS: &'static [&'static str] =
        &["id", "user", "created_at", "used_at", "ip_address", "browser"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            self.id.clone(),
            self.user.clone(),
            shown(self.created_at, view),
            shown(self.used_at, view),
            self.address.clone().unwrap_or_default(),
            self.browser.clone().unwrap_or_default(),
        ]
    }
}

/// A data key and what it sealed.
#[derive(Debug, Serialize)]
pub(crate) struct KeyRow {
    id: String,
    created_at: Instant,
    retired_at: Option<Instant>,
    values: u64,
    files: u64,
}

impl KeyRow {
    pub(crate) fn new(used: &KeyUse) -> Self {
        Self {
            id: used.key.id.to_string(),
            created_at: used.key.made_at,
            retired_at: used.key.retired_at,
            values: used.values,
            files: used.files,
        }
    }
}

impl Row for KeyRow {
    const COLUMNS: &'static [&'static str] = &["id", "created_at", "retired_at", "values", "files"];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        vec![
            self.id.clone(),
            shown(self.created_at, view),
            self.retired_at.map(|at| shown(at, view)).unwrap_or_default(),
            self.values.to_string(),
            self.files.to_string(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct TokenRow {
    id: i64,
    name: String,
    user: String,
    scopes: Vec<&'static str>,
    created_at: Instant,
    expires_at: Option<Instant>,
    revoked_at: Option<Instant>,
    used_at: Option<Instant>,
}

impl TokenRow {
    pub(crate) fn new(token: &ApiToken, owner: &Member) -> Self {
        Self {
            id: token.id.get(),
            name: token.name.clone(),
            user: owner.email.as_str().to_owned(),
            scopes: token.scopes.codes(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            used_at: token.used_at,
        }
    }
}

impl Row for TokenRow {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "user",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "used_at",
    ];

    fn cells(&self, view: &View<'_>) -> Vec<String> {
        let at = |at: Option<Instant>| at.map(|at| shown(at, view)).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.user.clone(),
            self.scopes.join(","),
            shown(self.created_at, view),
            at(self.expires_at),
            at(self.revoked_at),
            at(self.used_at),
        ]
    }
}
