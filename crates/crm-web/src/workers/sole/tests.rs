//! Leases over a store in memory, at a faster pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crm_domain::memory::MemoryStore;
use crm_domain::ports::backup_shelf::NoShelf;
use crm_domain::ports::erased::NoErasedList;
use crm_domain::ports::host::NoCaller;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::use_cases::{Crm, Ports};
use crm_testkit::fakes::{
    CountedCodes, FakeCallbacks, FakeConnector, FakeFiles, FakeMessengers, FakeProfiles, FakeQuarantine,
    FakeSeals, FakeSpool, FakeVault, FixedClock, MemoryBlobs, PlainPasswords, SeededSecrets,
};
use crm_testkit::fixtures::BOT;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{JOB, Lease, Pace};
use crate::server::Stop;

const NAME: &str = "tester";
const PATIENCE: Duration = Duration::from_secs(20);

fn crm(store: &Arc<MemoryStore>) -> Crm {
    Crm::new(Ports {
        store: Arc::clone(store) as _,
        clock: Arc::new(FixedClock::default()),
        secrets: Arc::new(SeededSecrets::new(1)),
        codes: Arc::new(CountedCodes),
        passwords: Arc::new(PlainPasswords::default()),
        messengers: Arc::new(FakeMessengers::default()),
        connector: Arc::new(FakeConnector::default()),
        callbacks: Arc::new(FakeCallbacks::new(BOT)),
        spool: Arc::new(FakeSpool::default()),
        quarantine: Arc::new(FakeQuarantine::default()),
        files: Arc::new(FakeFiles::default()),
        blobs: Arc::new(MemoryBlobs::default()),
        shelf: Arc::new(NoShelf),
        erased: Arc::new(NoErasedList),
        profiles: Arc::new(FakeProfiles::default()),
        vault: Arc::new(FakeVault),
        several_instances: true,
        caller: Arc::new(NoCaller),
        seals: Arc::new(FakeSeals::default()),
    })
}

/// The lease of one instance, on a store that others may share.
fn lease(store: &Arc<MemoryStore>) -> Lease {
    Lease {
        job: NAME,
        owner: "one".into(),
        crm: crm(store),
        stop: Stop::default(),
        pace: Pace {
            lease: Duration::from_secs(2),
            renew: Duration::from_millis(100),
            look: Duration::from_millis(50),
        },
    }
}

/// Whether another instance can have the job now; it gives it back at once.
async fn is_free(other: &Crm) -> bool {
    let taken = other.take_job(&JOB, NAME, "other", time::Duration::ZERO);
    taken.await.unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ended(working: JoinHandle<()>) {
    let ended = tokio::time::timeout(PATIENCE, working).await;
    ended.expect("it ends").unwrap();
}

/// A job that never awaits for longer than its lease lasts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_keeps_its_thread_busy_keeps_its_lease() {
    let store = Arc::new(MemoryStore::new());
    let (lease, other) = (lease(&store), crm(&store));
    let (begun, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let stop = lease.stop.clone();
    let marks = (Arc::clone(&begun), Arc::clone(&done));
    let working = tokio::spawn(async move {
        let busy = || async {
            marks.0.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(4));
            marks.1.store(true, Ordering::SeqCst);
            lease.stop.now();
        };
        lease.work(busy).await;
    });
    until("it works", async || begun.load(Ordering::SeqCst)).await;
    until("it is done", async || {
        let free = is_free(&other).await;
        let is_done = done.load(Ordering::SeqCst);
        assert!(is_done || !free, "another could have it in the middle");
        is_done
    })
    .await;
    assert!(stop.is_said());
    ended(working).await;
}

/// Told when the job that holds it is over, however it ends.
struct Present(Arc<AtomicUsize>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A job that works until it is stopped, and how many of it work.
fn patient(lease: Lease) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    let present = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&present);
    let working = tokio::spawn(async move {
        let stop = lease.stop.clone();
        let job = || async {
            counted.fetch_add(1, Ordering::SeqCst);
            let _present = Present(Arc::clone(&counted));
            stop.said().await;
        };
        lease.work(job).await;
    });
    (working, present)
}

#[tokio::test]
async fn a_lost_lease_ends_the_job_until_it_is_had_again() {
    let store = Arc::new(MemoryStore::new());
    let (lease, other) = (lease(&store), crm(&store));
    let stop = lease.stop.clone();
    let (working, present) = patient(lease);
    let works = async || present.load(Ordering::SeqCst) == 1;
    until("it works", works).await;
    let robbed: Result<bool, StoreError> = store
        .write(|uow| {
            uow.edit_leases().give_back_lease(NAME, "one")?;
            let long = time::Duration::minutes(10);
            uow.edit_leases().take_lease(NAME, "other", long)
        })
        .await;
    assert!(robbed.unwrap());
    until("it ends", async || present.load(Ordering::SeqCst) == 0).await;
    other.leave_job(&JOB, NAME, "other").await.unwrap();
    until("it works again", works).await;
    stop.now();
    ended(working).await;
}

#[tokio::test]
async fn a_job_that_ends_gives_its_lease_back() {
    let store = Arc::new(MemoryStore::new());
    let (lease, other) = (lease(&store), crm(&store));
    let stop = lease.stop.clone();
    let (working, present) = patient(lease);
    until("it works", async || present.load(Ordering::SeqCst) == 1).await;
    assert!(!is_free(&other).await);
    stop.now();
    ended(working).await;
    assert!(is_free(&other).await, "nobody has to wait for its end");
}
