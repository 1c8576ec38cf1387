//! The reading log (閲覧の記録): who opened which customer's page, searched for what, downloaded which file. Apart from the
//! audit log, with its own retention, collected in memory and written once a second.

use crate::audit::By;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::members::MemberId;
use crate::ports::store::{ReadUnit, StoreError};
use crate::values::normalise::fold_compact;

/// A reading's key.
pub type ReadingId = Id<Reading>;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadingKind {
    /// A customer's page, or the customer by the API.
    Customer,
    /// A search, with its words.
    Search,
    /// A file that came with a message.
    File,
}

impl ReadingKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Search, Self::File];

    /// The name that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Search => "search",
            Self::File => "file",
        }
    }

    /// The kind of a stored name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A reading to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReading {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: By,
    /// From which address.
    pub address: Option<String>,
    /// What.
    pub kind: ReadingKind,
    /// Whose page or file.
    pub customer_id: Option<CustomerId>,
    /// The file.
    pub record_id: Option<i64>,
    /// The words searched for, at most 100 characters.
    pub words: Option<String>,
}

/// A reading as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its key.
    pub id: ReadingId,
    /// What is known of it.
    pub what: NewReading,
}

/// A place in the list of readings, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadingPlace {
    /// When.
    pub at: Instant,
    /// Which of those at that time.
    pub id: ReadingId,
}

impl Reading {
    /// Where a list that ends with this reading goes on.
    pub fn place(&self) -> ReadingPlace {
        ReadingPlace {
            at: self.what.at,
            id: self.id,
        }
    }
}

/// Which readings are wanted; all of it must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadingFilter {
    /// By this member.
    pub member_id: Option<MemberId>,
    /// Of this kind.
    pub kind: Option<ReadingKind>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
    /// From this time on.
    pub from: Option<Instant>,
    /// Before this time.
    pub to: Option<Instant>,
}

/// Whether readings are kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadingRule {
    /// Whether any are kept.
    pub on: bool,
    /// For how many days, 1 to 3,650.
    pub days: u32,
}

impl Default for ReadingRule {
    fn default() -> Self {
        Self { on: true, days: 90 }
    }
}

/// Looking at the reading log.
pub trait ReadingQueries {
    /// The rule; the default one until another is stored.
    fn reading_rule(&mut self) -> Result<ReadingRule, StoreError>;

    /// The readings that the filter wants, newest first, behind `after` if given, at most `limit`.
    fn readings(
        &mut self,
        filter: &ReadingFilter,
        after: Option<ReadingPlace>,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError>;

    /// Searches that have words, by id behind `after`, at most `limit`.
    fn searches(&mut self, after: ReadingId, limit: usize) -> Result<Vec<(ReadingId, String)>, StoreError>;
}

/// Writing the reading log.
pub trait ReadingRepository {
    /// Adds readings in the given order.
    fn add_readings(&mut self, readings: &[NewReading]) -> Result<(), StoreError>;

    /// Replaces the rule.
    fn set_reading_rule(&mut self, rule: ReadingRule) -> Result<(), StoreError>;

    /// Forgets the readings from before this time, the oldest first, at most `limit`, and says how many.
    fn prune_readings(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError>;

    /// Forgets that this customer's page and files were looked at; says how many readings.
    fn forget_readings_of(&mut self, customer: CustomerId) -> Result<usize, StoreError>;

    /// Empties the words of these searches.
    fn empty_searches(&mut self, ids: &[ReadingId]) -> Result<(), StoreError>;
}

/// What is known of a person by which others may have searched for them: names, numbers, addresses, in any form.
#[derive(Debug, Clone)]
pub struct Known(Vec<String>);

impl Known {
    /// Of these texts; what is shorter than two characters names nobody.
    pub fn of(texts: &[String]) -> Self {
        let folded = texts.iter().map(|text| fold_compact(text));
        Self(folded.filter(|text| text.chars().count() > 1).collect())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The next searches behind `after`, `limit` at most: those whose words hold something known of the person, and the last one
/// looked at, from where to go on; `None`: there are no more.
pub fn searches_naming(
    unit: &mut dyn ReadUnit,
    known: &Known,
    after: ReadingId,
    limit: usize,
) -> Result<(Vec<ReadingId>, Option<ReadingId>), StoreError> {
    let part = unit.readings().searches(after, limit)?;
    let theirs = part
        .iter()
        .filter(|(_, words)| names(&fold_compact(words), &known.0))
        .map(|(id, _)| *id);
    Ok((theirs.collect(), part.last().map(|(id, _)| *id)))
}

/// Whether the words hold something known of the person, or are a part of it.
fn names(words: &str, known: &[String]) -> bool {
    words.chars().count() > 1
        && known
            .iter()
            .any(|known| words.contains(known.as_str()) || known.contains(words))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn words_that_name_a_person_are_known_whole_or_in_part() {
        let known = ["山田太郎".to_owned(), "09012345678".to_owned()];
        assert!(names("山田", &known) && names("090", &known) && names("株式会社の山田太郎", &known));
        assert!(!names("田中", &known) && !names("太", &known));
    }
}
