//! The use cases: what the product does. HTML, JSON, the command line and foreign programs call the same ones.
//! Each decides permission first, reads the clock once and does one unit of work.

mod access_tokens;
mod activities;
mod attachments;
mod audit;
mod audit_log;
mod backups;
mod board;
mod callbacks;
mod carriers;
mod companies;
mod connection;
mod connection_check;
mod credentials;
mod customers;
mod data_keys;
mod delivery;
mod dossiers;
mod drafts;
mod entering;
mod erased_list;
mod erasing;
mod erasing_rows;
mod events;
mod factors;
mod handing_over;
mod handling;
mod housekeeping;
mod imports;
mod leases;
mod measuring;
mod members;
mod notes;
mod profiles;
mod quarantine;
mod readings;
mod recording;
mod registering;
mod repeating;
mod retention;
mod searches;
mod senders;
mod sends;
mod sessions;
mod setup;
mod shared_counts;
mod sight;
mod sign_in;
mod spooling;
mod teams;
mod tokens;
mod trash;
mod understood;
mod waitings;

use std::sync::Arc;

pub use access_tokens::StoredTokens;
pub use audit_log::{AuditDetail, AuditFault, AuditReport, SealRound};
pub use backups::BackupsView;
pub use board::{Board, UNKNOWN_MESSAGES, UnknownRoom, UnknownSender};
pub use callbacks::{Arrival, CallbackTrial, Detour, NotKept, Received, TrialStep};
pub use connection::{ConnectionForm, ConnectionView, FieldView};
pub use connection_check::{
    Advice, CONNECTION_CHECKS, CheckState, ConnectionReport, ConnectionStep, check_connection,
};
pub use credentials::{SESSION_IDLE, SESSION_LIFE, SignedIn};
pub use customers::CustomerCheck;
pub use data_keys::{ByKey, KeyStatus, KeyUse, ResealedValues};
pub use delivery::{Claim, Delivered};
pub use entering::Expected;
pub use erasing::Begun;
pub use events::Events;
pub use factors::{FactorStatus, RECOVERY_CODES};
pub use handling::Elsewhere;
pub use imports::Imported;
pub use measuring::{BACKLOG_MOST, Load, Signs};
pub use members::{LINK_LIFE, MemberForm, PASSWORD_MAX, PASSWORD_MIN};
pub use profiles::MemberChoice;
pub use quarantine::{HeldSummary, Rechecked};
pub use readings::Looked;
pub use recording::{Recorded, RecordedCallback};
pub use repeating::{Once, Repeat};
pub use retention::{RetentionOverview, RulePreview};
pub use senders::{NamePause, NameRound, WITHOUT_DIRECTORY};
pub use sends::Recipient;
pub use sessions::SessionLine;
pub use setup::SetupForm;
pub use sign_in::{FACTOR_WAIT, SIGN_IN_TRIES, SIGN_IN_WINDOW, SignInForm, SignInStep};
pub use spooling::{DoorTrouble, Readiness, ReplayError, Replayed};
pub use tokens::TokenForm;
pub use trash::{Restoration, TrashPage};

use crate::error::Error;
use crate::instant::Instant;
use crate::ports::backup_shelf::BackupShelf;
use crate::ports::blobs::Blobs;
use crate::ports::callbacks::Callbacks;
use crate::ports::connector::Connector;
use crate::ports::erased::ErasedList;
use crate::ports::files::FileSource;
use crate::ports::host::{Caller, Clock, Passwords, Secrets};
use crate::ports::messenger::Messengers;
use crate::ports::one_time_codes::OneTimeCodes;
use crate::ports::profiles::ProfileSource;
use crate::ports::quarantine::Quarantine;
use crate::ports::seals::Seals;
use crate::ports::spool::Spool;
use crate::ports::store::{OperationKey, Store, StoreError, StoreExt, UnitOfWork};
use crate::ports::vault::Vault;

