//! Migrations on new and on filled files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crm_domain::activities::MessageKind;
use crm_domain::attachments::NewAttachment;
use crm_domain::conversations::LinkState;
use crm_domain::customers::CustomerId;
use crm_domain::events::{EventKind, NewEvent};
use crm_domain::members::{MemberId, NewToken, Scopes};
use crm_domain::notes::NewNote;
use crm_domain::ports::store::{Store, StoreError, StoreExt, UnitOfWork};
use crm_domain::ports::store_admin::StoreAdmin;
use crm_domain::receipts::Kept;
use crm_domain::send_budgets::{Budget, BudgetKey};
use crm_domain::sends::Author;
use crm_domain::standings::Standing;
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{
    BOT, customer_of, new_member, new_send, receipt, received_in, sent_in, start, talk, text, user,
};
use diesel::connection::SimpleConnection;

use crate::common::{add_company, counts, new_folder, new_store, options, other_program, run, texts};

/// As if the database were of the release before the last migration.
const WITHOUT_THE_LAST: &str = "DROP TABLE activity_words;
    DROP INDEX activities_not_indexed;
    ALTER TABLE activities DROP COLUMN indexed;
    DELETE FROM __diesel_schema_migrations WHERE version = '0033'";

#[test]
fn a_new_file_gets_every_migration_once() {
    run(async {
        let (_folder, path) = new_folder();
        let store = SqliteStore::open(options(&path)).unwrap();
        let all = store.migrations().await.unwrap();
        assert!(all.iter().all(|migration| !migration.applied));
        assert_eq!(store.migrations_pending().await.unwrap(), all.len());
        let names: Vec<_> = all.into_iter().map(|migration| migration.name).collect();
        assert!(names.is_sorted() && names.first().is_some_and(|name| name == "0001_imports"));
        assert_eq!(store.migrate().await.unwrap(), names);
        assert_eq!(store.migrations_pending().await.unwrap(), 0);
        assert!(store.migrate().await.unwrap().is_empty());
    });
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../migrations")
            .join(database);
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// Puts at least one row into every table that use cases fill.
async fn fill(store: &SqliteStore) {
    store
        .write::<_, StoreError, _>(|unit| {
            let company = add_company(unit, "会社")?;
            let details = customer_of("山田", "太郎", company);
            let customer = unit.edit_customers().add_customer(&details, start())?;
            let member = new_member("a@example.jp", "管理 花子", crm_domain::members::Role::Admin);
            let member = unit.edit_members().add_member(&member, start())?;
            let token = NewToken {
                member_id: member,
                name: "鍵".to_owned(),
                hash: [7; 32],
                scopes: Scopes::ALL,
                expires_at: None,
            };
            unit.edit_credentials().add_token(&token, start())?;
            unit.edit_credentials().add_failed_sign_in(&[8; 32], start())?;
            fill_conversation(unit, customer, member)?;
            unit.edit_imports().begin_import("poc", start())?;
            unit.note_operation(&[9; 16], start())
        })
        .await
        .unwrap();
}

/// A conversation with everything that can stand in one, in which somebody waits.
fn fill_conversation(
    unit: &mut dyn UnitOfWork,
    customer: CustomerId,
    member: MemberId,
) -> Result<(), StoreError> {
    let ids = unit
        .edit_conversations()
        .open_conversations(&[talk(&user(1))], start())?;
    let conversation = ids[0];
    unit.edit_conversations()
        .set_link(conversation, LinkState::Active, start())?;
    let send = unit
        .edit_sends()
        .add_send(&new_send("key", conversation, "返事", start()))?;
    let budget = BudgetKey {
        domain: "example".to_owned(),
        operation: "bots.users.messages".to_owned(),
    };
    unit.edit_budgets().keep_budget(&budget, &Budget::default())?;
    unit.edit_budgets().add_departure(&budget, send.id(), start())?;
    unit.edit_activities().add_activities(&[
        received_in(conversation, customer, "質問", start()),
        sent_in(conversation, customer, send.id(), "返事", start()),
    ])?;
    if let Kept::Added(receipt_id) = unit.edit_receipts().keep_receipt(&receipt("{}", start()))? {
        let photo = NewAttachment {
            receipt_id,
            conversation_id: Some(conversation),
            bot: BOT.to_owned(),
            file_id: "jp1.1".to_owned(),
            kind: MessageKind::Image,
            name: None,
        };
        unit.edit_attachments().add_attachments(&[photo], start())?;
    }
    let standing = Standing {
        waiting_since: Some(start()),
        received: 1,
        ..Standing::default()
    };
    unit.edit_conversations()
        .save_standings(&[(conversation, standing)])?;
    unit.edit_waitings().note_waiting(conversation, start())?;
    unit.edit_senders().note_senders(&[user(2)], start())?;
    unit.edit_drafts()
        .keep_draft(conversation, member, "書きかけ", start())?;
    unit.edit_reads().mark_read(conversation, member)?;
    let note = NewNote {
        key: "note".to_owned(),
        conversation_id: Some(conversation),
        customer_id: Some(customer),
        author: Author {
            member_id: Some(member),
            name: "管理 花子".to_owned(),
        },
        text: text("社内メモ"),
        written_at: start(),
    };
    unit.edit_notes().add_note(&note)?;
    unit.edit_events()
        .add_events(&[NewEvent::new(EventKind::Conversation, start()).conversation(conversation)])
}

/// A closed, filled database and how many rows each table has.
async fn filled() -> (tempfile::TempDir, PathBuf, BTreeMap<String, i64>) {
    let (folder, path, store) = new_store().await;
    fill(&store).await;
    drop(store);
    let before = counts(&path);
    (folder, path, before)
}

#[test]
fn migrating_a_filled_database_loses_no_row() {
    run(async {
        let (_folder, path, before) = filled().await;
        assert!(
            before.values().filter(|rows| **rows > 0).count() >= 20,
            "{before:?}"
        );
        other_program(&path).batch_execute(WITHOUT_THE_LAST).unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrate().await.unwrap().len(), 1);
        assert_eq!(counts(&path), before);
        assert_eq!(texts(&path, "PRAGMA integrity_check"), ["ok"]);
    });
}

#[test]
fn a_database_that_is_up_to_date_is_only_looked_at() {
    run(async {
        let (_folder, path, before) = filled().await;
        // Checking all references would find these, and take seconds of every start.
        other_program(&path)
            .batch_execute("PRAGMA foreign_keys = OFF; DELETE FROM companies")
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
        assert_eq!(counts(&path)["customers"], before["customers"]);
    });
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    run(async {
        let (_folder, path, before) = filled().await;
        // As if the last one had not run: running it again fails, its table exists.
        other_program(&path)
            .batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '0033'")
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
        let Err(StoreError::Unavailable(source)) = store.migrate().await else {
            panic!("it was applied");
        };
        assert!(source.to_string().contains("0033_search failed"), "{source}");
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
        assert_eq!(counts(&path), before);
    });
}

#[test]
fn rows_that_refer_to_nothing_stop_a_migration() {
    run(async {
        let (_folder, path, _) = filled().await;
        other_program(&path)
            .batch_execute(&format!(
                "PRAGMA foreign_keys = OFF; DELETE FROM companies; {WITHOUT_THE_LAST}"
            ))
            .unwrap();
        let store = SqliteStore::open(options(&path)).unwrap();
        let Err(StoreError::Unavailable(source)) = store.migrate().await else {
            panic!("it was applied");
        };
        assert!(source.to_string().contains("table customers"), "{source}");
        assert_eq!(store.migrations_pending().await.unwrap(), 1);
    });
}
