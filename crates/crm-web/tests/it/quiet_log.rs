//! Nothing of a person, and no secret, stands in the log of a whole day at the finest level.

use crm_domain::members::Role;
use crm_lineworks_sim::{Endpoint, Fault, Signing, callbacks};

use crate::erasing::{WORDS, setup, somebody};
use crate::harness::http::encode;
use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Browser, HANAKO, TARO, TestServer, until};

/// What is used besides the words of the person.
const MORE: &[&str] = &[
    "株式会社秘密製作所",
    "秘密の郵便先",
    "はじめての見知らぬ人",
    "間違いだらけの合言葉",
    "宛先の分からない文",
    "送れなかった文面",
    "番組からの文面です",
    "mallory@example.jp",
    "訴訟の事情",
];

/// Everything that goes wrong.
async fn failures(server: &TestServer, browser: &mut Browser, path: &str) {
    let mut stranger = server.browser();
    stranger
        .sign_in("mallory@example.jp", "間違いだらけの合言葉")
        .await;
    stranger.sign_in("admin@example.jp", "間違いだらけの合言葉").await;
    let forged = Ask::post("/customer/new")
        .header("cookie", "crm_session=0123456789abcdef")
        .form(&[("last_name", "蘇我野")]);
    assert!(forged.send(server.address).await.status >= 300);
    browser.get("/customer/new").await;
    let wrong = [
        ("last_name", "蘇我野"),
        ("email", "rintaro.sogano@"),
        ("phone", "0312345999x"),
    ];
    assert_eq!(browser.post("/customer/new", &wrong).await.status, 422);
    server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(500));
    let message = [("message", "送れなかった文面"), ("anyway", "1")];
    browser.post(&format!("{path}/send"), &message).await;
    let garbage = format!("{{\"type\":\"message\",\"source\":{{\"userId\":\"{TARO}\"}},\"content\":\"蘇我野");
    let delivered = server
        .simulator
        .deliver_bytes(garbage.into_bytes(), Signing::Right)
        .await;
    assert_eq!(delivered.unwrap().status, 200);
    let unknown = callbacks::unknown("mystery", TARO).with("content", "蘇我野".into());
    server.simulator.deliver(&unknown).await.unwrap();
    for path in ["/customer/999999", "/nowhere/蘇我野", "/admin/nowhere"] {
        browser.get(&encode(path).replace("%2F", "/")).await;
    }
}

/// What a program does.
async fn program(server: &TestServer, token: &str, id: i64) {
    let bearer = format!("Bearer {token}");
    let path = format!("/api/v1/customers/{id}/messages");
    let body = serde_json::json!({"text": "番組からの文面です"});
    let sent = Ask::post(&path).header("authorization", &bearer).json(&body);
    assert!(sent.send(server.address).await.status < 300);
    for path in [
        format!("/api/v1/customers?q={}", encode("蘇我野")),
        format!("/check-customer/{TARO}"),
        format!("/search?q={}", encode("蘇我野")),
    ] {
        Ask::get(&path)
            .header("authorization", &bearer)
            .send(server.address)
            .await;
    }
    let wrong = Ask::get("/api/v1/customers").header("authorization", "Bearer 0123456789abcdef-wrong");
    assert_eq!(wrong.send(server.address).await.status, 401);
}

async fn administration(browser: &mut Browser) {
    for path in [
        "/admin",
        "/admin/users",
        "/admin/teams",
        "/admin/tokens",
        "/admin/sessions",
        "/admin/audit",
        "/admin/retention",
        "/admin/line-works",
        "/me",
        "/trash",
        "/test-webhook",
        "/unknown-senders",
        "/companies",
        "/",
    ] {
        browser.get(path).await;
    }
    browser.get("/company/new").await;
    let company = [("name", "株式会社秘密製作所"), ("address", "秘密の郵便先")];
    assert_eq!(browser.post("/company/new", &company).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_and_no_secret_stands_in_the_log() {
    let setup = setup().with("CRM_LOG", "debug");
    let mut server = TestServer::start_with(setup).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let id = somebody(&server, &mut browser).await;
    let path = format!("/customer/{id}");
    let stranger = callbacks::text(HANAKO, "はじめての見知らぬ人");
    server.simulator.deliver(&stranger).await.unwrap();
    let body = serde_json::json!({"userId": HANAKO, "message": "宛先の分からない文"});
    browser.post_json("/send-message", &body).await;
    administration(&mut browser).await;
    failures(&server, &mut browser, &path).await;
    let token = server.token(Role::Admin).await;
    program(&server, &token, id.get()).await;
    browser.get(&path).await;
    browser.post(&format!("{path}/export"), &[]).await;
    let hold = [("customer", ""), ("reason", "訴訟の事情")];
    browser.get("/admin/retention").await;
    browser.post("/admin/retention/holds", &hold).await;
    browser.get(&path).await;
    browser.post(&format!("{path}/delete"), &[]).await;
    browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    browser.get("/admin/retention").await;
    browser.post("/admin/retention/holds/1/lift", &[]).await;
    browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    until("the receipt", async || {
        let page = browser.get("/admin/retention").await.text();
        page.contains("より前に作られたバックアップ").then_some(())
    })
    .await;
    let session = browser.cookie("crm_session").unwrap().to_owned();
    let csrf = browser.token.clone();
    browser.post("/logout", &[]).await;
    server.stop().await;
    let log = server.log();
    assert!(log.contains("DEBUG") && log.len() > 10_000, "{log}");
    let settings = server.simulator.settings();
    let secrets = settings
        .iter()
        .filter(|(name, _)| name.contains("SECRET") || name.contains("KEY"))
        .filter_map(|(_, value)| value.lines().max_by_key(|line| line.len()))
        .filter(|value| !value.starts_with('/'));
    let more = [token.as_str(), &session, &csrf, PASSWORD, HANAKO];
    let all = WORDS.iter().chain(MORE).copied().chain(more).chain(secrets);
    for words in all.filter(|words| !words.is_empty()) {
        let encoded = encode(words);
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(words) || line.contains(&encoded))
            .collect();
        assert!(lines.is_empty(), "{words} stands in the log: {lines:#?}");
    }
}
