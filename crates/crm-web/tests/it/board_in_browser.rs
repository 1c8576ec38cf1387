//! The board in two real browsers: what happens in one appears in the other.

use crm_domain::members::Role;
use crm_domain::use_cases::MemberForm;
use crm_lineworks_sim::callbacks;
use crm_testkit::postgres::TestDatabase;

use crate::harness::server::PASSWORD;
use crate::harness::window::Window;
use crate::harness::{HANAKO, TARO, TestServer, until};

async fn window(server: &TestServer, email: &str, name: &str, width: u32) -> Window {
    let form = MemberForm {
        email: email.to_owned(),
        name: name.to_owned(),
        role: Role::Member,
        password: Some(PASSWORD.to_owned()),
    };
    server
        .crm
        .add_member(&TestServer::operator(), form)
        .await
        .unwrap();
    let window = Window::open(server, width).await;
    window.sign_in(email).await;
    window
}

async fn say(server: &TestServer, user: &str, words: &str) {
    server
        .simulator
        .deliver(&callbacks::text(user, words))
        .await
        .unwrap();
}

fn holds(column: &str, words: &str) -> String {
    format!("return document.querySelector('#column-{column}').innerText.includes('{words}')")
}

#[tokio::test]
async fn what_one_takes_the_other_sees_taken() {
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let ken = window(&server, "ken@example.jp", "田中 健", 1280).await;
    let rie = window(&server, "rie@example.jp", "佐藤 理恵", 1280).await;
    for window in [&ken, &rie] {
        window.run("window.samePage = true").await;
    }
    say(&server, TARO, "見積もりをお願いします").await;
    let shown = holds("waiting", "見積もりをお願いします");
    ken.until("the message", &shown).await;
    rie.until("the message there too", &shown).await;
    ken.until("the title counts", "return document.title.startsWith('（1）')")
        .await;
    ken.click("form[action$='/take'] button").await;
    rie.until("it is taken", &holds("handled", "田中 健")).await;
    ken.until("and here", &holds("handled", "対応をやめる")).await;
    rie.until(
        "nobody waits untaken",
        &holds("waiting", "お待たせしているお客様はいません"),
    )
    .await;
    ken.click("form[action$='/close'] button").await;
    ken.until(
        "undo is offered",
        "return document.querySelector('.toast-undo') !== null",
    )
    .await;
    rie.until("it is done", &holds("done", "山田 太郎")).await;
    ken.click(".toast-undo").await;
    rie.until("it is back", &holds("handled", "田中 健")).await;
    for window in [ken, rie] {
        assert!(window.ask::<bool>("return window.samePage === true").await);
        window.close().await;
    }
}

#[tokio::test]
async fn who_is_slower_learns_who_has_it_and_can_hand_it_over() {
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let ken = window(&server, "ken@example.jp", "田中 健", 1280).await;
    say(&server, TARO, "お願いします").await;
    ken.until("the message", &holds("waiting", "お願いします")).await;
    // The page shows something old when the button is pressed.
    ken.run("const f = document.querySelector(\"form[action$='/take']\"); window.old = f.cloneNode(true);")
        .await;
    let operator = TestServer::operator();
    let members = server.crm.list_members(&operator).await.unwrap();
    let rie = MemberForm {
        email: "rie@example.jp".to_owned(),
        name: "佐藤 理恵".to_owned(),
        role: Role::Member,
        password: Some(PASSWORD.to_owned()),
    };
    let rie = server.crm.add_member(&operator, rie).await.unwrap();
    assert_eq!(members.len(), 1);
    let number: i64 = ken
        .ask("return Number(document.querySelector('[data-line]').dataset.line)")
        .await;
    let id = crm_domain::id::Id::new(number);
    server
        .crm
        .hand_over_conversation(&operator, id, rie, None)
        .await
        .unwrap();
    ken.until("it moved", &holds("handled", "佐藤 理恵")).await;
    ken.run("document.querySelector('.line-actions').append(window.old); window.old.requestSubmit()")
        .await;
    let told = "return document.querySelector('[data-handling-said]').innerText.includes('佐藤 理恵さんが対応中です')";
    ken.until("who has it", told).await;
    ken.click("[data-hand-over]").await;
    ken.until(
        "the dialog",
        "return document.querySelector('#hand-over-dialog').open",
    )
    .await;
    ken.run("const s = document.querySelector('#hand-over-to'); s.value = [...s.options].find((o) => o.text.includes('田中 健')).value").await;
    ken.type_into("#hand-over-note", "引き取ります").await;
    say(&server, HANAKO, "別の件です").await;
    ken.until("the board goes on", &holds("waiting", "別の件です"))
        .await;
    let still = "return document.querySelector('#hand-over-dialog').open && document.querySelector('#hand-over-note').value === '引き取ります'";
    assert!(ken.ask::<bool>(still).await);
    ken.click("#hand-over-dialog [type=submit]").await;
    ken.until(
        "it is mine",
        "return document.querySelector('#column-handled .handler-me') !== null",
    )
    .await;
    ken.close().await;
}

