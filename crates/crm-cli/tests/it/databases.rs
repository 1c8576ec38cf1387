//! `crm db copy`.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;

use crate::desk::Desk;

fn number(file: &Path, query: &str) -> i64 {
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    sql::<BigInt>(query).get_result(&mut conn).unwrap_or(-1)
}

/// An office with so many messages of one customer.
pub(crate) fn office(desk: &Desk, messages: u32) {
    desk.json(&[
        "user",
        "add",
        "--email",
        "a@example.jp",
        "--name",
        "管理者",
        "--role",
        "admin",
    ]);
    desk.customer("渡邉", &["--first-name", "花子"]);
    let mut conn = SqliteConnection::establish(desk.database().to_str().unwrap()).unwrap();
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {messages})
         INSERT INTO activities (customer_id, message, timestamp)
         SELECT 1, 'お世話になっております。' || n, '2025-07-08 02:45:46.446' FROM n"
    ))
    .unwrap();
}

#[test]
fn a_mistyped_path_becomes_no_database() {
    let desk = Desk::new();
    let nowhere = desk.path("nope");
    let url = format!("sqlite://{}", nowhere.join("deep/crm.db").display());
    let desk = desk.with("CRM_DATABASE_URL", &url);
    let ran = desk.run(&["migrate"]);
    assert!(ran.code == 1 && ran.err.contains("[folder]"), "{}", ran.err);
    assert!(ran.err.contains("nope") && !nowhere.exists(), "{}", ran.err);
}

#[test]
fn what_is_left_of_a_database_is_not_thrown_away() {
    let desk = Desk::new();
    office(&desk, 1);
    // One that works holds the last changes in the log.
    let mut working = SqliteConnection::establish(desk.database().to_str().unwrap()).unwrap();
    working
        .batch_execute("PRAGMA wal_autocheckpoint = 0; UPDATE customers SET last_name = '最後'")
        .unwrap();
    let (away, log) = (desk.path("data/away.db"), desk.path("data/crm.db-wal"));
    let kept = std::fs::read(&log).unwrap();
    assert!(!kept.is_empty());
    std::fs::rename(desk.database(), &away).unwrap();
    let target = format!("sqlite://{}", desk.database().display());
    let elsewhere = format!("sqlite://{}", away.display());
    for command in [
        vec!["migrate"],
        vec!["migrate", "--dry-run"],
        vec!["customer", "list"],
        vec!["key", "status"],
        vec!["db", "copy", &elsewhere, &target],
    ] {
        let refused = desk.run(&command);
        assert_eq!(refused.code, 1, "{}", refused.out);
        let told = refused.err.contains("crm.db-wal") && refused.err.contains("[database_missing]");
        assert!(told, "{}", refused.err);
        assert!(!desk.database().exists() && std::fs::read(&log).unwrap() == kept);
    }
    let doctor = desk.run(&["doctor"]);
    assert!(
        doctor.out.contains("crm.db-wal") && !doctor.out.contains("crm migrate で作成"),
        "{}",
        doctor.out
    );
    std::fs::rename(&away, desk.database()).unwrap();
    assert_eq!(desk.json(&["customer", "list"])[0]["last_name"], "最後");
    drop(working);
}

#[test]
fn a_database_is_copied_and_proved_and_not_a_second_time() {
    let desk = Desk::new();
    office(&desk, 1_000);
    let args = ["db", "copy", "sqlite://data/crm.db", "sqlite://new/crm.db"];
    let copied = desk.json(&args);
    assert_eq!(
        (copied["finished"].as_bool(), copied["given_up"].as_u64()),
        (Some(true), Some(0))
    );
    let tables = copied["tables"].as_array().unwrap();
    let activities = tables
        .iter()
        .find(|table| table["table"] == "activities")
        .unwrap();
    assert_eq!(
        (
            activities["source_rows"].as_u64(),
            activities["target_rows"].as_u64()
        ),
        (Some(1_000), Some(1_000))
    );
    assert!(activities["source_sha256"].as_str().unwrap().len() == 64 && activities["equal"] == true);
    assert!(tables.iter().all(|table| table["table"] != "sessions"));
    assert_eq!(
        number(&desk.path("new/crm.db"), "SELECT count(*) FROM activities"),
        1_000
    );

    let again = desk.run(&args);
    assert_eq!(again.code, 1);
    assert!(
        again.err.contains("空ではありません") && again.err.ends_with("[copy_not_empty]\n"),
        "{}",
        again.err
    );
    let onto_itself = desk.run(&[
        "db",
        "copy",
        "sqlite://data/crm.db",
        "sqlite://data/../data/crm.db",
    ]);
    assert!(
        onto_itself.code == 1 && onto_itself.err.contains("[copy_same]"),
        "{}",
        onto_itself.err
    );
}

