//! Files in the tables.

use std::io::Read as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::{BlobHash, Blobs};
use crm_domain::ports::host::Clock;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_domain::ports::vault::{KeyShelf, Vault as _};
use crm_host::vault::WrappingKeys;
use crm_host::{KeyVault, RingSecrets, SealedBlobs, SecretKey};
use crm_postgres::{PostgresStore, TableBlobs};
use crm_testkit::contract::blobs::{FilePlace, bytes, keep, read, wait};
use crm_testkit::fixtures::start;
use crm_testkit::postgres::{Cluster, TestDatabase};

use crate::common;

#[derive(Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Instant {
        let passed = self.0.load(Ordering::Relaxed);
        Instant::from_unix_millis(start().unix_millis() + passed * 1_000)
    }
}

#[derive(Default)]
struct Shelf(Mutex<Vec<DataKey>>);

impl KeyShelf for Shelf {
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn named_secret(&self, _name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}

/// A database and the vault of its files.
struct Tables {
    store: Arc<PostgresStore>,
    shelf: Arc<Shelf>,
    clock: Arc<HandClock>,
    vault: Arc<KeyVault>,
}

impl Tables {
    fn of(store: Arc<PostgresStore>) -> Self {
        let (shelf, clock) = (Arc::<Shelf>::default(), Arc::<HandClock>::default());
        let vault = KeyVault::new(
            Arc::clone(&shelf) as _,
            Arc::clone(&clock) as _,
            Arc::new(RingSecrets::new()),
        );
        let secret = SecretKey::from_text(&"k".repeat(32)).unwrap();
        vault.unlock(Arc::new(WrappingKeys::of(&secret, &[]).unwrap()));
        let tables = Self {
            store,
            shelf,
            clock,
            vault: Arc::new(vault),
        };
        tables.rotate();
        tables
    }
}

impl FilePlace for Tables {
    fn blobs(&self, quota: u64) -> Arc<dyn Blobs> {
        let place = TableBlobs::new(Arc::clone(&self.store), quota);
        Arc::new(SealedBlobs::over(Arc::new(place), Arc::clone(&self.vault)))
    }

    fn sealing(&self) -> DataKeyId {
        self.vault.sealing_key().unwrap()
    }

