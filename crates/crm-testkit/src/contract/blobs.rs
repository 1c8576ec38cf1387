//! What every place of files promises, with the vault over it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::thread;

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::{Blob, BlobError, BlobHash, Blobs};

use crate::fakes::sha256_of;

const ROOM: u64 = 100_000_000;

/// A new, empty place of files, and the keys of its vault.
pub trait FilePlace: Sync {
    /// What one server has of it, with this quota in bytes.
    fn blobs(&self, quota: u64) -> Arc<dyn Blobs>;

    /// The data key that seals now.
    fn sealing(&self) -> DataKeyId;

    /// Another data key seals from now on.
    fn rotate(&self);

    /// Lets so many seconds pass.
    fn pass(&self, seconds: i64);

    /// The data keys that do not seal any more are gone.
    fn forget_retired(&self);
}

/// Makes a `#[test]` of every case on the place that `$make`, a function, gives: `fn() -> (G, impl FilePlace)`.
#[macro_export]
macro_rules! blob_suite {
    ($make:ident) => {
        $crate::blob_tests! { $make
            a_content_comes_back_whatever_its_size,
            a_content_is_kept_once_under_its_hash,
            of_many_who_keep_the_same_all_succeed,
            what_one_server_keeps_another_finds,
            a_draft_that_is_dropped_leaves_nothing,
            what_was_not_kept_is_not_there,
            what_is_more_than_the_quota_is_refused,
            a_removed_content_gives_its_room_back,
            a_removed_content_can_be_kept_again,
            who_reads_a_content_reads_on_when_it_is_removed,
            who_reads_a_content_reads_on_when_it_is_sealed_anew,
            sealing_anew_goes_on_where_it_was_interrupted,
            two_who_seal_anew_at_once_do_no_harm,
            a_removed_content_is_not_sealed_anew,
            what_came_in_while_the_key_changed_is_under_the_new_one,
        }
    };
}

/// See [`blob_suite`].
#[doc(hidden)]
#[macro_export]
macro_rules! blob_tests {
    ($make:ident $($case:ident,)*) => {$(
        #[test]
        fn $case() {
            let (_guard, place) = $make();
            $crate::contract::blobs::$case(&place);
        }
    )*};
}

/// The outcome of a call that is async.
pub fn wait<T>(call: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(call)
}

/// Keeps a content, written in small and large pieces.
pub fn keep(blobs: &dyn Blobs, bytes: &[u8]) -> Result<Blob, BlobError> {
    let mut draft = blobs.begin()?;
    let (begin, rest) = bytes.split_at(bytes.len().min(7));
    for piece in begin.chunks(3).chain(rest.chunks(70_001)) {
        draft.write(piece)?;
    }
    draft.keep()
}

/// Reads a content; `None` if it is not there.
pub fn read(blobs: &dyn Blobs, hash: &BlobHash) -> io::Result<Option<Vec<u8>>> {
    let Some(mut reader) = blobs.open(hash).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Bytes that do not repeat soon.
pub fn bytes(length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes())
        .take(length)
        .collect()
}

fn holds(blobs: &dyn Blobs, blob: &Blob, content: &[u8]) {
    let found = read(blobs, &blob.hash).expect("readable").expect("there");
    assert!(found == content, "another content");
}

/// All rounds of `limit`, and what they did together.
fn reseal_all(blobs: &dyn Blobs, limit: usize) -> (u64, u64) {
    let (mut after, mut sums) = (None, (0, 0));
    loop {
        let round = blobs.reseal(after, limit).expect("a round");
        sums = (sums.0 + round.count, sums.1 + round.broken);
        match round.last {
            Some(last) => after = Some(last),
            None => return sums,
        }
    }
}

fn counts(blobs: &dyn Blobs) -> BTreeMap<Option<DataKeyId>, u64> {
    blobs.counts().expect("counts")
}

