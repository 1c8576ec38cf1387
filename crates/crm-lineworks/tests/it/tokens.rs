//! The token: asked for once, kept as long as it is good, and every trouble with it named.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::ports::host::Clock as _;
use crm_domain::ports::messenger::{Messenger as _, SendError, SendProblem as P};
use crm_lineworks::{LineWorks, LineWorksConfig};
use crm_lineworks_sim::{Endpoint, Fault, SimClock, Simulator, SimulatorConfig};
use serde_json::json;

use crate::setup::{Setup, clock, config, setup, setup_with, soon, text_to};

fn not_sent(problem: P) -> Result<(), SendError> {
    Err(SendError::NotSent { problem, wait: None })
}

fn oauth(code: u16, error: &str) -> Fault {
    let body = json!({"error": error, "error_description": "words"}).to_string();
    Fault::Status {
        code,
        body,
        headers: Vec::new(),
    }
}

fn granting(grant: &serde_json::Value) -> Fault {
    Fault::Status {
        code: 200,
        body: grant.to_string(),
        headers: Vec::new(),
    }
}

#[tokio::test]
async fn every_refusal_of_the_token_service_has_its_problem_and_nothing_leaves() {
    let answer = |code, body: &str| Fault::Status {
        code,
        body: body.to_owned(),
        headers: Vec::new(),
    };
    let cases = [
        (oauth(401, "invalid_client"), P::CredentialsRefused),
        (oauth(400, "invalid_client"), P::CredentialsRefused),
        (oauth(400, "invalid_grant"), P::CredentialsRefused),
        (oauth(400, "unauthorized_client"), P::CredentialsRefused),
        (oauth(400, "invalid_scope"), P::ScopeRefused),
        (oauth(500, "server_error"), P::TokenUnavailable),
        (answer(401, ""), P::CredentialsRefused),
        (answer(404, "<html>"), P::TokenUnavailable),
        (answer(302, ""), P::Redirected),
        (answer(503, "busy"), P::TokenUnavailable),
        (answer(200, "not JSON"), P::TokenUnavailable),
        (answer(200, "{}"), P::TokenUnavailable),
        (answer(200, r#"{"access_token":""}"#), P::TokenUnavailable),
        (
            answer(200, r#"{"access_token":"a\r\nb: c"}"#),
            P::TokenUnavailable,
        ),
        (Fault::CutBeforeResponse, P::TokenUnavailable),
        (Fault::CutAfterHeaders, P::TokenUnavailable),
    ];
    let all = setup().await;
    for (fault, problem) in cases {
        all.sim.fail_next_on(Endpoint::Token, 1, fault.clone());
        assert_eq!(all.send().await, not_sent(problem), "{fault:?}");
    }
    assert_eq!(all.sim.requests(Endpoint::Send), 0);
    assert_eq!(all.send().await, Ok(()));
}

#[tokio::test]
async fn the_token_service_can_ask_to_wait() {
    let all = setup().await;
    all.sim.fail_next_on(
        Endpoint::Token,
        1,
        Fault::status(429).with_header("rateLimit-reset", "9"),
    );
    assert_eq!(
        all.send().await,
        Err(SendError::NotSent {
            problem: P::RateLimited,
            wait: Some(9)
        })
    );
}

type Change = fn(&mut LineWorksConfig);

#[tokio::test]
async fn wrong_settings_are_told_apart() {
    let cases: [(Change, P, &str); 4] = [
        (
            |config| config.client_secret = "wrong".into(),
            P::CredentialsRefused,
            "invalid_client",
        ),
        (
            |config| config.client_id = "wrong".into(),
            P::CredentialsRefused,
            "invalid_client",
        ),
        (
            |config| config.service_account = "wrong".into(),
            P::CredentialsRefused,
            "invalid_grant",
        ),
        (
            |config| config.scope = "calendar".into(),
            P::ScopeRefused,
            "invalid_scope",
        ),
    ];
    for (change, problem, code) in cases {
        let all = setup_with(SimulatorConfig::default(), change).await;
        assert_eq!(all.send().await, not_sent(problem));
        let trouble = all.client.renew_token().await.unwrap_err();
        assert_eq!((trouble.problem, trouble.code.as_str()), (problem, code));
        assert!(!trouble.description.is_empty());
    }
}

#[tokio::test]
async fn sixteen_senders_ask_for_one_token() {
    let all = setup().await;
    all.sim
        .fail_next_on(Endpoint::Token, 1, Fault::Slow(Duration::from_millis(200)));
    let senders: Vec<_> = (0..16)
        .map(|number| {
            let client = Arc::clone(&all.client);
            let message = text_to(&client, crate::setup::USER, &format!("{number}"));
            tokio::spawn(async move { client.send_text(&message, soon(&client)).await.outcome })
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.await.unwrap(), Ok(()));
    }
    assert_eq!(
        (all.sim.requests(Endpoint::Token), all.sim.messages().len()),
        (1, 16)
    );
}

#[tokio::test]
async fn many_401_for_one_token_ask_for_one_new_token() {
    let all = setup().await;
    all.send().await.unwrap();
    all.sim.expire_tokens();
    let outcomes = tokio::join!(all.send(), all.send(), all.send(), all.send());
    assert!(outcomes.0.is_err(), "one request, one answer: {outcomes:?}");
    let outcomes = tokio::join!(all.send(), all.send(), all.send(), all.send());
    assert_eq!(outcomes, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(all.sim.requests(Endpoint::Token), 2);
}

async fn tokens_after(all: &Setup, seconds: i64) -> u64 {
    all.clock.advance(seconds);
    all.send().await.unwrap();
    all.sim.requests(Endpoint::Token)
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    for number in [false, true] {
        let tenant = SimulatorConfig {
            expires_in_as_number: number,
            ..SimulatorConfig::default()
        };
        let all = setup_with(tenant, |_| {}).await;
        assert_eq!(tokens_after(&all, 0).await, 1);
        assert_eq!(tokens_after(&all, 55 * 60 - 1).await, 1);
        assert_eq!(tokens_after(&all, 1).await, 2);
    }
}

#[tokio::test]
async fn a_token_that_lives_longer_is_still_used_for_55_minutes_only() {
    let tenant = SimulatorConfig {
        token_lifetime: Duration::from_hours(24),
        ..SimulatorConfig::default()
    };
    let all = setup_with(tenant, |_| {}).await;
    assert_eq!(tokens_after(&all, 0).await, 1);
    assert_eq!(tokens_after(&all, 3_299).await, 1);
    assert_eq!(tokens_after(&all, 1).await, 2);
}

#[tokio::test]
async fn a_token_that_lives_shorter_is_given_up_earlier() {
    let tenant = SimulatorConfig {
        token_lifetime: Duration::from_mins(1),
        ..SimulatorConfig::default()
    };
    let all = setup_with(tenant, |_| {}).await;
    assert_eq!(tokens_after(&all, 0).await, 1);
    assert_eq!(tokens_after(&all, 47).await, 1);
    assert_eq!(tokens_after(&all, 1).await, 2);
}

#[tokio::test]
async fn the_life_of_a_token_is_read_in_every_form() {
    let cases = [
        (json!({"access_token": "t", "expires_in": "600"}), 479, 480),
        (json!({"access_token": "t", "expires_in": 600}), 479, 480),
        (json!({"access_token": "t"}), 3_299, 3_300),
        (json!({"access_token": "t", "expires_in": null}), 3_299, 3_300),
        (
            json!({"access_token": "t", "expires_in": "an hour"}),
            3_299,
            3_300,
        ),
    ];
    for (grant, kept, renewed) in cases {
        let all = setup().await;
        all.sim.always_on(Endpoint::Token, granting(&grant));
        let accepted = Fault::Status {
            code: 201,
            body: String::new(),
            headers: Vec::new(),
        };
        all.sim.always_on(Endpoint::Send, accepted);
        assert_eq!(tokens_after(&all, 0).await, 1, "{grant}");
        assert_eq!(tokens_after(&all, kept).await, 1, "{grant}");
        assert_eq!(tokens_after(&all, renewed - kept).await, 2, "{grant}");
    }
}

#[tokio::test]
async fn the_check_says_what_was_granted() {
    let all = setup().await;
    let granted = all.client.renew_token().await.unwrap();
    let until = all.clock.now().plus(time::Duration::hours(1));
    assert_eq!((granted.scope.as_str(), granted.until), ("bot", Some(until)));
    all.sim.pause().await;
    assert_eq!(
        all.client.renew_token().await.unwrap_err().problem,
        P::NoConnection
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_does_not_stop_sending() {
    for hours in [1, -1, 24] {
        let (theirs, clock) = (clock(), clock());
        let sim = Simulator::start(SimulatorConfig {
            clock: SimClock::new(move || theirs.now().utc().assume_utc()),
            ..SimulatorConfig::default()
        })
        .await
        .unwrap();
        let config = config(sim.token_url(), sim.api_url());
        let client = Arc::new(LineWorks::new(config, Arc::clone(&clock) as _).unwrap());
        clock.advance(hours * 3_600);
        let all = Setup { sim, client, clock };
        assert_eq!(all.send().await, Ok(()), "{hours}");
        assert_eq!(all.sim.requests(Endpoint::Token), 2, "{hours}");
    }
}
