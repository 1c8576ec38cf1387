//! The encryption keys while people work: rotated, exchanged, and missing.

use crm_domain::attachments::{AttachmentId, AttachmentState};
use crm_domain::members::Role;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_lineworks_sim::callbacks;

use tokio::process::Command;

use crate::factors::{code, seed};
use crate::harness::server::{PASSWORD, PROGRAM};
use crate::harness::{Browser, TARO, TestServer, on_postgres, until};

/// A member with a second factor, and its seed.
async fn member_with_factor(server: &TestServer) -> Vec<u8> {
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/me/factor").await;
    browser
        .post("/me/factor/begin", &[("current_password", PASSWORD)])
        .await;
    let seed = seed(&browser.get("/me/factor").await.text());
    let on = browser
        .post("/me/factor/confirm", &[("code", &code(&seed, 0))])
        .await;
    assert_eq!(on.status, 200, "{}", on.text());
    seed
}

/// Signs in with password and code; the code is that of so many steps ahead, since each is good once.
async fn signed_in_by_code(server: &TestServer, seed: &[u8], ahead: u64) -> Browser {
    let mut browser = server.browser();
    browser.get("/login").await;
    let fields = [("email", "member@example.jp"), ("password", PASSWORD)];
    let half = browser.post("/login", &fields).await;
    let road = half.header("location").unwrap_or_default().to_owned();
    browser.get(&road).await;
    let inside = browser.post("/login/code", &[("code", &code(seed, ahead))]).await;
    assert_eq!(inside.status, 303, "{}", inside.text());
    browser
}

async fn send_file(server: &TestServer, bytes: &[u8], number: i64) {
    let id = server.simulator.store_file("file.bin", bytes.to_vec()).unwrap();
    let delivery = server.simulator.deliver(&callbacks::image(TARO, &id)).await;
    assert_eq!(delivery.unwrap().status, 200);
    until("the file is stored", async || {
        let found: Result<_, StoreError> = server
            .store
            .read(move |unit| unit.attachments().attachment(AttachmentId::new(number)))
            .await;
        let file = found.unwrap();
        file.filter(|file| file.state == AttachmentState::Stored)
    })
    .await;
}

#[tokio::test]
async fn keys_are_rotated_while_the_pages_that_need_them_go_on() {
    let mut server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let seed = member_with_factor(&server).await;
    send_file(&server, &vec![1; 200_000], 1).await;
    let operator = TestServer::operator();

    let beside = server.beside(&[]).await;
    let rotated = beside.rotate_keys(&operator).await.unwrap();
    assert!(rotated.fresh && rotated.values >= 2, "{rotated:?}");
    assert_eq!((rotated.files, rotated.broken), (1, 0));
    assert_eq!(
        (rotated.forgotten.len(), rotated.kept),
        (0, 1),
        "the server may still use it"
    );
    let mut browser = signed_in_by_code(&server, &seed, 1).await;
    assert_eq!(browser.get("/file/1").await.body, vec![1; 200_000]);
    send_file(&server, b"after the rotation", 2).await;
    assert_eq!(browser.get("/file/2").await.body, b"after the rotation");

    server.stop().await;
    let rotated = beside.rotate_keys(&operator).await.unwrap();
    assert!(!rotated.forgotten.is_empty() && rotated.kept == 0, "{rotated:?}");
    let status = beside.key_status(&operator).await.unwrap();
    assert_eq!((status.keys.len(), status.lost, status.keys[0].files), (1, 0, 2));
    server.start_again().await;
    browser.to = server.address;
    assert_eq!(browser.get("/file/1").await.body, vec![1; 200_000]);
    assert_eq!(browser.get("/file/2").await.body, b"after the rotation");
}

#[tokio::test]
async fn another_key_or_none_stops_the_start_and_changes_nothing() {
    if on_postgres() {
        // The key is a setting there and lies in no file.
        return;
    }
    let mut server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    send_file(&server, b"a file", 1).await;
    server.stop().await;
    let key_file = server.data("secret.key");
    let key = std::fs::read_to_string(&key_file).unwrap();
    let new = "another key of thirty-two bytes or more";

    let (well, said) = server.start_second(&[("CRM_SECRET_KEY", new)]).await;
    assert!(!well && said.contains("CRM_SECRET_KEY_PREVIOUS"), "{said}");
    std::fs::remove_file(&key_file).unwrap();
    let (well, said) = server.start_second(&[]).await;
    assert!(!well && said.contains("secret.key がありません"), "{said}");
    assert!(!key_file.exists(), "no new key is made");
    let beside = server.beside(&[]).await;
    assert_eq!(beside.key_trouble().unwrap().code(), "secret_key_lost");
    assert!(!key_file.exists(), "by no command either");

    let status = beside.key_status(&TestServer::operator()).await.unwrap();
    let exchanged = [("CRM_SECRET_KEY", new), ("CRM_SECRET_KEY_PREVIOUS", key.trim())];
    server.start_again_by(Command::new(PROGRAM), &exchanged).await;
    let mut browser = server.signed_in(Role::Member).await;
    assert_eq!(browser.get("/file/1").await.body, b"a file");
    let after = server.beside(&[]).await.key_status(&TestServer::operator()).await;
    let after = after.unwrap();
    assert_ne!(after.fingerprint, status.fingerprint);
    assert_eq!(after.keys.len(), status.keys.len(), "wrapped anew, nothing else");

    server.stop().await;
    let done = [("CRM_SECRET_KEY_PREVIOUS", "")];
    server.start_again_by(Command::new(PROGRAM), &done).await;
    let mut browser = server.browser();
    browser.sign_in("member@example.jp", PASSWORD).await;
    assert_eq!(browser.get("/file/1").await.body, b"a file");
    let (well, said) = server.start_second(&[("CRM_SECRET_KEY", key.trim())]).await;
    assert!(!well, "the former one is over: {said}");
}
