//! Everything that is stored.

use super::activities::ActivityRow;
use super::companies::CompanyRow;
use super::credentials::{FailedSignIn, LinkRow, SessionRow, TokenRow};
use super::customers::CustomerRow;
use super::events::Epoch;
use super::imports::{ImportRow, OriginRow};
use super::members::MemberRow;
use super::receipts::ReceiptRow;
use super::sends::SendRow;
use super::table::Table;
use super::unit::Operation;
use crate::conversations::Conversation;
use crate::events::NewEvent;

/// The tables. A copy is cheap: it shares all rows.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) companies: Table<CompanyRow>,
    pub(super) customers: Table<CustomerRow>,
    pub(super) activities: Table<ActivityRow>,
    pub(super) conversations: Table<Conversation>,
    pub(super) receipts: Table<ReceiptRow>,
    pub(super) sends: Table<SendRow>,
    pub(super) members: Table<MemberRow>,
    pub(super) sessions: Table<SessionRow>,
    pub(super) tokens: Table<TokenRow>,
    pub(super) links: Table<LinkRow>,
    pub(super) failed_sign_ins: Table<FailedSignIn>,
    pub(super) events: Table<NewEvent>,
    pub(super) event_epoch: Epoch,
    pub(super) imports: Table<ImportRow>,
    pub(super) origins: Table<OriginRow>,
    pub(super) operations: Table<Operation>,
}
