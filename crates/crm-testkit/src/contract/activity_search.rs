//! Messages by what they say.

use crm_domain::activities::{Activity, ActivityId};
use crm_domain::customers::CustomerId;
use crm_domain::members::{MemberId, Role};
use crm_domain::searches::Saying;
use crm_domain::teams::{Sight, Visible};
use crm_domain::trash::TrashKey;
use crm_domain::values::SearchWords;

use super::AnyStore;
use super::steps::{add_activities, add_customer, read, write};
use crate::fixtures::{after, customer_details, new_member, received, start};
use crate::saying::{customer_who_said, found};

/// More messages than one look into the index looks at.
const MANY: usize = 5_300;

async fn look(
    store: &AnyStore,
    typed: &str,
    before: Option<ActivityId>,
    limit: usize,
    visible: Visible,
) -> Saying {
    let words = SearchWords::new(typed).expect("there is a word");
    read(store, move |unit| {
        unit.activities()
            .activities_saying(&words, before, limit, &visible)
    })
    .await
}

fn said(messages: &[Activity]) -> Vec<&str> {
    messages.iter().map(|message| message.message.as_str()).collect()
}

pub async fn a_message_is_found_by_any_part_of_what_it_says(store: AnyStore) {
    let text = "薔薇の見積書をお願いします🌹";
    customer_who_said(&*store, &[text, "了解しました"]).await;
    for typed in ["薔薇", "の見", "見積書", "します🌹", "🌹", text] {
        assert_eq!(found(&*store, typed).await, [text], "{typed}");
    }
    for typed in ["薔", "積"] {
        assert_eq!(found(&*store, typed).await, [text], "{typed}");
    }
    assert_eq!(found(&*store, "しま").await, ["了解しました", text]);
    assert!(found(&*store, "百合").await.is_empty());
}

pub async fn width_case_kana_and_blanks_make_no_difference(store: AnyStore) {
    let text = "ｻｰﾊﾞｰ ABC　Ｘ１の\nお見積り";
    customer_who_said(&*store, &[text]).await;
    for typed in ["サーバー", "さーばーabc", "ＡＢＣ x1", "X1のお見積", "バ"] {
        assert_eq!(found(&*store, typed).await, [text], "{typed}");
    }
}

pub async fn every_word_must_be_said_and_its_signs_stand_together(store: AnyStore) {
    customer_who_said(&*store, &["見積と請求", "請求の見直し、積もる", "見積"]).await;
    assert_eq!(found(&*store, "見積").await, ["見積", "見積と請求"]);
    assert_eq!(found(&*store, "請求 見積").await, ["見積と請求"]);
    assert_eq!(found(&*store, "見積 見積").await, ["見積", "見積と請求"]);
    // Each pair of it is said, but not behind each other.
    customer_who_said(&*store, &["いうあい"]).await;
    assert!(found(&*store, "あいう").await.is_empty());
}

pub async fn a_single_sign_is_found_wherever_it_stands(store: AnyStore) {
    customer_who_said(&*store, &["鶴", "鶴と亀", "亀と鶴", "亀"]).await;
    assert_eq!(found(&*store, "鶴").await, ["亀と鶴", "鶴と亀", "鶴"]);
}

pub async fn any_text_can_be_said_and_looked_for(store: AnyStore) {
    let odd = [
        "100%_引き*",
        "\"OR\" NOT (NEAR",
        "a'b\\c:d",
        "<-> & | !",
        "👨‍👩‍👧 家族",
        "\u{202e}右から",
        "\u{10fffd}",
    ];
    customer_who_said(&*store, &odd).await;
    for text in odd {
        let typed = text.split_whitespace().next().expect("a word");
        assert_eq!(found(&*store, typed).await, [text], "{typed}");
    }
    assert_eq!(SearchWords::new("\0"), None, "nothing is said by it");
    for typed in ["a\0b", "';--", "%", "x*"] {
        let hits = found(&*store, typed).await;
        assert_eq!(hits.len(), usize::from(typed == "%"), "{typed:?}");
    }
    let long = "寿限無".repeat(3_000);
    customer_who_said(&*store, &[&long]).await;
    assert_eq!(found(&*store, "無寿限").await, [long]);
}

pub async fn what_was_recorded_last_comes_first_and_pages_have_no_gap_and_no_double(store: AnyStore) {
    let customer = add_customer(&store, &customer_details("山田", "太郎")).await;
    // What was said earlier may be recorded later.
    let messages: Vec<_> = (0..25)
        .map(|number| received(customer, &format!("見積 {number}"), after(-number)))
        .collect();
    let ids = add_activities(&store, messages).await;
    let (mut walked, mut before) = (Vec::new(), None);
    loop {
        let part = look(&store, "見積", before, 10, Visible::All).await;
        walked.extend(part.items.iter().map(|message| message.id));
        before = part.next;
        if before.is_none() {
            break;
        }
    }
    let newest_first: Vec<ActivityId> = ids.into_iter().rev().collect();
    assert_eq!(walked, newest_first);
}

