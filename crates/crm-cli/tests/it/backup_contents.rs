//! What is in a backup, what is not, and what is said of that.

use crm_bench::shim::{DiskError, Shim};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::databases::office;
use crate::desk::Desk;
use crate::restoring::receive_files;

const WORDS: &str = "correct horse battery staple";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\\nMIIBVgIBADANBgkqhkiG\\n-----END PRIVATE KEY-----";

#[test]
fn what_a_backup_lacks_is_told() {
    let desk = Desk::new();
    office(&desk, 1);
    receive_files(&desk);
    let taken = desk.json(&["backup", "whole"]);
    assert_eq!(taken["missing_files"], 0);
    std::fs::rename(desk.path("data/files"), desk.path("elsewhere")).unwrap();
    let ran = desk.run(&["backup", "less"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("3件は、見つからないか壊れている"), "{}", ran.out);
    assert_eq!(desk.json(&["backup", "again"])["missing_files"], 3);
}

#[test]
fn the_copy_before_an_update_has_the_settings_and_both_keys() {
    let desk = Desk::new()
        .with("CRM_BACKUP_PASSPHRASE", WORDS)
        .with("LINE_WORKS_CLIENT_SECRET", "hush-hush")
        .with("LINE_WORKS_PRIVATE_KEY", PEM);
    office(&desk, 1);
    let mut conn = SqliteConnection::establish(desk.database().to_str().unwrap()).unwrap();
    conn.batch_execute(
        "DELETE FROM __diesel_schema_migrations WHERE version =
             (SELECT max(version) FROM __diesel_schema_migrations)",
    )
    .unwrap();
    // Its migration was applied already, so applying it again fails; the copy stays.
    assert_eq!(desk.run(&["migrate"]).code, 1);
    let copy = std::fs::read_dir(desk.path("data/backups"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(copy.path().extension().unwrap(), "age");
    let copy = copy.path().display().to_string();
    desk.json(&["restore", &copy, "--settings", "copy.env"]);
    let text = std::fs::read_to_string(desk.path("copy.env")).unwrap();
    let key = std::fs::read_to_string(desk.path("data/secret.key")).unwrap();
    for secret in ["hush-hush", "MIIBVgIBADANBgkqhkiG", key.trim()] {
        assert!(text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn a_private_key_that_cannot_go_along_is_told() {
    let desk = Desk::new()
        .with("CRM_BACKUP_PASSPHRASE", WORDS)
        .with("LINE_WORKS_PRIVATE_KEY_FILE", "nowhere");
    desk.customer("山田", &[]);
    let ran = desk.run(&["backup", "sealed"]);
    assert!(
        ran.code == 0 && ran.out.contains("LINE_WORKS_PRIVATE_KEY_FILE"),
        "{}",
        ran.out
    );
    let ran = desk.run(&["backup", "open", "--unencrypted"]);
    assert!(
        ran.code == 0 && !ran.out.contains("LINE_WORKS_PRIVATE_KEY_FILE"),
        "{}",
        ran.out
    );
}

#[test]
fn a_disk_too_full_to_look_through_a_backup_is_not_called_a_broken_backup() {
    let tools = tempfile::tempdir().unwrap();
    let shim = Shim::build(tools.path()).unwrap();
    let desk = Desk::new()
        .with("CRM_BACKUP_PASSPHRASE", WORDS)
        .with_all(shim.silent_environment());
    desk.customer("山田", &[]);
    desk.json(&["backup", "sealed"]);
    desk.json(&["backup", "open", "--unencrypted"]);
    shim.fail_writing("unpacked.db", DiskError::Full).unwrap();
    let here = desk.path("").display().to_string();
    for (file, place) in [("sealed", "data"), ("open", here.trim_end_matches('/'))] {
        let ran = desk.run(&["verify", file]);
        assert!(ran.code == 1 && ran.err.contains("[verify_full]"), "{}", ran.err);
        assert!(!ran.err.contains("書き込めませんでした"), "{}", ran.err);
        assert!(
            ran.err.contains(&format!("{place} の空きが足りない")),
            "{}",
            ran.err
        );
    }
    shim.fail_writing("unpacked.db", DiskError::Broken).unwrap();
    let ran = desk.run(&["verify", "open"]);
    assert!(ran.code == 1 && ran.err.contains("[verify]"), "{}", ran.err);
    shim.heal_disk().unwrap();
    assert_eq!(desk.run(&["verify", "sealed"]).code, 0);
}
