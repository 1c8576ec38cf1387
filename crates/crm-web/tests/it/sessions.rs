//! ログイン中の端末: the list, ending one, ending all.

use crm_domain::members::Role;

use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Browser, TestServer};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

async fn beside(server: &TestServer, email: &str) -> Browser {
    let mut browser = server.browser();
    browser.get("/login").await;
    let token = browser.token.clone();
    let fields = [
        ("email", email),
        ("password", PASSWORD),
        ("csrf_token", token.as_str()),
    ];
    let ask = Ask::post("/login").header("origin", format!("http://{}", server.address));
    let answer = browser.send(ask.header("user-agent", CHROME).form(&fields)).await;
    assert_eq!(answer.status, 303);
    browser
}

/// The public name of the first session that can be ended.
fn name(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"session\" value=\"").expect("a session");
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn one_sees_and_ends_ones_own() {
    let server = TestServer::start().await;
    let mut here = server.signed_in(Role::Member).await;
    let mut there = beside(&server, "member@example.jp").await;
    let page = here.get("/me").await.text();
    assert!(page.contains("Chrome · Windows") && page.contains("この端末") && page.contains("127.0.0.1"));
    assert_eq!(page.matches("name=\"session\"").count(), 1, "not the present one");
    let ended = here.post("/me/sessions/end", &[("session", &name(&page))]).await;
    assert_eq!((ended.status, ended.header("location")), (303, Some("/me")));
    assert_eq!(there.get("/customers").await.status, 303);
    assert_eq!(here.get("/customers").await.status, 200);
    let gone = here.post("/me/sessions/end", &[("session", &name(&page))]).await;
    assert_eq!(gone.status, 404);
    let mut third = beside(&server, "member@example.jp").await;
    here.get("/me").await;
    let all = here.post("/me/sessions/end-all", &[]).await;
    assert_eq!((all.status, all.header("location")), (303, Some("/login")));
    assert_eq!(here.get("/customers").await.status, 303);
    assert_eq!(third.get("/customers").await.status, 303);
}

#[tokio::test]
async fn administrators_see_and_end_everybodys() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let mut member = server.signed_in(Role::Member).await;
    let page = admin.get("/admin/sessions").await.text();
    assert_eq!(page.matches("name=\"session\"").count(), 1);
    let mut other = beside(&server, "admin@example.jp").await;
    member.get("/me").await;
    let theirs = other.get("/me").await.text();
    let foreign = member
        .post("/me/sessions/end", &[("session", &name(&theirs))])
        .await;
    assert_eq!(foreign.status, 404, "not one's own");
    let ended = admin
        .post("/admin/sessions/end", &[("session", &name(&page))])
        .await;
    assert_eq!(ended.status, 303);
    assert_eq!(member.get("/customers").await.status, 303);
    let all = admin.post("/admin/sessions/end-all", &[]).await;
    assert_eq!((all.status, all.header("location")), (303, Some("/login")));
    assert_eq!(admin.get("/admin").await.status, 303);
    assert_eq!(other.get("/admin").await.status, 303);
}
