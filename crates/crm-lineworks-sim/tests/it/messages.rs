//! Sending: to whom, in what envelope.

use crate::world::{ANNA, World, encode, text_message};
use crm_lineworks_sim::{Member, Recipient, callbacks};
use serde_json::json;

#[test]
fn a_text_is_accepted_with_an_empty_body_and_kept() {
    let world = World::new();
    let answer = world.send(&world.token(), "こんにちは");
    assert_eq!((answer.status, answer.body.len()), (201, 0));
    let messages = world.sim.messages_to(ANNA);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].text(), Some("こんにちは"));
    assert_eq!(messages[0].to, Recipient::User(ANNA.to_owned()));
    assert_eq!(messages[0].at.unix_timestamp(), crate::world::START);
    assert!(world.sim.messages_to("someone").is_empty());
}

#[test]
fn every_uuid_is_a_member_unless_told_otherwise() {
    let world = World::new();
    let token = world.token();
    let cases = [
        (ANNA.to_owned(), 201),
        (ANNA.to_uppercase(), 201),
        ("U1234567890".to_owned(), 404),
        ("me".to_owned(), 404),
        (format!("{ANNA}0"), 404),
        (ANNA.replace('-', ""), 404),
        (encode("anna@sim.example"), 404),
        (encode("日本"), 404),
    ];
    for (user, status) in cases {
        let answer = world.post_json(&token, &world.messages_path(&user), &text_message("a"));
        assert_eq!(answer.status, status, "{user}");
        if status == 404 {
            assert_eq!(answer.verdict().1, "USER_NOT_EXIST", "{user}");
        }
    }
}

#[test]
fn listed_members_are_reached_by_id_and_login_id() {
    let mut barred = Member::new("0b1c2d3e-0000-4000-8000-00000000000c", "佐藤", "次郎");
    barred.may_use_bot = false;
    let world = World::with(|config| {
        config.only_listed_members = true;
        config.members = vec![
            Member::new(ANNA, "山田", "花子").with_email("anna@sim.example"),
            barred.clone(),
        ];
    });
    let token = world.token();
    let send = |user: &str| world.post_json(&token, &world.messages_path(user), &text_message("a"));
    assert_eq!(send(ANNA).status, 201);
    assert_eq!(send("anna%40sim.example").status, 201);
    assert_eq!(world.sim.messages_to(ANNA).len(), 2, "the login id is resolved");
    assert_eq!(
        send("0b1c2d3e-0000-4000-8000-00000000000b").verdict(),
        (404, "USER_NOT_EXIST".to_owned())
    );
    let denied = send(&barred.user_id);
    assert_eq!(
        denied.json(),
        json!({"code": "ACCESS_DENIED", "description": "Access is denied for bot."})
    );
    world.sim.add_member(Member::new("u-9", "鈴木", "一"));
    assert_eq!(send("u-9").status, 201, "a listed id may have any form");
}

#[test]
fn another_bot_is_unknown_and_an_unpublished_one_denied() {
    let world = World::new();
    let answer = world.post_json(
        &world.token(),
        &format!("/v1.0/bots/999/users/{ANNA}/messages"),
        &text_message("a"),
    );
    assert_eq!(answer.verdict(), (404, "NOT_FOUND".to_owned()));
    let world = World::with(|config| config.bot_published = false);
    let answer = world.send(&world.token(), "a");
    assert_eq!(
        (answer.status, answer.json()["description"].as_str()),
        (403, Some("Access is denied for bot."))
    );
}

#[test]
fn a_room_takes_messages_until_the_bot_leaves_it() {
    let world = World::new();
    world.sim.set_callback_url("http://127.0.0.1:9/webhook");
    let token = world.token();
    let url = format!(
        "/v1.0/bots/{}/channels/room-1/messages",
        world.sim.config().bot_id
    );
    let send = || world.post_json(&token, &url, &text_message("a")).status;
    assert_eq!(send(), 201);
    assert_eq!(
        world.sim.messages()[0].to,
        Recipient::Channel("room-1".to_owned())
    );
    let _ = world
        .runtime
        .block_on(world.sim.deliver(&callbacks::leave("room-1")));
    assert_eq!(send(), 404);
    let _ = world
        .runtime
        .block_on(world.sim.deliver(&callbacks::join("room-1")));
    assert_eq!(send(), 201);
}

#[test]
fn the_envelope_is_json_in_utf_8_of_limited_size() {
    let world = World::new();
    let bearer = format!("Bearer {}", world.token());
    let url = world.messages_path(ANNA);
    let send = |content_type: Option<&str>, body: &[u8]| {
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(content_type.map(|value| ("Content-Type", value)));
        world.call("POST", &url, &headers, Some(body)).unwrap()
    };
    let good = text_message("a").to_string();
    assert_eq!(
        send(Some("application/json; charset=UTF-8"), good.as_bytes()).status,
        201
    );
    assert_eq!(send(Some("Application/JSON"), good.as_bytes()).status, 201);
    let cases: [(&str, Option<&str>, &[u8]); 7] = [
        ("no type", None, good.as_bytes()),
        ("plain text", Some("text/plain"), good.as_bytes()),
        ("a form", Some("application/x-www-form-urlencoded"), b"text=a"),
        (
            "another charset",
            Some("application/json; charset=Shift_JIS"),
            good.as_bytes(),
        ),
        ("broken JSON", Some("application/json"), b"{\"content\":"),
        ("a list", Some("application/json"), b"[]"),
        (
            "no UTF-8",
            Some("application/json"),
            b"{\"content\":{\"type\":\"text\",\"text\":\"\xff\"}}",
        ),
    ];
    for (name, content_type, body) in cases {
        let answer = send(content_type, body);
        assert_eq!(answer.status, 400, "{name}");
        assert_eq!(
            answer.json()["description"],
            "Request body cannot be parsed.",
            "{name}"
        );
    }
    let large = text_message(&"a".repeat(1024 * 1024)).to_string();
    assert_eq!(
        send(Some("application/json"), large.as_bytes()).verdict(),
        (400, "LIMIT_EXCEEDED".to_owned())
    );
}

#[test]
fn unknown_addresses_and_methods_are_refused_in_the_documented_shape() {
    let world = World::new();
    let token = world.token();
    assert_eq!(
        world.get(&token, "/v1.0/nothing").verdict(),
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(world.get(&token, "/").verdict(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(
        world.get(&token, &world.messages_path(ANNA)).verdict(),
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );
}
