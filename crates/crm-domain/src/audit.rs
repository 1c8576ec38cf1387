//! The audit log (操作履歴): who did what to which record, when and from where. Entries are written in the unit of work of
//! what they tell, and chained afterwards by seals that only the holder of the secret key can make.

mod acts;
mod chain;
mod fields;

use crate::companies::CompanyId;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::members::{Member, MemberId, TokenId};
use crate::notes::NoteId;
use crate::permissions::Actor;
use crate::ports::store::StoreError;
use crate::sends::SendId;

pub use acts::{Act, RecordKind};
pub use chain::{Head, NotAHead, Seal, content, digest, first_content};
pub use fields::{Recorded, added, changed, removed};

/// An entry's key.
pub type AuditId = Id<AuditEntry>;

/// The longest reason: one line.
pub const REASON_MAX: usize = 200;

/// Who acted, as the log keeps it: it outlives the member, the token and their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// `member`, `token`, `operator`, `job`, `platform` or `nobody` (a failed sign-in).
    pub kind: String,
    /// The member, in person or by a token.
    pub member_id: Option<MemberId>,
    /// The token by which the member acted.
    pub token_id: Option<TokenId>,
    /// The name at that time: the member's, the system's user name, the job's; empty for nobody.
    pub name: String,
}

impl By {
    /// The kinds of actors that the log knows, as it writes them.
    pub const KINDS: [&'static str; 6] = ["member", "token", "operator", "job", "platform", "nobody"];

    /// Somebody who did not prove who they are.
    pub fn nobody() -> Self {
        Self::named("nobody", "")
    }

    fn named(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            member_id: None,
            token_id: None,
            name: name.to_owned(),
        }
    }
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Member { id, name, .. } => Self {
                member_id: Some(*id),
                ..Self::named("member", name)
            },
            Actor::Token { token, id, name, .. } => Self {
                member_id: Some(*id),
                token_id: Some(*token),
                ..Self::named("token", name)
            },
            Actor::Operator { name } => Self::named("operator", name),
            Actor::Job(name) => Self::named("job", name),
            Actor::Platform => Self::named("platform", "LINE WORKS"),
        }
    }
}

impl From<&Member> for By {
    fn from(member: &Member) -> Self {
        Self {
            member_id: Some(member.id),
            ..Self::named("member", &member.name)
        }
    }
}

/// The record that an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Its id.
    pub id: i64,
}

macro_rules! records {
    ($($id:ty => $kind:ident),* $(,)?) => {
        $(
            impl From<$id> for Record {
                fn from(id: $id) -> Self {
                    Self { kind: RecordKind::$kind, id: id.get() }
                }
            }
        )*
    };
}

records! {
    CustomerId => Customer,
    CompanyId => Company,
    ConversationId => Conversation,
    crate::activities::ActivityId => Message,
    SendId => Send,
    NoteId => Note,
    MemberId => Member,
    TokenId => Token,
    crate::teams::TeamId => Team,
    crate::imports::ImportId => Import,
    crate::attachments::AttachmentId => File,
}

/// One field that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which, as forms and the API name it.
    pub field: String,
    /// What it was; `None`: nothing, or not kept because it is confidential.
    pub old: Option<String>,
    /// What it is now; `None`: nothing, or not kept because it is confidential.
    pub new: Option<String>,
    /// Only that it changed is kept.
    pub masked: bool,
}

impl Change {
    /// A field with what it was and is.
    pub fn new(field: &str, old: Option<String>, new: Option<String>) -> Self {
        Self {
            field: field.to_owned(),
            old,
            new,
            masked: false,
        }
    }

    /// A field whose values are nobody's to read: passwords, secrets, keys.
    pub fn masked(field: &str) -> Self {
        Self {
            masked: true,
            ..Self::new(field, None, None)
        }
    }
}

