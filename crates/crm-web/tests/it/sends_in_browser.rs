//! Sending as the browser shows it: the count while typing, and what waits.

use crm_domain::members::Role;

use crate::harness::window::Window;
use crate::harness::{TARO, TestServer};

async fn scene() -> (TestServer, Window, String) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let window = Window::open(&server, 1280).await;
    window.sign_in("hanako@example.jp").await;
    let page = format!("/customer/{customer}");
    window.go(&page).await;
    (server, window, page)
}

/// Types a text of this length as a person would paste it.
async fn paste(window: &Window, length: usize) {
    let script = format!(
        "const field = document.querySelector('#message'); field.value = 'あ'.repeat({length}); \
         field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    );
    window.run(&script).await;
}

async fn count(window: &Window) -> Option<String> {
    let script = "const place = document.querySelector('[data-composer] [data-count]'); \
                  return place.hidden ? null : place.textContent";
    window.ask(script).await
}

#[tokio::test]
async fn the_count_shows_near_the_limit_and_a_text_beyond_it_is_not_sent() {
    let (server, window, _) = scene().await;
    for (length, shown) in [
        (1_799, None),
        (1_950, Some("1,950/2,000")),
        (2_001, Some("2,001/2,000")),
    ] {
        paste(&window, length).await;
        assert_eq!(count(&window).await.as_deref(), shown);
    }
    window.click("[data-composer] [type=submit]").await;
    window
        .until(
            "the reason stands at the field, and the text in it",
            "return document.querySelector('[data-composer-error]').textContent.includes('2,000文字') \
             && document.querySelector('#message').value.length === 2001",
        )
        .await;
    assert!(server.simulator.messages().is_empty());
    window.close().await;
}

#[tokio::test]
async fn what_waits_says_why_and_goes_by_itself() {
    let (server, window, _) = scene().await;
    server.simulator.pause().await;
    window.run("window.samePage = true").await;
    window.type_into("#message", "待っています\u{e007}").await;
    window
        .until(
            "it waits, with the reason, the next try and a way back",
            "const message = document.querySelector('.msg[data-state=queued]'); \
             return message !== null && message.textContent.includes('LINE WORKSに接続できません') \
             && message.textContent.includes('ごろ自動で試します') \
             && message.querySelector('form[action$=\"/cancel\"]') !== null",
        )
        .await;
    let untroubled = "return document.querySelector('[data-composer-error]').textContent";
    assert_eq!(window.ask::<String>(untroubled).await, "");
    server.simulator.resume().await.unwrap();
    window
        .until(
            "it is sent",
            "return document.querySelector('.msg[data-state=sent]') !== null",
        )
        .await;
    assert!(window.ask::<bool>("return window.samePage === true").await);
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
    window.close().await;
}
