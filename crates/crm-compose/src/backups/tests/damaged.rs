//! What must not be put back, and places where nothing is put.

use crm_domain::ports::store::StoreExt as _;

use super::world::{back_up, filled, open, passphrase, put_back, settings, verify};
use crate::backups::restored::KeyFate;

#[tokio::test]
async fn nothing_is_overwritten_and_a_failed_backup_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[]).await;
    let there = temp.path().join("there");
    std::fs::write(&there, "precious").unwrap();
    let luggage = crate::backups::Luggage::of(&from);
    let operator = super::world::operator();
    let refused = parts
        .back_up(&operator, &there, None, &luggage)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not overwritten"), "{refused}");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
    let nowhere = temp.path().join("nowhere").join("backup");
    parts
        .back_up(&operator, &nowhere, None, &luggage)
        .await
        .unwrap_err();
    let state = parts.crm.backup_state(&operator).await.unwrap();
    assert!(state.newest[0].has_failed(state.now) && state.good.is_none());
    assert_eq!(state.newest[0].problem.as_deref(), Some("folder"));
    let left: Vec<_> = std::fs::read_dir(temp.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_leaves_no_file_and_says_so() {
    let full = std::path::Path::new("/dev/full");
    let temp = tempfile::tempdir().unwrap();
    let (_, parts) = filled(&temp.path().join("old"), &[]).await;
    // Whatever is written there finds no room.
    let file = std::fs::OpenOptions::new().write(true).open(full).unwrap();
    let manifest = crm_archive::Manifest {
        format: 1,
        product: String::new(),
        schema: String::new(),
        store: String::new(),
        made_at: String::new(),
        secrets: false,
        counts: std::collections::BTreeMap::new(),
        audit_head: None,
        key_fingerprint: None,
        missing_files: Vec::new(),
        members: Vec::new(),
    };
    let draft = crm_archive::Draft::begin(file, None, &manifest).and_then(crm_archive::Draft::finish);
    assert_eq!(
        crate::backups::BackupProblem::from(draft.unwrap_err()).code(),
        "disk_full"
    );
    drop(parts);
}

#[tokio::test]
async fn what_is_broken_is_refused_before_anything_is_touched() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), None).await;
    let sound = std::fs::read(&file).unwrap();
    let to = settings(&temp.path().join("new"), &[]);
    for place in [20, sound.len() / 3, sound.len() - 10] {
        let mut bytes = sound.clone();
        bytes[place] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(verify(&file, None).unwrap_err().code(), "broken", "at {place}");
        assert_eq!(put_back(&to, &file, None).await.unwrap_err().code(), "broken");
        assert!(!to.data.database.file().unwrap().exists());
        assert!(!temp.path().join("new/restoring").exists());
    }
    let secret = temp.path().join("secret");
    back_up(&from, &parts, &secret, Some(&passphrase())).await;
    assert_eq!(
        put_back(&to, &secret, None).await.unwrap_err().code(),
        "passphrase_missing"
    );
    let other = crm_archive::Passphrase::new("another passphrase");
    let wrong = put_back(&to, &secret, other.as_ref()).await.unwrap_err();
    assert_eq!(wrong.code(), "passphrase_wrong");
}

#[tokio::test]
async fn a_place_that_is_not_empty_is_refused_and_an_interrupted_restore_begins_anew() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), None).await;
    drop(parts);
    assert_eq!(
        put_back(&from, &file, None).await.unwrap_err().code(),
        "not_empty"
    );
    let to = settings(&temp.path().join("new"), &[]);
    std::fs::create_dir_all(to.data.files_dir.join("ab")).unwrap();
    assert_eq!(put_back(&to, &file, None).await.unwrap_err().code(), "not_empty");
    // Killed after the files were put in place, before the database was.
    let staging = temp.path().join("new/restoring");
    std::fs::create_dir_all(&staging).unwrap();
    std::fs::write(staging.join("unpacked.db"), "half").unwrap();
    let refused = crate::composition::ServerComposition::open(to.clone())
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "restore_unfinished");
    let restored = put_back(&to, &file, None).await.unwrap();
    assert!(restored.interrupted);
    assert!(matches!(restored.key, KeyFate::Adopted { .. }));
    let parts = open(&to).await;
    let customers = parts.store.read(|unit| unit.backups().pause());
    assert!(customers.await.unwrap().is_some());
}
