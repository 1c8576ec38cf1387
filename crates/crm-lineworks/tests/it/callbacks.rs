//! Callbacks: which count, and what they say.

use crm_domain::activities::MessageKind;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks as _, InboundEvent, InboundMessage, InterpretError,
};
use crm_lineworks::{LineWorks, LineWorksConfig, SAMPLE_SENDER, StaticCallbacks};
use crm_lineworks_sim::{Event, callbacks};
use serde_json::json;
use time::macros::datetime;

use crate::setup::{USER, at, clock, config};

const ROOM: &str = "7f2a0000-0000-4000-8000-00000000000c";
const SECRET: &str = "sim-bot-secret";

fn reader(change: impl FnOnce(&mut LineWorksConfig)) -> LineWorks {
    let address = "http://127.0.0.1:9";
    let mut config = config(format!("{address}/token"), format!("{address}/v1.0"));
    change(&mut config);
    LineWorks::new(config, clock()).unwrap()
}

fn body(event: &Event) -> Vec<u8> {
    event.body(40_000_001, datetime!(2025-07-08 02:45:46.446 UTC))
}

fn said(event: &Event) -> InboundMessage {
    match reader(|_| {}).interpret(&body(event)) {
        Ok(InboundEvent::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

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

#[test]
fn everything_else_is_refused() {
    use CallbackRefused::{NotConfigured, OtherBot, Unsigned, WrongSignature};
    let reader = reader(|_| {});
    let body = body(&callbacks::text(USER, "見積もり"));
    let right = callbacks::sign(SECRET, &body);
    let refusal = |headers: CallbackHeaders<'_>| reader.verify(headers, &body).unwrap_err();
    assert_eq!(refusal(headers("2000002", &right)), OtherBot);
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
        StaticCallbacks(None).verify(headers("2000001", &right), &body),
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
fn words_are_read() {
    let message = said(&callbacks::text(USER, "1行目\n2行目 😀"));
    assert_eq!(message.user.as_str(), USER);
    assert_eq!(
        (message.kind, message.room, message.detail),
        (MessageKind::Text, None, None)
    );
    assert_eq!(message.message, "1行目\n2行目 😀");
    assert_eq!(message.at, Some(at("2025-07-08T02:45:46.446Z")));
    let in_room = said(&callbacks::text(USER, "皆さん").in_channel(ROOM));
    assert_eq!(in_room.room.unwrap().as_str(), ROOM);
}

#[test]
fn every_kind_of_content_is_read() {
    let detail = |message: &InboundMessage| -> serde_json::Value {
        serde_json::from_str(message.detail.as_deref().unwrap()).unwrap()
    };
    let button = said(&callbacks::text_with_postback(USER, "はい", "deal=42"));
    assert_eq!(
        (button.message.as_str(), detail(&button)["postback"].as_str()),
        ("はい", Some("deal=42"))
    );
    let place = said(&callbacks::location(USER, "東京都渋谷区", 35.6, 139.7));
    assert_eq!(
        (place.kind, place.message.as_str()),
        (MessageKind::Location, "東京都渋谷区")
    );
    assert_eq!(detail(&place)["latitude"].as_f64(), Some(35.6));
    let sticker = said(&callbacks::sticker(USER, "789", "10855"));
    assert_eq!(
        (sticker.kind, sticker.message.as_str()),
        (MessageKind::Sticker, "")
    );
    assert_eq!(detail(&sticker)["stickerId"], "10855");
    let stored = [
        (callbacks::image(USER, "jp1.1"), MessageKind::Image),
        (callbacks::file(USER, "jp1.1"), MessageKind::File),
        (callbacks::audio(USER, "jp1.1"), MessageKind::Audio),
        (callbacks::video(USER, "jp1.1"), MessageKind::Video),
    ];
    for (event, kind) in stored {
        let message = said(&event);
        assert_eq!((message.kind, message.message.as_str()), (kind, ""));
        assert_eq!(detail(&message)["fileId"], "jp1.1");
    }
    let named = callbacks::message(
        USER,
        json!({"type": "file", "fileId": "jp1.1", "fileName": "見積書.pdf"}),
    );
    assert_eq!(said(&named).message, "見積書.pdf");
    let titled = callbacks::message(USER, json!({"type": "location", "title": "本社"}));
    assert_eq!(said(&titled).message, "本社");
}

#[test]
fn coming_and_going_are_read() {
    let reader = reader(|_| {});
    let now = at("2025-07-08T02:45:46.446Z");
    let began = reader.interpret(&body(&callbacks::begin(USER, ROOM))).unwrap();
    assert!(matches!(began, InboundEvent::Began { user, at } if user.as_str() == USER && at == now));
    let ended = reader.interpret(&body(&callbacks::end(USER, ROOM))).unwrap();
    assert!(matches!(ended, InboundEvent::Ended { user, at } if user.as_str() == USER && at == now));
}

#[test]
fn what_concerns_no_conversation_has_its_word() {
    let reader = reader(|config| config.domain_id = Some("40000001".into()));
    let cases = [
        (callbacks::postback(USER, ROOM, "deal=42"), "postback"),
        (callbacks::join(ROOM), "join"),
        (callbacks::leave(ROOM), "leave"),
        (callbacks::joined(ROOM, &[USER]), "joined"),
        (callbacks::left(ROOM, &[USER]), "left"),
        (callbacks::unknown("Reaction.Added", USER), "reaction_added"),
        (callbacks::unknown(&"x".repeat(99), USER), &"x".repeat(40)),
        (
            callbacks::message(USER, json!({"type": "hologram"})),
            "message_hologram",
        ),
        (
            callbacks::text(USER, "他社").from_domain(40_000_002),
            "other_domain",
        ),
    ];
    for (event, word) in cases {
        let expected = InboundEvent::Other {
            kind: word.to_owned(),
        };
        assert_eq!(reader.interpret(&body(&event)), Ok(expected));
    }
    assert!(matches!(
        reader.interpret(&body(&callbacks::text(USER, "自社"))),
        Ok(InboundEvent::Message(_))
    ));
}

#[test]
fn what_is_missing_is_named() {
    use InterpretError::{Field, NoType, NotJson};
    let reader = reader(|_| {});
    let nobody = json!({"type": "message", "source": {}, "content": {"type": "text", "text": "?"}});
    let blank =
        json!({"type": "message", "source": {"userId": "a b"}, "content": {"type": "text", "text": "?"}});
    let of = |content: serde_json::Value| json!({"type": "message", "source": {"userId": "u"}, "content": content});
    let timeless = json!({"type": "begin", "source": {"userId": "u"}, "issuedTime": "soon"});
    let cases = [
        (String::new(), NotJson),
        ("[1]".to_owned(), NotJson),
        (r#"{"type":"message""#.to_owned(), NotJson),
        ("{}".to_owned(), NoType),
        (r#"{"type":7}"#.to_owned(), NoType),
        (r#"{"type":""}"#.to_owned(), NoType),
        (nobody.to_string(), Field("source.userId")),
        (blank.to_string(), Field("source.userId")),
        (r#"{"type":"message"}"#.to_owned(), Field("source.userId")),
        (
            json!({"type": "message", "source": {"userId": "u"}}).to_string(),
            Field("content"),
        ),
        (of(json!({})).to_string(), Field("content.type")),
        (of(json!({"type": "text"})).to_string(), Field("content.text")),
        (timeless.to_string(), Field("issuedTime")),
    ];
    for (body, error) in cases {
        assert_eq!(reader.interpret(body.as_bytes()), Err(error), "{body}");
    }
}

#[test]
fn poison_is_made_harmless() {
    let words = |body: &str| match reader(|_| {}).interpret(body.as_bytes()) {
        Ok(InboundEvent::Message(message)) => (message.message, message.detail),
        other => panic!("{body}: {other:?}"),
    };
    let text = |text: &str| {
        format!(
            r#"{{"type":"message","source":{{"userId":"u"}},"content":{{"type":"text","text":"{text}"}}}}"#
        )
    };
    assert_eq!(words(&text(r"a\u0000b")).0, "a\u{FFFD}b");
    assert_eq!(words(&text(r"cut \ud83d")).0, "cut \u{FFFD}");
    assert_eq!(
        words(&text(r"\ude00 \ud83d\ude00 \\ud83d \ud83d\ud83d\ude00")).0,
        "\u{FFFD} 😀 \\ud83d \u{FFFD}😀"
    );
    let detail = words(
        r#"{"type":"message","source":{"userId":"u"},"content":{"type":"sticker","a\u0000":["\u0000"]}}"#,
    )
    .1;
    assert!(!detail.unwrap().contains("u0000"));
    let late = r#"{"type":"message","source":{"userId":"u"},"issuedTime":"9999-12-31T23:59:59-23:59","content":{"type":"text","text":"?"}}"#;
    assert_eq!(words(late).0, "?");
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
    assert!(StaticCallbacks(None).sample(now).is_none());
}
