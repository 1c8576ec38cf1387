//! The store: asynchronous outside, synchronous inside. A unit of work is a closure that the adapter runs whole on a
//! thread of its own, so a transaction can neither be held across an await nor be forgotten.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::access_tokens::{AccessTokenQueries, AccessTokenRepository};
use crate::activities::{ActivityQueries, ActivityRepository};
use crate::attachments::{AttachmentQueries, AttachmentRepository};
use crate::audit::{AuditQueries, AuditRepository};
use crate::backlog::BacklogQueries;
use crate::backups::{BackupQueries, BackupRepository};
use crate::board::BoardQueries;
use crate::companies::{CompanyQueries, CompanyRepository};
use crate::connection::{ConnectionQueries, ConnectionRepository};
use crate::conversations::{ConversationQueries, ConversationRepository};
use crate::customers::{CustomerQueries, CustomerRepository};
use crate::data_keys::{DataKeyQueries, DataKeyRepository};
use crate::dossiers::DossierQueries;
use crate::drafts::{DraftQueries, DraftRepository};
use crate::erasures::{ErasureQueries, ErasureRepository};
use crate::events::{EventQueries, EventRepository};
use crate::factors::{FactorQueries, FactorRepository};
use crate::holdings::HoldingQueries;
use crate::idempotency::{IdempotencyQueries, IdempotencyRepository};
use crate::imports::{ImportQueries, ImportRepository};
use crate::instant::Instant;
use crate::leases::{LeaseQueries, LeaseRepository};
use crate::members::{CredentialQueries, CredentialRepository, MemberQueries, MemberRepository};
use crate::notes::{NoteQueries, NoteRepository};
use crate::readings::{ReadingQueries, ReadingRepository};
use crate::reads::ReadRepository;
use crate::receipts::{ReceiptQueries, ReceiptRepository};
use crate::retention::{RetentionQueries, RetentionRepository};
use crate::send_budgets::{BudgetQueries, BudgetRepository};
use crate::senders::{SenderQueries, SenderRepository};
use crate::sends::{SendQueries, SendRepository};
use crate::shared_counts::{SharedCountQueries, SharedCountRepository};
use crate::teams::{TeamQueries, TeamRepository};
use crate::trash::{TrashQueries, TrashRepository};
use crate::waitings::{WaitingQueries, WaitingRepository};

/// Why a store did not do what was asked; one variant per thing that a caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has the value of this field.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The record was changed since it was read.
    #[error("{0} was changed in between")]
    Stale(&'static str),
    /// The record that this field refers to does not exist.
    #[error("{0} refers to nothing")]
    Missing(&'static str),
    /// A stored value makes no sense; nobody but an engineer can mend that.
    #[error("{table}.{column} of row {row} holds nonsense")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: i64,
    },
    /// The database cannot be used now; nothing was stored.
    #[error("the database cannot be used now")]
    Unavailable(#[source] Arc<dyn StdError + Send + Sync>),
    /// It is not known whether the unit of work was stored; its key must be looked up before anything is said.
    #[error("it is not known whether the work was stored")]
    Uncertain,
}

impl StoreError {
    /// Wraps a driver's error.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(source.into()))
    }

    /// Stable name: catalogue key, API code and command line code in one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Taken(_) => "taken",
            Self::Stale(_) => "stale",
            Self::Missing(_) => "missing",
            Self::Corrupt { .. } => "corrupt",
            Self::Unavailable(_) => "store_unavailable",
            Self::Uncertain => "store_uncertain",
        }
    }
}

impl Clone for StoreError {
    fn clone(&self) -> Self {
        match self {
            Self::Taken(field) => Self::Taken(field),
            Self::Stale(what) => Self::Stale(what),
            Self::Missing(field) => Self::Missing(field),
            Self::Corrupt { table, column, row } => Self::Corrupt {
                table,
                column,
                row: *row,
            },
            Self::Unavailable(source) => Self::Unavailable(Arc::clone(source)),
            Self::Uncertain => Self::Uncertain,
        }
    }
}

