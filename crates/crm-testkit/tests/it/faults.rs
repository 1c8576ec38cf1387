//! What callers see of a store that fails.

use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::memory::MemoryStore;
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::{StoreError, StoreExt, UnitOfWork};
use crm_domain::teams::Visible;
use crm_testkit::fixtures::{company_details, start};

fn add(unit: &mut dyn UnitOfWork) -> Result<CompanyId, StoreError> {
    unit.edit_companies()
        .add_company(&company_details("あおぞら"), start())
}

async fn stored(store: &MemoryStore) -> usize {
    let page = store.read(|unit| {
        unit.companies()
            .company_list(&CompanyFilter::default(), &PageRequest::first(99), &Visible::All)
    });
    page.await.unwrap().items.len()
}

fn broken() -> StoreError {
    StoreError::unavailable("the disk is full")
}

#[tokio::test]
async fn a_write_that_fails_is_not_stored_and_the_next_one_is() {
    let store = MemoryStore::new();
    store.fail_next(broken());
    assert!(matches!(store.write(add).await, Err(StoreError::Unavailable(_))));
    assert_eq!(stored(&store).await, 0);
    store.write(add).await.unwrap();
    assert_eq!(stored(&store).await, 1);
}

#[tokio::test]
async fn an_uncertain_write_may_be_stored_or_not() {
    let store = MemoryStore::new();
    store.fail_next(StoreError::Uncertain);
    assert!(matches!(store.write(add).await, Err(StoreError::Uncertain)));
    assert_eq!(stored(&store).await, 0);
    store.fail_next_though_stored(StoreError::Uncertain);
    assert!(matches!(store.write(add).await, Err(StoreError::Uncertain)));
    assert_eq!(stored(&store).await, 1);
}

#[tokio::test]
async fn a_noted_write_finds_out_what_became_of_it() {
    let store = MemoryStore::new();
    store.fail_next_though_stored(StoreError::Uncertain);
    let id: Result<_, StoreError> = store.write_noted([1; 16], start(), add).await;
    assert_eq!(id.unwrap(), CompanyId::new(1));
    store.fail_next(StoreError::Uncertain);
    let lost: Result<_, StoreError> = store.write_noted([2; 16], start(), add).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))));
    assert_eq!(stored(&store).await, 1);
    store.fail_next(broken());
    let refused: Result<_, StoreError> = store.write_noted([3; 16], start(), add).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_noted_write_that_cannot_find_out_says_so() {
    let store = MemoryStore::new();
    for fault in [broken(), StoreError::Uncertain] {
        store.fail_next_though_stored(StoreError::Uncertain);
        store.fail_next(fault);
        let unknown: Result<_, StoreError> = store.write_noted([1; 16], start(), add).await;
        assert!(matches!(unknown, Err(StoreError::Uncertain)), "{unknown:?}");
    }
}

#[tokio::test]
async fn a_unit_is_spent_after_an_error_that_is_no_collision() {
    let store = MemoryStore::new();
    store.fail_inside_next(broken());
    let answer = store.write(|unit| {
        assert!(matches!(add(unit), Err(StoreError::Unavailable(_))));
        assert!(matches!(add(unit), Err(StoreError::Unavailable(_))));
        let look = unit.companies().company(CompanyId::new(1));
        assert!(matches!(look, Err(StoreError::Unavailable(_))));
        Ok::<_, StoreError>(())
    });
    let answer = answer.await;
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "it cannot commit"
    );
    assert_eq!(stored(&store).await, 0);
}

#[tokio::test]
async fn a_reading_fails_when_told_to() {
    let store = MemoryStore::new();
    store.fail_next_read(broken());
    let answer = store
        .read(|unit| unit.companies().company(CompanyId::new(1)))
        .await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert_eq!(stored(&store).await, 0);
}

#[tokio::test]
async fn a_repeating_store_counts_the_last_run_only() {
    let store = MemoryStore::new();
    store.repeat_units();
    let mut runs = 0;
    let counted = store.write(move |unit| {
        runs += 1;
        add(unit).map(|_| runs)
    });
    assert_eq!(counted.await.unwrap(), 2);
    assert_eq!(stored(&store).await, 1);
}
