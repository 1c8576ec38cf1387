//! Files on the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::{Blob, BlobError, BlobHash, Blobs, Resealed};
use crm_domain::ports::vault::{Vault as _, VaultError};
use crm_testkit::contract::blobs::{self as contract, FilePlace};

use tempfile::TempDir;

use super::SealedBlobs;
use super::folder::{Folder, weight};
use crate::vault::tests::{Desk, HandClock, Shelf};
use crate::vault::{KeyVault, sealed_size};

/// A folder and the vault of its files.
struct Room {
    dir: PathBuf,
    desk: Desk,
}

impl FilePlace for Room {
    fn blobs(&self, quota: u64) -> Arc<dyn Blobs> {
        Arc::new(folder(&self.dir, quota, &self.desk))
    }

    fn sealing(&self) -> DataKeyId {
        self.desk.vault.sealing_key().unwrap()
    }

    fn rotate(&self) {
        self.desk.rotate();
    }

    fn pass(&self, seconds: i64) {
        self.desk.clock.pass(seconds);
    }

    fn forget_retired(&self) {
        self.desk.forget_retired();
    }
}

fn room() -> (TempDir, Room) {
    let temp = tempfile::tempdir().unwrap();
    let (dir, desk) = (temp.path().join("files"), Desk::new());
    (temp, Room { dir, desk })
}

crm_testkit::blob_suite!(room);

fn folder(dir: &Path, quota: u64, desk: &Desk) -> SealedBlobs {
    SealedBlobs::in_folder(dir.to_owned(), quota, Arc::clone(&desk.vault))
}

fn keep(blobs: &SealedBlobs, bytes: &[u8]) -> Result<Blob, BlobError> {
    contract::keep(blobs, bytes)
}

fn read(blobs: &SealedBlobs, hash: &BlobHash) -> io::Result<Vec<u8>> {
    contract::read(blobs, hash).map(Option::unwrap)
}

fn path_of(dir: &Path, hash: &BlobHash) -> PathBuf {
    Folder::new(dir.to_owned(), 0).path_of(hash)
}

/// As it was before contents were sealed.
fn put_plain(dir: &Path, bytes: &[u8]) -> BlobHash {
    let mut hash = BlobHash([0; 32]);
    hash.0
        .copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    let path = path_of(dir, &hash);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    hash
}

/// All rounds of `limit`, and what they did together.
fn reseal_all(blobs: &SealedBlobs, limit: usize) -> (u64, u64) {
    let (mut after, mut sums) = (None, (0, 0));
    loop {
        let round = blobs.reseal(after, limit).unwrap();
        sums = (sums.0 + round.count, sums.1 + round.broken);
        match round.last {
            Some(last) => after = Some(last),
            None => return sums,
        }
    }
}

#[test]
fn a_content_is_kept_once_under_its_hash_and_not_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("files");
    let blobs = folder(&dir, 1_000, &Desk::new());
    let first = keep(&blobs, b"abc").unwrap();
    assert_eq!(
        (first.hash.to_string().as_str(), first.size),
        (
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            3
        )
    );
    assert_eq!(keep(&blobs, b"abc").unwrap(), first);
    assert_eq!(read(&blobs, &first.hash).unwrap(), b"abc");
    assert_eq!(weight(&dir).unwrap(), sealed_size(3), "no draft is left");
    let stored = fs::read(path_of(&dir, &first.hash)).unwrap();
    assert!(!stored.windows(3).any(|part| part == b"abc"));
    assert_eq!(keep(&blobs, b"").unwrap().size, 0);
}

#[test]
fn what_is_not_kept_leaves_nothing_and_nothing_is_found_that_was_not_kept() {
    let temp = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let blobs = folder(temp.path(), 10, &desk);
    let hash = keep(&blobs, b"abc").unwrap().hash;
    let mut draft = blobs.begin().unwrap();
    draft.write(b"1234567").unwrap();
    assert!(matches!(draft.write(b"8"), Err(BlobError::Full)));
    drop(draft);
    assert_eq!(weight(temp.path()).unwrap(), sealed_size(3));
    assert_eq!(keep(&blobs, b"1234567").unwrap().size, 7, "given back");
    assert!(matches!(keep(&blobs, b"8"), Err(BlobError::Full)));
    assert_eq!(keep(&blobs, b"").unwrap().size, 0);
    let other = folder(&temp.path().join("none"), 10, &desk);
    assert!(other.open(&hash).unwrap().is_none());
}

#[test]
fn the_next_start_counts_what_is_there_and_clears_what_a_crash_left() {
    let temp = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let quota = sealed_size(6) + 4;
    keep(&folder(temp.path(), quota, &desk), b"abcdef").unwrap();
    let left = temp.path().join("drafts/77");
    fs::write(&left, b"half").unwrap();
    let again = folder(temp.path(), quota, &desk);
    assert!(matches!(keep(&again, b"12345"), Err(BlobError::Full)));
    keep(&again, b"1234").unwrap();
    assert!(!left.exists());
}

