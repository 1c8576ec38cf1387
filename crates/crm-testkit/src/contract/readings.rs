//! The reading log.

use crm_domain::audit::By;
use crm_domain::customers::CustomerId;
use crm_domain::members::MemberId;
use crm_domain::readings::{
    Known, NewReading, Reading, ReadingFilter, ReadingId, ReadingKind, ReadingRule, searches_naming,
};

use super::AnyStore;
use super::steps::{read, write};
use crate::fixtures::after;

fn reading(seconds: i64, kind: ReadingKind) -> NewReading {
    NewReading {
        at: after(seconds),
        by: By {
            kind: "member".to_owned(),
            member_id: Some(MemberId::new(1)),
            token_id: None,
            name: "山田".to_owned(),
        },
        address: Some("192.0.2.1".to_owned()),
        kind,
        customer_id: None,
        record_id: None,
        words: None,
    }
}

fn opened(seconds: i64, customer: i64) -> NewReading {
    NewReading {
        customer_id: Some(CustomerId::new(customer)),
        ..reading(seconds, ReadingKind::Customer)
    }
}

fn searched(seconds: i64, words: &str) -> NewReading {
    NewReading {
        words: Some(words.to_owned()),
        ..reading(seconds, ReadingKind::Search)
    }
}

async fn add(store: &AnyStore, readings: Vec<NewReading>) {
    write(store, move |unit| unit.edit_readings().add_readings(&readings)).await;
}

async fn list(store: &AnyStore, filter: ReadingFilter) -> Vec<NewReading> {
    let found = read(store, move |unit| unit.readings().readings(&filter, None, 100)).await;
    found.into_iter().map(|reading| reading.what).collect()
}

/// With everything that a reading can hold, and with little.
pub async fn an_added_reading_is_found_as_it_was(store: AnyStore) {
    let file = NewReading {
        record_id: Some(7),
        customer_id: Some(CustomerId::new(3)),
        ..reading(3, ReadingKind::File)
    };
    let new = vec![opened(1, 3), searched(2, "佐藤"), file];
    add(&store, new.clone()).await;
    let mut found = list(&store, ReadingFilter::default()).await;
    found.reverse();
    assert_eq!(found, new);
}

/// By time, then by id; each page goes on where the last ended.
pub async fn readings_come_newest_first_page_by_page(store: AnyStore) {
    add(&store, [5, 1, 3, 3, 2].map(|at| opened(at, 1)).to_vec()).await;
    let (mut seen, mut place) = (Vec::new(), None);
    loop {
        let from = place;
        let page = read(&store, move |unit| {
            unit.readings().readings(&ReadingFilter::default(), from, 2)
        })
        .await;
        let Some(last) = page.last() else { break };
        place = Some(last.place());
        seen.extend(page.iter().map(Reading::place));
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    assert_eq!(seen.len(), 5);
    assert_eq!(seen, sorted);
}

/// Each condition alone.
pub async fn the_filter_leaves_out_other_readings(store: AnyStore) {
    add(&store, vec![opened(1, 3), opened(2, 4), searched(3, "佐藤")]).await;
    let none = ReadingFilter::default;
    let cases = [
        (
            ReadingFilter {
                member_id: Some(MemberId::new(1)),
                ..none()
            },
            3,
        ),
        (
            ReadingFilter {
                member_id: Some(MemberId::new(2)),
                ..none()
            },
            0,
        ),
        (
            ReadingFilter {
                kind: Some(ReadingKind::Search),
                ..none()
            },
            1,
        ),
        (
            ReadingFilter {
                customer_id: Some(CustomerId::new(4)),
                ..none()
            },
            1,
        ),
        (
            ReadingFilter {
                from: Some(after(2)),
                ..none()
            },
            2,
        ),
        (
            ReadingFilter {
                to: Some(after(2)),
                ..none()
            },
            1,
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(list(&store, filter.clone()).await.len(), expected, "{filter:?}");
    }
}

/// Kept for 90 days until somebody says otherwise.
pub async fn the_rule_is_the_last_one_that_was_set(store: AnyStore) {
    let rule = || read(&store, |unit| unit.readings().reading_rule());
    assert_eq!(rule().await, ReadingRule { on: true, days: 90 });
    for new in [
        ReadingRule { on: false, days: 30 },
        ReadingRule { on: true, days: 7 },
    ] {
        write(&store, move |unit| unit.edit_readings().set_reading_rule(new)).await;
        assert_eq!(rule().await, new);
    }
}

/// The oldest first, some at once.
pub async fn old_readings_are_forgotten(store: AnyStore) {
    add(&store, [4, 1, 2, 3].map(|at| opened(at, at)).to_vec()).await;
    let prune = |limit| {
        write(&store, move |unit| {
            unit.edit_readings().prune_readings(after(4), limit)
        })
    };
    assert_eq!(prune(1).await, 1);
    assert_eq!(list(&store, ReadingFilter::default()).await.len(), 3);
    assert_eq!(prune(9).await, 2);
    assert_eq!(prune(9).await, 0);
    assert_eq!(list(&store, ReadingFilter::default()).await, [opened(4, 4)]);
}

/// Their page and files are forgotten with the reading, of searches the words, some at once.
pub async fn a_forgotten_person_is_in_no_reading(store: AnyStore) {
    let mut log = vec![opened(1, 3), opened(2, 4)];
    let words = ["ﾔﾏﾀﾞ", "佐藤", "ﾔﾏﾀﾞﾀﾛｳ", "ヤ", "鈴木", "ヤマダ太郎", "山田タロウ"];
    log.extend((3..).zip(words).map(|(at, words)| searched(at, words)));
    add(&store, log).await;
    let forgotten = write(&store, |unit| {
        unit.edit_readings().forget_readings_of(CustomerId::new(3))
    });
    assert_eq!(forgotten.await, 1);
    let known = Known::of(&["ヤマダタロウ".to_owned()]);
    let (mut rounds, mut emptied, mut next) = (0, 0, Some(ReadingId::new(0)));
    while let Some(after) = next {
        let names = known.clone();
        let (theirs, last) = read(&store, move |unit| searches_naming(unit, &names, after, 2)).await;
        next = last;
        rounds += 1;
        emptied += theirs.len();
        write(&store, move |unit| unit.edit_readings().empty_searches(&theirs)).await;
    }
    assert_eq!((rounds, emptied), (5, 2), "two at once, and once in vain");
    let left: Vec<_> = list(&store, ReadingFilter::default())
        .await
        .into_iter()
        .rev()
        .map(|reading| (reading.kind, reading.customer_id, reading.words))
        .collect();
    let mut expected = vec![(ReadingKind::Customer, Some(CustomerId::new(4)), None)];
    let kept = [
        None,
        Some("佐藤"),
        None,
        Some("ヤ"),
        Some("鈴木"),
        Some("ヤマダ太郎"),
        Some("山田タロウ"),
    ];
    expected.extend(kept.map(|words| (ReadingKind::Search, None, words.map(str::to_owned))));
    assert_eq!(left, expected);
}
