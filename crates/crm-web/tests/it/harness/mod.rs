//! What the tests hold: the server's process, its simulator, and the hands of an operator on the same database.

pub mod browser;
pub mod http;
pub mod server;
pub mod stream;
pub mod window;

pub use browser::Browser;
pub use http::{Answer, Ask};
pub use server::{Setup, TestServer, on_postgres};

use std::time::{Duration, Instant};

/// A LINE WORKS user id that the simulator takes for a member.
pub const TARO: &str = "0b1c2d3e-0000-4000-8000-000000000001";
/// Another one.
pub const HANAKO: &str = "0b1c2d3e-0000-4000-8000-000000000002";

/// Looks again and again until `look` finds something; panics after twenty seconds.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(Duration::from_secs(20), what, look).await
}

/// The same with another time.
pub async fn until_within<T>(time: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < time, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
