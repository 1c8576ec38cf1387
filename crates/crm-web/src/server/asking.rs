//! From where the request comes that is being answered, for the use cases to write down.

use std::net::IpAddr;

use crm_domain::ports::host::Caller;

tokio::task_local! {
    static ADDRESS: IpAddr;
}

/// Answers a request; its use cases know the address.
pub(super) async fn from<T>(address: Option<IpAddr>, answering: impl Future<Output = T>) -> T {
    match address {
        Some(address) => ADDRESS.scope(address, answering).await,
        None => answering.await,
    }
}

/// Goes on with a request's work also when nobody waits for the answer any more.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    let address = ADDRESS.try_with(|address| *address).ok();
    tokio::spawn(from(address, work))
}

/// Tells the address of the request whose task asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestCaller;

impl Caller for RequestCaller {
    fn address(&self) -> Option<String> {
        ADDRESS.try_with(IpAddr::to_string).ok()
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::ports::host::Caller;

    use super::{RequestCaller, from, spawn};

    #[tokio::test]
    async fn the_address_is_known_within_the_request_and_nowhere_else() {
        let address = "192.0.2.7".parse().ok();
        let seen = from(address, async { RequestCaller.address() }).await;
        assert_eq!(seen.as_deref(), Some("192.0.2.7"));
        let spawned = from(address, async {
            spawn(async { RequestCaller.address() }).await.unwrap()
        });
        assert_eq!(spawned.await.as_deref(), Some("192.0.2.7"));
        assert_eq!(from(None, async { RequestCaller.address() }).await, None);
        assert_eq!(RequestCaller.address(), None);
    }
}
