//! A filled database of the first release, after the update: nothing is lost, and the board says who waits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crm_domain::board::{BoardLine, BoardRequest, Column, Tab};
use crm_domain::customers::{CustomerFilter, CustomerId};
use crm_domain::instant::Instant;
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::{ReadUnit, Store as _, StoreError, StoreExt};
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_domain::teams::Visible;
use crm_sqlite::SqliteStore;
use diesel::connection::SimpleConnection as _;
use tempfile::TempDir;

use crate::common::{counts, new_folder, options, other_program, run, texts};

const FILLED: &str = include_str!("fixtures/0009.sql");

/// The migrations up to this one.
fn migrations_until(last: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let folders = std::fs::read_dir(folder).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.truncate(last);
    folders
}

/// An empty file as the release with this last migration made it.
pub(crate) fn released(last: usize) -> (TempDir, PathBuf) {
    let (folder, path) = new_folder();
    let mut file = other_program(&path);
    file.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
         CREATE TABLE __diesel_schema_migrations (
             version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    )
    .unwrap();
    for migration in migrations_until(last) {
        let step = std::fs::read_to_string(migration.join("up.sql")).unwrap();
        file.batch_execute(&step).unwrap();
        let name = migration.file_name().unwrap().to_str().unwrap();
        let (version, _) = name.split_once('_').unwrap();
        file.batch_execute(&format!(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
        ))
        .unwrap();
    }
    (folder, path)
}

/// A file as the first release left it.
fn landed() -> (TempDir, PathBuf, BTreeMap<String, i64>) {
    let (folder, path) = released(9);
    other_program(&path).batch_execute(FILLED).unwrap();
    let before = counts(&path);
    (folder, path, before)
}

async fn updated(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(options(path)).unwrap();
    let applied = store.migrate().await.unwrap();
    assert_eq!(applied.first().map(String::as_str), Some("0010_send_budget"));
    assert_eq!(store.migrations_pending().await.unwrap(), 0);
    store
}

async fn read<T: Send + 'static>(
    store: &SqliteStore,
    work: impl Fn(&mut dyn ReadUnit) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.read(move |unit| work(unit)).await.unwrap()
}

async fn column(store: &SqliteStore, column: Column) -> Vec<BoardLine> {
    let request = BoardRequest {
        column,
        tab: Tab::All,
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 50,
    };
    read(store, move |unit| Ok(unit.board().board(&request)?.lines)).await
}

/// Whose line it is and by which time it is ordered.
fn places(lines: &[BoardLine]) -> Vec<(&str, Instant)> {
    let place = |line: &BoardLine| line.conversation.standing.place().unwrap().1;
    let places = lines
        .iter()
        .map(|line| (line.conversation.key.address.as_str(), place(line)));
    places.collect()
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

#[test]
fn every_row_is_there_and_nothing_refers_to_nothing() {
    run(async {
        let (_folder, path, before) = landed();
        let store = updated(&path).await;
        let after = counts(&path);
        for (table, rows) in &before {
            assert_eq!(after.get(table), Some(rows), "{table}");
        }
        let list = |unit: &mut dyn ReadUnit| {
            unit.customers()
                .customer_list(&CustomerFilter::default(), &PageRequest::first(50), &Visible::All)
        };
        assert_eq!(read(&store, list).await.items.len(), 8, "one lies in the trash");
        let page =
            |unit: &mut dyn ReadUnit| unit.activities().activities_before(CustomerId::new(8), None, 50);
        let said: Vec<String> = read(&store, page)
            .await
            .into_iter()
            .map(|said| said.message)
            .collect();
        assert_eq!(said, ["返事", "もしもし", "もう一つ", "返事", "質問"]);
        assert!(
            read(&store, |unit| unit.sends().sends_open()).await,
            "one waits to go out"
        );
        let pending = read(&store, |unit| unit.receipts().pending_receipts(9)).await;
        assert_eq!(pending.len(), 1);
        assert_eq!(texts(&path, "PRAGMA integrity_check"), ["ok"]);
        assert!(texts(&path, "SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
    });
}

#[test]
fn the_board_says_who_waits_since_when_and_who_was_answered() {
    run(async {
        let (_folder, path, _) = landed();
        let store = updated(&path).await;
        let waiting = column(&store, Column::Waiting).await;
        assert_eq!(
            places(&waiting),
            [
                ("nobody", at("2025-07-01T08:00:00Z")),
                ("typed-later", at("2025-07-01T09:00:00Z")),
                ("failed", at("2025-07-01T10:01:00Z")),
                ("unclear", at("2025-07-01T10:04:01Z")),
                ("waits", at("2025-07-01T10:05:00Z")),
            ]
        );
        let troubled: Vec<_> = waiting
            .iter()
            .filter(|line| line.conversation.standing.troubled_since.is_some())
            .map(|line| line.conversation.key.address.as_str())
            .collect();
        assert_eq!(
            troubled,
            ["failed", "unclear"],
            "what was sent again is no trouble"
        );
        assert!(column(&store, Column::Handled).await.is_empty());
        let done = column(&store, Column::Done).await;
        assert_eq!(
            places(&done),
            [
                ("answered", at("2025-07-01T10:02:00Z")),
                ("nobody-answered", at("2025-07-01T08:00:00Z")),
                ("imported", at("2024-01-01T10:00:00Z")),
            ]
        );
        let since = |unit: &mut dyn ReadUnit| unit.waitings().waitings_of(crm_domain::id::Id::new(1), 9);
        let since = read(&store, since).await;
        assert_eq!(
            (since.len(), since[0].since, since[0].ended.is_none()),
            (1, at("2025-07-01T10:05:00Z"), true)
        );
    });
}

#[test]
fn each_conversation_belongs_to_the_oldest_customer_and_earlier_messages_are_to_be_shown() {
    run(async {
        let (_folder, path, _) = landed();
        let store = updated(&path).await;
        let waiting = column(&store, Column::Waiting).await;
        let customers: Vec<_> = waiting
            .iter()
            .map(|line| line.conversation.standing.customer_id.map(CustomerId::get))
            .collect();
        assert_eq!(customers, [None, Some(6), Some(3), Some(4), Some(1)]);
        let due = read(&store, |unit| unit.conversations().claims_due(9)).await;
        let due: Vec<i64> = due.iter().map(|id| id.get()).collect();
        assert_eq!(due, [6], "only those whom a customer carries");
        let last = waiting[4].conversation.standing.last.as_ref().unwrap();
        assert_eq!(
            (last.text.as_str(), last.at),
            ("返事", at("2025-07-01T10:07:00Z"))
        );
        assert_eq!(waiting[4].conversation.standing.received, 3);
    });
}
