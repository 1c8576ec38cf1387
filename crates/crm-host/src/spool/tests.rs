use std::path::Path;
use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::ports::spool::{Spool, SpoolError};
use crm_domain::receipts::NewReceipt;

use super::file::SIZE;
use super::{DiskSpool, waiting_in};
use crate::RingSecrets;

fn receipt(number: u8, length: usize) -> NewReceipt {
    NewReceipt {
        bot: "2000001".to_owned(),
        issued: "2025-07-08T02:45:46.446Z".to_owned(),
        digest: [number; 16],
        body: vec![number; length],
        received_at: Instant::from_unix_millis(1_752_000_000_123),
    }
}

fn open(dir: &Path) -> DiskSpool {
    let (spool, opened) = DiskSpool::open(dir, None, Arc::new(RingSecrets::new())).unwrap();
    opened.unwrap();
    spool
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    super::desk::files_in(dir).unwrap()
}

/// A copy of the folder, as a kill at this moment leaves it.
fn as_after_a_kill(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in files(dir) {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    copy
}

async fn numbers(spool: &DiskSpool) -> Vec<u8> {
    let waiting = spool.waiting(1_000).await.unwrap();
    waiting.iter().map(|spooled| spooled.receipt.digest[0]).collect()
}

#[tokio::test]
async fn what_is_kept_is_there_for_the_next_process_until_it_is_released() {
    let temp = tempfile::tempdir().unwrap();
    let spool = open(temp.path());
    let odd = NewReceipt {
        bot: String::new(),
        issued: String::new(),
        body: Vec::new(),
        ..receipt(9, 0)
    };
    for receipt in [receipt(1, 400), odd.clone(), receipt(2, 0)] {
        spool.keep(&receipt).await.unwrap();
    }
    assert_eq!(spool.count(), 3);
    assert_eq!(waiting_in(temp.path()).unwrap(), 3);
    let copy = as_after_a_kill(temp.path());
    let next = open(copy.path());
    let waiting = next.waiting(2).await.unwrap();
    assert_eq!(
        waiting.iter().map(|spooled| &spooled.receipt).collect::<Vec<_>>(),
        [&receipt(1, 400), &odd]
    );
    next.release(waiting.iter().map(|spooled| spooled.id).collect())
        .await
        .unwrap();
    assert_eq!((numbers(&next).await, next.count()), (vec![2], 1));
    let later = as_after_a_kill(copy.path());
    assert_eq!(numbers(&open(later.path())).await, [2]);
}

#[tokio::test]
async fn the_file_is_made_before_it_is_needed_and_for_its_owner_only() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("spool");
    let _spool = open(&dir);
    let [file] = files(&dir).try_into().unwrap();
    let metadata = std::fs::metadata(&file).unwrap();
    assert_eq!(metadata.len(), SIZE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert!(
            metadata.blocks() * 512 >= SIZE,
            "not sparse: {}",
            metadata.blocks()
        );
    }
}

#[tokio::test]
async fn a_living_process_keeps_its_file_and_a_dead_ones_is_taken_over() {
    let temp = tempfile::tempdir().unwrap();
    let living = open(temp.path());
    living.keep(&receipt(1, 10)).await.unwrap();
    let second = open(temp.path());
    assert_eq!(files(temp.path()).len(), 2);
    assert_eq!(numbers(&second).await, [] as [u8; 0]);
    drop(living);
    let third = loop {
        // The lock goes with the thread, a moment after the drop.
        let third = open(temp.path());
        if third.count() == 1 {
            break third;
        }
    };
    assert_eq!(numbers(&third).await, [1]);
}

#[tokio::test]
async fn a_torn_tail_is_ignored_and_written_over() {
    let temp = tempfile::tempdir().unwrap();
    let spool = open(temp.path());
    for number in 1..=3 {
        spool.keep(&receipt(number, 100)).await.unwrap();
    }
    let copy = as_after_a_kill(temp.path());
    let [file] = files(copy.path()).try_into().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.iter().rposition(|byte| *byte == 3).unwrap();
    bytes[last] = 0;
    std::fs::write(&file, bytes).unwrap();
    let next = open(copy.path());
    assert_eq!(numbers(&next).await, [1, 2]);
    next.keep(&receipt(4, 100)).await.unwrap();
    assert_eq!(numbers(&next).await, [1, 2, 4]);
}

