//! What each status means for a message.

use crm_domain::ports::messenger::SendError;
use crm_domain::ports::messenger::SendProblem as P;
use crm_lineworks_sim::{Endpoint, Fault};

use crate::setup::setup;

fn refused(problem: P) -> Result<(), SendError> {
    Err(SendError::Refused(problem))
}

fn unknown(problem: P) -> Result<(), SendError> {
    Err(SendError::Unknown(problem))
}

fn waits(wait: Option<u32>) -> Result<(), SendError> {
    Err(SendError::NotSent {
        problem: P::RateLimited,
        wait,
    })
}

fn limited(header: &str, value: &str) -> Fault {
    Fault::status(429)
        .with_header("rateLimit-limit", "240")
        .with_header(header, value)
}

#[tokio::test]
async fn every_status_has_its_outcome_and_none_is_tried_again() {
    let cases = [
        (Fault::status(400), refused(P::BadRequest)),
        (Fault::status(402), refused(P::Rejected)),
        (Fault::status(403), refused(P::Forbidden)),
        (Fault::status(404), refused(P::NotFound)),
        (Fault::status(408), refused(P::Rejected)),
        (Fault::status(409), refused(P::Rejected)),
        (Fault::status(410), refused(P::Rejected)),
        (Fault::status(413), refused(P::Rejected)),
        (Fault::status(429), waits(None)),
        (limited("rateLimit-reset", "17"), waits(Some(17))),
        (limited("RateLimit-Reset", "0"), waits(Some(1))),
        (limited("rateLimit-reset", "900"), waits(Some(120))),
        (limited("rateLimit-reset", "2.5"), waits(Some(2))),
        (limited("rateLimit-reset", "soon"), waits(None)),
        (limited("Retry-After", "30"), waits(Some(30))),
        (Fault::status(500), unknown(P::ServerError)),
        (Fault::status(502), unknown(P::ServerError)),
        (
            Fault::status(503).with_header("Retry-After", "5"),
            unknown(P::ServerError),
        ),
        (
            Fault::status(301).with_header("Location", "/v1.0/elsewhere"),
            refused(P::Redirected),
        ),
        (
            Fault::status(302).with_header("Location", "http://127.0.0.1:9/"),
            refused(P::Redirected),
        ),
        (
            Fault::status(307).with_header("Location", "/v1.0/elsewhere"),
            refused(P::Redirected),
        ),
        (
            Fault::Status {
                code: 400,
                body: "<html>no JSON".into(),
                headers: Vec::new(),
            },
            refused(P::BadRequest),
        ),
        (
            Fault::Status {
                code: 500,
                body: String::new(),
                headers: Vec::new(),
            },
            unknown(P::ServerError),
        ),
        (
            Fault::Status {
                code: 200,
                body: "{}".into(),
                headers: Vec::new(),
            },
            Ok(()),
        ),
        (Fault::GarbageBody, Ok(())),
        (Fault::CutAfterHeaders, Ok(())),
        (Fault::CutAfterDoing, unknown(P::LineCut)),
        (Fault::CutBeforeResponse, unknown(P::LineCut)),
    ];
    let all = setup().await;
    for (number, (fault, expected)) in (1..).zip(cases) {
        all.sim.fail_next_on(Endpoint::Send, 1, fault.clone());
        assert_eq!(all.send().await, expected, "{fault:?}");
        assert_eq!(all.sim.requests(Endpoint::Send), number, "{fault:?}");
    }
    assert_eq!(all.sim.requests(Endpoint::Token), 1);
}

/// The next try, which somebody else decides, gets a fresh token.
#[tokio::test]
async fn a_refused_token_is_thrown_away_and_nothing_is_sent_twice() {
    let all = setup().await;
    all.send().await.unwrap();
    all.sim.expire_tokens();
    let refused = Err(SendError::NotSent {
        problem: P::Unauthorized,
        wait: None,
    });
    assert_eq!(all.send().await, refused);
    assert_eq!(
        (
            all.sim.requests(Endpoint::Token),
            all.sim.requests(Endpoint::Send)
        ),
        (1, 2)
    );
    assert_eq!(all.send().await, Ok(()));
    assert_eq!(
        (
            all.sim.requests(Endpoint::Token),
            all.sim.requests(Endpoint::Send)
        ),
        (2, 3)
    );
    assert_eq!(all.sim.messages().len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let all = setup().await;
    all.sim.fail_next_on(Endpoint::Token, 1, Fault::status(500));
    assert_eq!(
        all.send().await,
        Err(SendError::NotSent {
            problem: P::TokenUnavailable,
            wait: None
        })
    );
    assert_eq!(all.sim.requests(Endpoint::Send), 0);
}
