//! Signing in and out: poem's pitfalls 3 to 6, closed.

use crm_domain::members::{LinkPurpose, Role};

use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Setup, TestServer};

#[tokio::test]
async fn a_member_signs_in_and_out() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let mut browser = server.browser();
    let refused = browser.get("/customers?q=a%26b").await;
    assert_eq!(refused.status, 303);
    assert_eq!(
        refused.header("location"),
        Some("/login?next=%2Fcustomers%3Fq%3Da%2526b")
    );
    browser.get("/login?next=%2Fcustomers%3Fq%3Da%2526b").await;
    let typed = [
        ("email", "Hanako@Example.jp"),
        ("password", PASSWORD),
        ("next", "/customers?q=a%26b"),
    ];
    let answer = browser.post("/login", &typed).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/customers?q=a%26b"))
    );
    assert_eq!(browser.get("/login").await.status, 303, "signed in already");
    let session = browser.cookie("crm_session").expect("a session").to_owned();
    browser.token = server_token(&mut browser).await;
    let out = browser.post("/logout", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert_eq!(browser.cookie("crm_session"), None, "the cookie ends");
    let old = Ask::get("/api/v1/customers").header("cookie", format!("crm_session={session}"));
    assert_eq!(
        old.send(server.address).await.status,
        401,
        "the session ends on the server too"
    );
}

/// The token of a page for whoever is signed in.
async fn server_token(browser: &mut crate::harness::Browser) -> String {
    let page = browser.get("/nowhere").await;
    assert_eq!(page.status, 404);
    page.csrf()
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_and_secure_where_it_can_be() {
    let setup = Setup::default()
        .with("CRM_TRUSTED_PROXIES", "127.0.0.0/8")
        .with("CRM_PUBLIC_URL", "https://crm.example.jp");
    let server = TestServer::start_with(setup).await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let cookie = async |proxied: bool| {
        let mut browser = server.browser();
        browser.get("/login").await;
        let token = browser.token.clone();
        let typed = [
            ("email", "hanako@example.jp"),
            ("password", PASSWORD),
            ("csrf_token", token.as_str()),
        ];
        let mut ask = Ask::post("/login").form(&typed);
        if proxied {
            ask = ask
                .header("x-forwarded-proto", "https")
                .header("origin", "https://crm.example.jp");
        }
        let answer = browser.send(ask).await;
        let line = answer
            .all("set-cookie")
            .into_iter()
            .find(|line| line.starts_with("crm_session="));
        line.expect("a session").to_owned()
    };
    let (plain, proxied) = (cookie(false).await, cookie(true).await);
    for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax"] {
        assert!(
            plain.contains(part) && proxied.contains(part),
            "{part} in {plain}"
        );
    }
    assert!(
        !plain.contains("Secure") && proxied.contains("; Secure"),
        "{proxied}"
    );
}

#[tokio::test]
async fn a_planted_session_is_worth_nothing() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let mut browser = server.browser();
    let planted = "a".repeat(64);
    browser.cookies.push(("crm_session".to_owned(), planted.clone()));
    assert_eq!(browser.sign_in("hanako@example.jp", PASSWORD).await.status, 303);
    let first = browser.cookie("crm_session").expect("a session").to_owned();
    assert_ne!(first, planted);
    let ask = |value: &str| Ask::get("/api/v1/customers").header("cookie", format!("crm_session={value}"));
    assert_eq!(ask(&planted).send(server.address).await.status, 401);
    assert_eq!(ask(&first).send(server.address).await.status, 200);
    let mut again = server.browser();
    again.sign_in("hanako@example.jp", PASSWORD).await;
    assert_ne!(
        again.cookie("crm_session"),
        Some(first.as_str()),
        "each sign-in is a session of its own"
    );
}

