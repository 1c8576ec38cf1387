//! What was set up in the pages, as the command line sees it.

use crm_compose::{Composition, Need, Settings, Source};
use crm_domain::connection::{ConnectionField, ConnectionValues};
use crm_domain::permissions::Actor;
use crm_domain::use_cases::ConnectionForm;

use crate::desk::{Desk, Running};

/// The simulator by its own command, and what it wrote.
fn simulator(desk: &Desk) -> (Running, Vec<(String, String)>) {
    let file = desk.path("simulator.env");
    let args = ["dev", "line-works", "--listen", "127.0.0.1:0", "--env-file"];
    let mut all = args.to_vec();
    all.push(file.to_str().unwrap());
    let mut running = desk.start(&all);
    let text = running.wait_until(&file, |text| text.contains("LINE_WORKS_API_URL="));
    let pairs = text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
    });
    let pairs = pairs.filter(|(name, _)| !name.starts_with('#')).collect();
    (running, pairs)
}

/// Saves as the pages do.
fn save(desk: &Desk, pairs: &[(String, String)]) {
    let mut values = ConnectionValues::default();
    for field in ConnectionField::ALL {
        let name = format!("LINE_WORKS_{}", field.code().to_uppercase());
        let value = pairs.iter().find(|(known, _)| *known == name);
        values.set(field, value.map(|(_, value)| value.as_str()).unwrap_or_default());
    }
    let dir = desk.path("data").display().to_string();
    let source = Source::new([("CRM_DATA_DIR".to_owned(), dir)], None);
    let settings = Settings::read(&source, Need::Everything).unwrap().settings;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (parts, _) = Composition::for_command(settings).await.unwrap();
        let me = Actor::Operator {
            name: "tester".to_owned(),
        };
        let form = ConnectionForm { version: 0, values };
        parts.crm.save_connection(&me, form, "").await.unwrap();
    });
}

#[test]
fn what_the_pages_set_up_is_shown_masked_checked_and_used() {
    let desk = Desk::new();
    let (_simulator, pairs) = simulator(&desk);
    let urls: Vec<String> = pairs
        .iter()
        .filter(|(name, _)| name.ends_with("_URL"))
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    desk.dot_env(&urls.concat());
    desk.run(&["migrate"]);
    save(&desk, &pairs);
    let shown = desk.json(&["config", "show"]);
    let of = |name: &str| {
        let found = shown.as_array().unwrap().iter().find(|row| row["name"] == name);
        found.unwrap_or_else(|| &shown[0]).clone()
    };
    assert_eq!(
        (
            &of("LINE_WORKS_BOT_ID")["origin"],
            &of("LINE_WORKS_API_URL")["origin"]
        ),
        (&"pages".into(), &".env".into())
    );
    assert_eq!(of("LINE_WORKS_CLIENT_SECRET")["value"], "***");
    let secret = pairs
        .iter()
        .find(|(name, _)| name == "LINE_WORKS_CLIENT_SECRET")
        .unwrap();
    assert!(!desk.run(&["config", "show"]).out.contains(&secret.1));
    assert!(desk.run(&["config", "show"]).out.contains("管理画面"));
    let ran = desk.run(&["doctor", "--format", "json"]);
    let checks: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for name in ["settings", "private_key", "token", "bot", "message_kinds"] {
        let check = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == name);
        assert_eq!(check.unwrap()["state"], "ok", "{name}: {}", ran.out);
    }
    let user = "00000000-0000-4000-8000-000000000001";
    let sent = desk.json(&["message", "send", "--user-id", user, "--message", "こんにちは"]);
    assert_eq!(sent["state"], "sent");
}

#[test]
fn the_environment_and_the_pages_make_one_connection_together() {
    let desk = Desk::new();
    let (_simulator, pairs) = simulator(&desk);
    let (mut here, mut there) = (String::new(), Vec::new());
    for (name, value) in pairs {
        if name.ends_with("_URL") || name == "LINE_WORKS_BOT_ID" {
            here = format!("{here}{name}={value}\n");
        } else {
            there.push((name, value));
        }
    }
    desk.run(&["migrate"]);
    let bot = ("LINE_WORKS_BOT_ID".to_owned(), "1".to_owned());
    save(&desk, &[there, vec![bot]].concat());
    desk.dot_env(&here);
    let user = "00000000-0000-4000-8000-000000000001";
    let sent = desk.json(&["message", "send", "--user-id", user, "--message", "こんにちは"]);
    assert_eq!(sent["state"], "sent", "the environment's bot");
}
