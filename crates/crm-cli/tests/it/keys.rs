//! `crm key`.

use std::fs;

use crate::desk::Desk;

#[test]
fn keys_are_shown_and_rotated() {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "鍵商事"]);
    let before = desk.json(&["key", "status"]);
    assert_eq!(before["fits"], true);
    assert_eq!(before["fingerprint"].as_str().unwrap().len(), 32);
    assert_eq!(before["keys"].as_array().unwrap().len(), 1);
    assert_eq!(before["keys"][0]["values"], 1, "the key of the audit log");

    let rotated = desk.json(&["key", "rotate"]);
    assert_eq!(rotated["fresh"], true);
    assert_eq!(rotated["values"], 1);
    assert_eq!(rotated["forgotten"][0], before["keys"][0]["id"]);
    let after = desk.json(&["key", "status"]);
    assert_eq!(after["fingerprint"], before["fingerprint"]);
    assert_eq!(after["keys"].as_array().unwrap().len(), 1);
    assert_ne!(after["keys"][0]["id"], before["keys"][0]["id"]);

    let shown = desk.run(&["key", "status"]);
    assert!(
        shown.out.contains("秘密鍵の指紋: ") && shown.out.contains("交替"),
        "{}",
        shown.out
    );
    let said = desk.run(&["key", "rotate"]);
    assert!(said.out.contains("新しいデータ鍵を作り"), "{}", said.out);
}

#[test]
fn a_lost_or_other_key_is_told_and_nothing_is_made() {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "鍵商事"]);
    let file = desk.path("data/secret.key");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let refused = desk.run(&["key", "rotate"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("新しい鍵は作りません") && refused.err.contains("[secret_key_lost]"),
        "{}",
        refused.err
    );
    assert!(!file.exists());
    let doctor = desk.run(&["doctor"]);
    assert!(
        doctor.out.contains("暗号化の鍵") && doctor.out.contains("secret.key がありません"),
        "{}",
        doctor.out
    );
    assert!(!file.exists());
    assert_eq!(desk.json(&["key", "status"])["fits"], false);
    assert_eq!(
        desk.json(&["company", "list"])[0]["name"],
        "鍵商事",
        "what is not sealed is there"
    );

    let other = desk.with("CRM_SECRET_KEY", "another key of thirty-two bytes or more");
    let refused = other.run(&["key", "rotate"]);
    assert!(refused.err.contains("CRM_SECRET_KEY_PREVIOUS"), "{}", refused.err);
    let listed = other.with("CRM_SECRET_KEY_PREVIOUS", key.trim());
    assert_eq!(listed.json(&["key", "status"])["fits"], true);
    assert_eq!(listed.json(&["key", "rotate"])["broken"], 0);
}
