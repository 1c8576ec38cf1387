//! What was said before a customer carried the id, and who owns a customer.

use crm_domain::activities::{ActivityId, NewActivity};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::members::{MemberId, Role};
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::{Kept, ReceiptId, ReceiptOutcome, ReceiptState};
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_activities, add_customer, at_once, open_talk, read, try_write, write};
use crate::fixtures::{
    after, customer_details, customer_on, new_member, new_send, receipt, received_in, sent_in, start, user,
};

async fn unclaimed(store: &AnyStore, talk: ConversationId, number: u32) -> ReceiptId {
    write(store, move |unit| {
        let new = receipt(&format!("body {number}"), after(i64::from(number)));
        let Kept::Added(id) = unit.edit_receipts().keep_receipt(&new)? else {
            panic!("a new one");
        };
        let outcome = ReceiptOutcome {
            id,
            state: ReceiptState::Unclaimed,
            conversation_id: Some(talk),
            reason: None,
        };
        unit.edit_receipts().settle_receipts(&[outcome], after(1))?;
        Ok(id)
    })
    .await
}

pub async fn unclaimed_callbacks_come_oldest_first_until_they_are_claimed(store: AnyStore) {
    let (talk, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let first = unclaimed(&store, talk, 1).await;
    let second = unclaimed(&store, talk, 2).await;
    unclaimed(&store, other, 3).await;
    let find = |after, limit| {
        read(&store, move |unit| {
            unit.receipts().unclaimed_receipts(talk, after, limit)
        })
    };
    let found = find(None, 9).await;
    assert_eq!(
        found.iter().map(|one| one.id).collect::<Vec<_>>(),
        [first, second]
    );
    assert_eq!(found[0].body, b"body 1");
    assert_eq!(find(None, 1).await, found[..1]);
    assert_eq!(find(Some(first), 9).await, found[1..]);
    let claim = || write(&store, move |unit| unit.edit_receipts().claim_receipts(&[first]));
    assert_eq!((claim().await, claim().await), (1, 0));
    assert_eq!(find(None, 9).await, found[1..]);
}

pub async fn what_a_page_lacks_is_told_once(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let mut customers = Vec::new();
    for number in 0..3 {
        let details = customer_details("山田", &number.to_string());
        customers.push(add_customer(&store, &details).await);
    }
    let [first, second, third] = [customers[0], customers[1], customers[2]];
    let said = unclaimed(&store, talk, 1).await;
    let deleted = unclaimed(&store, talk, 2).await;
    let sent = write(&store, move |unit| {
        unit.edit_sends().add_send(&new_send("k", talk, "返事", after(3)))
    })
    .await
    .id();
    let of = |customer: CustomerId, source: Option<ReceiptId>| NewActivity {
        receipt_id: source,
        ..received_in(talk, customer, "質問", after(1))
    };
    let mut rows = Vec::new();
    for customer in [first, second] {
        rows.push(of(customer, Some(said)));
        rows.push(of(customer, Some(deleted)));
        rows.push(sent_in(talk, customer, sent, "返事", after(3)));
    }
    rows.push(of(first, None));
    rows.push(of(third, Some(said)));
    let ids = add_activities(&store, rows).await;
    for row in [1, 4] {
        let id = ids[row];
        write(&store, move |unit| {
            unit.edit_activities().delete_activity(id, after(9))
        })
        .await;
    }
    let lacking = |customer, after: Option<ActivityId>| {
        read(&store, move |unit| {
            unit.activities().activities_lacking(talk, customer, after, 9)
        })
    };
    let found = lacking(third, None).await;
    let shown: Vec<_> = found
        .iter()
        .map(|(id, row)| (*id, row.customer_id, row.send_id, row.timestamp))
        .collect();
    assert_eq!(shown, [(ids[2], third, Some(sent), after(3))]);
    assert!(lacking(third, Some(ids[5])).await.is_empty());
    assert!(
        lacking(first, None).await.is_empty(),
        "what was deleted does not come back"
    );
}

pub async fn a_message_to_nobody_is_shown_on_no_page(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let customer = add_customer(&store, &customer_on("山", "田", &user(1))).await;
    let send = write(&store, move |unit| {
        unit.edit_sends().add_send(&new_send("k", talk, "返事", after(3)))
    })
    .await
    .id();
    let unshown = || read(&store, move |unit| unit.sends().unshown_sends(talk));
    let found = unshown().await;
    assert_eq!(
        (found.len(), found[0].id, found[0].text.as_str()),
        (1, send, "返事")
    );
    let rows = add_activities(&store, vec![sent_in(talk, customer, send, "返事", after(3))]).await;
    assert!(unshown().await.is_empty());
    write(&store, move |unit| {
        unit.edit_activities().retime_send(send, after(7))
    })
    .await;
    let moved = read(&store, move |unit| unit.activities().activity(rows[0])).await;
    assert_eq!(moved.map(|moved| moved.timestamp), Some(after(7)));
}

pub async fn the_oldest_message_after_a_time_is_found(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let customer = add_customer(&store, &customer_on("山", "田", &user(1))).await;
    let rows = [5, 3, 9].map(|seconds| received_in(talk, customer, "質問", after(seconds)));
    let ids = add_activities(&store, rows.to_vec()).await;
    let find = |seconds| {
        read(&store, move |unit| {
            unit.activities().received_after(talk, after(seconds))
        })
    };
    assert_eq!(find(0).await, Some(after(3)));
    assert_eq!(find(3).await, Some(after(5)));
    assert_eq!(find(9).await, None);
    let five = ids[0];
    write(&store, move |unit| {
        unit.edit_activities().delete_activity(five, after(10))
    })
    .await;
    assert_eq!(find(3).await, Some(after(9)));
}

pub async fn the_last_message_is_the_newest_that_stands(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let customer = add_customer(&store, &customer_on("山", "田", &user(1))).await;
    let last = || read(&store, move |unit| unit.activities().last_message(talk));
    assert_eq!(last().await, None);
    let rows = [9, 3].map(|seconds| received_in(talk, customer, "質問", after(seconds)));
    let ids = add_activities(&store, rows.to_vec()).await;
    assert_eq!(last().await.map(|last| last.at), Some(after(9)));
    let newest = ids[0];
    write(&store, move |unit| {
        unit.edit_activities().delete_activity(newest, after(10))
    })
    .await;
    assert_eq!(
        last().await.map(|last| (last.at, last.text)),
        Some((after(3), "質問".to_owned()))
    );
}

pub async fn a_claim_is_due_until_it_is_not(store: AnyStore) {
    let (first, second) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let set = |id, due| {
        write(&store, move |unit| {
            unit.edit_conversations().set_claim_due(id, due)
        })
    };
    let due = |limit| read(&store, move |unit| unit.conversations().claims_due(limit));
    assert!(due(9).await.is_empty());
    set(second, true).await;
    set(first, true).await;
    assert_eq!(due(9).await, [first, second]);
    assert_eq!(due(1).await, [first]);
    set(first, false).await;
    assert_eq!(due(9).await, [second]);
    let both = vec![second, ConversationId::new(404), first];
    let found = read(&store, move |unit| {
        unit.conversations().conversations_by_id(&both)
    })
    .await;
    let found: Vec<_> = found.iter().map(|talk| (talk.id, talk.claim_due)).collect();
    assert_eq!(found, [(second, true), (first, false)]);
}

pub async fn a_sender_becomes_one_customer_however_many_register_at_once(store: AnyStore) {
    let answers = at_once(16, |_| {
        let store = store.clone();
        async move {
            write(&store, |unit| {
                let details = customer_on("未", "登録", &user(1));
                unit.edit_customers().register_sender(&user(1), &details, start())
            })
            .await
        }
    })
    .await;
    let made: Vec<CustomerId> = answers.into_iter().flatten().collect();
    let [id] = made[..] else {
        panic!("exactly one: {made:?}");
    };
    let found = read(&store, move |unit| unit.customers().customer(id, &Visible::All)).await;
    let found = found.expect("a customer").customer;
    assert!(found.needs_look);
    let details = found.details.clone();
    write(&store, move |unit| {
        unit.edit_customers().revise_customer(id, 1, &details, after(1))
    })
    .await;
    let looked_at = read(&store, move |unit| unit.customers().customer(id, &Visible::All)).await;
    assert_eq!(looked_at.map(|line| line.customer.needs_look), Some(false));
}

pub async fn an_owner_is_a_member(store: AnyStore) {
    let customer = add_customer(&store, &customer_details("山", "田")).await;
    let new = new_member("m@example.jp", "社員", Role::Member);
    let member = write(&store, move |unit| unit.edit_members().add_member(&new, start())).await;
    let set = |id, owner: Option<MemberId>| {
        try_write(&store, move |unit| {
            unit.edit_customers().set_owner(id, owner, after(1))
        })
    };
    assert!(matches!(set(customer, Some(member)).await, Ok(true)));
    let found = read(&store, move |unit| {
        unit.customers().customer(customer, &Visible::All)
    })
    .await;
    let found = found.expect("a customer").customer;
    assert_eq!((found.owner_id, found.version), (Some(member), 2));
    let nobody = set(customer, Some(MemberId::new(404))).await;
    assert!(matches!(nobody, Err(StoreError::Missing("owner_id"))));
    assert!(matches!(set(CustomerId::new(404), None).await, Ok(false)));
    assert!(matches!(set(customer, None).await, Ok(true)));
}
