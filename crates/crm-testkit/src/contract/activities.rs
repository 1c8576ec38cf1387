//! Messages.

use crm_domain::activities::{Activity, ActivityId, ActivityPlace, Direction, MessageKind, NewActivity};
use crm_domain::companies::CompanyId;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{CLAIM_LEASE, Queued, RESENT, SendState, Urgency};
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_activities, add_company, add_customer, open_talk, read, try_write, write};
use crate::fixtures::{
    after, company_details, customer_details, customer_of, customer_on, new_send, received, received_in,
    sent_in, start, user,
};

async fn newest(
    store: &AnyStore,
    customer: CustomerId,
    before: Option<ActivityPlace>,
    limit: usize,
) -> Vec<Activity> {
    read(store, move |unit| {
        unit.activities().activities_before(customer, before, limit)
    })
    .await
}

async fn added_after(
    store: &AnyStore,
    customer: CustomerId,
    id: Option<ActivityId>,
    limit: usize,
) -> Vec<Activity> {
    read(store, move |unit| {
        unit.activities().activities_added_after(customer, id, limit)
    })
    .await
}

async fn found(store: &AnyStore, id: ActivityId) -> Option<Activity> {
    read(store, move |unit| unit.activities().activity(id)).await
}

async fn delete(store: &AnyStore, id: ActivityId) -> bool {
    write(store, move |unit| {
        unit.edit_activities().delete_activity(id, after(9))
    })
    .await
}

async fn restore(store: &AnyStore, id: ActivityId) -> Option<Activity> {
    write(store, move |unit| unit.edit_activities().restore_activity(id)).await
}

fn words(activities: &[Activity]) -> Vec<&str> {
    activities
        .iter()
        .map(|activity| activity.message.as_str())
        .collect()
}

fn place(activity: &Activity) -> ActivityPlace {
    ActivityPlace {
        timestamp: activity.timestamp,
        id: activity.id,
    }
}

async fn yamada(store: &AnyStore) -> CustomerId {
    add_customer(store, &customer_details("山田", "太郎")).await
}

