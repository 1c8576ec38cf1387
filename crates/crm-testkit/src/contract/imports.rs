//! Imports.

use crm_domain::activities::{ActivityId, NewActivity};
use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId};
use crm_domain::imports::{Import, ImportedKind, Origin};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::StoreError;
use crm_domain::teams::Visible;
use crm_domain::values::normalise::fold_compact;

use super::AnyStore;
use super::steps::{add_customer, open_talk, read, try_write, write};
use crate::fixtures::{
    after, company_details, customer_details, customer_of, customer_on, received, received_in, start, user,
};

fn origin(kind: ImportedKind, foreign_id: i64) -> Origin {
    Origin {
        kind,
        foreign_id,
        digest: [7; 16],
    }
}

async fn begin(store: &AnyStore, source: &'static str) -> Import {
    write(store, move |unit| {
        unit.edit_imports().begin_import(source, start())
    })
    .await
}

async fn finish(store: &AnyStore, import: &Import) {
    let import = import.clone();
    write(store, move |unit| {
        unit.edit_imports().finish_import(&import, after(9))
    })
    .await;
}

async fn company(store: &AnyStore, import: &Import, foreign_id: i64) -> CompanyId {
    let import = import.clone();
    write(store, move |unit| {
        let row = (
            origin(ImportedKind::Company, foreign_id),
            company_details("輸入商事"),
        );
        Ok(unit.edit_imports().import_companies(&import, &[row], after(1))?[0])
    })
    .await
}

async fn customer(
    store: &AnyStore,
    import: &Import,
    foreign_id: i64,
    details: CustomerDetails,
) -> Result<CustomerId, StoreError> {
    let import = import.clone();
    try_write(store, move |unit| {
        let row = (origin(ImportedKind::Customer, foreign_id), details.clone());
        Ok(unit.edit_imports().import_customers(&import, &[row], after(1))?[0])
    })
    .await
}

async fn activity(store: &AnyStore, import: &Import, foreign_id: i64, row: NewActivity) -> ActivityId {
    let import = import.clone();
    write(store, move |unit| {
        let row = (origin(ImportedKind::Activity, foreign_id), row.clone());
        Ok(unit.edit_imports().import_activities(&import, &[row])?[0])
    })
    .await
}

/// What the lists show: companies, customers, and how many customers the first company has.
async fn shown(store: &AnyStore) -> (usize, usize, i64) {
    read(store, |unit| {
        let everything = PageRequest::first(99);
        let companies =
            unit.companies()
                .company_list(&CompanyFilter::default(), &everything, &Visible::All)?;
        let customers =
            unit.customers()
                .customer_list(&CustomerFilter::default(), &everything, &Visible::All)?;
        let first = companies.items.first().map_or(0, |line| line.customers);
        Ok((companies.items.len(), customers.items.len(), first))
    })
    .await
}

async fn words(store: &AnyStore, of: CustomerId) -> Vec<String> {
    let found = read(store, move |unit| {
        unit.activities().activities_before(of, None, 99)
    })
    .await;
    found.into_iter().map(|activity| activity.message).collect()
}

async fn became(store: &AnyStore, source: &'static str, origins: Vec<Origin>) -> Vec<Option<i64>> {
    read(store, move |unit| unit.imports().imported(source, &origins)).await
}

/// Also messages of customers who are there already; and by no way that leads to a record.
pub async fn imported_rows_are_invisible_until_the_import_is_finished(store: AnyStore) {
    let old = add_customer(&store, &customer_on("佐藤", "花子", &user(1))).await;
    let talk = open_talk(&store, &user(1)).await;
    let import = begin(&store, "poc").await;
    assert!(!import.finished);
    let to = company(&store, &import, 1).await;
    let details = CustomerDetails {
        company_id: Some(to),
        ..customer_on("山田", "太郎", &user(1))
    };
    let new = customer(&store, &import, 1, details)
        .await
        .expect("its company is of the import");
    let said = activity(&store, &import, 1, received_in(talk, old, "昔", after(2))).await;
    activity(&store, &import, 2, received(new, "もっと昔", after(1))).await;

    assert_eq!(shown(&store).await, (0, 1, 0));
    let key = fold_compact("輸入商事");
    let looked_up = read(&store, move |unit| {
        Ok((
            unit.companies().company(to)?.is_none(),
            unit.companies().companies_named(&key)?.is_empty(),
            unit.customers().customer(new, &Visible::All)?.is_none(),
            unit.customers().customers_carrying(&[user(1)])?.len() == 1,
            unit.activities().activity(said)?.is_none(),
            !unit.conversations().has_confirmed_message(talk)?,
            unit.activities()
                .activities_of_company(to, None, 9, &Visible::All)?
                .is_empty(),
            unit.activities().activities_added_after(old, None, 9)?.is_empty(),
        ))
    });
    assert_eq!(looked_up.await, (true, true, true, true, true, true, true, true));
    assert!(words(&store, old).await.is_empty() && words(&store, new).await.is_empty());

    finish(&store, &import).await;
    assert_eq!(shown(&store).await, (1, 2, 1));
    assert_eq!(words(&store, old).await, ["昔"]);
    assert_eq!(words(&store, new).await, ["もっと昔"]);
    let line = read(&store, move |unit| unit.customers().customer(new, &Visible::All)).await;
    let line = line.expect("the customer is shown");
    assert_eq!(line.company_name.as_deref(), Some("輸入商事"));
    assert_eq!((line.customer.version, line.customer.created_at), (1, after(1)));
    assert!(
        read(&store, move |unit| unit
            .conversations()
            .has_confirmed_message(talk))
        .await
    );
}

