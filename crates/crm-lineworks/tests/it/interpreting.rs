//! What callbacks say.

use crm_domain::activities::MessageKind;
use crm_domain::ports::callbacks::{
    Callbacks as _, InboundEvent, InboundMessage, InterpretError, RoomChange, RoomEvent,
};
use crm_domain::values::LineUserId;
use crm_lineworks_sim::{Event, callbacks};
use serde_json::json;

use crate::setup::{USER, at, body, reader};

const ROOM: &str = "7f2a0000-0000-4000-8000-00000000000c";

fn said(event: &Event) -> InboundMessage {
    match reader(|_| {}).interpret(&body(event)) {
        Ok(InboundEvent::Message(message)) => message,
        other => panic!("{other:?}"),
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
        assert_eq!(message.file_id.as_deref(), Some("jp1.1"));
    }
    assert_eq!((sticker.file_id, place.file_id), (None, None));
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
fn a_tap_on_a_button_says_its_data() {
    let tap = said(&callbacks::postback(USER, ROOM, "deal=42&do=won\u{0}"));
    assert_eq!(
        (tap.kind, tap.message.as_str(), tap.user.as_str()),
        (MessageKind::Postback, "deal=42&do=won\u{FFFD}", USER)
    );
    assert_eq!(
        tap.channel_in_doubt().map(LineUserId::as_str),
        Some(ROOM),
        "a room or the person's own talk"
    );
    assert_eq!(tap.clone().said_in(|_| true).room, tap.room);
    assert_eq!(tap.said_in(|_| false).room, None);
    let bare = callbacks::unknown("postback", USER);
    assert_eq!((said(&bare).message.as_str(), said(&bare).room), ("", None));
    let in_room = said(&callbacks::text(USER, "皆さん").in_channel(ROOM));
    assert!(in_room.said_in(|_| false).room.is_some(), "no doubt");
}

#[test]
fn an_unknown_kind_is_kept_whole() {
    for content in [
        json!({"type": "hologram", "text": "見えますか", "depth": {"cm": 30}}),
        json!({"type": "postback", "text": "見えますか", "fileId": "jp1.1"}),
        json!({"type": "other", "text": "見えますか"}),
    ] {
        let message = said(&callbacks::message(USER, content.clone()));
        assert_eq!(
            (message.kind, message.message.as_str(), message.file_id),
            (MessageKind::Other, "見えますか", None)
        );
        let detail: serde_json::Value = serde_json::from_str(&message.detail.unwrap()).unwrap();
        assert_eq!(detail, content);
    }
    let wordless = said(&callbacks::message(USER, json!({"type": "hologram"})));
    assert_eq!(
        (wordless.kind, wordless.message.as_str()),
        (MessageKind::Other, "")
    );
    let more = callbacks::text(USER, "はい").with("mood", json!({"smile": [1, 2]}));
    assert_eq!(said(&more).message, "はい", "unknown fields do not disturb");
}

#[test]
fn a_file_id_that_no_service_gives_is_none() {
    for id in [json!(""), json!(5), json!("a\nb"), json!("x".repeat(1_001))] {
        let message = said(&callbacks::message(USER, json!({"type": "image", "fileId": id})));
        assert_eq!((message.kind, message.file_id), (MessageKind::Image, None));
    }
}

#[test]
fn who_comes_and_goes_in_a_room_is_read() {
    let other = "0b1c2d3e-0000-4000-8000-000000000009";
    let events = [
        (callbacks::join(ROOM), RoomChange::BotCame, vec![]),
        (callbacks::leave(ROOM), RoomChange::BotLeft, vec![]),
        (
            callbacks::joined(ROOM, &[USER, other]),
            RoomChange::MembersCame,
            vec![USER, other],
        ),
        (
            callbacks::left(ROOM, &[USER, "a b", ""]),
            RoomChange::MembersLeft,
            vec![USER],
        ),
    ];
    for (event, change, who) in events {
        let Ok(InboundEvent::Room(RoomEvent {
            room,
            change: read,
            members,
            at: when,
        })) = reader(|_| {}).interpret(&body(&event))
        else {
            panic!("{event:?}");
        };
        assert_eq!((room.as_str(), read), (ROOM, change));
        assert_eq!(members.iter().map(LineUserId::as_str).collect::<Vec<_>>(), who);
        assert_eq!(when, Some(at("2025-07-08T02:45:46.446Z")));
    }
    let roomless = reader(|_| {}).interpret(&body(&callbacks::unknown("joined", USER)));
    assert_eq!(roomless, Err(InterpretError::Field("source.channelId")));
}

#[test]
fn what_concerns_no_conversation_has_its_word() {
    let reader = reader(|config| config.domain_id = Some("40000001".into()));
    let cases = [
        (callbacks::unknown("Reaction.Added", USER), "reaction_added"),
        (callbacks::unknown(&"x".repeat(99), USER), &"x".repeat(40)),
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
