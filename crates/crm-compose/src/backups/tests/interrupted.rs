//! Places that are not empty after all, disks of their own, and restores that were cut off.

use std::path::{Path, PathBuf};

use super::round_trip::{holds_everything, sealed_values_open};
use super::world::{back_up, filled, open, passphrase, put_back, settings};
use crate::backups::placing::put_in_place;
use crate::backups::staging::Staging;
use crate::settings::Settings;

/// Everything below a folder, in order.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()));
        }
        found.push(entry.path());
    }
    found.sort();
    found
}

/// A backup of a filled store, encrypted.
async fn backup(dir: &Path) -> PathBuf {
    let (from, parts) = filled(&dir.join("old"), &[]).await;
    back_up(&from, &parts, &dir.join("backup"), Some(&passphrase())).await
}

#[tokio::test]
async fn what_sqlite_left_beside_a_removed_database_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let file = backup(temp.path()).await;
    // A database whose program was killed, and of which only the file itself was removed.
    let (victim, parts) = filled(&temp.path().join("victim"), &[]).await;
    let log = temp.path().join("victim/crm.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    let to = settings(&temp.path().join("new"), &[]);
    std::fs::create_dir_all(&to.data.dir).unwrap();
    let left = to.data.dir.join("crm.db-wal");
    std::fs::copy(&log, &left).unwrap();
    drop((victim, parts));
    for name in ["crm.db-wal", "crm.db-shm", "crm.db-journal"] {
        std::fs::rename(&below(&to.data.dir)[0], to.data.dir.join(name)).unwrap();
        let refused = put_back(&to, &file, Some(&passphrase())).await.unwrap_err();
        assert_eq!(refused.code(), "not_empty", "{refused}");
        assert!(refused.to_string().contains(name), "{refused}");
        assert_eq!(below(&to.data.dir), [to.data.dir.join(name)]);
    }
    std::fs::remove_dir_all(&to.data.dir).unwrap();
    put_back(&to, &file, Some(&passphrase())).await.unwrap();
    holds_everything(&open(&to).await).await;
}

/// As far as a restore is just before the database is put in its place.
fn nearly_done(to: &Settings) -> Staging {
    std::fs::create_dir_all(&to.data.dir).unwrap();
    let staging = Staging::begin(&to.data).unwrap();
    staging.clear().unwrap();
    let placed = staging.place(&to.data.secret_key_file(), "a key of another backup");
    assert_eq!(placed.unwrap(), Some(to.data.secret_key_file()));
    std::fs::create_dir_all(staging.files.join("ab")).unwrap();
    std::fs::write(staging.files.join("ab/cd"), "sealed").unwrap();
    std::fs::write(staging.join("crm.db"), "a database").unwrap();
    staging
}

#[test]
fn what_appears_at_the_last_moment_is_not_overwritten_and_nothing_is_left() {
    let temp = tempfile::tempdir().unwrap();
    for (number, name) in ["crm.db-wal", "crm.db"].into_iter().enumerate() {
        let to = settings(&temp.path().join(number.to_string()), &[]);
        let staging = nearly_done(&to);
        let theirs = to.data.dir.join(name);
        std::fs::write(&theirs, "theirs").unwrap();
        let refused = put_in_place(&staging, &to.data).unwrap_err();
        assert_eq!(refused.code(), "not_empty");
        staging.abandon();
        assert_eq!(below(&to.data.dir), std::slice::from_ref(&theirs));
        assert_eq!(std::fs::read_to_string(theirs).unwrap(), "theirs");
    }
}

#[tokio::test]
async fn cut_off_before_the_database_a_failing_run_changes_nothing_and_a_right_one_ends_it() {
    let temp = tempfile::tempdir().unwrap();
    let file = backup(temp.path()).await;
    let to = settings(&temp.path().join("new"), &[]);
    let staging = nearly_done(&to);
    staging.move_files().unwrap();
    drop(staging);
    // A key cut off in the middle is nothing that counts.
    std::fs::write(to.data.dir.join(".restored.env.new"), "CRM_FI").unwrap();
    let other = crm_archive::Passphrase::new("another passphrase");
    for _ in 0..2 {
        let wrong = put_back(&to, &file, other.as_ref()).await.unwrap_err();
        assert_eq!(wrong.code(), "passphrase_wrong");
        let started = crate::composition::ServerComposition::open(to.clone()).await;
        assert_eq!(started.err().unwrap().code(), "restore_unfinished");
        assert!(!to.data.secret_key_file().exists(), "that key is not this one's");
    }
    let restored = put_back(&to, &file, Some(&passphrase())).await.unwrap();
    assert!(restored.interrupted);
    assert_eq!(restored.key, crate::backups::KeyFate::Taken);
    assert!(!to.data.dir.join("restoring").exists() && !to.data.dir.join(".restored.env.new").exists());
    let parts = open(&to).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
}

#[test]
fn a_file_that_somebody_put_there_meanwhile_stays() {
    let temp = tempfile::tempdir().unwrap();
    let to = settings(&temp.path().join("new"), &[]);
    let staging = nearly_done(&to);
    let key = to.data.secret_key_file();
    std::fs::write(&key, "from the safe").unwrap();
    staging.abandon();
    assert_eq!(below(&to.data.dir), [key]);
}

/// An empty folder of files may be the root of a disk: it stays, and what goes into it is put together on that disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_files_may_lie_on_another_disk_than_the_database() {
    use std::os::unix::fs::MetadataExt as _;
    let temp = tempfile::tempdir().unwrap();
    let file = backup(temp.path()).await;
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let disk = |dir: &Path| dir.metadata().unwrap().dev();
    assert_ne!(disk(memory.path()), disk(temp.path()), "the test needs two disks");
    let database = temp.path().join("database/crm.db");
    let url = format!("sqlite://{}", database.display());
    let to = settings(&memory.path().join("data"), &[("CRM_DATABASE_URL", &url)]);
    std::fs::create_dir_all(to.data.files_dir.join("lost+found")).unwrap();
    let before = to.data.files_dir.metadata().unwrap().ino();
    let other = crm_archive::Passphrase::new("another passphrase");
    put_back(&to, &file, other.as_ref()).await.unwrap_err();
    put_back(&to, &file, Some(&passphrase())).await.unwrap();
    assert_eq!(to.data.files_dir.metadata().unwrap().ino(), before);
    assert!(to.data.files_dir.join("lost+found").exists());
    assert_eq!(disk(database.parent().unwrap()), disk(temp.path()));
    assert!(!to.data.files_dir.join(".restoring").exists());
    let parts = open(&to).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
}