pub async fn an_invisible_company_is_missing_for_others(store: AnyStore) {
    let import = begin(&store, "poc").await;
    let hidden = company(&store, &import, 1).await;
    let answer = try_write(&store, move |unit| {
        unit.edit_customers()
            .add_customer(&customer_of("山田", "太郎", hidden), start())
    });
    assert!(matches!(answer.await, Err(StoreError::Missing("company_id"))));
}

pub async fn an_unfinished_import_is_taken_up_and_a_finished_one_is_not(store: AnyStore) {
    let first = begin(&store, "poc").await;
    assert_eq!(begin(&store, "poc").await, first);
    assert_ne!(begin(&store, "other").await.id, first.id);
    finish(&store, &first).await;
    let second = begin(&store, "poc").await;
    assert_ne!(second.id, first.id);
    assert!(!second.finished);
}

/// An unfinished import's rows count, or taking it up would double them.
pub async fn what_was_imported_before_is_told_in_order(store: AnyStore) {
    let import = begin(&store, "poc").await;
    let to = company(&store, &import, 5).await;
    let who = customer(&store, &import, 5, customer_details("山田", "太郎")).await;
    let who = who.expect("it is imported");
    let said = activity(&store, &import, 5, received(who, "昔", start())).await;
    let asked = || {
        let kinds = [
            ImportedKind::Activity,
            ImportedKind::Company,
            ImportedKind::Customer,
        ];
        let mut asked: Vec<_> = kinds.into_iter().map(|kind| origin(kind, 5)).collect();
        asked.push(origin(ImportedKind::Company, 6));
        asked.push(Origin {
            digest: [8; 16],
            ..origin(ImportedKind::Company, 5)
        });
        asked
    };
    let expected = [Some(said.get()), Some(to.get()), Some(who.get()), None, None];
    assert_eq!(became(&store, "poc", asked()).await, expected);
    finish(&store, &import).await;
    assert_eq!(became(&store, "poc", asked()).await, expected);
    assert_eq!(became(&store, "other", asked()).await, [None; 5]);
    assert!(became(&store, "poc", Vec::new()).await.is_empty());
}

/// Another file's row of the same id is another row.
pub async fn a_row_with_another_digest_is_imported_too(store: AnyStore) {
    let import = begin(&store, "poc").await;
    let first = company(&store, &import, 1).await;
    let mut other = origin(ImportedKind::Company, 1);
    other.digest = [8; 16];
    let (row, again) = ((other.clone(), company_details("別商事")), import.clone());
    let second = write(&store, move |unit| {
        Ok(unit
            .edit_imports()
            .import_companies(&again, std::slice::from_ref(&row), start())?[0])
    })
    .await;
    let asked = vec![other, origin(ImportedKind::Company, 1)];
    assert_eq!(
        became(&store, "poc", asked).await,
        [Some(second.get()), Some(first.get())]
    );
}

pub async fn ids_come_in_the_order_of_the_rows(store: AnyStore) {
    let import = begin(&store, "poc").await;
    let again = import.clone();
    let rows: Vec<_> = (1..=300)
        .map(|number| {
            let details = customer_details("", &format!("名{number}"));
            (origin(ImportedKind::Customer, number), details)
        })
        .collect();
    let origins: Vec<_> = rows.iter().map(|(origin, _)| origin.clone()).collect();
    let ids = write(&store, move |unit| {
        unit.edit_imports().import_customers(&again, &rows, start())
    })
    .await;
    finish(&store, &import).await;
    let expected: Vec<_> = ids.iter().map(|id| Some(id.get())).collect();
    assert_eq!(became(&store, "poc", origins).await, expected);
    for (number, id) in (1..).zip(ids).step_by(37) {
        let line = read(&store, move |unit| unit.customers().customer(id, &Visible::All)).await;
        let name = line.map(|line| line.customer.details.name.full());
        assert_eq!(name, Some(format!("名{number}")));
    }
}

/// Nothing of the rows, and nothing of their origins.
pub async fn a_chunk_that_errs_leaves_nothing(store: AnyStore) {
    let import = begin(&store, "poc").await;
    let nowhere = customer_of("山田", "太郎", CompanyId::new(404));
    let answer = customer(&store, &import, 1, nowhere).await;
    assert!(matches!(answer, Err(StoreError::Missing("company_id"))));
    let again = import.clone();
    let answer = try_write(&store, move |unit| {
        let row = (origin(ImportedKind::Company, 1), company_details("輸入商事"));
        unit.edit_imports().import_companies(&again, &[row], start())?;
        Err::<(), _>(StoreError::Stale("anything"))
    });
    assert!(answer.await.is_err());
    finish(&store, &import).await;
    assert_eq!(shown(&store).await, (0, 0, 0));
    let asked = vec![
        origin(ImportedKind::Company, 1),
        origin(ImportedKind::Customer, 1),
    ];
    assert_eq!(became(&store, "poc", asked).await, [None, None]);
}

/// Rows of another unfinished import stay as they are.
pub async fn finishing_shows_only_the_import_and_may_be_repeated(store: AnyStore) {
    let (first, second) = (begin(&store, "poc").await, begin(&store, "other").await);
    company(&store, &first, 1).await;
    company(&store, &second, 1).await;
    finish(&store, &first).await;
    finish(&store, &first).await;
    assert_eq!(shown(&store).await.0, 1);
    finish(&store, &second).await;
    assert_eq!(shown(&store).await.0, 2);
}
