//! The demonstration: one command, no settings.

use crate::harness::server::{launch, listening};
use crate::harness::{Ask, Browser};

#[tokio::test]
async fn the_demonstration_runs_without_settings_and_for_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    // What is set is ignored, wrong or not.
    let settings = [("CRM_LISTEN".to_owned(), "nonsense".to_owned())];
    std::fs::write(folder.path().join(".env"), "CRM_LOCALE=xx\n").unwrap();
    let (_child, log) = launch(&settings, folder.path().to_owned(), &["--demo", "--port", "0"]);
    let address = listening(&log, "listening on http://").await;
    assert!(address.ip().is_loopback());
    let said = log.lock().unwrap().clone();
    let (_, after) = said.split_once("/link/").expect("a link to sign in");
    let secret = after.split_whitespace().next().unwrap();
    let mut browser = Browser::new(address);
    let path = format!("/link/{secret}");
    assert_eq!(browser.get(&path).await.status, 200);
    assert_eq!(browser.post(&path, &[]).await.status, 303);
    let list = browser.get("/api/v1/customers?limit=200").await.json();
    assert!(list["items"].as_array().unwrap().len() >= 100, "sample customers");
    let strange = Ask::get("/login")
        .header("host", "evil.example")
        .send(address)
        .await;
    assert_eq!(strange.status, 421);
    let named = Ask::get("/login")
        .header("host", format!("localhost:{}", address.port()))
        .send(address)
        .await;
    assert_eq!(named.status, 200);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing but the .env that was there"
    );
}
