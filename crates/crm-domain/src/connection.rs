//! LINE WORKS as administrators set it up in the pages. Every value is stored sealed; secrets are never shown again.

use std::collections::BTreeMap;
use std::fmt;

use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::ports::vault::Place;

/// What can be set up in the pages. Addresses, proxies and allow-lists are none of it: they come from the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionField {
    /// The bot's id: digits.
    BotId,
    /// The bot's secret, or while it is being changed the new and the old one, separated by a comma.
    BotSecret,
    /// The app's id.
    ClientId,
    /// The app's secret.
    ClientSecret,
    /// The app's service account.
    ServiceAccount,
    /// The service account's private key in PEM.
    PrivateKey,
    /// The domain whose callbacks count; may be left out.
    DomainId,
    /// The OAuth scopes, separated by blanks; `bot` when left out.
    Scope,
}

impl ConnectionField {
    /// Every field, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::BotId,
        Self::BotSecret,
        Self::ClientId,
        Self::ClientSecret,
        Self::ServiceAccount,
        Self::PrivateKey,
        Self::DomainId,
        Self::Scope,
    ];

    /// The name of its form field, its key in the store, and of its words in the catalogues.
    pub fn code(self) -> &'static str {
        match self {
            Self::BotId => "bot_id",
            Self::BotSecret => "bot_secret",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::ServiceAccount => "service_account",
            Self::PrivateKey => "private_key",
            Self::DomainId => "domain_id",
            Self::Scope => "scope",
        }
    }

    /// The field of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.code() == code)
    }

    /// Whether it is never shown again.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::BotSecret | Self::ClientSecret | Self::PrivateKey)
    }

    /// The most characters that it may have.
    pub fn longest(self) -> usize {
        match self {
            Self::PrivateKey => 20_000,
            Self::Scope | Self::BotSecret => 1_000,
            _ => 200,
        }
    }

    /// Where its envelope lies.
    pub fn place(self) -> Place {
        Place::new("connection_values", "sealed", self.code())
    }
}

/// Values in the clear. `Debug` names the fields only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionValues(BTreeMap<ConnectionField, String>);

impl ConnectionValues {
    /// The value of a field, if it has one.
    pub fn get(&self, field: ConnectionField) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// Sets a field; an empty value takes it away. Blanks at the ends are cut.
    pub fn set(&mut self, field: ConnectionField, value: &str) {
        match value.trim() {
            "" => self.0.remove(&field),
            value => self.0.insert(field, value.to_owned()),
        };
    }

    /// Every field that has a value, with it.
    pub fn iter(&self) -> impl Iterator<Item = (ConnectionField, &str)> {
        self.0.iter().map(|(field, value)| (*field, value.as_str()))
    }
}

impl fmt::Debug for ConnectionValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// Of which field.
    pub field: ConnectionField,
    /// The envelope.
    pub sealed: Vec<u8>,
    /// When it was given.
    pub changed_at: Instant,
    /// By whom.
    pub changed_by: String,
}

/// All that is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredConnection {
    /// Counts how often it was saved; 0: never.
    pub version: i64,
    /// When it was saved last, and by whom.
    pub saved: Option<(Instant, String)>,
    /// The values, in the order of [`ConnectionField::ALL`].
    pub values: Vec<SealedValue>,
}

/// Reading what is stored.
pub trait ConnectionQueries {
    /// All of it.
    fn connection(&mut self) -> Result<StoredConnection, StoreError>;

    /// How often it was saved; 0: never.
    fn connection_version(&mut self) -> Result<i64, StoreError>;
}

/// Changing what is stored.
pub trait ConnectionRepository {
    /// Replaces these values by their envelopes, takes those without one away, and answers the new version; fields that are
    /// not named stay. [`StoreError::Stale`] if the version is not `known` any more.
    fn save_connection(
        &mut self,
        known: i64,
        changes: &[(ConnectionField, Option<Vec<u8>>)],
        by: &str,
        at: Instant,
    ) -> Result<i64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::{ConnectionField, ConnectionValues};

    #[test]
    fn values_are_trimmed_and_never_printed() {
        let mut values = ConnectionValues::default();
        values.set(ConnectionField::ClientSecret, "  hush ");
        values.set(ConnectionField::Scope, "bot");
        values.set(ConnectionField::Scope, "  ");
        assert_eq!(values.get(ConnectionField::ClientSecret), Some("hush"));
        assert_eq!(values.get(ConnectionField::Scope), None);
        assert_eq!(format!("{values:?}"), "{ClientSecret}");
    }

    #[test]
    fn every_field_is_found_by_its_code() {
        for field in ConnectionField::ALL {
            assert_eq!(ConnectionField::from_code(field.code()), Some(field));
        }
    }
}
