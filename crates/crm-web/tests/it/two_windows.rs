//! Two people with the same things open: what one does, the other sees, without touching anything.

use std::time::Instant;

use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_lineworks_sim::callbacks;

use crate::harness::window::Window;
use crate::harness::{TARO, TestServer};

const ENTER: &str = "\u{e007}";
const WORDS: &str =
    "return [...document.querySelectorAll('.msg .msg-text')].map((m) => m.textContent).join('|')";

async fn window(server: &TestServer, email: &str, path: &str) -> Window {
    server.add_member(email, Role::Member).await;
    let window = Window::open(server, 1280).await;
    window.sign_in(email).await;
    window.go(path).await;
    window
}

async fn scene() -> (TestServer, Window, Window, CustomerId) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let path = format!("/customer/{customer}");
    let one = window(&server, "one@example.jp", &path).await;
    let other = window(&server, "other@example.jp", &path).await;
    (server, one, other, customer)
}

fn shown(words: &str) -> String {
    format!("{WORDS} === '{words}'")
}

#[tokio::test]
async fn what_one_sends_the_other_sees_and_loses_nothing_by_it() {
    let (server, one, other, customer) = scene().await;
    for number in 0..30 {
        let words = format!("お客様の言葉 {number}");
        server
            .simulator
            .deliver(&callbacks::text(TARO, &words))
            .await
            .unwrap();
    }
    server.wait_for_messages(customer, 30).await;
    let all = "return document.querySelectorAll('.msg[data-id]').length === 30";
    one.until("all are there", all).await;
    other.until("all are there", all).await;
    other.type_into("#message", "書きかけ").await;
    other
        .run("document.querySelector('[data-talk]').scrollTop = 0")
        .await;
    one.type_into("#message", &format!("お返事{ENTER}")).await;
    other
        .until(
            "the other sees it",
            "return document.querySelectorAll('.msg-out[data-id]').length === 1",
        )
        .await;
    other
        .until(
            "and what became of it",
            "return document.querySelector('.msg[data-state=sent]') !== null",
        )
        .await;
    assert_eq!(
        other
            .ask::<String>("return document.querySelector('#message').value")
            .await,
        "書きかけ"
    );
    assert_eq!(
        other.ask::<String>("return document.activeElement.id").await,
        "message"
    );
    assert_eq!(
        other
            .ask::<f64>("return document.querySelector('[data-talk]').scrollTop")
            .await
            .to_bits(),
        0.0_f64.to_bits()
    );
    assert!(
        !other
            .ask::<bool>("return document.querySelector('[data-talk-new]').hidden")
            .await
    );
    one.close().await;
    other.close().await;
}

#[tokio::test]
async fn lists_and_records_follow_too() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", None).await;
    let list = window(&server, "one@example.jp", "/customers").await;
    let page = window(&server, "other@example.jp", &format!("/customer/{customer}")).await;
    let details = server
        .crm
        .show_customer(&TestServer::operator(), customer)
        .await
        .unwrap()
        .customer
        .details;
    let renamed = crm_domain::customers::CustomerDetails {
        name: crm_domain::values::PersonName::new("鈴木", "太郎").unwrap(),
        ..details
    };
    server
        .crm
        .revise_customer(&TestServer::operator(), customer, None, renamed)
        .await
        .unwrap();
    list.until(
        "the list",
        "return document.querySelector('#records').innerText.includes('鈴木')",
    )
    .await;
    page.until(
        "the record",
        "return document.querySelector('#profile').innerText.includes('鈴木')",
    )
    .await;
    list.click("#records tr[data-href]").await;
    list.until(
        "its rows still open",
        "return location.pathname.startsWith('/customer/')",
    )
    .await;
    list.close().await;
    page.close().await;
}

#[tokio::test]
async fn many_pages_of_one_browser_share_one_stream_and_all_see_what_happens() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let path = format!("/customer/{customer}");
    let window = window(&server, "one@example.jp", &path).await;
    let first = window.driver.window().await.unwrap();
    let mut tabs = vec![first];
    for _ in 0..7 {
        let tab = window.driver.new_tab().await.unwrap();
        window.driver.switch_to_window(tab.clone()).await.unwrap();
        // With a stream for each, the seventh page would never load.
        window.go(&path).await;
        tabs.push(tab);
    }
    server
        .simulator
        .deliver(&callbacks::text(TARO, "みんなへ"))
        .await
        .unwrap();
    for tab in &tabs {
        window.driver.switch_to_window(tab.clone()).await.unwrap();
        window.until("every page", &shown("みんなへ")).await;
    }
    // The page that reads the stream goes; another takes over.
    window.driver.switch_to_window(tabs.remove(0)).await.unwrap();
    window.driver.close_window().await.unwrap();
    server
        .simulator
        .deliver(&callbacks::text(TARO, "続き"))
        .await
        .unwrap();
    for tab in &tabs {
        window.driver.switch_to_window(tab.clone()).await.unwrap();
        window
            .until("every page that is left", &shown("みんなへ|続き"))
            .await;
    }
    window.close().await;
}

#[tokio::test]
async fn a_page_comes_back_after_a_restart_with_what_happened_meanwhile() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let setup = crate::harness::Setup::default().with("CRM_LISTEN", &port.to_string());
    let mut server = TestServer::start_with(setup).await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let window = window(&server, "one@example.jp", &format!("/customer/{customer}")).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "ここに"))
        .await
        .unwrap();
    window.until("it listens", &shown("ここに")).await;
    window.type_into("#message", "書きかけ").await;
    server.kill().await;
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    let line = "return document.querySelector('[data-status-line]').innerText";
    let told = "接続が切れています。自動で再接続します。";
    window
        .until("it is told", &format!("{line}.includes('{told}')"))
        .await;
    server.start_again().await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "留守の間に"))
        .await
        .unwrap();
    let begun = Instant::now();
    while window.ask::<String>(WORDS).await != "ここに|留守の間に" {
        assert!(begun.elapsed().as_secs() < 40, "it does not come back");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    window.until("and the line goes", &format!("{line} === ''")).await;
    assert_eq!(
        window
            .ask::<String>("return document.querySelector('#message').value")
            .await,
        "書きかけ"
    );
    window.close().await;
}
