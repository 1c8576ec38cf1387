//! Looking members up and listing them: with tokens of their own, whatever becomes of sending.

use crm_domain::ports::messenger::SendProblem as P;
use crm_domain::ports::profiles::{ProfileError, ProfileSource as _};
use crm_domain::values::LineUserId;
use crm_lineworks_sim::{Endpoint, Fault, Member, SimulatorConfig};
use serde_json::json;

use crate::setup::{Setup, USER, setup, setup_with};

fn id(text: &str) -> LineUserId {
    LineUserId::new(text).unwrap().unwrap()
}

fn hanako() -> Member {
    Member::new(USER, "山田", "花子")
        .with_kana("ヤマダ", "ハナコ")
        .with_email("hanako+crm@sim.example")
}

fn tenant(members: Vec<Member>, scopes: &[&str]) -> SimulatorConfig {
    SimulatorConfig {
        members,
        only_listed_members: true,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..SimulatorConfig::default()
    }
}

async fn with_scopes(scopes: &[&str]) -> Setup {
    setup_with(tenant(vec![hanako()], scopes), |_| {}).await
}

fn later<T>(problem: P) -> Result<T, ProfileError> {
    Err(ProfileError::Later { problem, wait: None })
}

#[tokio::test]
async fn a_member_is_found_by_user_id_and_login_id() {
    let all = with_scopes(&["bot", "user.profile.read"]).await;
    for asked in [USER, "hanako+crm@sim.example"] {
        let found = all.client.look_up(&id(asked)).await.unwrap();
        assert_eq!(found.user_id, id(USER));
        assert_eq!(
            (found.name.full().as_str(), found.name.full_kana().as_str()),
            ("山田 花子", "ヤマダ ハナコ")
        );
        assert_eq!(found.email, "", "a reduced profile does not tell it");
    }
    for unknown in ["nobody@sim.example", "../users", ".", "a/b?c#d"] {
        let outcome = all.client.look_up(&id(unknown)).await;
        assert_eq!(outcome, Err(ProfileError::NotFound), "{unknown}");
    }
    assert_eq!(all.sim.requests(Endpoint::Token), 1, "the token is kept");
}

#[tokio::test]
async fn members_are_listed_to_the_last_page() {
    let members = (0..250)
        .map(|number| Member::new(format!("user-{number}"), "姓", format!("{number}")))
        .collect();
    let all = setup_with(tenant(members, &["bot", "user.read"]), |_| {}).await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = all.client.list(cursor).await.unwrap();
        seen.extend(page.members.into_iter().map(|member| member.name.first));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!((seen, pages), (expected, 3));
}

#[tokio::test]
async fn whichever_scope_is_ticked_is_used() {
    for (scopes, found, listed) in [
        (vec!["bot", "user.profile.read"], true, false),
        (vec!["bot", "user.read"], true, true),
        (vec!["bot", "user.read", "user.profile.read"], true, true),
        (vec!["bot"], false, false),
    ] {
        let all = with_scopes(&scopes).await;
        let look_up = all.client.look_up(&id(USER)).await;
        let list = all.client.list(None).await;
        assert_eq!((look_up.is_ok(), list.is_ok()), (found, listed), "{scopes:?}");
        let refused = [look_up.err(), list.err()];
        for error in refused.into_iter().flatten() {
            assert_eq!(error, ProfileError::ScopeMissing, "{scopes:?}");
        }
    }
}

#[tokio::test]
async fn sending_never_notices_what_happens_here() {
    let all = with_scopes(&["bot"]).await;
    for _ in 0..3 {
        let refused = all.client.look_up(&id(USER)).await;
        assert_eq!(refused, Err(ProfileError::ScopeMissing));
        all.send().await.unwrap();
    }
    // One token for sending; each of the two other scopes was asked for once.
    assert_eq!(all.sim.requests(Endpoint::Token), 3);
    let unauthorised = Fault::status(401);
    all.sim.always_on(Endpoint::Users, unauthorised);
    all.sim.set_scopes(&["bot", "user.profile.read"]);
    all.send().await.unwrap();
    assert_eq!(all.sim.requests(Endpoint::Token), 3);
    assert_eq!(all.sim.messages().len(), 4);
}

