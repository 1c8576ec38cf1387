//! LINE WORKS as set up in the pages.

use std::sync::Arc;

use crm_domain::connection::{ConnectionField, StoredConnection};
use crm_domain::ports::store::StoreError;

use super::AnyStore;
use super::steps::{at_once, read, try_write, write};
use crate::fixtures::{after, start};

async fn stored(store: &AnyStore) -> StoredConnection {
    read(store, |unit| unit.connection().connection()).await
}

pub async fn nothing_is_stored_at_first(store: AnyStore) {
    assert_eq!(stored(&store).await, StoredConnection::default());
    let version = read(&store, |unit| unit.connection().connection_version()).await;
    assert_eq!(version, 0);
}

pub async fn saving_replaces_what_is_named_and_keeps_the_rest(store: AnyStore) {
    let first = [
        (ConnectionField::ClientId, Some(b"one".to_vec())),
        (ConnectionField::BotSecret, Some(vec![0, 255, 7])),
        (ConnectionField::BotId, Some(b"1".to_vec())),
    ];
    let version = write(&store, move |unit| {
        unit.edit_connection().save_connection(0, &first, "anna", start())
    })
    .await;
    assert_eq!(version, 1);
    let second = [
        (ConnectionField::ClientId, Some(b"two".to_vec())),
        (ConnectionField::BotId, None),
        (ConnectionField::Scope, None),
    ];
    write(&store, move |unit| {
        unit.edit_connection()
            .save_connection(1, &second, "ben", after(60))
    })
    .await;
    let stored = stored(&store).await;
    assert_eq!(stored.version, 2);
    assert_eq!(stored.saved, Some((after(60), "ben".to_owned())));
    let values: Vec<_> = stored
        .values
        .iter()
        .map(|value| {
            (
                value.field,
                value.sealed.clone(),
                value.changed_at,
                value.changed_by.as_str(),
            )
        })
        .collect();
    let expected = [
        (ConnectionField::BotSecret, vec![0, 255, 7], start(), "anna"),
        (ConnectionField::ClientId, b"two".to_vec(), after(60), "ben"),
    ];
    assert_eq!(values, expected);
}

pub async fn saving_an_old_version_is_stale_and_changes_nothing(store: AnyStore) {
    let one = [(ConnectionField::BotId, Some(b"1".to_vec()))];
    let save = |known: i64| {
        let one = one.clone();
        try_write(&store, move |unit| {
            unit.edit_connection()
                .save_connection(known, &one, "anna", start())
        })
    };
    assert!(matches!(save(3).await, Err(StoreError::Stale(_))));
    assert_eq!(stored(&store).await, StoredConnection::default());
    assert_eq!(save(0).await.expect("it is the first"), 1);
    assert!(matches!(save(0).await, Err(StoreError::Stale(_))));
    assert_eq!(save(1).await.expect("it is the second"), 2);
}

pub async fn of_many_who_save_the_same_version_one_succeeds(store: AnyStore) {
    let outcomes = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move {
            let saved = try_write(&store, |unit| {
                let one = [(ConnectionField::BotId, Some(b"1".to_vec()))];
                unit.edit_connection().save_connection(0, &one, "anna", start())
            });
            saved.await.is_ok()
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|saved| **saved).count(), 1);
}