async fn owner(store: &AnyStore, address: &str) -> MemberId {
    let member = new_member(address, "担当", Role::Member);
    write(store, move |unit| {
        unit.edit_members().add_member(&member, start())
    })
    .await
}

async fn customer_of_owner(store: &AnyStore, owner: MemberId) -> CustomerId {
    let customer = add_customer(store, &customer_details("山田", "太郎")).await;
    write(store, move |unit| {
        unit.edit_customers().set_owner(customer, Some(owner), start())
    })
    .await;
    customer
}

fn customers_of(owner: MemberId) -> Visible {
    Visible::Some(Sight {
        owners: vec![owner],
        teams: Vec::new(),
        whole: Vec::new(),
    })
}

pub async fn messages_are_found_on_pages_that_are_seen_only(store: AnyStore) {
    let (me, other) = (
        owner(&store, "me@example.com").await,
        owner(&store, "other@example.com").await,
    );
    let mine = customer_of_owner(&store, me).await;
    let theirs = customer_of_owner(&store, other).await;
    add_activities(
        &store,
        vec![
            received(mine, "見積 私", start()),
            received(theirs, "見積 他", start()),
        ],
    )
    .await;
    let seen = look(&store, "見積", None, 10, customers_of(me)).await;
    assert_eq!((said(&seen.items), seen.next), (vec!["見積 私"], None));
    let seen = look(&store, "見積", None, 10, Visible::All).await;
    assert_eq!(said(&seen.items), ["見積 他", "見積 私"]);
    let lines = read(&store, move |unit| {
        unit.customers()
            .customer_lines(&[mine, theirs], &customers_of(me))
    });
    let lines: Vec<CustomerId> = lines.await.iter().map(|line| line.customer.id).collect();
    assert_eq!(lines, [mine]);
}

pub async fn a_look_ends_and_tells_where_to_go_on(store: AnyStore) {
    let (me, other) = (
        owner(&store, "me@example.com").await,
        owner(&store, "other@example.com").await,
    );
    let mine = customer_of_owner(&store, me).await;
    let theirs = customer_of_owner(&store, other).await;
    add_activities(&store, vec![received(mine, "見積 私", start())]).await;
    let many = vec![received(theirs, "見積 他", start()); MANY];
    add_activities(&store, many).await;
    let (mut walked, mut before) = (Vec::new(), None);
    for _ in 0..4 {
        let part = look(&store, "見積", before, 10, customers_of(me)).await;
        walked.extend(part.items);
        before = part.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((said(&walked), before), (vec!["見積 私"], None));
}

pub async fn what_is_deleted_or_in_the_trash_is_not_found_until_it_is_back(store: AnyStore) {
    let (customer, _) = customer_who_said(&*store, &["見積"]).await;
    let id = look(&store, "見積", None, 10, Visible::All).await.items[0].id;
    write(&store, move |unit| {
        unit.edit_activities().delete_activity(id, after(1))
    })
    .await;
    assert!(found(&*store, "見積").await.is_empty());
    write(&store, move |unit| unit.edit_activities().restore_activity(id)).await;
    assert_eq!(found(&*store, "見積").await, ["見積"]);
    write(&store, move |unit| {
        unit.edit_customers().discard_customer(customer, after(2))
    })
    .await;
    assert!(found(&*store, "見積").await.is_empty());
    let lines = read(&store, move |unit| {
        unit.customers().customer_lines(&[customer], &Visible::All)
    });
    assert!(lines.await.is_empty());
    write(&store, move |unit| {
        unit.edit_trash().restore(TrashKey::Customer(customer), after(3))
    })
    .await;
    assert_eq!(found(&*store, "見積").await, ["見積"]);
}

pub async fn erased_messages_are_found_no_more(store: AnyStore) {
    let (gone, _) = customer_who_said(&*store, &["見積 甲", "見積 乙"]).await;
    customer_who_said(&*store, &["見積 丙"]).await;
    write(&store, move |unit| {
        unit.edit_erasures().erase_page(gone, 100, after(1))
    })
    .await;
    assert_eq!(found(&*store, "見積").await, ["見積 丙"]);
    assert!(found(&*store, "甲").await.is_empty());
}

pub async fn everything_added_here_is_in_the_index(store: AnyStore) {
    customer_who_said(&*store, &["見積", "", " "]).await;
    assert!(read(&store, |unit| unit.activities().are_activities_indexed()).await);
    assert_eq!(
        write(&store, |unit| unit.edit_activities().index_activities(10)).await,
        0
    );
}
