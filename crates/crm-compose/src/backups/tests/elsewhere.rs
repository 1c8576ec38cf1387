//! Restoring into the other kind of store, and back.

use crm_testkit::postgres::TestDatabase;

use super::round_trip::{holds_everything, sealed_values_open};
use super::world::{KEY, OTHER_KEY, back_up, filled, open, passphrase, put_back, settings, verify};
use crate::backups::restored::KeyFate;
use crate::settings::Settings;

pub(super) fn on_server(dir: &std::path::Path, database: &TestDatabase, key: &str) -> Settings {
    settings(
        dir,
        &[("CRM_DATABASE_URL", &database.url), ("CRM_SECRET_KEY", key)],
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_to_a_server_and_comes_back() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[]).await;
    let file = back_up(&from, &parts, &temp.path().join("first"), Some(&passphrase())).await;
    let counts = verify(&file, Some(&passphrase())).unwrap().manifest.counts;
    drop(parts);

    let database = TestDatabase::empty();
    let server = on_server(&temp.path().join("server"), &database, OTHER_KEY);
    let restored = put_back(&server, &file, Some(&passphrase())).await.unwrap();
    assert_eq!((restored.key, restored.files), (KeyFate::Brought, 1));
    let parts = open(&server).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
    let again = put_back(&server, &file, Some(&passphrase())).await.unwrap_err();
    assert_eq!(again.code(), "not_empty");

    let second = back_up(&server, &parts, &temp.path().join("second"), None).await;
    let manifest = verify(&second, None).unwrap().manifest;
    assert_eq!(manifest.store, "postgresql");
    for table in [
        "customers",
        "activities",
        "receipts",
        "sends",
        "members",
        "attachments",
    ] {
        assert!(manifest.counts[table] >= counts[table], "{table}");
    }
    drop(parts);
    let back = settings(&temp.path().join("back"), &[("CRM_SECRET_KEY", OTHER_KEY)]);
    let restored = put_back(&back, &second, None).await.unwrap();
    assert_eq!(restored.key, KeyFate::Same);
    let parts = open(&back).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onto_a_server_with_another_key_the_targets_counts() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[("CRM_SECRET_KEY", KEY)]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), None).await;
    drop(parts);
    let database = TestDatabase::empty();
    let server = on_server(&temp.path().join("server"), &database, OTHER_KEY);
    let restored = put_back(&server, &file, None).await.unwrap();
    assert!(
        matches!(restored.key, KeyFate::Adopted { .. }),
        "{:?}",
        restored.key
    );
    let parts = open(&server).await;
    holds_everything(&parts).await;
}
