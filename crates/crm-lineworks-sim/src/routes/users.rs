//! `GET /users/{userId}`, `GET /users`, and who can be written to.

use crate::answers::{Refusal, json_answer};
use crate::config::Member;
use crate::form;
use crate::gate::{self, Operation};
use crate::state::Shared;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::{Value, json};
use std::sync::Arc;

const GET: Operation = Operation {
    name: "user-get",
    scopes: &[
        "user",
        "user.read",
        "user.profile.read",
        "directory",
        "directory.read",
    ],
};
const LIST: Operation = Operation {
    name: "user-list",
    scopes: &["user", "user.read", "directory", "directory.read"],
};
const MAX_COUNT: usize = 100;

/// The member whom a path names by resource id or login id.
fn find(shared: &Shared, id: &str) -> Option<Member> {
    let by_login = id.contains('@');
    let is_meant = |member: &&Member| {
        if by_login {
            member
                .email
                .as_deref()
                .is_some_and(|email| email.eq_ignore_ascii_case(id))
        } else {
            member.user_id == id
        }
    };
    let listed = shared.lock().members.iter().find(is_meant).cloned();
    let open = !shared.config.only_listed_members && is_uuid(id);
    listed.or_else(|| open.then(|| Member::new(id, "メンバー", id.get(..8).unwrap_or(id))))
}

/// The resource id of a member to whom the bot may write.
pub(super) fn reachable(shared: &Shared, id: &str) -> Result<String, Refusal> {
    match find(shared, id) {
        None => Err(Refusal::user_not_exist()),
        Some(member) if !member.may_use_bot => Err(Refusal::bot_denied()),
        Some(member) => Ok(member.user_id),
    }
}

/// Whether a text has the form of a UUID, in any case of letters.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Everything about a member.
fn profile(shared: &Shared, member: &Member) -> Value {
    let mut user = reduced(shared, member);
    if let Some(fields) = user.as_object_mut() {
        for state in ["isAdministrator", "isPending", "isSuspended", "isDeleted"] {
            fields.insert(state.into(), json!(false));
        }
        if let Some(email) = &member.email {
            fields.insert("email".into(), json!(email));
        }
    }
    user
}

/// What the scope `user.profile.read` alone shows.
fn reduced(shared: &Shared, member: &Member) -> Value {
    let mut name = json!({"lastName": member.last_name, "firstName": member.first_name});
    let readings = [
        ("phoneticLastName", &member.last_name_kana),
        ("phoneticFirstName", &member.first_name_kana),
    ];
    for (field, reading) in readings.into_iter().filter(|(_, reading)| !reading.is_empty()) {
        name[field] = json!(reading);
    }
    json!({"userId": member.user_id, "domainId": shared.config.domain_id, "userName": name})
}

#[handler]
pub(super) fn show(
    Data(shared): Data<&Arc<Shared>>,
    request: &Request,
    Path(user_id): Path<String>,
) -> Response {
    GET.run(shared, request, |now| {
        let member = find(shared, &user_id).ok_or_else(Refusal::user_not_exist)?;
        let scopes = gate::bearer_scopes(shared, request.headers(), now)?;
        let whole = scopes.iter().any(|scope| LIST.scopes.contains(&scope.as_str()));
        let user = if whole {
            profile(shared, &member)
        } else {
            reduced(shared, &member)
        };
        Ok(json_answer(StatusCode::OK, &user))
    })
}

#[handler]
pub(super) fn list(Data(shared): Data<&Arc<Shared>>, request: &Request) -> Response {
    LIST.run(shared, request, |_| {
        let page = Page::parse(request.uri().query().unwrap_or_default())?;
        let members = shared.lock().members.clone();
        let ours = page
            .domain_id
            .is_none_or(|wanted| wanted == shared.config.domain_id);
        let members = if ours { members } else { Vec::new() };
        let users: Vec<Value> = members
            .iter()
            .skip(page.from)
            .take(page.count)
            .map(|member| profile(shared, member))
            .collect();
        let end = page.from + users.len();
        let next = if end < members.len() {
            cursor(end)
        } else {
            String::new()
        };
        let body = json!({"users": users, "responseMetaData": {"nextCursor": next}});
        Ok(json_answer(StatusCode::OK, &body))
    })
}

/// What a list request asks for.
struct Page {
    from: usize,
    count: usize,
    domain_id: Option<i64>,
}

impl Page {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let mut page = Self {
            from: 0,
            count: MAX_COUNT,
            domain_id: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = form::decode(&value.replace('+', " "))
                .ok_or_else(|| Refusal::invalid(format!("{name} is not encoded rightly.")))?;
            match name {
                "count" => page.count = count(&value)?,
                "cursor" => {
                    page.from = position(&value).ok_or_else(|| Refusal::invalid("cursor is not valid."))?;
                }
                "domainId" => {
                    let number = value
                        .parse()
                        .map_err(|_| Refusal::invalid("domainId is not a number."))?;
                    page.domain_id = Some(number);
                }
                _ => {}
            }
        }
        Ok(page)
    }
}

fn count(value: &str) -> Result<usize, Refusal> {
    let number: usize = value
        .parse()
        .map_err(|_| Refusal::invalid("count is not a number."))?;
    if (1..=MAX_COUNT).contains(&number) {
        return Ok(number);
    }
    Err(Refusal::out_of_range("count must be between 1 and 100."))
}

/// A cursor full of characters that do not survive a query unless they are encoded.
fn cursor(from: usize) -> String {
    format!(
        "+/{}==&",
        STANDARD.encode(format!("from {from}")).trim_end_matches('=')
    )
}

fn position(cursor: &str) -> Option<usize> {
    let from = cursor.strip_prefix("+/")?.strip_suffix("==&")?;
    let text = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(from)
        .ok()?;
    std::str::from_utf8(&text)
        .ok()?
        .strip_prefix("from ")?
        .parse()
        .ok()
}
