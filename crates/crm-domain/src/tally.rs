//! How much of each kind of thing was taken away, or would be.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A kind of thing that is held about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// The customer's own record.
    Customers,
    /// Companies.
    Companies,
    /// Messages and notes on customers' pages.
    Activities,
    /// 社内メモ.
    Notes,
    /// What staff typed and did not send.
    Drafts,
    /// Messages of ours.
    Sends,
    /// Bodies of callbacks as they came.
    Bodies,
    /// Files that came with messages.
    Files,
    /// The stored contents of such files.
    Contents,
    /// Names and addresses that the directory told of senders.
    Senders,
    /// Conversations, with what lists show of them.
    Conversations,
    /// Where imported rows came from.
    Origins,
    /// Callbacks in quarantine.
    HeldCallbacks,
    /// Old and new values in the audit log.
    AuditValues,
    /// Entries of the audit log.
    AuditEntries,
    /// Entries of the log of what was looked at.
    Readings,
}

impl DataKind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 16] = [
        Self::Customers,
        Self::Companies,
        Self::Activities,
        Self::Notes,
        Self::Drafts,
        Self::Sends,
        Self::Bodies,
        Self::Files,
        Self::Contents,
        Self::Senders,
        Self::Conversations,
        Self::Origins,
        Self::HeldCallbacks,
        Self::AuditValues,
        Self::AuditEntries,
        Self::Readings,
    ];

    /// Stable name for stores, catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Companies => "companies",
            Self::Activities => "activities",
            Self::Notes => "notes",
            Self::Drafts => "drafts",
            Self::Sends => "sends",
            Self::Bodies => "bodies",
            Self::Files => "files",
            Self::Contents => "contents",
            Self::Senders => "senders",
            Self::Conversations => "conversations",
            Self::Origins => "origins",
            Self::HeldCallbacks => "held_callbacks",
            Self::AuditValues => "audit_values",
            Self::AuditEntries => "audit_entries",
            Self::Readings => "readings",
        }
    }

    /// The kind of a stored name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Numbers per kind; kinds with nothing are left out. Written `activities=3 notes=1`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally(BTreeMap<DataKind, u64>);

impl Tally {
    /// So many of one kind.
    pub fn of(kind: DataKind, count: usize) -> Self {
        let mut tally = Self::default();
        tally.add(kind, count);
        tally
    }

    /// Counts more of a kind.
    pub fn add(&mut self, kind: DataKind, count: usize) {
        if count > 0 {
            *self.0.entry(kind).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
        }
    }

    /// Counts what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(*kind).or_default() += count;
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of a kind.
    pub fn count(&self, kind: DataKind) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// The kinds with their numbers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (DataKind, u64)> {
        self.0.iter().map(|(kind, count)| (*kind, *count))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (kind, count)) in self.iter().enumerate() {
            let blank = if place == 0 { "" } else { " " };
            write!(f, "{blank}{}={count}", kind.code())?;
        }
        Ok(())
    }
}

/// The text is no tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tally")]
pub struct NotATally;

impl FromStr for Tally {
    type Err = NotATally;

    fn from_str(text: &str) -> Result<Self, NotATally> {
        let mut tally = Self::default();
        for part in text.split_whitespace() {
            let (code, count) = part.split_once('=').ok_or(NotATally)?;
            let kind = DataKind::from_code(code).ok_or(NotATally)?;
            tally.add(kind, count.parse().map_err(|_| NotATally)?);
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::{DataKind, Tally};

    #[test]
    fn a_tally_survives_its_text() {
        let mut tally = Tally::of(DataKind::Notes, 2);
        tally.add(DataKind::Activities, 3);
        tally.add(DataKind::Sends, 0);
        tally.merge(&Tally::of(DataKind::Notes, 1));
        assert_eq!(tally.to_string(), "activities=3 notes=3");
        assert_eq!(tally.to_string().parse(), Ok(tally));
        assert_eq!("".parse(), Ok(Tally::default()));
        assert!("notes".parse::<Tally>().is_err() && "spoons=1".parse::<Tally>().is_err());
    }
}
