//! `GET /search`: everything at once, for people and for programs.

use crm_domain::activities::ActivityId;
use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_domain::readings::ReadingFilter;
use crm_domain::teams::{Sees, TeamDetails};
use crm_lineworks_sim::{Endpoint, Fault, callbacks};
use serde_json::Value;

use crate::harness::http::encode;
use crate::harness::{Answer, Ask, Browser, HANAKO, TARO, TestServer, until};
use crate::teamwork::add;

/// A customer who can write, and a member's browser.
struct Scene {
    server: TestServer,
    taro: CustomerId,
    browser: Browser,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start().await;
        let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
        let browser = server.signed_in(Role::Member).await;
        Self {
            server,
            taro,
            browser,
        }
    }

    /// The customer writes, and it is recorded.
    async fn hear(&self, texts: &[&str]) {
        let before = self.server.conversation(self.taro).await.len();
        for text in texts {
            let event = callbacks::text(TARO, text);
            self.server.simulator.deliver(&event).await.unwrap();
        }
        self.server
            .wait_for_messages(self.taro, before + texts.len())
            .await;
    }

    async fn page(&mut self, q: &str) -> String {
        let answer = self.browser.get(&format!("/search?q={}", encode(q))).await;
        assert_eq!(answer.status, 200, "{q}: {}", answer.text());
        answer.text()
    }

    async fn found(&mut self, q: &str) -> Value {
        let answer = json(&mut self.browser, &format!("/search?q={}", encode(q))).await;
        assert_eq!(answer.status, 200, "{q}: {}", answer.text());
        answer.json()
    }

    /// What the messages found say.
    async fn said(&mut self, q: &str) -> Vec<String> {
        texts(&self.found(q).await)
    }
}

async fn json(browser: &mut Browser, path: &str) -> Answer {
    browser
        .send(Ask::get(path).header("accept", "application/json"))
        .await
}

fn texts(found: &Value) -> Vec<String> {
    let messages = found["activities"].as_array().unwrap().iter();
    messages
        .map(|message| message["message"].as_str().unwrap().to_owned())
        .collect()
}

fn count(found: &Value, kind: &str) -> usize {
    found[kind].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_said_is_found_however_it_is_typed() {
    let mut scene = Scene::set().await;
    let text = "ｻｰﾊﾞｰのお見積り、\nＡＢＣ様分です";
    scene.hear(&["関係のない話", text]).await;
    for typed in [
        "サーバー",
        "さーばー",
        "abc",
        "見積 サーバ",
        "積り、abc",
        "ー",
        "  見積\u{3000}",
    ] {
        assert_eq!(scene.said(typed).await, [text], "{typed}");
    }
    for typed in ["見積書", "サーバー 請求", "り、 話"] {
        assert!(scene.said(typed).await.is_empty(), "{typed}");
    }
    let page = scene.page("サーバー abc").await;
    assert!(
        page.contains("<mark>ｻｰﾊﾞｰ</mark>のお見積り、\n<mark>ＡＢＣ</mark>様分です"),
        "{page}"
    );
    let found = scene.found("サーバー").await;
    let message = &found["activities"][0];
    assert_eq!(
        (&message["customer_id"], &message["direction"]),
        (&scene.taro.get().into(), &"received".into())
    );
    assert_eq!(message["customer_name"], "山田 太郎");
    let timestamp = message["timestamp"].as_str().unwrap();
    assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "{timestamp}");
    assert_eq!(
        (&found["next"], &found["is_complete"]),
        (&Value::Null, &true.into())
    );
}

