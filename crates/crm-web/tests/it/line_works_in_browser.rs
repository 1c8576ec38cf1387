//! LINE WORKS set up in a real browser: with a key file, wide and on a phone.

use crm_domain::members::Role;
use crm_lineworks_sim::{BotSetup, Member};

use crate::harness::server::{PASSWORD, Setup, TestServer};
use crate::harness::window::Window;
use crate::harness::{TARO, until};

const PAGE: &str = "/admin/line-works";
const FITS: &str = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";

async fn open(server: &TestServer, width: u32) -> Window {
    let window = Window::open(server, width).await;
    window.sign_in("admin@example.jp").await;
    window.go(PAGE).await;
    window.until("it fits", FITS).await;
    window
}

fn value(server: &TestServer, field: &str) -> String {
    let name = format!("LINE_WORKS_{}", field.to_uppercase());
    let found = server
        .simulator
        .settings()
        .into_iter()
        .find(|(known, _)| *known == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// Presses a button of a long page, which scrolls smoothly by itself.
async fn press(window: &Window, css: &str) {
    let there =
        format!("document.querySelector(\"{css}\").scrollIntoView({{behavior: 'instant', block: 'center'}})");
    window.run(&there).await;
    window.click(css).await;
}

async fn fill_in(server: &TestServer, window: &Window, key_file: &str) {
    for field in [
        "bot_id",
        "client_id",
        "service_account",
        "bot_secret",
        "client_secret",
    ] {
        window
            .type_into(&format!("#f-{field}"), &value(server, field))
            .await;
    }
    window.type_into("#f-private_key", key_file).await;
    window.type_into("#f-password", PASSWORD).await;
    press(window, "#settings .form-buttons button").await;
}

#[tokio::test]
async fn the_connection_is_set_up_checked_mended_and_tried() {
    let setup = Setup {
        addresses_only: true,
        ..Setup::default()
    };
    let server = TestServer::start_with(setup).await;
    server.add_member("admin@example.jp", Role::Admin).await;
    server.simulator.add_member(Member::new(TARO, "山田", "太郎"));
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private.key");
    std::fs::write(&key, value(&server, "private_key").replace("\\n", "\n")).unwrap();
    let window = open(&server, 1280).await;
    fill_in(&server, &window, "/etc/hostname").await;
    window
        .until(
            "the key is refused",
            "return document.body.innerText.includes('秘密鍵を読み取れません')",
        )
        .await;
    let typed = "return document.querySelector('#f-client_id').value";
    assert_eq!(window.ask::<String>(typed).await, value(&server, "client_id"));
    for secret in ["#f-bot_secret", "#f-client_secret", "#f-key_text"] {
        let shown = format!("return document.querySelector('{secret}').value");
        assert_eq!(window.ask::<String>(&shown).await, "", "{secret}");
    }
    window.go(PAGE).await;
    fill_in(&server, &window, &key.display().to_string()).await;
    window
        .until("it is set up", "return !!document.querySelector('.state-ready')")
        .await;
    assert!(
        !window
            .ask::<bool>("return !!document.querySelector('.banner')")
            .await
    );

    server.simulator.set_bot(BotSetup {
        channel_events: vec!["message".to_owned()],
        ..server.simulator.bot()
    });
    press(&window, "form[action$='/check'] button").await;
    window
        .until(
            "what is missing",
            "return document.querySelector('#report')?.innerText.includes('begin, end')",
        )
        .await;
    press(&window, "form[action$='/bot'] button").await;
    until("the bot is mended", async || {
        let events = server.simulator.bot().channel_events;
        events.iter().any(|event| event == "end").then_some(())
    })
    .await;

    let phone = open(&server, 390).await;
    press(&phone, "[data-choose-member='f-user_id']").await;
    phone
        .until(
            "the members",
            "return document.querySelector('dialog[open]')?.innerText.includes('山田')",
        )
        .await;
    phone.click("#member-dialog [data-member-list] button").await;
    let chosen = format!("return document.querySelector('#f-user_id').value === '{TARO}'");
    phone.until("one is chosen", &chosen).await;
    press(&phone, "form[action$='/test'] button[type=submit]").await;
    phone
        .until(
            "it was sent",
            "return document.body.innerText.includes('テストメッセージを送信しました')",
        )
        .await;
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
    phone.until("it fits", FITS).await;
    window.close().await;
    phone.close().await;
}
