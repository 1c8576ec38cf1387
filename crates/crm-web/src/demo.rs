//! The demonstration: a newcomer plays the customer on a phone. What is behind it is put in by the program.

use async_trait::async_trait;

/// The telephone of the customers in the demonstration.
#[async_trait]
pub trait Demo: Send + Sync {
    /// Says something as the person with this LINE WORKS user id; `false` if it did not arrive.
    async fn say(&self, user_id: &str, text: &str) -> bool;
}

/// Whether a `Host` names this machine itself: the demonstration answers to nothing else, so that no page of a stranger
/// reaches it by a name of its own.
pub fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for own in [
            "localhost:3000",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]:3000",
            "LOCALHOST",
            "app.localhost:1",
        ] {
            assert!(is_loopback_host(own), "{own}");
        }
        for strange in [
            "",
            "example.com",
            "localhost.example.com",
            "192.168.0.1:3000",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_loopback_host(strange), "{strange}");
        }
    }
}