#[test]
fn a_file_of_before_is_read_checked_and_sealed_by_a_rotation() {
    let temp = tempfile::tempdir().unwrap();
    let blobs = folder(temp.path(), 10_000, &Desk::new());
    let old = put_plain(temp.path(), b"from before");
    assert_eq!(read(&blobs, &old).unwrap(), b"from before");
    let changed = put_plain(temp.path(), b"changed by hand");
    fs::write(path_of(temp.path(), &changed), b"Changed by hand").unwrap();
    assert!(read(&blobs, &changed).is_err());
    assert_eq!(blobs.counts().unwrap(), [(None, 2)].into());

    assert_eq!(reseal_all(&blobs, 100), (1, 1));
    assert_eq!(read(&blobs, &old).unwrap(), b"from before");
    assert!(
        fs::read(path_of(temp.path(), &old))
            .unwrap()
            .starts_with(b"\x89CRM")
    );
    let received_again = put_plain(temp.path(), b"again");
    assert_eq!(keep(&blobs, b"again").unwrap().hash, received_again);
    assert!(
        fs::read(path_of(temp.path(), &received_again))
            .unwrap()
            .starts_with(b"\x89CRM")
    );
}

#[test]
fn a_content_that_came_in_during_a_rotation_is_under_the_new_key() {
    let temp = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let blobs = folder(temp.path(), 1_000_000, &desk);
    let mut draft = blobs.begin().unwrap();
    draft.write(&vec![3; 100_000]).unwrap();
    desk.rotate();
    desk.clock.pass(11);
    let blob = draft.keep().unwrap();
    let new = desk.vault.sealing_key().unwrap();
    assert_eq!(blobs.counts().unwrap(), [(Some(new), 1)].into());
    assert_eq!(read(&blobs, &blob.hash).unwrap(), vec![3; 100_000]);
    assert_eq!(fs::read_dir(temp.path().join("drafts")).unwrap().count(), 0);
}

#[test]
fn without_keys_nothing_is_kept_and_a_broken_file_stops_no_rotation() {
    let temp = tempfile::tempdir().unwrap();
    let locked = KeyVault::new(
        Arc::<Shelf>::default(),
        Arc::<HandClock>::default(),
        Arc::new(crate::RingSecrets::new()),
    );
    let closed = SealedBlobs::in_folder(temp.path().to_owned(), 1_000, Arc::new(locked));
    assert!(matches!(
        closed.begin().err(),
        Some(BlobError::Sealed(VaultError::Unavailable))
    ));
    let desk = Desk::new();
    let blobs = folder(temp.path(), 10_000, &desk);
    let (one, two) = (
        keep(&blobs, b"one").unwrap().hash,
        keep(&blobs, b"two").unwrap().hash,
    );
    let path = path_of(temp.path(), &one);
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, bytes).unwrap();
    desk.rotate();
    let round = blobs.reseal(None, 10).unwrap();
    assert_eq!(
        round,
        Resealed {
            count: 1,
            broken: 1,
            last: None
        }
    );
    assert_eq!(read(&blobs, &two).unwrap(), b"two");
}

#[test]
fn the_keys_of_the_files_lie_beside_them() {
    use crate::vault::KeyFolder;
    use crm_domain::instant::Instant;
    use crm_domain::ports::vault::KeyShelf as _;
    let temp = tempfile::tempdir().unwrap();
    let desk = Desk::new();
    let blobs = folder(temp.path(), 1_000, &desk);
    let at = Instant::from_unix_millis(0);
    let beside = KeyFolder::in_files(temp.path());
    assert!(beside.keys(at).unwrap().is_empty());
    desk.rotate();
    let keys = desk.shelf.data_keys().unwrap();
    blobs.keep_keys(&keys).unwrap();
    blobs.keep_keys(&keys).unwrap();
    let mut held = beside.keys(at).unwrap();
    held.sort_by_key(|key| keys.iter().position(|known| known.id == key.id));
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .zip(&keys)
            .all(|(one, other)| one.wrapped == other.wrapped)
    );
    blobs.keep_keys(&keys[1..]).unwrap();
    assert_eq!(beside.keys(at).unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn contents_are_their_owners_only() {
    use crate::data_dir::others_may_read;
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("files");
    let blobs = folder(&dir, 10, &Desk::new());
    let hash = keep(&blobs, b"abc").unwrap().hash;
    assert!(!others_may_read(&dir).unwrap());
    assert!(!others_may_read(&path_of(&dir, &hash)).unwrap());
}
