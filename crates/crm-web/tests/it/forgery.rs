//! Requests that were not made on a page of ours: poem's pitfall 7, closed.

use crm_domain::members::Role;

use crate::harness::server::PASSWORD;
use crate::harness::{Ask, TestServer};

#[tokio::test]
async fn a_form_needs_its_token() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get("/nowhere").await;
    let good = page.csrf();
    let other = server.browser();
    let strange = other.clone().get("/login").await.csrf();
    for bad in ["", "x", strange.as_str(), &"0".repeat(64)] {
        browser.token = bad.to_owned();
        assert_eq!(browser.post("/logout", &[]).await.status, 403, "{bad}");
    }
    let bare = Ask::post("/logout").form(&[("email", "x")]);
    assert_eq!(browser.send(bare).await.status, 403);
    browser.token = good;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
}

#[tokio::test]
async fn a_strangers_page_cannot_use_the_token_even_if_it_had_it() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    let token = browser.get("/nowhere").await.csrf();
    let form = [("csrf_token", token.as_str())];
    let own = format!("http://{}", server.address);
    let asks = [
        Ask::post("/logout")
            .form(&form)
            .header("origin", "http://evil.example"),
        Ask::post("/logout").form(&form).header("origin", "null"),
        Ask::post("/logout")
            .form(&form)
            .header("origin", &own)
            .header("sec-fetch-site", "cross-site"),
        Ask::post("/logout")
            .form(&form)
            .header("origin", &own)
            .header("sec-fetch-site", "same-site"),
        // A name of the stranger's that points at this server.
        Ask::post("/logout")
            .form(&form)
            .header("host", "evil.example")
            .header("origin", "http://evil.example"),
        Ask::post("/logout")
            .form(&form)
            .header("referer", "http://evil.example/page"),
    ];
    for ask in asks {
        assert_eq!(browser.send(ask.clone()).await.status, 403, "{ask:?}");
    }
    let honest = Ask::post("/logout")
        .form(&form)
        .header("origin", &own)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(honest).await.status, 303);
}

#[tokio::test]
async fn signing_in_cannot_be_forced_on_somebody() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let form = [("email", "hanako@example.jp"), ("password", PASSWORD)];
    let answer = Ask::post("/login").form(&form).send(server.address).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .all("set-cookie")
            .iter()
            .all(|line| !line.starts_with("crm_session"))
    );
    let mut victim = server.browser();
    victim.get("/login").await;
    let of_attacker = server.browser().get("/login").await.csrf();
    victim.token = of_attacker;
    assert_eq!(victim.post("/login", &form).await.status, 403);
}

#[tokio::test]
async fn failures_are_told_in_the_askers_form() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    let script = Ask::post("/logout")
        .header("x-csrf-token", "wrong")
        .header("accept", "application/json");
    let answer = browser.send(script).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["success"], false);
    assert_eq!(answer.json()["code"], "csrf");
    let page = browser.send(Ask::post("/logout").form(&[])).await;
    assert!(
        page.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html")),
        "{page:?}"
    );
    let wrong = Ask::post("/logout")
        .header("content-type", "text/plain")
        .bytes("csrf_token=1");
    assert_eq!(browser.send(wrong).await.status, 415);
}

#[tokio::test]
async fn a_token_in_authorization_outranks_cookies() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Admin).await;
    assert_eq!(browser.get("/api/v1/customers").await.status, 200);
    for bad in ["Bearer wrong", "Bearer ", "Basic abc", "x"] {
        let answer = browser
            .send(Ask::get("/api/v1/customers").header("authorization", bad))
            .await;
        assert_eq!(answer.status, 401, "{bad}: never a fall-back to the cookie");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("www-authenticate").is_some());
    }
}
