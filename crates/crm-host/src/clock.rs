//! The machine's clock.

use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;

/// Reads the machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place behind the Clock port"
    )]
    fn now(&self) -> Instant {
        Instant::new(time::OffsetDateTime::now_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::SystemClock;
    use crm_domain::ports::host::Clock;

    #[test]
    fn the_clock_does_not_run_backwards() {
        let first = SystemClock.now();
        assert!(SystemClock.now() >= first);
    }
}
