//! Which callbacks count.

use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused, Callbacks as _, InboundEvent};
use crm_lineworks::{SAMPLE_SENDER, Switchboard};
use crm_lineworks_sim::callbacks;

use crate::setup::{USER, at, body, reader};

const SECRET: &str = "sim-bot-secret";

fn headers<'a>(bot_id: &'a str, signature: &'a str) -> CallbackHeaders<'a> {
    CallbackHeaders {
        bot_id: Some(bot_id),
        signature: Some(signature),
    }
}

#[test]
fn a_right_signature_counts() {
    let reader = reader(|config| config.bot_secrets = vec!["new".into(), SECRET.into()]);
    let body = body(&callbacks::text(USER, "見積もり"));
    let verified = reader
        .verify(headers("2000001", &callbacks::sign(SECRET, &body)), &body)
        .unwrap();
    assert_eq!(
        (verified.bot.as_str(), verified.issued.as_str()),
        ("2000001", "2025-07-08T02:45:46.446Z")
    );
    let with_new = callbacks::sign("new", &body);
    assert_eq!(
        reader.verify(headers("2000001", &with_new), &body),
        Ok(verified.clone())
    );
    let without_id = CallbackHeaders {
        bot_id: None,
        signature: Some(&with_new),
    };
    assert_eq!(reader.verify(without_id, &body), Ok(verified));
}

#[test]
fn the_digest_is_of_bot_and_bytes() {
    let reader = reader(|_| {});
    let body = br#"{"type":"x"}"#;
    let verified = reader
        .verify(headers("2000001", &callbacks::sign(SECRET, body)), body)
        .unwrap();
    let hex = format!("{:032x}", u128::from_be_bytes(verified.digest));
    // printf '2000001\0{"type":"x"}' | sha256sum
    assert_eq!(hex, "aec95197269b604b5471cea6cc4702c1");
}

/// The header is no part of what is signed, and could be mistyped in our settings.
#[test]
fn who_signs_with_our_secret_is_our_bot() {
    let reader = reader(|_| {});
    let body = body(&callbacks::text(USER, "見積もり"));
    let right = callbacks::sign(SECRET, &body);
    let named = reader.verify(headers("2000001", &right), &body).unwrap();
    assert_eq!(named.bot, "2000001");
    assert_eq!(reader.verify(headers("2000002", &right), &body), Ok(named));
}

#[test]
fn everything_else_is_refused() {
    use CallbackRefused::{NotConfigured, OtherBot, Unsigned, WrongSignature};
    let reader = reader(|_| {});
    let body = body(&callbacks::text(USER, "見積もり"));
    let right = callbacks::sign(SECRET, &body);
    let refusal = |headers: CallbackHeaders<'_>| reader.verify(headers, &body).unwrap_err();
    let wrong = callbacks::sign("other", &body);
    assert_eq!(refusal(headers("2000002", &wrong)), OtherBot);
    assert_eq!(refusal(headers("2000002", " ")), OtherBot);
    assert_eq!(refusal(CallbackHeaders::default()), Unsigned);
    assert_eq!(refusal(headers("2000001", " ")), Unsigned);
    let other_bytes = [body.as_slice(), b" "].concat();
    assert_eq!(
        reader.verify(headers("2000001", &right), &other_bytes),
        Err(WrongSignature)
    );
    for wrong in [
        callbacks::sign("other", &body),
        right[..43].to_owned(),
        right[1..].to_owned(),
        "花".to_owned(),
        right.repeat(9),
        "====".to_owned(),
    ] {
        assert_eq!(refusal(headers("2000001", &wrong)), WrongSignature, "{wrong}");
    }
    assert_eq!(
        Switchboard::new(None).verify(headers("2000001", &right), &body),
        Err(NotConfigured)
    );
}

#[test]
fn an_empty_secret_signs_nothing() {
    let reader = reader(|config| config.bot_secrets = vec![String::new(), " ".into()]);
    let body = b"{}";
    let refusal = reader.verify(headers("2000001", &callbacks::sign("", body)), body);
    assert_eq!(refusal, Err(CallbackRefused::NotConfigured));
}

#[test]
fn unsigned_callbacks_count_only_where_that_is_allowed() {
    let body = body(&callbacks::text(USER, "見積もり"));
    let signed = callbacks::sign("other", &body);
    let open = reader(|config| config.allow_unsigned = true);
    assert!(open.verify(CallbackHeaders::default(), &body).is_ok());
    assert_eq!(
        open.verify(headers("2000001", &signed), &body),
        Err(CallbackRefused::WrongSignature)
    );
    let without_secret = reader(|config| {
        config.allow_unsigned = true;
        config.bot_secrets.clear();
    });
    assert!(without_secret.verify(headers("2000001", &signed), &body).is_ok());
    assert_eq!(
        without_secret.verify(headers("2000002", &signed), &body),
        Err(CallbackRefused::OtherBot)
    );
}

#[test]
fn issued_times_that_cannot_be_kept_are_empty() {
    let reader = reader(|_| {});
    let cases = [
        (r#"{"issuedTime":"2025-07-08T02:45:46Z"}"#, "2025-07-08T02:45:46Z"),
        (r#"{"issuedTime":"yesterday"}"#, "yesterday"),
        (r#"{"issuedTime":"a\u002db"}"#, "a-b"),
        (r#"{"issuedTime":"a\u0000b"}"#, ""),
        (
            r#"{"issuedTime":"12345678901234567890123456789012345678901"}"#,
            "",
        ),
        (r#"{"issuedTime":1720400000}"#, ""),
        (r#"{"source":{"issuedTime":"2025"}}"#, ""),
        ("[]", ""),
        ("not JSON", ""),
        ("", ""),
    ];
    for (body, issued) in cases {
        let signature = callbacks::sign(SECRET, body.as_bytes());
        let verified = reader
            .verify(headers("2000001", &signature), body.as_bytes())
            .unwrap();
        assert_eq!(verified.issued, issued, "{body}");
    }
}

#[test]
fn the_sample_passes_the_real_path() {
    let reader = reader(|config| config.domain_id = Some("40000001".into()));
    let now = at("2025-07-08T02:45:46.446Z");
    let sample = reader.sample(now).unwrap();
    let verified = reader
        .verify(headers(&sample.bot_id, &sample.signature), &sample.body)
        .unwrap();
    assert_eq!(verified.issued, "2025-07-08T02:45:46.446Z");
    let Ok(InboundEvent::Message(message)) = reader.interpret(&sample.body) else {
        panic!("the sample is no message");
    };
    assert_eq!((message.user, message.at), (sample.sender.clone(), Some(now)));
    assert_eq!(sample.sender.as_str(), SAMPLE_SENDER);
    assert!(Switchboard::new(None).sample(now).is_none());
}
