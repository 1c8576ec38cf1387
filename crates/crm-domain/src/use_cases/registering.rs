//! Registering senders by themselves: who writes and is nobody becomes a customer, to be looked at by a person.

use super::Crm;
use super::board::UnknownSender;
use super::carriers::review_carriers;
use crate::audit::{self, Act, Deed, Did};
use crate::customers::CustomerDetails;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::permissions::{Action, Actor};
use crate::senders::Sender;
use crate::values::{EmailAddress, LineUserId, PersonName, PersonReading, Remarks};

/// How many senders are looked at in one round.
const ROUND: usize = 100;

impl Crm {
    /// Makes customers, marked 要確認, of the senders of whom the directory has told the name or will not tell it;
    /// `nameless` stands before the shortened user id of the latter. A sender becomes one customer in its life, however many
    /// do this at once. Says how many were made.
    pub async fn register_unknown_senders(&self, actor: &Actor, nameless: &str) -> Result<usize, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let (mut made, mut before) = (0, None);
        loop {
            let unknown = self.strangers(before, ROUND).await?;
            before = unknown.last().and_then(|sender| {
                let talk = &sender.line.conversation;
                Some((talk.standing.last.as_ref()?.at, talk.id))
            });
            for stranger in unknown {
                made += usize::from(self.register_one(actor, stranger, nameless).await?);
            }
            if before.is_none() {
                break;
            }
        }
        if made > 0 {
            self.claim_due().await?;
        }
        Ok(made)
    }

    async fn register_one(
        &self,
        actor: &Actor,
        stranger: UnknownSender,
        nameless: &str,
    ) -> Result<bool, Error> {
        let talk = stranger.line.conversation;
        let asked = |sender: &Sender| sender.problem.is_some() || sender.fetched_at.is_some();
        let Some(sender) = stranger
            .sender
            .filter(asked)
            .filter(|_| talk.standing.received > 0)
        else {
            return Ok(false);
        };
        let Some(details) = details(&sender, nameless) else {
            return Ok(false);
        };
        self.act_again(self.trace(actor), move |uow, at| {
            let address = sender.address.clone();
            let made = uow.edit_customers().register_sender(&address, &details, at)?;
            let Some(id) = made else {
                return Ok(Did::nothing(false));
            };
            review_carriers(uow, &[address], at)?;
            let event = NewEvent::new(EventKind::Customer, at).customer(id);
            uow.edit_events().add_events(&[event])?;
            Ok(Deed::on(Act::CustomerAdded, id)
                .with(audit::added(&details))
                .gives(true))
        })
        .await
    }
}

/// What the directory told, as far as it can stand in a customer's record.
fn details(sender: &Sender, nameless: &str) -> Option<CustomerDetails> {
    let name = &sender.name;
    let substitute = format!("{nameless} {}", LineUserId::short(&sender.address));
    let named = PersonName::new(&name.last, &name.first);
    Some(CustomerDetails {
        name: named.or_else(|_| PersonName::new(&substitute, "")).ok()?,
        reading: PersonReading::new(&name.last_kana, &name.first_kana).unwrap_or_default(),
        email: EmailAddress::new(&sender.email).ok().flatten(),
        phone: None,
        line_user_id: Some(sender.address.clone()),
        company_id: None,
        remarks: Remarks::default(),
    })
}
