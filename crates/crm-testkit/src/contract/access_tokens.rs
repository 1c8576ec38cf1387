//! Access tokens.

use crm_domain::access_tokens::SealedToken;
use time::Duration;

use super::AnyStore;
use super::steps::{read, write};

const HOUR: Duration = Duration::HOUR;

async fn keep(
    store: &AnyStore,
    connection: &'static str,
    sealed: &'static [u8],
    good_for: Duration,
    lives: Option<Duration>,
) -> i64 {
    write(store, move |unit| {
        unit.edit_access_tokens()
            .keep_access_token(connection, sealed, "bot", good_for, lives)
    })
    .await
}

async fn refuse(store: &AnyStore, connection: &'static str, number: i64) -> bool {
    write(store, move |unit| {
        unit.edit_access_tokens().refuse_access_token(connection, number)
    })
    .await
}

async fn found(store: &AnyStore, connection: &'static str) -> Option<SealedToken> {
    read(store, move |unit| unit.access_tokens().access_token(connection)).await
}

pub async fn a_kept_token_is_found_with_what_is_left_of_it(store: AnyStore) {
    assert_eq!(found(&store, "a").await, None);
    assert_eq!(keep(&store, "a", b"\x00sealed", HOUR, Some(HOUR * 2)).await, 1);
    let token = found(&store, "a").await.expect("it was kept");
    assert_eq!(
        (token.number, token.sealed.as_deref(), token.scope.as_str()),
        (1, Some(b"\x00sealed".as_slice()), "bot")
    );
    let nearly = |left: Duration, of: Duration| left <= of && left > of - Duration::MINUTE;
    assert!(nearly(token.good_for, HOUR), "{}", token.good_for);
    assert!(nearly(token.lives.expect("it said so"), HOUR * 2));
    keep(&store, "a", b"next", -Duration::SECOND, None).await;
    let token = found(&store, "a").await.expect("it was kept");
    assert!(token.good_for.is_negative());
    assert_eq!(token.lives, None);
}

pub async fn each_new_token_has_the_next_number(store: AnyStore) {
    for number in 1..=3 {
        assert_eq!(keep(&store, "a", b"t", HOUR, None).await, number);
    }
    assert!(refuse(&store, "a", 3).await);
    assert_eq!(keep(&store, "a", b"t", HOUR, None).await, 4);
    assert_eq!(keep(&store, "b", b"t", HOUR, None).await, 1);
}

pub async fn only_the_refused_token_is_taken_away(store: AnyStore) {
    keep(&store, "a", b"first", HOUR, None).await;
    keep(&store, "a", b"second", HOUR, None).await;
    keep(&store, "b", b"other", HOUR, None).await;
    assert!(!refuse(&store, "a", 1).await, "a newer one is there");
    assert!(refuse(&store, "a", 2).await);
    assert!(!refuse(&store, "a", 2).await);
    let token = found(&store, "a").await.expect("its number stays");
    assert_eq!((token.number, token.sealed), (2, None));
    let other = found(&store, "b").await.expect("it was kept");
    assert_eq!(other.sealed.as_deref(), Some(b"other".as_slice()));
}

/// The settings were changed long ago.
pub async fn tokens_that_nobody_uses_any_more_are_forgotten(store: AnyStore) {
    keep(&store, "old", b"t", -Duration::DAY * 2, None).await;
    keep(&store, "beside", b"t", -HOUR, None).await;
    keep(&store, "new", b"t", HOUR, None).await;
    assert_eq!(found(&store, "old").await, None);
    assert!(found(&store, "beside").await.is_some());
}
