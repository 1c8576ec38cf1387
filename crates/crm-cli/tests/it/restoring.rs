//! `crm restore`, interrupted.

use std::time::Duration;

use crm_testkit::postgres::TestDatabase;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::json;

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
            assert!(other.err.contains("[store_unavailable]"), "{}", other.err);
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

/// Contents of received files, and their hashes.
const FILES: [(&str, &str); 3] = [
    (
        "file 1",
        "83bf7fcd913e81d35f0d0e94ed1ec0611e8e3b4909c23b00ef9f076f205e67c6",
    ),
    (
        "file 2",
        "fe7f1034d4a63dde9192739732fb553a720788f422c5723ec7ca1c683280837e",
    ),
    (
        "file 3",
        "fb42102e0aac5286c9f0ba0c59cb5b2997d45867ee74c04ec499b2f0c632d8a5",
    ),
];

/// Gives an office some files, as versions before contents were sealed kept them.
pub(crate) fn receive_files(desk: &Desk) {
    let mut conn = SqliteConnection::establish(desk.database().to_str().unwrap()).unwrap();
    for (number, (text, hash)) in FILES.iter().enumerate() {
        let id = number + 1;
        conn.batch_execute(&format!(
            "INSERT INTO receipts (id, bot, issued, digest, body, received_at, state, settled_at) VALUES
                 ({id}, '1', '', x'0{id}', '{{}}', '2025-07-08 02:45:46.446', 'recorded', '2025-07-08 02:45:46.446');
             INSERT INTO attachments (receipt_id, bot, file_id, kind, state, size, sha256, added_at) VALUES
                 ({id}, '1', 'f{id}', 'file', 'stored', 6, '{hash}', '2025-07-08 02:45:46.446')"
        ))
        .unwrap();
        let folder = desk.path("data/files").join(&hash[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&hash[2..]), text).unwrap();
    }
}

/// Whether all of the store is there, and nothing besides.
fn is_whole(desk: &Desk, key: &str) {
    assert_eq!(desk.json(&["customer", "list"])[0]["last_name"], "渡邉");
    assert_eq!(desk.run(&["audit", "verify"]).code, 0);
    assert_eq!(desk.json(&["jobs", "status"])["cause"], "restored");
    let text = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    assert_eq!(text("data/secret.key"), key);
    assert!(text("data/restored.env").contains("CRM_FIRM_NAME='山田商会'\n"));
    let again = desk.path("again").display().to_string();
    assert_eq!(desk.run(&["backup", &again]).code, 0);
    let manifest = &desk.json(&["verify", &again])["manifest"];
    assert_eq!(
        (&manifest["files"], &manifest["missing_files"]),
        (&json!(3), &json!([]))
    );
    assert_eq!(manifest["counts"]["activities"], 3_000);
    let mut names: Vec<_> = std::fs::read_dir(desk.path("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("crm.db"))
        .collect();
    names.sort();
    assert_eq!(names, ["files", "restored.env", "secret.key"]);
}

#[test]
fn onto_a_file_killed_at_any_point_and_run_wrongly_in_between_it_ends_with_everything() {
    let words = "correct horse battery staple";
    let old = Desk::new()
        .with("CRM_FIRM_NAME", "山田商会")
        .with("CRM_BACKUP_PASSPHRASE", words);
    office(&old, 3_000);
    receive_files(&old);
    let file = old.path("backup").display().to_string();
    assert_eq!(old.run(&["backup", &file]).code, 0);
    let key = std::fs::read_to_string(old.path("data/secret.key")).unwrap();
    let new = || Desk::new().with("CRM_BACKUP_PASSPHRASE", words);
    let begun = std::time::Instant::now();
    assert_eq!(new().run(&["restore", &file]).code, 0);
    let whole = begun.elapsed();
    let mut killed = 0;
    let mut chance = 7_u32;
    for _ in 0..5 {
        let desk = new();
        for _ in 0..3 {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut running = desk.start(&["restore", &file]);
            // More of them towards the end, where things are put in place.
            std::thread::sleep(whole.mul_f64((f64::from(chance >> 16) / 65_536.0).sqrt()));
            killed += u32::from(running.0.try_wait().unwrap().is_none());
            drop(running);
            if desk.database().exists() {
                break;
            }
            let wrong = desk.write("words", "another passphrase");
            let ran = desk.run(&["restore", &file, "--passphrase-file", &wrong]);
            assert!(ran.err.contains("[backup_passphrase]"), "{}", ran.err);
        }
        if !desk.database().exists() {
            let ran = desk.run(&["restore", &file]);
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
        is_whole(&desk, &key);
    }
    assert!(killed > 0);
}