/// What was done, as a use case tells it: `Deed::on(Act::CustomerChanged, id).with(changes)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What was done.
    pub act: Act,
    /// To which record.
    pub record: Option<Record>,
    /// Whom it concerns: erasing this customer empties the values.
    pub customer_id: Option<CustomerId>,
    /// What changed.
    pub changes: Vec<Change>,
    /// The reason given, one line.
    pub reason: Option<String>,
}

impl Deed {
    /// Something done to no record.
    pub fn of(act: Act) -> Self {
        Self {
            act,
            record: None,
            customer_id: None,
            changes: Vec::new(),
            reason: None,
        }
    }

    /// Something done to a record.
    pub fn on(act: Act, record: impl Into<Record>) -> Self {
        let record = record.into();
        Self {
            record: Some(record),
            customer_id: (record.kind == RecordKind::Customer).then(|| CustomerId::new(record.id)),
            ..Self::of(act)
        }
    }

    /// Names the customer whom it concerns.
    #[must_use]
    pub fn about(mut self, customer: impl Into<Option<CustomerId>>) -> Self {
        self.customer_id = customer.into();
        self
    }

    /// Adds what changed.
    #[must_use]
    pub fn with(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        self.changes.extend(changes);
        self
    }

    /// Adds one field's old and new value.
    #[must_use]
    pub fn value(self, field: &str, old: Option<String>, new: Option<String>) -> Self {
        self.with([Change::new(field, old, new)])
    }

    /// Names the reason given.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Option<String>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// Together with what the use case answers.
    pub fn gives<T>(self, result: T) -> Did<T> {
        Did {
            result,
            entries: vec![self],
        }
    }
}

/// What a unit of work answers, and what it did. Without telling what it did no unit of work can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did<T> {
    /// The answer.
    pub result: T,
    /// What was done, in order.
    pub entries: Vec<Deed>,
}

impl<T> Did<T> {
    /// Nothing changed: the wished state was there already.
    pub fn nothing(result: T) -> Self {
        Self {
            result,
            entries: Vec::new(),
        }
    }

    /// Several things.
    pub fn all(entries: Vec<Deed>, result: T) -> Self {
        Self { result, entries }
    }
}

/// An entry on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: By,
    /// From which address.
    pub address: Option<String>,
    /// By which request: what its answer and its log lines carry.
    pub request_id: Option<String>,
    /// What.
    pub what: Deed,
    /// Random: makes the digest of a short value unguessable once the values are gone.
    pub salt: [u8; 16],
    /// [`digest`] of salt and changes; zeros without changes.
    pub digest: [u8; 32],
}

/// An entry as stored. Its codes are texts, so that an entry of a newer version, or a changed one, can still be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its key; ascending, with gaps.
    pub id: AuditId,
    /// When.
    pub at: Instant,
    /// Who.
    pub by: By,
    /// From which address; `None` for the command line and jobs.
    pub address: Option<String>,
    /// By which request; `None` for the command line, jobs and entries of earlier versions.
    pub request_id: Option<String>,
    /// [`Act::code`].
    pub act: String,
    /// [`RecordKind::code`] and id.
    pub record: Option<(String, i64)>,
    /// Whom it concerns.
    pub customer_id: Option<CustomerId>,
    /// The fields that changed; they stay when the values are emptied.
    pub fields: Vec<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// Of salt and values.
    pub digest: [u8; 32],
}

impl AuditEntry {
    /// Where a list that ends with this entry goes on.
    pub fn place(&self) -> AuditPlace {
        AuditPlace {
            at: self.at,
            id: self.id,
        }
    }
}

/// Values of an entry, with their salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValues {
    /// The salt.
    pub salt: [u8; 16],
    /// The values in order.
    pub changes: Vec<Change>,
}

/// A place in the list of entries, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// When.
    pub at: Instant,
    /// Which of those at that time.
    pub id: AuditId,
}

