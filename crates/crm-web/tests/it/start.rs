//! Starting and stopping.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_testkit::postgres::TestDatabase;

use crate::harness::server::{launch, listening, run_to_end};
use crate::harness::{Ask, TestServer, on_postgres, until};

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_setting_to_change() {
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = holder.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (well, said) = run_to_end(&pairs(&[("CRM_LISTEN", &address.to_string())]), &folder, &[]).await;
    assert!(!well);
    assert!(
        said.contains(&format!("ポート{}は使用中です", address.port())) && said.contains("CRM_LISTEN"),
        "{said}"
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    if on_postgres() {
        // Any number may work there.
        return;
    }
    let server = TestServer::start().await;
    let (well, said) = server.start_second(&[]).await;
    assert!(!well && said.contains("使用中"), "{said}");
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn wrong_settings_are_listed_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = pairs(&[
        ("CRM_LISTEN", "nowhere"),
        ("CRM_LOCALE", "fr"),
        ("CRM_TIMEZONE", "Mars/Base"),
    ]);
    let (well, said) = run_to_end(&settings, &folder, &[]).await;
    assert!(!well);
    for name in ["CRM_LISTEN", "CRM_LOCALE", "CRM_TIMEZONE"] {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[tokio::test]
async fn version_and_help_need_no_settings_and_other_words_are_misuse() {
    let folder = tempfile::tempdir().unwrap();
    let (well, said) = run_to_end(&[], &folder, &["--version"]).await;
    assert!(well && said.starts_with("crm-web "), "{said}");
    let (well, said) = run_to_end(&[], &folder, &["--help"]).await;
    assert!(well && said.contains("--demo"), "{said}");
    let (well, said) = run_to_end(&[], &folder, &["--nonsense"]).await;
    assert!(!well && said.contains("--help"), "{said}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[tokio::test]
async fn it_starts_at_once_and_stops_in_time() {
    let mut server = TestServer::start().await;
    server.kill().await;
    let begun = Instant::now();
    server.start_again().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // An idle connection and a slow one hold nothing up.
    let _idle = tokio::net::TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.get("/healthz").await.status, 200);
    let took = server.stop().await;
    assert!(took < Duration::from_secs(11), "{took:?}");
    server.wait_for_log("stopped").await;
}

/// A free port of this machine.
async fn free_address() -> std::net::SocketAddr {
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    holder.local_addr().unwrap()
}

#[tokio::test]
async fn while_the_database_is_brought_up_to_date_it_asks_for_patience() {
    let database = Arc::new(TestDatabase::new());
    // As of the version before, so that it is copied and brought up to date.
    database.sql(
        "DROP TABLE activity_words; DROP INDEX activities_not_indexed; ALTER TABLE activities DROP COLUMN indexed;
         DELETE FROM __diesel_schema_migrations WHERE version = '0033'; UPDATE schema_version SET version = 32",
    );
    let folder = tempfile::tempdir().unwrap();
    let address = free_address().await;
    let settings = pairs(&[
        ("CRM_LISTEN", &address.to_string()),
        ("CRM_DATABASE_URL", &database.url),
        ("CRM_SECRET_KEY", "a key of tests, long enough for everything"),
        ("CRM_DATA_DIR", folder.path().join("data").to_str().unwrap()),
    ]);
    // Somebody holds a table that it changes.
    let holder = std::thread::spawn({
        let database = Arc::clone(&database);
        move || database.sql("BEGIN; LOCK TABLE activities IN ACCESS SHARE MODE; SELECT pg_sleep(600)")
    });
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND query LIKE '%pg_sleep(600)%'";
    until("the table is held", async || {
        (database.sql(&format!("SELECT count(*) {others}")) == "1").then_some(())
    })
    .await;
    let (_child, log) = launch(&settings, folder.path().to_owned(), &[]);
    until("the copy", async || {
        let said = log.lock().unwrap().clone();
        said.contains("the database was copied to").then_some(())
    })
    .await;
    let answer = Ask::get("/healthz").send(address).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "updating\n"));
    for path in ["/", "/readyz", "/customers"] {
        let answer = Ask::get(path).send(address).await;
        assert!(
            answer.status == 503 && answer.text().contains("準備をしています"),
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
    }
    let answer = Ask::post("/webhook").bytes("{}").send(address).await;
    assert_eq!(answer.status, 503, "LINE WORKS is not told that it was kept");
    database.sql(&format!("SELECT pg_terminate_backend(pid) {others}"));
    assert!(holder.join().is_err(), "it was ended");
    assert_eq!(listening(&log, "listening on http://").await, address);
    let answer = Ask::get("/healthz").send(address).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn without_line_works_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (_child, log) = launch(
        &pairs(&[("CRM_LISTEN", "127.0.0.1:0")]),
        folder.path().to_owned(),
        &[],
    );
    let address = listening(&log, "listening on http://").await;
    let answer = Ask::post("/webhook").bytes("{}").send(address).await;
    assert_eq!(answer.status, 200);
    until("the link for the first administrator", async || {
        let said = log.lock().unwrap().clone();
        let all = [
            "http://localhost:3000/setup/",
            "crm user add",
            "LINE WORKS is not set up",
        ];
        all.iter().all(|part| said.contains(part)).then_some(())
    })
    .await;
}
