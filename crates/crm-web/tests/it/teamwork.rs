//! Several members and one customer: notes, drafts, the question before sending, owners, what is unread.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::members::{Grants, MemberId, Role};
use crm_domain::permissions::Actor;
use crm_domain::sends::SendState;
use crm_domain::use_cases::MemberForm;
use crm_lineworks_sim::callbacks;
use serde_json::json;

use crate::harness::server::PASSWORD;
use crate::harness::{Answer, Ask, Browser, TARO, TestServer};

/// A customer who has said something, and a member's browser.
pub struct Scene {
    pub server: TestServer,
    pub customer: CustomerId,
    pub page: String,
    pub browser: Browser,
}

impl Scene {
    pub async fn set() -> Self {
        let server = TestServer::start().await;
        let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
        let question = callbacks::text(TARO, "見積もりをお願いします");
        server.simulator.deliver(&question).await.unwrap();
        server.wait_for_messages(customer, 1).await;
        add(&server, "sato@example.jp", "佐藤 健").await;
        let mut browser = server.browser();
        browser.sign_in("sato@example.jp", PASSWORD).await;
        let page = format!("/customer/{customer}");
        browser.get(&page).await;
        Self {
            server,
            customer,
            page,
            browser,
        }
    }

    pub async fn talk(&self) -> ConversationId {
        let operator = TestServer::operator();
        let lines = self
            .server
            .crm
            .conversations_of_customer(&operator, self.customer);
        lines.await.unwrap()[0].conversation.id
    }

    /// As the page's script does it.
    async fn script(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let ask = Ask::post(&format!("{}{path}", self.page))
            .header("x-csrf-token", self.browser.token.clone())
            .header("accept", "application/json")
            .header("origin", format!("http://{}", self.server.address));
        self.browser.send(ask.form(pairs)).await
    }

    /// As a browser without scripts does it.
    async fn form(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.browser.post(&format!("{}{path}", self.page), pairs).await
    }

    async fn html(&mut self) -> String {
        self.browser.get(&self.page.clone()).await.text()
    }
}

/// Another member, as the use cases know them.
pub async fn add(server: &TestServer, email: &str, name: &str) -> Actor {
    let form = MemberForm {
        email: email.to_owned(),
        name: name.to_owned(),
        role: Role::Member,
        password: Some(PASSWORD.to_owned()),
    };
    let id: MemberId = server
        .crm
        .add_member(&TestServer::operator(), form)
        .await
        .unwrap();
    Actor::Member {
        id,
        name: name.to_owned(),
        role: Role::Member,
        grants: Grants::default(),
    }
}

#[tokio::test]
async fn a_note_is_shown_to_colleagues_and_never_sent() {
    let mut scene = Scene::set().await;
    let note = [("message", "単価は部長に確認済み"), ("key", "n-1")];
    let answer = scene.form("/note", &note).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(scene.page.as_str()))
    );
    assert_eq!(
        scene.script("/note", &note).await.json()["success"],
        true,
        "once more"
    );
    let page = scene.html().await;
    assert_eq!(
        page.matches("単価は部長に確認済み</span>").count(),
        1,
        "kept once"
    );
    for words in ["社内メモ", "佐藤 健", "お客様には送信されません"] {
        assert!(page.contains(words), "{words}");
    }
    let messages = scene.server.conversation(scene.customer).await;
    assert_eq!(messages[0].plain_text(), "[社内メモ] 単価は部長に確認済み");
    let check = scene.browser.get(&format!("/check-customer/{TARO}")).await.text();
    assert!(
        check.contains("見積もりをお願いします") && !check.contains("単価"),
        "{check}"
    );
    assert!(scene.server.simulator.messages_to(TARO).is_empty());
    let empty = scene.form("/note", &[("message", "  ")]).await;
    assert_eq!(empty.status, 422);
    let deleted = scene
        .browser
        .post(&format!("/activity/{}/delete", messages[0].id), &[])
        .await;
    assert_eq!(deleted.status, 303);
    let after = scene.html().await;
    assert!(
        !after.contains("単価は部長") && after.contains("/restore"),
        "with an undo"
    );
}

#[tokio::test]
async fn a_customer_without_user_id_can_have_notes() {
    let mut scene = Scene::set().await;
    let customer = scene.server.add_customer("鈴木", "一郎", None).await;
    let page = format!("/customer/{customer}");
    let note = [("message", "来週お電話"), ("key", "n")];
    assert_eq!(
        scene.browser.post(&format!("{page}/note"), &note).await.status,
        303
    );
    assert!(scene.browser.get(&page).await.text().contains("来週お電話"));
}

