//! Reading the bot and the members.

use crate::world::{ANNA, World, encode};
use crm_lineworks_sim::Member;
use serde_json::{Value, json};

#[test]
fn the_bot_tells_its_name_and_callback() {
    let world = World::with(|config| config.channel_events = vec!["message".to_owned()]);
    let token = world.token();
    let url = format!("/v1.0/bots/{}", world.sim.config().bot_id);
    let bot = world.get(&token, &url).json();
    assert_eq!(bot["botId"], world.sim.config().bot_id.as_str());
    assert_eq!(
        (&bot["enableCallback"], &bot["callbackUrl"]),
        (&json!(false), &json!(""))
    );
    assert_eq!(bot["channelEvents"], json!(["message"]));
    assert_eq!(bot["callbackEvents"][0], "text");
    world.sim.set_callback_url("https://crm.example/webhook");
    let bot = world.get(&token, &url).json();
    assert_eq!(
        (&bot["enableCallback"], &bot["callbackUrl"]),
        (&json!(true), &json!("https://crm.example/webhook"))
    );
    assert_eq!(
        world.get(&token, "/v1.0/bots/1").verdict(),
        (404, "NOT_FOUND".to_owned())
    );
}

#[test]
fn a_member_is_found_by_id_and_login_id() {
    let world = World::with(|config| {
        config.members = vec![Member::new(ANNA, "山田", "花子").with_email("anna@sim.example")];
    });
    let token = world.token_for("user.read");
    for id in [ANNA, "anna%40sim.example", "Anna%40sim.example"] {
        let user = world.get(&token, &format!("/v1.0/users/{id}")).json();
        assert_eq!(user["userId"], ANNA, "{id}");
        assert_eq!(user["userName"], json!({"lastName": "山田", "firstName": "花子"}));
        assert_eq!(user["email"], "anna@sim.example");
        assert_eq!(user["domainId"], world.sim.config().domain_id);
    }
    let unlisted = world
        .get(&token, "/v1.0/users/0b1c2d3e-0000-4000-8000-00000000000b")
        .json();
    assert_eq!(unlisted["userName"]["lastName"], "メンバー");
    assert_eq!(
        world.get(&token, "/v1.0/users/nobody").verdict(),
        (404, "USER_NOT_EXIST".to_owned())
    );
}

#[test]
fn the_profile_scope_alone_shows_a_reduced_profile_and_no_list() {
    let world = World::with(|config| {
        let anna = Member::new(ANNA, "山田", "花子").with_kana("ヤマダ", "ハナコ");
        config.members = vec![anna.with_email("anna@sim.example")];
    });
    let user = format!("/v1.0/users/{ANNA}");
    let name = json!({
        "lastName": "山田", "firstName": "花子",
        "phoneticLastName": "ヤマダ", "phoneticFirstName": "ハナコ"
    });
    let reduced = world.token_for("user.profile.read");
    let shown = world.get(&reduced, &user).json();
    assert_eq!(shown["userName"], name);
    assert!(shown.get("email").is_none() && shown.get("isDeleted").is_none());
    assert_eq!(
        world.get(&reduced, "/v1.0/users").verdict(),
        (403, "FORBIDDEN".to_owned())
    );
    let whole = world.get(&world.token_for("user.read"), &user).json();
    assert_eq!((&whole["userName"], &whole["isDeleted"]), (&name, &json!(false)));
    let for_sending = world.token_for("bot");
    assert_eq!(
        world.get(&for_sending, &user).verdict(),
        (403, "FORBIDDEN".to_owned())
    );
}

