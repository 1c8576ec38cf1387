//! What a message may contain.

use crate::world::{ANNA, World};
use serde_json::{Value, json};

const OK: &str = "";
const URL: &str = "https://example.com/a.png";

/// Sends each content and compares the code of its refusal; empty for acceptance.
fn try_all(cases: &[(&str, Value, &str)]) {
    let world = World::with(|config| config.rate_limit = 0);
    let token = world.token();
    let file = world.sim.store_file("a.pdf", &b"%PDF"[..]).unwrap();
    for (name, content, code) in cases {
        let content = content.to_string().replace("STORED", &file);
        let body = json!({"content": serde_json::from_str::<Value>(&content).unwrap()});
        let answer = world.post_json(&token, &world.messages_path(ANNA), &body);
        let status = if code.is_empty() { 201 } else { 400 };
        assert_eq!(
            answer.verdict(),
            (status, (*code).to_owned()),
            "{name}: {answer:?}"
        );
    }
}

fn text(text: impl Into<String>) -> Value {
    json!({"type": "text", "text": text.into()})
}

#[test]
fn texts() {
    let mentions = |count: usize| "<m userId=\"x\">".repeat(count);
    try_all(&[
        ("one character", text("a"), OK),
        ("2000 characters", text("あ".repeat(2000)), OK),
        ("2000 emoji", text("🍣".repeat(2000)), OK),
        (
            "2001 characters",
            text("a".repeat(2001)),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
        ("empty", text(""), "INVALID_PARAMETER"),
        ("missing", json!({"type": "text"}), "MISSING_PARAMETER"),
        ("no text", json!({"type": "text", "text": 5}), "INVALID_PARAMETER"),
        ("null", json!({"type": "text", "text": null}), "INVALID_PARAMETER"),
        (
            "undefined property",
            json!({"type": "text", "text": "a", "notify": true}),
            "INVALID_PARAMETER",
        ),
        (
            "null of a defined one",
            json!({"type": "text", "text": "a", "quickReply": null}),
            "INVALID_PARAMETER",
        ),
        ("no type", json!({"text": "a"}), "MISSING_PARAMETER"),
        (
            "unknown type",
            json!({"type": "poll", "text": "a"}),
            "INVALID_PARAMETER",
        ),
        ("50 mentions", text(mentions(50)), OK),
        ("51 mentions", text(mentions(51)), "LIMIT_EXCEEDED"),
        (
            "translations",
            json!({"type": "text", "text": "a", "i18nTexts": [{"language": "ja_JP", "text": "あ"}]}),
            OK,
        ),
        (
            "unknown language",
            json!({"type": "text", "text": "a", "i18nTexts": [{"language": "fr", "text": "a"}]}),
            "INVALID_PARAMETER",
        ),
    ]);
}

#[test]
fn the_body_holds_content_alone() {
    let world = World::new();
    let token = world.token();
    let send = |body: Value| {
        world
            .post_json(&token, &world.messages_path(ANNA), &body)
            .verdict()
    };
    assert_eq!(send(json!({})), (400, "MISSING_PARAMETER".to_owned()));
    assert_eq!(
        send(json!({"content": "a"})),
        (400, "INVALID_PARAMETER".to_owned())
    );
    assert_eq!(
        send(json!({"content": text("a"), "accountId": "x"})),
        (400, "INVALID_PARAMETER".to_owned())
    );
}

#[test]
fn media() {
    try_all(&[
        (
            "image by URL",
            json!({"type": "image", "previewImageUrl": URL, "originalContentUrl": URL}),
            OK,
        ),
        ("image by file", json!({"type": "image", "fileId": "STORED"}), OK),
        (
            "image by both",
            json!({"type": "image", "previewImageUrl": URL, "originalContentUrl": URL, "fileId": "STORED"}),
            "INVALID_PARAMETER",
        ),
        ("image by nothing", json!({"type": "image"}), "MISSING_PARAMETER"),
        (
            "image without preview",
            json!({"type": "image", "originalContentUrl": URL}),
            "MISSING_PARAMETER",
        ),
        ("video by file", json!({"type": "video", "fileId": "STORED"}), OK),
        (
            "file never uploaded",
            json!({"type": "file", "fileId": "jp1.0"}),
            "INVALID_PARAMETER",
        ),
        ("file by file", json!({"type": "file", "fileId": "STORED"}), OK),
        (
            "file by URL",
            json!({"type": "file", "originalContentUrl": "https://example.com/a/b.pdf?x=1"}),
            OK,
        ),
        (
            "file without https",
            json!({"type": "file", "originalContentUrl": "http://example.com/b.pdf"}),
            "INVALID_PARAMETER",
        ),
        (
            "file without extension",
            json!({"type": "file", "originalContentUrl": "https://example.com/b"}),
            "INVALID_PARAMETER",
        ),
        (
            "blocked file",
            json!({"type": "file", "originalContentUrl": "https://example.com/b.EXE"}),
            "INVALID_PARAMETER",
        ),
        (
            "audio",
            json!({"type": "audio", "originalContentUrl": "https://example.com/a.wav"}),
            OK,
        ),
        (
            "audio with duration",
            json!({"type": "audio", "fileId": "STORED", "duration": 1000}),
            "INVALID_PARAMETER",
        ),
        (
            "long URL",
            json!({"type": "audio", "originalContentUrl": format!("{URL}?{}", "a".repeat(1000))}),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
    ]);
}

#[test]
fn small_types() {
    try_all(&[
        (
            "link",
            json!({"type": "link", "contentText": "a", "linkText": "b", "link": URL}),
            OK,
        ),
        (
            "link without link",
            json!({"type": "link", "contentText": "a", "linkText": "b"}),
            "MISSING_PARAMETER",
        ),
        (
            "link to nowhere",
            json!({"type": "link", "contentText": "a", "linkText": "b", "link": "example"}),
            "INVALID_PARAMETER",
        ),
        (
            "sticker",
            json!({"type": "sticker", "packageId": "1", "stickerId": "2"}),
            OK,
        ),
        (
            "sticker by number",
            json!({"type": "sticker", "packageId": 1, "stickerId": "2"}),
            "INVALID_PARAMETER",
        ),
        (
            "location",
            json!({"type": "location", "title": "a", "address": "b", "latitude": 35.6, "longitude": 139.7}),
            OK,
        ),
        (
            "location as text",
            json!({"type": "location", "title": "a", "address": "b", "latitude": "35.6", "longitude": 139.7}),
            "INVALID_PARAMETER",
        ),
        (
            "location beyond the pole",
            json!({"type": "location", "title": "a", "address": "b", "latitude": 91, "longitude": 139.7}),
            "OUT_OF_RANGE",
        ),
    ]);
}

fn tap(kind: &str, field: &str, value: &str) -> Value {
    json!({"type": kind, "label": "a", field: value})
}

#[test]
fn templates() {
    let uri = tap("uri", "uri", URL);
    let say = tap("message", "postback", "p");
    let postback = tap("postback", "data", "d");
    let column = |actions: usize| json!({"text": "a", "actions": vec![say.clone(); actions]});
    let button = |action: &Value| json!({"type": "button_template", "contentText": "a", "actions": [action]});
    try_all(&[
        ("button", button(&uri), OK),
        ("button that says", button(&say), OK),
        ("button that copies", button(&tap("copy", "copyText", "a")), OK),
        ("button with postback", button(&postback), "INVALID_PARAMETER"),
        (
            "button with camera",
            button(&json!({"type": "camera", "label": "a"})),
            "INVALID_PARAMETER",
        ),
        (
            "button with a bad URI",
            button(&tap("uri", "uri", "https://")),
            "INVALID_PARAMETER",
        ),
        (
            "button without actions",
            json!({"type": "button_template", "contentText": "a", "actions": []}),
            "INVALID_PARAMETER",
        ),
        (
            "eleven buttons",
            json!({"type": "button_template", "contentText": "a", "actions": vec![uri.clone(); 11]}),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
        (
            "list",
            json!({"type": "list_template", "coverData": {"backgroundImageUrl": URL},
                   "elements": [{"title": "a", "action": uri}], "actions": [[uri, say], [uri]]}),
            OK,
        ),
        (
            "list of five",
            json!({"type": "list_template", "elements": vec![json!({"title": "a"}); 5]}),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
        (
            "carousel",
            json!({"type": "carousel", "columns": [column(2), column(2)]}),
            OK,
        ),
        (
            "uneven carousel",
            json!({"type": "carousel", "columns": [column(2), column(1)]}),
            "INVALID_PARAMETER",
        ),
        (
            "carousel with a title in one column",
            json!({"type": "carousel", "columns": [{"text": "a", "title": "t"}, {"text": "a"}]}),
            "INVALID_PARAMETER",
        ),
        (
            "long text beside a title",
            json!({"type": "carousel", "columns": [{"text": "a".repeat(61), "title": "t"}]}),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
        (
            "image carousel",
            json!({"type": "image_carousel", "columns": [{"fileId": "STORED", "action": postback}]}),
            OK,
        ),
    ]);
}

#[test]
fn flexible_templates() {
    let flex = |contents: Value| json!({"type": "flex", "altText": "a", "contents": contents});
    let body = |inner: Value| {
        flex(json!({"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": inner}}))
    };
    let bubble = |size: &str| json!({"type": "bubble", "size": size});
    try_all(&[
        (
            "bubble",
            body(json!([{"type": "text", "text": "a", "wrap": true}])),
            OK,
        ),
        ("empty box", body(json!([])), OK),
        (
            "without alternative",
            json!({"type": "flex", "contents": {"type": "bubble"}}),
            "MISSING_PARAMETER",
        ),
        (
            "a bad URI deep within",
            body(json!([{"type": "button", "action": {"type": "uri", "uri": "no uri"}}])),
            "INVALID_PARAMETER",
        ),
        (
            "a video",
            body(json!([{"type": "video", "url": URL}])),
            "INVALID_PARAMETER",
        ),
        (
            "a size of the other LINE",
            flex(bubble("deca")),
            "INVALID_PARAMETER",
        ),
        (
            "carousel",
            flex(json!({"type": "carousel", "contents": [bubble("kilo"), bubble("kilo")]})),
            OK,
        ),
        (
            "sizes mixed",
            flex(json!({"type": "carousel", "contents": [bubble("kilo"), bubble("giga")]})),
            "INVALID_PARAMETER",
        ),
        (
            "too large",
            body(json!([{"type": "text", "text": "a".repeat(31_000)}])),
            "LIMIT_EXCEEDED",
        ),
    ]);
}

#[test]
fn quick_replies() {
    let with =
        |action: Value| json!({"type": "text", "text": "a", "quickReply": {"items": [{"action": action}]}});
    let shown = json!({"type": "postback", "label": "a", "data": "d", "displayText": "e"});
    let many =
        json!({"type": "text", "text": "a", "quickReply": {"items": vec![json!({"action": shown}); 14]}});
    try_all(&[
        ("postback", with(shown.clone()), OK),
        (
            "postback without display text",
            with(tap("postback", "data", "d")),
            "MISSING_PARAMETER",
        ),
        ("camera", with(json!({"type": "camera", "label": "a"})), OK),
        (
            "camera without label",
            with(json!({"type": "camera"})),
            "MISSING_PARAMETER",
        ),
        (
            "datetimepicker, which the forum's helper invented",
            with(tap("datetimepicker", "data", "d")),
            "INVALID_PARAMETER",
        ),
        (
            "long label",
            with(json!({"type": "location", "label": "a".repeat(21)})),
            "EXCEEDED_LENGTH_LIMIT_OF_PARAM",
        ),
        ("fourteen", many, "EXCEEDED_LENGTH_LIMIT_OF_PARAM"),
    ]);
}