#[tokio::test]
async fn records_are_found_as_their_lists_find_them() {
    let mut scene = Scene::set().await;
    scene.browser.get("/company/new").await;
    let company = [("name", "株式会社斉藤商店"), ("name_kana", "さいとうしょうてん")];
    scene.browser.post("/company/new", &company).await;
    for number in 0..11 {
        let first = format!("{number}郎");
        let person = [
            ("last_name", "斉藤"),
            ("first_name", &first),
            ("last_name_kana", "サイトウ"),
        ];
        scene.browser.post("/customer/new", &person).await;
    }
    let found = scene.found("さいとう").await;
    assert_eq!((count(&found, "customers"), count(&found, "companies")), (10, 1));
    let columns = [
        "id",
        "first_name",
        "last_name",
        "email",
        "phone",
        "line_user_id",
        "company_id",
    ];
    for column in columns {
        assert!(found["customers"][0].get(column).is_some(), "{column}");
    }
    assert_eq!(found["companies"][0]["name"], "株式会社斉藤商店");
    assert_eq!(
        (&found["more_customers"], &found["more_companies"]),
        (&true.into(), &false.into())
    );
    let page = scene.page("さいとう").await;
    assert_eq!(page.matches("<tr data-href=\"/customer/").count(), 10);
    assert_eq!(page.matches("<tr data-href=\"/company/").count(), 1);
    let all = format!("/customers?q={}", encode("さいとう"));
    assert!(
        page.contains(&format!("href=\"{all}\"")) && page.contains("すべて見る"),
        "{page}"
    );
    let list = scene.browser.get(&all).await.text();
    assert_eq!(list.matches("<tr data-href").count(), 11);
    assert_eq!(count(&scene.found(TARO).await, "customers"), 1, "by the user id");
}

#[tokio::test]
async fn our_own_words_are_found_with_what_became_of_them() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}", scene.taro);
    scene.browser.get(&path).await;
    scene
        .browser
        .post(&format!("{path}/note"), &[("message", "見積は部長に確認済み")])
        .await;
    scene
        .browser
        .post(&format!("{path}/send"), &[("message", "見積をお送りします")])
        .await;
    let sent = "[送信] 見積をお送りします";
    let said = until("sent", async || {
        Some(scene.said("見積").await).filter(|said| said.first().is_some_and(|first| first == sent))
    });
    assert_eq!(said.await, [sent, "[社内メモ] 見積は部長に確認済み"]);
    let page = scene.page("見積").await;
    assert!(
        page.contains("tag-out\">送信<") && page.contains("tag-note\">社内メモ<"),
        "{page}"
    );
}

