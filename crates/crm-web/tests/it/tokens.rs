//! API tokens in the pages: one's own, and everybody's for administrators.

use crm_domain::members::Role;

use crate::harness::{Answer, Ask, TestServer};

/// The secret that the page shows once.
fn secret(made: &Answer) -> String {
    let page = made.text();
    let (_, card) = page.split_once("link-card").expect("a card with the secret");
    let (_, code) = card
        .split_once("<p class=\"code one-time\"><span>")
        .expect("the secret");
    code.split('<').next().unwrap_or_default().to_owned()
}

async fn status(server: &TestServer, token: &str, ask: Ask) -> u16 {
    let ask = ask.header("authorization", format!("Bearer {token}"));
    ask.send(server.address).await.status
}

#[tokio::test]
async fn somebody_makes_a_token_uses_and_revokes_it() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    member.get("/me").await;
    let refused = member
        .post(
            "/me/tokens",
            &[("token_name", "販売管理"), ("expires", "2000-01-01")],
        )
        .await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    assert!(page.contains("value=\"販売管理\"") && page.contains("できることを1つ以上選んでください。"));
    let past = [
        ("token_name", "販売管理"),
        ("read", "1"),
        ("expires", "2000-01-01"),
    ];
    let refused = member.post("/me/tokens", &past).await.text();
    assert!(refused.contains("明日以降の日付を選んでください。"), "{refused}");
    let typed = [
        ("token_name", "販売管理"),
        ("read", "1"),
        ("expires", "2999-12-31"),
    ];
    let made = member.post("/me/tokens", &typed).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let token = secret(&made);
    let again = member.get("/me").await.text();
    assert!(
        again.contains("販売管理") && !again.contains(&token),
        "shown once"
    );
    assert_eq!(status(&server, &token, Ask::get("/api/v1/customers")).await, 200);
    let customer = server.add_customer("山田", "太郎", None).await;
    let send = Ask::post(&format!("/api/v1/customers/{customer}/messages"));
    let send = send.json(&serde_json::json!({"text": "こんにちは"}));
    assert_eq!(status(&server, &token, send).await, 403, "it may only read");
    let id = again
        .split("/tokens/")
        .nth(1)
        .and_then(|rest| rest.split("/revoke").next());
    let revoke = format!("/tokens/{}/revoke", id.unwrap());
    let revoked = member.post(&revoke, &[]).await;
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/me")));
    assert_eq!(status(&server, &token, Ask::get("/api/v1/customers")).await, 401);
    assert_eq!(member.post(&revoke, &[]).await.status, 404);
}

#[tokio::test]
async fn administrators_make_and_revoke_the_tokens_of_others() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    admin.get("/admin/tokens").await;
    let number = ken.to_string();
    let typed = [
        ("token_name", "<b>店頭"),
        ("read", "1"),
        ("send", "1"),
        ("member", number.as_str()),
    ];
    let made = admin.post("/admin/tokens", &typed).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(made.text().contains("&lt;b&gt;店頭"));
    let token = secret(&made);
    assert_eq!(status(&server, &token, Ask::get("/api/v1/customers")).await, 200);
    let page = admin.get("/admin/tokens").await.text();
    assert!(page.contains("閲覧、送信"));
    let id = page
        .split("/tokens/")
        .nth(1)
        .and_then(|rest| rest.split("/revoke").next());
    let revoke = format!("/tokens/{}/revoke", id.unwrap());
    let mut other = server.signed_in(Role::Member).await;
    other.get("/me").await;
    assert_eq!(other.post(&revoke, &[]).await.status, 404, "not one's own");
    assert_eq!(admin.post(&revoke, &[]).await.status, 303);
    assert_eq!(status(&server, &token, Ask::get("/api/v1/customers")).await, 401);
    let nobody = [("token_name", "x"), ("read", "1"), ("member", "999999")];
    assert_eq!(admin.post("/admin/tokens", &nobody).await.status, 404);
}
