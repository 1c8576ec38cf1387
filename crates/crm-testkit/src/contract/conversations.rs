//! Conversations.

use std::collections::HashSet;
use std::sync::Arc;

use crm_domain::conversations::{Conversation, ConversationId, ConversationKind, LinkState};
use crm_domain::instant::Instant;
use crm_domain::sends::{CLAIM_LEASE, Queued, SendState, Urgency};

use super::AnyStore;
use super::steps::{add_activities, add_customer, at_once, open, open_talk, read, write};
use crate::fixtures::{
    after, customer_on, new_send, received, received_in, sent_in, start, talk, user, user_id,
};

async fn found(store: &AnyStore, id: ConversationId) -> Conversation {
    let found = read(store, move |unit| unit.conversations().conversation(id)).await;
    found.expect("the conversation is there")
}

async fn set(store: &AnyStore, id: ConversationId, link: LinkState, at: Instant) {
    write(store, move |unit| {
        unit.edit_conversations().set_link(id, link, at)
    })
    .await;
}

async fn confirmed(store: &AnyStore, id: ConversationId) -> bool {
    read(store, move |unit| unit.conversations().has_confirmed_message(id)).await
}

pub async fn an_opened_conversation_is_unconfirmed_since_no_event(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    let conversation = found(&store, id).await;
    assert_eq!((conversation.id, conversation.key), (id, talk(&user(1))));
    assert_eq!(
        (conversation.link, conversation.link_at),
        (LinkState::Unconfirmed, Conversation::no_event())
    );
    let unknown = ConversationId::new(404);
    assert_eq!(
        read(&store, move |unit| unit.conversations().conversation(unknown)).await,
        None
    );
}

/// Bot, address and kind make a conversation; letter case counts.
pub async fn ids_come_in_the_order_of_the_keys(store: AnyStore) {
    let first = talk(&user_id("Abc"));
    let mut other_bot = first.clone();
    other_bot.bot = String::new();
    let mut room = first.clone();
    room.kind = ConversationKind::Room;
    let lower = talk(&user_id("abc"));
    let old = open(&store, vec![room.clone(), lower.clone()]).await;
    let keys = vec![first.clone(), lower, first.clone(), other_bot, room];
    let ids = open(&store, keys.clone()).await;
    assert_eq!((ids[1], ids[4]), (old[1], old[0]), "what existed is given back");
    assert_eq!(ids[0], ids[2], "a key named twice is one conversation");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4);
    for (key, id) in keys.into_iter().zip(ids) {
        assert_eq!(found(&store, id).await.key, key);
    }
    assert!(open(&store, Vec::new()).await.is_empty());
}

pub async fn opening_again_changes_nothing(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    set(&store, id, LinkState::Left, after(5)).await;
    assert_eq!(open_talk(&store, &user(1)).await, id);
    let conversation = found(&store, id).await;
    assert_eq!(
        (conversation.link, conversation.link_at),
        (LinkState::Left, after(5))
    );
}

/// Each opens the same two, half of them in the other order.
pub async fn exactly_one_exists_however_many_open_it_at_once(store: AnyStore) {
    let answers = at_once(16, |number| {
        let store = Arc::clone(&store);
        async move {
            let mut keys = vec![talk(&user(1)), talk(&user(2))];
            if number % 2 == 1 {
                keys.reverse();
            }
            let mut ids = open(&store, keys).await;
            if number % 2 == 1 {
                ids.reverse();
            }
            ids
        }
    });
    let answers: HashSet<_> = answers.await.into_iter().collect();
    assert_eq!(answers.len(), 1);
    let all = read(&store, |unit| {
        unit.conversations().conversations_with(&[user(1), user(2)])
    });
    assert_eq!(all.await.len(), 2);
}

/// On any bot; not of other people, and not the rooms.
pub async fn the_conversations_with_people_are_found(store: AnyStore) {
    let mut other_bot = talk(&user(1));
    "999".clone_into(&mut other_bot.bot);
    let mut room = talk(&user(1));
    room.kind = ConversationKind::Room;
    let keys = vec![talk(&user(1)), other_bot, room, talk(&user(2)), talk(&user(3))];
    let ids = open(&store, keys).await;
    let with = async |people: Vec<_>| {
        let found = read(&store, move |unit| {
            unit.conversations().conversations_with(&people)
        })
        .await;
        found.into_iter().map(|talk| talk.id).collect::<HashSet<_>>()
    };
    assert_eq!(with(vec![user(1)]).await, HashSet::from([ids[0], ids[1]]));
    assert_eq!(
        with(vec![user(3), user(1), user(9)]).await,
        HashSet::from([ids[0], ids[1], ids[4]])
    );
    assert!(with(vec![user(9)]).await.is_empty());
    assert!(with(Vec::new()).await.is_empty());
}