#[tokio::test]
async fn after_signing_in_one_stays_on_this_server() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    for next in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/%09/evil",
        "javascript:alert(1)",
    ] {
        let mut browser = server.browser();
        browser
            .get(&format!("/login?next={}", crate::harness::http::encode(next)))
            .await;
        let typed = [
            ("email", "hanako@example.jp"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let answer = browser.post("/login", &typed).await;
        let place = answer.header("location").expect("a place").to_owned();
        assert!(
            place == "/" || (next.contains("%09") && place == next),
            "{next} led to {place}"
        );
    }
}

#[tokio::test]
async fn wrong_guesses_are_turned_away_after_ten_and_known_browsers_are_not() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let mut known = server.browser();
    assert_eq!(known.sign_in("hanako@example.jp", PASSWORD).await.status, 303);
    known.cookies.retain(|(name, _)| name != "crm_session");
    let mut stranger = server.browser();
    for _ in 0..10 {
        let answer = stranger.sign_in("hanako@example.jp", "wrong").await;
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("hanako@example.jp") && !answer.text().contains("\"wrong\""));
    }
    let mut other = server.browser();
    let answer = other.sign_in("hanako@example.jp", PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert!(
        answer
            .header("retry-after")
            .is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|s| s > 0))
    );
    assert_eq!(
        known.sign_in("hanako@example.jp", PASSWORD).await.status,
        303,
        "who is known is not locked out"
    );
    assert_eq!(
        stranger.sign_in("nobody@example.jp", "wrong").await.status,
        422,
        "another account is not concerned"
    );
    assert!(!server.log().contains("hanako@"), "the log names nobody");
}

#[tokio::test]
async fn a_link_signs_in_once_and_looking_does_not_use_it_up() {
    let server = TestServer::start().await;
    let member = server.add_member("hanako@example.jp", Role::Member).await;
    let secret = server
        .crm
        .make_link(&TestServer::operator(), member, LinkPurpose::SignIn)
        .await
        .unwrap();
    let path = format!("/link/{secret}");
    for _ in 0..2 {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.text().contains("<form method=\"post\""),
            "{}",
            answer.text()
        );
    }
    let mut browser = server.browser();
    browser.get(&path).await;
    let answer = browser.post(&path, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    assert!(browser.cookie("crm_session").is_some());
    let mut late = server.browser();
    assert_eq!(late.get(&path).await.status, 404);
    assert_eq!(late.post(&path, &[]).await.status, 404);
    assert!(!server.log().contains(&secret));
}

#[tokio::test]
async fn a_link_for_a_password_takes_a_good_one_only() {
    let server = TestServer::start().await;
    let member = server.add_member("hanako@example.jp", Role::Member).await;
    let secret = server
        .crm
        .make_link(&TestServer::operator(), member, LinkPurpose::SetPassword)
        .await
        .unwrap();
    let path = format!("/link/{secret}");
    let mut browser = server.browser();
    let page = browser.get(&path).await;
    assert!(page.text().contains("name=\"new_password\""));
    assert_eq!(
        browser.post(&path, &[("new_password", "short")]).await.status,
        422
    );
    assert_eq!(
        browser
            .post(&path, &[("new_password", "long enough 馬")])
            .await
            .status,
        303
    );
    let mut again = server.browser();
    assert_eq!(
        again.sign_in("hanako@example.jp", PASSWORD).await.status,
        422,
        "the old one is gone"
    );
    assert_eq!(
        again.sign_in("hanako@example.jp", "long enough 馬").await.status,
        303
    );
}

#[tokio::test]
async fn a_disabled_member_is_out_at_once() {
    let server = TestServer::start().await;
    server.add_member("boss@example.jp", Role::Admin).await;
    let member = server.add_member("hanako@example.jp", Role::Member).await;
    let mut browser = server.browser();
    browser.sign_in("hanako@example.jp", PASSWORD).await;
    assert_eq!(browser.get("/api/v1/customers").await.status, 200);
    server
        .crm
        .disable_member(&TestServer::operator(), member, true)
        .await
        .unwrap();
    assert_eq!(browser.get("/api/v1/customers").await.status, 401);
    assert_eq!(
        server
            .browser()
            .sign_in("hanako@example.jp", PASSWORD)
            .await
            .status,
        422
    );
}
