//! Messages on the customer's page: pieces of the conversation, delete and undo, the check of a user id (§5.4, §5.5.2).

use crm_domain::members::Role;
use crm_lineworks_sim::{Endpoint, Fault, callbacks};
use serde_json::Value;

use crate::harness::{Ask, Browser, TARO, TestServer, until};

async fn scene() -> (TestServer, Browser, String) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    let path = format!("/customer/{customer}");
    browser.get(&path).await;
    (server, browser, path)
}

fn ids(html: &str) -> Vec<i64> {
    html.split("data-id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn an_open_page_hears_of_what_is_new() {
    let (server, mut browser, path) = scene().await;
    assert_eq!(
        ids(&browser.get(&format!("{path}/messages?after=0")).await.text()),
        Vec::<i64>::new()
    );
    for text in ["一通目\n<b>", "二通目"] {
        server
            .simulator
            .deliver(&callbacks::text(TARO, text))
            .await
            .unwrap();
    }
    let piece = until("two messages", async || {
        let piece = browser.get(&format!("{path}/messages?after=0")).await.text();
        (ids(&piece).len() == 2).then_some(piece)
    })
    .await;
    assert!(
        piece.contains("一通目\n&lt;b&gt;") && !piece.contains("<html"),
        "{piece}"
    );
    let last = ids(&piece)[0];
    let rest = browser.get(&format!("{path}/messages?after={last}")).await.text();
    assert_eq!(ids(&rest), ids(&piece)[1..]);
    let watched = browser
        .get(&format!("{path}/messages?after=999&watch={last}"))
        .await
        .text();
    assert_eq!(ids(&watched), [last]);
    assert_eq!(browser.get(&format!("{path}/messages?after=x")).await.status, 400);
    assert!(browser.get(&path).await.text().contains("連携済み（稼働中）"));
}

#[tokio::test]
async fn older_messages_are_reached_by_a_link() {
    let (server, mut browser, path) = scene().await;
    for number in 0..55 {
        server
            .simulator
            .deliver(&callbacks::text(TARO, &format!("第{number}便")))
            .await
            .unwrap();
    }
    let page = until("all messages", async || {
        let page = browser.get(&path).await.text();
        (ids(&page).len() == 50 && page.contains("data-older")).then_some(page)
    })
    .await;
    let before = page
        .split("data-older=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let newest = ids(&page);
    let older = until("older messages", async || {
        let older = browser.get(&format!("{path}?before={before}")).await.text();
        (!ids(&older).is_empty()).then_some(older)
    })
    .await;
    assert!(ids(&older).iter().all(|id| !newest.contains(id)));
    assert!(older.contains("最新のメッセージへ") && !older.contains("data-live"));
    let piece = browser
        .get(&format!("{path}/messages?before={before}"))
        .await
        .text();
    assert_eq!(ids(&piece), ids(&older));
    assert_eq!(browser.get(&format!("{path}?before=zzz")).await.status, 400);
}

#[tokio::test]
async fn a_deleted_message_can_be_brought_back() {
    let (_server, mut browser, path) = scene().await;
    browser
        .post(&format!("{path}/send"), &[("message", "消す前")])
        .await;
    let page = browser.get(&path).await.text();
    let action = page
        .split("action=\"/activity/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let deleted = browser.post(&format!("/activity/{action}"), &[]).await;
    assert_eq!(
        (deleted.status, deleted.header("location")),
        (303, Some(path.as_str()))
    );
    let after = browser.get(&path).await.text();
    assert!(!after.contains("消す前") && after.contains("メッセージを削除しました"));
    let undo = format!("/activity/{}", action.replace("delete", "restore"));
    assert!(after.contains(&format!("action=\"{undo}\"")), "{after}");
    assert_eq!(
        browser.post(&undo, &[]).await.header("location"),
        Some(path.as_str())
    );
    assert!(browser.get(&path).await.text().contains("消す前"));
    let restore_again = browser.post(&undo, &[]).await;
    assert_eq!(restore_again.header("location"), Some(path.as_str()));
    for _ in 0..2 {
        let deleted = browser.post(&format!("/activity/{action}"), &[]).await;
        assert_eq!(
            (deleted.status, deleted.header("location")),
            (303, Some(path.as_str()))
        );
    }
    assert!(browser.get(&path).await.text().contains("すでに削除されています"));
    assert_eq!(browser.post("/activity/999/delete", &[]).await.status, 404);
    assert_eq!(browser.post("/activity/x/delete", &[]).await.status, 404);
}

#[tokio::test]
async fn a_user_id_is_checked_as_json() {
    let (server, mut browser, path) = scene().await;
    let second = server.add_customer("山田", "次郎", Some(TARO)).await;
    for number in 0..6 {
        browser
            .post(&format!("{path}/send"), &[("message", &format!("通知{number}"))])
            .await;
    }
    let found: Value = browser.get(&format!("/check-customer/{TARO}")).await.json();
    assert_eq!(found["customer"]["last_name"], "山田");
    assert_eq!(found["customers"][1]["id"], second.get());
    let recent = found["recent_activities"].as_array().unwrap();
    assert_eq!(recent.len(), 5);
    assert_eq!(recent[0]["message"], "[送信] 通知5");
    assert!(recent[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    let none = browser.get("/check-customer/nobody").await;
    assert_eq!(none.status, 404);
    assert!(none.json()["error"].is_string());
    assert_eq!(
        Ask::get(&format!("/check-customer/{TARO}"))
            .send(server.address)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn without_a_user_id_the_page_says_so_and_links_to_the_form() {
    let (server, mut browser, _) = scene().await;
    let customer = server.add_customer("鈴木", "", None).await;
    let page = browser.get(&format!("/customer/{customer}")).await.text();
    assert!(page.contains("LINE WORKS ユーザーIDが設定されていないため、送信できません。"));
    assert!(page.contains(&format!("/customer/{customer}/edit#f-line_user_id")));
    let large = browser
        .post(&format!("/send-message/{customer}"), &[("message", "届かない")])
        .await;
    assert_eq!(large.status, 422);
}

#[tokio::test]
async fn a_failure_stays_with_the_text() {
    let (server, mut browser, path) = scene().await;
    let empty = browser.post(&format!("{path}/send"), &[("message", " ")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("メッセージを入力してください。"));
    let long = "あ".repeat(2_001);
    let number = path.rsplit('/').next().unwrap();
    let large = browser
        .post(&format!("/send-message/{number}"), &[("message", &long)])
        .await;
    assert_eq!(large.status, 422);
    assert!(large.text().contains(&long) && large.text().contains("2,000文字"));
    let sent = browser
        .post(&format!("/send-message/{number}"), &[("message", "届く")])
        .await;
    assert_eq!((sent.status, sent.header("location")), (303, Some(path.as_str())));
    assert_eq!(server.conversation(number.parse().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn a_message_that_failed_is_sent_again_once() {
    let (server, mut browser, path) = scene().await;
    server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(400));
    browser
        .post(&format!("{path}/send"), &[("message", "もう一度\n届けます")])
        .await;
    let page = browser.get(&path).await.text();
    let key = page
        .split("name=\"key\" value=\"again-")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(page.contains("再送する") && page.contains("送信失敗"));
    for _ in 0..2 {
        let again = [
            ("message", "もう一度\r\n届けます"),
            ("key", &format!("again-{key}")),
        ];
        assert_eq!(browser.post(&format!("{path}/send"), &again).await.status, 303);
    }
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
}

#[tokio::test]
async fn the_fragment_tells_the_link_and_what_is_there() {
    let (server, mut browser, path) = scene().await;
    let customer = path.rsplit('/').next().unwrap().parse().unwrap();
    server
        .simulator
        .deliver(&callbacks::text(TARO, "はい"))
        .await
        .unwrap();
    let id = server.wait_for_messages(customer, 1).await[0].id;
    let piece = format!("{path}/messages?after={id}");
    let text = browser.get(&piece).await.text();
    assert!(ids(&text).is_empty() && text.contains("連携済み"), "{text}");
    assert!(
        text.contains(&format!("data-present=\"{id}\" data-from=\"\"")),
        "{text}"
    );
    server
        .simulator
        .deliver(&callbacks::end(TARO, "c-1"))
        .await
        .unwrap();
    let left = until("they left", async || {
        let text = browser.get(&piece).await.text();
        text.contains("退室").then_some(text)
    })
    .await;
    assert!(!left.contains("今日"), "{left}");
}
