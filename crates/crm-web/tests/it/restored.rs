//! The day after: a new machine, the last backup, and LINE WORKS as it was.

use std::sync::Arc;

use crm_compose::backups::{Luggage, Passphrase, restore};
use crm_compose::settings::Source;
use crm_compose::{Need, Settings};
use crm_domain::backups::PauseCause;
use crm_domain::members::Role;
use crm_lineworks_sim::callbacks;

use crate::harness::server::PASSWORD;
use crate::harness::{TARO, TestServer, until};

#[tokio::test]
async fn from_an_empty_machine_and_a_backup_messages_are_received_again() {
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_member("admin@example.jp", Role::Admin).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "前の日"))
        .await
        .unwrap();
    server.wait_for_messages(taro, 1).await;
    let stick = tempfile::tempdir().unwrap();
    let file = stick.path().join("backup");
    let passphrase = Passphrase::new("long enough to protect").unwrap();
    let beside = server.beside(&[]).await;
    let luggage = Luggage::of(&beside.settings);
    let operator = TestServer::operator();
    let taken = beside
        .back_up(&operator, &file, Some(&passphrase), &luggage)
        .await;
    assert!(taken.unwrap().encrypted);
    drop(beside);
    server.kill().await;

    let machine = tempfile::tempdir().unwrap();
    let data = machine.path().join("data");
    let empty = Source::new([("CRM_DATA_DIR".to_owned(), data.display().to_string())], None);
    let settings = Settings::read(&empty, Need::Store).unwrap().settings;
    let restored = restore(settings, &file, Some(&passphrase), &operator, Arc::new(|_| ())).await;
    // As the instructions say: the settings of the backup become those of the machine.
    std::fs::copy(restored.unwrap().settings.unwrap(), machine.path().join(".env")).unwrap();
    server.go_on_in(machine).await;
    let delivery = server
        .simulator
        .deliver(&callbacks::text(TARO, "次の日"))
        .await
        .unwrap();
    assert_eq!(delivery.status, 200);
    let messages = server.wait_for_messages(taro, 2).await;
    assert_eq!([&messages[0].message, &messages[1].message], ["次の日", "前の日"]);
    let pause = server.crm.pause().await.unwrap().unwrap();
    assert_eq!(pause.cause, PauseCause::Restored);
    let mut member = server.signed_in(Role::Member).await;
    until("everybody is told that sending rests", async || {
        let page = member.get("/").await.text();
        page.contains("送信が止まっています").then_some(())
    })
    .await;
    let readiness = server.get("/readyz").await.text();
    assert!(readiness.contains("degraded: LINE WORKS"), "{readiness}");
    let mut browser = server.browser();
    let answer = browser.sign_in("admin@example.jp", PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}
