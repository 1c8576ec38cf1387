//! One unit of work, or one reading, on a connection.

use crm_domain::access_tokens::{AccessTokenQueries, AccessTokenRepository};
use crm_domain::activities::{ActivityQueries, ActivityRepository};
use crm_domain::attachments::{AttachmentQueries, AttachmentRepository};
use crm_domain::audit::{AuditQueries, AuditRepository};
use crm_domain::backlog::BacklogQueries;
use crm_domain::backups::{BackupQueries, BackupRepository};
use crm_domain::board::BoardQueries;
use crm_domain::companies::{CompanyQueries, CompanyRepository};
use crm_domain::connection::{ConnectionQueries, ConnectionRepository};
use crm_domain::conversations::{ConversationQueries, ConversationRepository};
use crm_domain::customers::{CustomerQueries, CustomerRepository};
use crm_domain::data_keys::{DataKeyQueries, DataKeyRepository};
use crm_domain::dossiers::DossierQueries;
use crm_domain::drafts::{DraftQueries, DraftRepository};
use crm_domain::erasures::{ErasureQueries, ErasureRepository};
use crm_domain::events::{EventQueries, EventRepository};
use crm_domain::factors::{FactorQueries, FactorRepository};
use crm_domain::holdings::HoldingQueries;
use crm_domain::idempotency::{IdempotencyQueries, IdempotencyRepository};
use crm_domain::imports::{ImportQueries, ImportRepository};
use crm_domain::instant::Instant;
use crm_domain::leases::{LeaseQueries, LeaseRepository};
use crm_domain::members::{CredentialQueries, CredentialRepository, MemberQueries, MemberRepository};
use crm_domain::notes::{NoteQueries, NoteRepository};
use crm_domain::ports::store::{OperationKey, ReadUnit, StoreError, UnitOfWork};
use crm_domain::readings::{ReadingQueries, ReadingRepository};
use crm_domain::reads::ReadRepository;
use crm_domain::receipts::{ReceiptQueries, ReceiptRepository};
use crm_domain::retention::{RetentionQueries, RetentionRepository};
use crm_domain::send_budgets::{BudgetQueries, BudgetRepository};
use crm_domain::senders::{SenderQueries, SenderRepository};
use crm_domain::sends::{SendQueries, SendRepository};
use crm_domain::shared_counts::{SharedCountQueries, SharedCountRepository};
use crm_domain::teams::{TeamQueries, TeamRepository};
use crm_domain::trash::{TrashQueries, TrashRepository};
use crm_domain::waitings::{WaitingQueries, WaitingRepository};

use super::{Conn, operations};
use crate::fault::Fault;

/// A unit of work on a connection whose transaction somebody else begins and ends. After its first error, but `Stale`,
/// `Taken` and `Missing`, it is spent: it touches the connection no more and answers that error again.
pub struct Uow<'a> {
    conn: &'a mut Conn,
    spent: Option<StoreError>,
    transaction_lost: bool,
}

impl<'a> Uow<'a> {
    /// A fresh unit.
    pub fn new(conn: &'a mut Conn) -> Self {
        Self {
            conn,
            spent: None,
            transaction_lost: false,
        }
    }

    /// The error that spent the unit, if one did: it must not be committed.
    pub fn spent(&self) -> Option<&StoreError> {
        self.spent.as_ref()
    }

    /// Whether the database may have ended the transaction by itself, with everything else that was in it.
    pub fn transaction_lost(&self) -> bool {
        self.transaction_lost
    }

    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Conn) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        if let Some(error) = &self.spent {
            return Err(error.clone());
        }
        work(self.conn).map_err(|fault| {
            self.transaction_lost = fault.ends_transaction();
            let error = fault.into_store_error();
            let expected = matches!(
                error,
                StoreError::Stale(_) | StoreError::Taken(_) | StoreError::Missing(_)
            );
            if !expected {
                self.spent = Some(error.clone());
            }
            error
        })
    }
}