/// Every kind, with and without detail, 2,000 characters of four bytes too.
pub async fn an_added_message_is_found_as_it_was(store: AnyStore) {
    let customer = yamada(&store).await;
    let talk = open_talk(&store, &user(1)).await;
    let long = "😀".repeat(2_000);
    for kind in MessageKind::ALL {
        for (message, detail) in [
            (long.as_str(), None),
            ("", Some(r#"{"type":"sticker","packageId":"1"}"#)),
            (
                "一行目\r\n\t二行目 '\"\\ %_ \u{FFFD} 𠮷 か\u{3099} ㍿",
                Some("{}"),
            ),
        ] {
            let new = NewActivity {
                kind,
                detail: detail.map(str::to_owned),
                ..received_in(talk, customer, message, after(3))
            };
            let id = add_activities(&store, vec![new.clone()]).await[0];
            let activity = found(&store, id).await.expect("the message is there");
            assert_eq!((activity.id, activity.customer_id), (id, customer));
            assert_eq!(
                (activity.conversation_id, activity.direction),
                (Some(talk), Direction::Received)
            );
            assert_eq!(
                (activity.kind, activity.message, activity.detail),
                (kind, new.message, new.detail)
            );
            assert_eq!((activity.timestamp, activity.sending), (after(3), None));
        }
    }
}

pub async fn instants_keep_their_milliseconds_and_their_order(store: AnyStore) {
    let customer = yamada(&store).await;
    let whole = 1_751_942_746_000;
    let millis = [
        -62_135_596_800_000,
        -1,
        0,
        1,
        whole - 1,
        whole,
        whole + 1,
        whole + 10,
        whole + 100,
        whole + 999,
        whole + 1_000,
        253_402_300_799_999,
    ];
    let rows = millis
        .iter()
        .rev()
        .map(|millis| received(customer, &millis.to_string(), Instant::from_unix_millis(*millis)));
    add_activities(&store, rows.collect()).await;
    let found = newest(&store, customer, None, 50).await;
    let times: Vec<i64> = found
        .iter()
        .rev()
        .map(|row| row.timestamp.unix_millis())
        .collect();
    assert_eq!(times, millis);
    let texts: Vec<String> = millis.iter().rev().map(i64::to_string).collect();
    assert_eq!(words(&found), texts);
}

pub async fn ids_come_in_the_order_given(store: AnyStore) {
    let (a, b) = (yamada(&store).await, yamada(&store).await);
    let rows: Vec<_> = (0..60)
        .map(|number| {
            received(
                if number % 2 == 0 { a } else { b },
                &number.to_string(),
                after(-number),
            )
        })
        .collect();
    let ids = add_activities(&store, rows).await;
    assert!(ids.is_sorted_by(|first, second| first < second));
    for (number, id) in ids.into_iter().enumerate() {
        let activity = found(&store, id).await.expect("the message is there");
        assert_eq!(activity.message, number.to_string());
    }
    assert!(add_activities(&store, Vec::new()).await.is_empty());
}

pub async fn a_customer_that_does_not_exist_is_missing(store: AnyStore) {
    let customer = yamada(&store).await;
    let answer = try_write(&store, move |unit| {
        let nobody = CustomerId::new(404);
        let rows = [received(customer, "一", start()), received(nobody, "二", start())];
        unit.edit_activities().add_activities(&rows)
    });
    assert!(matches!(answer.await, Err(StoreError::Missing("customer_id"))));
    assert!(newest(&store, customer, None, 9).await.is_empty());
}

/// By time, then by id; a message that arrives late stands where it was said.
pub async fn the_newest_come_first_and_pages_have_no_gap_and_no_double(store: AnyStore) {
    let (customer, other) = (yamada(&store).await, yamada(&store).await);
    let mut rows: Vec<_> = (0..120)
        .map(|n| received(customer, &n.to_string(), after(n / 40)))
        .collect();
    rows.push(received(customer, "遅れて", after(-1)));
    rows.push(received(other, "別人", after(99)));
    add_activities(&store, rows).await;
    let mut expected: Vec<String> = (0..120).rev().map(|n| n.to_string()).collect();
    expected.push("遅れて".to_owned());
    for limit in [1, 7, 50, 200] {
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = newest(&store, customer, before, limit).await;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            before = Some(place(last));
            seen.extend(page.iter().map(|activity| activity.message.clone()));
            assert!(seen.len() <= expected.len(), "{limit} a page");
        }
        assert_eq!(seen, expected, "{limit} a page");
    }
}

/// In the order of their times; who goes on after the highest id seen misses nothing, whatever the limit.
pub async fn what_was_added_after_a_message_misses_nothing(store: AnyStore) {
    let (customer, other) = (yamada(&store).await, yamada(&store).await);
    let first = add_activities(&store, vec![received(customer, "はじめ", after(50))]).await[0];
    assert!(added_after(&store, customer, Some(first), 9).await.is_empty());
    let later = ["三", "一", "二"]
        .into_iter()
        .zip([after(60), after(10), after(55)]);
    let mut rows: Vec<_> = later.map(|(text, at)| received(customer, text, at)).collect();
    rows.push(received(other, "別人", after(99)));
    add_activities(&store, rows).await;
    let found = added_after(&store, customer, Some(first), 9).await;
    assert_eq!(words(&found), ["一", "二", "三"]);
    let all = added_after(&store, customer, None, 9).await;
    assert_eq!(words(&all), ["一", "はじめ", "二", "三"]);
    let mut seen = Vec::new();
    let mut highest = Some(first);
    loop {
        let page = added_after(&store, customer, highest, 1).await;
        assert!(page.len() <= 1);
        highest = page.iter().map(|activity| activity.id).max();
        seen.extend(page.into_iter().map(|activity| activity.message));
        assert!(seen.len() <= 3);
        if highest.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["三", "一", "二"]);
}

pub async fn a_companys_messages_are_those_of_its_customers(store: AnyStore) {
    let company = add_company(&store, &company_details("青空")).await;
    let (a, b) = (
        add_customer(&store, &customer_of("山田", "太郎", company)).await,
        add_customer(&store, &customer_of("佐藤", "花子", company)).await,
    );
    let other = yamada(&store).await;
    let rows = vec![
        received(a, "一", after(1)),
        received(other, "別人", after(2)),
        received(b, "四", after(4)),
        received(a, "三", after(3)),
        received(b, "二", after(2)),
    ];
    add_activities(&store, rows).await;
    let of = async |company: CompanyId, before, limit| {
        read(&store, move |unit| {
            unit.activities()
                .activities_of_company(company, before, limit, &Visible::All)
        })
        .await
    };
    let first = of(company, None, 3).await;
    assert_eq!(words(&first), ["四", "三", "二"]);
    let rest = of(company, Some(place(&first[2])), 3).await;
    assert_eq!(words(&rest), ["一"]);
    assert!(of(CompanyId::new(404), None, 3).await.is_empty());
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(b, after(9))
    })
    .await;
    assert_eq!(words(&of(company, None, 9).await), ["三", "一"]);
}