#[tokio::test]
async fn what_was_released_leaves_no_trace_and_the_room_is_used_again() {
    let temp = tempfile::tempdir().unwrap();
    let spool = open(temp.path());
    for round in 0..3 {
        spool.keep(&receipt(7, 9_000)).await.unwrap();
        spool.keep(&receipt(8, 100)).await.unwrap();
        let ids = spool
            .waiting(9)
            .await
            .unwrap()
            .iter()
            .map(|spooled| spooled.id)
            .collect();
        spool.release(ids).await.unwrap();
        let [file] = files(temp.path()).try_into().unwrap();
        let bytes = std::fs::read(file).unwrap();
        assert_eq!(bytes.len() as u64, SIZE);
        assert!(bytes[16..].iter().all(|byte| *byte == 0), "round {round}");
    }
    assert_eq!(
        numbers(&open(as_after_a_kill(temp.path()).path())).await,
        [] as [u8; 0]
    );
}

#[tokio::test]
async fn more_than_fits_goes_to_another_file_which_is_deleted_afterwards() {
    let temp = tempfile::tempdir().unwrap();
    let spool = open(temp.path());
    for number in 0..40 {
        spool.keep(&receipt(number, 1_000_000)).await.unwrap();
    }
    assert_eq!((spool.count(), files(temp.path()).len()), (40, 3));
    let mut seen = Vec::new();
    loop {
        let waiting = spool.waiting(1_000).await.unwrap();
        if waiting.is_empty() {
            break;
        }
        assert!(waiting.len() <= 5, "a few MiB at once");
        seen.extend(waiting.iter().map(|spooled| spooled.receipt.digest[0]));
        let ids = waiting.iter().map(|spooled| spooled.id).collect();
        spool.release(ids).await.unwrap();
    }
    assert_eq!(seen, (0..40).collect::<Vec<_>>());
    assert_eq!((spool.count(), files(temp.path()).len()), (0, 1));
}

#[tokio::test]
async fn many_at_once_are_all_kept() {
    let temp = tempfile::tempdir().unwrap();
    let spool = Arc::new(open(temp.path()));
    let keeping: Vec<_> = (0..200)
        .map(|number| {
            let spool = Arc::clone(&spool);
            tokio::spawn(async move { spool.keep(&receipt(number, 300)).await })
        })
        .collect();
    for kept in keeping {
        kept.await.unwrap().unwrap();
    }
    let mut there = numbers(&spool).await;
    there.sort_unstable();
    assert_eq!(there, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said_and_tried_again() {
    let temp = tempfile::tempdir().unwrap();
    let place = temp.path().join("spool");
    std::fs::write(&place, "a file stands in the way").unwrap();
    let (spool, opened) = DiskSpool::open(&place, None, Arc::new(RingSecrets::new())).unwrap();
    assert!(matches!(opened, Err(SpoolError::Io(_))), "{opened:?}");
    assert!(spool.keep(&receipt(1, 10)).await.is_err());
    assert!(spool.probe().await.is_err());
    std::fs::remove_file(&place).unwrap();
    spool.probe().await.unwrap();
    spool.keep(&receipt(1, 10)).await.unwrap();
    assert_eq!(numbers(&spool).await, [1]);
}

#[tokio::test]
async fn what_waits_where_the_spool_was_before_is_taken_in_and_tidied_away() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spool = open(old.path());
    spool.keep(&receipt(1, 10)).await.unwrap();
    let old = as_after_a_kill(old.path());
    let (spool, opened) =
        DiskSpool::open(new.path(), Some(old.path()), Arc::new(RingSecrets::new())).unwrap();
    opened.unwrap();
    assert_eq!(spool.count(), 1);
    spool.keep(&receipt(2, 10)).await.unwrap();
    assert_eq!(
        waiting_in(new.path()).unwrap(),
        1,
        "new ones go to the new folder"
    );
    let waiting = spool.waiting(9).await.unwrap();
    let mut there: Vec<u8> = waiting.iter().map(|spooled| spooled.receipt.digest[0]).collect();
    there.sort_unstable();
    assert_eq!(there, [1, 2]);
    spool
        .release(waiting.iter().map(|spooled| spooled.id).collect())
        .await
        .unwrap();
    assert_eq!((files(old.path()).len(), files(new.path()).len()), (0, 1));
}

#[tokio::test]
async fn a_file_that_somebody_deleted_is_not_written_to() {
    let temp = tempfile::tempdir().unwrap();
    let spool = open(temp.path());
    spool.keep(&receipt(1, 10)).await.unwrap();
    std::fs::remove_file(&files(temp.path())[0]).unwrap();
    spool.keep(&receipt(2, 10)).await.unwrap();
    assert_eq!(numbers(&spool).await, [1, 2], "the deleted one can still be read");
    assert_eq!(waiting_in(temp.path()).unwrap(), 1);
}

#[test]
fn a_folder_that_is_not_there_holds_none() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(waiting_in(&temp.path().join("none")).unwrap(), 0);
}