#[test]
fn a_table_for_people_names_every_table_and_says_what_comes_next() {
    let desk = Desk::new();
    office(&desk, 2_000);
    let copied = desk.run(&["db", "copy", "sqlite://data/crm.db", "sqlite://new/crm.db"]);
    assert_eq!(copied.code, 0, "{}", copied.err);
    assert!(
        copied.out.contains("activities") && copied.out.contains("CRM_SECRET_KEY"),
        "{}",
        copied.out
    );
    assert!(
        copied.err.contains("activities をコピーしています"),
        "{}",
        copied.err
    );
    assert!(
        copied.err.lines().count() < 20,
        "small tables are no news: {}",
        copied.err
    );
    let nowhere = desk.run(&["db", "copy", "sqlite://data/nowhere.db", "sqlite://other/crm.db"]);
    assert!(
        nowhere.code == 1 && nowhere.err.contains("[copy_source_missing]"),
        "{}",
        nowhere.err
    );
}

#[test]
fn killed_at_any_point_the_same_command_goes_on() {
    let desk = Desk::new();
    office(&desk, 60_000);
    let args = ["db", "copy", "sqlite://data/crm.db", "sqlite://new/crm.db"];
    let target = desk.path("new/crm.db");
    let mut kills = 0;
    for wait in [40, 120, 250, 400, 600] {
        let mut running = desk.start(&args);
        // From the moment at which the target is marked.
        for _ in 0..400 {
            let marked = target.exists()
                && number(
                    &target,
                    "SELECT count(*) FROM sqlite_master WHERE name = 'unfinished_copy'",
                ) == 1;
            if marked || running.0.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(wait));
        if running.0.try_wait().unwrap().is_some() {
            break;
        }
        drop(running);
        kills += 1;
        let other = desk.run(&["db", "copy", "sqlite://new/crm.db", "sqlite://third/crm.db"]);
        assert_ne!(other.code, 0, "what is not finished is copied nowhere");
    }
    assert!(kills > 0);
    let copied = desk.run(&args);
    assert!(
        copied.code == 0 || copied.err.contains("copy_not_empty"),
        "{}{}",
        copied.out,
        copied.err
    );
    assert_eq!(number(&target, "SELECT count(*) FROM activities"), 60_000);
    assert_eq!(
        number(
            &target,
            "SELECT count(*) FROM sqlite_master WHERE name = 'unfinished_copy'"
        ),
        0
    );
    assert_eq!(number(&target, "SELECT count(*) FROM paused"), 1);
    let indexes = "SELECT count(*) FROM sqlite_master WHERE type IN ('index', 'trigger')";
    assert_eq!(number(&target, indexes), number(&desk.database(), indexes));
}

#[test]
fn an_unfinished_copy_is_no_database_to_work_with() {
    let desk = Desk::new();
    office(&desk, 3);
    let mut conn = SqliteConnection::establish(desk.database().to_str().unwrap()).unwrap();
    conn.batch_execute("CREATE TABLE unfinished_copy (kind TEXT, name TEXT)")
        .unwrap();
    let refused = desk.run(&["customer", "list"]);
    assert!(
        refused.code == 1 && refused.err.contains("not finished"),
        "{}",
        refused.err
    );
}

#[test]
fn addresses_come_from_files_and_no_password_is_shown() {
    let desk = Desk::new();
    office(&desk, 3);
    let secret = desk.write("target", "postgres://crm:himitsu-no-kotoba@127.0.0.1:1/crm\n");
    let unreachable = desk.run(&["db", "copy", "sqlite://data/crm.db", &format!("@{secret}")]);
    assert_eq!(unreachable.code, 1);
    assert!(unreachable.err.contains("127.0.0.1:1"), "{}", unreachable.err);
    assert!(!unreachable.err.contains("himitsu") && !unreachable.out.contains("himitsu"));
    let piped = desk.run_with_input(
        &["db", "copy", "-", "sqlite://new/crm.db"],
        "sqlite://data/crm.db\n",
    );
    assert_eq!(piped.code, 0, "{}", piped.err);
    for (args, code) in [
        (["-", "-"], "copy_two_inputs"),
        (["data/crm.db", "sqlite://x.db"], "copy_address"),
        (["mysql://u:himitsu@h/d", "sqlite://x.db"], "copy_address"),
    ] {
        let misused = desk.run(&["db", "copy", args[0], args[1]]);
        assert!(misused.code == 2 && misused.err.contains(code), "{}", misused.err);
        assert!(!misused.err.contains("himitsu"), "{}", misused.err);
    }
    let absent = desk.run(&["db", "copy", "sqlite://nowhere/crm.db", "sqlite://x/crm.db"]);
    assert!(
        absent.code == 1 && absent.err.contains("[copy_source_missing]"),
        "{}",
        absent.err
    );
    assert!(!desk.path("x/crm.db").exists() && !desk.path("nowhere").exists());
}
