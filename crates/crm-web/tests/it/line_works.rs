//! LINE WORKS set up in the pages: used at once, secrets never shown, the environment wins.

use std::time::Duration;

use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::members::Role;
use crm_domain::use_cases::ConnectionForm;
use crm_lineworks_sim::{BotSetup, Endpoint, Fault, Signing, SimulatorConfig, callbacks};

use crate::harness::browser::Browser;
use crate::harness::http::{Answer, Ask};
use crate::harness::server::{PASSWORD, Setup, TestServer};
use crate::harness::until;

const TARO: &str = "0b1c2d3e-0000-4000-8000-000000000101";
const PAGE: &str = "/admin/line-works";
const BANNER: &str = "LINE WORKSが設定されていないため";

/// A server that knows where the simulator is and nothing else of LINE WORKS.
async fn bare() -> TestServer {
    let setup = Setup {
        addresses_only: true,
        ..Setup::default()
    };
    TestServer::start_with(setup).await
}

/// The simulator's value for a setting.
fn value(server: &TestServer, name: &str) -> String {
    let found = server
        .simulator
        .settings()
        .into_iter()
        .find(|(known, _)| *known == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

fn key(server: &TestServer) -> String {
    value(server, "LINE_WORKS_PRIVATE_KEY").replace("\\n", "\n")
}

/// Everything but the key, as typed.
fn typed(server: &TestServer) -> Vec<(String, String)> {
    let fields = [
        "bot_id",
        "bot_secret",
        "client_id",
        "client_secret",
        "service_account",
        "domain_id",
    ];
    let pair = |name: &str| {
        let setting = format!("LINE_WORKS_{}", name.to_uppercase());
        (name.to_owned(), value(server, &setting))
    };
    let mut pairs: Vec<(String, String)> = fields.map(pair).to_vec();
    pairs.push(("version".to_owned(), "0".to_owned()));
    pairs.push(("password".to_owned(), PASSWORD.to_owned()));
    pairs
}

fn with(mut pairs: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

/// Sends the form as a browser does: with a file.
async fn save(browser: &mut Browser, pairs: &[(String, String)], file: &[u8]) -> Answer {
    browser.get(PAGE).await;
    let mut body = Vec::new();
    let token = ("csrf_token".to_owned(), browser.token.clone());
    for (name, value) in pairs.iter().chain([&token]) {
        let part = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    body.extend(
        b"--b\r\nContent-Disposition: form-data; name=\"key_file\"; filename=\"private.key\"\r\n\
          Content-Type: application/octet-stream\r\n\r\n",
    );
    body.extend(file);
    body.extend(b"\r\n--b--\r\n");
    let origin = format!("http://{}", browser.to);
    let ask = Ask::post(PAGE)
        .header("origin", origin)
        .header("content-type", "multipart/form-data; boundary=b");
    browser.send(ask.bytes(body)).await
}

fn has_no_secret(server: &TestServer, page: &str) {
    let secrets = ["LINE_WORKS_BOT_SECRET", "LINE_WORKS_CLIENT_SECRET"].map(|name| value(server, name));
    for secret in &secrets {
        assert!(!page.contains(secret.as_str()), "a secret is shown");
    }
    let inside = key(server).lines().nth(1).unwrap_or_default().to_owned();
    assert!(!inside.is_empty() && !page.contains(&inside), "the key is shown");
}

#[tokio::test]
async fn what_is_saved_is_used_at_once_and_after_a_restart() {
    let mut server = bare().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut admin = server.signed_in(Role::Admin).await;
    assert!(admin.get("/customers").await.text().contains(BANNER));
    let before = server
        .simulator
        .deliver(&callbacks::text(TARO, "聞こえますか"))
        .await
        .unwrap();
    assert_eq!(before.status, 200);
    let answer = save(&mut admin, &typed(&server), key(&server).as_bytes()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = admin.get(PAGE).await.text();
    assert!(
        page.contains("今から使われます") && page.contains("設定済みです"),
        "{page}"
    );
    has_no_secret(&server, &page);
    assert!(!admin.get("/customers").await.text().contains(BANNER));
    let send = format!("/customer/{customer}/send");
    let answer = admin.post(&send, &[("message", "今つながりました")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(
        server.simulator.messages_to(TARO)[0].content["text"],
        "今つながりました"
    );
    server
        .simulator
        .deliver(&callbacks::text(TARO, "届きました"))
        .await
        .unwrap();
    server.wait_for_messages(customer, 2).await;
    assert!(!server.log().contains(&value(&server, "LINE_WORKS_CLIENT_SECRET")));
    server.stop().await;
    server.start_again().await;
    admin.to = server.address;
    assert!(!admin.get("/customers").await.text().contains(BANNER));
    let again = admin.post(&send, &[("message", "再起動のあと")]).await;
    assert_eq!(again.status, 303, "{}", again.text());
    assert_eq!(server.simulator.messages_to(TARO).len(), 2);
}

#[tokio::test]
async fn what_waits_for_a_connection_leaves_when_one_is_saved() {
    let server = bare().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut admin = server.signed_in(Role::Admin).await;
    save(&mut admin, &typed(&server), key(&server).as_bytes()).await;
    server.simulator.always_on(Endpoint::Token, Fault::status(503));
    let send = format!("/customer/{customer}/send");
    admin.post(&send, &[("message", "待っています")]).await;
    until("a second try in vain", async || {
        (server.simulator.requests(Endpoint::Token) >= 2).then_some(())
    })
    .await;
    // The next try would come ten seconds later.
    server.simulator.clear_faults();
    let saved = save(
        &mut admin,
        &with(typed(&server), "version", "1"),
        key(&server).as_bytes(),
    )
    .await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let messages = server
        .simulator
        .wait_for_messages(1, Duration::from_secs(8))
        .await
        .unwrap();
    assert_eq!(messages[0].content["text"], "待っています");
}

#[tokio::test]
async fn every_wrong_field_has_its_sentence_and_nothing_but_secrets_is_lost() {
    let server = bare().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let pairs = with(with(typed(&server), "bot_id", "ボット"), "service_account", "");
    let answer = save(&mut admin, &pairs, &[0xff, 0xfe, 0x00, 0x41]).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    for sentence in [
        "Bot IDは数字だけです。",
        "Service Accountを入力してください。",
        "秘密鍵を読み取れません。",
        "もう一度入力してください。ほかの入力は残っています。",
        "value=\"ボット\"",
    ] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    assert!(page.contains(&format!("value=\"{}\"", value(&server, "LINE_WORKS_CLIENT_ID"))));
    has_no_secret(&server, &page);
    let other = with(typed(&server), "password", "違うパスワード");
    let wrong = save(&mut admin, &other, key(&server).as_bytes()).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("パスワードが違います。"));
    has_no_secret(&server, &wrong.text());
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let other = save(&mut admin, &typed(&server), certificate.as_bytes()).await;
    assert!(
        other.status == 422 && other.text().contains("秘密鍵"),
        "{}",
        other.text()
    );
    let late = with(typed(&server), "version", "7");
    assert_eq!(
        save(&mut admin, &late, key(&server).as_bytes()).await.status,
        422,
        "stale"
    );
    assert!(
        admin.get("/customers").await.text().contains(BANNER),
        "nothing was saved"
    );
}

#[tokio::test]
async fn a_secret_left_empty_stays_as_it_is() {
    let server = bare().await;
    let mut admin = server.signed_in(Role::Admin).await;
    save(&mut admin, &typed(&server), key(&server).as_bytes()).await;
    let mut pairs = with(typed(&server), "version", "1");
    for name in ["bot_secret", "client_secret"] {
        pairs = with(pairs, name, "");
    }
    let saved = save(&mut admin, &with(pairs, "scope", "bot bot.message"), b"").await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let renewed = admin.post("/admin/line-works/token", &[]).await;
    assert_eq!(renewed.status, 303, "{}", renewed.text());
    let page = admin.get(PAGE).await.text();
    assert!(
        page.contains("アクセストークンを取り直しました。") && page.contains("value=\"bot bot.message\"")
    );
}

#[tokio::test]
async fn what_the_environment_sets_is_shown_and_wins() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin.get(PAGE).await.text();
    assert!(page.contains("環境変数で設定") && page.contains(&value(&server, "LINE_WORKS_BOT_ID")));
    has_no_secret(&server, &page);
    let saved = save(&mut admin, &with(typed(&server), "bot_id", "999"), b"").await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let page = admin.get(PAGE).await.text();
    assert!(
        !page.contains("Bot ID: 999") && page.contains("Bot ID: 2000001"),
        "{page}"
    );
    let mixed = Setup {
        addresses_only: true,
        ..Setup::default()
    };
    let mixed = TestServer::start_with(mixed.with("LINE_WORKS_SCOPE", "bot.message")).await;
    let mut admin = mixed.signed_in(Role::Admin).await;
    let saved = save(
        &mut admin,
        &with(typed(&mixed), "scope", "bot"),
        key(&mixed).as_bytes(),
    )
    .await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(admin.post("/admin/line-works/token", &[]).await.status, 303);
    let page = admin.post("/admin/line-works/check", &[]).await.text();
    assert!(page.contains("bot.message"), "{page}");
}

#[tokio::test]
async fn a_whole_env_is_pasted() {
    let server = bare().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let mut env = String::from("# the old system\nFLASK_ENV=production\nno value\n");
    for (name, value) in server.simulator.settings() {
        env = format!("{env}{name}=\"{value}\"\n");
    }
    admin.get(PAGE).await;
    let road = "/admin/line-works/env";
    let wrong = admin
        .post(road, &[("version", "0"), ("env", &env), ("env_password", "違う")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("パスワードが違います。"),
        "{}",
        wrong.text()
    );
    has_no_secret(&server, &wrong.text());
    let nothing = [("version", "0"), ("env", "A=b"), ("env_password", PASSWORD)];
    assert_eq!(admin.post(road, &nothing).await.status, 422);
    let good = [
        ("version", "0"),
        ("env", env.as_str()),
        ("env_password", PASSWORD),
    ];
    let answer = admin.post(road, &good).await;
    let page = answer.text();
    assert_eq!(answer.status, 200, "{page}");
    for sentence in [
        "FLASK_ENV: このシステムの設定ではない",
        "LINE_WORKS_TOKEN_URL: 環境変数でだけ",
        "3行目を読めません",
    ] {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    has_no_secret(&server, &page);
    assert!(!admin.get("/customers").await.text().contains(BANNER));
    assert_eq!(admin.post("/admin/line-works/token", &[]).await.status, 303);
}

#[tokio::test]
async fn the_check_says_what_differs_and_mends_it() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    server.simulator.set_bot(BotSetup {
        callback_enabled: false,
        callback_url: "https://elsewhere.example/webhook".to_owned(),
        channel_events: ["message", "postback"].map(String::from).to_vec(),
        callback_events: vec!["text".to_owned()],
    });
    admin.get(PAGE).await;
    let page = admin.post("/admin/line-works/check", &[]).await.text();
    for seen in [
        "https://elsewhere.example/webhook ≠ http://localhost:3000/webhook",
        "Callbackの有効化",
        "begin, end",
        "image, file",
        "この内容で設定する",
    ] {
        assert!(page.contains(seen), "{seen}: {page}");
    }
    let set = admin.post("/admin/line-works/bot", &[]).await;
    assert_eq!(set.status, 303, "{}", set.text());
    let bot = server.simulator.bot();
    assert!(bot.callback_enabled && bot.callback_url == "http://localhost:3000/webhook");
    assert_eq!(bot.channel_events[..2], ["message", "postback"]);
    assert!(bot.channel_events.iter().any(|event| event == "begin"));
    assert!(bot.callback_events.iter().any(|kind| kind == "file"));
    let page = admin.post("/admin/line-works/check", &[]).await.text();
    assert!(
        page.contains("すべて問題ありません") && !page.contains("この内容で設定する"),
        "{page}"
    );
}

#[tokio::test]
async fn a_change_that_line_works_does_not_allow_is_said_plainly() {
    let setup = Setup {
        simulator: SimulatorConfig {
            scopes: ["bot.message", "bot.read"].map(String::from).to_vec(),
            ..SimulatorConfig::default()
        },
        ..Setup::default()
    };
    let server = TestServer::start_with(setup.with("LINE_WORKS_SCOPE", "bot.message bot.read")).await;
    let mut admin = server.signed_in(Role::Admin).await;
    admin.get(PAGE).await;
    let answer = admin.post("/admin/line-works/bot", &[]).await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert!(
        page.contains("LINE WORKSがBotの変更を受け付けませんでした。"),
        "{page}"
    );
    assert!(page.contains("HTTP 403"), "{page}");
}

#[tokio::test]
async fn the_status_tells_of_callbacks_errors_and_a_test_message() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    admin.get(PAGE).await;
    let test = "/admin/line-works/test";
    assert_eq!(admin.post(test, &[("user_id", "")]).await.status, 422);
    let sent = admin.post(test, &[("user_id", TARO)]).await;
    assert!(sent.status == 200 && sent.text().contains("テストメッセージを送信しました。"));
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
    server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(403));
    let refused = admin.post(test, &[("user_id", TARO)]).await.text();
    assert!(refused.contains("HTTP 403"), "the last error: {refused}");
    server
        .simulator
        .deliver(&callbacks::text(TARO, "こんにちは"))
        .await
        .unwrap();
    let forged = callbacks::text(TARO, "偽物");
    server
        .simulator
        .deliver_signed(&forged, Signing::Wrong)
        .await
        .unwrap();
    let page = until("the callback and the wrong signature", async || {
        let page = admin.get(PAGE).await.text();
        (!page.contains("まだ受信していません") && page.contains("1件を保留しています")).then_some(page)
    })
    .await;
    assert!(page.contains("http://localhost:3000/webhook"));
}

#[tokio::test]
async fn what_another_program_saves_is_noticed() {
    let server = bare().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let mut values = ConnectionValues::default();
    for field in ConnectionField::ALL {
        let name = format!("LINE_WORKS_{}", field.code().to_uppercase());
        values.set(field, &value(&server, &name));
    }
    let form = ConnectionForm { version: 0, values };
    server
        .crm
        .save_connection(&TestServer::operator(), form, "")
        .await
        .unwrap();
    until("the banner goes", async || {
        let page = admin.get("/customers").await.text();
        (!page.contains(BANNER)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_administrators_come_here() {
    let server = bare().await;
    for role in [Role::Member, Role::Viewer] {
        let mut browser = server.signed_in(role).await;
        assert_eq!(browser.get(PAGE).await.status, 403);
        for road in ["", "/env", "/check", "/token", "/bot", "/test"] {
            let answer = browser.post(&format!("{PAGE}{road}"), &[("user_id", TARO)]).await;
            assert_eq!(answer.status, 403, "{road}");
        }
    }
}

#[tokio::test]
async fn a_stranger_at_the_desk_does_not_guess_the_password() {
    let server = bare().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let guess = with(typed(&server), "password", "guess");
    for _ in 0..10 {
        assert_eq!(
            save(&mut admin, &guess, key(&server).as_bytes()).await.status,
            422
        );
    }
    let right = save(&mut admin, &typed(&server), key(&server).as_bytes()).await;
    assert_eq!((right.status, right.header("retry-after").is_some()), (429, true));
    assert!(right.text().contains("value=\"2000001\""), "what was typed stays");
    has_no_secret(&server, &right.text());
}
