//! The tokens that the simulator has issued.

use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// How long a refresh token lives.
const REFRESH_LIFETIME: Duration = Duration::days(90);

#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) scopes: Vec<String>,
    ends: OffsetDateTime,
}

/// Opaque tokens and what they allow. Several may live at a time: whether the service ends older ones is not
/// documented.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
}

impl Tokens {
    pub(crate) fn add(&mut self, access: String, scopes: Vec<String>, now: OffsetDateTime, life: Duration) {
        self.access.retain(|_, grant| grant.ends > now);
        self.access.insert(
            access,
            Grant {
                scopes,
                ends: now.saturating_add(life),
            },
        );
    }

    pub(crate) fn add_refresh(&mut self, token: String, scopes: Vec<String>, now: OffsetDateTime) {
        self.refresh.retain(|_, grant| grant.ends > now);
        self.refresh.insert(
            token,
            Grant {
                scopes,
                ends: now.saturating_add(REFRESH_LIFETIME),
            },
        );
    }

    /// What a living access token allows.
    pub(crate) fn access(&self, token: &str, now: OffsetDateTime) -> Option<&Grant> {
        self.access.get(token).filter(|grant| grant.ends > now)
    }

    /// What a living refresh token allows.
    pub(crate) fn refresh(&self, token: &str, now: OffsetDateTime) -> Option<&Grant> {
        self.refresh.get(token).filter(|grant| grant.ends > now)
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
        self.refresh.remove(token);
    }

    pub(crate) fn expire_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }
}
