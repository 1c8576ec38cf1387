//! Sessions, tokens, one-time links and failed sign-ins.

use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::members::{
    Device, LinkPurpose, MemberId, NewToken, OneTimeLink, Role, Scopes, SecretHash, Session, TokenId,
};

use super::AnyStore;
use super::steps::{at_once, read, write};
use crate::fixtures::{after, new_member, start};

async fn member(store: &AnyStore, number: u32) -> MemberId {
    write(store, move |unit| {
        let new = new_member(
            &format!("{number}@example.jp"),
            &format!("会員{number}"),
            Role::Member,
        );
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

async fn begin(store: &AnyStore, owner: MemberId, number: u8) -> Session {
    let session = Session {
        hash: hash(number),
        member_id: owner,
        created_at: start(),
        seen_at: after(1),
        device: Device {
            address: Some("192.0.2.7".to_owned()),
            agent: (number % 2 == 1).then(|| "Mozilla/5.0".to_owned()),
        },
    };
    let added = session.clone();
    write(store, move |unit| unit.edit_credentials().add_session(&added)).await;
    session
}

async fn session(store: &AnyStore, number: u8) -> Option<(Session, MemberId)> {
    let found = read(store, move |unit| unit.credentials().session(&hash(number))).await;
    found.map(|(session, member)| (session, member.id))
}

const SCOPES: Scopes = Scopes {
    read: true,
    write: false,
    send: true,
};

async fn add_token(store: &AnyStore, owner: MemberId, number: u8, end: Option<Instant>) -> TokenId {
    write(store, move |unit| {
        let token = NewToken {
            member_id: owner,
            name: format!("鍵{number}"),
            hash: hash(number),
            scopes: SCOPES,
            expires_at: end,
        };
        unit.edit_credentials().add_token(&token, start())
    })
    .await
}

async fn token(store: &AnyStore, number: u8) -> Option<TokenId> {
    let found = read(store, move |unit| unit.credentials().token_by_hash(&hash(number))).await;
    found.map(|(token, _)| token.id)
}

async fn use_link(store: &AnyStore, number: u8) -> bool {
    write(store, move |unit| {
        unit.edit_credentials().use_one_time_link(&hash(number), after(5))
    })
    .await
}

pub async fn a_session_is_found_with_its_member(store: AnyStore) {
    let owner = member(&store, 1).await;
    let begun = begin(&store, owner, 1).await;
    assert_eq!(session(&store, 1).await, Some((begun.clone(), owner)));
    assert_eq!(session(&store, 2).await, None);
    write(&store, |unit| {
        unit.edit_credentials().touch_session(&hash(1), after(60))
    })
    .await;
    let touched = Session {
        seen_at: after(60),
        ..begun
    };
    assert_eq!(session(&store, 1).await, Some((touched, owner)));
}

pub async fn an_ended_session_is_ended_for_good(store: AnyStore) {
    let owner = member(&store, 1).await;
    begin(&store, owner, 1).await;
    begin(&store, owner, 2).await;
    write(&store, |unit| unit.edit_credentials().end_session(&hash(1))).await;
    write(&store, |unit| {
        unit.edit_credentials().touch_session(&hash(1), after(60))
    })
    .await;
    write(&store, |unit| unit.edit_credentials().end_session(&hash(9))).await;
    assert_eq!(session(&store, 1).await, None);
    assert!(session(&store, 2).await.is_some());
}

pub async fn all_sessions_of_a_member_end_but_the_one_named(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    for number in 1..=3 {
        begin(&store, owner, number).await;
    }
    begin(&store, other, 4).await;
    let living = async || {
        let mut living = Vec::new();
        for number in 1..=4 {
            if session(&store, number).await.is_some() {
                living.push(number);
            }
        }
        living
    };
    write(&store, move |unit| {
        unit.edit_credentials().end_sessions_of(owner, Some(&hash(2)))
    })
    .await;
    assert_eq!(living().await, [2, 4]);
    write(&store, move |unit| {
        unit.edit_credentials().end_sessions_of(owner, None)
    })
    .await;
    assert_eq!(living().await, [4]);
}

/// Expired ones too: use cases decide.
pub async fn a_token_is_found_with_its_member(store: AnyStore) {
    let owner = member(&store, 1).await;
    let id = add_token(&store, owner, 1, Some(after(-60))).await;
    let found = read(&store, |unit| unit.credentials().token_by_hash(&hash(1))).await;
    let (token, found_owner) = found.expect("the token is there");
    assert_eq!((token.id, token.member_id, found_owner.id), (id, owner, owner));
    assert_eq!((token.name.as_str(), token.created_at), ("鍵1", start()));
    assert_eq!(
        (token.expires_at, token.revoked_at, token.used_at),
        (Some(after(-60)), None, None)
    );
    write(&store, move |unit| {
        unit.edit_credentials().touch_token(id, after(60))
    })
    .await;
    let found = read(&store, |unit| unit.credentials().token_by_hash(&hash(1))).await;
    assert_eq!(found.and_then(|(token, _)| token.used_at), Some(after(60)));
    assert!(
        read(&store, |unit| unit.credentials().token_by_hash(&hash(2)))
            .await
            .is_none()
    );
}

pub async fn a_token_is_revoked_once(store: AnyStore) {
    let owner = member(&store, 1).await;
    let id = add_token(&store, owner, 1, None).await;
    let revoke = async |id, at| {
        write(&store, move |unit| {
            unit.edit_credentials().revoke_token(id, after(at))
        })
        .await
    };
    assert!(revoke(id, 5).await);
    assert_eq!(token(&store, 1).await, None);
    assert!(!revoke(id, 6).await);
    assert!(!revoke(TokenId::new(404), 6).await);
    let listed = read(&store, |unit| unit.credentials().tokens(None)).await;
    assert_eq!(listed[0].0.revoked_at, Some(after(5)));
}

pub async fn all_tokens_of_a_member_are_revoked(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    let first = add_token(&store, owner, 1, None).await;
    add_token(&store, owner, 2, None).await;
    let theirs = add_token(&store, other, 3, None).await;
    write(&store, move |unit| {
        unit.edit_credentials().revoke_token(first, after(1))
    })
    .await;
    write(&store, move |unit| {
        unit.edit_credentials().revoke_tokens_of(owner, after(2))
    })
    .await;
    assert_eq!((token(&store, 1).await, token(&store, 2).await), (None, None));
    assert_eq!(token(&store, 3).await, Some(theirs));
    let listed = read(&store, |unit| unit.credentials().tokens(None)).await;
    let revoked: Vec<_> = listed.iter().map(|(token, _)| token.revoked_at).collect();
    assert_eq!(revoked, [None, Some(after(2)), Some(after(1))]);
}

/// Revoked ones too.
pub async fn tokens_are_listed_newest_first_with_their_members(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    let (first, second) = (
        add_token(&store, owner, 1, None).await,
        add_token(&store, other, 2, Some(after(9))).await,
    );
    let listed = read(&store, |unit| unit.credentials().tokens(None)).await;
    let listed: Vec<_> = listed
        .iter()
        .map(|(token, member)| (token.id, member.id))
        .collect();
    assert_eq!(listed, [(second, other), (first, owner)]);
}

pub async fn a_one_time_link_works_once(store: AnyStore) {
    let owner = member(&store, 1).await;
    for (number, purpose) in [(1, LinkPurpose::SignIn), (2, LinkPurpose::SetPassword)] {
        let link = OneTimeLink {
            hash: hash(number),
            member_id: owner,
            purpose,
            expires_at: after(-60),
        };
        let added = link.clone();
        write(&store, move |unit| {
            unit.edit_credentials().add_one_time_link(&added, start())
        })
        .await;
        let found = async || {
            read(&store, move |unit| {
                unit.credentials().one_time_link(&hash(number))
            })
            .await
        };
        assert_eq!(found().await, Some(link), "expired ones are found too");
        assert!(use_link(&store, number).await);
        assert_eq!(found().await, None);
        assert!(!use_link(&store, number).await);
    }
    assert!(!use_link(&store, 9).await);
}

pub async fn a_one_time_link_works_once_at_the_same_moment_too(store: AnyStore) {
    let owner = member(&store, 1).await;
    write(&store, move |unit| {
        let link = OneTimeLink {
            hash: hash(1),
            member_id: owner,
            purpose: LinkPurpose::SignIn,
            expires_at: after(60),
        };
        unit.edit_credentials().add_one_time_link(&link, start())
    })
    .await;
    let answers = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { use_link(&store, 1).await }
    });
    assert_eq!(answers.await.into_iter().filter(|used| *used).count(), 1);
}

pub async fn failed_sign_ins_are_counted_by_account_and_time(store: AnyStore) {
    for (account, at) in [(1, 0), (1, 60), (1, 120), (2, 60)] {
        write(&store, move |unit| {
            unit.edit_credentials()
                .add_failed_sign_in(&hash(account), after(at))
        })
        .await;
    }
    let count = async |account, since| {
        read(&store, move |unit| {
            unit.credentials().failed_sign_ins(&hash(account), after(since))
        })
        .await
    };
    assert_eq!(
        (count(1, -10).await, count(1, 30).await, count(1, 200).await),
        (3, 2, 0)
    );
    assert_eq!((count(2, 30).await, count(3, -10).await), (1, 0));
    write(&store, |unit| {
        unit.edit_credentials().forget_failed_sign_ins(after(90))
    })
    .await;
    assert_eq!((count(1, -10).await, count(2, -10).await), (1, 0));
}

/// Those over their time too; with their members.
pub async fn sessions_are_listed_last_used_first(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    let mut begun = Vec::new();
    for (number, whose) in [(1, owner), (2, owner), (3, other)] {
        begun.push(begin(&store, whose, number).await);
    }
    write(&store, |unit| {
        unit.edit_credentials().touch_session(&hash(2), after(60))
    })
    .await;
    let listed = async |whose| {
        let listed = read(&store, move |unit| unit.credentials().sessions(whose)).await;
        listed
            .into_iter()
            .map(|(session, member)| (session.hash[31], member.id))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, [(2, owner), (1, owner), (3, other)]);
    assert_eq!(listed(Some(owner)).await, [(2, owner), (1, owner)]);
    let theirs = read(&store, move |unit| unit.credentials().sessions(Some(other))).await;
    assert_eq!(theirs[0].0, begun[2], "with whence they were begun");
}

pub async fn everybodys_sessions_end_and_are_counted(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    for (number, whose) in [(1, owner), (2, owner), (3, other), (4, other)] {
        begin(&store, whose, number).await;
    }
    let of_owner = write(&store, move |unit| {
        unit.edit_credentials().end_sessions_of(owner, Some(&hash(1)))
    });
    assert_eq!(of_owner.await, 1);
    let all = async || write(&store, |unit| unit.edit_credentials().end_all_sessions()).await;
    assert_eq!(all().await, 3);
    assert_eq!(all().await, 0);
    assert_eq!(read(&store, |unit| unit.credentials().sessions(None)).await, []);
}

pub async fn sessions_begun_or_used_too_long_ago_are_forgotten(store: AnyStore) {
    let owner = member(&store, 1).await;
    for (number, begun, seen) in [(1, 0, 100), (2, 50, 60), (3, 50, 100)] {
        write(&store, move |unit| {
            unit.edit_credentials().add_session(&Session {
                hash: hash(number),
                member_id: owner,
                created_at: after(begun),
                seen_at: after(seen),
                device: Device::default(),
            })
        })
        .await;
    }
    write(&store, |unit| {
        unit.edit_credentials().forget_sessions(after(50), after(61))
    })
    .await;
    let left = read(&store, |unit| unit.credentials().sessions(None)).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0.hash, hash(3));
}

