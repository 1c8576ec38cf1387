//! Everything that is stored.

use super::access_tokens::TokenRow as AccessTokenRow;
use super::activities::ActivityRow;
use super::audit::AuditSide;
use super::companies::CompanyRow;
use super::credentials::{FailedSignIn, LinkRow, SessionRow, SetupLink, TokenRow};
use super::customers::CustomerRow;
use super::data_keys::Fingerprint;
use super::drafts::DraftRow;
use super::erasures::{ErasureTalk, Opening};
use super::events::Epoch;
use super::factors::{FactorRow, RecoveryCodeRow};
use super::idempotency::AnswerRow;
use super::imports::{ImportRow, OriginRow};
use super::leases::LeaseRow;
use super::members::MemberRow;
use super::notes::NoteRow;
use super::reads::ReadMark;
use super::receipts::ReceiptRow;
use super::retention::HoldRow;
use super::send_budgets::{BudgetRow, DepartureRow};
use super::sends::SendRow;
use super::shared_counts::CountRow;
use super::table::Table;
use super::trash::Signature;
use super::unit::Operation;
use crate::attachments::{Attachment, AttachmentId};
use crate::audit::AuditEntry;
use crate::backups::{Backup, Pause};
use crate::connection::StoredConnection;
use crate::conversations::Conversation;
use crate::data_keys::{DataKey, SealedRow};
use crate::erasures::Erasure;
use crate::events::NewEvent;
use crate::factors::PendingSignIn;
use crate::instant::Instant;
use crate::ports::blobs::BlobHash;
use crate::ports::erased::Erased;
use crate::readings::{NewReading, ReadingRule};
use crate::retention::{HouseRun, Rule};
use crate::senders::Sender;
use crate::teams::{Team, TeamMember};
use crate::waitings::Waiting;

/// The tables. A copy is cheap: it shares all rows.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) companies: Table<CompanyRow>,
    pub(super) customers: Table<CustomerRow>,
    pub(super) activities: Table<ActivityRow>,
    pub(super) conversations: Table<Conversation>,
    pub(super) waitings: Table<Waiting>,
    pub(super) notes: Table<NoteRow>,
    pub(super) drafts: Table<DraftRow>,
    pub(super) reads: Table<ReadMark>,
    pub(super) receipts: Table<ReceiptRow>,
    pub(super) senders: Table<Sender>,
    pub(super) sends: Table<SendRow>,
    pub(super) connection: StoredConnection,
    pub(super) departures: Table<DepartureRow>,
    pub(super) send_budgets: Table<BudgetRow>,
    pub(super) attachments: Table<Attachment>,
    pub(super) file_leases: Table<(AttachmentId, Instant)>,
    pub(super) members: Table<MemberRow>,
    pub(super) teams: Table<Team>,
    pub(super) team_members: Table<TeamMember>,
    pub(super) sessions: Table<SessionRow>,
    pub(super) tokens: Table<TokenRow>,
    pub(super) links: Table<LinkRow>,
    pub(super) setup_links: Table<SetupLink>,
    pub(super) factors: Table<FactorRow>,
    pub(super) recovery_codes: Table<RecoveryCodeRow>,
    pub(super) pending_sign_ins: Table<PendingSignIn>,
    pub(super) failed_sign_ins: Table<FailedSignIn>,
    pub(super) events: Table<NewEvent>,
    pub(super) event_epoch: Epoch,
    pub(super) audit: Table<AuditEntry>,
    pub(super) audit_side: AuditSide,
    pub(super) readings: Table<NewReading>,
    pub(super) reading_rule: ReadingRule,
    pub(super) imports: Table<ImportRow>,
    pub(super) origins: Table<OriginRow>,
    pub(super) operations: Table<Operation>,
    pub(super) signatures: Table<Signature>,
    pub(super) openings: Table<Opening>,
    pub(super) erasures: Table<Erasure>,
    pub(super) erasure_talks: Table<ErasureTalk>,
    pub(super) erased: Vec<Erased>,
    pub(super) abandoned: Table<BlobHash>,
    pub(super) rules: Table<Rule>,
    pub(super) holds: Table<HoldRow>,
    pub(super) house_runs: Table<HouseRun>,
    pub(super) backups: Table<Backup>,
    pub(super) pause: Option<Pause>,
    pub(super) data_keys: Table<DataKey>,
    pub(super) leases: Table<LeaseRow>,
    pub(super) access_tokens: Table<AccessTokenRow>,
    pub(super) shared_counts: Table<CountRow>,
    pub(super) answers: Table<AnswerRow>,
    pub(super) key_fingerprint: Fingerprint,
    pub(super) named_secrets: Table<SealedRow>,
}
