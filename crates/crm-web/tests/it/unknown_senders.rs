//! Those who wrote and are no customers: shown whole, linked by one click, or registered by themselves.

use crm_domain::activities::Activity;
use crm_domain::conversations::ConversationId;
use crm_domain::members::Role;
use crm_domain::senders::Sender;
use crm_domain::use_cases::UnknownSender;
use crm_lineworks_sim::{Member, SimulatorConfig, callbacks};

use crate::harness::window::Window;
use crate::harness::{Browser, Setup, TARO, TestServer, until};

/// Somebody who is no customer.
const STRANGER: &str = "0b1c2d3e-0000-4000-8000-000000000009";
const ROOM: &str = "5c2a6b7e-0000-4000-8000-000000000005";

fn tenant() -> Setup {
    let hanako = Member::new(STRANGER, "髙橋", "花子").with_kana("タカハシ", "ハナコ");
    Setup {
        simulator: SimulatorConfig {
            members: vec![hanako],
            scopes: ["bot", "user.read", "user.profile.read"]
                .map(str::to_owned)
                .to_vec(),
            ..SimulatorConfig::default()
        },
        ..Setup::default()
    }
}

async fn say(server: &TestServer, user: &str, words: &str) {
    let event = callbacks::text(user, words);
    server.simulator.deliver(&event).await.unwrap();
}

async fn all(server: &TestServer) -> Vec<UnknownSender> {
    let operator = TestServer::operator();
    server.crm.unknown_senders(&operator, None, 50).await.unwrap()
}

/// Waits until the only sender is as it should be.
async fn sender_once(
    server: &TestServer,
    what: &str,
    ready: impl Fn(&UnknownSender) -> bool,
) -> ConversationId {
    until(what, async || {
        let found = all(server).await.into_iter().next().filter(&ready)?;
        Some(found.line.conversation.id)
    })
    .await
}

/// A stranger whose two messages are there and whose name is known.
async fn stranger(server: &TestServer) -> ConversationId {
    say(server, STRANGER, "はじめまして、髙橋です").await;
    say(server, STRANGER, "見積もりをお願いします").await;
    sender_once(server, "two messages and a name", |unknown| {
        let named = unknown.sender.as_ref().and_then(Sender::full_name);
        unknown.received.len() == 2 && named.is_some()
    })
    .await
}

async fn scene() -> (TestServer, Browser) {
    let server = TestServer::start_with(tenant()).await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/").await;
    (server, browser)
}

