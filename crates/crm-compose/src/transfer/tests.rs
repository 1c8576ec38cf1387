//! Whole stores from one kind of database into the other and back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::customers::CustomerFilter;
use crm_domain::instant::Instant;
use crm_domain::members::{Grants, NewMember, Role};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::{BlobHash, Blobs as _};
use crm_domain::ports::bulk::{BulkError, BulkSource, BulkStore, Key, TableShape, Take};
use crm_domain::ports::store::{Store, StoreError, StoreExt as _};
use crm_domain::sends::{Author, NewSend, Urgency};
use crm_domain::teams::Visible;
use crm_domain::values::MessageText;
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_samples::{Crowd, fill_crowd};
use crm_sqlite::{SqliteOptions, SqliteStore};
use crm_testkit::bulk::{everything, fill};
use crm_testkit::postgres::TestDatabase;

use super::{Copied, CopyError, LoadedTable, Side, Teller, copy, load, prove};
use crate::composition::{Composition, ServerComposition};
use crate::settings::{Database, Need, Settings, Source};

const BOT: &str = "2000001";

fn quiet() -> Teller {
    Arc::new(|_| ())
}

fn file(path: &Path) -> SqliteStore {
    let options = SqliteOptions {
        path: path.to_owned(),
        readers: 2,
        create: true,
    };
    SqliteStore::open_for_copy(options, None).unwrap()
}

fn server(url: &str) -> PostgresStore {
    PostgresStore::open_for_copy(PostgresOptions {
        url: url.to_owned(),
        replica: None,
        connections: 2,
        application: "crm".to_owned(),
    })
    .unwrap()
}

/// Loads, proves, and releases what is equal.
fn moved(from: &dyn BulkStore, to: &dyn BulkStore) -> Vec<LoadedTable> {
    let mut source = from.bulk_source().unwrap();
    let mut target = to.bulk_target().unwrap();
    let loaded = load(source.as_mut(), target.as_mut(), "a test", &quiet()).unwrap();
    let proofs = prove(source.as_mut(), target.written().unwrap().as_mut(), &loaded, &quiet()).unwrap();
    assert_eq!(proofs.len(), loaded.len());
    for proof in proofs {
        assert!(proof.is_equal() && proof.target.rows > 0, "{proof:?}");
    }
    target.release().unwrap();
    loaded
}

fn all(store: &dyn BulkStore, tables: &[LoadedTable]) -> BTreeMap<String, Vec<u8>> {
    let shapes: Vec<TableShape> = tables.iter().map(|table| table.shape.clone()).collect();
    everything(store.bulk_source().unwrap().as_mut(), &shapes).unwrap()
}

#[test]
fn every_table_comes_back_over_the_other_kind_of_database() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (file(&folder.path().join("a.db")), file(&folder.path().join("b.db")));
    let mut filled = first.bulk_target().unwrap();
    let tables = filled.begin("a test").unwrap();
    fill(filled.as_mut(), &tables, 40).unwrap();
    filled.complete(&mut |_| ()).unwrap();
    filled.release().unwrap();

    let between = TestDatabase::empty();
    let between_store = server(&between.url);
    let loaded = moved(&first, &between_store);
    moved(&between_store, &last);
    assert_eq!(all(&first, &loaded), all(&last, &loaded));
    assert_eq!(all(&first, &loaded), all(&between_store, &loaded));

    // The next row of every table gets a number that nobody had.
    between.sql("INSERT INTO companies (name) VALUES ('next')");
    assert_eq!(between.sql("SELECT max(id) FROM companies").trim(), "41");
    let plain = TestDatabase::new();
    let schema = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
    assert_eq!(between.sql(schema), plain.sql(schema));
}

#[test]
fn one_changed_value_is_found_and_its_table_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(&folder.path().join("a.db"));
    let mut filled = first.bulk_target().unwrap();
    let tables = filled.begin("a test").unwrap();
    fill(filled.as_mut(), &tables, 5).unwrap();
    filled.complete(&mut |_| ()).unwrap();
    filled.release().unwrap();
    let between = TestDatabase::empty();
    let store = server(&between.url);
    let mut source = first.bulk_source().unwrap();
    let mut target = store.bulk_target().unwrap();
    let loaded = load(source.as_mut(), target.as_mut(), "a test", &quiet()).unwrap();
    for (change, table) in [
        ("UPDATE notes SET text = text || ' ' WHERE id = 3", "notes"),
        ("UPDATE customers SET deleted_at = deleted_at + interval '1 millisecond' WHERE id = 5", "customers"),
        ("UPDATE reads SET received = received + 1 WHERE id = 1", "reads"),
        ("DELETE FROM house_runs WHERE id = 4", "house_runs"),
        ("UPDATE drafts SET text = 'x' WHERE id = 2; UPDATE drafts SET text = 'x' WHERE id = 2", "drafts"),
    ] {
        between.sql(change);
        let proofs = prove(source.as_mut(), target.written().unwrap().as_mut(), &loaded, &quiet()).unwrap();
        let odd: Vec<&str> =
            proofs.iter().filter(|proof| !proof.is_equal()).map(|proof| proof.table.as_str()).collect();
        assert!(odd.contains(&table), "{table}: {odd:?}");
    }
}

/// Breaks off after so many batches.
struct Failing<'a> {
    inner: Box<dyn BulkSource>,
    batches: &'a std::cell::Cell<usize>,
}

// The cell is used by the thread that reads only.
struct Shared(std::sync::atomic::AtomicUsize);

