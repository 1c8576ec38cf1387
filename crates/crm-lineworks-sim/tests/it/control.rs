//! `/sim/…`, by which people and pages play the customer.

use crate::receiver::Crm;
use crate::world::{ANNA, Answer, World};
use crm_lineworks_sim::callbacks;
use serde_json::{Value, json};

fn post(world: &World, path: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/json")];
    world
        .call("POST", path, &headers, Some(body.to_string().as_bytes()))
        .unwrap()
}

#[test]
fn a_customer_speaks() {
    let (world, crm) = (World::new(), Crm::answering(200));
    let text = json!({"userId": ANNA, "text": "こんにちは"});
    assert_eq!(
        post(&world, "/sim/callbacks", &text).status,
        409,
        "nowhere to send it"
    );
    world.sim.set_callback_url(&crm.url);
    let answer = post(&world, "/sim/callbacks", &text);
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(200)));
    let got = crm.next();
    assert_eq!(
        serde_json::from_slice::<Value>(&got.body).unwrap()["content"]["text"],
        "こんにちは"
    );
    let wrong = json!({"userId": ANNA, "text": "a", "postback": "p", "signature": "wrong"});
    post(&world, "/sim/callbacks", &wrong);
    let got = crm.next();
    assert_ne!(
        got.headers["x-works-signature"],
        callbacks::sign("sim-bot-secret", &got.body)
    );
    let event = json!({"event": {"type": "end"}});
    assert_eq!(post(&world, "/sim/callbacks", &event).status, 200);
    assert_eq!(crm.next().body, br#"{"type":"end"}"#);
}

#[test]
fn what_is_asked_is_checked() {
    let world = World::new();
    world.sim.set_callback_url("http://127.0.0.1:9/");
    for body in [
        json!({}),
        json!({"userId": ANNA}),
        json!({"userId": ANNA, "text": "a", "x": 1}),
        json!({"text": 1}),
    ] {
        assert_eq!(post(&world, "/sim/callbacks", &body).status, 400, "{body}");
    }
    let text = json!({"userId": ANNA, "text": "a"});
    assert_eq!(post(&world, "/sim/callbacks", &text).status, 502, "nobody there");
    let form = world
        .call(
            "POST",
            "/sim/callbacks",
            &[("Content-Type", "text/plain")],
            Some(b"{}"),
        )
        .unwrap();
    assert_eq!(form.status, 400, "a page elsewhere cannot post here");
}

#[test]
fn what_the_bot_sent_is_listed() {
    let world = World::new();
    let token = world.token();
    world.send(&token, "a");
    world.send(&token, "b");
    let list = |query: &str| {
        let answer = world
            .call("GET", &format!("/sim/messages{query}"), &[], None)
            .unwrap()
            .json();
        answer["messages"].as_array().unwrap().clone()
    };
    let first = json!({"number": 1, "at": "2025-04-01T00:00:00Z", "userId": ANNA,
                       "content": {"type": "text", "text": "a"}});
    assert_eq!(list("")[0], first);
    assert_eq!(list(&format!("?userId={ANNA}")).len(), 2);
    assert_eq!(list("?userId=someone").len(), 0);
    assert_eq!(
        list(&format!("?userId={ANNA}&after=1"))[0]["content"]["text"],
        "b"
    );
}

#[test]
fn faults_are_planned_and_cleared() {
    let world = World::new();
    let token = world.token();
    let fault = json!({"endpoint": "send", "count": 1, "fault": "status", "status": 429,
                       "headers": {"rateLimit-reset": "5"}});
    assert_eq!(post(&world, "/sim/faults", &fault).status, 204);
    let answer = world.send(&token, "a");
    assert_eq!(
        (answer.status, answer.header("rateLimit-reset")),
        (429, Some("5"))
    );
    assert_eq!(world.send(&token, "a").status, 201);
    post(&world, "/sim/faults", &json!({"fault": "status", "body": "gone"}));
    let answer = world.send(&token, "a");
    assert_eq!((answer.status, answer.body.as_slice()), (500, &b"gone"[..]));
    assert_eq!(
        world.call("DELETE", "/sim/faults", &[], None).unwrap().status,
        204
    );
    for (name, status) in [("slow", 201), ("garbageBody", 201), ("expireTokens", 401)] {
        let fault = json!({"count": 1, "fault": name, "millis": 10});
        assert_eq!(post(&world, "/sim/faults", &fault).status, 204, "{name}");
        assert_eq!(world.send(&token, "a").status, status, "{name}");
    }
    assert_eq!(
        post(&world, "/sim/faults", &json!({"fault": "explode"})).status,
        400
    );
}

#[test]
fn members_and_scopes_can_be_changed() {
    let world = World::new();
    let member = json!({
        "userId": ANNA, "email": "anna@sim.example", "lastName": "山田", "firstName": "花子",
        "lastNameKana": "ヤマダ", "firstNameKana": "ハナコ"
    });
    assert_eq!(post(&world, "/sim/members", &member).status, 204);
    assert_eq!(post(&world, "/sim/members", &json!({"userId": ""})).status, 400);
    let listed = world.call("GET", "/sim/members", &[], None).unwrap().json();
    assert_eq!(listed["members"][0]["lastNameKana"], "ヤマダ");
    assert_eq!(listed["members"][0]["mayUseBot"], true);
    let headers = [("Content-Type", "application/json")];
    let scopes = json!({"scopes": ["bot"]}).to_string();
    let ticked = world.call("PUT", "/sim/scopes", &headers, Some(scopes.as_bytes()));
    assert_eq!(ticked.unwrap().status, 204);
    let shown = world.call("GET", "/sim/scopes", &[], None).unwrap().json();
    assert_eq!(shown, json!({"scopes": ["bot"]}));
    let fields = |scope: &str| {
        let mut fields = world.token_fields(&crate::world::assertion(&world.claims()));
        fields.retain(|(name, _)| *name != "scope");
        fields.push(("scope", scope.to_owned()));
        fields
    };
    let refused = world.ask_token(&fields("user.read"));
    assert_eq!(refused.verdict(), (400, "invalid_scope".to_owned()));
    assert_eq!(world.ask_token(&fields("bot")).status, 200);
}
