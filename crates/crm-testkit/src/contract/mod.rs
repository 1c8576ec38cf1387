//! The contract: what every store promises, one case for each promise of the ports' documentation. A case is named for
//! its promise and reads back through a new unit before it believes an answer.

use std::sync::Arc;

use crm_domain::ports::store::{ReadUnit, Store, StoreError, StoreExt, UnitOfWork};

pub mod companies;
mod list;

/// A store that a case may fill.
pub type AnyStore = Arc<dyn Store>;

/// Runs a case on a new store. The guard (a folder, a database) lives until the case is over.
pub fn run<G>(make: impl AsyncFnOnce() -> (G, AnyStore), case: impl AsyncFnOnce(AnyStore)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (_guard, store) = make().await;
        case(store).await;
    });
}

/// Stores what `work` does; panics when it cannot.
pub(crate) async fn write<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> T {
    try_write(store, work).await.expect("the work is stored")
}

/// Tries to store what `work` does.
pub(crate) async fn try_write<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    store.write(work).await
}

/// What a new reading finds.
pub(crate) async fn read<T: Send + 'static>(
    store: &AnyStore,
    work: impl FnMut(&mut dyn ReadUnit) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.read(work).await.expect("the store can be read")
}

/// What many tasks answer that do the same at once; `make` gets the number of its task.
pub(crate) async fn at_once<T, F>(tasks: usize, make: impl Fn(usize) -> F) -> Vec<T>
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
