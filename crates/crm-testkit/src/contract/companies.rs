//! Companies.

use std::collections::HashSet;

use crm_domain::companies::CompanyFilter;
use crm_domain::paging::PageRequest;

use super::{AnyStore, at_once, read, write};
use crate::fixtures::{company_details, start};

/// See its name.
pub async fn an_added_company_is_found_with_version_1(store: AnyStore) {
    let details = company_details("株式会社あおぞら");
    let added = details.clone();
    let id = write(&store, move |unit| {
        unit.edit_companies().add_company(&added, start())
    })
    .await;
    let found = read(&store, move |unit| unit.companies().company(id)).await;
    let found = found.expect("the company is there");
    assert_eq!((found.details, found.version), (details, 1));
    assert_eq!((found.created_at, found.updated_at), (start(), start()));
}

/// See its name.
pub async fn companies_added_at_once_get_ids_of_their_own(store: AnyStore) {
    let ids = at_once(16, |number| {
        let store = store.clone();
        async move {
            let details = company_details(&format!("会社{number}"));
            write(&store, move |unit| {
                unit.edit_companies().add_company(&details, start())
            })
            .await
        }
    })
    .await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 16);
    let page = read(&store, |unit| {
        unit.companies()
            .company_list(&CompanyFilter::default(), &PageRequest::first(50))
    });
    assert_eq!(page.await.items.len(), 16);
}
