//! `crm restore` onto a database server, interrupted.

use std::time::Duration;

use crm_testkit::postgres::TestDatabase;

use crate::databases::office;
use crate::desk::Desk;

const KEY: &str = "a-secret-key-of-the-tests-0123456789abcdef";

fn is_marked(database: &TestDatabase) -> bool {
    database
        .sql("SELECT to_regclass('unfinished_copy') IS NOT NULL")
        .trim()
        == "t"
}

/// A backup of an office with so many messages.
fn backup(messages: u32) -> (Desk, String) {
    let old = Desk::new().with("CRM_SECRET_KEY", KEY);
    office(&old, messages);
    let file = old.path("backup").display().to_string();
    let ran = old.run(&["backup", &file]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    (old, file)
}

#[test]
fn killed_at_any_point_the_same_restore_goes_on_and_ends_with_everything() {
    let (_old, file) = backup(30_000);
    let database = TestDatabase::empty();
    let desk = Desk::new()
        .with("CRM_DATABASE_URL", &database.url)
        .with("CRM_SECRET_KEY", KEY);
    let (mut refused, mut ended) = (0, false);
    for (once_marked, wait) in [(false, 200), (true, 10), (true, 300), (true, 900)] {
        let mut running = desk.start(&["restore", &file]);
        for _ in 0..4_000 {
            if !once_marked || is_marked(&database) || running.0.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(wait));
        ended = running.0.try_wait().unwrap().is_some();
        if ended {
            break;
        }
        drop(running);
        if is_marked(&database) {
            let other = desk.run(&["customer", "list"]);
            assert_eq!(other.code, 1, "what is not finished is no store: {}", other.out);
            assert!(other.err.contains("not finished"), "{}", other.err);
            refused += 1;
        }
    }
    assert!(refused > 0);
    // On a fast machine the last one came to its end by itself.
    if !ended {
        let ran = desk.run(&["restore", &file]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
    let told = "SELECT count(*), count(DISTINCT message) FROM activities";
    assert_eq!(database.sql(told).trim(), "30000|30000");
    assert!(!is_marked(&database) && !desk.path("data/restoring").exists());
    assert_eq!(desk.json(&["customer", "list"])[0]["last_name"], "渡邉");
    assert_eq!(desk.json(&["jobs", "status"])["cause"], "restored");
    assert_eq!(desk.run(&["audit", "verify"]).code, 0);
    let again = desk.run(&["restore", &file]);
    assert!(
        again.code == 1 && again.err.contains("not_empty"),
        "{}",
        again.err
    );
}

#[test]
fn the_old_settings_lead_to_the_new_database() {
    let words = "correct horse battery staple";
    let old = Desk::new().with("CRM_BACKUP_PASSPHRASE", words);
    office(&old, 1);
    let file = old.path("backup").display().to_string();
    assert_eq!(old.run(&["backup", &file]).code, 0);
    let database = TestDatabase::empty();
    let desk = Desk::new()
        .with("CRM_DATABASE_URL", &database.url)
        .with("CRM_SECRET_KEY", KEY)
        .with("CRM_BACKUP_PASSPHRASE", words);
    let ran = desk.run(&["restore", &file]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let settings = std::fs::read_to_string(desk.path("data/restored.env")).unwrap();
    assert!(
        settings.contains(&database.url) && settings.contains(KEY),
        "{settings}"
    );
    assert_eq!(settings.matches("\nCRM_SECRET_KEY=").count(), 1, "{settings}");
}

#[test]
fn an_unfinished_restore_is_not_mixed_with_another_backup() {
    let (_old, file) = backup(20_000);
    let (_other, another) = backup(10);
    let database = TestDatabase::empty();
    let desk = Desk::new()
        .with("CRM_DATABASE_URL", &database.url)
        .with("CRM_SECRET_KEY", KEY);
    let mut running = desk.start(&["restore", &file]);
    while !is_marked(&database) {
        assert!(running.0.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(running);
    let ran = desk.run(&["restore", &another]);
    assert!(
        ran.code == 1 && ran.err.contains("[restore_other]"),
        "{}",
        ran.err
    );
    assert!(is_marked(&database), "nothing was released: {}", ran.err);
    // A run that does not get as far takes nothing away either.
    let ran = desk.run(&["restore", &desk.write("no-backup", "x")]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    database.shut();
    let ran = desk.run(&["restore", &file]);
    assert!(ran.code == 1 && ran.err.contains("[restore_copy]"), "{}", ran.err);
    TestDatabase::open_again(database.name());
    let ran = desk.run(&["restore", &file]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("activities"),
        "it says how far it is: {}",
        ran.err
    );
    assert_eq!(database.sql("SELECT count(*) FROM activities").trim(), "20000");
}
