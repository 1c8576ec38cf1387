//! Units of work and readings.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork, Verdict};
use crm_domain::teams::Visible;

use super::AnyStore;
use super::steps::{add_company, at_once, read, try_write, write};
use crate::fixtures::{after, company_details, customer_of, new_member, start};

/// How many companies a unit sees.
fn count(unit: &mut (impl ReadUnit + ?Sized)) -> Result<usize, StoreError> {
    let everything = PageRequest::first(1_000);
    let page = unit
        .companies()
        .company_list(&CompanyFilter::default(), &everything, &Visible::All)?;
    Ok(page.items.len())
}

fn add(unit: &mut dyn UnitOfWork, name: &str) -> Result<CompanyId, StoreError> {
    unit.edit_companies().add_company(&company_details(name), start())
}

async fn stored(store: &AnyStore) -> usize {
    read(store, |unit| count(unit)).await
}

pub async fn a_new_store_answers_and_needs_no_migration(store: AnyStore) {
    store.ping().await.expect("it answers");
    assert_eq!(store.migrations_pending().await.expect("it answers"), 0);
    assert_eq!(stored(&store).await, 0);
}

pub async fn a_unit_reads_what_it_wrote_itself(store: AnyStore) {
    let seen = write(&store, |unit| {
        add(unit, "あ")?;
        add(unit, "い")?;
        count(unit)
    });
    assert_eq!(seen.await, 2);
    assert_eq!(stored(&store).await, 2);
}

pub async fn a_unit_that_errs_leaves_nothing(store: AnyStore) {
    let answer = try_write(&store, |unit| {
        add(unit, "あ")?;
        Err::<(), _>(StoreError::Missing("anything"))
    });
    assert!(matches!(answer.await, Err(StoreError::Missing("anything"))));
    assert_eq!(stored(&store).await, 0);
}

pub async fn a_unit_that_rolls_back_leaves_nothing_and_is_no_error(store: AnyStore) {
    let work = |unit: &mut dyn UnitOfWork| {
        add(unit, "あ").expect("it can be added");
        Verdict::RollBack
    };
    store
        .run_write(Box::new(work))
        .await
        .expect("rolling back is no error");
    assert_eq!(stored(&store).await, 0);
}

pub async fn a_unit_that_panics_leaves_nothing_and_the_store_goes_on(store: AnyStore) {
    let answer = try_write(&store, |unit| -> Result<(), StoreError> {
        add(unit, "あ")?;
        panic!("this unit is meant to panic");
    });
    assert!(answer.await.is_err());
    assert_eq!(stored(&store).await, 0);
    add_company(&store, &company_details("い")).await;
    assert_eq!(stored(&store).await, 1);
}

pub async fn a_reading_that_panics_leaves_the_store_going(store: AnyStore) {
    let answer = store.read(|unit| -> Result<(), StoreError> {
        count(unit)?;
        panic!("this reading is meant to panic");
    });
    assert!(answer.await.is_err());
    add_company(&store, &company_details("い")).await;
    assert_eq!(stored(&store).await, 1);
}

/// Good units, units that err and units that panic come together: each gets its own result.
pub async fn units_at_once_get_their_own_results(store: AnyStore) {
    let answers = at_once(48, |number| {
        let store = Arc::clone(&store);
        async move {
            let answer = try_write(&store, move |unit| {
                let id = add(unit, &format!("会社{number}"))?;
                match number % 6 {
                    0 => Err(StoreError::Stale("anything")),
                    3 => panic!("this unit is meant to panic"),
                    _ => Ok(id),
                }
            });
            (number, answer.await)
        }
    });
    for (number, answer) in answers.await {
        assert_eq!(answer.is_ok(), number % 3 != 0, "unit {number}");
        if let Ok(id) = answer {
            let found = read(&store, move |unit| unit.companies().company(id)).await;
            let name = found.map(|company| company.details.name.as_str().to_owned());
            assert_eq!(name, Some(format!("会社{number}")));
        }
    }
    assert_eq!(stored(&store).await, 32);
}

