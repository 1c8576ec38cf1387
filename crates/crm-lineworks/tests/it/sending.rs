//! What goes out when all is well, and who is asked.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::ports::messenger::{Messenger as _, Messengers as _, SendError, SendProblem as P};
use crm_lineworks::StaticMessengers;
use crm_lineworks_sim::{Endpoint, Fault, Member, SimulatorConfig};

use crate::setup::{USER, setup, setup_with, text_to};

#[tokio::test]
async fn a_text_arrives_as_it_was_written() {
    let all = setup().await;
    let text = "1行目\n2行目 \"引用\" \\ 😀 <m>";
    all.client
        .send_text(&text_to(&all.client, USER, text))
        .await
        .unwrap();
    let messages = all.sim.messages_to(USER);
    assert_eq!(messages.len(), 1);
    assert_eq!(
        messages[0].content,
        serde_json::json!({"type": "text", "text": text})
    );
}

#[tokio::test]
async fn ids_are_encoded() {
    let member = Member::new(USER, "山田", "花子").with_email("hanako+crm@sim.example");
    let all = setup_with(
        SimulatorConfig {
            members: vec![member],
            ..SimulatorConfig::default()
        },
        |_| {},
    )
    .await;
    all.client
        .send_text(&text_to(&all.client, "hanako+crm@sim.example", "ログインID宛て"))
        .await
        .unwrap();
    assert_eq!(all.sim.messages_to(USER).len(), 1);
    for odd in ["a/../../users/b", "花子", "x?y#z", "%2e%2e"] {
        let outcome = all.client.send_text(&text_to(&all.client, odd, "?")).await;
        assert!(
            matches!(outcome, Err(SendError::Refused(P::NotFound | P::BadRequest))),
            "{odd}: {outcome:?}"
        );
    }
    let before = all.sim.requests(Endpoint::Send);
    for way in [".", ".."] {
        let outcome = all.client.send_text(&text_to(&all.client, way, "?")).await;
        assert_eq!(outcome, Err(SendError::Refused(P::BadRequest)));
    }
    assert_eq!(all.sim.requests(Endpoint::Send), before);
}

#[tokio::test]
async fn the_service_refuses_what_is_wrong() {
    let all = setup().await;
    let outcome = all
        .client
        .send_text(&text_to(&all.client, USER, &"あ".repeat(2_001)))
        .await;
    assert_eq!(outcome, Err(SendError::Refused(P::BadRequest)));
    let outcome = all.client.send_text(&text_to(&all.client, "nobody", "?")).await;
    assert_eq!(outcome, Err(SendError::Refused(P::NotFound)));
    let unpublished = SimulatorConfig {
        bot_published: false,
        ..SimulatorConfig::default()
    };
    let all = setup_with(unpublished, |_| {}).await;
    assert_eq!(all.send().await, Err(SendError::Refused(P::Forbidden)));
}

#[tokio::test]
async fn a_request_that_has_begun_ends_by_itself() {
    let all = setup().await;
    all.send().await.unwrap();
    all.sim
        .fail_next_on(Endpoint::Send, 1, Fault::Slow(Duration::from_millis(200)));
    let given_up = tokio::time::timeout(Duration::from_millis(50), all.send()).await;
    assert!(given_up.is_err());
    let messages = all
        .sim
        .wait_for_messages(2, Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(messages.len(), 2);
}

#[tokio::test]
async fn the_bot_is_described() {
    let all = setup().await;
    all.sim.set_callback_url("https://crm.example.jp/webhook");
    let bot = all.client.bot_info().await.unwrap();
    assert_eq!(bot.name, "CRM");
    assert_eq!(bot.callback_url, "https://crm.example.jp/webhook");
    assert!(bot.callback_enabled);
    assert!(bot.channel_events.iter().any(|event| event == "begin"));
    assert!(bot.callback_events.iter().any(|kind| kind == "text"));
}

#[tokio::test]
async fn a_bot_that_is_not_there_is_not_found() {
    let all = setup_with(SimulatorConfig::default(), |config| config.bot_id = "999".into()).await;
    let trouble = all.client.bot_info().await.unwrap_err();
    assert_eq!((trouble.problem, trouble.status), (P::NotFound, Some(404)));
    assert!(!trouble.code.is_empty());
}

#[tokio::test]
async fn the_messenger_is_there_when_it_is_set_up() {
    let all = setup().await;
    let messengers = StaticMessengers(Some(Arc::clone(&all.client)));
    assert_eq!(messengers.line_works().unwrap().bot(), "2000001");
    assert!(StaticMessengers(None).line_works().is_none());
}
