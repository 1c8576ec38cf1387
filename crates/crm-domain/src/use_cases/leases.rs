//! Leases: which instance does a job that only one may do.

use time::Duration;

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::store::StoreExt as _;

impl Crm {
    /// Takes or renews the lease of a job for `owner`, for so long by the database's clock; `false` if another has it.
    pub async fn take_job(
        &self,
        actor: &Actor,
        job: &'static str,
        owner: &str,
        lasts: Duration,
    ) -> Result<bool, Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let (owner, asks) = (owner.to_owned(), owner.to_owned());
        let free = self.ports.store.read(move |unit| {
            let Some(lease) = unit.leases().lease(job)? else {
                return Ok::<_, Error>(true);
            };
            Ok(lease.owner == asks || lease.until <= unit.leases().database_now()?)
        });
        // Those who only look write nothing.
        if !free.await? {
            return Ok(false);
        }
        self.change_again(move |uow| Ok(uow.edit_leases().take_lease(job, &owner, lasts)?))
            .await
    }

    /// Leaves a job to others at once, if `owner` has it.
    pub async fn leave_job(&self, actor: &Actor, job: &'static str, owner: &str) -> Result<(), Error> {
        self.may(actor, Action::RecordCallbacks)?;
        let owner = owner.to_owned();
        self.change_again(move |uow| Ok(uow.edit_leases().give_back_lease(job, &owner)?))
            .await
    }
}
