//! Second factors, recovery codes, and sign-ins that wait for one.

use std::sync::Arc;

use crm_domain::factors::{Factor, PendingSignIn};
use crm_domain::members::{MemberId, Role, SecretHash};

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::{after, new_member, start};

async fn member(store: &AnyStore, number: u32) -> MemberId {
    write(store, move |unit| {
        let new = new_member(&format!("{number}@example.jp"), "会員", Role::Member);
        unit.edit_members().add_member(&new, start())
    })
    .await
}

/// Hashes whose first bytes are equal, so that nobody compares only those.
fn hash(number: u8) -> SecretHash {
    let mut hash = [0; 32];
    hash[31] = number;
    hash
}

fn factor(owner: MemberId, seed: &[u8]) -> Factor {
    Factor {
        member_id: owner,
        seed: seed.to_vec(),
        created_at: start(),
        confirmed_at: None,
    }
}

async fn put(store: &AnyStore, owner: MemberId, seed: &'static [u8]) {
    write(store, move |unit| {
        unit.edit_factors().put_factor(&factor(owner, seed))
    })
    .await;
}

async fn found(store: &AnyStore, owner: MemberId) -> Option<Factor> {
    read(store, move |unit| unit.factors().factor(owner)).await
}

async fn accept(store: &AnyStore, owner: MemberId, step: i64) -> bool {
    write(store, move |unit| unit.edit_factors().accept_step(owner, step)).await
}

async fn set_codes(store: &AnyStore, owner: MemberId, numbers: &'static [u8]) {
    write(store, move |unit| {
        let hashes: Vec<SecretHash> = numbers.iter().copied().map(hash).collect();
        unit.edit_factors().set_recovery_codes(owner, &hashes)
    })
    .await;
}

async fn use_code(store: &AnyStore, owner: MemberId, number: u8) -> bool {
    write(store, move |unit| {
        unit.edit_factors()
            .use_recovery_code(owner, &hash(number), after(5))
    })
    .await
}

async fn codes_left(store: &AnyStore, owner: MemberId) -> usize {
    read(store, move |unit| unit.factors().recovery_codes_left(owner)).await
}

async fn wait(store: &AnyStore, owner: MemberId, number: u8, seconds: i64) -> PendingSignIn {
    let pending = PendingSignIn {
        hash: hash(number),
        member_id: owner,
        account: hash(100),
        expires_at: after(seconds),
    };
    let added = pending.clone();
    write(store, move |unit| {
        unit.edit_factors().add_pending_sign_in(&added, start())
    })
    .await;
    pending
}

async fn waiting(store: &AnyStore, number: u8) -> Option<PendingSignIn> {
    read(store, move |unit| unit.factors().pending_sign_in(&hash(number))).await
}

async fn take(store: &AnyStore, number: u8) -> bool {
    write(store, move |unit| {
        unit.edit_factors().take_pending_sign_in(&hash(number))
    })
    .await
}

/// And its steps are good again.
pub async fn a_factor_replaces_the_one_before(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    assert_eq!(found(&store, owner).await, None);
    put(&store, owner, b"first").await;
    put(&store, other, b"theirs").await;
    assert!(accept(&store, owner, 7).await);
    put(&store, owner, b"second").await;
    assert_eq!(found(&store, owner).await, Some(factor(owner, b"second")));
    assert_eq!(found(&store, other).await, Some(factor(other, b"theirs")));
    assert!(accept(&store, owner, 7).await);
}

pub async fn only_confirmed_factors_count(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    put(&store, owner, b"seed").await;
    put(&store, other, b"seed").await;
    let listed = async || read(&store, |unit| unit.factors().members_with_factor()).await;
    assert_eq!(listed().await, []);
    for id in [other, owner] {
        write(&store, move |unit| {
            unit.edit_factors().confirm_factor(id, after(3))
        })
        .await;
    }
    assert_eq!(listed().await, [owner, other]);
    let confirmed = found(&store, owner).await.and_then(|factor| factor.confirmed_at);
    assert_eq!(confirmed, Some(after(3)));
}

