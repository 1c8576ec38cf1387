//! The folder of daily backups and of copies before updates: what is thrown away, and what never is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::backups::Taken;
use crm_domain::instant::Instant;
use crm_domain::ports::backup_shelf::BackupShelf as _;
use time::Duration;

use super::world::{open, settings};
use crate::backups::before::{Copies, tidy};
use crate::backups::{FolderShelf, Luggage};
use crate::composition::Composition;

fn at(minute: i64) -> Instant {
    Instant::from_unix_millis(1_751_942_746_446).plus(Duration::minutes(minute))
}

fn shelf(parts: &Composition, keep: usize) -> FolderShelf {
    let mut backups = parts.settings.backups.clone();
    backups.keep = keep;
    FolderShelf::new(Arc::clone(&parts.workshop), backups, Luggage::default())
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn name(taken: &Taken) -> String {
    let file = PathBuf::from(&taken.file);
    file.file_name().unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_just_taken_stays_whatever_the_clock_said_before() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(&settings(temp.path(), &[])).await;
    let shelf = shelf(&parts, 2);
    let mut known = Vec::new();
    let ahead = 365 * 24 * 60;
    for minute in [ahead, ahead + 1, 1, 2, 3] {
        known.insert(0, shelf.take(at(minute)).await.unwrap());
        shelf.tidy(&known, at(minute)).await.unwrap();
    }
    let left: Vec<String> = known[..2].iter().map(name).rev().collect();
    assert_eq!(names(&parts.settings.data.backup_dir), left);
    // Kept by one that had no list of its own.
    let (old, new) = ("crm-20200101000000.tar.zst", "crm-20990101000000.tar.zst");
    for name in [old, new, "mine.tar.zst"] {
        std::fs::write(parts.settings.data.backup_dir.join(name), "x").unwrap();
    }
    assert_eq!(shelf.tidy(&known, at(4)).await.unwrap(), 1);
    let left = names(&parts.settings.data.backup_dir);
    assert!(left.len() == 4 && !left.contains(&old.to_owned()), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_that_share_a_folder_leave_each_others_alone() {
    let temp = tempfile::tempdir().unwrap();
    let shared = temp.path().join("shared");
    let more = [("CRM_BACKUP_DIR", shared.to_str().unwrap())];
    let one = open(&settings(&temp.path().join("one"), &more)).await;
    let two = open(&settings(&temp.path().join("two"), &more)).await;
    std::fs::create_dir(&shared).unwrap();
    let strange = "crm-20200101000000.tar.zst";
    std::fs::write(shared.join(strange), "x").unwrap();
    // In the same second.
    let first = shelf(&one, 1).take(at(1)).await.unwrap();
    let second = shelf(&two, 1).take(at(1)).await.unwrap();
    let again = shelf(&one, 1).take(at(1)).await.unwrap();
    assert_ne!(again.file, first.file, "asked for in the same second");
    std::fs::remove_file(again.file).unwrap();
    for (parts, taken) in [(&one, &first), (&two, &second)] {
        let tidied = shelf(parts, 1).tidy(std::slice::from_ref(taken), at(2)).await;
        assert_eq!(tidied.unwrap(), 0);
    }
    let mut left = vec![name(&first), name(&second), strange.to_owned()];
    left.sort();
    assert_eq!(names(&shared), left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_what_lies_there_and_that_it_is_the_disk_of_the_data() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(&settings(temp.path(), &[])).await;
    let shelf = shelf(&parts, 2);
    let place = shelf.place().await;
    assert!(place.same_disk);
    assert_eq!(place.files.as_deref(), Some(&[][..]), "it is not made yet");
    let taken = shelf.take(at(1)).await.unwrap();
    assert!(!shelf.place().await.lacks(&taken));
    assert_eq!(
        Path::new(&taken.file).parent(),
        shelf.folder().as_deref().map(Path::new)
    );
    std::fs::write(&taken.file, "cut").unwrap();
    assert!(shelf.place().await.lacks(&taken));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_before_an_update_is_used_again_while_it_holds_what_is_there() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(&settings(temp.path(), &[])).await;
    let dir = parts.settings.data.backup_dir.clone();
    std::fs::create_dir(&dir).unwrap();
    let copies = |target, state, minute| Copies {
        workshop: &parts.workshop,
        target,
        state,
        sealed: false,
        now: at(minute),
    };
    let file = copies(34, "aaaaaaaa", 0).file();
    std::fs::write(&file, "x").unwrap();
    let at_hand = |target, state, minute| copies(target, state, minute).at_hand();
    assert_eq!(at_hand(34, "aaaaaaaa", 23 * 60), Some(file.clone()));
    assert_eq!(at_hand(34, "bbbbbbbb", 10), None, "somebody wrote since");
    assert_eq!(at_hand(34, "aaaaaaaa", 25 * 60), None);
    assert_eq!(at_hand(35, "aaaaaaaa", 10), None, "another version");
    assert_eq!(at_hand(34, "aaaaaaaa", -10), None, "by a clock that ran ahead");
    let sealed = Copies {
        sealed: true,
        ..copies(34, "aaaaaaaa", 10)
    };
    assert_eq!(sealed.at_hand(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_before_updates_are_thrown_away_like_daily_ones() {
    let temp = tempfile::tempdir().unwrap();
    let parts = open(&settings(temp.path(), &[])).await;
    let dir = parts.settings.data.backup_dir.clone();
    std::fs::create_dir(&dir).unwrap();
    let mut files = Vec::new();
    for minute in 0..4 {
        let copies = Copies {
            workshop: &parts.workshop,
            target: 34,
            state: "aaaaaaaa",
            sealed: false,
            now: at(minute),
        };
        files.push(copies.file());
    }
    let strange = dir.join("before-0034-20250708024546-00000000-00000000.tar.zst");
    let earlier = dir.join("before-0033-20250601000000.tar.zst");
    for file in files.iter().chain([&strange, &earlier]) {
        std::fs::write(file, "x").unwrap();
    }
    let tidied = |keep, minute, just| tidy(&parts.workshop, keep, at(minute), just).unwrap();
    assert_eq!(tidied(2, 5, Some(files[0].as_path())), 3);
    let left = |file: &PathBuf| file.exists();
    assert_eq!(
        files.iter().map(left).collect::<Vec<_>>(),
        [true, false, false, true]
    );
    assert!(strange.exists() && !earlier.exists());
    // A month later they are of no use.
    assert_eq!(tidied(7, 31 * 24 * 60, None), 2);
    assert_eq!(names(&dir).len(), 1);
}
