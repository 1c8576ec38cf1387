//! An open conversation in a real browser: what is typed is never lost, what is shown is what is there.

use std::time::Duration;

use crm_domain::activities::Activity;
use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_domain::sends::SendState;
use crm_lineworks_sim::{Endpoint, Fault, callbacks};
use time::OffsetDateTime;

use crate::harness::window::Window;
use crate::harness::{TARO, TestServer, until};

const ENTER: &str = "\u{e007}";
const FIELD: &str = "return document.querySelector('#message').value";
const ERROR: &str = "return document.querySelector('[data-composer-error]').innerText";
const WORDS: &str =
    "return [...document.querySelectorAll('.msg .msg-text')].map((m) => m.textContent).join('|')";

async fn scene(width: u32) -> (TestServer, Window, CustomerId) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_member("hanako@example.jp", Role::Admin).await;
    let window = Window::open(&server, width).await;
    window.sign_in("hanako@example.jp").await;
    window.go(&format!("/customer/{customer}")).await;
    (server, window, customer)
}

async fn send(window: &Window, words: &str) {
    window.type_into("#message", &format!("{words}{ENTER}")).await;
}

async fn states(server: &TestServer, customer: CustomerId) -> Vec<SendState> {
    let messages = server.conversation(customer).await;
    messages.iter().filter_map(Activity::send_state).collect()
}

#[tokio::test]
async fn what_is_typed_while_another_is_sent_is_sent_too() {
    let (server, window, customer) = scene(1280).await;
    let slow = Fault::Slow(Duration::from_secs(3));
    server.simulator.fail_next_on(Endpoint::Send, 1, slow);
    for words in ["A", "B", "C"] {
        send(&window, words).await;
    }
    window.type_into("#message", "書きかけ").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(window.ask::<String>(WORDS).await, "A|B|C", "each once");
    until("all are sent", async || {
        let sent = states(&server, customer).await;
        (sent == [SendState::Sent; 3]).then_some(())
    })
    .await;
    let texts: Vec<String> = server
        .simulator
        .messages_to(TARO)
        .iter()
        .filter_map(|message| message.text().map(str::to_owned))
        .collect();
    assert_eq!(texts, ["A", "B", "C"]);
    window
        .until(
            "no bubble waits",
            "return !document.querySelector('[data-pending-message]')",
        )
        .await;
    assert_eq!(window.ask::<String>(WORDS).await, "A|B|C");
    assert_eq!(window.ask::<String>(FIELD).await, "書きかけ");
    window.close().await;
}

#[tokio::test]
async fn trying_again_in_the_field_leaves_no_second_failure() {
    let (server, window, customer) = scene(1280).await;
    server
        .simulator
        .fail_next_on(Endpoint::Send, 2, Fault::status(403));
    send(&window, "届いてほしい").await;
    for _ in 0..2 {
        window
            .until(
                "the text is back",
                "return document.querySelector('#message').value !== ''",
            )
            .await;
        assert_eq!(states(&server, customer).await, [SendState::Failed]);
        assert_eq!(window.ask::<String>(WORDS).await, "届いてほしい");
        window.type_into("#message", ENTER).await;
    }
    window
        .until(
            "sent",
            "return document.querySelector('.msg[data-state=sent]') !== null",
        )
        .await;
    assert_eq!(states(&server, customer).await, [SendState::Sent]);
    assert_eq!(window.ask::<String>(WORDS).await, "届いてほしい");
    assert_eq!(window.ask::<String>(FIELD).await, "");
    window.close().await;
}

