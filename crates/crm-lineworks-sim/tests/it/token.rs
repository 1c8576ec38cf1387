//! `POST /oauth2/v2.0/token`.

use crate::world::{World, assertion, encode, encoded, sign, signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

#[test]
fn a_good_request_gets_an_opaque_bearer_token() {
    let world = World::new();
    let answer = world.ask_token(&world.token_fields(&assertion(&world.claims())));
    assert_eq!(answer.status, 200);
    let token = answer.json();
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["scope"], "bot");
    assert_eq!(
        token["expires_in"],
        json!("3600"),
        "a string of digits, as in practice"
    );
    assert!(token["access_token"].as_str().unwrap().len() > 100);
    assert!(token["refresh_token"].is_string());
    assert!(answer.header("rateLimit-limit").is_none());
}

#[test]
fn expires_in_can_be_a_number_and_another_life_time() {
    let world = World::with(|config| {
        config.expires_in_as_number = true;
        config.token_lifetime = std::time::Duration::from_hours(24);
    });
    let answer = world.ask_token(&world.token_fields(&assertion(&world.claims())));
    assert_eq!(answer.json()["expires_in"], json!(86_400));
}

#[test]
fn each_claim_is_checked() {
    let world = World::new();
    let now = world.claims()["iat"].as_i64().unwrap();
    let cases: Vec<(&str, &str, Value, bool)> = vec![
        ("another issuer", "iss", json!("someone"), false),
        ("no issuer", "iss", Value::Null, false),
        ("another subject", "sub", json!("x.serviceaccount@y"), false),
        ("iat as text", "iat", json!(now.to_string()), false),
        ("iat missing", "iat", Value::Null, false),
        ("iat in milliseconds", "iat", json!(now * 1000), false),
        ("iat four minutes ahead", "iat", json!(now + 240), true),
        ("iat six minutes ahead", "iat", json!(now + 360), false),
        (
            "iat with a fraction, as the official sample",
            "iat",
            json!(fraction(now, 0.123_456)),
            true,
        ),
        ("exp as text", "exp", json!((now + 600).to_string()), false),
        ("exp missing", "exp", Value::Null, false),
        ("exp past", "exp", json!(now), false),
        (
            "exp with a fraction",
            "exp",
            json!(fraction(now + 600, 0.5)),
            true,
        ),
        ("exp after 60 minutes", "exp", json!(now + 3600), true),
        ("exp after more", "exp", json!(now + 3601), false),
        ("exp in milliseconds", "exp", json!((now + 600) * 1000), false),
        (
            "aud is not asked for, and not minded",
            "aud",
            json!("https://auth.worksmobile.com"),
            true,
        ),
    ];
    for (name, claim, value, good) in cases {
        let mut claims = world.claims();
        claims[claim] = value;
        let answer = world.ask_token(&world.token_fields(&assertion(&claims)));
        let expected = if good {
            (200, String::new())
        } else {
            (400, "invalid_grant".to_owned())
        };
        assert_eq!(answer.verdict(), expected, "{name}: {answer:?}");
    }
}

#[test]
fn the_form_of_the_assertion_is_checked() {
    let world = World::new();
    let claims = world.claims();
    let good = assertion(&claims);
    let (message, _) = good.rsplit_once('.').unwrap();
    let padded = format!(
        "{message}.{}",
        base64::engine::general_purpose::URL_SAFE.encode(signature(message.as_bytes()))
    );
    let plain = format!("{message}.{}", STANDARD.encode(signature(message.as_bytes())));
    let mut other = signature(message.as_bytes());
    other[0] ^= 1;
    let cases = [
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.x")),
        ("nothing of the kind", "abc".to_owned()),
        ("padding", padded),
        ("plain base64", plain),
        (
            "a wrong signature",
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(other)),
        ),
        ("HS256", sign(&json!({"alg": "HS256", "typ": "JWT"}), &claims)),
        ("none", sign(&json!({"alg": "none"}), &claims)),
        (
            "another type",
            sign(&json!({"alg": "RS256", "typ": "at+jwt"}), &claims),
        ),
    ];
    for (name, assertion) in cases {
        let answer = world.ask_token(&world.token_fields(&assertion));
        assert_eq!(answer.verdict(), (400, "invalid_grant".to_owned()), "{name}");
        assert!(answer.json()["error_description"].is_string(), "{name}");
    }
    let untyped = sign(&json!({"alg": "RS256"}), &claims);
    assert_eq!(
        world.ask_token(&world.token_fields(&untyped)).status,
        200,
        "typ may be left out"
    );
}

