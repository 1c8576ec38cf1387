//! Steps that many cases take.

use crm_domain::activities::{ActivityId, NewActivity};
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::conversations::{ConversationId, ConversationKey};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crm_domain::values::LineUserId;

use super::AnyStore;
use crate::fixtures::{start, talk};

/// Stores what `work` does; panics when it cannot.
pub(super) async fn write<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> T {
    try_write(store, work).await.expect("the work is stored")
}

/// Tries to store what `work` does.
pub(super) async fn try_write<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    store.write(work).await
}

/// What a new reading finds.
pub(super) async fn read<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn ReadUnit) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.read(work).await.expect("the store can be read")
}

/// What many tasks answer that do the same at once; `make` gets the number of its task.
pub(super) async fn at_once<T, F>(tasks: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..tasks).map(|number| tokio::spawn(make(number))).collect();
    let mut answers = Vec::with_capacity(tasks);
    for task in running {
        answers.push(task.await.expect("no task panics"));
    }
    answers
}

/// Adds a company.
pub(super) async fn add_company(store: &AnyStore, details: &CompanyDetails) -> CompanyId {
    let details = details.clone();
    write(store, move |unit| {
        unit.edit_companies().add_company(&details, start())
    })
    .await
}

/// Adds a customer.
pub(super) async fn add_customer(store: &AnyStore, details: &CustomerDetails) -> CustomerId {
    let details = details.clone();
    write(store, move |unit| {
        unit.edit_customers().add_customer(&details, start())
    })
    .await
}

/// Opens the talk of a person with the bot.
pub(super) async fn open_talk(store: &AnyStore, user: &LineUserId) -> ConversationId {
    open(store, vec![talk(user)]).await[0]
}

/// Opens conversations.
pub(super) async fn open(store: &AnyStore, keys: Vec<ConversationKey>) -> Vec<ConversationId> {
    write(store, move |unit| {
        unit.edit_conversations().open_conversations(&keys, start())
    })
    .await
}

/// Adds messages.
pub(super) async fn add_activities(store: &AnyStore, rows: Vec<NewActivity>) -> Vec<ActivityId> {
    write(store, move |unit| unit.edit_activities().add_activities(&rows)).await
}
