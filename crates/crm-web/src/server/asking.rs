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

    use super::{RequestCaller, from};

    #[tokio::test]
    async fn the_address_is_known_within_the_request_and_nowhere_else() {
        let address = "192.0.2.7".parse().ok();
        let seen = from(address, async { RequestCaller.address() }).await;
        assert_eq!(seen.as_deref(), Some("192.0.2.7"));
        assert_eq!(from(None, async { RequestCaller.address() }).await, None);
        assert_eq!(RequestCaller.address(), None);
    }
}