#[tokio::test]
async fn a_token_that_died_is_replaced_once() {
    let all = with_scopes(&["bot", "user.profile.read"]).await;
    all.client.look_up(&id(USER)).await.unwrap();
    all.sim.expire_tokens();
    all.client.look_up(&id(USER)).await.unwrap();
    assert_eq!(all.sim.requests(Endpoint::Token), 2);
    all.sim.always_on(Endpoint::Users, Fault::status(401));
    assert_eq!(all.client.look_up(&id(USER)).await, later(P::Unauthorized));
    assert_eq!(all.sim.requests(Endpoint::Token), 3);
}

#[tokio::test]
async fn every_answer_says_what_a_caller_can_do() {
    let limit = |code: &str| Fault::Status {
        code: 403,
        body: json!({"code": code, "description": "words"}).to_string(),
        headers: Vec::new(),
    };
    let text = |code, body: &str| Fault::Status {
        code,
        body: body.to_owned(),
        headers: Vec::new(),
    };
    let waiting = |wait| ProfileError::Later {
        problem: P::RateLimited,
        wait: Some(wait),
    };
    let cases = [
        (Fault::status(400), ProfileError::Refused(P::BadRequest)),
        (limit("LIMIT_EXCEEDED"), ProfileError::Refused(P::Forbidden)),
        (Fault::status(404), ProfileError::NotFound),
        (Fault::status(410), ProfileError::Refused(P::Rejected)),
        (Fault::status(429).with_header("rateLimit-reset", "9"), waiting(9)),
        (Fault::status(429), waiting(60)),
        (Fault::status(500), later::<()>(P::ServerError).unwrap_err()),
        (text(302, ""), later::<()>(P::Redirected).unwrap_err()),
        (text(200, "<html>"), later::<()>(P::ServerError).unwrap_err()),
        (text(200, "{}"), later::<()>(P::ServerError).unwrap_err()),
        (Fault::CutBeforeResponse, later::<()>(P::LineCut).unwrap_err()),
    ];
    let all = setup().await;
    for (fault, error) in cases {
        all.sim.fail_next_on(Endpoint::Users, 1, fault.clone());
        assert_eq!(all.client.look_up(&id(USER)).await, Err(error), "{fault:?}");
    }
    for (fault, error) in [
        (limit("FORBIDDEN"), ProfileError::ScopeMissing),
        (limit("ACCESS_DENIED"), ProfileError::ScopeMissing),
    ] {
        all.sim.fail_next_on(Endpoint::Users, 2, fault.clone());
        assert_eq!(all.client.look_up(&id(USER)).await, Err(error), "{fault:?}");
    }
    all.client.look_up(&id(USER)).await.unwrap();
    all.sim.pause().await;
    assert_eq!(all.client.look_up(&id(USER)).await, later(P::NoConnection));
}

#[tokio::test]
async fn a_page_of_long_profiles_is_read_whole() {
    let all = setup().await;
    let user = |number: usize| json!({"userId": number, "userName": {"lastName": "長"}, "organizations": "x".repeat(3_000)});
    let users: Vec<_> = (1..=100).map(user).collect();
    let body = json!({"users": users, "responseMetaData": {"nextCursor": null}}).to_string();
    assert!(body.len() > 300_000);
    all.sim.fail_next_on(
        Endpoint::Users,
        1,
        Fault::Status {
            code: 200,
            body,
            headers: Vec::new(),
        },
    );
    let page = all.client.list(None).await.unwrap();
    assert_eq!((page.members.len(), page.next), (100, None));
    assert_eq!(page.members[99].user_id, id("100"));
}