#[tokio::test]
async fn a_draft_is_there_for_every_browser_of_its_writer_until_it_is_sent() {
    let mut scene = Scene::set().await;
    let twin = scene.server.add_customer("山田", "次郎", Some(TARO)).await;
    let kept = scene.script("/draft", &[("message", "承知しました。明日")]).await;
    assert_eq!((kept.status, &kept.json()["success"]), (200, &json!(true)));
    let mut elsewhere = scene.server.browser();
    elsewhere.sign_in("sato@example.jp", PASSWORD).await;
    for path in [
        scene.page.clone(),
        format!("/customer/{twin}"),
        format!("/send-message/{twin}"),
    ] {
        let page = elsewhere.get(&path).await.text();
        assert!(page.contains("\n承知しました。明日</textarea>"), "{path}");
    }
    let mut colleague = scene.server.signed_in(Role::Member).await;
    assert!(!colleague.get(&scene.page).await.text().contains("承知しました"));
    let long = "あ".repeat(10_001);
    assert_eq!(scene.script("/draft", &[("message", &long)]).await.status, 422);
    let sent = scene
        .script("/send", &[("message", "承知しました。明日"), ("key", "k")])
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    assert!(
        !elsewhere
            .get(&scene.page)
            .await
            .text()
            .contains("明日</textarea>")
    );
}