const SAID_ABOVE: &str = "document.querySelector('[data-status-line]').innerText";

#[tokio::test]
async fn a_board_that_hears_nothing_new_says_so_and_keeps_its_lines() {
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let ken = window(&server, "ken@example.jp", "田中 健", 1280).await;
    say(&server, TARO, "お願いします").await;
    let shown = holds("waiting", "お願いします");
    ken.until("the message", &shown).await;
    if let Some(database) = server.database() {
        database.shut();
        let name = database.name().to_owned();
        // A short interruption is nobody's business.
        tokio::time::sleep(std::time::Duration::from_secs(12)).await;
        let told = format!("return {SAID_ABOVE}.includes('表示は古いかもしれません')");
        ken.until("it may be old", &told).await;
        assert!(ken.ask::<bool>(&shown).await, "what was shown stays");
        TestDatabase::open_again(&name);
        ken.until("the line goes", &format!("return {SAID_ABOVE} === ''"))
            .await;
        say(&server, TARO, "その後です").await;
        ken.until("and it goes on", &holds("waiting", "その後です")).await;
    }
    let sign_out = "const form = document.querySelector(\"form[action='/logout']\");
        fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) })";
    ken.run(sign_out).await;
    let told = format!("return {SAID_ABOVE}.includes('ログアウトしました')");
    ken.until("signed out", &told).await;
    assert!(ken.ask::<bool>(&holds("waiting", "山田 太郎")).await);
    ken.close().await;
}

#[tokio::test]
async fn the_board_is_walked_by_keys_and_keeps_its_place() {
    let server = TestServer::start().await;
    for (last, user) in [("山田", TARO), ("佐藤", HANAKO)] {
        server.add_customer(last, "太郎", Some(user)).await;
        say(&server, user, "お願いします").await;
        until("recorded", async || {
            let counts = server
                .crm
                .board_counts(&TestServer::operator(), 10)
                .await
                .unwrap();
            (counts.waiting > usize::from(user == HANAKO)).then_some(())
        })
        .await;
    }
    let ken = window(&server, "ken@example.jp", "田中 健", 1280).await;
    ken.type_into("body", "\u{e015}\u{e015}").await;
    let focused =
        "return document.activeElement.matches('.line') && document.activeElement.innerText.includes('佐藤')";
    ken.until("the second line has the focus", focused).await;
    say(&server, TARO, "追伸です").await;
    ken.until("news", &holds("waiting", "追伸です")).await;
    assert!(ken.ask::<bool>(focused).await, "the focus stays");
    ken.type_into(".line:focus", "\u{e007}").await;
    ken.until("opened", "return location.pathname === '/customer/2'")
        .await;
    ken.go("/").await;
    ken.type_into("body", "j").await;
    ken.until(
        "the longest waiting",
        "return location.pathname === '/customer/1'",
    )
    .await;
    ken.close().await;
}

#[tokio::test]
async fn a_phone_shows_the_board_without_sideways_scrolling() {
    let server = TestServer::start().await;
    server
        .add_customer("長い名前のお客様", "山田太郎左衛門", Some(TARO))
        .await;
    say(&server, TARO, &"とても長い文章です。".repeat(20)).await;
    say(&server, HANAKO, "はじめまして").await;
    let ken = window(&server, "ken@example.jp", "田中 健", 390).await;
    ken.until("both", "return document.querySelectorAll('.line').length === 2")
        .await;
    let fits = "return document.documentElement.scrollWidth <= innerWidth";
    assert!(ken.ask::<bool>(fits).await);
    let small = "return [...document.querySelectorAll('main a, main button, .sidebar a, .sidebar summary')]
        .filter((e) => e.offsetParent && !e.closest('.line-who'))
        .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)";
    assert_eq!(ken.ask::<Vec<String>>(small).await, Vec::<String>::new());
    ken.click(".side-more summary").await;
    ken.until(
        "more",
        "return document.querySelector('.side-more .menu-panel').offsetParent !== null",
    )
    .await;
    ken.close().await;
}