#[test]
fn each_field_is_checked() {
    let world = World::new();
    let cases = [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
        ("client_id", "", 401, "invalid_client"),
        ("client_id", "another", 401, "invalid_client"),
        ("client_secret", "another", 401, "invalid_client"),
        ("assertion", "", 400, "invalid_request"),
        ("scope", "", 400, "invalid_request"),
        ("scope", "calendar", 400, "invalid_scope"),
        ("scope", "bot calendar", 400, "invalid_scope"),
    ];
    for (field, value, status, error) in cases {
        let mut fields = world.token_fields(&assertion(&world.claims()));
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value.to_owned()));
        let answer = world.ask_token(&fields);
        assert_eq!(answer.verdict(), (status, error.to_owned()), "{field}={value}");
    }
}

#[test]
fn only_a_form_is_taken_and_no_field_twice() {
    let world = World::new();
    let fields = world.token_fields(&assertion(&world.claims()));
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let form = encoded(&pairs);
    let refused = (400, "invalid_request".to_owned());
    let json: Value = fields
        .iter()
        .cloned()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect();
    assert_eq!(
        world
            .post_raw_form(&json.to_string(), "application/json")
            .verdict(),
        refused
    );
    assert_eq!(world.post_raw_form(&form, "text/plain").verdict(), refused);
    let twice = format!("{form}&scope=bot");
    assert_eq!(
        world
            .post_raw_form(&twice, "application/x-www-form-urlencoded")
            .verdict(),
        refused
    );
    let broken = format!("{form}&x=%zz");
    assert_eq!(
        world
            .post_raw_form(&broken, "application/x-www-form-urlencoded")
            .verdict(),
        refused
    );
    let typed = "application/x-www-form-urlencoded; charset=UTF-8";
    assert_eq!(world.post_raw_form(&form, typed).status, 200);
    let wrong_method = world.call("GET", &world.sim.token_url(), &[], None).unwrap();
    assert_eq!(wrong_method.status, 405);
}

#[test]
fn a_doubly_encoded_grant_type_is_taken_as_the_official_sample_sends_it() {
    let world = World::new();
    let mut fields = world.token_fields(&assertion(&world.claims()));
    fields.retain(|(name, _)| *name != "grant_type");
    fields.push((
        "grant_type",
        encode("urn:ietf:params:oauth:grant-type:jwt-bearer"),
    ));
    assert_eq!(world.ask_token(&fields).status, 200);
}

#[test]
fn a_refresh_token_gets_an_access_token_and_revoke_ends_one() {
    let world = World::new();
    let config = world.sim.config().clone();
    let first = world
        .ask_token(&world.token_fields(&assertion(&world.claims())))
        .json();
    let refresh = first["refresh_token"].as_str().unwrap();
    let client = [
        ("client_id", config.client_id.as_str()),
        ("client_secret", config.client_secret.as_str()),
    ];
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    form.extend(client);
    let second = world.post_form(&form).json();
    let token = second["access_token"].as_str().unwrap();
    assert_eq!(second["refresh_token"], refresh, "no rotation");
    assert_eq!(world.send(token, "a").status, 201);

    let mut form = vec![("token", token)];
    form.extend(client);
    let url = world.sim.token_url().replace("/token", "/revoke");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let revoked = world
        .call("POST", &url, &headers, Some(encoded(&form).as_bytes()))
        .unwrap();
    assert_eq!(revoked.status, 200);
    assert_eq!(world.send(token, "b").status, 401);
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", "unknown")];
    form.extend(client);
    assert_eq!(
        world.post_form(&form).verdict(),
        (400, "invalid_grant".to_owned())
    );
}

fn fraction(seconds: i64, more: f64) -> f64 {
    f64::from(u32::try_from(seconds).unwrap()) + more
}
