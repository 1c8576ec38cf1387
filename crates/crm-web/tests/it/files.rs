//! What customers send besides words: fetched at once, kept, downloaded; and never an empty bubble.

use std::time::Duration;

use crm_domain::attachments::{Attachment, AttachmentId, AttachmentState};
use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_lineworks_sim::{Endpoint, Fault, callbacks};
use serde_json::json;

use crate::harness::{TARO, TestServer, on_postgres, until};

const ROOM: &str = "7f2a0000-0000-4000-8000-00000000000c";

async fn attachment(server: &TestServer, id: i64) -> Option<Attachment> {
    let id = AttachmentId::new(id);
    let found: Result<_, StoreError> = server
        .store
        .read(move |unit| unit.attachments().attachment(id))
        .await;
    found.unwrap()
}

async fn in_state(server: &TestServer, id: i64, state: AttachmentState) -> Attachment {
    until("the file's state", async || {
        attachment(server, id).await.filter(|file| file.state == state)
    })
    .await
}

/// A server whose customer Taro has just sent a photo.
async fn photo_sent(server: &TestServer, bytes: &[u8]) -> CustomerId {
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    send_photo(server, bytes).await;
    server.wait_for_messages(taro, 1).await;
    taro
}

async fn send_photo(server: &TestServer, bytes: &[u8]) {
    let id = server
        .simulator
        .store_file("現場 写真.jpg", bytes.to_vec())
        .unwrap();
    let delivery = server.simulator.deliver(&callbacks::image(TARO, &id)).await;
    assert_eq!(delivery.unwrap().status, 200);
}

#[tokio::test]
async fn a_photo_is_fetched_and_can_be_downloaded() {
    let server = TestServer::start().await;
    let bytes: Vec<u8> = (0..400_000_u32).map(|number| (number % 251) as u8).collect();
    let taro = photo_sent(&server, &bytes).await;
    in_state(&server, 1, AttachmentState::Stored).await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get(&format!("/customer/{taro}")).await.text();
    for part in ["現場 写真.jpg", "390 KB", "href=\"/file/1\"", "ダウンロード"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let file = browser.get("/file/1").await;
    assert_eq!(file.status, 200);
    assert!(file.body == bytes, "{} bytes", file.body.len());
    let header = |name: &str| file.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename*=UTF-8''%E7%8F%BE%E5%A0%B4%20%E5%86%99%E7%9C%9F.jpg"
    );
    assert!(header("content-security-policy").starts_with("sandbox"));
    assert!(header("cache-control").contains("private"));
    for unknown in ["/file/2", "/file/0", "/file/x"] {
        assert_eq!(browser.get(unknown).await.status, 404, "{unknown}");
    }
    let message = server.conversation(taro).await[0].id;
    let news = format!("/customer/{taro}/messages?after={message}&watch={message}");
    let news = browser.get(&news).await.text();
    assert!(
        news.contains("data-file=\"stored\""),
        "an open page learns of it: {news}"
    );
    let stranger = server.get("/file/1").await;
    assert_eq!(stranger.status, 303, "only for who is signed in");
}

#[tokio::test]
async fn a_strangers_photo_is_there_when_they_become_a_customer() {
    let server = TestServer::start().await;
    send_photo(&server, b"bytes of a stranger").await;
    in_state(&server, 1, AttachmentState::Stored).await;
    let mut browser = server.signed_in(Role::Member).await;
    assert_eq!(browser.get("/file/1").await.body, b"bytes of a stranger");
}

#[tokio::test]
async fn a_strangers_photo_can_be_downloaded_before_they_are_a_customer() {
    let server = TestServer::start().await;
    send_photo(&server, b"a photo").await;
    let file = in_state(&server, 1, AttachmentState::Stored).await.id;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get("/unknown-senders").await.text();
    assert!(page.contains(&format!("href=\"/file/{file}\"")), "{page}");
}

