//! Received files: those that are not there and are not tried again by themselves.

use crm_compose::Composition;
use crm_domain::ports::store::{StoreError, StoreExt as _};

use super::{Round, State};

pub(super) async fn check(round: &mut Round<'_>, parts: &Composition) {
    let counted = parts.store.read(|unit| unit.attachments().missing_attachments());
    let counted: Result<_, StoreError> = counted.await;
    match counted {
        Ok(0) => round.ok("files", ""),
        Ok(count) => round.bad("files", State::Warning, count.to_string(), "files"),
        Err(error) => round.bad("files", State::Failed, error.to_string(), "database"),
    }
}
