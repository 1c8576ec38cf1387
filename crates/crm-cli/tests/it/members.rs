//! Login ids, and what the doctor says of the member directory, against the simulator.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::desk::{Desk, Running};

const USER: &str = "00000000-0000-4000-8000-000000000001";

/// An installation, its simulator, and the simulator's address.
fn scene() -> (Desk, Running, String) {
    let desk = Desk::new();
    let file = desk.path(".env");
    let path = file.to_str().unwrap();
    let mut running = desk.start(&["dev", "line-works", "--listen", "127.0.0.1:0", "--env-file", path]);
    running.wait_for(&file);
    let settings = std::fs::read_to_string(&file).unwrap();
    let address = settings
        .split("LINE_WORKS_API_URL=")
        .nth(1)
        .and_then(|rest| rest.split("http://").nth(1))
        .and_then(|rest| rest.split('/').next())
        .unwrap();
    (desk, running, address.to_owned())
}

fn tell(address: &str, method: &str, path: &str, body: &Value) {
    let body = body.to_string();
    let mut line = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    line.write_all(head.as_bytes()).unwrap();
    line.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[test]
fn a_login_id_is_linked_as_the_user_id() {
    let (desk, _simulator, address) = scene();
    let member = json!({"userId": USER, "email": "hanako@sim.example", "lastName": "山田"});
    tell(&address, "POST", "/sim/members", &member);
    let id = desk.customer("山田", &[]);
    let linked = desk.json(&["customer", "link", &id, "hanako@sim.example"]);
    assert_eq!(linked["line_user_id"], USER);
    let added = desk.json(&[
        "customer",
        "add",
        "--last-name",
        "鈴木",
        "--line-user-id",
        "hanako@sim.example",
    ]);
    assert_eq!(added["line_user_id"], USER);
    let ran = desk.run(&["customer", "link", &id, "nobody@sim.example"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("このログインIDのメンバーはLINE WORKSにいません"),
        "{}",
        ran.err
    );
    assert_eq!(desk.json(&["customer", "show", &id])["line_user_id"], USER);
    let alone = Desk::new();
    let id = alone.customer("山田", &[]);
    let ran = alone.run(&["customer", "link", &id, "hanako@sim.example"]);
    assert!(
        ran.code == 1 && ran.err.contains("LINE WORKSが設定されていない"),
        "{}",
        ran.err
    );
}

#[test]
fn the_doctor_says_which_scope_to_tick() {
    let (desk, _simulator, address) = scene();
    desk.run(&["migrate"]);
    let checks = || {
        let ran = desk.run(&["doctor", "--format", "json"]);
        let checks: Value = serde_json::from_str(&ran.out).unwrap();
        let of = |name: &str| {
            let mut all = checks.as_array().unwrap().iter();
            all.find(|check| check["check"] == name).unwrap().clone()
        };
        (of("names"), of("member_list"), of("token"))
    };
    let (names, list, _) = checks();
    assert_eq!((&names["state"], &list["state"]), (&"ok".into(), &"ok".into()));
    for (scopes, names_state, list_state) in [
        (vec!["bot", "user.profile.read"], "ok", "warning"),
        (vec!["bot"], "warning", "warning"),
    ] {
        tell(&address, "PUT", "/sim/scopes", &json!({"scopes": scopes}));
        let (names, list, token) = checks();
        assert_eq!(
            (&names["state"], &list["state"]),
            (&names_state.into(), &list_state.into())
        );
        assert_eq!(token["state"], "ok", "sending is another matter");
        assert!(
            list["advice"]
                .as_str()
                .unwrap()
                .contains("「user.read」にチェックを入れて")
        );
        let advice = names["advice"].as_str().unwrap();
        assert_eq!(
            advice.contains("「user.profile.read」にチェックを入れて"),
            names_state == "warning"
        );
    }
}

#[test]
fn an_import_takes_login_ids_as_they_are_and_says_so() {
    let desk = Desk::new();
    let file = desk.write(
        "customers.csv",
        "last_name,line_user_id\n山田,hanako@sim.example\n鈴木,00000000-0000-4000-8000-000000000002\n",
    );
    let done = desk.json(&["import", "customers", &file]);
    assert_eq!((&done["created"], &done["rejected"]), (&2.into(), &0.into()));
    assert_eq!(done["warnings"][0]["line"], 2, "{done}");
    assert_eq!(done["warnings"].as_array().unwrap().len(), 1);
    let list = desk.json(&["customer", "list", "--query", "hanako@sim"]);
    assert_eq!(list[0]["line_user_id"], "hanako@sim.example");
    let told = desk.run(&["import", "customers", &file]);
    assert!(!told.out.contains("警告"), "nothing new is taken: {}", told.out);
}
