//! Rotations that are interrupted, meet each other, or find an older database.

use std::path::Path;
use std::sync::Arc;

use crm_domain::data_keys::{SEALED_COLUMNS, SealedColumn};
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::Blobs as _;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::ports::vault::Vault as _;
use crm_host::SealedBlobs;

use super::RotationError;
use crate::composition::Composition;
use crate::settings::{Need, Settings, Source};

const JOB: Actor = Actor::Job("tests");
const VALUES: usize = 230;

async fn open(dir: &Path, more: &[(&str, &str)]) -> Composition {
    let mut pairs = vec![("CRM_DATA_DIR".to_owned(), dir.display().to_string())];
    pairs.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let loaded = Settings::read(&Source::new(pairs, None), Need::Everything).unwrap();
    Composition::for_command(loaded.settings).await.unwrap().0
}

fn named() -> &'static SealedColumn {
    SEALED_COLUMNS.first().unwrap()
}

async fn fill(parts: &Composition) {
    let sealed: Vec<_> = (0..VALUES)
        .map(|number| {
            let name = number.to_string();
            let sealed = parts.vault.seal(&named().place(&name), name.as_bytes());
            (name, sealed.unwrap())
        })
        .collect();
    let kept: Result<_, StoreError> = parts
        .store
        .write(move |uow| {
            for (name, sealed) in &sealed {
                uow.edit_data_keys().keep_named_secret(name, sealed)?;
            }
            Ok(())
        })
        .await;
    kept.unwrap();
}

fn all_open(parts: &Composition) {
    for number in 0..VALUES {
        let name = number.to_string();
        let opened = parts.vault.named_secret(&name).unwrap();
        assert_eq!(opened.as_deref(), Some(name.as_bytes()), "{name}");
    }
}

fn blobs(parts: &Composition) -> SealedBlobs {
    SealedBlobs::in_folder(
        parts.settings.data.files_dir.clone(),
        1_000_000,
        Arc::clone(&parts.vault),
    )
}

#[tokio::test]
async fn an_interrupted_rotation_is_gone_on_with() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(temp.path(), &[]).await;
    fill(&parts).await;
    let before = parts.key_status(&JOB).await.unwrap();
    assert!(parts.crm.begin_rotation(&JOB, &before).await.unwrap());
    // One value is done, then the program is killed.
    let read = parts
        .store
        .read(|unit| unit.data_keys().sealed_rows(named(), None, 1));
    let rows: Result<_, StoreError> = read.await;
    let row = rows.unwrap().remove(0);
    let place = named().place(&row.key);
    parts.vault.sealing_key().unwrap();
    let plain = parts.vault.open(&place, &row.sealed).unwrap();
    let fresh = parts.vault.seal(&place, &plain).unwrap();
    let done: Result<_, StoreError> = parts
        .store
        .write(move |uow| uow.edit_data_keys().reseal_row(named(), &row, &fresh))
        .await;
    assert!(done.unwrap());

    let again = open(temp.path(), &[]).await;
    let rotated = again.rotate_keys(&JOB).await.unwrap();
    assert!(!rotated.fresh, "no third key");
    assert_eq!(
        (rotated.values, rotated.broken),
        (VALUES as u64, 0),
        "with that of the audit log"
    );
    assert_eq!((rotated.forgotten.len(), rotated.kept), (1, 0));
    all_open(&again);
    assert!(again.rotate_keys(&JOB).await.unwrap().fresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_at_once_lose_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(temp.path(), &[]).await;
    fill(&parts).await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let dir = temp.path().to_owned();
        running.spawn(async move {
            let parts = open(&dir, &[]).await;
            let status = parts.key_status(&JOB).await.unwrap();
            let fresh = parts.crm.begin_rotation(&JOB, &status).await.unwrap();
            parts.crm.reseal_values(&JOB).await.unwrap();
            let whole = parts.rotate_keys(&JOB).await;
            assert!(matches!(whole, Ok(_) | Err(RotationError::AtWork)), "{whole:?}");
            fresh
        });
    }
    let fresh = running.join_all().await;
    assert!(fresh.iter().any(|fresh| *fresh));
    parts.rotate_keys(&JOB).await.unwrap();
    all_open(&open(temp.path(), &[]).await);
    all_open(&parts);
}

#[tokio::test]
async fn an_older_database_takes_the_files_keys_from_beside_them() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(temp.path(), &[]).await;
    let copy = temp.path().join("copy.db");
    parts.admin.backup(&copy).await.unwrap();
    parts.rotate_keys(&JOB).await.unwrap();
    let mut draft = blobs(&parts).begin().unwrap();
    draft.write(b"newer than the copy").unwrap();
    let hash = draft.keep().unwrap().hash;
    drop(parts);
    for name in ["crm.db", "crm.db-wal", "crm.db-shm"] {
        drop(std::fs::remove_file(temp.path().join(name)));
    }
    std::fs::rename(&copy, temp.path().join("crm.db")).unwrap();

    let restored = open(temp.path(), &[]).await;
    let status = restored.key_status(&JOB).await.unwrap();
    assert_eq!((status.keys.len(), status.lost), (2, 0));
    assert!(blobs(&restored).open(&hash).unwrap().is_some());
    let rotated = restored.rotate_keys(&JOB).await.unwrap();
    assert_eq!((rotated.files, rotated.broken, rotated.kept), (1, 0, 0));
}

#[tokio::test]
async fn commands_read_by_an_earlier_key_and_leave_the_wrapping_to_the_server() {
    let temp = tempfile::tempdir().unwrap();
    let old = "the former key, thirty-two bytes or more";
    let parts = open(temp.path(), &[("CRM_SECRET_KEY", old)]).await;
    fill(&parts).await;
    let print = parts.key_status(&JOB).await.unwrap().fingerprint;
    let new = [
        ("CRM_SECRET_KEY", "the new key, thirty-two bytes or more"),
        ("CRM_SECRET_KEY_PREVIOUS", old),
    ];
    let beside = open(temp.path(), &new).await;
    all_open(&beside);
    assert_eq!(beside.key_status(&JOB).await.unwrap().fingerprint, print);
    let alone = open(temp.path(), &new[..1]).await;
    assert_eq!(alone.key_trouble().unwrap().code(), "other_secret_key");
    assert!(alone.vault.seal(&named().place("x"), b"x").is_err());
}
