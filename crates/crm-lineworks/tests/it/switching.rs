//! The connection in use is exchanged, looked at, and its bot changed.

use std::sync::Arc;

use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused, Callbacks as _};
use crm_domain::ports::connector::BotSetup;
use crm_domain::ports::files::FileSource as _;
use crm_domain::ports::host::Clock as _;
use crm_domain::ports::messenger::{Messengers as _, SendProblem as P};
use crm_domain::ports::profiles::{ProfileError, ProfileSource as _};
use crm_lineworks::Switchboard;
use crm_lineworks_sim::{Endpoint, Fault, SimulatorConfig};

use crate::setup::{setup, setup_with};

#[tokio::test]
async fn every_port_follows_the_switch() {
    let all = setup().await;
    let board = Switchboard::default();
    let nothing = CallbackHeaders::default();
    assert!(board.line_works().is_none() && !board.is_set_up());
    assert_eq!(board.verify(nothing, b"{}"), Err(CallbackRefused::NotConfigured));
    assert!(matches!(board.list(None).await, Err(ProfileError::NotConfigured)));
    board.switch(Some(Arc::clone(&all.client)));
    assert_eq!(board.line_works().unwrap().bot(), "2000001");
    assert!(board.is_set_up() && board.sample(all.clock.now()).is_some());
    assert_eq!(board.verify(nothing, b"{}"), Err(CallbackRefused::Unsigned));
    assert!(board.list(None).await.is_ok());
    board.switch(None);
    assert!(board.line_works().is_none());
}

#[tokio::test]
async fn the_bot_is_changed_and_nothing_else_of_it() {
    let all = setup().await;
    let before = all.client.bot_setup().await.unwrap();
    let wanted = BotSetup {
        callback_url: "https://crm.example.jp/webhook".to_owned(),
        callback_enabled: true,
        channel_events: vec!["message".to_owned(), "begin".to_owned()],
        ..before.clone()
    };
    all.client.change_bot(&wanted).await.unwrap();
    assert_eq!(all.client.bot_setup().await.unwrap(), wanted);
    assert_eq!(all.sim.bot().channel_events, ["message", "begin"]);
    let plain = BotSetup {
        callback_url: "http://crm.example.jp/webhook".to_owned(),
        ..wanted
    };
    let refused = all.client.change_bot(&plain).await.unwrap_err();
    assert_eq!((refused.problem, refused.status), (P::BadRequest, Some(400)));
}

#[tokio::test]
async fn the_bot_stays_when_the_scope_allows_reading_only() {
    let all = setup_with(SimulatorConfig::default(), |config| {
        config.scope = "bot.read".into();
    })
    .await;
    let bot = all.client.bot_setup().await.unwrap();
    let refused = all.client.change_bot(&bot).await.unwrap_err();
    assert_eq!((refused.problem, refused.status), (P::Forbidden, Some(403)));
}

#[tokio::test]
async fn the_standing_tells_of_the_token_and_the_last_trouble() {
    let all = setup().await;
    assert_eq!(all.client.standing(), (None, None));
    let token = all.client.renew_token().await.unwrap();
    assert_eq!(token.until, Some(all.clock.now().plus(time::Duration::hours(1))));
    assert_eq!(all.client.standing(), (Some(token), None));
    all.sim.fail_next_on(Endpoint::Send, 1, Fault::status(403));
    all.send().await.unwrap_err();
    let trouble = all.client.standing().1.unwrap();
    assert_eq!((trouble.problem, trouble.at), (P::Forbidden, all.clock.now()));
    assert!(trouble.words.contains("403"), "{}", trouble.words);
    let asked = all.sim.requests(Endpoint::Token);
    all.client.renew_token().await.unwrap();
    assert_eq!(
        all.sim.requests(Endpoint::Token),
        asked + 1,
        "a new one each time"
    );
}