#[tokio::test]
async fn whoever_is_signed_out_keeps_the_text_and_learns_where_to_sign_in() {
    let (server, window, customer) = scene(1280).await;
    window.driver.delete_all_cookies().await.unwrap();
    send(&window, "消えては困る").await;
    window
        .until(
            "it is told",
            "return document.querySelector('[data-composer-error] a') !== null",
        )
        .await;
    let told: String = window.ask(ERROR).await;
    assert!(
        told.contains("ログインの有効期限が切れた") && told.contains("下書き"),
        "{told}"
    );
    assert_eq!(window.ask::<String>(FIELD).await, "消えては困る");
    window.click("[data-composer-error] a").await;
    window.type_into("#f-email", "hanako@example.jp").await;
    window
        .type_into("#f-password", crate::harness::server::PASSWORD)
        .await;
    window.click("button[type=submit]").await;
    let back = format!("return location.pathname === '/customer/{customer}'");
    window.until("back on the page", &back).await;
    assert_eq!(window.ask::<String>(FIELD).await, "消えては困る");
    assert!(server.conversation(customer).await.is_empty());
    window.close().await;
}

#[tokio::test]
async fn what_comes_late_stands_at_its_place() {
    let (server, window, customer) = scene(1280).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "今日の一"))
        .await
        .unwrap();
    window
        .until(
            "the first",
            "return document.querySelectorAll('.msg[data-id]').length === 1",
        )
        .await;
    let two_days_ago = OffsetDateTime::from(std::time::UNIX_EPOCH + now()) - time::Duration::days(2);
    let late = callbacks::text(TARO, "おとといの便").issued_at(two_days_ago);
    server.simulator.deliver(&late).await.unwrap();
    server.wait_for_messages(customer, 2).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "今日の二"))
        .await
        .unwrap();
    window
        .until(
            "all",
            "return document.querySelectorAll('.msg[data-id]').length === 3",
        )
        .await;
    let order = "return [...document.querySelectorAll('[data-messages] > li')].map((item) => item.matches('.day') ? '日' : item.querySelector('.msg-text').textContent).join('|')";
    assert_eq!(
        window.ask::<String>(order).await,
        "日|おとといの便|日|今日の一|今日の二"
    );
    window.close().await;
}

fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the simulator's clock is the real one")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap()
}

#[tokio::test]
async fn an_open_page_follows_a_leaving_a_deletion_and_its_undoing() {
    let (server, window, customer) = scene(1280).await;
    for words in ["一", "二"] {
        server
            .simulator
            .deliver(&callbacks::text(TARO, words))
            .await
            .unwrap();
    }
    let found = server.wait_for_messages(customer, 2).await;
    let shown = |words: &str| format!("{WORDS} === '{words}'");
    window.until("both", &shown("一|二")).await;
    server
        .simulator
        .deliver(&callbacks::end(TARO, "c-1"))
        .await
        .unwrap();
    window
        .until(
            "the badge",
            "return document.querySelector('[data-link-status] .link-left') !== null",
        )
        .await;
    let note: String = window
        .ask("return document.querySelector('[data-left-note]').innerText")
        .await;
    assert!(
        note.contains("退室しています") && !note.contains("今日"),
        "{note}"
    );
    let first = found.last().unwrap().id;
    let operator = TestServer::operator();
    server.crm.delete_message(&operator, first).await.unwrap();
    window.until("it is gone", &shown("二")).await;
    server.crm.restore_message(&operator, first).await.unwrap();
    window.until("it is back at its place", &shown("一|二")).await;
    window.close().await;
}

#[tokio::test]
async fn after_a_deletion_the_focus_goes_on() {
    let (server, window, customer) = scene(1280).await;
    for words in ["一", "二"] {
        server
            .simulator
            .deliver(&callbacks::text(TARO, words))
            .await
            .unwrap();
    }
    server.wait_for_messages(customer, 2).await;
    for expected in ["二", ""] {
        window.go(&format!("/customer/{customer}")).await;
        window
            .run("document.querySelector('.msg-delete button').click()")
            .await;
        window.click("[data-dialog-ok]").await;
        let focus = if expected.is_empty() {
            "return document.querySelectorAll('.msg').length === 0 && document.activeElement.id === 'message'"
                .to_owned()
        } else {
            format!("return document.activeElement.querySelector('.msg-text')?.textContent === '{expected}'")
        };
        window.until("the focus", &focus).await;
    }
    window.close().await;
}
