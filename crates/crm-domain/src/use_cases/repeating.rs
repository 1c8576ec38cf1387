//! Requests that may come again under a key: the effect happens once, and the answer is that of the first time. Effect and
//! answer are one unit of work, so that whoever is in doubt about one only has to ask again.

use std::sync::Arc;

use super::Crm;
use crate::audit::Did;
use crate::error::Error;
use crate::idempotency::{ANSWER_LIFE, Answer, Asked, Named};
use crate::instant::Instant;
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};

/// A request that may come again, and how its outcome is answered.
pub struct Repeat<T> {
    /// What was asked, and under which key.
    pub asked: Asked,
    /// The answer, made inside the unit of work.
    pub present: Arc<dyn Fn(&T) -> Answer + Send + Sync>,
}

impl<T> Clone for Repeat<T> {
    fn clone(&self) -> Self {
        Self {
            asked: self.asked.clone(),
            present: Arc::clone(&self.present),
        }
    }
}

/// What became of a request that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<T> {
    /// It was done now.
    Done(T),
    /// It was done before, and this was answered.
    Replayed(Answer),
}

impl Crm {
    /// What was answered to this before; what needs more than the store need not be done again then.
    pub(super) async fn answered_before<T>(
        &self,
        repeat: Option<&Repeat<T>>,
    ) -> Result<Option<Answer>, Error> {
        let Some(asked) = repeat.map(|repeat| repeat.asked.clone()) else {
            return Ok(None);
        };
        let at = self.now();
        let read = move |unit: &mut dyn ReadUnit| kept(unit, &asked, at);
        self.ports.store.read(read).await
    }
}

/// Does the work and keeps its answer, unless it was answered before. A key that came with another body is
/// [`Error::KeyUsed`].
pub(super) fn once<T>(
    repeat: Option<&Repeat<T>>,
    uow: &mut dyn UnitOfWork,
    at: Instant,
    work: impl FnOnce(&mut dyn UnitOfWork) -> Result<(Did<T>, Named), Error>,
) -> Result<Did<Once<T>>, Error> {
    let before = repeat.map(|repeat| kept(uow, &repeat.asked, at)).transpose()?;
    if let Some(answer) = before.flatten() {
        return Ok(Did::nothing(Once::Replayed(answer)));
    }
    let (did, named) = work(uow)?;
    if let Some(repeat) = repeat {
        let answer = (repeat.present)(&did.result);
        uow.edit_idempotency()
            .keep_answer(&repeat.asked, &answer, named, at.minus(ANSWER_LIFE), at)?;
    }
    Ok(Did::all(did.entries, Once::Done(did.result)))
}

fn kept<U: ReadUnit + ?Sized>(unit: &mut U, asked: &Asked, at: Instant) -> Result<Option<Answer>, Error> {
    match unit.idempotency().kept_answer(asked, at.minus(ANSWER_LIFE))? {
        Some(kept) if kept.asked == asked.body => Ok(Some(kept.answer)),
        Some(_) => Err(Error::KeyUsed),
        None => Ok(None),
    }
}