/// Which entries are wanted; all of it must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// By this member, in person or by a token.
    pub member_id: Option<MemberId>,
    /// By actors of this kind ([`By::kind`]).
    pub by_kind: Option<String>,
    /// Of this act.
    pub act: Option<Act>,
    /// About this record.
    pub record: Option<Record>,
    /// About this kind of record.
    pub record_kind: Option<RecordKind>,
    /// Concerning this customer.
    pub customer_id: Option<CustomerId>,
    /// By whose name holds this text, or from exactly this address, or by exactly this request.
    pub text: Option<String>,
    /// From this time on.
    pub from: Option<Instant>,
    /// Before this time.
    pub to: Option<Instant>,
}

impl AuditFilter {
    /// What a person who typed this looks for: an act's code, a record (`customer:12`; for a customer all that concerns
    /// them), an address, or a part of a name.
    pub fn searching(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::default();
        }
        if let Some(act) = Act::from_code(text) {
            return Self {
                act: Some(act),
                ..Self::default()
            };
        }
        let record = text.split_once(':').and_then(|(kind, id)| {
            let kind = RecordKind::from_code(kind.trim())?;
            let id = id.trim().parse().ok()?;
            Some(Record { kind, id })
        });
        match record {
            Some(record) if record.kind == RecordKind::Customer => Self {
                customer_id: Some(CustomerId::new(record.id)),
                ..Self::default()
            },
            Some(record) => Self {
                record: Some(record),
                ..Self::default()
            },
            None => Self {
                text: Some(text.to_owned()),
                ..Self::default()
            },
        }
    }
}

/// A seal with the entry that it seals and the values that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The seal.
    pub seal: Seal,
    /// `None`: the entry is gone.
    pub entry: Option<AuditEntry>,
    /// `None`: there were none, or they were emptied.
    pub values: Option<StoredValues>,
}

/// Reading the log.
pub trait AuditQueries {
    /// The entries that the filter wants, newest first, behind `after` if given, at most `limit`.
    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        after: Option<AuditPlace>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// One entry.
    fn audit_entry(&mut self, id: AuditId) -> Result<Option<AuditEntry>, StoreError>;

    /// Its values; `None` when there were none or they were emptied.
    fn audit_values(&mut self, id: AuditId) -> Result<Option<StoredValues>, StoreError>;

    /// The entries without seal, in the order of their ids, at most `limit`.
    fn unsealed_audit(&mut self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// The newest seal.
    fn last_seal(&mut self) -> Result<Option<Seal>, StoreError>;

    /// The seals behind this position with what they seal, in order, at most `limit`; all seals behind 0.
    fn sealed_audit(&mut self, position: i64, limit: usize) -> Result<Vec<Sealed>, StoreError>;

    /// How many entries wait for their seal, and the ids (at most 100) of entries that neither have one nor wait for one.
    fn loose_audit(&mut self) -> Result<(usize, Vec<AuditId>), StoreError>;
}

/// Writing the log. Nothing changes an entry.
pub trait AuditRepository {
    /// Adds entries in the given order.
    fn add_audit(&mut self, entries: &[NewEntry]) -> Result<(), StoreError>;

    /// Seals entries that wait for it. A position or an entry that is sealed already is an error.
    fn add_seals(&mut self, seals: &[Seal]) -> Result<(), StoreError>;

    /// Empties the values of the entries about this record, for a customer of those that concern it; says of how many.
    fn empty_audit_values(&mut self, of: Record) -> Result<usize, StoreError>;

    /// Forgets the oldest sealed entries up to the first that is not older than `before`, at most `limit`, and says the
    /// position of the last one forgotten, whose seal stays.
    fn trim_audit(&mut self, before: Instant, limit: usize) -> Result<Option<i64>, StoreError>;

    /// How many entries [`AuditRepository::trim_audit`] without limit would forget.
    fn trimmable_audit(&mut self, before: Instant) -> Result<usize, StoreError>;
}