pub async fn a_step_and_those_before_it_are_accepted_once(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    put(&store, owner, b"seed").await;
    put(&store, other, b"seed").await;
    assert!(accept(&store, owner, 10).await);
    assert!(!accept(&store, owner, 10).await);
    assert!(!accept(&store, owner, 9).await);
    assert!(accept(&store, owner, 12).await);
    assert!(!accept(&store, owner, 11).await);
    assert!(accept(&store, other, 10).await);
    assert!(!accept(&store, MemberId::new(404), 10).await);
}

pub async fn a_step_is_accepted_once_at_the_same_moment_too(store: AnyStore) {
    let owner = member(&store, 1).await;
    put(&store, owner, b"seed").await;
    let answers = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { accept(&store, owner, 10).await }
    });
    let accepted = answers.await.into_iter().filter(|accepted| *accepted);
    assert_eq!(accepted.count(), 1);
}

pub async fn a_removed_factor_takes_its_recovery_codes_along(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    for id in [owner, other] {
        put(&store, id, b"seed").await;
        set_codes(&store, id, &[1, 2]).await;
    }
    let remove = async || write(&store, move |unit| unit.edit_factors().remove_factor(owner)).await;
    assert!(remove().await);
    assert!(!remove().await);
    assert_eq!(found(&store, owner).await, None);
    assert_eq!(codes_left(&store, owner).await, 0);
    assert!(!use_code(&store, owner, 1).await);
    assert!(found(&store, other).await.is_some());
    assert_eq!(codes_left(&store, other).await, 2);
}

pub async fn a_recovery_code_is_good_once_and_for_its_member(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    set_codes(&store, owner, &[1, 2, 3]).await;
    assert!(!use_code(&store, other, 1).await);
    assert!(use_code(&store, owner, 1).await);
    assert!(!use_code(&store, owner, 1).await);
    assert_eq!(codes_left(&store, owner).await, 2);
    set_codes(&store, owner, &[4]).await;
    assert_eq!(codes_left(&store, owner).await, 1);
    assert!(!use_code(&store, owner, 2).await, "replaced");
    let answers = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { use_code(&store, owner, 4).await }
    });
    assert_eq!(answers.await.into_iter().filter(|used| *used).count(), 1);
}

pub async fn a_sign_in_that_waits_is_taken_once(store: AnyStore) {
    let owner = member(&store, 1).await;
    let pending = wait(&store, owner, 1, 60).await;
    assert_eq!(waiting(&store, 1).await, Some(pending));
    assert_eq!(waiting(&store, 2).await, None);
    let answers = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { take(&store, 1).await }
    });
    assert_eq!(answers.await.into_iter().filter(|taken| *taken).count(), 1);
    assert_eq!(waiting(&store, 1).await, None);
}

pub async fn expired_sign_ins_are_forgotten_when_one_begins(store: AnyStore) {
    let owner = member(&store, 1).await;
    wait(&store, owner, 1, -60).await;
    assert!(waiting(&store, 1).await.is_some(), "found until then");
    wait(&store, owner, 2, 60).await;
    assert_eq!(waiting(&store, 1).await, None);
    assert!(waiting(&store, 2).await.is_some());
}

pub async fn sign_ins_that_wait_end_with_the_sessions(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    wait(&store, owner, 1, 60).await;
    wait(&store, other, 2, 60).await;
    write(&store, move |unit| {
        unit.edit_credentials().end_sessions_of(owner, Some(&hash(9)))
    })
    .await;
    assert_eq!(waiting(&store, 1).await, None);
    assert!(waiting(&store, 2).await.is_some());
    write(&store, |unit| unit.edit_credentials().end_all_sessions()).await;
    assert_eq!(waiting(&store, 2).await, None);
}
