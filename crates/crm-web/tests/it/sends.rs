//! Messages that go out: each outcome of the service, as §5.3 tells it.

use std::time::{Duration, Instant};

use crm_domain::members::Role;
use crm_domain::sends::SendState;
use crm_lineworks_sim::{Endpoint, Fault, Recipient};
use serde_json::json;

use crate::harness::{Answer, Ask, Browser, HANAKO, TARO, TestServer, on_postgres, until, until_within};

/// A customer's page, open in a member's browser.
pub struct Scene {
    pub server: TestServer,
    pub browser: Browser,
    pub customer: crm_domain::customers::CustomerId,
}

impl Scene {
    pub async fn set() -> Self {
        let server = TestServer::start().await;
        let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
        let mut browser = server.signed_in(Role::Member).await;
        browser.get(&format!("/customer/{customer}")).await;
        Self {
            server,
            browser,
            customer,
        }
    }

    /// Quick send, as the page's script does it.
    pub async fn send(&mut self, text: &str, key: &str) -> Answer {
        let path = format!("/customer/{}/send", self.customer);
        let ask = Ask::post(&path)
            .header("x-csrf-token", self.browser.token.clone())
            .header("accept", "application/json")
            .header("origin", format!("http://{}", self.server.address));
        self.browser
            .send(ask.form(&[("message", text), ("key", key)]))
            .await
    }

    pub async fn states(&self) -> Vec<SendState> {
        let messages = self.server.conversation(self.customer).await;
        messages
            .iter()
            .filter_map(crm_domain::activities::Activity::send_state)
            .collect()
    }
}

