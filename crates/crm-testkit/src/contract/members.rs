//! Members.

use std::sync::Arc;

use crm_domain::members::{Grants, Locale, Member, MemberId, NewMember, Role};
use crm_domain::ports::store::StoreError;

use super::AnyStore;
use super::steps::{at_once, read, try_write, write};
use crate::fixtures::{after, email, new_member, start};

async fn try_add(store: &AnyStore, new: NewMember) -> Result<MemberId, StoreError> {
    try_write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

async fn add(store: &AnyStore, address: &str, name: &str) -> MemberId {
    let id = try_add(store, new_member(address, name, Role::Member)).await;
    id.expect("the address is free")
}

async fn found(store: &AnyStore, id: MemberId) -> Member {
    let found = read(store, move |unit| unit.members().member(id)).await;
    found.expect("the member is there")
}

async fn by_email(store: &AnyStore, key: &'static str) -> Option<(Member, Option<String>)> {
    read(store, move |unit| unit.members().member_by_email(key)).await
}

pub async fn an_added_member_is_found_by_id_and_email(store: AnyStore) {
    let new = NewMember {
        password_hash: Some("$argon2id$…".to_owned()),
        ..new_member("Hanako@Example.jp", "管理 花子", Role::Admin)
    };
    let id = try_add(&store, new).await.expect("the address is free");
    let expected = Member {
        id,
        email: email("Hanako@Example.jp"),
        name: "管理 花子".to_owned(),
        role: Role::Admin,
        grants: Grants::default(),
        locale: None,
        has_password: true,
        disabled_at: None,
        created_at: start(),
    };
    assert_eq!(found(&store, id).await, expected);
    let hash = Some("$argon2id$…".to_owned());
    assert_eq!(
        by_email(&store, "hanako@example.jp").await,
        Some((expected, hash))
    );
    assert_eq!(by_email(&store, "taro@example.jp").await, None);
    assert_eq!(
        read(&store, |unit| unit.members().member(MemberId::new(404))).await,
        None
    );
}

/// In any letter case.
pub async fn an_equal_sign_in_name_is_taken(store: AnyStore) {
    let first = add(&store, "a@example.jp", "甲").await;
    for address in ["a@example.jp", "A@Example.JP"] {
        let answer = try_add(&store, new_member(address, "乙", Role::Admin)).await;
        assert!(matches!(answer, Err(StoreError::Taken("email"))), "{address}");
    }
    let members = read(&store, |unit| unit.members().members()).await;
    assert_eq!(
        members.iter().map(|member| member.id).collect::<Vec<_>>(),
        [first]
    );
}

pub async fn of_many_with_the_same_sign_in_name_one_is_added(store: AnyStore) {
    let answers = at_once(16, |_| {
        let store = Arc::clone(&store);
        async move { try_add(&store, new_member("a@example.jp", "甲", Role::Member)).await }
    });
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let taken = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::Taken("email"))));
    assert_eq!(taken.count(), 15);
}

pub async fn members_are_ordered_by_name_then_id(store: AnyStore) {
    let mut ids = Vec::new();
    for (number, name) in ["山田", "佐藤", "山田", "Adam", "あべ"].into_iter().enumerate() {
        ids.push(add(&store, &format!("{number}@example.jp"), name).await);
    }
    let members = read(&store, |unit| unit.members().members()).await;
    let order: Vec<_> = members.iter().map(|member| member.id).collect();
    assert_eq!(order, [ids[3], ids[4], ids[1], ids[0], ids[2]]);
}

/// The sign-in name, the password and the day stay.
pub async fn updating_replaces_name_role_grants_language_and_the_disabled_mark(store: AnyStore) {
    let (id, other) = (
        add(&store, "a@example.jp", "甲").await,
        add(&store, "b@example.jp", "乙").await,
    );
    let before = found(&store, id).await;
    let changed = Member {
        name: "新しい名".to_owned(),
        role: Role::Admin,
        grants: Grants {
            import: true,
            export: false,
        },
        locale: Some(Locale::En),
        disabled_at: Some(after(5)),
        ..before.clone()
    };
    for member in [changed, before] {
        let update = member.clone();
        write(&store, move |unit| unit.edit_members().update_member(&update)).await;
        assert_eq!(found(&store, id).await, member);
    }
    assert_eq!(found(&store, other).await.name, "乙");
}

/// A disabled one is found too: use cases decide what that means.
pub async fn a_password_is_replaced(store: AnyStore) {
    let id = add(&store, "a@example.jp", "甲").await;
    assert_eq!(
        by_email(&store, "a@example.jp").await.map(|(_, hash)| hash),
        Some(None)
    );
    for hash in ["one", "two"] {
        write(&store, move |unit| unit.edit_members().set_password(id, hash)).await;
        let (member, stored) = by_email(&store, "a@example.jp")
            .await
            .expect("the member is there");
        assert_eq!((member.has_password, stored.as_deref()), (true, Some(hash)));
    }
}
