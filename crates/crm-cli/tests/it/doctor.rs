use serde_json::Value;

use crate::desk::Desk;

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";

fn checks(desk: &Desk) -> (i32, Vec<Value>) {
    let ran = desk.run(&["doctor", "--format", "json"]);
    let checks: Value = serde_json::from_str(&ran.out).unwrap();
    (ran.code, checks.as_array().unwrap().clone())
}

fn of<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    checks.iter().find(|check| check["check"] == name).unwrap()
}

#[test]
fn a_new_installation_without_line_works_has_no_failure_once_migrated() {
    let desk = Desk::new();
    let (code, before) = checks(&desk);
    assert_eq!((code, &of(&before, "database")["state"]), (1, &"failed".into()));
    assert!(!desk.path("data").exists());
    desk.run(&["migrate"]);
    let (code, after) = checks(&desk);
    assert_eq!(code, 0, "{after:?}");
    assert_eq!(of(&after, "token")["state"], "skipped");
    assert_eq!(of(&after, "last_received")["state"], "warning");
}

#[test]
fn a_damaged_key_and_missing_settings_are_said_with_what_to_do() {
    let desk = Desk::new()
        .with("LINE_WORKS_BOT_ID", "2000001")
        .with("LINE_WORKS_PRIVATE_KEY", PEM);
    let (code, found) = checks(&desk);
    let wrong = found
        .iter()
        .filter(|check| check["check"] == "settings" && check["state"] == "failed")
        .count();
    assert_eq!((code, wrong), (1, 4), "{found:?}");
    let desk = desk
        .with("LINE_WORKS_BOT_SECRET", "secret")
        .with("LINE_WORKS_CLIENT_ID", "client")
        .with("LINE_WORKS_CLIENT_SECRET", "secret")
        .with("LINE_WORKS_SERVICE_ACCOUNT", "a.serviceaccount@example");
    let (code, found) = checks(&desk);
    assert_eq!((code, &of(&found, "private_key")["state"]), (1, &"failed".into()));
    assert!(
        of(&found, "private_key")["advice"]
            .as_str()
            .unwrap()
            .contains("Developer Console")
    );
}
