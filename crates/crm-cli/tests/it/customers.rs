use serde_json::Value;

use crate::desk::Desk;

const USER: &str = "00000000-0000-4000-8000-000000000001";

#[test]
fn a_customer_lives_through_its_commands() {
    let desk = Desk::new();
    let id = desk.customer("山田", &["--first-name", "花子", "--email", "hanako@example.jp"]);
    let shown = desk.json(&["customer", "show", &id]);
    for field in [
        "id",
        "first_name",
        "last_name",
        "email",
        "phone",
        "line_user_id",
        "company_id",
    ] {
        assert!(shown.get(field).is_some(), "{field}");
    }
    assert_eq!(
        (&shown["last_name"], &shown["phone"]),
        (&"山田".into(), &Value::Null)
    );
    assert_eq!(
        desk.json(&["customer", "edit", &id, "--phone", "090-0000-1111"])["email"],
        "hanako@example.jp"
    );
    let owner = [
        "--email",
        "sato@example.jp",
        "--name",
        "佐藤 健",
        "--role",
        "member",
    ];
    desk.json(&[["user", "add"].as_slice(), &owner].concat());
    let owner_after =
        |given: &str| desk.json(&["customer", "edit", &id, "--owner", given])["owner_name"].clone();
    assert_eq!(owner_after("sato@example.jp"), "佐藤 健");
    assert_eq!(owner_after("none"), Value::Null);
    let linked = desk.json(&["customer", "link", &id, USER]);
    assert_eq!(linked["link_status"], "unconfirmed");
    for query in ["山", "HANAKO@", "0900000", "00000000-0000"] {
        assert_eq!(
            desk.json(&["customer", "list", "--query", query])[0]["id"].to_string(),
            id,
            "{query}"
        );
    }
    assert_eq!(
        desk.json(&["customer", "list", "--query", "田中"]),
        serde_json::json!([])
    );
    assert_eq!(
        desk.json(&["customer", "unlink", &id])["line_user_id"],
        Value::Null
    );
    assert_eq!(desk.run(&["customer", "delete", &id]).code, 0);
    assert_eq!(desk.run(&["customer", "show", &id]).code, 1);
}

#[test]
fn lists_are_ordered_and_go_on_where_they_were_cut() {
    let desk = Desk::new();
    for (name, reading) in [("渡辺", "ワタナベ"), ("青木", "アオキ"), ("田中", "タナカ")] {
        desk.customer(name, &["--last-name-kana", reading]);
    }
    let names = |args: &[&str]| -> Vec<String> {
        let list = desk.json(args);
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row["last_name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&["customer", "list", "--limit", "1000000"]),
        ["青木", "田中", "渡辺"]
    );
    let cut = desk.run(&["customer", "list", "--limit", "2"]);
    assert!(
        cut.out.contains("青木") && !cut.out.contains("渡辺"),
        "{}",
        cut.out
    );
    let cursor = cut.err.split_whitespace().last().unwrap();
    assert_eq!(names(&["customer", "list", "--after", cursor]), ["渡辺"]);
}

#[test]
fn tables_do_not_let_data_steer_the_terminal() {
    let desk = Desk::new();
    desk.run(&["customer", "add", "--last-name", "山田", "--remarks", "a"]);
    let table = desk.run(&["customer", "list"]).out;
    assert!(table.contains("山田") && table.contains("姓名"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
}
