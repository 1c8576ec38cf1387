//! Faults: each misbehaviour, for whom and how often.

use crate::world::{World, assertion};
use crm_lineworks_sim::{Endpoint, Fault};
use serde_json::Value;
use std::time::{Duration, Instant};

#[test]
fn a_status_is_answered_without_doing_anything() {
    let world = World::new();
    let token = world.token();
    let fault = Fault::status(429).with_header("rateLimit-reset", "7");
    world.sim.fail_next_on(Endpoint::Send, 2, fault);
    for _ in 0..2 {
        let answer = world.send(&token, "a");
        assert_eq!(answer.verdict(), (429, "TOO_MANY_REQUESTS".to_owned()));
        assert_eq!(answer.header("rateLimit-reset"), Some("7"));
    }
    assert_eq!(world.send(&token, "b").status, 201);
    assert_eq!(world.sim.messages().len(), 1);
    assert_eq!(world.sim.requests(Endpoint::Send), 3);
    assert_eq!(world.sim.requests(Endpoint::Token), 1);
    assert_eq!(world.sim.requests(Endpoint::All), 4);
}

#[test]
fn documented_bodies_come_with_each_status() {
    let world = World::new();
    let token = world.token();
    for (code, name) in [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHORIZED"),
        (403, "ACCESS_DENIED"),
        (404, "NOT_FOUND"),
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
    ] {
        world.sim.fail_next(1, Fault::status(code));
        assert_eq!(world.send(&token, "a").verdict(), (code, name.to_owned()));
    }
    let redirect = Fault::Status {
        code: 307,
        body: String::new(),
        headers: Vec::new(),
    };
    world
        .sim
        .fail_next(1, redirect.with_header("Location", "http://127.0.0.1:9/"));
    assert_eq!(
        world.send(&token, "a").header("Location"),
        Some("http://127.0.0.1:9/")
    );
}

#[test]
fn faults_keep_to_their_endpoint_and_stand_until_cleared() {
    let world = World::new();
    let token = world.token();
    let ask = || {
        world
            .ask_token(&world.token_fields(&assertion(&world.claims())))
            .status
    };
    world.sim.always_on(Endpoint::Token, Fault::status(503));
    assert_eq!((ask(), ask(), world.send(&token, "a").status), (503, 503, 201));
    world.sim.fail_next_on(Endpoint::Token, 1, Fault::status(500));
    assert_eq!((ask(), ask()), (500, 503), "counted ones go first");
    world.sim.clear_faults();
    world.sim.always(Fault::status(500));
    assert_eq!(
        (
            ask(),
            world.send(&token, "a").status,
            world.get(&token, "/v1.0/users").status
        ),
        (500, 500, 500)
    );
    assert_eq!(
        world.call("GET", "/sim/messages", &[], None).unwrap().status,
        200,
        "the controls never fail"
    );
    world.sim.clear_faults();
    assert_eq!(ask(), 200);
}

#[test]
fn slow_answers_come_late_and_true() {
    let world = World::new();
    let token = world.token();
    world.sim.fail_next(1, Fault::Slow(Duration::from_millis(300)));
    let began = Instant::now();
    assert_eq!(world.send(&token, "a").status, 201);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(world.sim.messages().len(), 1);
}

#[test]
fn the_line_can_be_cut_before_and_after_doing_and_in_the_middle() {
    let world = World::new();
    let token = world.token();
    let send = || {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        let body = crate::world::text_message("a").to_string();
        let url = world.messages_path(crate::world::ANNA);
        world.call("POST", &url, &headers, Some(body.as_bytes()))
    };
    world.sim.fail_next(1, Fault::CutBeforeResponse);
    send().unwrap_err();
    assert_eq!(world.sim.messages().len(), 0, "nothing was done");
    world.sim.fail_next(1, Fault::CutAfterDoing);
    send().unwrap_err();
    assert_eq!(world.sim.messages().len(), 1, "it was done all the same");
    world.sim.fail_next(1, Fault::CutAfterHeaders);
    send().unwrap_err();
    assert_eq!(world.sim.messages().len(), 2);
    assert_eq!(send().unwrap().status, 201);
}

#[test]
fn a_cut_after_the_headers_shows_the_status_line_first() {
    use std::io::{Read as _, Write as _};
    let world = World::new();
    world.sim.fail_next(1, Fault::CutAfterHeaders);
    let mut line = std::net::TcpStream::connect(world.sim.addr()).unwrap();
    line.write_all(b"GET /v1.0/users HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut seen = String::new();
    line.read_to_string(&mut seen).unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-length: 64"), "{head}");
    assert_eq!(body, "{");
}

#[test]
fn garbage_has_the_right_status_and_no_json() {
    let world = World::new();
    world.sim.fail_next(1, Fault::GarbageBody);
    let answer = world.ask_token(&world.token_fields(&assertion(&world.claims())));
    assert_eq!(answer.status, 200);
    serde_json::from_slice::<Value>(&answer.body).unwrap_err();
}

#[test]
fn tokens_can_die_on_the_next_request() {
    let world = World::new();
    let token = world.token();
    world.sim.fail_next_on(Endpoint::Send, 1, Fault::ExpireTokens);
    assert_eq!(
        world.send(&token, "a").verdict(),
        (401, "UNAUTHORIZED".to_owned())
    );
    assert_eq!(world.send(&world.token(), "a").status, 201);
}