    fn rotate(&self) {
        let at = self.clock.now();
        let key = self.vault.new_data_key(at).unwrap();
        let mut keys = self.shelf.0.lock().unwrap();
        for old in keys.iter_mut() {
            old.retired_at = old.retired_at.or(Some(at));
        }
        keys.push(key);
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn forget_retired(&self) {
        let mut keys = self.shelf.0.lock().unwrap();
        keys.retain(|key| key.retired_at.is_none());
    }
}

fn tables() -> (TestDatabase, Tables) {
    let (database, store) = common::new_store();
    (database, Tables::of(store))
}

crm_testkit::blob_suite!(tables);

fn count(database: &TestDatabase, what: &str) -> u64 {
    let printed = database.sql(&format!("SELECT count(*) FROM {what}"));
    printed.trim().parse().unwrap()
}

#[test]
fn what_lies_in_the_tables_is_sealed_and_in_chunks() {
    let (database, tables) = tables();
    let content = bytes(1_000_000);
    keep(&*tables.blobs(u64::MAX >> 1), &content).unwrap();
    assert_eq!(count(&database, "blob_chunks"), 4);
    let sizes = database.sql("SELECT octet_length(bytes) FROM blob_chunks ORDER BY no");
    assert_eq!(sizes.lines().next().unwrap().trim(), "262208");
    let part = BlobHash(content[500..532].try_into().unwrap());
    let found = format!("blob_chunks WHERE position('\\x{part}'::bytea IN bytes) > 0");
    assert_eq!(count(&database, &found), 0);
}

/// Without the header, in which the file's salt lies, nobody can open what is left until it is swept.
#[test]
fn a_removed_content_is_beyond_recovery_at_once_and_gone_after_an_hour() {
    let (database, tables) = tables();
    let blobs = tables.blobs(1_000_000);
    let blob = keep(&*blobs, &bytes(300_000)).unwrap();
    assert!(wait(blobs.remove(&blob.hash)).unwrap());
    wait(blobs.tidy()).unwrap();
    assert_eq!(count(&database, "blob_bodies WHERE header IS NOT NULL"), 0);
    assert_eq!(count(&database, "blob_chunks"), 2);
    database.sql("UPDATE blob_bodies SET gone_at = gone_at - interval '61 minutes'");
    wait(blobs.tidy()).unwrap();
    assert_eq!(count(&database, "blob_bodies"), 0);
    assert_eq!(count(&database, "blob_chunks"), 0);
}

#[test]
fn a_draft_whose_server_died_is_swept_after_a_day_and_nothing_else_is() {
    let (database, tables) = tables();
    let blobs = tables.blobs(2_000_000);
    let kept = keep(&*blobs, b"stays").unwrap();
    let mut dead = blobs.begin().unwrap();
    dead.write(&bytes(800_000)).unwrap();
    // Its server dies: nobody runs what it does at its end.
    std::mem::forget(dead);
    let mut coming = blobs.begin().unwrap();
    coming.write(&bytes(700_000)).unwrap();
    database.sql(
        "UPDATE blob_bodies SET begun_at = begun_at - interval '25 hours' WHERE size < 750000 AND size > 0",
    );
    database.sql("UPDATE blob_bodies SET begun_at = begun_at - interval '25 hours' WHERE size > 750000");
    let lively =
        "UPDATE blob_bodies SET begun_at = now() AT TIME ZONE 'UTC' WHERE size BETWEEN 500000 AND 750000";
    database.sql(lively);
    wait(blobs.tidy()).unwrap();
    assert_eq!(count(&database, "blob_bodies"), 2);
    let fresh = coming.keep().unwrap();
    assert_eq!(read(&*blobs, &fresh.hash).unwrap().unwrap(), bytes(700_000));
    assert_eq!(read(&*blobs, &kept.hash).unwrap().unwrap(), b"stays");
}

#[test]
fn a_chunk_that_is_lost_changed_or_of_another_file_is_an_error() {
    let (database, tables) = tables();
    let blobs = tables.blobs(10_000_000);
    let one = keep(&*blobs, &bytes(900_000)).unwrap();
    let two = keep(&*blobs, &bytes(900_001)).unwrap();
    let three = keep(&*blobs, &bytes(900_002)).unwrap();
    let body = |hash: &BlobHash| format!("(SELECT body FROM blobs WHERE hash = '\\x{hash}')");
    database.sql(&format!(
        "DELETE FROM blob_chunks WHERE no = 3 AND body = {}",
        body(&one.hash)
    ));
    database.sql(&format!(
        "UPDATE blob_chunks SET bytes = set_byte(bytes, 77, get_byte(bytes, 77) # 1) WHERE no = 1 AND body = {}",
        body(&two.hash)
    ));
    database.sql(&format!(
        "UPDATE blob_chunks SET bytes = (SELECT bytes FROM blob_chunks WHERE no = 2 \
         AND body = {}) WHERE no = 2 AND body = {}",
        body(&two.hash),
        body(&three.hash)
    ));
    for blob in [one, two, three] {
        assert!(read(&*blobs, &blob.hash).is_err());
    }
    // Of one that is not whole a new one is kept.
    assert_eq!(keep(&*blobs, &bytes(900_000)).unwrap(), one);
    assert_eq!(read(&*blobs, &one.hash).unwrap().unwrap(), bytes(900_000));
}

/// 100 MiB pass through a little memory, in and out.
#[test]
fn a_large_content_takes_little_memory() {
    const SIZE: usize = 100 * 1024 * 1024;
    let (_database, tables) = tables();
    let blobs = tables.blobs(u64::MAX >> 1);
    let piece = bytes(64 * 1024);
    let before = memory();
    let mut draft = blobs.begin().unwrap();
    for _ in 0..SIZE / piece.len() {
        draft.write(&piece).unwrap();
    }
    let blob = draft.keep().unwrap();
    assert_eq!(blob.size, SIZE as u64);
    let mut reader = blobs.open(&blob.hash).unwrap().unwrap();
    let (mut found, mut sum) = (vec![0; 64 * 1024], 0);
    loop {
        match reader.read(&mut found).unwrap() {
            0 => break,
            count => sum += count,
        }
    }
    assert_eq!(sum, SIZE);
    let more = memory() - before;
    // What the test itself and the connection take differs; the content itself would be seven times as much.
    assert!(more < 14 * 1024, "{more} KiB more than before");
}

/// The most memory that this process had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_database_that_restarts_interrupts_neither_reader_nor_writer() {
    let cluster = Cluster::start();
    let store = PostgresStore::open(common::options(&cluster.url("crm"))).unwrap();
    let store = Arc::new(store);
    common::run(async { drop(store.migrate().await.unwrap()) });
    let tables = Tables::of(store);
    let blobs = tables.blobs(10_000_000);
    let content = bytes(1_500_000);
    let kept = keep(&*blobs, &content).unwrap();
    let mut reader = blobs.open(&kept.hash).unwrap().unwrap();
    let mut found = vec![0; 10];
    reader.read_exact(&mut found).unwrap();
    let other = bytes(1_400_000);
    let mut draft = blobs.begin().unwrap();
    draft.write(&other[..700_000]).unwrap();
    cluster.kill();
    let again = std::thread::scope(|scope| {
        scope.spawn(|| cluster.start_again());
        draft.write(&other[700_000..]).unwrap();
        draft.keep().unwrap()
    });
    reader.read_to_end(&mut found).unwrap();
    assert!(found == content);
    assert!(read(&*blobs, &again.hash).unwrap().unwrap() == other);
}
