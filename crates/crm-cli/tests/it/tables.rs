use crate::desk::Desk;

#[test]
fn customers_come_from_a_spreadsheet_and_repeating_changes_nothing() {
    let desk = Desk::new();
    desk.run(&["company", "add", "--name", "青空商事"]);
    let file = desk.write(
        "customers.csv",
        "\u{feff}姓,名,メールアドレス,電話,会社名\n山田,花子,hanako@example.jp,'+81-90-0000-1111,青空商事\n田中,,,,\n,,x@example.jp,,\n佐藤,次郎,not-an-address,,無い会社\n",
    );
    let dry = desk.json(&["import", "customers", &file, "--dry-run"]);
    assert_eq!(dry["created"], 2, "{dry}");
    assert_eq!(desk.json(&["customer", "list"]), serde_json::json!([]));
    let done = desk.json(&["import", "customers", &file, "--reason", "展示会"]);
    assert_eq!(
        (&done["created"], &done["rejected"], &done["reason"]),
        (&2.into(), &2.into(), &"展示会".into())
    );
    assert_eq!(done["errors"][0]["line"], 4);
    assert_eq!(done["errors"][0]["code"], "required");
    let list = desk.json(&["customer", "list", "--query", "山田"]);
    assert_eq!(
        (&list[0]["company_id"], &list[0]["phone"]),
        (&1.into(), &"+81-90-0000-1111".into())
    );
    let again = desk.json(&["import", "customers", &file]);
    assert_eq!(
        (&again["created"], &again["unchanged"]),
        (&0.into(), &2.into()),
        "{again}"
    );
    let changed = desk.write("change.csv", "email,first_name\nhanako@example.jp,はな子\n");
    assert_eq!(desk.json(&["import", "customers", &changed])["rejected"], 0);
    let list = desk.json(&["customer", "list", "--query", "hanako@"]);
    assert_eq!(
        (&list[0]["first_name"], &list[0]["last_name"]),
        (&"はな子".into(), &"山田".into())
    );
}

#[test]
fn companies_are_known_by_their_name() {
    let desk = Desk::new();
    let file = desk.write(
        "companies.csv",
        "name,address\n青空商事,東京都\n青空　商事,大阪府\n",
    );
    let done = desk.json(&["import", "companies", &file]);
    assert_eq!(
        (&done["created"], &done["updated"]),
        (&1.into(), &1.into()),
        "{done}"
    );
    assert_eq!(desk.json(&["company", "list"])[0]["address"], "大阪府");
}

#[test]
fn messages_are_taken_once() {
    let desk = Desk::new();
    let id = desk.customer(
        "山田",
        &["--line-user-id", "00000000-0000-4000-8000-000000000001"],
    );
    let file = desk.write(
        "messages.csv",
        &format!("customer_id,timestamp,message\n{id},2025-07-08 11:45:46,[送信] はい\n{id},2025-07-08T02:45:40Z,どうも\n{id},2025-07-08T02:45:40Z,どうも\n{id},昨日,x\n99,2025-07-08,x\n"),
    );
    for created in [3, 0] {
        let done = desk.json(&["import", "activities", &file]);
        assert_eq!(
            (&done["created"], &done["rejected"]),
            (&created.into(), &2.into()),
            "{done}"
        );
    }
    let list = desk.json(&["activity", "list", "--customer", &id]);
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(
        (&list[0]["message"], &list[0]["timestamp"]),
        (&"[送信] はい".into(), &"2025-07-08T02:45:46.000Z".into())
    );
    assert_eq!(desk.json(&["customer", "show", &id])["link_status"], "active");
}

#[test]
fn a_file_that_is_no_table_is_refused_whole() {
    let desk = Desk::new();
    let unknown = desk.write("unknown.csv", "姓,趣味\n山田,釣り\n");
    let ran = desk.run(&["import", "customers", &unknown]);
    assert!(
        ran.err.contains("趣味") && ran.err.trim_end().ends_with("[column]"),
        "{}",
        ran.err
    );
    let path = desk.path("sjis.csv");
    std::fs::write(&path, [0x90, 0xa9, b'\n']).unwrap();
    let ran = desk.run(&["import", "customers", path.to_str().unwrap()]);
    assert!(ran.err.trim_end().ends_with("[not_utf8]"), "{}", ran.err);
}

#[test]
fn a_dry_run_says_what_the_run_says() {
    let desk = Desk::new();
    let customers = desk.write(
        "customers.csv",
        "last_name,email,company_id\n山田,a@example.jp,\n佐藤,b@example.jp,99\n山田,A@example.jp,\n",
    );
    let dry = desk.json(&["import", "customers", &customers, "--dry-run"]);
    assert_eq!(
        (&dry["created"], &dry["rejected"]),
        (&1.into(), &1.into()),
        "{dry}"
    );
    assert_eq!(desk.json(&["customer", "list"]), serde_json::json!([]));
    let counts = |mut report: serde_json::Value| {
        report["dry_run"].take();
        report
    };
    let done = desk.json(&["import", "customers", &customers]);
    assert_eq!(counts(done), counts(dry));
    let messages = desk.write(
        "messages.csv",
        "customer_id,timestamp,message\n1,2025-07-08,x\n9,2025-07-08,x\n",
    );
    let dry = desk.json(&["import", "activities", &messages, "--dry-run"]);
    let done = desk.json(&["import", "activities", &messages]);
    assert_eq!(counts(done), counts(dry));
    let left = std::fs::read_dir(desk.path("data")).unwrap();
    assert!(left.flatten().all(|entry| !entry.path().is_dir()));
}