/// Every unit writes two companies, so an odd number is half of a unit; and a reading that looks twice sees the same.
pub async fn a_reading_sees_one_consistent_view(store: AnyStore) {
    let writing = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..30 {
                write(&store, |unit| {
                    add(unit, "上")?;
                    add(unit, "下")
                })
                .await;
            }
        })
    };
    while !writing.is_finished() {
        let (first, second) = read(&store, |unit| {
            let first = count(unit)?;
            sleep(Duration::from_millis(3));
            Ok((first, count(unit)?))
        })
        .await;
        assert_eq!((first % 2, second), (0, first));
    }
    writing.await.expect("the writer ends well");
    assert_eq!(stored(&store).await, 60);
}

pub async fn a_reading_begun_after_a_write_sees_it(store: AnyStore) {
    for number in 1..=40 {
        add_company(&store, &company_details("あ")).await;
        assert_eq!(stored(&store).await, number);
    }
}

/// Stale, Taken and Missing are found before anything is written, so the unit can go on.
pub async fn a_unit_goes_on_after_a_collision(store: AnyStore) {
    write(&store, |unit| {
        let member = new_member("a@example.jp", "甲", Role::Member);
        unit.edit_members().add_member(&member, start())?;
        let taken = unit.edit_members().add_member(&member, start());
        assert!(matches!(taken, Err(StoreError::Taken("email"))));
        let details = customer_of("山田", "太郎", CompanyId::new(404));
        let missing = unit.edit_customers().add_customer(&details, start());
        assert!(matches!(missing, Err(StoreError::Missing("company_id"))));
        let company = company_details("あ");
        let stale = unit
            .edit_companies()
            .revise_company(CompanyId::new(404), 1, &company, start());
        assert!(matches!(stale, Err(StoreError::Stale(_))));
        add(unit, "い")
    })
    .await;
    assert_eq!(stored(&store).await, 1);
    let nobody = read(&store, |unit| {
        unit.customers().customer(CustomerId::new(1), &Visible::All)
    })
    .await;
    assert_eq!(nobody, None);
}

pub async fn an_operation_key_is_found_once_its_unit_is_stored(store: AnyStore) {
    let done = |key: [u8; 16]| read(&store, move |unit| unit.operation_done(&key));
    assert!(!done([1; 16]).await);
    write(&store, |unit| unit.note_operation(&[1; 16], start())).await;
    let refused = try_write(&store, |unit| {
        unit.note_operation(&[2; 16], start())?;
        Err::<(), _>(StoreError::Stale("anything"))
    });
    assert!(refused.await.is_err());
    assert!(done([1; 16]).await);
    assert!(!done([2; 16]).await);
}

/// Some at once, and only when that is asked for.
pub async fn old_operation_keys_are_forgotten(store: AnyStore) {
    const DAY: i64 = 24 * 60 * 60;
    for (key, at) in [(1, 0), (2, 1), (3, 2), (4, 60), (5, 9 * DAY)] {
        write(&store, move |unit| unit.note_operation(&[key; 16], after(at))).await;
    }
    let done = async || {
        read(&store, |unit| {
            (1..=5)
                .map(|key| unit.operation_done(&[key; 16]))
                .collect::<Result<Vec<_>, _>>()
        })
        .await
    };
    assert_eq!(done().await, [true; 5], "whoever notes one forgets none");
    let forget = |limit| write(&store, move |unit| unit.forget_operations(after(60), limit));
    assert_eq!(forget(2).await, 2);
    assert_eq!(forget(2).await, 1);
    assert_eq!(forget(2).await, 0);
    assert_eq!(done().await, [false, false, false, true, true]);
}

pub async fn a_noted_write_answers_what_was_stored(store: AnyStore) {
    let id: Result<CompanyId, StoreError> = store.write_noted([7; 16], start(), |unit| add(unit, "あ")).await;
    let id = id.expect("it is stored");
    let found = read(&store, move |unit| unit.companies().company(id)).await;
    assert!(found.is_some());
    assert!(read(&store, |unit| unit.operation_done(&[7; 16])).await);
}

pub async fn a_key_is_settled_as_it_was_stored_however_often(store: AnyStore) {
    write(&store, |unit| unit.note_operation(&[1; 16], start())).await;
    for _ in 0..3 {
        assert!(store.settle([1; 16], after(1)).await.expect("it is known"));
        assert!(!store.settle([2; 16], after(1)).await.expect("it is known"));
    }
    assert!(!read(&store, |unit| unit.operation_done(&[2; 16])).await);
}