#[tokio::test]
async fn a_message_into_a_conversation_of_another_asks_once() {
    let mut scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let talk = scene.talk().await;
    scene.server.crm.take_conversation(&tanaka, talk).await.unwrap();
    let pairs = [("message", "承知しました。"), ("key", "k-1")];
    let asked = scene.script("/send", &pairs).await;
    assert_eq!(
        (asked.status, &asked.json()["code"]),
        (409, &json!("handled_by_other"))
    );
    assert_eq!(
        asked.json()["message"],
        "田中 花子さんが対応中です。送信しますか？"
    );
    assert_eq!(asked.json()["success"], false);
    let plain = scene.form("/send", &pairs).await;
    let page = plain.text();
    assert_eq!(plain.status, 409);
    for part in [
        "田中 花子さんが対応中です。送信しますか？",
        "value=\"k-1\"",
        "\n承知しました。</textarea>",
        "name=\"anyway\" value=\"1\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let large = scene
        .browser
        .post(&format!("/send-message/{}", scene.customer), &pairs)
        .await;
    assert_eq!(large.status, 409);
    assert!(large.text().contains("name=\"anyway\" value=\"1\"") && large.text().contains("value=\"k-1\""));
    assert!(scene.server.simulator.messages_to(TARO).is_empty());
    let anyway = [pairs.as_slice(), &[("anyway", "1")]].concat();
    for _ in 0..2 {
        assert_eq!(scene.form("/send", &anyway).await.status, 303);
    }
    assert_eq!(scene.server.simulator.messages_to(TARO).len(), 1);
}

#[tokio::test]
async fn whoever_did_not_see_a_colleagues_answer_is_asked() {
    let mut scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let seen = scene.server.conversation(scene.customer).await[0].id.to_string();
    let mut hers = scene.server.browser();
    hers.sign_in("tanaka@example.jp", PASSWORD).await;
    hers.get(&scene.page).await;
    let answer = hers
        .post(&format!("{}/send", scene.page), &[("message", "お送りします")])
        .await;
    assert_eq!(answer.status, 303);
    let messages = scene.server.conversation(scene.customer).await;
    assert_eq!(messages[0].send_state(), Some(SendState::Sent));
    let talk = scene.talk().await;
    scene
        .server
        .crm
        .release_conversation(&tanaka, talk)
        .await
        .unwrap();
    let asked = scene
        .script("/send", &[("message", "承知しました。"), ("seen", &seen)])
        .await;
    let words = asked.json()["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        words.starts_with("田中 花子さんが") && words.ends_with("に返信しました。送信しますか？"),
        "{words}"
    );
    let newest = messages[0].id.to_string();
    let told = scene
        .script("/send", &[("message", "承知しました。"), ("seen", &newest)])
        .await;
    assert_eq!(told.status, 200, "{}", told.text());
}

#[tokio::test]
async fn programs_are_not_asked() {
    let scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let talk = scene.talk().await;
    scene.server.crm.take_conversation(&tanaka, talk).await.unwrap();
    let token = format!("Bearer {}", scene.server.token(Role::Member).await);
    let ask = Ask::post(&format!("{}/send", scene.page))
        .header("authorization", &token)
        .header("accept", "application/json");
    let sent = ask
        .form(&[("message", "自動のお知らせ")])
        .send(scene.server.address)
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

#[tokio::test]
async fn an_owner_is_chosen_on_the_page_and_shown_in_lists_and_to_programs() {
    let mut scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let number = tanaka.member_id().unwrap().to_string();
    let page = scene.html().await;
    assert!(
        page.contains("担当者なし") && page.contains("田中 花子</option>"),
        "{page}"
    );
    let chosen = scene.form("/owner", &[("owner_id", &number)]).await;
    assert_eq!(
        (chosen.status, chosen.header("location")),
        (303, Some(scene.page.as_str()))
    );
    assert!(
        scene
            .html()
            .await
            .contains(&format!("value=\"{number}\" selected"))
    );
    assert!(scene.browser.get("/customers").await.text().contains("田中 花子"));
    let api = scene
        .browser
        .get(&format!("/api/v1/customers/{}", scene.customer))
        .await
        .json();
    assert_eq!(api["owner_id"].to_string(), number);
    for wrong in ["x", "999"] {
        assert_eq!(
            scene.form("/owner", &[("owner_id", wrong)]).await.status,
            422,
            "{wrong}"
        );
    }
    assert_eq!(scene.form("/owner", &[("owner_id", "")]).await.status, 303);
    assert!(!scene.browser.get("/customers").await.text().contains("田中 花子"));
}

#[tokio::test]
async fn the_head_says_who_waits_and_what_is_unread() {
    let mut scene = Scene::set().await;
    let page = scene.html().await;
    for words in [
        "1分未満お待たせしています",
        "ここから未読",
        "自分が対応する",
        "次の未対応へ",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let talk = scene.talk().await;
    let read = scene
        .browser
        .post(&format!("/conversation/{talk}/read"), &[])
        .await;
    assert!(read.status < 400, "{}", read.status);
    assert!(!scene.html().await.contains("ここから未読"));
    let fragment = scene
        .browser
        .get(&format!("{}/messages?after=1", scene.page))
        .await
        .text();
    assert!(
        fragment.contains("data-head") && fragment.contains("自分が対応する"),
        "{fragment}"
    );
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    scene.server.crm.take_conversation(&tanaka, talk).await.unwrap();
    let page = scene.html().await;
    assert!(page.contains("対応中:") && page.contains("田中 花子"), "{page}");
    let send = scene.browser.get(&format!("{}/send", scene.page)).await;
    assert_eq!(
        (send.status, send.header("location")),
        (303, Some(scene.page.as_str()))
    );
}

#[tokio::test]
async fn who_changes_a_role_second_is_told() {
    let scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let mut admin = scene.server.signed_in(Role::Admin).await;
    let page = format!("/admin/users/{}", tanaka.member_id().unwrap());
    let page = admin.get(&page).await.text();
    assert!(page.contains("name=\"seen\" autocomplete=\"off\" value=\"member\""));
    let path = format!("/admin/users/{}/role", tanaka.member_id().unwrap());
    let first = [("role", "admin"), ("seen", "member")];
    assert_eq!(admin.post(&path, &first).await.status, 303);
    let second = admin.post(&path, &[("role", "member"), ("seen", "member")]).await;
    assert_eq!(second.status, 409);
    assert!(second.text().contains("ほかの人が先に役割を変更しました"));
}

#[tokio::test]
async fn who_saves_second_can_take_over_what_the_other_saved() {
    let mut scene = Scene::set().await;
    let edit = format!("{}/edit", scene.page);
    let form = |email: &'static str| [("last_name", "山田"), ("email", email), ("version", "1")];
    scene.browser.get(&edit).await;
    assert_eq!(scene.form("/edit", &form("hers@example.jp")).await.status, 303);
    let late = scene.form("/edit", &form("mine@example.jp")).await;
    let page = late.text();
    assert_eq!(late.status, 409);
    for part in [
        "ほかの人が先に保存しました",
        "data-take=\"hers@example.jp\" data-take-into=\"f-email\"",
        "value=\"mine@example.jp\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
