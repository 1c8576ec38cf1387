//! The one place where the connection in use stands: it can be exchanged while the program runs, and all ports follow.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant as Moment;

use async_trait::async_trait;
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::Blobs;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks, InboundEvent, InterpretError, SampleCallback,
    VerifiedCallback,
};
use crm_domain::ports::files::{FetchError, FetchProblem, FetchedFile, FileSource};
use crm_domain::ports::messenger::{Messenger, Messengers};
use crm_domain::ports::profiles::{Profile, ProfileError, ProfilePage, ProfileSource};
use crm_domain::values::LineUserId;

use crate::client::LineWorks;
use crate::download::PATIENCE;
use crate::interpret::interpret;

/// LINE WORKS as it is set up now, behind the ports [`Messengers`], [`Callbacks`], [`FileSource`] and [`ProfileSource`].
/// What began with the connection before ends with it.
#[derive(Default)]
pub struct Switchboard(RwLock<Option<Arc<LineWorks>>>);

impl Switchboard {
    /// With this connection, or none.
    pub fn new(line_works: Option<Arc<LineWorks>>) -> Self {
        Self(RwLock::new(line_works))
    }

    /// Whoever asks from now on gets this connection, or none.
    pub fn switch(&self, line_works: Option<Arc<LineWorks>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = line_works;
    }

    /// The connection in use.
    pub fn present(&self) -> Option<Arc<LineWorks>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Messengers for Switchboard {
    fn line_works(&self) -> Option<Arc<dyn Messenger>> {
        self.present().map(|line_works| line_works as Arc<dyn Messenger>)
    }
}

/// Without LINE WORKS no callback counts, while those kept earlier are still understood.
impl Callbacks for Switchboard {
    fn verify(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused> {
        let present = self.present().ok_or(CallbackRefused::NotConfigured)?;
        present.verify(headers, body)
    }

    fn may_be_ours(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> bool {
        self.present()
            .is_some_and(|line_works| line_works.may_be_ours(headers, body))
    }

    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError> {
        match self.present() {
            Some(line_works) => line_works.interpret(body),
            None => interpret(None, body),
        }
    }

    fn sample(&self, at: Instant) -> Option<SampleCallback> {
        self.present()?.sample(at)
    }
}

#[async_trait]
impl FileSource for Switchboard {
    fn is_set_up(&self) -> bool {
        self.present().is_some()
    }

    async fn fetch(&self, bot: &str, file_id: &str, into: Arc<dyn Blobs>) -> Result<FetchedFile, FetchError> {
        let line_works = self.present().ok_or(FetchProblem::NotConfigured)?;
        let service = line_works.service();
        let (bot, file_id) = (bot.to_owned(), file_id.to_owned());
        let fetching = tokio::task::spawn_blocking(move || {
            let deadline = Moment::now() + PATIENCE;
            service.fetch(&bot, &file_id, &*into, deadline)
        });
        fetching
            .await
            .unwrap_or_else(|_| Err(FetchProblem::Unavailable.into()))
    }
}

#[async_trait]
impl ProfileSource for Switchboard {
    async fn look_up(&self, id: &LineUserId) -> Result<Profile, ProfileError> {
        match self.present() {
            Some(line_works) => line_works.look_up(id).await,
            None => Err(ProfileError::NotConfigured),
        }
    }

    async fn list(&self, cursor: Option<String>) -> Result<ProfilePage, ProfileError> {
        match self.present() {
            Some(line_works) => line_works.list(cursor).await,
            None => Err(ProfileError::NotConfigured),
        }
    }
}