/// The world, as the use cases need it.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness and hashing.
    pub secrets: Arc<dyn Secrets>,
    /// From where requests come.
    pub caller: Arc<dyn Caller>,
    /// What proves that the audit log was not changed.
    pub seals: Arc<dyn Seals>,
    /// Password hashing.
    pub passwords: Arc<dyn Passwords>,
    /// Codes of authenticator apps.
    pub codes: Arc<dyn OneTimeCodes>,
    /// How messages leave.
    pub messengers: Arc<dyn Messengers>,
    /// How LINE WORKS is set up while the program runs.
    pub connector: Arc<dyn Connector>,
    /// How callbacks are read.
    pub callbacks: Arc<dyn Callbacks>,
    /// Where callbacks wait while the database is away.
    pub spool: Arc<dyn Spool>,
    /// Where callbacks are held that do not count but may be real.
    pub quarantine: Arc<dyn Quarantine>,
    /// How files that customers send are fetched.
    pub files: Arc<dyn FileSource>,
    /// Where their bytes lie.
    pub blobs: Arc<dyn Blobs>,
    /// Where backups lie.
    pub shelf: Arc<dyn BackupShelf>,
    /// Who was erased, for ever.
    pub erased: Arc<dyn ErasedList>,
    /// Who the members of LINE WORKS are.
    pub profiles: Arc<dyn ProfileSource>,
    /// What seals secrets that must be read again.
    pub vault: Arc<dyn Vault>,
    /// Whether other servers may work on the same store: then jobs and messages are held by leases only.
    pub several_instances: bool,
}

/// The product: every use case is a method.
#[derive(Clone)]
pub struct Crm {
    ports: Ports,
    door: Arc<spooling::Door>,
    choice: profiles::ChoiceCache,
    refusals: Arc<audit::Refusals>,
    held: Arc<readings::Held>,
    setbacks: Arc<recording::Setbacks>,
}

impl Crm {
    /// A CRM on these ports.
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            door: Arc::default(),
            choice: profiles::ChoiceCache::default(),
            refusals: Arc::default(),
            held: Arc::default(),
            setbacks: Arc::default(),
        }
    }

    /// The same CRM, asked over a network: `caller` tells from where.
    #[must_use]
    pub fn asked_through(mut self, caller: Arc<dyn Caller>) -> Self {
        self.ports.caller = caller;
        self
    }

    /// Whether the database takes what is written: one row is, always the same, because a full disk shows only then.
    pub async fn ready(&self) -> Result<(), Error> {
        const PROBE: OperationKey = *b"can it be stored";
        let at = self.now();
        self.ports
            .store
            .write(move |uow| Ok(uow.note_operation(&PROBE, at)?))
            .await
    }

    /// Whether messages can be sent at all: a bot is set up.
    pub fn can_send(&self) -> bool {
        self.ports.messengers.line_works().is_some()
    }

    /// Whether other servers may work on the same store.
    pub fn has_several_instances(&self) -> bool {
        self.ports.several_instances
    }

    /// Now, by the clock that all use cases go by.
    pub fn now(&self) -> Instant {
        self.ports.clock.now()
    }

    /// Runs a unit of work that may be repeated without harm: when its outcome is uncertain it runs once more as soon as the
    /// database can be used, and stays uncertain when that does not help. It writes nothing into the audit log; who may use
    /// it is a reviewed list (`tests/it/audit_coverage.rs`).
    async fn change_again<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut dyn UnitOfWork) -> Result<T, Error> + Clone + Send + 'static,
    {
        /// Nobody writes it for good; settling it waits for a database that is away for a moment.
        const NOBODYS: OperationKey = *b"is it there now?";
        match self.ports.store.write(work.clone()).await {
            Err(Error::Store(StoreError::Uncertain)) => {}
            outcome => return outcome,
        }
        let uncertain = Error::Store(StoreError::Uncertain);
        if self.ports.store.settle(NOBODYS, self.now()).await.is_err() {
            return Err(uncertain);
        }
        match self.ports.store.write(work).await {
            // This run was not stored; the first one may have been.
            Err(Error::Store(StoreError::Unavailable(_))) => Err(uncertain),
            outcome => outcome,
        }
    }
}