pub fn a_content_comes_back_whatever_its_size(place: &impl FilePlace) {
    const SEALED: usize = 64 * 1024;
    let blobs = place.blobs(ROOM);
    for size in [
        0,
        1,
        SEALED - 1,
        SEALED,
        SEALED + 1,
        4 * SEALED,
        4 * SEALED + 1,
        1_000_003,
    ] {
        let content = bytes(size);
        let blob = keep(&*blobs, &content).expect("kept");
        assert_eq!(
            (blob.hash, blob.size),
            (BlobHash(sha256_of(&content)), size as u64)
        );
        holds(&*blobs, &blob, &content);
    }
}

pub fn a_content_is_kept_once_under_its_hash(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let first = keep(&*blobs, b"abc").expect("kept");
    assert_eq!(
        first.hash.to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(keep(&*blobs, b"abc").expect("kept"), first);
    assert_eq!(counts(&*blobs), [(Some(place.sealing()), 1)].into());
}

pub fn of_many_who_keep_the_same_all_succeed(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let content = bytes(300_000);
    let kept: Vec<Blob> = thread::scope(|scope| {
        let keeping: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| keep(&*blobs, &content).expect("kept")))
            .collect();
        keeping
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    for blob in &kept {
        holds(&*blobs, blob, &content);
    }
    assert_eq!(counts(&*blobs), [(Some(place.sealing()), 1)].into());
}

pub fn what_one_server_keeps_another_finds(place: &impl FilePlace) {
    let content = bytes(100_000);
    let blob = keep(&*place.blobs(ROOM), &content).expect("kept");
    let other = place.blobs(ROOM);
    holds(&*other, &blob, &content);
    assert!(wait(other.remove(&blob.hash)).expect("removed"));
    assert_eq!(read(&*place.blobs(ROOM), &blob.hash).expect("asked"), None);
}

pub fn a_draft_that_is_dropped_leaves_nothing(place: &impl FilePlace) {
    let blobs = place.blobs(500_000);
    let content = bytes(400_000);
    for _ in 0..3 {
        let mut draft = blobs.begin().expect("a draft");
        draft.write(&content).expect("room");
    }
    assert_eq!(
        read(&*blobs, &BlobHash(sha256_of(&content))).expect("asked"),
        None
    );
    assert!(counts(&*blobs).is_empty());
    keep(&*blobs, &content).expect("its room was given back");
}

pub fn what_was_not_kept_is_not_there(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let hash = BlobHash([7; 32]);
    assert_eq!(read(&*blobs, &hash).expect("asked"), None);
    assert!(!wait(blobs.remove(&hash)).expect("asked"));
}

pub fn what_is_more_than_the_quota_is_refused(place: &impl FilePlace) {
    let blobs = place.blobs(600_000);
    keep(&*blobs, &bytes(400_000)).expect("room");
    let mut draft = blobs.begin().expect("a draft");
    draft.write(&bytes(150_000)).expect("room");
    assert!(matches!(draft.write(&bytes(100_000)), Err(BlobError::Full)));
    drop(draft);
    keep(&*blobs, &bytes(150_001)).expect("given back");
    let fresh = place.blobs(600_000);
    assert!(matches!(keep(&*fresh, &bytes(100_000)), Err(BlobError::Full)));
    keep(&*fresh, b"").expect("nothing takes no room");
}

pub fn a_removed_content_gives_its_room_back(place: &impl FilePlace) {
    let blobs = place.blobs(300_000);
    for size in [200_000, 200_001, 200_002] {
        let blob = keep(&*blobs, &bytes(size)).expect("room");
        assert!(wait(blobs.remove(&blob.hash)).expect("removed"));
        assert!(!wait(blobs.remove(&blob.hash)).expect("asked again"));
        assert_eq!(read(&*blobs, &blob.hash).expect("asked"), None);
    }
}

pub fn a_removed_content_can_be_kept_again(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let content = bytes(300_000);
    let blob = keep(&*blobs, &content).expect("kept");
    assert!(wait(blobs.remove(&blob.hash)).expect("removed"));
    assert_eq!(keep(&*blobs, &content).expect("kept again"), blob);
    holds(&*blobs, &blob, &content);
}

/// Begins to read, lets something happen, reads on.
fn read_across(place: &impl FilePlace, happens: impl FnOnce(&dyn Blobs, &Blob)) {
    let blobs = place.blobs(ROOM);
    let content = bytes(1_500_000);
    let blob = keep(&*blobs, &content).expect("kept");
    let mut reader = blobs.open(&blob.hash).expect("asked").expect("there");
    let mut found = vec![0; 10];
    reader.read_exact(&mut found).expect("its beginning");
    happens(&*place.blobs(ROOM), &blob);
    reader.read_to_end(&mut found).expect("its end");
    assert!(found == content, "another content");
}

pub fn who_reads_a_content_reads_on_when_it_is_removed(place: &impl FilePlace) {
    read_across(place, |other, blob| {
        assert!(wait(other.remove(&blob.hash)).expect("removed"));
        wait(other.tidy()).expect("tidy");
    });
}

pub fn who_reads_a_content_reads_on_when_it_is_sealed_anew(place: &impl FilePlace) {
    read_across(place, |other, _| {
        place.rotate();
        place.pass(11);
        assert_eq!(reseal_all(other, 5), (1, 0));
        wait(other.tidy()).expect("tidy");
    });
}

pub fn sealing_anew_goes_on_where_it_was_interrupted(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let contents: Vec<Vec<u8>> = (0..8).map(|number| bytes(number * 40_000)).collect();
    let kept: Vec<Blob> = contents
        .iter()
        .map(|content| keep(&*blobs, content).expect("kept"))
        .collect();
    let old = place.sealing();
    place.rotate();
    place.pass(11);
    let new = place.sealing();
    assert_eq!(blobs.reseal(None, 3).expect("a round").count, 3);
    assert_eq!(counts(&*blobs), [(Some(old), 5), (Some(new), 3)].into());
    assert_eq!(reseal_all(&*place.blobs(ROOM), 2), (5, 0), "begun anew elsewhere");
    assert_eq!(counts(&*blobs), [(Some(new), 8)].into());
    assert_eq!(reseal_all(&*blobs, 2), (0, 0));
    place.forget_retired();
    for (blob, content) in kept.iter().zip(&contents) {
        holds(&*blobs, blob, content);
    }
}

pub fn two_who_seal_anew_at_once_do_no_harm(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let kept: Vec<Blob> = (0..20)
        .map(|number| keep(&*blobs, &bytes(300 + number)).expect("kept"))
        .collect();
    place.rotate();
    place.pass(11);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| reseal_all(&*place.blobs(ROOM), 5));
        }
    });
    assert_eq!(counts(&*blobs), [(Some(place.sealing()), 20)].into());
    place.forget_retired();
    for (number, blob) in kept.iter().enumerate() {
        holds(&*blobs, blob, &bytes(300 + number));
    }
}

pub fn a_removed_content_is_not_sealed_anew(place: &impl FilePlace) {
    let blobs = place.blobs(ROOM);
    let blob = keep(&*blobs, b"gone").expect("kept");
    keep(&*blobs, b"stays").expect("kept");
    place.rotate();
    place.pass(11);
    assert!(wait(blobs.remove(&blob.hash)).expect("removed"));
    assert_eq!(reseal_all(&*blobs, 1), (1, 0));
    assert_eq!(read(&*blobs, &blob.hash).expect("asked"), None);
}

pub fn what_came_in_while_the_key_changed_is_under_the_new_one(place: &impl FilePlace) {
    let content = bytes(800_000);
    let blobs = place.blobs(900_000);
    let mut draft = blobs.begin().expect("a draft");
    draft.write(&content).expect("room");
    place.rotate();
    place.pass(11);
    let blob = draft.keep().expect("kept");
    assert_eq!(counts(&*blobs), [(Some(place.sealing()), 1)].into());
    place.forget_retired();
    holds(&*blobs, &blob, &content);
    assert!(matches!(keep(&*blobs, &bytes(100_001)), Err(BlobError::Full)));
}
