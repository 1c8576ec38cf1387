//! What LINE WORKS sends: every case answers at once, and nothing that could be wanted is lost.

use crm_domain::members::Role;
use crm_lineworks_sim::{Signing, callbacks};
use time::macros::datetime;

use crate::harness::{Ask, HANAKO, Setup, TARO, TestServer};

#[tokio::test]
async fn a_message_stands_on_the_page_of_everyone_with_that_id() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let twin = server.add_customer("山田", "太朗", Some(TARO)).await;
    let other = server.add_customer("佐藤", "花子", Some(HANAKO)).await;
    let event = callbacks::text(TARO, "見積もりを\n送ってください 🙇")
        .issued_at(datetime!(2025-07-08 02:45:46.446 UTC));
    let delivery = server.simulator.deliver(&event).await.unwrap();
    assert_eq!(delivery.status, 200);
    for customer in [taro, twin] {
        let messages = server.wait_for_messages(customer, 1).await;
        assert_eq!(messages[0].message, "見積もりを\n送ってください 🙇");
        assert_eq!(messages[0].timestamp.to_string(), "2025-07-08T02:45:46.446Z");
    }
    assert!(server.conversation(other).await.is_empty());
    let log = server
        .wait_for_log(&format!("Activity recorded for customer {twin}"))
        .await;
    assert!(log.contains(" INFO webhook Activity recorded"), "{log}");
    assert!(!log.contains("見積もり") && !log.contains(TARO), "{log}");
}

#[tokio::test]
async fn the_same_callback_counts_once() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let body = callbacks::text(TARO, "一度だけ").body(40_000_001, datetime!(2025-07-08 02:45:46 UTC));
    for _ in 0..3 {
        let delivery = server
            .simulator
            .deliver_bytes(body.clone(), Signing::Right)
            .await
            .unwrap();
        assert_eq!(delivery.status, 200);
    }
    server
        .simulator
        .deliver(&callbacks::text(TARO, "もう一度"))
        .await
        .unwrap();
    assert_eq!(server.wait_for_messages(taro, 2).await.len(), 2);
}

#[tokio::test]
async fn what_is_not_signed_rightly_is_answered_and_does_not_count() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let event = callbacks::text(TARO, "偽物");
    for signing in [
        Signing::Wrong,
        Signing::Missing,
        Signing::Text("!".to_owned()),
        Signing::Text(String::new()),
    ] {
        let delivery = server
            .simulator
            .deliver_signed(&event, signing.clone())
            .await
            .unwrap();
        assert_eq!(delivery.status, 200, "{signing:?}");
    }
    let body = event.body(40_000_001, datetime!(2025-07-08 02:45:46 UTC));
    let signature = callbacks::sign("another bot's secret", &body);
    let other_bot = Ask::post("/webhook")
        .header("x-works-botid", "999")
        .header("x-works-signature", signature);
    assert_eq!(other_bot.bytes(body).send(server.address).await.status, 200);
    server
        .simulator
        .deliver(&callbacks::text(TARO, "本物"))
        .await
        .unwrap();
    let messages = server.wait_for_messages(taro, 1).await;
    assert_eq!(
        messages.iter().map(|m| m.message.as_str()).collect::<Vec<_>>(),
        ["本物"]
    );
    let log = server.log();
    for words in [
        " WARNING webhook callback ignored: wrong signature",
        "no signature",
        "another bot's id",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_kept_and_holds_up_nothing() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let bodies: [&[u8]; 7] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{\"type\":5}",
        b"{\"type\":\"message\",\"source\":null}",
    ];
    for body in bodies {
        let delivery = server
            .simulator
            .deliver_bytes(body.to_vec(), Signing::Right)
            .await
            .unwrap();
        assert_eq!(delivery.status, 200, "{body:?}");
    }
    for event in [
        callbacks::unknown("brand_new", TARO),
        callbacks::text(TARO, "よその会社").from_domain(7),
        callbacks::text(HANAKO, "知らない人"),
        callbacks::sticker(TARO, "1", "2"),
        callbacks::text(TARO, "零\u{0}字"),
    ] {
        assert_eq!(server.simulator.deliver(&event).await.unwrap().status, 200);
    }
    server
        .simulator
        .deliver(&callbacks::text(TARO, "その後"))
        .await
        .unwrap();
    crate::harness::until("the message after them all", async || {
        let messages = server.conversation(taro).await;
        messages
            .iter()
            .any(|message| message.message == "その後")
            .then_some(())
    })
    .await;
    let log = server.log();
    assert!(
        log.contains(" WARNING webhook No customer has the user id 0b1c2d3e"),
        "{log}"
    );
    assert!(
        log.contains("not understood") && !log.contains("知らない人"),
        "{log}"
    );
}

#[tokio::test]
async fn times_are_shown_in_the_configured_zone() {
    let setup = Setup::default().with("CRM_TIMEZONE", "America/New_York");
    let server = TestServer::start_with(setup).await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let event = callbacks::text(TARO, "いま何時").issued_at(datetime!(2025-07-08 02:45:46.446 UTC));
    server.simulator.deliver(&event).await.unwrap();
    server.wait_for_messages(taro, 1).await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get(&format!("/customer/{taro}")).await.text();
    assert!(
        page.contains("22:45") && page.contains("2025-07-07"),
        "the evening before, in New York"
    );
}

#[tokio::test]
async fn only_listed_addresses_may_call_when_there_is_a_list() {
    let setup = Setup::default()
        .with("LINE_WORKS_ALLOWED_IPS", "203.0.113.0/24")
        .with("CRM_TRUSTED_PROXIES", "127.0.0.1");
    let server = TestServer::start_with(setup).await;
    let ask = |from: &str| Ask::post("/webhook").header("x-forwarded-for", from).bytes("{}");
    assert_eq!(ask("203.0.113.9").send(server.address).await.status, 200);
    assert_eq!(ask("198.51.100.1").send(server.address).await.status, 403);
    assert_eq!(
        ask("203.0.113.9, 198.51.100.1").send(server.address).await.status,
        403,
        "only the last hop is believed"
    );
}

#[tokio::test]
async fn only_post_is_understood() {
    let server = TestServer::start().await;
    let answer = server.get("/webhook").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn debug_shows_names_and_sizes_and_never_what_was_said() {
    let server = TestServer::start_with(Setup::default().with("CRM_LOG", "debug")).await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "ひみつの話"))
        .await
        .unwrap();
    let token = server.token(Role::Member).await;
    let ask = Ask::get("/api/v1/customers?limit=7").header("authorization", format!("Bearer {token}"));
    assert_eq!(ask.send(server.address).await.status, 200);
    let log = server.wait_for_log("GET /api/v1/customers [").await;
    assert!(
        log.contains("POST /webhook [") && log.contains("x-works-signature") && log.contains("-> 200"),
        "{log}"
    );
    for secret in ["ひみつ", token.as_str(), "limit=7", TARO, "山田"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
