//! A small office moves: with its files, its messages on their way, its keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_domain::activities::MessageKind;
use crm_domain::attachments::{AttachmentOutcome, NewAttachment};
use crm_domain::customers::{CustomerFilter, CustomerPrefix};
use crm_domain::error::Error;
use crm_domain::id::Id;
use crm_domain::members::Role;
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::{Blob, Blobs as _};
use crm_domain::ports::bulk::BulkError;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::receipts::Kept;
use crm_domain::sends::SendState;
use crm_domain::teams::Visible;
use crm_samples::{Crowd, fill_crowd};
use crm_testkit::fixtures::{new_member, new_send, receipt, start};
use crm_testkit::postgres::TestDatabase;

use super::{Copied, CopyError, Side, blobs, copy};
use crate::composition::Composition;
use crate::settings::{Database, Need, Settings, Source};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn settings(dir: &Path, more: &[(&str, &str)]) -> Settings {
    let mut pairs = vec![("CRM_DATA_DIR".to_owned(), dir.display().to_string())];
    pairs.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    Settings::read(&Source::new(pairs, None), Need::Store)
        .unwrap()
        .settings
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

async fn run(from: Side, to: Side, settings: &Settings) -> Result<Copied, CopyError> {
    copy(from, to, settings, &operator(), Arc::new(|_| ())).await
}

async fn open(settings: Settings) -> Composition {
    Composition::for_command(settings).await.unwrap().0
}

/// People, talks, one message that waits, one file that a row names.
async fn fill_office(settings: Settings) -> Blob {
    let parts = open(settings).await;
    let crowd = Crowd {
        bot: "2000001".to_owned(),
        customers: 60,
        activities: 400,
        until: start(),
    };
    fill_crowd(parts.store.as_ref(), &crowd, |_| ()).await.unwrap();
    let places = blobs(&parts);
    let blob = tokio::task::spawn_blocking(move || {
        let mut draft = places.begin().unwrap();
        draft.write("写真".repeat(50_000).as_bytes()).unwrap();
        draft.keep().unwrap()
    });
    let blob = blob.await.unwrap();
    let filled: Result<(), StoreError> = parts
        .store
        .write(move |uow| {
            uow.edit_members()
                .add_member(&new_member("admin@example.jp", "管理者", Role::Admin), start())?;
            uow.edit_sends()
                .add_send(&new_send("one", Id::new(1), "お待ちください", start()))?;
            let Kept::Added(receipt) = uow.edit_receipts().keep_receipt(&receipt("photo", start()))? else {
                return Ok(());
            };
            let photo = NewAttachment {
                receipt_id: receipt,
                conversation_id: None,
                bot: "2000001".to_owned(),
                file_id: "f".to_owned(),
                kind: MessageKind::Image,
                name: None,
            };
            uow.edit_attachments().add_attachments(&[photo], start())?;
            for waiting in uow.attachments().waiting_attachments(9)? {
                let stored = AttachmentOutcome::Stored {
                    blob,
                    name: None,
                    media_type: None,
                };
                uow.edit_attachments().settle_attachment(waiting.id, &stored)?;
            }
            Ok(())
        })
        .await;
    filled.unwrap();
    blob
}

/// Names in the order of the list, what is found, the first page of a talk.
async fn seen(parts: &Composition) -> [Vec<String>; 3] {
    let read: Result<_, Error> = parts
        .store
        .read(|unit| {
            let page = PageRequest {
                after: None,
                limit: 100,
            };
            let mut lists = Vec::new();
            for prefix in [None, CustomerPrefix::new("佐")] {
                let filter = CustomerFilter {
                    prefix,
                    company: None,
                };
                let list = unit.customers().customer_list(&filter, &page, &Visible::All)?;
                lists.push(
                    list.items
                        .iter()
                        .map(|line| format!("{line:?}"))
                        .collect::<Vec<_>>(),
                );
            }
            let said = unit.activities().activities_before(Id::new(1), None, 100)?;
            let said = said.iter().map(|said| format!("{said:?}")).collect();
            Ok([lists.remove(0), lists.remove(0), said])
        })
        .await;
    read.unwrap()
}

async fn send(parts: &Composition) -> (SendState, Option<String>) {
    let read: Result<_, Error> = parts.store.read(|unit| Ok(unit.sends().send(Id::new(1))?)).await;
    let send = read.unwrap().unwrap();
    (send.state, send.reason)
}

async fn photo(parts: &Composition, blob: Blob) -> u64 {
    let places = blobs(parts);
    let length = tokio::task::spawn_blocking(move || {
        let mut bytes = places.open(&blob.hash).unwrap().unwrap();
        std::io::copy(&mut bytes, &mut std::io::sink()).unwrap()
    });
    length.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_moves_to_a_server_and_back_and_sends_nothing_twice() {
    let temp = tempfile::tempdir().unwrap();
    let (old, new) = (temp.path().join("old"), temp.path().join("new"));
    let blob = fill_office(settings(&old, &[])).await;
    let before = seen(&open(settings(&old, &[])).await).await;
    assert!(before.iter().all(|list| !list.is_empty()), "{before:?}");

    let server = TestDatabase::empty();
    let moved = run(file_side(&old), server_side(&server), &settings(&old, &[]))
        .await
        .unwrap();
    assert!(moved.finished && moved.tables.iter().all(super::TableProof::is_equal));
    assert_eq!(
        (moved.files.there, moved.files.missing, moved.given_up),
        (1, 0, 1)
    );
    let key = std::fs::read_to_string(old.join("secret.key")).unwrap();
    let on_server = [
        ("CRM_DATABASE_URL", server.url.as_str()),
        ("CRM_SECRET_KEY", key.as_str()),
    ];
    let there = open(settings(&temp.path().join("other"), &on_server)).await;
    assert_eq!(seen(&there).await, before);
    assert_eq!(
        send(&there).await,
        (SendState::Unknown, Some("put_back".to_owned()))
    );
    assert_eq!(photo(&there, blob).await, blob.size);
    assert!(there.crm.pause().await.unwrap().is_some());
    drop(there);
    // The source is as it was.
    let source = open(settings(&old, &[])).await;
    assert_eq!(send(&source).await.0, SendState::Queued);
    drop(source);

    let again = run(file_side(&old), server_side(&server), &settings(&old, &[])).await;
    assert!(
        matches!(again, Err(CopyError::Rows(BulkError::NotEmpty(_)))),
        "{again:?}"
    );

    let elsewhere = settings(&temp.path().join("other"), &on_server);
    let working = crate::ServerComposition::open(elsewhere.clone()).await.unwrap();
    let meanwhile = run(server_side(&server), file_side(&new), &elsewhere).await;
    assert_eq!(meanwhile.err().map(|error| error.told().0), Some("server_runs"));
    drop(working);
    let back = run(server_side(&server), file_side(&new), &elsewhere)
        .await
        .unwrap();
    assert_eq!((back.finished, back.given_up, back.files.there), (true, 0, 1));
    std::fs::copy(old.join("secret.key"), new.join("secret.key")).unwrap();
    let here = open(settings(&new, &[])).await;
    assert_eq!(seen(&here).await, before);
    assert_eq!(photo(&here, blob).await, blob.size);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_copied_is_refused_with_a_reason() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("old");
    let settings_here = settings(&dir, &[]);
    fill_office(settings_here.clone()).await;
    let server = TestDatabase::empty();
    let code = |outcome: Result<Copied, CopyError>| outcome.err().map(|error| error.told().0);

    let reversed = run(server_side(&server), file_side(&dir), &settings_here).await;
    assert_eq!(code(reversed), Some("copy_source_empty"));
    let missing = run(
        file_side(&temp.path().join("nowhere")),
        server_side(&server),
        &settings_here,
    )
    .await;
    assert_eq!(code(missing), Some("copy_source_missing"));
    let onto_itself = run(file_side(&dir), file_side(&dir), &settings_here).await;
    assert_eq!(code(onto_itself), Some("copy_same"));
    let other_key = settings(&dir, &[("CRM_SECRET_KEY", KEY)]);
    let other_key = run(file_side(&dir), server_side(&server), &other_key).await;
    assert_eq!(code(other_key), Some("other_secret_key"));

    let working = crate::ServerComposition::open(settings_here.clone())
        .await
        .unwrap();
    let while_open = run(file_side(&dir), server_side(&server), &settings_here).await;
    assert_eq!(code(while_open), Some("server_runs"));
    drop(working);
    // Nothing of all that made the target anything.
    assert_eq!(
        server
            .sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            .trim(),
        "0"
    );

    server.sql("REVOKE CREATE ON SCHEMA public FROM crm, PUBLIC; ALTER SCHEMA public OWNER TO postgres; ALTER DATABASE DBNAME OWNER TO postgres".replace("DBNAME", server.name()).as_str());
    let no_right = run(file_side(&dir), server_side(&server), &settings_here).await;
    let told = no_right.err().map(|error| error.told()).unwrap();
    assert!(format!("{told:?}").contains("permission denied"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_written_to_meanwhile_is_found_out() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("old");
    fill_office(settings(&dir, &[])).await;
    let other = open(settings(&dir, &[])).await;
    let busy = std::sync::atomic::AtomicBool::new(false);
    let runtime = tokio::runtime::Handle::current();
    let teller: super::Teller = Arc::new(move |told| {
        if matches!(told, super::Told::Files { .. }) && !busy.swap(true, std::sync::atomic::Ordering::Relaxed)
        {
            runtime.block_on(other.crm.note_key_sheet(&operator())).unwrap();
        }
    });
    let target = file_side(&temp.path().join("new"));
    let outcome = copy(file_side(&dir), target, &settings(&dir, &[]), &operator(), teller).await;
    assert_eq!(outcome.err().map(|error| error.told().0), Some("copy_changed"));
    // Nor is it finished by a second run: the proof was of the source as it was.
    let target = file_side(&temp.path().join("new"));
    let again = run(file_side(&dir), target, &settings(&dir, &[])).await;
    assert_eq!(again.err().map(|error| error.told().0), Some("copy_changed"));
    let refused = Composition::as_it_is(settings(&temp.path().join("new"), &[]))
        .err()
        .unwrap();
    assert_eq!(refused.code(), "store_unavailable");
}
