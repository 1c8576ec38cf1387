//! The request that is being answered: from where it comes and its id, for the use cases and the log to write down.

use std::net::IpAddr;

use crm_domain::ports::host::Caller;

use super::request_id::RequestId;

tokio::task_local! {
    static ASKED: Asked;
}

/// What is known of the request while it is answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// From where it comes.
    pub(super) address: Option<IpAddr>,
    /// Its id.
    pub(super) id: RequestId,
}

/// Answers a request; its use cases and its log lines know of it.
pub(super) async fn about<T>(asked: Asked, answering: impl Future<Output = T>) -> T {
    ASKED.scope(asked, answering).await
}

/// Goes on with a request's work also when nobody waits for the answer any more.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    match ASKED.try_with(Asked::clone) {
        Ok(asked) => tokio::spawn(about(asked, work)),
        Err(_) => tokio::spawn(work),
    }
}

/// The id of the request whose task asks.
pub(crate) fn request_id() -> Option<String> {
    ASKED.try_with(|asked| asked.id.to_string()).ok()
}

/// Tells of the request whose task asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestCaller;

impl Caller for RequestCaller {
    fn address(&self) -> Option<String> {
        let address = ASKED.try_with(|asked| asked.address).ok().flatten();
        address.map(|address| address.to_string())
    }

    fn request_id(&self) -> Option<String> {
        request_id()
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::ports::host::Caller;
    use crm_testkit::fakes::SeededSecrets;
    use poem::http::HeaderMap;

    use super::{Asked, RequestCaller, about, spawn};
    use crate::server::request_id::RequestIds;

    #[tokio::test]
    async fn address_and_id_are_known_within_the_request_and_nowhere_else() {
        let asked = Asked {
            address: "192.0.2.7".parse().ok(),
            id: RequestIds::new(&SeededSecrets::new(1)).of(&HeaderMap::new(), false),
        };
        let id = asked.id.to_string();
        let look = || (RequestCaller.address(), RequestCaller.request_id());
        let known = (Some("192.0.2.7".to_owned()), Some(id));
        assert_eq!(about(asked.clone(), async { look() }).await, known);
        let spawned = about(asked, async { spawn(async move { look() }).await.unwrap() });
        assert_eq!(spawned.await, known);
        assert_eq!(look(), (None, None));
    }
}