#[tokio::test]
async fn what_was_not_sent_does_not_look_as_if() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}", scene.taro);
    scene.browser.get(&path).await;
    let refuse = Fault::status(403);
    scene.server.simulator.fail_next_on(Endpoint::Send, 1, refuse);
    let words = [("message", "見積をお送りします")];
    scene.browser.post(&format!("{path}/send"), &words).await;
    let said = until("failed", async || {
        let said = scene.said("見積").await;
        said.first()?.starts_with("[送信失敗] ").then_some(said)
    });
    assert_eq!(said.await, ["[送信失敗] 見積をお送りします"]);
    let page = scene.page("見積").await;
    assert!(
        page.contains("tag tag-failed") && page.contains("送信失敗") && !page.contains("tag-out"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_deleted_or_in_the_trash_is_not_found_until_it_is_back() {
    let mut scene = Scene::set().await;
    scene.hear(&["見積の一つ目", "見積の二つ目"]).await;
    let path = format!("/customer/{}", scene.taro);
    scene.browser.get(&path).await;
    let second = scene.found("二つ目").await["activities"][0]["id"]
        .as_i64()
        .unwrap();
    scene
        .browser
        .post(&format!("/activity/{second}/delete"), &[])
        .await;
    assert_eq!(scene.said("見積").await, ["見積の一つ目"]);
    scene
        .browser
        .post(&format!("/activity/{second}/restore"), &[])
        .await;
    assert_eq!(scene.said("見積").await.len(), 2);
    scene.browser.post(&format!("{path}/delete"), &[]).await;
    let gone = scene.found("見積").await;
    assert_eq!(
        (
            count(&gone, "activities"),
            count(&scene.found("山田").await, "customers")
        ),
        (0, 0)
    );
    scene.browser.get("/trash").await;
    scene.browser.post(&format!("/trash{path}/restore"), &[]).await;
    assert_eq!(scene.said("見積").await.len(), 2);
}

#[tokio::test]
async fn who_sees_only_their_own_customers_finds_nothing_of_others() {
    let scene = Scene::set().await;
    let (server, operator) = (&scene.server, TestServer::operator());
    let hanako = server.add_customer("山田", "花子", Some(HANAKO)).await;
    scene.hear(&["見積をお願いします"]).await;
    server
        .simulator
        .deliver(&callbacks::text(HANAKO, "見積はまだですか"))
        .await
        .unwrap();
    server.wait_for_messages(hanako, 1).await;
    let narrow = add(server, "narrow@example.jp", "佐藤 健")
        .await
        .member_id()
        .expect("a member");
    let other = add(server, "other@example.jp", "高橋 直子").await.member_id();
    let details = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Own,
    };
    let team = server.crm.add_team(&operator, details).await.unwrap();
    let belongs = server
        .crm
        .set_team_members(&operator, team, vec![(narrow, false)]);
    belongs.await.unwrap();
    for (customer, owner) in [(hanako, Some(narrow)), (scene.taro, other)] {
        let owned = server.crm.assign_owner(&operator, customer, owner).await;
        owned.unwrap();
    }
    let mut browser = server.browser();
    browser
        .sign_in("narrow@example.jp", crate::harness::server::PASSWORD)
        .await;
    let found = json(&mut browser, &format!("/search?q={}", encode("見積")))
        .await
        .json();
    assert_eq!(texts(&found), ["見積はまだですか"]);
    let found = json(&mut browser, &format!("/search?q={}", encode("山田")))
        .await
        .json();
    assert_eq!(count(&found, "customers"), 1);
    let page = browser.get(&format!("/search?q={}", encode("見積"))).await.text();
    assert!(page.contains("花子") && !page.contains("太郎"), "{page}");
}

#[tokio::test]
async fn further_messages_stand_on_further_pages() {
    let mut scene = Scene::set().await;
    let texts_said: Vec<String> = (0..53).map(|number| format!("見積 第{number:02}便")).collect();
    scene
        .hear(&texts_said.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let first = scene.found("見積").await;
    let next = first["next"].as_str().unwrap().to_owned();
    let second = json(
        &mut scene.browser,
        &format!("/search?q={}&after={next}", encode("見積")),
    )
    .await
    .json();
    assert_eq!(
        (count(&first, "activities"), count(&second, "activities")),
        (50, 3)
    );
    assert_eq!(second["next"], Value::Null);
    let mut all = [texts(&first), texts(&second)].concat();
    all.sort();
    assert_eq!(all, texts_said);
    let page = scene.page("見積").await;
    let address = format!("/search?q={}&amp;after={next}", encode("見積"));
    assert!(page.contains(&address) && page.contains("次の50件"), "{page}");
    assert_eq!(page.matches("<tr data-href").count(), 50);
    let page = scene.browser.get(&address.replace("&amp;", "&")).await.text();
    assert_eq!(page.matches("<tr data-href").count(), 3);
    assert!(
        page.contains("先頭へ") && !page.contains("found-customers"),
        "{page}"
    );
}

#[tokio::test]
async fn a_message_is_opened_where_it_stands() {
    let mut scene = Scene::set().await;
    let many: Vec<String> = (0..60).map(|number| format!("話の第{number:02}便")).collect();
    scene
        .hear(&many.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    for words in ["第00便", "第59便"] {
        let page = scene.page(words).await;
        let href = page
            .split("<tr data-href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let (address, anchor) = href.split_once('#').unwrap();
        let opened = scene.browser.get(address).await;
        assert_eq!(opened.status, 200);
        let opened = opened.text();
        assert!(
            opened.contains(&format!("id=\"{anchor}\"")) && opened.contains(words),
            "{words}"
        );
    }
    let newest = scene.server.conversation(scene.taro).await[0].id;
    let gone = format!(
        "/customer/{}?at=1.{}",
        scene.taro,
        ActivityId::new(newest.get() + 7)
    );
    assert!(
        scene.browser.get(&gone).await.text().contains("第59便"),
        "the newest in place of what is gone"
    );
}

#[tokio::test]
async fn nothing_typed_too_much_typed_and_nothing_found() {
    let mut scene = Scene::set().await;
    for path in ["/search", "/search?q=", "/search?q=%20%E3%80%80"] {
        let page = scene.browser.get(path).await.text();
        assert!(
            page.contains("search-about")
                && !page.contains("<table")
                && !page.contains("見つかりませんでした"),
            "{page}"
        );
        let found = json(&mut scene.browser, path).await.json();
        let none = ["customers", "companies", "activities"].map(|kind| count(&found, kind));
        assert_eq!(none, [0, 0, 0]);
    }
    let page = scene.page("見つからない<b>言葉").await;
    assert!(
        page.contains("「見つからない&lt;b&gt;言葉」は見つかりませんでした。"),
        "{page}"
    );
    let long = "長".repeat(101);
    let path = format!("/search?q={}", encode(&long));
    let refused = scene.browser.get(&path).await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    assert!(
        page.contains(&format!("value=\"{long}\"")) && page.contains("検索する言葉は100文字までです"),
        "{page}"
    );
    let refused = json(&mut scene.browser, &path).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (422, &"invalid".into())
    );
    assert_eq!(
        scene
            .browser
            .get(&format!("/search?q={}", encode(&long[..300])))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn text_stays_text_and_signs_mean_nothing() {
    let mut scene = Scene::set().await;
    let script = "<script>alert('見積')</script>\u{202E}&amp;\"><img src=x onerror=alert(1)>";
    let percent = "割引は100%と_下線_です";
    scene
        .hear(&[script, percent, &"é👨\u{200D}👩\u{200D}👧مرحبا".repeat(80)])
        .await;
    let page = scene.page("見積 <script>").await;
    assert!(
        page.contains("<mark>&lt;script&gt;</mark>alert(&#x27;<mark>見積</mark>&#x27;)"),
        "{page}"
    );
    assert!(
        !page.contains("<script>alert") && !page.contains("<img src=x"),
        "{page}"
    );
    for sign in ["%", "_", "100%"] {
        assert_eq!(scene.said(sign).await, [percent], "{sign}");
    }
    for odd in [
        "%00",
        "a%00b",
        "%FF%FE",
        "%ED%A0%80",
        "%F0%9F%91%A8",
        "*",
        "%22",
        "'",
        "NEAR(a%20b)",
        "a%20OR%20b",
    ] {
        let answer = scene.browser.get(&format!("/search?q={odd}")).await;
        assert_eq!(answer.status, 200, "{odd}: {}", answer.text());
    }
    assert_eq!(scene.said("مرحبا 👨").await.len(), 1);
    for odd in ["-1", "0", "x", "99999999999999999999", "%00"] {
        let status = scene
            .browser
            .get(&format!("/search?q=a&after={odd}"))
            .await
            .status;
        assert_eq!(status, 400, "{odd}");
    }
}

#[tokio::test]
async fn each_search_is_noted_once() {
    let mut scene = Scene::set().await;
    scene.page("見積").await;
    scene.found("請求").await;
    scene.browser.get("/search?q=%20").await;
    scene.browser.get("/search?q=a%00b").await;
    scene
        .browser
        .get(&format!("/search?q={}", encode(&"長".repeat(101))))
        .await;
    scene.page("最後").await;
    let operator = TestServer::operator();
    let noted = until("all are noted", async || {
        let filter = ReadingFilter::default();
        let (found, _) = scene
            .server
            .crm
            .list_readings(&operator, filter, None, 50)
            .await
            .unwrap();
        let words: Vec<String> = found
            .into_iter()
            .filter_map(|reading| reading.what.words)
            .collect();
        words.iter().any(|words| words == "最後").then_some(words)
    });
    let mut noted = noted.await;
    noted.sort();
    assert_eq!(noted.len(), 4, "{noted:?}");
    assert!(noted.contains(&"見積".to_owned()) && noted.contains(&"請求".to_owned()));
}