struct Breaking<'a>(Box<dyn BulkSource>, &'a Shared);

impl BulkSource for Breaking<'_> {
    fn tables(&mut self) -> Result<Vec<TableShape>, BulkError> {
        self.0.tables()
    }

    fn count(&mut self, table: &TableShape) -> Result<u64, BulkError> {
        self.0.count(table)
    }

    fn counter(&mut self, table: &TableShape) -> Result<Option<i64>, BulkError> {
        self.0.counter(table)
    }

    fn rows(&mut self, table: &TableShape, after: Option<&Key>, take: Take<'_>) -> Result<(), BulkError> {
        let left = &self.1.0;
        self.0.rows(table, after, &mut |batch| {
            take(batch)?;
            let before = left.fetch_update(
                std::sync::atomic::Ordering::Relaxed,
                std::sync::atomic::Ordering::Relaxed,
                |left| left.checked_sub(1),
            );
            before.map(drop).map_err(|_| BulkError::Stopped("enough".to_owned()))
        })
    }
}

#[test]
fn a_copy_that_broke_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(&folder.path().join("a.db"));
    let mut filled = first.bulk_target().unwrap();
    let tables = filled.begin("a test").unwrap();
    fill(filled.as_mut(), &tables, 12).unwrap();
    filled.complete(&mut |_| ()).unwrap();
    filled.release().unwrap();
    let between = TestDatabase::empty();
    let mut runs = 0;
    loop {
        let store = server(&between.url);
        let left = Shared(7.into());
        let mut source = Breaking(first.bulk_source().unwrap(), &left);
        let mut target = store.bulk_target().unwrap();
        runs += 1;
        match load(&mut source, target.as_mut(), "a test", &quiet()) {
            Ok(loaded) => {
                let mut source = first.bulk_source().unwrap();
                let proofs =
                    prove(source.as_mut(), target.written().unwrap().as_mut(), &loaded, &quiet()).unwrap();
                assert!(proofs.iter().all(super::TableProof::is_equal), "{proofs:?}");
                break;
            }
            Err(error) => assert_eq!(error.to_string(), "enough"),
        }
        let options = PostgresOptions {
            url: between.url.clone(),
            replica: None,
            connections: 2,
            application: "crm".to_owned(),
        };
        let refused = PostgresStore::open(options).err().unwrap();
        assert!(format!("{refused:?}").contains("Unfinished"), "{refused:?}");
    }
    assert!(runs > 3, "{runs}");
}

// --- everything together ---

fn settings(dir: &Path, more: &[(&str, &str)]) -> Settings {
    let mut pairs = vec![("CRM_DATA_DIR".to_owned(), dir.display().to_string())];
    pairs.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Settings::read(&Source::new(pairs, None), Need::Store).unwrap().settings
}

fn operator() -> Actor {
    Actor::Operator {
        name: "tester".to_owned(),
    }
}

fn file_side(dir: &Path) -> Side {
    Side {
        database: Database::File(dir.join("crm.db")),
        files: dir.join("files"),
    }
}

fn server_side(database: &TestDatabase) -> Side {
    Side {
        database: Database::of_url(&database.url).unwrap(),
        files: PathBuf::from("unused"),
    }
}

/// People, talks, one message that waits, one file that a row names.
async fn fill_office(dir: &Path) -> BlobHash {
    let (parts, _) = Composition::for_command(settings(dir, &[])).await.unwrap();
    let crowd = Crowd {
        bot: BOT.to_owned(),
        customers: 60,
        activities: 400,
        until: Instant::from_unix_millis(1_751_942_746_446),
    };
    fill_crowd(parts.store.as_ref(), &crowd, |_| ()).await.unwrap();
    let blobs = super::blobs(&parts);
    let mut draft = blobs.begin().unwrap();
    draft.write("写真".repeat(50_000).as_bytes()).unwrap();
    let hash = draft.keep().unwrap().hash;
    let queued: Result<_, StoreError> = parts.store.write(queue_one).await;
    queued.unwrap();
    drop(parts);
    let conn = rusqlite_of(dir);
    conn.sql(&format!(
        "INSERT INTO receipts (bot, issued, digest, body, received_at, state) VALUES ('b', 'i', x'00', x'', '2025-07-08 00:00:00.000', 'recorded');
         INSERT INTO attachments (receipt_id, bot, file_id, kind, state, sha256, added_at)
         VALUES ((SELECT max(id) FROM receipts), 'b', 'f', 'image', 'stored', '{hash}', '2025-07-08 00:00:00.000')"
    ));
    hash
}

fn queue_one(unit: &mut dyn crm_domain::ports::store::UnitOfWork) -> Result<(), StoreError> {
    let now = Instant::from_unix_millis(1_751_942_746_446);
    let member = unit.edit_members().add_member(&NewMember {
        email: crm_domain::values::EmailAddress::new("admin@example.jp").unwrap().unwrap(),
        name: "管理者".to_owned(),
        role: Role::Admin,
        grants: Grants::default(),
    }, now)?;
    let _ = member;
    let talks = unit.conversations().conversation(crm_domain::id::Id::new(1))?;
    let talk = talks.map(|talk| talk.id).unwrap_or(crm_domain::id::Id::new(1));
    unit.edit_sends().add_send(&NewSend {
        key: "one".to_owned(),
        conversation_id: talk,
        text: MessageText::new("お待ちください").unwrap(),
        author: Author {
            member_id: None,
            name: "管理者".to_owned(),
        },
        urgency: Urgency::Message,
        queued_at: now,
    })?;
    Ok(())
}
