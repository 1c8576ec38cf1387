//! What goes out when all is well, and who is asked.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::ports::messenger::{Messenger as _, Messengers as _, SendError, SendProblem as P};
use crm_lineworks::Switchboard;
use crm_lineworks_sim::{Endpoint, Fault, Member, SimulatorConfig};

use crate::setup::{USER, setup, setup_with, soon, text_to};

#[tokio::test]
async fn a_text_arrives_as_it_was_written() {
    let all = setup().await;
    let text = "1行目\n2行目 \"引用\" \\ 😀 <m>";
    all.client
        .send_text(&text_to(&all.client, USER, text), soon(&all.client))
        .await
        .outcome
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
        .send_text(
            &text_to(&all.client, "hanako+crm@sim.example", "ログインID宛て"),
            soon(&all.client),
        )
        .await
        .outcome
        .unwrap();
    assert_eq!(all.sim.messages_to(USER).len(), 1);
    for odd in ["a/../../users/b", "花子", "x?y#z", "%2e%2e"] {
        let outcome = all
            .client
            .send_text(&text_to(&all.client, odd, "?"), soon(&all.client))
            .await;
        assert!(
            matches!(
                outcome.outcome,
                Err(SendError::Refused(P::NotFound | P::BadRequest))
            ),
            "{odd}: {outcome:?}"
        );
    }
    let before = all.sim.requests(Endpoint::Send);
    for way in [".", ".."] {
        let outcome = all
            .client
            .send_text(&text_to(&all.client, way, "?"), soon(&all.client))
            .await;
        assert_eq!(outcome.outcome, Err(SendError::Refused(P::BadRequest)));
    }
    assert_eq!(all.sim.requests(Endpoint::Send), before);
}

#[tokio::test]
async fn the_service_refuses_what_is_wrong() {
    let all = setup().await;
    let outcome = all
        .client
        .send_text(
            &text_to(&all.client, USER, &"あ".repeat(2_001)),
            soon(&all.client),
        )
        .await;
    assert_eq!(outcome.outcome, Err(SendError::Refused(P::BadRequest)));
    let outcome = all
        .client
        .send_text(&text_to(&all.client, "nobody", "?"), soon(&all.client))
        .await;
    assert_eq!(outcome.outcome, Err(SendError::Refused(P::NotFound)));
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
    let bot = all.client.bot_setup().await.unwrap();
    assert_eq!(bot.name, "CRM");
    assert_eq!(bot.callback_url, "https://crm.example.jp/webhook");
    assert!(bot.callback_enabled);
    assert!(bot.channel_events.iter().any(|event| event == "begin"));
    assert!(bot.callback_events.iter().any(|kind| kind == "text"));
}

#[tokio::test]
async fn a_bot_that_is_not_there_is_not_found() {
    let all = setup_with(SimulatorConfig::default(), |config| config.bot_id = "999".into()).await;
    let trouble = all.client.bot_setup().await.unwrap_err();
    assert_eq!((trouble.problem, trouble.status), (P::NotFound, Some(404)));
    assert!(!trouble.code.is_empty());
}

#[tokio::test]
async fn the_messenger_is_there_when_it_is_set_up() {
    let all = setup().await;
    let messengers = Switchboard::new(Some(Arc::clone(&all.client)));
    assert_eq!(messengers.line_works().unwrap().bot(), "2000001");
    assert!(Switchboard::new(None).line_works().is_none());
}

#[tokio::test]
async fn mentions_do_not_pass() {
    let all = setup().await;
    let text = "<m userId=\"all\">さん、1 < 2";
    let message = text_to(&all.client, USER, text);
    all.client
        .send_text(&message, soon(&all.client))
        .await
        .outcome
        .unwrap();
    assert_eq!(
        all.sim.messages_to(USER)[0].content["text"],
        "＜m userId=\"all\">さん、1 < 2"
    );
}

#[tokio::test]
async fn the_answer_tells_the_limit_and_the_time() {
    let tenant = SimulatorConfig {
        rate_limit: 3,
        ..SimulatorConfig::default()
    };
    let all = setup_with(tenant, |_| {}).await;
    let heard = all.answered().await.heard;
    let rate = heard.rate.unwrap();
    assert_eq!(
        (rate.limit, rate.remaining, rate.reset),
        (Some(3), Some(2), Some(60))
    );
    all.send().await.unwrap();
    assert_eq!(all.answered().await.heard.rate.unwrap().remaining, Some(0));
    let limited = all.answered().await;
    assert_eq!(
        limited.outcome,
        Err(SendError::NotSent {
            problem: P::RateLimited,
            wait: Some(60)
        })
    );
    assert_eq!(limited.heard.rate.unwrap().limit, Some(3));
}

#[tokio::test]
async fn preparing_gets_a_token_and_sends_nothing() {
    let all = setup().await;
    all.client.prepare().await.unwrap();
    all.client.prepare().await.unwrap();
    assert_eq!(
        (
            all.sim.requests(Endpoint::Token),
            all.sim.requests(Endpoint::Send)
        ),
        (1, 0)
    );
    all.send().await.unwrap();
    assert_eq!(all.sim.requests(Endpoint::Token), 1);
    let wrong = setup_with(SimulatorConfig::default(), |config| {
        config.client_secret = "wrong".into();
    });
    let refused = wrong.await.client.prepare().await;
    assert_eq!(
        refused,
        Err(SendError::NotSent {
            problem: P::CredentialsRefused,
            wait: None
        })
    );
}

#[tokio::test]
async fn the_budget_is_that_of_the_domain() {
    let all = setup_with(SimulatorConfig::default(), |config| {
        config.domain_id = Some("40000001".into());
        config.rate_limit = Some(240);
    })
    .await;
    let budget = all.client.budget();
    assert_eq!(
        (budget.domain.as_str(), all.client.rate_limit()),
        ("40000001", Some(240))
    );
    assert_eq!(budget.operation, "bot-user-message-send");
}