/// Reading: one consistent view of everything, READ ONLY.
pub trait ReadUnit {
    /// Companies.
    fn companies(&mut self) -> &mut dyn CompanyQueries;
    /// Customers.
    fn customers(&mut self) -> &mut dyn CustomerQueries;
    /// Messages.
    fn activities(&mut self) -> &mut dyn ActivityQueries;
    /// Conversations.
    fn conversations(&mut self) -> &mut dyn ConversationQueries;
    /// Waitings.
    fn waitings(&mut self) -> &mut dyn WaitingQueries;
    /// The board.
    fn board(&mut self) -> &mut dyn BoardQueries;
    /// Notes.
    fn notes(&mut self) -> &mut dyn NoteQueries;
    /// Drafts.
    fn drafts(&mut self) -> &mut dyn DraftQueries;
    /// What waits.
    fn backlog(&mut self) -> &mut dyn BacklogQueries;
    /// Callbacks.
    fn receipts(&mut self) -> &mut dyn ReceiptQueries;
    /// Senders and their names.
    fn senders(&mut self) -> &mut dyn SenderQueries;
    /// Messages of ours on their way.
    fn sends(&mut self) -> &mut dyn SendQueries;
    /// Send budgets.
    fn budgets(&mut self) -> &mut dyn BudgetQueries;
    /// LINE WORKS as set up in the pages.
    fn connection(&mut self) -> &mut dyn ConnectionQueries;
    /// Members.
    fn members(&mut self) -> &mut dyn MemberQueries;
    /// What members have in hand.
    fn holdings(&mut self) -> &mut dyn HoldingQueries;
    /// Teams.
    fn teams(&mut self) -> &mut dyn TeamQueries;
    /// Sessions, tokens, one-time links.
    fn credentials(&mut self) -> &mut dyn CredentialQueries;
    /// Second factors.
    fn factors(&mut self) -> &mut dyn FactorQueries;
    /// Bytes that came with messages.
    fn attachments(&mut self) -> &mut dyn AttachmentQueries;
    /// What changed.
    fn events(&mut self) -> &mut dyn EventQueries;
    /// Who did what.
    fn audit(&mut self) -> &mut dyn AuditQueries;
    /// Who looked at what.
    fn readings(&mut self) -> &mut dyn ReadingQueries;
    /// Imports.
    fn imports(&mut self) -> &mut dyn ImportQueries;
    /// Backups.
    fn backups(&mut self) -> &mut dyn BackupQueries;
    /// Data keys and what they sealed.
    fn data_keys(&mut self) -> &mut dyn DataKeyQueries;
    /// Who does which job.
    fn leases(&mut self) -> &mut dyn LeaseQueries;
    /// LINE WORKS' access tokens.
    fn access_tokens(&mut self) -> &mut dyn AccessTokenQueries;
    /// Counts that instances share.
    fn shared_counts(&mut self) -> &mut dyn SharedCountQueries;

    /// Looks kept answers up.
    fn idempotency(&mut self) -> &mut dyn IdempotencyQueries;
    /// The trash.
    fn trash(&mut self) -> &mut dyn TrashQueries;
    /// Erasures and their receipts.
    fn erasures(&mut self) -> &mut dyn ErasureQueries;
    /// Rules, holds and daily runs.
    fn retention(&mut self) -> &mut dyn RetentionQueries;
    /// What is held about one person.
    fn dossiers(&mut self) -> &mut dyn DossierQueries;
    /// Whether the unit of work that wrote this operation key was stored.
    fn operation_done(&mut self, key: &OperationKey) -> Result<bool, StoreError>;
}