pub async fn a_deleted_message_is_not_found_until_it_is_brought_back(store: AnyStore) {
    let customer = yamada(&store).await;
    let rows = vec![
        received(customer, "一", after(1)),
        received(customer, "二", after(2)),
    ];
    let ids = add_activities(&store, rows).await;
    assert!(delete(&store, ids[0]).await);
    assert_eq!(found(&store, ids[0]).await, None);
    let gone = ids[0];
    let whose = read(&store, move |unit| unit.activities().customer_of_activity(gone)).await;
    assert_eq!(whose, Some(customer), "it is known whose it was");
    assert_eq!(words(&newest(&store, customer, None, 9).await), ["二"]);
    assert_eq!(words(&added_after(&store, customer, None, 9).await), ["二"]);
    assert!(!delete(&store, ids[0]).await, "it is not there any more");
    let back = restore(&store, ids[0]).await.expect("it comes back");
    assert_eq!(
        (back.id, back.customer_id, back.message.as_str()),
        (ids[0], customer, "一")
    );
    assert_eq!(found(&store, ids[0]).await, Some(back));
    assert_eq!(words(&newest(&store, customer, None, 9).await), ["二", "一"]);
}

pub async fn only_a_deleted_message_can_be_brought_back(store: AnyStore) {
    let customer = yamada(&store).await;
    let id = add_activities(&store, vec![received(customer, "一", start())]).await[0];
    assert_eq!(restore(&store, id).await, None);
    assert_eq!(restore(&store, ActivityId::new(404)).await, None);
    assert!(!delete(&store, ActivityId::new(404)).await);
}

pub async fn messages_of_a_customer_in_the_trash_are_not_found(store: AnyStore) {
    let customer = yamada(&store).await;
    let id = add_activities(&store, vec![received(customer, "一", start())]).await[0];
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(customer, after(1))
    })
    .await;
    assert_eq!(found(&store, id).await, None);
    let whose = read(&store, move |unit| unit.activities().customer_of_activity(id)).await;
    assert_eq!(whose, None);
    assert!(newest(&store, customer, None, 9).await.is_empty());
    assert!(added_after(&store, customer, None, 9).await.is_empty());
}

/// The state is the sending's, on each page the same; imported ones have none and count as sent.
pub async fn a_message_of_ours_shows_what_became_of_it(store: AnyStore) {
    let (a, b) = (
        add_customer(&store, &customer_on("山田", "太郎", &user(1))).await,
        add_customer(&store, &customer_on("山田", "花子", &user(1))).await,
    );
    let talk = open_talk(&store, &user(1)).await;
    let (send, ids) = write(&store, move |unit| {
        let Queued::Added(send) = unit
            .edit_sends()
            .add_send(&new_send("k", talk, "はい", start()))?
        else {
            panic!("the key is new");
        };
        let rows = [a, b].map(|customer| sent_in(talk, customer, send, "はい", start()));
        Ok((send, unit.edit_activities().add_activities(&rows)?))
    })
    .await;
    let states = async || {
        let mut states = Vec::new();
        for id in &ids {
            let sending = found(&store, *id).await.and_then(|activity| activity.sending);
            let sending = sending.expect("it shows its sending");
            assert_eq!((sending.id, sending.author.as_str()), (send, "operator"));
            states.push((sending.state, sending.reason));
        }
        assert_eq!(states[0], states[1]);
        states.swap_remove(0)
    };
    assert_eq!(states().await, (SendState::Queued, None));
    write(&store, |unit| {
        unit.edit_sends()
            .claim_send("run", Urgency::Bulk, after(1), CLAIM_LEASE)
    })
    .await;
    assert_eq!(states().await, (SendState::Sending, None));
    write(&store, move |unit| {
        let reason = Some("timed_out");
        unit.edit_sends()
            .finish_send(send, "run", SendState::Unknown, reason, after(2))
    })
    .await;
    assert_eq!(states().await, (SendState::Unknown, Some("timed_out".to_owned())));
    assert!(write(&store, move |unit| unit.edit_sends().mark_resent(send)).await);
    assert_eq!(states().await, (SendState::Unknown, Some(RESENT.to_owned())));
    let remove = async || {
        write(&store, move |unit| {
            unit.edit_activities().delete_activities_of_send(send, after(3))
        })
        .await
    };
    assert_eq!((remove().await, remove().await), (2, 0), "gone from every page");
    assert_eq!(found(&store, ids[1]).await, None);
    let mut imported = received(a, "昔", start());
    imported.direction = Direction::Sent;
    let id = add_activities(&store, vec![imported]).await[0];
    let imported = found(&store, id).await.expect("it is there");
    assert_eq!(
        (&imported.sending, imported.send_state()),
        (&None, Some(SendState::Sent))
    );
}
