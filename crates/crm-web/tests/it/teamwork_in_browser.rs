//! Several members and one customer, in real browsers.

use std::time::Duration;

use crm_domain::permissions::Actor;
use crm_lineworks_sim::callbacks;

use crate::harness::window::Window;
use crate::harness::{TARO, until};
use crate::teamwork::{Scene, add};

const ENTER: &str = "\u{e007}";
const FIELD: &str = "return document.querySelector('#message').value";
const QUESTION: &str =
    "return (document.querySelector('#question-dialog[open] [data-question]')?.textContent ?? '')";

async fn open(scene: &Scene, email: &str, width: u32) -> Window {
    let window = Window::open(&scene.server, width).await;
    window.sign_in(email).await;
    window.go(&scene.page).await;
    window
}

async fn two() -> (Scene, Actor, Window, Window) {
    let scene = Scene::set().await;
    let tanaka = add(&scene.server, "tanaka@example.jp", "田中 花子").await;
    let hers = open(&scene, "tanaka@example.jp", 1280).await;
    let his = open(&scene, "sato@example.jp", 1280).await;
    (scene, tanaka, hers, his)
}

fn sent(scene: &Scene) -> Vec<String> {
    let messages = scene.server.simulator.messages_to(TARO);
    let texts = messages.iter().filter_map(|message| message.text());
    texts.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_second_answerer_is_told_who_has_it_and_loses_nothing() {
    let (scene, _, hers, his) = two().await;
    hers.click("[data-talk-head] form[action$='/take'] button").await;
    his.until(
        "he sees who has it",
        "return document.querySelector('[data-talk-head]').innerText.includes('田中 花子')",
    )
    .await;
    his.type_into("#message", &format!("承知しました。{ENTER}")).await;
    let question = "田中 花子さんが対応中です。送信しますか？";
    his.until("the question", &format!("{QUESTION} === '{question}'"))
        .await;
    assert_eq!(
        his.ask::<String>("return document.activeElement.value").await,
        "no"
    );
    his.click("#question-dialog [value=no]").await;
    his.until("the text is back", &format!("{FIELD} === '承知しました。'"))
        .await;
    assert!(sent(&scene).is_empty());
    his.type_into("#message", ENTER).await;
    his.until("the question again", &format!("{QUESTION} === '{question}'"))
        .await;
    his.click("#question-dialog [value=yes]").await;
    let one = "return document.querySelectorAll('.msg[data-state=sent]').length === 1";
    hers.until("she sees his answer", one).await;
    his.until("it is sent", one).await;
    his.type_into("#message", &format!("もう一通{ENTER}")).await;
    until("asked once only", async || {
        (sent(&scene).len() == 2).then_some(())
    })
    .await;
    assert_eq!(sent(&scene), ["承知しました。", "もう一通"]);
    hers.close().await;
    his.close().await;
}

#[tokio::test]
async fn whoever_is_typing_while_a_colleague_answers_is_asked() {
    let (scene, _, hers, his) = two().await;
    his.type_into("#message", "承知").await;
    hers.type_into("#message", &format!("お送りします{ENTER}")).await;
    his.until(
        "he could see it",
        "return document.querySelectorAll('.msg[data-state=sent]').length === 1",
    )
    .await;
    his.type_into("#message", &format!("しました{ENTER}")).await;
    his.until(
        "the question",
        "return document.querySelector('#question-dialog[open] [data-question]')?.textContent.startsWith('田中 花子さんが') ?? false",
    )
    .await;
    his.click("#question-dialog [value=yes]").await;
    until("both", async || {
        (sent(&scene) == ["お送りします", "承知しました"]).then_some(())
    })
    .await;
    hers.close().await;
    his.close().await;
}

#[tokio::test]
async fn a_draft_survives_a_reload_and_shows_in_another_browser() {
    let scene = Scene::set().await;
    let window = open(&scene, "sato@example.jp", 1280).await;
    window.type_into("#message", "書きかけの返事").await;
    let other = Window::open(&scene.server, 1280).await;
    other.sign_in("sato@example.jp").await;
    until("kept on the server", async || {
        other.go(&scene.page).await;
        (other.ask::<String>(FIELD).await == "書きかけの返事").then_some(())
    })
    .await;
    window.go(&scene.page).await;
    assert_eq!(window.ask::<String>(FIELD).await, "書きかけの返事");
    window.type_into("#message", &format!("です{ENTER}")).await;
    until("sent", async || (sent(&scene).len() == 1).then_some(())).await;
    until("no draft is left", async || {
        other.go(&scene.page).await;
        other.ask::<String>(FIELD).await.is_empty().then_some(())
    })
    .await;
    window.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_note_is_written_beside_a_reply_and_never_leaves() {
    let scene = Scene::set().await;
    let window = open(&scene, "sato@example.jp", 1280).await;
    window.type_into("#message", "返事の途中").await;
    window.click("#tab-note").await;
    window.type_into("#note", &format!("部長に確認済み{ENTER}")).await;
    let shown =
        "return document.querySelector('.msg-note[data-id] .msg-text')?.textContent === '部長に確認済み'";
    window.until("the note", shown).await;
    window.click("#tab-reply").await;
    assert_eq!(window.ask::<String>(FIELD).await, "返事の途中");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(sent(&scene).is_empty());
    window.close().await;
}

#[tokio::test]
async fn what_is_looked_at_is_read() {
    let (scene, tanaka, hers, his) = two().await;
    let unread = async || {
        let lines = scene
            .server
            .crm
            .conversations_of_customer(&tanaka, scene.customer);
        lines.await.unwrap()[0].unread
    };
    until("read", async || (unread().await == 0).then_some(())).await;
    let more = callbacks::text(TARO, "追伸です");
    scene.server.simulator.deliver(&more).await.unwrap();
    scene.server.wait_for_messages(scene.customer, 2).await;
    until("read too", async || (unread().await == 0).then_some(())).await;
    hers.close().await;
    his.close().await;
}
