//! A server that is started before its database.

use std::time::{Duration, Instant};

use crm_testkit::postgres::{Cluster, TestDatabase};
use tempfile::TempDir;
use tokio::process::Child;

use crate::harness::server::{Log, launch, listening, run_to_end};
use crate::harness::{Ask, until};

fn settings(url: &str, folder: &TempDir) -> Vec<(String, String)> {
    let data = folder.path().join("data").display().to_string();
    let settings = [
        ("CRM_LISTEN", "127.0.0.1:0"),
        ("CRM_DATA_DIR", &data),
        ("CRM_DATABASE_URL", url),
        ("CRM_SECRET_KEY", "a key of tests, long enough for everything"),
    ];
    settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Starts it where PostgreSQL is not, until it waits.
async fn nobody_at(port: u16, folder: &TempDir) -> (Child, Log) {
    let url = format!("postgres://crm@127.0.0.1:{port}/crm");
    let (child, log) = launch(&settings(&url, folder), folder.path().to_owned(), &[]);
    until("it says that it waits", async || {
        let said = log.lock().unwrap().clone();
        said.contains("waiting for the database").then_some(())
    })
    .await;
    (child, log)
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let cluster = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::start();
        cluster.stop();
        cluster
    });
    let cluster = cluster.await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_child, log) = nobody_at(cluster.port(), &folder).await;
    let _cluster = tokio::task::spawn_blocking(move || {
        cluster.start_again();
        cluster
    })
    .await
    .unwrap();
    until("it works", async || {
        let said = log.lock().unwrap().clone();
        said.contains("nobody can sign in yet").then_some(())
    })
    .await;
    let said = log.lock().unwrap().clone();
    assert!(said.contains("the database is there, after"), "{said}");
    let address = listening(&log, "listening on http://").await;
    until("it is ready", async || {
        let answer = Ask::get("/readyz").send(address).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_database_is_stopped_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let (mut child, log) = nobody_at(port, &folder).await;
    let begun = Instant::now();
    let told = std::process::Command::new("kill")
        .arg(child.id().unwrap().to_string())
        .status();
    assert!(told.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    assert!(ended.unwrap().unwrap().success(), "{}", log.lock().unwrap());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_not_waited_for() {
    let database = tokio::task::spawn_blocking(TestDatabase::empty).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = database.url.replace(database.name(), "nowhere");
    let (well, said) = run_to_end(&settings(&url, &folder), &folder, &[]).await;
    assert!(
        !well && said.contains("nowhere") && said.contains("createdb"),
        "{said}"
    );
}
