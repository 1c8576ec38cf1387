//! What members have in hand.

use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::holdings::Holdings;
use crm_domain::members::{MemberId, Role};

use super::AnyStore;
use super::steps::{add_customer, open_talk, read, write};
use crate::fixtures::{after, customer_details, new_member, start, user};

async fn member(store: &AnyStore, address: &'static str) -> MemberId {
    let new = new_member(address, "担当 花子", Role::Member);
    write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

async fn owned(store: &AnyStore, name: &str, owner: MemberId) -> CustomerId {
    let id = add_customer(store, &customer_details(name, "")).await;
    write(store, move |unit| {
        unit.edit_customers().set_owner(id, Some(owner), after(1))
    })
    .await;
    id
}

async fn handled(store: &AnyStore, number: u32, handler: Option<MemberId>) -> ConversationId {
    let id = open_talk(store, &user(number)).await;
    write(store, move |unit| {
        let talk = unit.conversations().conversation(id)?.expect("it is there");
        let mut standing = talk.standing;
        standing.hand_to(handler, after(1));
        unit.edit_conversations().save_standings(&[(id, standing)])
    })
    .await;
    id
}

pub async fn what_a_member_has_in_hand_is_counted(store: AnyStore) {
    let hanako = member(&store, "hanako@example.jp").await;
    let taro = member(&store, "taro@example.jp").await;
    owned(&store, "山田", hanako).await;
    let gone = owned(&store, "鈴木", hanako).await;
    owned(&store, "佐藤", taro).await;
    handled(&store, 1, Some(hanako)).await;
    handled(&store, 2, None).await;
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(gone, after(2))
    })
    .await;
    let of = |member| read(&store, move |unit| unit.holdings().holdings(member));
    let expected = |customers, conversations| Holdings {
        customers,
        conversations,
    };
    assert_eq!(of(hanako).await, expected(1, 1));
    assert_eq!(of(taro).await, expected(1, 0));
    assert!(of(MemberId::new(404)).await.is_empty());
}

pub async fn owned_customers_come_by_id_without_the_trash(store: AnyStore) {
    let hanako = member(&store, "hanako@example.jp").await;
    let mut ids = Vec::new();
    for name in ["わたなべ", "あべ", "すずき"] {
        ids.push(owned(&store, name, hanako).await);
    }
    add_customer(&store, &customer_details("だれのでもない", "")).await;
    let gone = ids[1];
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(gone, after(2))
    })
    .await;
    let of = |limit| read(&store, move |unit| unit.holdings().owned_customers(hanako, limit));
    assert_eq!(of(9).await, [ids[0], ids[2]]);
    assert_eq!(of(1).await, [ids[0]]);
}

pub async fn handled_conversations_come_by_id(store: AnyStore) {
    let hanako = member(&store, "hanako@example.jp").await;
    let taro = member(&store, "taro@example.jp").await;
    let first = handled(&store, 1, Some(hanako)).await;
    handled(&store, 2, Some(taro)).await;
    let last = handled(&store, 3, Some(hanako)).await;
    let of = |limit| {
        read(&store, move |unit| {
            unit.holdings().handled_conversations(hanako, limit)
        })
    };
    assert_eq!(of(9).await, [first, last]);
    assert_eq!(of(1).await, [first]);
}
