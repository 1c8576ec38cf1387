//! Whatever comes, reading a callback answers and never panics.

use crm_domain::ports::callbacks::{CallbackHeaders, Callbacks as _, InboundEvent};
use crm_lineworks::{LineWorks, Switchboard};
use crm_lineworks_sim::callbacks;
use proptest::prelude::*;
use std::sync::LazyLock;

use crate::setup::{USER, reader};

static READER: LazyLock<LineWorks> = LazyLock::new(|| reader(|_| {}));

/// A rightly formed body of some event.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let events = vec![
        callbacks::text(USER, "見積もり 😀"),
        callbacks::text_with_postback(USER, "はい", "deal=42"),
        callbacks::location(USER, "東京都", 35.6, 139.7),
        callbacks::file(USER, "jp1.1"),
        callbacks::joined("room", &[USER]),
        callbacks::end(USER, "room"),
    ];
    proptest::sample::select(events).prop_map(|event| crate::setup::body(&event))
}

/// Any JSON, with our field names among its keys.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        proptest::sample::select(vec!["message", "text", "begin", "end", "file", "\0"]).prop_map(Into::into),
    ];
    let names = vec![
        "type",
        "source",
        "userId",
        "channelId",
        "domainId",
        "issuedTime",
        "content",
        "text",
        "x\0",
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let name = proptest::sample::select(names.clone()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map(name, inner, 0..7)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn check(body: &[u8]) {
    let headers = CallbackHeaders {
        bot_id: None,
        signature: Some(&callbacks::sign("sim-bot-secret", body)),
    };
    let verified = READER.verify(headers, body).unwrap();
    assert!(verified.issued.chars().count() <= 40 && !verified.issued.contains('\0'));
    match Switchboard::new(None).interpret(body) {
        Ok(InboundEvent::Message(message)) => {
            assert!(!message.message.contains('\0'));
            assert!(
                message
                    .detail
                    .is_none_or(|detail| !detail.contains('\0') && !detail.contains("\\u0000"))
            );
        }
        Ok(InboundEvent::Other { kind }) => {
            assert!(kind.len() <= 40);
            assert!(
                kind.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
        }
        Ok(InboundEvent::Began { .. } | InboundEvent::Ended { .. } | InboundEvent::Room(_)) | Err(_) => {}
    }
}

proptest! {
    #[test]
    fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&body);
    }

    #[test]
    fn any_json(value in json()) {
        check(value.to_string().as_bytes());
    }

    #[test]
    fn changed_bodies(mut body in body(), changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        for (at, byte) in changes {
            let at = at % body.len();
            body[at] = byte;
        }
        check(&body);
    }

    #[test]
    fn bodies_with_escapes(text in r"(\\u[dD][0-9a-fA-F]{3}|\\u0000|\\\\|\\|a|花){0,12}") {
        let body = format!(r#"{{"type":"message","source":{{"userId":"u"}},"content":{{"type":"text","text":"{text}"}}}}"#);
        check(body.as_bytes());
    }

    #[test]
    fn cut_bodies(body in body(), at in any::<usize>()) {
        check(&body[..at % body.len()]);
    }

    #[test]
    fn any_signature(signature in any::<String>()) {
        let headers = CallbackHeaders { bot_id: None, signature: Some(&signature) };
        let refused = READER.verify(headers, b"{}").is_err();
        prop_assert!(refused);
    }
}