#[tokio::test]
async fn a_message_arrives_and_stands_on_the_page() {
    let mut scene = Scene::set().await;
    let answer = scene.send("お世話になっております。\n明日伺います。", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["success"], true);
    assert!(
        answer.json()["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    let sent = scene.server.simulator.messages_to(TARO);
    assert_eq!(sent.len(), 1);
    assert!(matches!(&sent[0].to, Recipient::User(user) if user == TARO));
    assert_eq!(
        sent[0].content["text"],
        "お世話になっております。\n明日伺います。"
    );
    let messages = scene.server.conversation(scene.customer).await;
    assert_eq!(
        messages[0].plain_text(),
        "[送信] お世話になっております。\n明日伺います。"
    );
    assert_eq!(
        messages[0]
            .sending
            .as_ref()
            .map(|sending| sending.author.as_str()),
        Some("田中 花子")
    );
}

#[tokio::test]
async fn each_refusal_is_told_and_kept() {
    let mut scene = Scene::set().await;
    for code in [400, 403, 404, 409] {
        scene
            .server
            .simulator
            .fail_next_on(Endpoint::Send, 1, Fault::status(code));
        let answer = scene.send("断られる", "").await;
        assert_eq!(answer.json()["success"], false, "{code}");
        assert!(
            (400..500).contains(&answer.status),
            "{code} became {}",
            answer.status
        );
        assert!(
            answer.json()["message"]
                .as_str()
                .is_some_and(|text| text.chars().count() > 10),
            "{code}"
        );
        assert_eq!(scene.states().await[0], SendState::Failed, "{code}");
    }
    assert_eq!(scene.server.simulator.messages().len(), 0);
    assert_eq!(scene.send("今度は", "").await.json()["success"], true);
}

#[tokio::test]
async fn a_stale_token_is_renewed_once() {
    let mut scene = Scene::set().await;
    assert_eq!(scene.send("一", "").await.status, 200);
    scene.server.simulator.expire_tokens();
    assert_eq!(
        scene.send("二", "").await.status,
        200,
        "one retry with a fresh token"
    );
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 2, Fault::status(401));
    let answer = scene.send("三", "").await;
    assert_eq!(answer.json()["success"], false, "and no further one");
    assert_eq!(scene.states().await[0], SendState::Failed);
    assert_eq!(scene.server.simulator.messages().len(), 2);
}

#[tokio::test]
async fn what_is_not_known_is_called_unknown_and_not_sent_again() {
    let mut scene = Scene::set().await;
    for fault in [Fault::status(500), Fault::CutBeforeResponse, Fault::CutAfterDoing] {
        scene
            .server
            .simulator
            .fail_next_on(Endpoint::Send, 1, fault.clone());
        let answer = scene.send("どうなった", "").await;
        assert_eq!(answer.json()["success"], false, "{fault:?}");
        assert_eq!(scene.states().await[0], SendState::Unknown, "{fault:?}");
    }
    assert_eq!(
        scene.server.simulator.messages().len(),
        1,
        "the one that was done before the line was cut"
    );
}

#[tokio::test]
async fn a_service_that_is_away_is_said_to_be() {
    let mut scene = Scene::set().await;
    scene.server.simulator.pause().await;
    let answer = scene.send("待っている", "").await;
    assert_eq!((answer.status, &answer.json()["success"]), (202, &json!(true)));
    assert_eq!(scene.states().await[0], SendState::Queued);
    let again = scene.send("その次", "").await;
    assert_eq!(again.json()["state"], "queued");
    scene.server.simulator.resume().await.unwrap();
    until("both are sent by themselves, in their order", async || {
        let sent = scene.server.simulator.messages_to(TARO);
        let texts: Vec<_> = sent
            .iter()
            .filter_map(|one| one.content["text"].as_str())
            .collect();
        (texts == ["待っている", "その次"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_same_key_sends_once() {
    let mut scene = Scene::set().await;
    for _ in 0..3 {
        assert_eq!(scene.send("一度だけ", "key-1").await.json()["success"], true);
    }
    assert_eq!(scene.server.simulator.messages().len(), 1);
    for _ in 0..2 {
        assert_eq!(scene.send("何度でも", "").await.json()["success"], true);
    }
    assert_eq!(scene.server.simulator.messages().len(), 3);
}

#[tokio::test]
async fn bad_input_is_refused_with_words() {
    let mut scene = Scene::set().await;
    let long = "あ".repeat(2_001);
    for text in ["", "   ", long.as_str()] {
        let answer = scene.send(text, "").await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["success"], false);
    }
    let nobody = scene.server.add_customer("住所", "なし", None).await;
    scene.customer = nobody;
    let answer = scene.send("届け先がない", "").await;
    assert_eq!((answer.status, &answer.json()["success"]), (422, &json!(false)));
    scene.customer = crm_domain::id::Id::new(999);
    let answer = scene.send("だれ", "").await;
    assert_eq!((answer.status, &answer.json()["success"]), (404, &json!(false)));
    assert!(scene.server.simulator.messages().is_empty());
}

#[tokio::test]
async fn any_user_id_can_be_written_to() {
    let mut scene = Scene::set().await;
    let body = json!({"userId": HANAKO, "message": "はじめまして"});
    let answer = scene.browser.post_json("/send-message", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["userId"], HANAKO);
    assert_eq!(answer.json()["success"], true);
    assert_eq!(scene.server.simulator.messages_to(HANAKO).len(), 1);
    for body in [
        json!({"userId": "", "message": "x"}),
        json!({"userId": "a b", "message": "x"}),
        json!({}),
    ] {
        let answer = scene.browser.post_json("/send-message", &body).await;
        assert_eq!(
            (answer.status, &answer.json()["success"]),
            (422, &json!(false)),
            "{body}"
        );
    }
    let token = scene.server.token(Role::Member).await;
    let ask = Ask::post("/send-message")
        .header("authorization", format!("Bearer {token}"))
        .json(&json!({"userId": HANAKO, "message": "プログラムから"}));
    assert_eq!(ask.send(scene.server.address).await.json()["success"], true);
}

#[tokio::test]
async fn a_form_without_script_leads_back_to_the_page() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}/send", scene.customer);
    let answer = scene.browser.post(&path, &[("message", "用紙から")]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("location"),
        Some(format!("/customer/{}", scene.customer).as_str())
    );
    assert_eq!(scene.server.simulator.messages_to(TARO).len(), 1);
}

#[tokio::test]
async fn who_leaves_changes_nothing_about_the_message() {
    let scene = Scene::set().await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::Slow(Duration::from_secs(2)));
    let ask = Ask::post(&format!("/customer/{}/send", scene.customer))
        .header(
            "cookie",
            format!("crm_session={}", scene.browser.cookie("crm_session").unwrap()),
        )
        .header("x-csrf-token", scene.browser.token.clone())
        .form(&[("message", "行ってしまった")]);
    let leaving = tokio::time::timeout(Duration::from_millis(700), ask.try_send(scene.server.address)).await;
    assert!(leaving.is_err(), "the browser left before the answer");
    until("the message is sent", async || {
        (scene.states().await == [SendState::Sent]).then_some(())
    })
    .await;
    assert_eq!(scene.server.simulator.messages_to(TARO).len(), 1);
}

#[tokio::test]
async fn a_slow_message_holds_up_no_page_and_no_other_conversation() {
    let mut scene = Scene::set().await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::Slow(Duration::from_secs(3)));
    let mut other = scene.browser.clone();
    let slow = tokio::spawn(async move { scene.send("遅い", "").await.json() });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    assert_eq!(other.get("/customers").await.status, 200);
    let quick = other
        .post_json("/send-message", &json!({"userId": HANAKO, "message": "速い"}))
        .await;
    assert_eq!(quick.json()["success"], true);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(slow.await.unwrap()["success"], true);
}

#[tokio::test]
async fn what_was_on_its_way_when_the_power_went_is_unknown() {
    let mut scene = Scene::set().await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::Slow(Duration::from_secs(20)));
    let ask = Ask::post(&format!("/customer/{}/send", scene.customer))
        .header(
            "cookie",
            format!("crm_session={}", scene.browser.cookie("crm_session").unwrap()),
        )
        .header("x-csrf-token", scene.browser.token.clone())
        .form(&[("message", "途中で")]);
    let address = scene.server.address;
    let asking = tokio::spawn(async move { ask.try_send(address).await.is_none() });
    until("it is on its way", async || {
        (scene.states().await == [SendState::Sending]).then_some(())
    })
    .await;
    scene.server.kill().await;
    assert!(asking.await.unwrap());
    scene.server.start_again().await;
    // Where several servers may be, only the end of its lease says that nobody has it any more.
    let lease = Duration::from_secs(if on_postgres() { 90 } else { 10 });
    until_within(lease, "it is unknown", async || {
        (scene.states().await == [SendState::Unknown]).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(
        scene.server.simulator.messages_to(TARO).len() <= 1,
        "never sent again by itself"
    );
}

#[tokio::test]
async fn what_others_queue_is_sent_too() {
    let scene = Scene::set().await;
    let text = crm_domain::values::MessageText::new("端末から").unwrap();
    let to = crm_domain::use_cases::Recipient::Customer(scene.customer);
    scene
        .server
        .crm
        .queue_message(&TestServer::operator(), to, text, None)
        .await
        .unwrap();
    let sent = scene
        .server
        .simulator
        .wait_for_messages(1, Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(sent[0].content["text"], "端末から");
}

#[tokio::test]
async fn form_data_of_a_script_is_read_too() {
    let mut scene = Scene::set().await;
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let token = scene.browser.token.clone();
    let ask = |token: &str| {
        Ask::post(&format!("/customer/{}/send", scene.customer))
            .header("accept", "application/json")
            .header("content-type", "multipart/form-data; boundary=b")
            .bytes(format!(
                "{}{}--b--\r\n",
                part("message", "一 & 二=三"),
                part("csrf_token", token)
            ))
    };
    let (good, bad) = (ask(&token), ask("wrong"));
    assert_eq!(scene.browser.send(bad).await.status, 403);
    assert_eq!(scene.browser.send(good).await.json()["success"], true);
    assert_eq!(
        scene.server.simulator.messages_to(TARO)[0].content["text"],
        "一 & 二=三"
    );
}

/// A message that waits because LINE WORKS is away.
async fn waiting(scene: &mut Scene) -> i64 {
    scene.server.simulator.pause().await;
    let answer = scene.send("待っている", "").await.json();
    assert_eq!(answer["state"], "queued");
    answer["send"].as_i64().unwrap()
}

#[tokio::test]
async fn what_waits_can_be_taken_back() {
    let mut scene = Scene::set().await;
    let send = waiting(&mut scene).await;
    let page = format!("/customer/{}", scene.customer);
    let shown = scene.browser.get(&page).await.text();
    assert!(shown.contains(&format!("/send/{send}/cancel")), "{shown}");
    let form = [("customer", scene.customer.to_string())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for _ in 0..2 {
        let answer = scene.browser.post(&format!("/send/{send}/cancel"), &form).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(page.as_str()))
        );
    }
    let shown = scene.browser.get(&page).await.text();
    assert!(
        shown.contains("送信を取り消しました") && !shown.contains("待っている"),
        "{shown}"
    );
    assert!(scene.states().await.is_empty());
    scene.server.simulator.resume().await.unwrap();
    assert_eq!(scene.send("次", "").await.json()["success"], true);
    assert_eq!(scene.server.simulator.messages().len(), 1);
    let gone = scene.send("出た", "").await.json()["send"].to_string();
    let late = scene.browser.post(&format!("/send/{gone}/cancel"), &form).await;
    assert_eq!(late.status, 303);
    let shown = scene.browser.get(&page).await.text();
    assert!(shown.contains("すでに送信が始まっているため"), "{shown}");
    for odd in ["404", "x"] {
        let nothing = scene.browser.post(&format!("/send/{odd}/cancel"), &form).await;
        assert_eq!(nothing.status, 404, "{odd}");
    }
}

#[tokio::test]
async fn what_is_not_known_can_be_treated_as_sent() {
    let mut scene = Scene::set().await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::CutAfterDoing);
    let send = scene.send("届いたかも", "").await.json()["send"].to_string();
    let page = format!("/customer/{}", scene.customer);
    let form = [("customer", scene.customer.to_string())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for _ in 0..5 {
        let answer = scene
            .browser
            .post(&format!("/send/{send}/treat-as-sent"), &form)
            .await;
        assert_eq!(answer.status, 303);
    }
    assert_eq!(scene.states().await, [SendState::Sent]);
    let shown = scene.browser.get(&page).await.text();
    assert!(shown.contains("田中 花子が送信済みとみなしました"), "{shown}");
    assert!(!shown.contains("再送する"));
    assert_eq!(scene.server.simulator.messages().len(), 1);
    let arrived = scene.send("届いた", "").await.json()["send"].to_string();
    let script = Ask::post(&format!("/send/{arrived}/treat-as-sent"))
        .header("x-csrf-token", scene.browser.token.clone())
        .header("accept", "application/json")
        .form(&form);
    let told = scene.browser.send(script).await;
    assert_eq!((told.status, &told.json()["success"]), (409, &json!(false)));
}

#[tokio::test]
async fn five_presses_send_again_once() {
    let mut scene = Scene::set().await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(503));
    scene.send("もう一度", "").await;
    let unknown = scene.server.conversation(scene.customer).await[0].id.to_string();
    let path = format!("/customer/{}/send", scene.customer);
    let presses = (0..5).map(|_| {
        let (mut browser, path, unknown) = (scene.browser.clone(), path.clone(), unknown.clone());
        tokio::spawn(async move {
            let key = format!("again-{unknown}");
            let form = [("message", "もう一度"), ("key", &key), ("replaces", &unknown)];
            browser.post(&path, &form).await.status
        })
    });
    for press in presses.collect::<Vec<_>>() {
        assert_eq!(press.await.unwrap(), 303);
    }
    assert_eq!(scene.server.simulator.messages_to(TARO).len(), 1);
}
