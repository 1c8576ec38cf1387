use crm_host::ServerLock;
use serde_json::Value;

use crate::desk::Desk;
use crate::poc_file;

fn imported() -> (Desk, String, Value) {
    let desk = Desk::new().with("LINE_WORKS_BOT_ID", "2000001");
    let file = desk.path("database.db");
    poc_file::make(&file);
    let file = file.to_str().unwrap().to_owned();
    let report = desk.json(&["import", "poc", &file]);
    (desk, file, report)
}

fn find<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let rows = list.as_array().unwrap();
    rows.iter()
        .find(|row| row[field] == value)
        .unwrap_or_else(|| panic!("{field}={value} in {list:#}"))
}

#[test]
fn no_row_is_left_behind() {
    let (desk, _, report) = imported();
    assert_eq!(report["companies"]["created"], 3);
    // Five rows, and one customer made for the message whose customer is gone.
    assert_eq!(report["customers"]["created"], 6);
    assert_eq!(report["activities"]["created"], 7);
    assert_eq!(desk.json(&["company", "list"]).as_array().unwrap().len(), 3);
    assert_eq!(desk.json(&["customer", "list"]).as_array().unwrap().len(), 6);
    for (reason, count) in [
        ("company_without_name", 1),
        ("customer_without_name", 1),
        ("company_missing", 1),
        ("customer_missing", 1),
        ("malformed", 5),
        ("unreadable_time", 1),
    ] {
        assert_eq!(report["mended"][reason], count, "{reason}: {report:#}");
    }
}