pub async fn a_token_keeps_its_scopes_and_all_are_revoked_at_once(store: AnyStore) {
    let (owner, other) = (member(&store, 1).await, member(&store, 2).await);
    add_token(&store, owner, 1, None).await;
    add_token(&store, other, 2, None).await;
    let found = read(&store, |unit| unit.credentials().token_by_hash(&hash(1))).await;
    assert_eq!(found.map(|(token, _)| token.scopes), Some(SCOPES));
    let theirs = read(&store, move |unit| unit.credentials().tokens(Some(other))).await;
    let theirs: Vec<_> = theirs.iter().map(|(token, _)| token.name.as_str()).collect();
    assert_eq!(theirs, ["鍵2"]);
    let all = async |at| {
        write(&store, move |unit| {
            unit.edit_credentials().revoke_all_tokens(after(at))
        })
        .await
    };
    assert_eq!(all(5).await, 2);
    assert_eq!(all(6).await, 0);
    assert_eq!((token(&store, 1).await, token(&store, 2).await), (None, None));
}

/// Also at the same moment.
pub async fn setup_links_stand_beside_each_other_and_one_that_is_taken_ends_all(store: AnyStore) {
    let expiry = async |number| read(&store, move |unit| unit.credentials().setup_link(&hash(number))).await;
    assert_eq!(expiry(1).await, None);
    for (number, ends, at) in [(1, 60, 0), (2, 90, 30), (3, 120, 60)] {
        write(&store, move |unit| {
            let links = unit.edit_credentials();
            links.add_setup_link(&hash(number), after(ends), after(at))
        })
        .await;
        assert_eq!(expiry(number).await, Some(after(ends)));
    }
    assert_eq!(expiry(1).await, None, "it had expired");
    assert_eq!(expiry(2).await, Some(after(90)));
    assert!(!write(&store, |unit| unit.edit_credentials().take_setup_link(&hash(9))).await);
    assert_eq!(expiry(2).await, Some(after(90)));
    let answers = at_once(8, |_| {
        let store = Arc::clone(&store);
        async move { write(&store, |unit| unit.edit_credentials().take_setup_link(&hash(2))).await }
    });
    assert_eq!(answers.await.into_iter().filter(|taken| *taken).count(), 1);
    assert_eq!((expiry(2).await, expiry(3).await), (None, None));
}

pub async fn a_renewed_session_goes_on_under_the_new_secret_alone(store: AnyStore) {
    let owner = member(&store, 1).await;
    let begun = begin(&store, owner, 1).await;
    begin(&store, owner, 3).await;
    let renew = async |old, new| {
        write(&store, move |unit| {
            unit.edit_credentials().renew_session(&hash(old), &hash(new))
        })
        .await
    };
    assert!(renew(1, 2).await);
    assert!(!renew(1, 4).await);
    assert_eq!(session(&store, 1).await, None);
    let goes_on = Session {
        hash: hash(2),
        ..begun
    };
    assert_eq!(session(&store, 2).await, Some((goes_on, owner)));
    assert!(session(&store, 3).await.is_some());
}