#[test]
fn members_are_listed_in_pages_whose_cursor_must_be_encoded() {
    let world = World::with(|config| {
        config.members = (0..250)
            .map(|n| Member::new(format!("user-{n}"), "姓", "名"))
            .collect();
    });
    let token = world.token_for("user.read");
    let page = |query: &str| world.get(&token, &format!("/v1.0/users{query}"));
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let body = page(&query).json();
        let users = body["users"].as_array().unwrap().clone();
        assert!(users.len() <= 100);
        seen.extend(
            users
                .iter()
                .map(|user| user["userId"].as_str().unwrap().to_owned()),
        );
        let cursor = body["responseMetaData"]["nextCursor"]
            .as_str()
            .unwrap()
            .to_owned();
        if cursor.is_empty() {
            break;
        }
        let plain = page(&format!("?cursor={cursor}"));
        assert_eq!(
            plain.verdict(),
            (400, "INVALID_PARAMETER".to_owned()),
            "not encoded"
        );
        query = format!("?cursor={}", encode(&cursor));
    }
    let expected: Vec<String> = (0..250).map(|n| format!("user-{n}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn the_query_of_a_list_is_checked() {
    let world = World::with(|config| {
        config.members = (0..5)
            .map(|n| Member::new(format!("user-{n}"), "姓", "名"))
            .collect();
    });
    let token = world.token_for("user.read");
    let domain = world.sim.config().domain_id;
    let cases = [
        ("?count=2".to_owned(), 200, 2),
        ("?count=100&orderBy=NAME".to_owned(), 200, 5),
        (format!("?domainId={domain}"), 200, 5),
        ("?domainId=1".to_owned(), 200, 0),
        ("?count=0".to_owned(), 400, 0),
        ("?count=101".to_owned(), 400, 0),
        ("?count=x".to_owned(), 400, 0),
        ("?cursor=zzz".to_owned(), 400, 0),
        ("?domainId=x".to_owned(), 400, 0),
    ];
    for (query, status, count) in cases {
        let answer = world.get(&token, &format!("/v1.0/users{query}"));
        assert_eq!(answer.status, status, "{query}");
        let users = answer
            .json()
            .get("users")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        assert_eq!(users, count, "{query}");
    }
}

#[test]
fn the_bot_is_changed_by_patch_and_replaced_by_put() {
    let world = World::new();
    let token = world.token();
    let url = format!("/v1.0/bots/{}", world.sim.config().bot_id);
    let change = |method: &str, token: &str, body: &Value| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        let body = body.to_string();
        world.call(method, &url, &headers, Some(body.as_bytes())).unwrap()
    };
    let wanted = json!({
        "enableCallback": true,
        "callbackUrl": "https://crm.example/webhook",
        "channelEvents": ["message", "begin"],
    });
    let bot = change("PATCH", &token, &wanted).json();
    assert_eq!(bot["callbackUrl"], "https://crm.example/webhook");
    assert_eq!(bot["channelEvents"], json!(["message", "begin"]));
    assert_eq!(bot["callbackEvents"][6], "video", "what is not named stays");
    assert_eq!(world.get(&token, &url).json(), bot);
    let refused = [
        (
            json!({"callbackUrl": "http://crm.example/webhook"}),
            "INVALID_PARAMETER",
        ),
        (json!({"channelEvents": ["everything"]}), "INVALID_PARAMETER"),
        (json!({"callbackURL": ""}), "INVALID_PARAMETER"),
        (
            json!({"callbackUrl": "", "enableCallback": true}),
            "MISSING_PARAMETER",
        ),
    ];
    for (body, code) in refused {
        assert_eq!(
            change("PATCH", &token, &body).verdict(),
            (400, code.to_owned()),
            "{body}"
        );
    }
    assert_eq!(
        change("PUT", &token, &wanted).verdict(),
        (400, "MISSING_PARAMETER".to_owned())
    );
    let whole = json!({
        "botName": "b", "photoUrl": "https://x.example/p.png", "description": "d", "administrators": ["a"],
    });
    let bot = change("PUT", &token, &whole).json();
    assert_eq!(
        (&bot["enableCallback"], &bot["callbackUrl"]),
        (&json!(false), &json!(""))
    );
    assert_eq!(bot["channelEvents"][5], "left");
    assert_eq!(
        bot["channelEvents"][6],
        Value::Null,
        "begin and end have to be asked for"
    );
    let reader = world.token_for("bot.read");
    assert_eq!(change("PATCH", &reader, &wanted).status, 403);
}
