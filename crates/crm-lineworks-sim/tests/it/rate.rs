//! The rate limit.

use crate::world::{ANNA, World};
use serde_json::json;

#[test]
fn each_operation_has_its_minute() {
    let world = World::with(|config| config.rate_limit = 3);
    let token = world.token_for("bot user.read");
    let standing = |answer: &crate::world::Answer| {
        let number = |name: &str| answer.header(name).unwrap().parse::<u32>().unwrap();
        (
            answer.status,
            number("rateLimit-limit"),
            number("rateLimit-remaining"),
            number("rateLimit-reset"),
        )
    };
    assert_eq!(standing(&world.send(&token, "a")), (201, 3, 2, 60));
    world.pass(20_500);
    assert_eq!(
        standing(&world.send(&token, "")),
        (400, 3, 1, 40),
        "refused ones count"
    );
    assert_eq!(standing(&world.send(&token, "a")), (201, 3, 0, 40));
    let over = world.send(&token, "a");
    assert_eq!(standing(&over), (429, 3, 0, 40));
    assert_eq!(
        over.json(),
        json!({"code": "TOO_MANY_REQUESTS", "description": "API rate limit exceeded"})
    );
    assert!(over.header("Retry-After").is_none());
    assert_eq!(
        standing(&world.get(&token, &format!("/v1.0/users/{ANNA}"))).2,
        2,
        "another operation"
    );
    assert_eq!(world.send("unknown", "a").status, 401, "not counted");
    world.pass(39_500);
    assert_eq!(standing(&world.send(&token, "a")), (201, 3, 2, 60));
    assert_eq!(world.sim.messages().len(), 3);
}

#[test]
fn without_a_limit_there_are_no_headers() {
    let world = World::with(|config| config.rate_limit = 0);
    let answer = world.send(&world.token(), "a");
    assert!(answer.header("rateLimit-limit").is_none());
}
