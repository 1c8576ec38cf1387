//! What holds for all instances together: each tells the others now and then what it counted.

use time::Duration;

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};
use crate::shared_counts::SharedCount;

/// What an instance told counts for so long: it tells again every second while there is something to tell.
const COUNTS: Duration = Duration::seconds(5);
/// What instances told that are long gone.
const FORGOTTEN_AFTER: Duration = Duration::hours(1);

impl Crm {
    /// Tells the other instances what this one counted, and what is wrong at its callbacks' door; answers what they told.
    /// Writes only if there is something to tell, now or the last time.
    pub async fn share_counts(
        &self,
        actor: &Actor,
        instance: &str,
        mut counts: Vec<SharedCount>,
    ) -> Result<Vec<SharedCount>, Error> {
        self.may(actor, Action::KeepHouse)?;
        counts.extend(self.door.news());
        if !counts.is_empty() {
            let own = instance.to_owned();
            self.change_again(move |uow| Ok(uow.edit_shared_counts().tell_counts(&own, &counts)?))
                .await?;
            self.door.told();
        }
        let own = instance.to_owned();
        let ask =
            move |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.shared_counts().others_counts(&own, COUNTS)?);
        let told = self.ports.store.read(ask).await?;
        self.door.heard(&told);
        Ok(told)
    }

    /// Forgets what instances told that are gone; says how many.
    pub async fn forget_counts(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        self.change_again(|uow| Ok(uow.edit_shared_counts().forget_counts(FORGOTTEN_AFTER)?))
            .await
    }
}
