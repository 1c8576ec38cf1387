//! The bearer token and its scopes.

use crate::world::{ANNA, World, text_message};

#[test]
fn the_header_must_be_bearer_one_space_token() {
    let world = World::new();
    let token = world.token();
    let url = world.messages_path(ANNA);
    let body = text_message("a").to_string();
    let cases = [
        (format!("Bearer {token}"), 201),
        (format!("Bearer  {token}"), 401),
        (format!("Bearer\t{token}"), 401),
        (format!("bearer {token}"), 401),
        (format!("Bearer {token} x"), 401),
        (format!("Bearer{token}"), 401),
        (format!("Basic {token}"), 401),
        ("Bearer".to_owned(), 401),
        ("Bearer unknown".to_owned(), 401),
        (token.clone(), 401),
    ];
    for (header, status) in cases {
        let headers = [
            ("Authorization", header.as_str()),
            ("Content-Type", "application/json"),
        ];
        let answer = world.call("POST", &url, &headers, Some(body.as_bytes())).unwrap();
        assert_eq!(answer.status, status, "{header}");
        if status == 401 {
            assert_eq!(answer.json()["code"], "UNAUTHORIZED");
            assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
            assert!(answer.header("rateLimit-limit").is_none());
        }
    }
    let none = world
        .call(
            "POST",
            &url,
            &[("Content-Type", "application/json")],
            Some(body.as_bytes()),
        )
        .unwrap();
    assert_eq!(
        (none.status, none.header("WWW-Authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(world.sim.messages().len(), 1);
}

#[test]
fn a_token_expires_and_older_ones_live_beside_newer_ones() {
    let world = World::new();
    let first = world.token();
    world.pass(3_599_000);
    let second = world.token();
    assert_ne!(first, second);
    assert_eq!(world.send(&first, "a").status, 201);
    world.pass(1_000);
    let expired = world.send(&first, "b");
    assert_eq!(expired.status, 401);
    assert!(
        expired
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    assert_eq!(world.send(&second, "c").status, 201);
    world.sim.expire_tokens();
    assert_eq!(world.send(&second, "d").status, 401);
}

#[test]
fn each_operation_wants_its_scope() {
    let world = World::new();
    let bot = world.sim.config().bot_id.clone();
    let cases = [
        ("bot.read", 403, 200, 403, 403),
        ("bot.message", 201, 403, 403, 403),
        ("bot", 201, 200, 403, 403),
        ("user.profile.read", 403, 403, 200, 403),
        ("user.read bot.message", 201, 403, 200, 200),
    ];
    for (scope, send, bots, user, users) in cases {
        let token = world.token_for(scope);
        assert_eq!(world.send(&token, "a").status, send, "send with {scope}");
        assert_eq!(
            world.get(&token, &format!("/v1.0/bots/{bot}")).status,
            bots,
            "bot with {scope}"
        );
        assert_eq!(
            world.get(&token, &format!("/v1.0/users/{ANNA}")).status,
            user,
            "user with {scope}"
        );
        assert_eq!(
            world.get(&token, "/v1.0/users").status,
            users,
            "users with {scope}"
        );
    }
    assert_eq!(
        world.send(&world.token_for("bot.read"), "a").verdict(),
        (403, "FORBIDDEN".to_owned())
    );
}
