//! `crm audit`: what stands in the log, and that a hand in the database file is found out.

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use serde_json::{Value, json};

use crate::desk::Desk;

/// Four entries: two customers added, one changed, one discarded.
fn filled() -> Desk {
    let desk = Desk::new();
    let first = desk.customer("佐藤", &["--email", "sato@example.jp"]);
    let second = desk.customer("鈴木", &[]);
    desk.run(&["customer", "edit", &first, "--last-name", "伊藤"]);
    desk.run(&["customer", "delete", &second]);
    desk
}

fn verify(desk: &Desk, more: &[&str]) -> (i32, Value) {
    let mut args = vec!["audit", "verify", "--format", "json"];
    args.extend(more);
    let ran = desk.run(&args);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::Null))
}

/// What somebody does with the database file and no key.
fn tamper(desk: &Desk, statements: &str) {
    let file = desk.path("data/crm.db");
    let mut hand = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    hand.batch_execute(&format!("DROP TRIGGER IF EXISTS audit_stays; {statements}"))
        .unwrap();
}

fn faults(report: &Value) -> Vec<(&str, i64)> {
    let faults = report["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| {
            let position = fault["position"].as_i64().unwrap_or_default();
            (fault["code"].as_str().unwrap_or_default(), position)
        })
        .collect()
}

#[test]
fn changes_are_listed_with_old_and_new_values() {
    let desk = filled();
    let list = desk.json(&["audit", "list", "--query", "customer_changed"]);
    let entry = &list[0];
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(
        (&entry["actor_kind"], &entry["actor"], &entry["record_kind"]),
        (&json!("operator"), &json!("tester"), &json!("customer"))
    );
    assert_eq!(
        entry["changes"],
        json!([{"field": "last_name", "old": "佐藤", "new": "伊藤", "masked": false}])
    );
    let of_one = desk.json(&["audit", "list", "--query", "customer:1"]);
    assert_eq!(of_one.as_array().map(Vec::len), Some(2), "{of_one}");
    assert_eq!(desk.json(&["audit", "list", "--query", "無い名前"]), json!([]));
    assert_eq!(desk.json(&["audit", "list", "--to", "2001-01-01"]), json!([]));
    let table = desk.run(&["audit", "list"]);
    assert!(table.out.contains("顧客をごみ箱へ"), "{}", table.out);
    assert_eq!(desk.run(&["audit", "list", "--from", "yesterday"]).code, 2);
}

#[test]
fn an_untouched_log_is_proven() {
    let desk = filled();
    let (code, report) = verify(&desk, &[]);
    assert_eq!(code, 0, "{report}");
    assert_eq!((&report["checked"], &report["waiting"]), (&json!(4), &json!(0)));
    let head = report["head"].as_str().unwrap();
    assert!(head.starts_with("4:"), "{head}");
    assert_eq!(verify(&desk, &["--head", head]).0, 0);
    assert_eq!(desk.run(&["audit", "verify", "--head", "nonsense"]).code, 2);
    let said = desk.run(&["audit", "verify"]);
    assert!(said.out.contains(head), "{}", said.out);
}

#[test]
fn the_file_itself_refuses_to_change_an_entry() {
    let desk = filled();
    let file = desk.path("data/crm.db");
    let mut hand = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    assert!(hand.batch_execute("UPDATE audit SET by_name = 'x'").is_err());
}

#[test]
fn a_hand_in_the_file_is_found_out() {
    let cases = [
        (
            "UPDATE audit SET by_name = 'x' WHERE id = 2",
            vec![("changed", 2)],
        ),
        (
            "UPDATE audit SET at = '2020-01-01 00:00:00.000' WHERE id = 1",
            vec![("changed", 1)],
        ),
        (
            "UPDATE audit SET customer_id = NULL WHERE id = 3",
            vec![("changed", 3)],
        ),
        ("DELETE FROM audit WHERE id = 2", vec![("missing", 2)]),
        (
            "DELETE FROM audit WHERE id = 2; DELETE FROM audit_seals WHERE audit_id = 2",
            vec![("gap", 2)],
        ),
        (
            "UPDATE audit_values SET new_value = 'x' WHERE audit_id = 3",
            vec![("value_changed", 3)],
        ),
        (
            "DELETE FROM audit_values WHERE audit_id = 1 AND field = 'email'",
            vec![("value_changed", 1)],
        ),
        ("DELETE FROM audit_seals WHERE audit_id = 4", vec![("loose", 0)]),
        ("DELETE FROM audit WHERE id = 1", vec![("gap", 1)]),
        (
            "DELETE FROM audit WHERE id = 1; DELETE FROM audit_seals WHERE audit_id = 1",
            vec![("gap", 1)],
        ),
    ];
    for (statements, expected) in cases {
        let desk = filled();
        assert_eq!(verify(&desk, &[]).0, 0);
        tamper(&desk, statements);
        let (code, report) = verify(&desk, &[]);
        assert_eq!(code, 1, "{statements}: {report}");
        assert_eq!(faults(&report), expected, "{statements}");
    }
}

#[test]
fn an_end_that_was_cut_off_is_found_by_the_head_that_was_written_down() {
    let desk = filled();
    let (_, report) = verify(&desk, &[]);
    let head = report["head"].as_str().unwrap().to_owned();
    tamper(
        &desk,
        "DELETE FROM audit WHERE id >= 3; DELETE FROM audit_seals WHERE audit_id >= 3",
    );
    assert_eq!(verify(&desk, &[]).0, 0, "what is left is whole");
    let (code, report) = verify(&desk, &["--head", &head]);
    assert_eq!((code, faults(&report)), (1, vec![("cut", 4)]));
    desk.customer("新しい", &[]);
    desk.customer("客", &[]);
    let (code, report) = verify(&desk, &["--head", &head]);
    assert_eq!((code, faults(&report)), (1, vec![("other_head", 4)]));
}

#[test]
fn emptied_values_are_counted_and_the_rest_is_proven() {
    let desk = filled();
    verify(&desk, &[]);
    tamper(&desk, "DELETE FROM audit_values WHERE audit_id = 3");
    let (code, report) = verify(&desk, &[]);
    assert_eq!((code, &report["emptied"]), (0, &json!(1)), "{report}");
    let list = desk.json(&["audit", "list", "--query", "customer_changed"]);
    assert_eq!(
        (&list[0]["emptied"], &list[0]["fields"]),
        (&json!(true), &json!(["last_name"]))
    );
}

#[test]
fn an_import_stands_in_the_log_with_its_reason() {
    let desk = Desk::new();
    let file = desk.write("customers.csv", "姓,名\n山田,花子\n");
    desk.run(&["import", "customers", &file, "--dry-run", "--reason", "試し"]);
    assert_eq!(desk.json(&["audit", "list"]), json!([]));
    desk.run(&["import", "customers", &file, "--reason", "展示会の名刺"]);
    let begun = desk.json(&["audit", "list", "--query", "import_begun"]);
    assert_eq!(begun[0]["reason"], "展示会の名刺", "{begun}");
    let finished = desk.json(&["audit", "list", "--query", "import_finished"]);
    assert_eq!(finished[0]["changes"][1]["new"], "1", "{finished}");
}