#[tokio::test]
async fn the_list_shows_the_whole_id_the_name_and_each_text() {
    let (server, mut browser) = scene().await;
    let empty = browser.get("/unknown-senders").await.text();
    assert!(
        empty.contains("未登録の送信者からのメッセージはありません"),
        "{empty}"
    );
    let talk = stranger(&server).await;
    let stamp = callbacks::sticker(STRANGER, "1", "2");
    server.simulator.deliver(&stamp).await.unwrap();
    sender_once(&server, "the stamp", |unknown| unknown.received.len() == 3).await;
    let page = browser.get("/unknown-senders").await.text();
    for words in [
        STRANGER,
        "髙橋 花子",
        "タカハシ ハナコ",
        "はじめまして、髙橋です",
        "見積もりをお願いします",
        "［スタンプ］",
        "未登録",
        &format!("href=\"/customer/new?line_user_id={STRANGER}\""),
        &format!("href=\"/unknown-senders/{talk}/link\""),
        &format!("action=\"/conversation/{talk}/take\""),
        "id=\"senders\" data-follow=\"message send conversation customer\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let one = browser.get(&format!("/unknown-senders/{talk}")).await;
    assert_eq!(one.status, 200);
    assert!(one.text().contains(STRANGER) && one.text().contains("見積もりをお願いします"));
    for nobody in [
        "/unknown-senders/999",
        "/unknown-senders/x",
        "/unknown-senders/999/link",
    ] {
        assert_eq!(browser.get(nobody).await.status, 404, "{nobody}");
    }
}

#[tokio::test]
async fn unknown_senders_are_listed_page_by_page() {
    let (server, mut browser) = scene().await;
    for number in 0..23 {
        let user = format!("0b1c2d3e-0000-4000-8000-0000000001{number:02}");
        say(&server, &user, &format!("{number}番目の言葉")).await;
    }
    until("all are recorded", async || {
        (all(&server).await.len() == 23).then_some(())
    })
    .await;
    let first = browser.get("/unknown-senders").await.text();
    let rows = |page: &str| page.matches("data-sender=\"").count();
    assert_eq!(rows(&first), 20);
    let (_, next) = first.split_once("rel=\"next\" href=\"").expect("a next page");
    let next = next.split('"').next().unwrap();
    let second = browser.get(next).await.text();
    assert_eq!(rows(&second), 3);
    for number in 0..23 {
        let words = format!(">{number}番目の言葉<");
        assert!(first.contains(&words) != second.contains(&words), "{words}");
    }
    assert_eq!(browser.get("/unknown-senders?before=x").await.status, 400);
}

#[tokio::test]
async fn one_click_links_an_unknown_sender_and_everything_said_appears() {
    let (server, mut browser) = scene().await;
    let customer = server.add_customer("髙橋", "花子", None).await;
    let talk = stranger(&server).await;
    let path = format!("/unknown-senders/{talk}/link");
    let found = browser.get(&path).await.text();
    assert!(
        found.contains("value=\"髙橋\""),
        "the name is searched for: {found}"
    );
    let button = format!("name=\"customer_id\" value=\"{customer}\"");
    assert!(found.contains(&button), "{found}");
    let other = browser.get(&format!("{path}?q=zzz")).await.text();
    assert!(!other.contains(&button));
    let linked = browser
        .post(&path, &[("customer_id", &customer.to_string())])
        .await;
    let to = format!("/customer/{customer}");
    assert_eq!(
        (linked.status, linked.header("location")),
        (303, Some(to.as_str()))
    );
    let bookmarked = browser.get(&format!("/unknown-senders/{talk}")).await;
    assert_eq!(
        (bookmarked.status, bookmarked.header("location")),
        (303, Some(to.as_str()))
    );
    let page = browser.get(&to).await.text();
    for words in [
        "はじめまして、髙橋です",
        "見積もりをお願いします",
        "顧客に結び付けました",
        STRANGER,
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let list = browser.get("/unknown-senders").await.text();
    assert!(!list.contains(STRANGER), "{list}");
}

#[tokio::test]
async fn an_unknown_sender_takes_the_place_of_another_id_only_when_asked() {
    let (server, mut browser) = scene().await;
    let customer = server.add_customer("髙橋", "花子", Some(TARO)).await;
    let talk = stranger(&server).await;
    let path = format!("/unknown-senders/{talk}/link");
    let number = customer.to_string();
    let asked = browser.post(&path, &[("customer_id", &number)]).await;
    assert_eq!(asked.status, 409);
    let page = asked.text();
    for words in [TARO, STRANGER, "髙橋 花子", "name=\"replace\" value=\"1\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(server.conversation(customer).await.is_empty());
    let done = browser
        .post(&path, &[("customer_id", &number), ("replace", "1")])
        .await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(server.wait_for_messages(customer, 2).await.len(), 2);
}

#[tokio::test]
async fn the_form_of_a_new_customer_is_filled_for_an_unknown_sender() {
    let (server, mut browser) = scene().await;
    stranger(&server).await;
    let form = browser
        .get(&format!("/customer/new?line_user_id={STRANGER}"))
        .await
        .text();
    for value in ["髙橋", "花子", "タカハシ", "ハナコ", STRANGER] {
        assert!(form.contains(&format!("value=\"{value}\"")), "{value}");
    }
    let typed = [
        ("last_name", "髙橋"),
        ("first_name", "花子"),
        ("line_user_id", STRANGER),
    ];
    let made = browser.post("/customer/new", &typed).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = browser.get(made.header("location").unwrap()).await.text();
    assert!(page.contains("はじめまして、髙橋です"), "{page}");
}

#[tokio::test]
async fn what_was_sent_to_an_unknown_sender_stays_with_them() {
    let (server, mut browser) = scene().await;
    let talk = stranger(&server).await;
    let asked = serde_json::json!({"userId": STRANGER, "message": "どちら様でしょうか"});
    let sent = browser.post_json("/send-message", &asked).await;
    assert_eq!((sent.status, &sent.json()["success"]), (200, &true.into()));
    let path = format!("/unknown-senders/{talk}");
    let again = [
        ("message", "担当者よりご連絡します"),
        ("key", "k-1"),
        ("user_id", STRANGER),
    ];
    for _ in 0..2 {
        let answer = browser.post(&format!("{path}/send"), &again).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(path.as_str()))
        );
    }
    let empty = browser.post(&format!("{path}/send"), &[("message", " ")]).await;
    assert_eq!(empty.status, 422);
    let both = ["どちら様でしょうか", "担当者よりご連絡します"];
    for place in ["/unknown-senders", path.as_str()] {
        let page = browser.get(place).await.text();
        assert!(page.contains("✓ 送信済み"), "{page}");
        assert!(
            both.iter().all(|words| page.matches(words).count() == 1),
            "{page}"
        );
    }
    assert_eq!(server.simulator.messages_to(STRANGER).len(), 2);
    let customer = server.add_customer("髙橋", "花子", Some(STRANGER)).await;
    let kept: Vec<String> = server
        .wait_for_messages(customer, 4)
        .await
        .iter()
        .rev()
        .map(Activity::plain_text)
        .collect();
    let sent = both.map(|words| format!("[送信] {words}"));
    assert_eq!(kept[2..], sent, "{kept:?}");
    let later = browser
        .post(
            &format!("{path}/send"),
            &[("message", "もう一通"), ("user_id", STRANGER)],
        )
        .await;
    let page = format!("/customer/{customer}");
    assert_eq!(
        (later.status, later.header("location")),
        (303, Some(page.as_str()))
    );
}

#[tokio::test]
async fn what_unknown_senders_said_in_a_room_is_shown_with_the_room() {
    let (server, mut browser) = scene().await;
    let said = callbacks::text(STRANGER, "グループでのひとこと").in_channel(ROOM);
    server.simulator.deliver(&said).await.unwrap();
    until("the room", async || {
        let rooms = server.crm.unknown_rooms(&TestServer::operator()).await.unwrap();
        rooms.iter().any(|room| room.received.len() == 1).then_some(())
    })
    .await;
    let page = browser.get("/unknown-senders").await.text();
    for words in ["グループでの発言", ROOM, "グループでのひとこと", ">グループ<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let customer = server.add_customer("髙橋", "花子", Some(STRANGER)).await;
    let shown = server.wait_for_messages(customer, 1).await;
    assert!(shown[0].in_room);
    let page = browser.get(&format!("/customer/{customer}")).await.text();
    assert!(
        page.contains("グループでのひとこと") && page.contains("class=\"msg-room\""),
        "{page}"
    );
}

#[tokio::test]
async fn sixteen_first_messages_at_once_of_an_unknown_sender_make_one_customer() {
    let setup = tenant().with("LINE_WORKS_UNKNOWN_SENDER", "register");
    let server = std::sync::Arc::new(TestServer::start_with(setup).await);
    let mut said = tokio::task::JoinSet::new();
    for number in 0..16 {
        let server = std::sync::Arc::clone(&server);
        said.spawn(async move { say(&server, STRANGER, &format!("{number}番")).await });
    }
    said.join_all().await;
    let user = crm_domain::values::LineUserId::new(STRANGER).unwrap().unwrap();
    let found = until("the customer", async || {
        let operator = TestServer::operator();
        let known = server.crm.check_customer(&operator, user.clone());
        known.await.ok().map(|known| known.customers)
    })
    .await;
    let [customer] = found.as_slice() else {
        panic!("one customer: {found:?}");
    };
    let id = customer.customer.id;
    let mut texts: Vec<String> = server
        .wait_for_messages(id, 16)
        .await
        .into_iter()
        .map(|message| message.message)
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 16, "{texts:?}");
    assert_eq!(server.conversation(id).await.len(), 16);
    assert_eq!(customer.customer.details.name.full(), "髙橋 花子");
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get(&format!("/customer/{id}")).await.text();
    assert!(
        page.contains("class=\"badge-look\"") && page.contains("要確認"),
        "{page}"
    );
}

#[tokio::test]
async fn an_unknown_sender_is_linked_in_a_browser() {
    let server = TestServer::start_with(tenant()).await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let customer = server.add_customer("髙橋", "花子", None).await;
    let window = Window::open(&server, 1280).await;
    window.sign_in("hanako@example.jp").await;
    window.go("/unknown-senders").await;
    let talk = stranger(&server).await;
    let shows =
        |words: &str| format!("return document.querySelector('#senders').innerText.includes('{words}')");
    window
        .until("the message by itself", &shows("見積もりをお願いします"))
        .await;
    window.until("the name", &shows("髙橋 花子")).await;
    window.click(&format!("a[href='/unknown-senders/{talk}']")).await;
    let unread =
        "return document.querySelector('#sender') !== null && !document.querySelector('#sender .unread')";
    window.until("what is looked at is read", unread).await;
    window
        .click(&format!("a[href='/unknown-senders/{talk}/link']"))
        .await;
    window
        .until(
            "the search",
            "return document.querySelector('#q')?.value === '髙橋'",
        )
        .await;
    window.click("form[action$='/link'] button").await;
    let there = format!("return location.pathname === '/customer/{customer}'");
    window.until("the customer's page", &there).await;
    window
        .until(
            "what was said",
            "return document.querySelector('#talk').innerText.includes('はじめまして、髙橋です')",
        )
        .await;
    window.close().await;
}
