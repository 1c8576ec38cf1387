//! An update as an administrator lives it: tried first, copied before, refused when it cannot be.

use std::path::{Path, PathBuf};

use crm_bench::shim::{DiskError, Shim};
use crm_testkit::postgres::TestDatabase;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use crate::desk::{Desk, Ran};

/// Statements on a file with the same SQLite, since another program's may not know what ours wrote.
fn run_sql(file: &Path, statements: &str) {
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute(statements).unwrap();
}

/// An installation whose database lacks the newest migration, which another program's table stands in the way of.
fn behind() -> (Desk, PathBuf, String) {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "山田商店"]);
    let file = desk.database();
    let all = desk.json(&["migrate", "--status"]);
    let newest = all.as_array().unwrap().last().unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let version = newest.split('_').next().unwrap();
    run_sql(
        &file,
        &format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"),
    );
    (desk, file, newest)
}

#[test]
fn a_migration_that_fails_leaves_everything_and_says_what_to_do() {
    // Its migration was applied already, so applying it again fails.
    let (desk, file, newest) = behind();
    let before = std::fs::read(&file).unwrap();
    let tried = desk.run(&["migrate", "--dry-run"]);
    assert_eq!(tried.code, 1, "{}", tried.out);
    assert!(
        tried.err.contains(&newest) && tried.err.contains("元のまま"),
        "{}",
        tried.err
    );
    let ran = desk.run(&["migrate"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.trim_end().ends_with("[migration_failed]"), "{}", ran.err);
    assert!(ran.err.contains("before-"), "the copy is named: {}", ran.err);
    assert_eq!(std::fs::read(&file).unwrap(), before, "the database is as it was");
    // Whatever watches over a server starts it again and again.
    for _ in 0..3 {
        let again = desk.run(&["migrate"]);
        assert!(again.err.contains("before-"), "the copy is named: {}", again.err);
    }
    assert_eq!(copies(&desk).len(), 1);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    // The former version goes on; what it writes is in the copy of the next try.
    run_sql(
        &file,
        "INSERT INTO events (kind, at) VALUES ('company', '2025-07-08 02:45:46.446')",
    );
    let again = desk.run(&["migrate"]);
    assert!(again.err.contains("before-"), "{}", again.err);
    assert_eq!(copies(&desk).len(), 2);
}

fn copies(desk: &Desk) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(desk.path("data/backups")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Another installation, put back from the one copy there is.
fn restored(desk: &Desk) -> Desk {
    let copies = copies(desk);
    let [copy] = copies.as_slice() else {
        panic!("{copies:?}")
    };
    let file = copy.to_str().unwrap();
    desk.json(&["verify", file]);
    let other = Desk::new();
    let ran = other.run(&["restore", file]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    other
}

#[test]
fn without_a_copy_before_nothing_is_updated() {
    let (desk, file, _) = behind();
    let tools = tempfile::tempdir().unwrap();
    let shim = Shim::build(tools.path()).unwrap();
    let desk = desk.with_all(shim.silent_environment());
    let before = std::fs::read(&file).unwrap();
    let refused = |ran: &Ran| {
        assert!(
            ran.code == 1 && ran.err.trim_end().ends_with("[copy_failed]"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("CRM_BACKUP_DIR"), "{}", ran.err);
        assert!(
            std::fs::read(&file).unwrap() == before,
            "the database is as it was"
        );
    };
    // The disk is full at once, and when the database was copied and is being packed.
    for files in ["/backups/", "/archive"] {
        shim.fail_writing(files, DiskError::Full).unwrap();
        refused(&desk.run(&["migrate"]));
        assert_eq!(copies(&desk).len(), 0, "{files}");
    }
    shim.heal_disk().unwrap();
    // Where the folder should be there is something else.
    std::fs::remove_dir(desk.path("data/backups")).unwrap();
    std::fs::write(desk.path("data/backups"), "").unwrap();
    refused(&desk.run(&["migrate"]));
    assert_eq!(std::fs::read(desk.path("data/backups")).unwrap(), b"");
}

/// Brings a database server back to the schema before the newest migration.
const BEFORE_THE_INDEX: &str = "DROP TABLE activity_words; DROP INDEX activities_not_indexed;
    ALTER TABLE activities DROP COLUMN indexed; DELETE FROM __diesel_schema_migrations WHERE version = '0033';
    UPDATE schema_version SET version = 32";

#[test]
fn of_several_that_update_a_server_at_once_one_copies_and_one_updates() {
    let database = TestDatabase::new();
    let shared = tempfile::tempdir().unwrap();
    let on_server = || {
        Desk::new()
            .with("CRM_DATABASE_URL", &database.url)
            .with("CRM_SECRET_KEY", "a key of tests, long enough for everything")
            .with("CRM_BACKUP_DIR", shared.path().to_str().unwrap())
    };
    on_server().json(&["company", "add", "--name", "山田商店"]);
    database.sql(BEFORE_THE_INDEX);
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| on_server().run(&["migrate", "--format", "json"])))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut applied = 0;
    for one in &ran {
        assert_eq!(one.code, 0, "{}{}", one.out, one.err);
        applied += usize::from(one.out.contains("0033"));
    }
    assert_eq!(applied, 1, "one of them did it");
    assert_eq!(std::fs::read_dir(shared.path()).unwrap().count(), 1);
}

/// A database server that lacks the newest migration, in whose way a table of somebody else's stands.
#[test]
fn on_a_server_too_a_failed_update_leaves_everything_with_a_copy() {
    let database = TestDatabase::new();
    let on_server = || {
        Desk::new()
            .with("CRM_DATABASE_URL", &database.url)
            .with("CRM_SECRET_KEY", "a key of tests, long enough for everything")
    };
    let desk = on_server();
    desk.json(&["company", "add", "--name", "山田商店"]);
    desk.customer("山田", &["--first-name", "太郎"]);
    database.sql(BEFORE_THE_INDEX);
    database.sql("CREATE TABLE activity_words (id BIGINT PRIMARY KEY)");
    let state = || {
        database.sql(
            "SELECT string_agg(version, ',' ORDER BY version) FROM __diesel_schema_migrations;
             SELECT last_name FROM customers; SELECT name FROM companies; SELECT version FROM schema_version;
             SELECT count(*) FROM audit; SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = 'activities'::regclass AND attnum > 0 AND NOT attisdropped",
        )
    };
    let before = state();
    for _ in 0..3 {
        let ran = desk.run(&["migrate"]);
        assert!(
            ran.code == 1 && ran.err.trim_end().ends_with("[migration_failed]"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("before-0033-"), "the copy is named: {}", ran.err);
        assert_eq!(state(), before);
    }
    let other = restored(&desk);
    assert_eq!(other.json(&["company", "list"]).as_array().unwrap().len(), 1);
    database.sql("DROP TABLE activity_words");
    assert_eq!(desk.json(&["migrate"]).as_array().unwrap().len(), 1);
    assert_eq!(desk.json(&["customer", "list"]).as_array().unwrap().len(), 1);
}

/// The former program goes on with a database that a later one has added to.
#[test]
fn a_program_that_may_go_on_takes_backups_that_it_can_read() {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "山田商店"]);
    run_sql(
        &desk.database(),
        "ALTER TABLE companies ADD COLUMN later TEXT; CREATE TABLE latest (id INTEGER PRIMARY KEY);
         INSERT INTO __diesel_schema_migrations (version) VALUES ('9000');
         UPDATE schema_version SET version = 9000, product = '9.1.0'",
    );
    let file = desk.path("backup").display().to_string();
    let ran = desk.run(&["backup", &file]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    desk.json(&["verify", &file]);
    let other = Desk::new();
    let restored = other.run(&["restore", &file]);
    assert_eq!(restored.code, 0, "{}{}", restored.out, restored.err);
    assert_eq!(other.json(&["company", "list"]).as_array().unwrap().len(), 1);
    // Not beyond what it needs.
    run_sql(&desk.database(), "UPDATE schema_version SET oldest_binary = 8000");
    let ran = desk.run(&["backup", &desk.path("second").display().to_string()]);
    assert_eq!(ran.code, 1);
    assert!(!desk.path("second").exists(), "{}", ran.err);
}

/// From a server rows are copied one by one: what this program does not know would be lost.
#[test]
fn on_a_server_a_backup_that_would_lose_something_is_refused_with_what_to_do() {
    let database = TestDatabase::new();
    let desk = Desk::new()
        .with("CRM_DATABASE_URL", &database.url)
        .with("CRM_SECRET_KEY", "a key of tests, long enough for everything");
    desk.json(&["company", "add", "--name", "山田商店"]);
    database.sql(
        "ALTER TABLE companies ADD COLUMN later TEXT;
         INSERT INTO __diesel_schema_migrations (version) VALUES ('9000');
         UPDATE schema_version SET version = 9000, product = '9.1.0'",
    );
    assert_eq!(desk.json(&["company", "list"]).as_array().unwrap().len(), 1);
    let ran = desk.run(&["backup", "file"]);
    assert!(
        ran.code == 1 && ran.err.trim_end().ends_with("[backup_newer]"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("9.1.0") && !desk.path("file").exists(),
        "{}",
        ran.err
    );
}

#[test]
fn an_older_program_leaves_a_newer_database_alone() {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "山田商店"]);
    let file = desk.database();
    run_sql(
        &file,
        "UPDATE schema_version SET version = 9000, oldest_binary = 8000, product = '9.1.0'",
    );
    let before = std::fs::read(&file).unwrap();
    for args in [
        ["company", "list"].as_slice(),
        &["migrate"],
        &["migrate", "--dry-run"],
    ] {
        let ran = desk.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.out);
        assert!(
            ran.err.contains("9.1.0") && ran.err.trim_end().ends_with("[newer_database]"),
            "{}",
            ran.err
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    // Newer, but nothing was taken away that this program needs.
    run_sql(&file, "UPDATE schema_version SET oldest_binary = 21");
    assert_eq!(desk.json(&["company", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn the_first_release_is_brought_up_to_date_after_a_copy_that_can_be_restored() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("data")).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(repository.join("migrations/sqlite"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let mut statements = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);"
        .to_owned();
    for folder in folders.iter().take(9) {
        statements += &std::fs::read_to_string(folder.join("up.sql")).unwrap();
        let version = folder
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .split('_')
            .next()
            .unwrap();
        statements += "\nINSERT INTO __diesel_schema_migrations (version) VALUES ('";
        statements += version;
        statements += "');\n";
    }
    statements +=
        &std::fs::read_to_string(repository.join("crates/crm-sqlite/tests/it/fixtures/0009.sql")).unwrap();
    std::fs::write(desk.database(), "").unwrap();
    run_sql(&desk.database(), &statements);
    let tried = desk.json(&["migrate", "--dry-run"]);
    let applied = desk.json(&["migrate"]);
    assert_eq!(tried.as_array().unwrap().len(), applied.as_array().unwrap().len());
    let other = restored(&desk);
    let customers = |desk: &Desk| desk.json(&["customer", "list"]).as_array().unwrap().len();
    assert_eq!(customers(&other), customers(&desk));
}

#[test]
fn where_nothing_is_to_be_done_it_says_so() {
    let desk = Desk::new();
    desk.json(&["company", "add", "--name", "山田商店"]);
    for args in [&["migrate", "--dry-run"][..], &["migrate"]] {
        let ran = desk.run(args);
        assert!(
            ran.code == 0 && ran.out.contains("最新です"),
            "{args:?}: {}{}",
            ran.out,
            ran.err
        );
    }
}