/// Equal times count as newer; one conversation's state is not another's.
pub async fn an_older_event_does_not_change_the_link(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    let other = open_talk(&store, &user(2)).await;
    for (link, at, expected) in [
        (LinkState::Active, -100, (LinkState::Active, -100)),
        (LinkState::Left, 10, (LinkState::Left, 10)),
        (LinkState::Active, 9, (LinkState::Left, 10)),
        (LinkState::Active, 10, (LinkState::Active, 10)),
        (LinkState::Unconfirmed, 20, (LinkState::Unconfirmed, 20)),
        (LinkState::Left, 15, (LinkState::Unconfirmed, 20)),
    ] {
        set(&store, id, link, after(at)).await;
        let conversation = found(&store, id).await;
        assert_eq!(
            (conversation.link, conversation.link_at),
            (expected.0, after(expected.1))
        );
    }
    assert_eq!(found(&store, other).await.link, LinkState::Unconfirmed);
}

/// The instant of the last event stays.
pub async fn resetting_sets_the_link_whatever_the_time(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    set(&store, id, LinkState::Active, after(10)).await;
    write(&store, move |unit| {
        unit.edit_conversations().reset_link(id, LinkState::Unconfirmed)
    })
    .await;
    let conversation = found(&store, id).await;
    assert_eq!(
        (conversation.link, conversation.link_at),
        (LinkState::Unconfirmed, after(10))
    );
}

pub async fn a_received_message_confirms_until_it_is_deleted(store: AnyStore) {
    let customer = add_customer(&store, &customer_on("山田", "太郎", &user(1))).await;
    let (id, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    assert!(!confirmed(&store, id).await);
    add_activities(&store, vec![received(customer, "会話の外", start())]).await;
    assert!(!confirmed(&store, id).await);
    let said = add_activities(&store, vec![received_in(id, customer, "こんにちは", start())]).await[0];
    assert!(confirmed(&store, id).await);
    assert!(!confirmed(&store, other).await);
    write(&store, move |unit| {
        unit.edit_activities().delete_activity(said, after(1))
    })
    .await;
    assert!(!confirmed(&store, id).await);
    write(&store, move |unit| unit.edit_activities().restore_activity(said)).await;
    assert!(confirmed(&store, id).await);
}

/// Imported messages of ours were sent long ago and count; others when LINE WORKS accepted them.
pub async fn a_sent_message_confirms_once_it_was_accepted(store: AnyStore) {
    let customer = add_customer(&store, &customer_on("山田", "太郎", &user(1))).await;
    for (number, outcome, expected) in [
        (1, None, false),
        (2, Some(SendState::Failed), false),
        (3, Some(SendState::Unknown), false),
        (4, Some(SendState::Sent), true),
    ] {
        let id = open_talk(&store, &user(number)).await;
        let queued = write(&store, move |unit| {
            let send = new_send(&format!("key {number}"), id, "はい", start());
            let Queued::Added(send) = unit.edit_sends().add_send(&send)? else {
                panic!("the key is new");
            };
            let shown = sent_in(id, customer, send, "はい", start());
            unit.edit_activities().add_activities(&[shown])?;
            Ok(send)
        })
        .await;
        if let Some(outcome) = outcome {
            write(&store, move |unit| {
                while let Some(claimed) =
                    unit.edit_sends()
                        .claim_send("run", Urgency::Bulk, after(1), CLAIM_LEASE)?
                {
                    let state = if claimed.id == queued {
                        outcome
                    } else {
                        SendState::Failed
                    };
                    unit.edit_sends()
                        .finish_send(claimed.id, "run", state, None, after(2))?;
                }
                Ok(())
            })
            .await;
        }
        assert_eq!(confirmed(&store, id).await, expected, "{outcome:?}");
    }
    let id = open_talk(&store, &user(5)).await;
    let mut imported = received_in(id, customer, "昔の送信", start());
    imported.direction = crm_domain::activities::Direction::Sent;
    add_activities(&store, vec![imported]).await;
    assert!(confirmed(&store, id).await);
}