/// Writing: all of it is stored, or none. After any [`StoreError`] but `Stale`, `Taken` and `Missing` found before
/// anything was written, the unit is spent: every further call returns that error again and it cannot commit.
pub trait UnitOfWork: ReadUnit {
    /// Companies.
    fn edit_companies(&mut self) -> &mut dyn CompanyRepository;
    /// Customers.
    fn edit_customers(&mut self) -> &mut dyn CustomerRepository;
    /// Messages.
    fn edit_activities(&mut self) -> &mut dyn ActivityRepository;
    /// Conversations.
    fn edit_conversations(&mut self) -> &mut dyn ConversationRepository;
    /// Waitings.
    fn edit_waitings(&mut self) -> &mut dyn WaitingRepository;
    /// Notes.
    fn edit_notes(&mut self) -> &mut dyn NoteRepository;
    /// Drafts.
    fn edit_drafts(&mut self) -> &mut dyn DraftRepository;
    /// Unread marks.
    fn edit_reads(&mut self) -> &mut dyn ReadRepository;
    /// Callbacks.
    fn edit_receipts(&mut self) -> &mut dyn ReceiptRepository;
    /// Senders and their names.
    fn edit_senders(&mut self) -> &mut dyn SenderRepository;
    /// Messages of ours on their way.
    fn edit_sends(&mut self) -> &mut dyn SendRepository;
    /// Send budgets.
    fn edit_budgets(&mut self) -> &mut dyn BudgetRepository;
    /// LINE WORKS as set up in the pages.
    fn edit_connection(&mut self) -> &mut dyn ConnectionRepository;
    /// Members.
    fn edit_members(&mut self) -> &mut dyn MemberRepository;
    /// Teams.
    fn edit_teams(&mut self) -> &mut dyn TeamRepository;
    /// Sessions, tokens, one-time links.
    fn edit_credentials(&mut self) -> &mut dyn CredentialRepository;
    /// Second factors.
    fn edit_factors(&mut self) -> &mut dyn FactorRepository;
    /// Bytes that came with messages.
    fn edit_attachments(&mut self) -> &mut dyn AttachmentRepository;
    /// What changed.
    fn edit_events(&mut self) -> &mut dyn EventRepository;
    /// Who did what.
    fn edit_audit(&mut self) -> &mut dyn AuditRepository;
    /// Who looked at what.
    fn edit_readings(&mut self) -> &mut dyn ReadingRepository;
    /// Imports.
    fn edit_imports(&mut self) -> &mut dyn ImportRepository;
    /// Backups.
    fn edit_backups(&mut self) -> &mut dyn BackupRepository;
    /// Data keys and what they sealed.
    fn edit_data_keys(&mut self) -> &mut dyn DataKeyRepository;
    /// Who does which job.
    fn edit_leases(&mut self) -> &mut dyn LeaseRepository;
    /// LINE WORKS' access tokens.
    fn edit_access_tokens(&mut self) -> &mut dyn AccessTokenRepository;
    /// Counts that instances share.
    fn edit_shared_counts(&mut self) -> &mut dyn SharedCountRepository;

    /// Changes kept answers.
    fn edit_idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// The trash.
    fn edit_trash(&mut self) -> &mut dyn TrashRepository;
    /// Erasures and their receipts.
    fn edit_erasures(&mut self) -> &mut dyn ErasureRepository;
    /// Rules, holds and daily runs.
    fn edit_retention(&mut self) -> &mut dyn RetentionRepository;
    /// Writes an operation key, by which this unit can be found again after `Uncertain`; a key that is there already counts
    /// as new.
    fn note_operation(&mut self, key: &OperationKey, at: Instant) -> Result<(), StoreError>;

    /// Forgets keys from before this time, at most `limit`, and says how many. Not part of what writes keys: those who do
    /// share nothing then, and none waits for another.
    fn forget_operations(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError>;
}

/// A random key that a unit of work without a natural key writes, to find out later whether it was stored.
pub type OperationKey = [u8; 16];

/// What a unit of work decided about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Store it.
    Commit,
    /// Undo it.
    RollBack,
}

/// A unit of work. It may be run again, so it is free of effects but on its unit.
pub type Work = Box<dyn FnMut(&mut dyn UnitOfWork) -> Verdict + Send>;
/// A reading. It may be run again.
pub type ReadWork = Box<dyn FnMut(&mut dyn ReadUnit) + Send>;

/// The connections of a store, or the threads that stand for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// In use by units of work.
    pub in_use: usize,
    /// Open and at rest.
    pub idle: usize,
    /// How many there can be at most.
    pub most: usize,
    /// Units of work that wait for one.
    pub waiting: usize,
}

