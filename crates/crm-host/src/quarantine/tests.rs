use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Moment};

use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use crm_domain::ports::quarantine::{HeldCallback, HeldReason, Quarantine};

use super::DiskQuarantine;
use super::file::{BYTES, COUNT, HeldFile};
use super::gate::{Gate, Source};

const DAY: i64 = 24 * 3600 * 1000;

/// A clock that is set by hand.
#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(self.0.load(Ordering::Relaxed))
    }
}

fn address(number: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, number])
}

fn callback(from: u8, body: &[u8]) -> HeldCallback {
    HeldCallback {
        reason: HeldReason::WrongSignature,
        bot_id: "2000001".to_owned(),
        signature: "c2ln".to_owned(),
        body: body.to_vec(),
        from: Some(address(from)),
        at: Instant::from_unix_millis(10 * DAY),
    }
}

fn now() -> Instant {
    Instant::from_unix_millis(10 * DAY + 1)
}

fn bodies(file: &HeldFile) -> Vec<Vec<u8>> {
    let all = file.all(now()).unwrap();
    all.into_iter().map(|(_, held)| held.body).collect()
}

#[tokio::test]
async fn what_is_held_can_be_looked_at_and_released_by_another_process() {
    let temp = tempfile::tempdir().unwrap();
    let clock = Arc::new(SetClock(AtomicI64::new(10 * DAY)));
    let (server, command) = (
        DiskQuarantine::new(temp.path(), Arc::clone(&clock) as _),
        DiskQuarantine::new(temp.path(), clock),
    );
    assert!(command.held(now()).await.unwrap().is_empty());
    let (one, two) = (callback(1, b"one"), callback(2, b"two"));
    server.hold(one.clone());
    server.hold(two.clone());
    let begun = Moment::now();
    let held = loop {
        let held = command.held(now()).await.unwrap();
        if held.len() == 2 {
            break held;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "held in vain");
    };
    assert_eq!((&held[0].1, &held[1].1), (&one, &two));
    command.release(vec![held[0].0]).await.unwrap();
    assert_eq!(command.held(now()).await.unwrap(), held[1..]);
}

#[test]
fn after_a_release_by_another_process_more_is_held_and_numbers_are_not_used_twice() {
    let temp = tempfile::tempdir().unwrap();
    let (mut server, mut command) = (HeldFile::new(temp.path()), HeldFile::new(temp.path()));
    assert_eq!(
        server.add(&[callback(1, b"one"), callback(1, b"two")]).unwrap(),
        2
    );
    let ids: Vec<_> = server.all(now()).unwrap().iter().map(|(id, _)| *id).collect();
    command.remove(&ids, now()).unwrap();
    let later = HeldCallback {
        at: now(),
        ..callback(1, b"three")
    };
    server.add(&[later]).unwrap();
    command.remove(&ids, now()).unwrap();
    assert_eq!(bodies(&server), [b"three"]);
}

#[test]
fn a_torn_tail_is_cut_off() {
    let temp = tempfile::tempdir().unwrap();
    let mut file = HeldFile::new(temp.path());
    file.add(&[callback(1, b"one"), callback(1, b"two")]).unwrap();
    let path = temp.path().join("held-callbacks.bin");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let mut file = HeldFile::new(temp.path());
    assert_eq!(bodies(&file), [b"one"]);
    file.add(&[callback(1, b"three")]).unwrap();
    assert_eq!(bodies(&file), [b"one".to_vec(), b"three".to_vec()]);
}

#[test]
fn one_source_cannot_take_all_the_room_and_the_oldest_stay() {
    let temp = tempfile::tempdir().unwrap();
    let mut file = HeldFile::new(temp.path());
    let flood: Vec<_> = (0..COUNT + 5).map(|_| callback(1, b"flood")).collect();
    assert_eq!(file.add(&flood).unwrap(), COUNT / 2);
    assert_eq!(file.add(&[callback(2, b"real")]).unwrap(), 1);
    let large: Vec<_> = (0..300).map(|_| callback(2, &vec![1; 120 * 1024])).collect();
    let taken = file.add(&large).unwrap();
    assert!(taken * 120 * 1024 < BYTES / 3 && taken > 80, "{taken}");
    assert_eq!(file.add(&[callback(3, b"other")]).unwrap(), 1);
    assert_eq!(bodies(&file)[0], b"flood");
}

#[test]
fn after_seven_days_nothing_is_left() {
    let temp = tempfile::tempdir().unwrap();
    let mut file = HeldFile::new(temp.path());
    file.add(&[callback(1, b"old")]).unwrap();
    let later = Instant::from_unix_millis(17 * DAY);
    assert!(file.all(later).unwrap().is_empty());
    file.remove(&[], now()).unwrap();
    assert_eq!(bodies(&file).len(), 1);
    file.remove(&[], later).unwrap();
    assert!(!temp.path().join("held-callbacks.bin").exists());
}

#[test]
fn only_so_many_pass_a_second_and_one_source_does_not_use_them_up() {
    let (gate, begun) = (Gate::new(20, 10), Moment::now());
    let (loud, quiet) = (Source::of(Some(address(1))), Source::of(Some(address(2))));
    let pass = |source, times: usize, at| (0..times).filter(|_| gate.pass_at(source, at)).count();
    assert_eq!(pass(loud, 50, begun), 10);
    assert_eq!(pass(quiet, 5, begun), 5);
    assert_eq!(pass(Source::Unknown, 50, begun), 5);
    assert_eq!(pass(loud, 50, begun + Duration::from_secs(1)), 10);
}

#[test]
fn a_large_body_is_not_even_looked_at_and_nothing_is_made_by_looking() {
    let temp = tempfile::tempdir().unwrap();
    let quarantine = DiskQuarantine::new(temp.path(), Arc::new(SetClock::default()));
    assert!(quarantine.admits(Some(address(1)), 1_000));
    assert!(!quarantine.admits(Some(address(1)), 1_000_000));
    let passed = (0..200)
        .filter(|_| quarantine.admits(Some(address(9)), 10))
        .count();
    assert!(passed <= 50, "{passed}");
    assert_eq!(files_in(temp.path()), 0);
}

fn files_in(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}
