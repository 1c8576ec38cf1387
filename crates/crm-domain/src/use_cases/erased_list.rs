//! The list of the erased: in the store for all its servers, and outside it for restores.

use super::Crm;
use super::erasing::not_listed;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::erased::Erased;
use crate::ports::store::StoreExt as _;

impl Crm {
    /// Brings the list of the erased in the store and the one outside it together: each server of a store keeps the whole list
    /// outside, whichever erased somebody. Says how many were missing outside.
    pub async fn keep_erased_list(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let outside = self.ports.erased.all().await.map_err(not_listed)?;
        let inside = self.ports.store.read(|unit| unit.erasures().listed_erased());
        let inside: Vec<Erased> = inside.await.map_err(Error::Store)?;
        let missing: Vec<Erased> = inside
            .iter()
            .filter(|one| !outside.contains(one))
            .cloned()
            .collect();
        if !missing.is_empty() {
            self.ports.erased.add(&missing).await.map_err(not_listed)?;
        }
        let unknown: Vec<Erased> = outside.into_iter().filter(|one| !inside.contains(one)).collect();
        if !unknown.is_empty() {
            self.change_again(move |uow| Ok(uow.edit_erasures().list_erased(&unknown)?))
                .await?;
        }
        Ok(missing.len())
    }
}
