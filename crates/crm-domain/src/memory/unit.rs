//! One unit of work or reading on its own copy of the state.

use super::state::State;
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
use crate::ports::store::{OperationKey, ReadUnit, StoreError, UnitOfWork};
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

/// A noted operation key and when it was written.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    key: OperationKey,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Unit {
    state: State,
    fault: Option<StoreError>,
    spent: Option<StoreError>,
}

impl Unit {
    /// A unit whose first call answers `fault`, if one is given.
    pub(super) fn new(state: State, fault: Option<StoreError>) -> Self {
        Self {
            state,
            fault,
            spent: None,
        }
    }

    /// What it made of the state, and the error that spent it.
    pub(super) fn into_result(self) -> (State, Option<StoreError>) {
        (self.state, self.spent)
    }

    /// Every look-up goes through here.
    pub(super) fn look<T>(&mut self, query: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.change(|state| Ok(query(state)))
    }

    /// Every change goes through here. A change that errs has changed nothing; any error but a collision spends the unit.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(error) = &self.spent {
            return Err(error.clone());
        }
        let result = match self.fault.take() {
            Some(error) => Err(error),
            None => change(&mut self.state),
        };
        if let Err(error) = &result
            && !is_collision(error)
        {
            self.spent = Some(error.clone());
        }
        result
    }
}

fn is_collision(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Stale(_) | StoreError::Taken(_) | StoreError::Missing(_)
    )
}

impl ReadUnit for Unit {
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
        self.look(|state| state.operations.iter().any(|(_, done)| done.key == *key))
    }
}

impl UnitOfWork for Unit {
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
        self.change(|state| {
            state.operations.retain(|done| done.key != *key);
            state.operations.insert(|_| Operation { key: *key, at });
            Ok(())
        })
    }

    fn forget_operations(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        self.change(|state| {
            let old = state.operations.iter().filter(|(_, done)| done.at < before);
            let old: Vec<i64> = old.map(|(id, _)| id).take(limit).collect();
            state.operations.retain_rows(|id, _| !old.contains(&id));
            Ok(old.len())
        })
    }
}
