//! Customers and companies as programs write them: fields one by one, on a condition, once under a key. Nobody looks at the
//! screen when a program adds somebody twice, so an equal e-mail address, telephone number or user id is refused.

use std::sync::Arc;

use super::Crm;
use super::repeating::{Once, Repeat, once};
use super::sight::Reader;
use super::{companies, customers};
use crate::amendments::{CompanyChange, CustomerChange};
use crate::audit::{self, Act, Change, Deed, Did};
use crate::companies::{Company, CompanyDetails, CompanyId};
use crate::customers::{CustomerDetails, CustomerId, CustomerLine};
use crate::error::Error;
use crate::idempotency::Named;
use crate::permissions::{Action, Actor};
use crate::ports::store::UnitOfWork;
use crate::values::{FieldError, LineUserId, Problem};

/// A condition on what is stored: what the writer has seen.
pub type Expected<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

impl Crm {
    /// Adds a customer, once for a key. Somebody whom the actor sees with the same e-mail address, telephone number or user
    /// id is [`Error::Alike`], unless the actor wants it `anyway`; equal names are none. Otherwise as
    /// [`Crm::register_customer`].
    pub async fn enter_customer(
        &self,
        actor: &Actor,
        new: CustomerChange,
        anyway: bool,
        repeat: Option<Repeat<CustomerLine>>,
    ) -> Result<Once<CustomerLine>, Error> {
        self.may(actor, Action::EditRecords)?;
        if let Some(answer) = self.answered_before(repeat.as_ref()).await? {
            return Ok(Once::Replayed(answer));
        }
        let details = self
            .with_user_id(new.made().map_err(Error::Invalid)?, None)
            .await?;
        let reader = Reader::of(actor);
        let entered = self.act(actor, Action::EditRecords, move |uow, at| {
            once(repeat.as_ref(), uow, at, |uow| {
                let id = customers::add(uow, reader, &details, at).map_err(alike)?;
                let changes = audit::added(&details);
                if !anyway {
                    differs(uow, reader, id, &changes)?;
                }
                let line = customers::found(uow, id, reader)?;
                let named = Named {
                    customer: Some(id),
                    conversation: None,
                };
                Ok((Deed::on(Act::CustomerAdded, id).with(changes).gives(line), named))
            })
        });
        let entered = entered.await?;
        self.claim_soon().await;
        Ok(entered)
    }

    /// Changes what is given of a customer, if it is as expected ([`Error::NotAsExpected`]). What becomes equal to somebody
    /// else's is refused as in [`Crm::enter_customer`].
    pub async fn amend_customer(
        &self,
        actor: &Actor,
        id: CustomerId,
        mut change: CustomerChange,
        anyway: bool,
        expected: Option<Expected<CustomerLine>>,
    ) -> Result<CustomerLine, Error> {
        self.may(actor, Action::EditRecords)?;
        if change.line_user_id.is_some() {
            let seen = self.show_customer(actor, id).await?.customer.details;
            let details = change.applied(&seen).map_err(Error::Invalid)?;
            let details = self.with_user_id(details, seen.line_user_id.as_ref()).await?;
            let user = details.line_user_id.as_ref().map(LineUserId::as_str);
            change.line_user_id = Some(user.unwrap_or_default().to_owned());
        }
        let reader = Reader::of(actor);
        let amended = self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = customers::found(uow, id, reader)?;
            is_expected(expected.as_ref(), &stored)?;
            let before = &stored.customer.details;
            let details: CustomerDetails = change.applied(before).map_err(Error::Invalid)?;
            if details == *before {
                return Ok(Did::nothing(stored));
            }
            let version = stored.customer.version;
            let changes =
                customers::revise(uow, reader, &stored.customer, version, &details, at).map_err(alike)?;
            if !anyway {
                differs(uow, reader, id, &changes)?;
            }
            let line = customers::found(uow, id, reader)?;
            Ok(Deed::on(Act::CustomerChanged, id).with(changes).gives(line))
        });
        let amended = amended.await?;
        self.claim_soon().await;
        Ok(amended)
    }

    /// Adds a company, once for a key.
    pub async fn enter_company(
        &self,
        actor: &Actor,
        new: CompanyChange,
        repeat: Option<Repeat<Company>>,
    ) -> Result<Once<Company>, Error> {
        self.may(actor, Action::EditRecords)?;
        if let Some(answer) = self.answered_before(repeat.as_ref()).await? {
            return Ok(Once::Replayed(answer));
        }
        let details = new.made().map_err(Error::Invalid)?;
        self.act(actor, Action::EditRecords, move |uow, at| {
            once(repeat.as_ref(), uow, at, |uow| {
                let id = companies::add(uow, &details, at)?;
                let company = companies::found(uow, id)?;
                let deed = Deed::on(Act::CompanyAdded, id).with(audit::added(&details));
                Ok((deed.gives(company), Named::default()))
            })
        })
        .await
    }

    /// Changes what is given of a company, if it is as expected ([`Error::NotAsExpected`]).
    pub async fn amend_company(
        &self,
        actor: &Actor,
        id: CompanyId,
        change: CompanyChange,
        expected: Option<Expected<Company>>,
    ) -> Result<Company, Error> {
        self.act(actor, Action::EditRecords, move |uow, at| {
            let stored = companies::found(uow, id)?;
            is_expected(expected.as_ref(), &stored)?;
            let details: CompanyDetails = change.applied(&stored.details).map_err(Error::Invalid)?;
            if details == stored.details {
                return Ok(Did::nothing(stored));
            }
            let changes = companies::revise(uow, &stored, stored.version, &details, at)?;
            let company = companies::found(uow, id)?;
            Ok(Deed::on(Act::CompanyChanged, id).with(changes).gives(company))
        })
        .await
    }
}

/// Whether it is as the writer has seen it.
pub(super) fn is_expected<T>(expected: Option<&Expected<T>>, stored: &T) -> Result<(), Error> {
    match expected {
        Some(expected) if !expected(stored) => Err(Error::NotAsExpected),
        _ => Ok(()),
    }
}

/// None of the fields that are new holds what somebody has whom the actor sees.
fn differs(
    uow: &mut dyn UnitOfWork,
    reader: Reader,
    id: CustomerId,
    changes: &[Change],
) -> Result<(), Error> {
    let is_new = |field: &str| changes.iter().any(|change| change.field == field);
    let visible = reader.visible(uow)?;
    let mut fields: Vec<&'static str> = uow
        .trash()
        .collisions(id)?
        .into_iter()
        .filter(|other| is_new(other.field) && visible.shows(other.owner_id, other.team_id))
        .map(|other| other.field)
        .collect();
    fields.dedup();
    if fields.is_empty() {
        return Ok(());
    }
    let taken = |field| FieldError::new(field, Problem::Taken);
    Err(Error::Alike(fields.into_iter().map(taken).collect()))
}

/// That somebody has it whom the actor does not see is told in the same words.
fn alike(error: Error) -> Error {
    match error {
        Error::Invalid(fields) if fields.iter().all(|field| field.problem == Problem::Taken) => {
            Error::Alike(fields)
        }
        error => error,
    }
}
