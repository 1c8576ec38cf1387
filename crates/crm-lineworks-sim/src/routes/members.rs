//! `/sim/members` and `/sim/scopes`: who the members are and what the app may ask. No part of LINE WORKS.

use crate::answers::{Refusal, json_answer};
use crate::config::Member;
use crate::routes::control::read;
use crate::state::Shared;
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MemberRequest {
    user_id: String,
    email: Option<String>,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name_kana: String,
    #[serde(default)]
    first_name_kana: String,
    #[serde(default = "yes")]
    may_use_bot: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopesRequest {
    scopes: Vec<String>,
}

/// Adds a member, or replaces the one with this id.
#[handler]
pub(super) async fn add(Data(shared): Data<&Arc<Shared>>, request: &Request, body: Body) -> Response {
    let asked: MemberRequest = match read(request, body).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into_response(),
    };
    if asked.user_id.is_empty() {
        return Refusal::missing("userId").into_response();
    }
    shared.lock().add_member(Member {
        user_id: asked.user_id,
        email: asked.email,
        last_name: asked.last_name,
        first_name: asked.first_name,
        last_name_kana: asked.last_name_kana,
        first_name_kana: asked.first_name_kana,
        may_use_bot: asked.may_use_bot,
    });
    StatusCode::NO_CONTENT.into()
}

/// The members that were named, by whomever.
#[handler]
pub(super) fn list(Data(shared): Data<&Arc<Shared>>) -> Response {
    let members: Vec<Value> = shared.lock().members.iter().map(shown).collect();
    json_answer(StatusCode::OK, &json!({"members": members}))
}

fn shown(member: &Member) -> Value {
    json!({
        "userId": member.user_id,
        "email": member.email,
        "lastName": member.last_name,
        "firstName": member.first_name,
        "lastNameKana": member.last_name_kana,
        "firstNameKana": member.first_name_kana,
        "mayUseBot": member.may_use_bot,
    })
}

/// Ticks exactly these scopes on the app.
#[handler]
pub(super) async fn tick(Data(shared): Data<&Arc<Shared>>, request: &Request, body: Body) -> Response {
    match read::<ScopesRequest>(request, body).await {
        Ok(asked) => {
            shared.lock().scopes = asked.scopes;
            StatusCode::NO_CONTENT.into()
        }
        Err(refusal) => refusal.into_response(),
    }
}

#[handler]
pub(super) fn scopes(Data(shared): Data<&Arc<Shared>>) -> Response {
    let scopes = shared.lock().scopes.clone();
    json_answer(StatusCode::OK, &json!({"scopes": scopes}))
}
