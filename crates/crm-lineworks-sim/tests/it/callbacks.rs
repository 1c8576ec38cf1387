//! Signed callbacks of every type.

use crate::receiver::Crm;
use crate::world::{ANNA, World};
use crm_lineworks_sim::{Event, Signing, SimError, callbacks};
use serde_json::{Value, json};
use time::macros::datetime;

const ROOM: &str = "7f2a0000-0000-4000-8000-000000000001";

fn deliver(world: &World, event: &Event, signing: Signing) -> u16 {
    world
        .runtime
        .block_on(world.sim.deliver_signed(event, signing))
        .unwrap()
        .status
}

#[test]
fn a_callback_arrives_as_documented_and_rightly_signed() {
    let (world, crm) = (World::new(), Crm::answering(200));
    world.sim.set_callback_url(&crm.url);
    let delivery = world
        .runtime
        .block_on(world.sim.deliver(&callbacks::text(ANNA, "見積もり")))
        .unwrap();
    assert_eq!((delivery.status, delivery.body.as_str()), (200, "ok"));
    let got = crm.next();
    assert_eq!(got.request_line, "POST /webhook HTTP/1.1");
    assert_eq!(got.headers["content-type"], "application/json; charset=UTF-8");
    assert_eq!(got.headers["x-works-botid"], world.sim.config().bot_id);
    assert_eq!(
        got.headers["x-works-signature"],
        callbacks::sign("sim-bot-secret", &got.body)
    );
    let expected = json!({
        "type": "message",
        "source": {"userId": ANNA, "domainId": 40_000_001},
        "issuedTime": "2025-04-01T00:00:00.000Z",
        "content": {"type": "text", "text": "見積もり"},
    });
    assert_eq!(serde_json::from_slice::<Value>(&got.body).unwrap(), expected);
}

/// The example of RFC 4231, 4.3, in base64.
#[test]
fn the_signature_is_hmac_sha256_in_base64() {
    let signature = callbacks::sign("Jefe", b"what do ya want for nothing?");
    assert_eq!(signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

#[test]
fn signatures_can_be_wrong_missing_or_anything() {
    let (world, crm) = (World::new(), Crm::answering(403));
    world.sim.set_callback_url(&crm.url);
    let event = callbacks::text(ANNA, "a");
    let right = |body: &[u8]| callbacks::sign("sim-bot-secret", body);
    assert_eq!(deliver(&world, &event, Signing::Wrong), 403);
    let got = crm.next();
    assert_eq!(got.headers["x-works-signature"].len(), 44);
    assert_ne!(got.headers["x-works-signature"], right(&got.body));
    deliver(&world, &event, Signing::Missing);
    assert!(!crm.next().headers.contains_key("x-works-signature"));
    deliver(&world, &event, Signing::Text("abc".to_owned()));
    assert_eq!(crm.next().headers["x-works-signature"], "abc");
    world
        .runtime
        .block_on(world.sim.deliver_bytes(b"{broken".to_vec(), Signing::Right))
        .unwrap();
    let got = crm.next();
    assert_eq!(got.body, b"{broken");
    assert_eq!(got.headers["x-works-signature"], right(b"{broken"));
}

#[test]
fn every_event_has_its_documented_shape() {
    let content = |event: &Event| shape(event)["content"].clone();
    let cases = [
        (
            callbacks::text_with_postback(ANNA, "a", "p"),
            json!({"type": "text", "text": "a", "postback": "p"}),
        ),
        (
            callbacks::location(ANNA, "東京", 35.6, 139.7),
            json!({"type": "location", "address": "東京", "latitude": 35.6, "longitude": 139.7}),
        ),
        (
            callbacks::sticker(ANNA, "1", "2"),
            json!({"type": "sticker", "packageId": "1", "stickerId": "2"}),
        ),
        (
            callbacks::image(ANNA, "f"),
            json!({"type": "image", "fileId": "f"}),
        ),
        (callbacks::file(ANNA, "f"), json!({"type": "file", "fileId": "f"})),
        (
            callbacks::audio(ANNA, "f"),
            json!({"type": "audio", "fileId": "f"}),
        ),
        (
            callbacks::video(ANNA, "f"),
            json!({"type": "video", "fileId": "f"}),
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(content(&event), expected);
    }
    let head = |kind: &str, user: Option<&str>| {
        let mut source = json!({"channelId": ROOM, "domainId": 1});
        if let Some(user) = user {
            source["userId"] = json!(user);
        }
        json!({"type": kind, "source": source, "issuedTime": "2025-04-01T02:03:04.567Z"})
    };
    let with = |mut event: Value, name: &str, value: Value| {
        event[name] = value;
        event
    };
    let cases = [
        (
            callbacks::postback(ANNA, ROOM, "d"),
            with(head("postback", Some(ANNA)), "data", json!("d")),
        ),
        (callbacks::join(ROOM), head("join", None)),
        (callbacks::leave(ROOM), head("leave", None)),
        (
            callbacks::joined(ROOM, &[ANNA]),
            with(head("joined", None), "members", json!([ANNA])),
        ),
        (
            callbacks::left(ROOM, &[ANNA]),
            with(head("left", None), "members", json!([ANNA])),
        ),
        (callbacks::begin(ANNA, ROOM), head("begin", Some(ANNA))),
        (callbacks::end(ANNA, ROOM), head("end", Some(ANNA))),
        (
            callbacks::unknown("reaction", ANNA).in_channel(ROOM),
            head("reaction", Some(ANNA)),
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(shape(&event), expected);
    }
}

fn shape(event: &Event) -> Value {
    let body = event.body(1, datetime!(2025-04-01 11:03:04.567_9 +9));
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn an_event_can_be_bent() {
    let event = callbacks::text(ANNA, "a")
        .in_channel(ROOM)
        .from_domain(7)
        .issued_time_text("2025-04-01T02:03:04Z");
    let bent = shape(&event.with("more", json!(1)));
    assert_eq!(
        bent["source"],
        json!({"userId": ANNA, "channelId": ROOM, "domainId": 7})
    );
    assert_eq!(
        (&bent["issuedTime"], &bent["more"]),
        (&json!("2025-04-01T02:03:04Z"), &json!(1))
    );
    let issued = shape(&callbacks::text(ANNA, "a").issued_at(datetime!(2024-02-29 23:59:59 UTC)));
    assert_eq!(issued["issuedTime"], "2024-02-29T23:59:59.000Z");
}

#[test]
fn two_deliveries_never_carry_the_same_time() {
    let (world, crm) = (World::new(), Crm::answering(200));
    world.sim.set_callback_url(&crm.url);
    let event = callbacks::text(ANNA, "a");
    deliver(&world, &event, Signing::Right);
    deliver(&world, &event, Signing::Right);
    assert_ne!(crm.next().body, crm.next().body);
}

#[test]
fn no_address_and_no_answer_are_told() {
    let world = World::new();
    let event = callbacks::text(ANNA, "a");
    let none = world.runtime.block_on(world.sim.deliver(&event));
    assert!(matches!(none, Err(SimError::NoCallbackUrl)));
    world.sim.set_callback_url("http://127.0.0.1:9/webhook");
    let nobody = world.runtime.block_on(world.sim.deliver(&event));
    assert!(matches!(nobody, Err(SimError::NotDelivered(_))));
}