/// A database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Runs a unit of work and stores it if it says so. An error means that it was not stored, but for `Uncertain`.
    async fn run_write(&self, work: Work) -> Result<(), StoreError>;

    /// Runs a reading on one consistent view.
    async fn run_read(&self, work: ReadWork) -> Result<(), StoreError>;

    /// Runs a reading whose answer may be some seconds old, on one consistent view; where a copy is at hand for that, it
    /// spares the database.
    async fn run_stale(&self, work: ReadWork) -> Result<(), StoreError> {
        self.run_read(work).await
    }

    /// Whether the database answers and can be written.
    async fn ping(&self) -> Result<(), StoreError>;

    /// How many migrations this binary has that the database has not.
    async fn migrations_pending(&self) -> Result<usize, StoreError>;

    /// Whether the unit that noted this key was stored, asked after `Uncertain`. A commit that is still on its way is waited
    /// for within bounds, so what is answered stays true. An error means that it is still not known.
    async fn settle(&self, key: OperationKey, at: Instant) -> Result<bool, StoreError> {
        let found = Arc::new(AtomicBool::new(false));
        self.run_write(settling(key, at, Arc::clone(&found))).await?;
        Ok(found.load(Ordering::Relaxed))
    }

    /// The connections in use, where there is a bounded number of them.
    fn pool(&self) -> Option<PoolState> {
        None
    }

    /// Makes what was deleted before stand nowhere on the disk any more, as far as the database keeps it: its file, its log,
    /// its indexes.
    async fn scrub(&self) -> Result<(), StoreError>;
}

/// The unit of work that settles a key: whether it was stored stands in `found` once this has run. A reading would not see
/// a commit that is still running; writing the same key waits for it. What was not stored is left as it is, so that asking
/// again gives the same; what was is written again, so that this answer lasts as long as its own commit does.
pub fn settling(key: OperationKey, at: Instant, found: Arc<AtomicBool>) -> Work {
    Box::new(move |uow| {
        let done = uow.operation_done(&key);
        let done = done.and_then(|done| uow.note_operation(&key, at).map(|()| done));
        found.store(matches!(done, Ok(true)), Ordering::Relaxed);
        match done {
            Ok(false) => Verdict::RollBack,
            // A unit that failed cannot commit, and says why.
            Ok(true) | Err(_) => Verdict::Commit,
        }
    })
}

/// Units of work with results.
#[async_trait]
pub trait StoreExt: Store {
    /// Stores the work on `Ok`, undoes it on `Err`.
    async fn write<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut dyn UnitOfWork) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (slot, result) = slots();
        let unit = move |uow: &mut dyn UnitOfWork| {
            let outcome = work(uow);
            let verdict = if outcome.is_ok() {
                Verdict::Commit
            } else {
                Verdict::RollBack
            };
            fill(&slot, outcome);
            verdict
        };
        self.run_write(Box::new(unit)).await?;
        take(&result)
    }

    /// [`StoreExt::write`] for a unit without a natural key: it writes `key`, and when its outcome is uncertain the key is
    /// settled. What was stored is returned; what was not is `Unavailable`; what nobody can tell yet stays `Uncertain`.
    async fn write_noted<T, E, F>(&self, key: OperationKey, at: Instant, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut dyn UnitOfWork) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (slot, result) = slots();
        let unit = move |uow: &mut dyn UnitOfWork| {
            let noted = uow.note_operation(&key, at).map_err(E::from);
            let outcome = noted.and_then(|()| work(uow));
            let verdict = if outcome.is_ok() {
                Verdict::Commit
            } else {
                Verdict::RollBack
            };
            fill(&slot, outcome);
            verdict
        };
        match self.run_write(Box::new(unit)).await {
            Ok(()) => take(&result),
            Err(StoreError::Uncertain) => match self.settle(key, at).await {
                Ok(true) => take(&result),
                Ok(false) => Err(StoreError::unavailable("the work was not stored").into()),
                Err(_) => Err(StoreError::Uncertain.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Runs a reading and returns its result.
    async fn read<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut dyn ReadUnit) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (slot, result) = slots();
        self.run_read(Box::new(move |unit| fill(&slot, work(unit))))
            .await?;
        take(&result)
    }

    /// [`StoreExt::read`] for what may be some seconds old, such as exports.
    async fn read_stale<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut dyn ReadUnit) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (slot, result) = slots();
        self.run_stale(Box::new(move |unit| fill(&slot, work(unit))))
            .await?;
        take(&result)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

type Slot<T, E> = Arc<Mutex<Option<Result<T, E>>>>;

fn slots<T, E>() -> (Slot<T, E>, Slot<T, E>) {
    let slot = Arc::new(Mutex::new(None));
    (Arc::clone(&slot), slot)
}

/// The last run's result counts.
fn fill<T, E>(slot: &Slot<T, E>, result: Result<T, E>) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

fn take<T, E: From<StoreError>>(slot: &Slot<T, E>) -> Result<T, E> {
    let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.unwrap_or_else(|| Err(StoreError::unavailable("the store did not run the work").into()))
}
