//! The trash, how long things are kept, and what is done about one person.

use serde_json::{Value, json};

use crate::desk::Desk;

#[test]
fn a_deleted_customer_comes_back_from_the_trash() {
    let desk = Desk::new();
    let id = desk.customer("山田", &["--email", "taro@example.jp"]);
    assert_eq!(desk.json(&["trash", "list"]), json!([]));
    desk.json(&["customer", "delete", &id]);
    let trash = desk.json(&["trash", "list"]);
    assert_eq!(
        (&trash[0]["kind"], &trash[0]["name"], &trash[0]["held"]),
        (&"customer".into(), &"山田".into(), &false.into())
    );
    assert_eq!(trash[0]["id"].to_string(), id);
    assert!(trash[0]["deleted_by"].is_string());
    desk.customer("別の", &["--email", "taro@example.jp"]);
    let asked = desk.run(&["customer", "restore", &id]);
    assert_eq!(asked.code, 1);
    assert!(
        asked.err.contains("別の") && asked.err.contains("--anyway"),
        "{}",
        asked.err
    );
    let restored = desk.json(&["customer", "restore", &id, "--anyway"]);
    assert_eq!(restored["restored"], true);
    assert_eq!(desk.json(&["customer", "show", &id])["last_name"], "山田");
    assert_eq!(desk.run(&["customer", "restore", &id]).code, 1);
}

#[test]
fn an_erased_customer_leaves_a_receipt_unless_a_hold_prevents_it() {
    let desk = Desk::new();
    let id = desk.customer("山田", &["--email", "taro@example.jp"]);
    let unsure = desk.run(&["customer", "erase", &id]);
    assert_eq!(unsure.code, 2);
    assert!(unsure.err.contains("--yes"), "{}", unsure.err);
    let hold = desk.json(&["retention", "hold", "--customer", &id, "--reason", "訴訟のため"]);
    let number = hold["id"].to_string();
    let refused = desk.run(&["customer", "erase", &id, "--yes"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("[held]"), "{}", refused.err);
    let holds = desk.json(&["retention", "holds"]);
    assert_eq!(
        (&holds[0]["name"], &holds[0]["reason"]),
        (&"山田".into(), &"訴訟のため".into())
    );
    desk.json(&["retention", "lift", &number]);
    assert_eq!(desk.json(&["retention", "holds"]), json!([]));
    let receipt = desk.json(&["customer", "erase", &id, "--yes"]);
    assert_eq!(
        (&receipt["state"], &receipt["erased"]["customers"]),
        (&"done".into(), &1.into())
    );
    assert_eq!(receipt["subject"].as_str().map(str::len), Some(64));
    assert_eq!(desk.run(&["customer", "show", &id]).code, 1);
    let bytes = std::fs::read(desk.database()).unwrap();
    let words = b"taro@example.jp";
    assert!(!bytes.windows(words.len()).any(|part| part == words));
}

#[test]
fn rules_are_shown_with_what_they_would_take() {
    let desk = Desk::new();
    desk.json(&["retention", "set", "messages", "24"]);
    let rules = desk.json(&["retention", "preview"]);
    let messages = &rules[0];
    assert_eq!(
        (&messages["kind"], &messages["months"], &messages["count"]),
        (&"messages".into(), &24.into(), &0.into())
    );
    desk.json(&["retention", "set", "messages"]);
    assert_eq!(desk.json(&["retention", "preview"])[0]["months"], Value::Null);
    for wrong in ["often", "0", "1201"] {
        assert_eq!(
            desk.run(&["retention", "set", "messages", wrong]).code,
            2,
            "{wrong}"
        );
    }
    let run = desk.json(&["retention", "run"]);
    assert_eq!((&run["held"], &run["taken"]), (&false.into(), &json!({})));
    desk.json(&["retention", "hold", "--reason", "監査中"]);
    assert_eq!(desk.json(&["retention", "run"])["held"], true);
}

#[test]
fn everything_about_a_customer_is_given_out() {
    let desk = Desk::new();
    let id = desk.customer("山田", &["--email", "taro@example.jp", "--remarks", "内緒"]);
    let folder = desk.path("files");
    let told = desk.run(&["customer", "export", &id, "--files", folder.to_str().unwrap()]);
    assert_eq!(told.code, 0, "{}", told.err);
    let dossier: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(dossier["customers"][0]["remarks"], "内緒");
    assert!(folder.is_dir());
    assert_eq!(desk.run(&["customer", "export", "404"]).code, 1);
}
