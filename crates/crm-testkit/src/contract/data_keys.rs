//! Data keys and the envelopes under them.

use crm_domain::data_keys::{DataKey, DataKeyId, SEALED_COLUMNS, SealedColumn, SealedRow};

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::after;

fn key(number: u8) -> DataKey {
    DataKey {
        id: DataKeyId([number; 8]),
        wrapped: vec![number; 60],
        made_at: after(i64::from(number)),
        retired_at: None,
    }
}

fn named() -> &'static SealedColumn {
    SEALED_COLUMNS
        .iter()
        .find(|column| column.table == "named_secrets")
        .expect("named secrets are sealed")
}

async fn add(store: &AnyStore, number: u8, instead_of: Option<u8>) -> bool {
    write(store, move |unit| {
        let instead_of = instead_of.map(|number| key(number).id);
        unit.edit_data_keys().add_data_key(&key(number), instead_of)
    })
    .await
}

async fn keys(store: &AnyStore) -> Vec<DataKey> {
    read(store, |unit| unit.data_keys().data_keys()).await
}

async fn keep(store: &AnyStore, name: &'static str, sealed: &'static [u8]) -> bool {
    write(store, move |unit| {
        unit.edit_data_keys().keep_named_secret(name, sealed)
    })
    .await
}

pub async fn the_key_that_seals_comes_first_and_was_retired_by_none(store: AnyStore) {
    assert!(keys(&store).await.is_empty());
    assert!(add(&store, 1, None).await);
    assert!(add(&store, 2, Some(1)).await);
    assert!(add(&store, 3, Some(2)).await);
    let retired = |number: u8, by: i64| DataKey {
        retired_at: Some(after(by)),
        ..key(number)
    };
    assert_eq!(keys(&store).await, [key(3), retired(2, 3), retired(1, 2)]);
}

pub async fn a_key_is_added_only_instead_of_the_one_that_seals(store: AnyStore) {
    assert!(!add(&store, 1, Some(9)).await);
    assert!(add(&store, 1, None).await);
    assert!(!add(&store, 2, None).await);
    assert!(!add(&store, 2, Some(9)).await);
    assert_eq!(keys(&store).await, [key(1)]);
}

pub async fn of_many_who_add_a_key_at_once_one_does(store: AnyStore) {
    assert!(add(&store, 1, None).await);
    let added = at_once(6, |number| {
        let store = store.clone();
        async move { add(&store, u8::try_from(number).unwrap_or_default() + 10, Some(1)).await }
    })
    .await;
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let keys = keys(&store).await;
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.iter().filter(|key| key.retired_at.is_none()).count(), 1);
}

pub async fn an_adopted_key_opens_and_does_not_seal(store: AnyStore) {
    assert!(add(&store, 5, None).await);
    let adopt = |number| {
        write(&store, move |unit| {
            unit.edit_data_keys().adopt_data_key(&key(number))
        })
    };
    assert!(adopt(7).await);
    assert!(!adopt(7).await && !adopt(5).await, "they are there");
    let found = keys(&store).await;
    assert_eq!(found[0], key(5));
    assert!(found[1].id == key(7).id && found[1].retired_at.is_some());
}

pub async fn a_key_is_wrapped_again_and_its_fingerprint_noted(store: AnyStore) {
    assert_eq!(
        read(&store, |unit| unit.data_keys().key_fingerprint()).await,
        None
    );
    assert!(add(&store, 1, None).await);
    for print in [b"first", b"other"] {
        write(&store, move |unit| {
            unit.edit_data_keys().rewrap_data_key(key(1).id, print)?;
            unit.edit_data_keys().note_key_fingerprint(print)
        })
        .await;
    }
    let print = read(&store, |unit| unit.data_keys().key_fingerprint()).await;
    assert_eq!(print.as_deref(), Some(&b"other"[..]));
    assert_eq!(keys(&store).await[0].wrapped, b"other");
}

pub async fn only_a_retired_key_is_forgotten(store: AnyStore) {
    assert!(add(&store, 1, None).await && add(&store, 2, Some(1)).await);
    let forget = |number| {
        write(&store, move |unit| {
            unit.edit_data_keys().forget_data_key(key(number).id)
        })
    };
    assert!(!forget(2).await);
    assert!(forget(1).await);
    assert!(!forget(1).await);
    assert_eq!(keys(&store).await, [key(2)]);
}

pub async fn a_named_secret_is_kept_once(store: AnyStore) {
    assert!(keep(&store, "chain", b"one").await);
    assert!(!keep(&store, "chain", b"two").await);
    let found = |name| read(&store, move |unit| unit.data_keys().named_secret(name));
    assert_eq!(found("chain").await.as_deref(), Some(&b"one"[..]));
    assert_eq!(found("other").await, None);
}

pub async fn envelopes_come_in_the_order_of_their_keys(store: AnyStore) {
    for name in ["b", "a", "10", "9", "c"] {
        assert!(keep(&store, name, name.as_bytes()).await);
    }
    let from = |after: Option<&'static str>| {
        let found = read(&store, move |unit| {
            unit.data_keys().sealed_rows(named(), after, 2)
        });
        async { found.await.into_iter().map(|row| row.key).collect::<Vec<_>>() }
    };
    assert_eq!(from(None).await, ["10", "9"]);
    assert_eq!(from(Some("9")).await, ["a", "b"]);
    assert_eq!(from(Some("b")).await, ["c"]);
    assert!(from(Some("c")).await.is_empty());
}

/// Every sealed column can be read, so that a rotation passes over none.
pub async fn every_sealed_column_is_there(store: AnyStore) {
    for column in SEALED_COLUMNS {
        let rows = read(&store, move |unit| unit.data_keys().sealed_rows(column, None, 10)).await;
        assert!(rows.is_empty(), "{column:?}");
        let none = SealedRow {
            key: "1".to_owned(),
            sealed: vec![1],
        };
        let changed = write(&store, move |unit| {
            unit.edit_data_keys().reseal_row(column, &none, &[2])
        });
        assert!(!changed.await, "{column:?}");
    }
}

pub async fn an_envelope_is_replaced_unless_it_was_changed(store: AnyStore) {
    keep(&store, "a", b"old").await;
    keep(&store, "b", b"old").await;
    let reseal = |was: &'static [u8], sealed: &'static [u8]| {
        write(&store, move |unit| {
            let was = SealedRow {
                key: "a".to_owned(),
                sealed: was.to_vec(),
            };
            unit.edit_data_keys().reseal_row(named(), &was, sealed)
        })
    };
    assert!(reseal(b"old", b"new").await);
    assert!(!reseal(b"old", b"newer").await);
    let rows = read(&store, |unit| unit.data_keys().sealed_rows(named(), None, 9)).await;
    let envelopes: Vec<_> = rows.iter().map(|row| row.sealed.as_slice()).collect();
    assert_eq!(envelopes, [&b"new"[..], b"old"]);
}
