//! Control characters in whatever a reader may type: refused or left out, never an error of ours, on every database.

use crm_domain::members::{Device, Grants, Role};
use crm_domain::use_cases::SignInForm;
use crm_lineworks_sim::callbacks;

use super::readers::Reader;
use super::records::{Filled, Records};
use super::setup;
use super::table::{Data, Row, TABLE};
use crate::harness::http::encode;
use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Setup, TARO, TestServer, until};

/// What PostgreSQL cannot keep, what a terminal acts on, and what ends a line where none may end.
const CONTROLS: &str = "\u{0}\u{1b}\r\n\u{7f}\u{85}\u{9b}x";

/// What a page may be asked with, as far as it is text, and a cursor whose text holds a control character.
const ASKED: [(&str, &str); 8] = [
    ("q", "山\u{0}田"),
    ("q", "\u{0}"),
    ("who", "\u{0}"),
    ("after", "5.00"),
    ("after", "5.e5b1b100"),
    ("before", "\u{0}"),
    ("line_user_id", "\u{0}u"),
    ("customer", "\u{0}"),
];

/// Fields of every form; those that a form has not are not looked at.
const FIELDS: [&str; 38] = [
    "address",
    "bot_id",
    "bot_secret",
    "client_id",
    "client_secret",
    "code",
    "current_password",
    "domain_id",
    "email",
    "env",
    "expires",
    "first_name",
    "first_name_kana",
    "key",
    "last_name",
    "last_name_kana",
    "line_user_id",
    "member_name",
    "message",
    "name",
    "name_kana",
    "new_password",
    "next",
    "note",
    "password",
    "phone",
    "private_key",
    "reason",
    "remarks",
    "scope",
    "service_account",
    "sees",
    "team_name",
    "text",
    "token_name",
    "user_id",
    "website",
    "q",
];

async fn shared() -> TestServer {
    TestServer::start_with(Setup {
        shared: true,
        ..setup()
    })
    .await
}

/// The same request with control characters: in one of its own fields after the other, then in every field there is.
fn spoiled(row: &Row, filled: &Filled) -> Vec<Filled> {
    let with = |body: String| Filled {
        path: filled.path.clone(),
        body,
    };
    match row.data {
        Data::Json(_) => vec![
            with(filled.body.replacen("\":\"", "\":\"\\u0000\\u001b", 1)),
            with(filled.body.replace("\":\"", "\":\"\\u0000\\u001b")),
        ],
        Data::Form(own) => {
            let mut spoiled: Vec<Filled> = (0..own.len())
                .map(|place| {
                    let pairs = filled.body.split('&').enumerate().map(|(at, pair)| {
                        let end = if at == place { CONTROLS } else { "" };
                        format!("{pair}{}", encode(end))
                    });
                    with(pairs.collect::<Vec<_>>().join("&"))
                })
                .collect();
            let others = FIELDS
                .iter()
                .filter(|name| own.iter().all(|(field, _)| field != *name));
            let others: Vec<String> = others
                .map(|name| format!("{name}={}", encode(&format!("a{CONTROLS}b"))))
                .collect();
            let end = if filled.body.is_empty() { "" } else { "&" };
            spoiled.push(with(format!("{}{end}{}", filled.body, others.join("&"))));
            spoiled
        }
    }
}

fn asked(filled: &Filled) -> Vec<Filled> {
    let with = |(name, value): (&str, &str)| Filled {
        path: format!("{}?{name}={}", filled.path, encode(value)),
        body: String::new(),
    };
    ASKED.into_iter().map(with).collect()
}

#[tokio::test]
async fn control_characters_are_nobodys_error() {
    let server = shared().await;
    let records = Records::new(&server);
    let grants = Grants {
        import: true,
        export: true,
    };
    let mut reader = Reader::person(&server, "admin", Role::Admin, grants).await;
    let mut wrong = Vec::new();
    for row in TABLE.iter().filter(|row| row.path != "/events") {
        let filled = records.of(row.about).await.fill(row);
        let variants = if row.changes() {
            spoiled(row, &filled)
        } else {
            asked(&filled)
        };
        for variant in variants {
            let answer = reader.send(&server, row, &variant).await;
            if answer.status >= 500 {
                wrong.push(format!(
                    "{} {} {}: {}",
                    row.name(),
                    variant.path,
                    variant.body,
                    answer.status
                ));
            }
            if row.ends_session || answer.status == 401 {
                reader = reader.again(&server).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn whoever_signs_in_with_control_characters_is_refused_as_anybody() {
    let server = shared().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    for (email, password) in [
        ("hanako@example.jp\u{0}", PASSWORD),
        ("\u{0}", PASSWORD),
        ("hanako@example.jp", "\u{0}\u{1b}"),
    ] {
        let answer = server.browser().sign_in(email, password).await;
        assert_eq!(answer.status, 422, "{email:?}: {}", answer.text());
    }
    for path in [
        "/link/%00",
        "/link/a%00b",
        "/setup/%00",
        "/login?next=%00",
        "/check-customer/%00",
    ] {
        let status = server.get(path).await.status;
        assert!(status < 500, "{path}: {status}");
    }
    let device = Device {
        address: Some("127.0.0.1\u{0}".to_owned()),
        agent: Some("Fire\u{0}fox".to_owned()),
    };
    let form = SignInForm {
        email: "hanako@example.jp".to_owned(),
        password: PASSWORD.to_owned(),
        known_browser: None,
        device,
    };
    let signed_in = server.crm.sign_in(form).await;
    assert!(signed_in.is_ok(), "{signed_in:?}");
}

#[tokio::test]
async fn a_callback_with_control_characters_is_recorded_and_holds_up_nobody() {
    let server = shared().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let strange = "\u{0}\u{1b}";
    for event in [
        callbacks::text(TARO, "見積\u{0}を\u{1b}お願いします"),
        callbacks::text(TARO, strange),
        callbacks::text(&format!("{TARO}{strange}"), "こんにちは"),
        callbacks::text_with_postback(TARO, "はい", strange),
        callbacks::location(TARO, strange, 35.0, 139.0),
        callbacks::sticker(TARO, strange, strange),
        callbacks::image(TARO, strange),
        callbacks::text(TARO, "最後"),
    ] {
        assert_eq!(server.simulator.deliver(&event).await.unwrap().status, 200);
    }
    let last = server.wait_for_messages(customer, 2).await;
    let said = until("the last one", async || {
        let said: Vec<String> = server
            .conversation(customer)
            .await
            .into_iter()
            .map(|message| message.message)
            .collect();
        said.iter().any(|text| text == "最後").then_some(said)
    })
    .await;
    assert!(
        said.iter().any(|text| text == "見積\u{fffd}を\u{1b}お願いします"),
        "{said:?} {last:?}"
    );
    let ready = Ask::get("/readyz").send(server.address).await;
    assert!(
        ready.status == 200 && !ready.text().contains("degraded"),
        "{}",
        ready.text()
    );
}