impl ReadUnit for Uow<'_> {
    fn companies(&mut self) -> &mut dyn CompanyQueries {
        self
    }

    fn customers(&mut self) -> &mut dyn CustomerQueries {
        self
    }

    fn activities(&mut self) -> &mut dyn ActivityQueries {
        self
    }

    fn conversations(&mut self) -> &mut dyn ConversationQueries {
        self
    }

    fn waitings(&mut self) -> &mut dyn WaitingQueries {
        self
    }

    fn board(&mut self) -> &mut dyn BoardQueries {
        self
    }

    fn notes(&mut self) -> &mut dyn NoteQueries {
        self
    }

    fn drafts(&mut self) -> &mut dyn DraftQueries {
        self
    }

    fn receipts(&mut self) -> &mut dyn ReceiptQueries {
        self
    }

    fn senders(&mut self) -> &mut dyn SenderQueries {
        self
    }

    fn sends(&mut self) -> &mut dyn SendQueries {
        self
    }

    fn budgets(&mut self) -> &mut dyn BudgetQueries {
        self
    }

    fn attachments(&mut self) -> &mut dyn AttachmentQueries {
        self
    }

    fn connection(&mut self) -> &mut dyn ConnectionQueries {
        self
    }

    fn members(&mut self) -> &mut dyn MemberQueries {
        self
    }

    fn backlog(&mut self) -> &mut dyn BacklogQueries {
        self
    }

    fn holdings(&mut self) -> &mut dyn HoldingQueries {
        self
    }

    fn teams(&mut self) -> &mut dyn TeamQueries {
        self
    }
    fn credentials(&mut self) -> &mut dyn CredentialQueries {
        self
    }

    fn factors(&mut self) -> &mut dyn FactorQueries {
        self
    }

    fn events(&mut self) -> &mut dyn EventQueries {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditQueries {
        self
    }

    fn readings(&mut self) -> &mut dyn ReadingQueries {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyQueries {
        self
    }

    fn access_tokens(&mut self) -> &mut dyn AccessTokenQueries {
        self
    }
    fn leases(&mut self) -> &mut dyn LeaseQueries {
        self
    }

    fn shared_counts(&mut self) -> &mut dyn SharedCountQueries {
        self
    }
    fn imports(&mut self) -> &mut dyn ImportQueries {
        self
    }

    fn backups(&mut self) -> &mut dyn BackupQueries {
        self
    }

    fn data_keys(&mut self) -> &mut dyn DataKeyQueries {
        self
    }

    fn trash(&mut self) -> &mut dyn TrashQueries {
        self
    }

    fn erasures(&mut self) -> &mut dyn ErasureQueries {
        self
    }

    fn retention(&mut self) -> &mut dyn RetentionQueries {
        self
    }

    fn dossiers(&mut self) -> &mut dyn DossierQueries {
        self
    }

    fn operation_done(&mut self, key: &OperationKey) -> Result<bool, StoreError> {
        self.run(|conn| operations::done(conn, key))
    }
}

impl UnitOfWork for Uow<'_> {
    fn edit_companies(&mut self) -> &mut dyn CompanyRepository {
        self
    }

    fn edit_customers(&mut self) -> &mut dyn CustomerRepository {
        self
    }

    fn edit_activities(&mut self) -> &mut dyn ActivityRepository {
        self
    }

    fn edit_conversations(&mut self) -> &mut dyn ConversationRepository {
        self
    }

    fn edit_waitings(&mut self) -> &mut dyn WaitingRepository {
        self
    }

    fn edit_notes(&mut self) -> &mut dyn NoteRepository {
        self
    }

    fn edit_drafts(&mut self) -> &mut dyn DraftRepository {
        self
    }

    fn edit_reads(&mut self) -> &mut dyn ReadRepository {
        self
    }

    fn edit_receipts(&mut self) -> &mut dyn ReceiptRepository {
        self
    }

    fn edit_senders(&mut self) -> &mut dyn SenderRepository {
        self
    }

    fn edit_sends(&mut self) -> &mut dyn SendRepository {
        self
    }

    fn edit_budgets(&mut self) -> &mut dyn BudgetRepository {
        self
    }

    fn edit_attachments(&mut self) -> &mut dyn AttachmentRepository {
        self
    }

    fn edit_connection(&mut self) -> &mut dyn ConnectionRepository {
        self
    }

    fn edit_members(&mut self) -> &mut dyn MemberRepository {
        self
    }

    fn edit_teams(&mut self) -> &mut dyn TeamRepository {
        self
    }
    fn edit_credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }

    fn edit_factors(&mut self) -> &mut dyn FactorRepository {
        self
    }

    fn edit_events(&mut self) -> &mut dyn EventRepository {
        self
    }

    fn edit_audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn edit_readings(&mut self) -> &mut dyn ReadingRepository {
        self
    }

    fn edit_idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn edit_access_tokens(&mut self) -> &mut dyn AccessTokenRepository {
        self
    }
    fn edit_leases(&mut self) -> &mut dyn LeaseRepository {
        self
    }

    fn edit_shared_counts(&mut self) -> &mut dyn SharedCountRepository {
        self
    }
    fn edit_imports(&mut self) -> &mut dyn ImportRepository {
        self
    }

    fn edit_backups(&mut self) -> &mut dyn BackupRepository {
        self
    }

    fn edit_data_keys(&mut self) -> &mut dyn DataKeyRepository {
        self
    }

    fn edit_trash(&mut self) -> &mut dyn TrashRepository {
        self
    }

    fn edit_erasures(&mut self) -> &mut dyn ErasureRepository {
        self
    }

    fn edit_retention(&mut self) -> &mut dyn RetentionRepository {
        self
    }

    fn note_operation(&mut self, key: &OperationKey, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| operations::note(conn, key, at))
    }
    fn forget_operations(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.run(|conn| operations::forget(conn, before, limit))
    }
}