#[tokio::test]
async fn what_cannot_be_fetched_now_is_fetched_later() {
    let server = TestServer::start().await;
    server.simulator.pause().await;
    let taro = photo_sent(&server, b"later").await;
    let mut browser = server.signed_in(Role::Member).await;
    let address = format!("/customer/{taro}");
    until("the reason on the page", async || {
        let page = browser.get(&address).await.text();
        Some(()).filter(|()| page.contains("取得中…") && page.contains("LINE WORKSに接続できません"))
    })
    .await;
    assert_eq!(browser.get("/file/1").await.status, 404, "not there yet");
    server.simulator.resume().await.unwrap();
    in_state(&server, 1, AttachmentState::Stored).await;
    assert_eq!(browser.get("/file/1").await.body, b"later");
}

#[tokio::test]
async fn a_crash_while_fetching_costs_nothing() {
    if on_postgres() {
        // Where several servers may be, the file waits for the end of a lease of minutes.
        return;
    }
    let mut server = TestServer::start().await;
    let slow = Fault::Slow(Duration::from_mins(1));
    server.simulator.always_on(Endpoint::Files, slow);
    photo_sent(&server, b"after the crash").await;
    until("the server asks for the file", async || {
        Some(()).filter(|()| server.simulator.requests(Endpoint::Files) > 0)
    })
    .await;
    server.kill().await;
    server.simulator.clear_faults();
    server.start_again().await;
    in_state(&server, 1, AttachmentState::Stored).await;
    let mut browser = server.signed_in(Role::Member).await;
    assert_eq!(browser.get("/file/1").await.body, b"after the crash");
}

#[tokio::test]
async fn what_is_gone_is_told_and_can_be_asked_for_again() {
    let server = TestServer::start().await;
    server.simulator.always_on(Endpoint::Files, Fault::status(404));
    let taro = photo_sent(&server, b"here after all").await;
    in_state(&server, 1, AttachmentState::Gone).await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get(&format!("/customer/{taro}")).await.text();
    for part in [
        "LINE WORKSにファイルが残っていません",
        "action=\"/file/1/fetch\"",
        "もう一度取得する",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    server.simulator.clear_faults();
    let customer = taro.to_string();
    let answer = browser.post("/file/1/fetch", &[("customer", &customer)]).await;
    let back = format!("/customer/{taro}");
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(back.as_str()))
    );
    in_state(&server, 1, AttachmentState::Stored).await;
    assert_eq!(browser.get("/file/1").await.body, b"here after all");
    assert_eq!(browser.post("/file/9/fetch", &[]).await.status, 404);
}

#[tokio::test]
async fn everything_that_is_said_shows_and_nothing_disturbs() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let events = [
        callbacks::join(ROOM),
        callbacks::joined(ROOM, &[TARO]),
        callbacks::begin(TARO, "00000000-0000-4000-8000-0000000000aa"),
        callbacks::text_with_postback(TARO, "はい", "deal=42"),
        callbacks::location(TARO, "東京都千代田区丸の内1-9-1", 35.681, 139.767),
        callbacks::sticker(TARO, "789", "10855"),
        callbacks::postback(TARO, "00000000-0000-4000-8000-0000000000aa", "own=yes"),
        callbacks::postback(TARO, ROOM, "room=yes"),
        callbacks::text(TARO, "皆さんこんにちは").in_channel(ROOM),
        callbacks::audio(TARO, "jp1.none"),
        callbacks::message(TARO, json!({"type": "hologram", "depth": 3})),
        callbacks::text(TARO, "最後です").with("mood", json!(["good"])),
        callbacks::unknown("reaction", TARO),
        callbacks::left(ROOM, &[TARO]),
        callbacks::leave(ROOM),
    ];
    for event in &events {
        assert_eq!(
            server.simulator.deliver(event).await.unwrap().status,
            200,
            "{}",
            event.kind()
        );
    }
    server.wait_for_messages(taro, 9).await;
    in_state(&server, 1, AttachmentState::Gone).await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get(&format!("/customer/{taro}")).await.text();
    for part in [
        "deal=42",
        "東京都千代田区丸の内1-9-1",
        "https://www.google.com/maps/",
        "rel=\"noopener noreferrer\"",
        "［スタンプ］",
        "own=yes",
        "room=yes",
        "［音声］",
        "［この種類のメッセージは表示できません（hologram）］",
        "最後です",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(
        page.matches("class=\"msg-room\"").count(),
        2,
        "the room's two: {page}"
    );
}
