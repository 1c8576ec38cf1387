//! The daily backup, from the server that takes it to the pages and figures that tell of it.

use std::path::Path;
use std::time::{Duration, Instant};

use crm_compose::backups::BackupProblem;
use crm_domain::members::Role;
use crm_web::views::backups::PROBLEMS;

use crate::harness::server::Instance;
use crate::harness::{Setup, TestServer, until_within};

/// The first look comes 20 seconds after the start.
const LONG: Duration = Duration::from_secs(90);

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".tar.zst"))
        .collect();
    names.sort();
    names
}

async fn metric(server: &TestServer, name: &str) -> f64 {
    let text = server.get("/metrics").await.text();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.rsplit_once(' ')).expect(name).1;
    value.parse().unwrap()
}

/// Waits until so many are noted as good.
async fn good_ones(server: &TestServer, count: usize) {
    let begun = Instant::now();
    until_within(2 * LONG, "backups that are noted as good", async || {
        let view = server.crm.backup_state(&TestServer::operator()).await.unwrap();
        let good = view.newest.iter().filter(|backup| backup.taken.is_some());
        let enough = good.count() >= count;
        assert!(
            enough || begun.elapsed() < LONG,
            "{:?}\n{}",
            view.newest,
            server.log()
        );
        enough.then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_is_taken_kept_tidied_and_told() {
    let server = TestServer::start_with(Setup::default().with("CRM_BACKUP_KEEP", "1")).await;
    let folder = server.data("backups");
    let mut admin = server.signed_in(Role::Admin).await;
    assert!(metric(&server, "crm_backup_age_seconds").await.is_nan());
    // Somebody's own, elsewhere, is not the daily one.
    let beside = server.beside(&[]).await;
    let by_hand = folder.with_file_name("by-hand");
    let luggage = crm_compose::backups::Luggage::default();
    let operator = TestServer::operator();
    beside.back_up(&operator, &by_hand, None, &luggage).await.unwrap();
    assert!(metric(&server, "crm_backup_age_seconds").await.is_nan());
    // One that fails elsewhere does not tell of the folder.
    let nowhere = by_hand.join("below a file");
    let failed = beside.back_up(&operator, &nowhere, None, &luggage).await;
    assert!(failed.is_err());
    assert!(metric(&server, "crm_backup_ok").await.is_nan());
    drop(beside);

    good_ones(&server, 2).await;
    let first = files(&folder);
    assert_eq!(first.len(), 1, "{first:?}");
    let page = admin.get("/admin").await.text();
    assert!(
        page.contains("1時間以内") && page.contains("バックアップが同じディスクにあります"),
        "{page}"
    );
    assert!(!page.contains("最後のバックアップに失敗"), "{page}");
    until_within(LONG, "the board's banner", async || {
        let board = admin.get("/").await.text();
        board
            .contains("バックアップが同じディスクにあります")
            .then_some(())
    })
    .await;
    let age = metric(&server, "crm_backup_age_seconds").await;
    assert!((0.0..120.0).contains(&age), "{age}");
    assert!((metric(&server, "crm_backup_ok").await - 1.0).abs() < f64::EPSILON);
    assert!(metric(&server, "crm_backup_disk_free_bytes").await > 0.0);

    admin.get("/admin/backups").await;
    assert_eq!(admin.post("/admin/backups/take", &[]).await.status, 303);
    good_ones(&server, 3).await;
    let second = until_within(LONG, "the first one is thrown away", async || {
        let now = files(&folder);
        (now.len() == 1 && now != first).then_some(now)
    })
    .await;
    assert!(by_hand.exists(), "somebody's own is left alone");
    std::fs::remove_file(folder.join(&second[0])).unwrap();
    let page = admin.get("/admin/backups").await.text();
    assert!(
        page.contains("が見つかりません") && page.contains(&second[0]),
        "{page}"
    );
}

#[tokio::test]
async fn of_several_servers_one_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        shared: true,
        ..Setup::default()
    };
    let setup = setup.with("CRM_BACKUP_DIR", folder.path().to_str().unwrap());
    let server = TestServer::start_with(setup).await;
    let _others: [Instance; 2] = [server.join().await, server.join().await];
    good_ones(&server, 1).await;
    let begun = Instant::now();
    // Each of them would have looked by now.
    while begun.elapsed() < Duration::from_secs(10) {
        assert_eq!(files(folder.path()).len(), 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let view = server.crm.backup_state(&TestServer::operator()).await.unwrap();
    assert_eq!(view.newest.len(), 1, "{:?}", view.newest);
}

#[test]
fn every_problem_of_a_backup_has_words() {
    for code in BackupProblem::CODES {
        assert!(PROBLEMS.contains(&code), "{code}");
    }
}