#[test]
fn what_has_no_place_in_a_field_is_kept_in_the_remarks() {
    let (desk, ..) = imported();
    let customers = desk.json(&["customer", "list"]);
    let odd = find(&customers, "last_name", "田中");
    assert_eq!(
        (&odd["email"], &odd["company_id"], &odd["line_user_id"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let remarks = odd["remarks"].as_str().unwrap();
    for kept in ["not-an-address", "電話なし", "a b", "99"] {
        assert!(remarks.contains(kept), "{remarks}");
    }
    assert_eq!(find(&customers, "first_name", "たろう")["last_name"], "");
    assert_eq!(find(&customers, "first_name", "同じ人")["phone"], "9000002222");
    let companies = desk.json(&["company", "list"]);
    let shop = find(&companies, "name", "改行 商店");
    assert!(shop["remarks"].as_str().unwrap().contains("準備中 です"));
}

#[test]
fn only_a_message_that_begins_with_the_prefix_was_sent() {
    let (desk, ..) = imported();
    let customers = desk.json(&["customer", "list", "--query", "hanako@"]);
    assert_eq!(customers[0]["link_status"], "active");
    let list = desk.json(&["activity", "list", "--customer", &customers[0]["id"].to_string()]);
    let told: Vec<(&str, &str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("timestamp"), text("direction"), text("message"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("2025-07-08T02:48:00.000Z", "received", "[送信]と書いてあります"),
            ("2025-07-08T02:47:00.446Z", "received", "前に [送信] と書きました"),
            (
                "2025-07-08T02:46:00.123Z",
                "sent",
                "[送信] お世話になっております"
            ),
            ("2025-07-08T02:45:46.000Z", "received", "こんにちは"),
        ]
    );
}

#[test]
fn repeating_doubles_nothing_and_brings_what_is_new() {
    let (desk, file, _) = imported();
    let again = desk.json(&["import", "poc", &file]);
    for kind in ["companies", "customers", "activities"] {
        assert_eq!(again[kind]["created"], 0, "{again:#}");
        assert_eq!(again[kind]["differing"], 0, "{again:#}");
    }
    poc_file::run(
        std::path::Path::new(&file),
        "UPDATE customers SET last_name = '鈴木', email = 'taro@example.jp' WHERE id = 2;
         UPDATE customers SET phone = '090-0000-3333' WHERE id = 3;
         INSERT INTO activities (customer_id, message, timestamp) VALUES (2, '追加', '2025-07-09 10:00:00');",
    );
    let more = desk.json(&["import", "poc", &file]);
    assert_eq!(
        (&more["customers"]["created"], &more["activities"]["created"]),
        (&0.into(), &1.into()),
        "{more:#}"
    );
    assert_eq!(desk.json(&["customer", "list"]).as_array().unwrap().len(), 6);
    assert_eq!(more["customers"]["differing"], 2, "{more:#}");
    let told = &more["differing"][0];
    assert_eq!(
        (&told["foreign_id"], &told["fields"]),
        (&2.into(), &serde_json::json!(["last_name", "email"]))
    );
    poc_file::run(
        std::path::Path::new(&file),
        "UPDATE companies SET phone = '03-0000-9999' WHERE id = 1",
    );
    let ran = desk.run(&["import", "poc", &file]);
    assert!(ran.out.contains("会社 1番"), "{}", ran.out);
}

#[test]
fn local_times_are_read_in_the_zone_that_was_given() {
    let desk = Desk::new();
    let file = desk.path("database.db");
    poc_file::make_many(&file, 1, 2_300);
    let file = file.to_str().unwrap();
    assert_eq!(
        desk.run(&["import", "poc", file, "--timezone", "Nowhere"]).code,
        2
    );
    desk.json(&["import", "poc", file, "--timezone", "UTC"]);
    let id = desk.json(&["customer", "list"])[0]["id"].to_string();
    let list = desk.json(&["activity", "list", "--customer", &id]);
    let times: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["timestamp"].as_str().unwrap())
        .collect();
    assert_eq!((times.len(), times[2_299]), (2_300, "2025-07-08T00:00:01.000Z"));
    assert!(times.is_sorted_by(|newer, older| newer > older));
}

#[test]
fn many_rows_come_in_by_chunks() {
    let desk = Desk::new();
    let file = desk.path("database.db");
    poc_file::make_many(&file, 2_500, 5_100);
    let report = desk.json(&["import", "poc", file.to_str().unwrap()]);
    assert_eq!(
        (&report["customers"]["created"], &report["activities"]["created"]),
        (&2_500.into(), &5_100.into())
    );
    let customers = desk.json(&["customer", "list", "--limit", "10000"]);
    let active = customers
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["link_status"] == "active")
        .count();
    assert_eq!(active, 2_500);
}

#[test]
fn an_import_that_was_broken_off_shows_nothing_and_is_taken_up_again() {
    let desk = Desk::new();
    desk.run(&["migrate"]);
    let file = desk.path("database.db");
    poc_file::make_many(&file, 3_000, 20_000);
    let file = file.to_str().unwrap();
    let count = || desk.json(&["customer", "list"]).as_array().unwrap().len();
    for wait in [150, 400, 800] {
        let running = desk.start(&["import", "poc", file]);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        drop(running);
        assert!([0, 3_000].contains(&count()));
    }
    let report = desk.json(&["import", "poc", file]);
    let total =
        |kind: &str| report[kind]["created"].as_u64().unwrap() + report[kind]["unchanged"].as_u64().unwrap();
    assert_eq!(
        (count(), total("customers"), total("activities")),
        (3_000, 3_000, 20_000)
    );
    let first = desk.json(&["customer", "list", "--limit", "1"])[0]["id"].to_string();
    let messages = desk.json(&["activity", "list", "--customer", &first]);
    assert!((6..=7).contains(&messages.as_array().unwrap().len()));
}

#[test]
fn a_running_server_keeps_the_import_out() {
    let (desk, file, _) = imported();
    let server = ServerLock::acquire(&ServerLock::file_of(&desk.database())).unwrap();
    let ran = desk.run(&["import", "poc", &file]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.trim_end().ends_with("[server_runs]"), "{}", ran.err);
    // Everything else works beside it.
    assert_eq!(desk.run(&["customer", "add", "--last-name", "並行"]).code, 0);
    drop(server);
    assert_eq!(desk.run(&["import", "poc", &file]).code, 0);
}

#[test]
fn what_is_no_poc_database_is_refused() {
    let (desk, ..) = imported();
    let text = desk.write("text.db", "not a database, but long enough to look at");
    let own = desk.database().display().to_string();
    for (file, code) in [(text, "not_poc"), (own, "own_database")] {
        let ran = desk.run(&["import", "poc", &file]);
        assert!(ran.err.trim_end().ends_with(&format!("[{code}]")), "{}", ran.err);
    }
}

#[test]
fn backup_copies_everything_and_overwrites_nothing() {
    let (desk, ..) = imported();
    let copy = desk.path("copy.db");
    let name = copy.to_str().unwrap();
    assert_eq!(desk.json(&["backup", name])["file"], name);
    assert!(
        desk.run(&["backup", name])
            .err
            .trim_end()
            .ends_with("[file_exists]")
    );
    let other = Desk::new();
    other.json(&["restore", name]);
    assert_eq!(other.json(&["customer", "list"]).as_array().unwrap().len(), 6);
    let status = desk.json(&["migrate", "--status"]);
    assert!(
        status
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["applied"] == true)
    );
    assert_eq!(desk.json(&["migrate", "--dry-run"]), serde_json::json!([]));
}
