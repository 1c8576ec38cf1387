//! Reads everything that a store holds, by the queries of the program: for databases that an earlier release left.

use crm_domain::board::{BoardRequest, Column, Tab};
use crm_domain::companies::CompanyFilter;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::{CustomerFilter, CustomerId};
use crm_domain::events::EventPlace;
use crm_domain::members::MemberId;
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::{ReadUnit, StoreError};
use crm_domain::readings::ReadingFilter;
use crm_domain::tally::DataKind;
use crm_domain::teams::Visible;

/// More than a small database holds of anything.
const ALL: usize = 1_000;

/// How many records came; those of one person by kind too, such as notes, drafts and sends.
#[derive(Debug, Default)]
pub struct Everything {
    /// Living customers.
    pub customers: usize,
    /// Living companies.
    pub companies: usize,
    /// Messages on customers' pages.
    pub messages: usize,
    /// Conversations on the board.
    pub conversations: usize,
    /// Records about persons.
    pub about_persons: usize,
    /// Members.
    pub members: usize,
    /// Rows of the rest: waitings, teams, tokens, entries of the logs, erasures, rules, holds, backups, events, keys.
    pub others: usize,
}

/// Reads it.
pub fn read_everything(unit: &mut dyn ReadUnit) -> Result<Everything, StoreError> {
    let mut read = Everything::default();
    let everything = PageRequest::first(ALL);
    let customers = unit
        .customers()
        .customer_list(&CustomerFilter::default(), &everything, &Visible::All)?;
    for line in &customers.items {
        read_customer(unit, line.customer.id, &mut read)?;
    }
    let companies = unit
        .companies()
        .company_list(&CompanyFilter::default(), &everything, &Visible::All)?;
    read.companies = companies.items.len();
    for conversation in board(unit)? {
        read_conversation(unit, conversation, &mut read)?;
    }
    read_staff(unit, &mut read)?;
    read_logs(unit, &mut read)?;
    read_rules(unit, &mut read)?;
    Ok(read)
}

fn read_customer(unit: &mut dyn ReadUnit, id: CustomerId, read: &mut Everything) -> Result<(), StoreError> {
    let customer = unit.customers().customer(id, &Visible::All)?;
    read.customers += usize::from(customer.is_some());
    read.messages += unit.activities().activities_before(id, None, ALL)?.len();
    let subject = unit.erasures().subject(id)?.expect("a living customer");
    for kind in DataKind::ALL {
        read.about_persons += unit.dossiers().records_about(&subject, kind, 0, ALL)?.len();
    }
    Ok(())
}

fn board(unit: &mut dyn ReadUnit) -> Result<Vec<ConversationId>, StoreError> {
    let mut found = Vec::new();
    for column in [Column::Waiting, Column::Handled, Column::Done] {
        let board = unit.board().board(&BoardRequest {
            column,
            tab: Tab::All,
            reader: None,
            visible: Visible::All,
            after: None,
            limit: ALL,
        })?;
        found.extend(board.lines.iter().map(|line| line.conversation.id));
    }
    Ok(found)
}

fn read_conversation(
    unit: &mut dyn ReadUnit,
    id: ConversationId,
    read: &mut Everything,
) -> Result<(), StoreError> {
    read.conversations += usize::from(unit.conversations().conversation(id)?.is_some());
    read.others += unit.waitings().waitings_of(id, ALL)?.len();
    read.others += unit.sends().unshown_sends(id)?.len();
    read.others += unit.notes().unshown_notes(id)?.len();
    unit.activities().last_message(id)?;
    Ok(())
}

fn read_staff(unit: &mut dyn ReadUnit, read: &mut Everything) -> Result<(), StoreError> {
    let members = unit.members().members()?;
    read.members = members.len();
    for member in &members {
        read_member(unit, member.id)?;
    }
    read.others += unit.teams().teams()?.len();
    read.others += unit.credentials().sessions(None)?.len();
    read.others += unit.credentials().tokens(None)?.len();
    Ok(())
}

fn read_member(unit: &mut dyn ReadUnit, id: MemberId) -> Result<(), StoreError> {
    unit.factors().factor(id)?;
    unit.factors().recovery_codes_left(id)?;
    unit.holdings().holdings(id)?;
    Ok(())
}

fn read_logs(unit: &mut dyn ReadUnit, read: &mut Everything) -> Result<(), StoreError> {
    read.others += unit.audit().unsealed_audit(ALL)?.len();
    read.others += unit.audit().sealed_audit(0, ALL)?.len();
    read.others += unit
        .readings()
        .readings(&ReadingFilter::default(), None, ALL)?
        .len();
    read.others += unit.events().events_after(EventPlace::default(), ALL)?.len();
    read.others += unit.receipts().pending_receipts(ALL)?.len();
    read.others += unit.attachments().waiting_attachments(ALL)?.len();
    Ok(())
}

fn read_rules(unit: &mut dyn ReadUnit, read: &mut Everything) -> Result<(), StoreError> {
    unit.connection().connection()?;
    unit.readings().reading_rule()?;
    unit.retention().last_house_run()?;
    read.others += unit.retention().retention_rules()?.len();
    read.others += unit.retention().holds()?.len();
    read.others += unit.trash().trash(None, ALL)?.len();
    read.others += unit.erasures().erasures(ALL)?.len();
    read.others += unit.erasures().listed_erased()?.len();
    read.others += unit.backups().backups(ALL)?.len();
    read.others += unit.data_keys().data_keys()?.len();
    Ok(())
}
