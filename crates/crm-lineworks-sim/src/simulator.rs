//! The handle by which programs and tests hold the simulator.

use crate::bot::BotSetup;
use crate::callbacks::{Delivery, Event, Signing};
use crate::config::{Member, SimulatorConfig};
use crate::delivery;
use crate::error::SimError;
use crate::faults::{Endpoint, Fault};
use crate::keys::VerifyingKey;
use crate::outbox::SentMessage;
use crate::server::{self, Listening};
use crate::state::Shared;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running simulator. Dropping it ends it; in an `Arc` it can be shared.
pub struct Simulator {
    shared: Arc<Shared>,
    bound: SocketAddr,
    listening: Mutex<Option<Listening>>,
}

impl Simulator {
    /// Starts serving; must be called within a tokio runtime, on which the simulator then runs.
    ///
    /// A blocking client on the only thread of that runtime would wait for itself: tests with one take
    /// `#[tokio::test(flavor = "multi_thread")]` or call the client in `spawn_blocking`.
    ///
    /// Fails when the address cannot be listened on or the key cannot be read.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimError> {
        let key = VerifyingKey::from_pem(&config.key_pem)?;
        let (listener, bound) = server::bind(config.listen).await?;
        let shared = Arc::new(Shared::new(config, key, bound));
        let listening = Listening::start(listener, Arc::clone(&shared));
        Ok(Self {
            shared,
            bound,
            listening: Mutex::new(Some(listening)),
        })
    }

    /// The address on which clients reach it.
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// What `LINE_WORKS_TOKEN_URL` is to be.
    pub fn token_url(&self) -> String {
        format!("{}/oauth2/v2.0/token", self.shared.origin())
    }

    /// What `LINE_WORKS_API_URL` is to be.
    pub fn api_url(&self) -> String {
        format!("{}/v1.0", self.shared.origin())
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &SimulatorConfig {
        &self.shared.config
    }

    /// The settings of a CRM that is to use this simulator, as names and values of its environment. The private
    /// key is among them only when it is the test key: of other keys the simulator needs no private half.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        crate::settings::settings(&self.shared)
    }

    /// Ends it: the listener and all connections are closed when this returns.
    pub async fn stop(&self) {
        self.pause().await;
    }

    /// Closes the listener and all connections: clients are refused until [`resume`](Self::resume).
    pub async fn pause(&self) {
        let listening = self.listening().take();
        if let Some(listening) = listening {
            listening.end().await;
        }
    }

    /// Listens again on the same port, with everything it knew.
    pub async fn resume(&self) -> Result<(), SimError> {
        if self.listening().is_some() {
            return Ok(());
        }
        let (listener, _) = server::bind(self.bound).await?;
        *self.listening() = Some(Listening::start(listener, Arc::clone(&self.shared)));
        Ok(())
    }

    fn listening(&self) -> std::sync::MutexGuard<'_, Option<Listening>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All accepted messages that are still kept (the last 100,000), oldest first.
    pub fn messages(&self) -> Vec<SentMessage> {
        self.shared.lock().outbox.list(|_| true)
    }

    /// The accepted messages to a member, oldest first.
    pub fn messages_to(&self, user_id: &str) -> Vec<SentMessage> {
        self.shared
            .lock()
            .outbox
            .list(|message| message.is_to_user(user_id))
    }

    /// Waits until at least `wanted` messages are there and returns all of them.
    pub async fn wait_for_messages(
        &self,
        wanted: usize,
        wait: Duration,
    ) -> Result<Vec<SentMessage>, SimError> {
        let mut arrivals = self.shared.arrivals();
        let enough = async {
            while self.shared.lock().outbox.len() < wanted {
                if arrivals.changed().await.is_err() {
                    break;
                }
            }
        };
        let in_time = tokio::time::timeout(wait, enough).await.is_ok();
        let messages = self.messages();
        if in_time {
            return Ok(messages);
        }
        Err(SimError::TimedOut {
            wanted,
            seen: messages.len(),
            waited: wait,
        })
    }

    /// Forgets the messages accepted so far; numbers go on.
    pub fn clear_messages(&self) {
        self.shared.lock().outbox.clear();
    }

    /// How many requests came to an endpoint, answered or not; [`Endpoint::All`] is their sum.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        let state = self.shared.lock();
        match endpoint {
            Endpoint::All => state.requests.values().sum(),
            of => state.requests.get(&of).copied().unwrap_or(0),
        }
    }

    /// The next `times` requests of any kind meet `fault`.
    pub fn fail_next(&self, times: usize, fault: Fault) {
        self.fail_next_on(Endpoint::All, times, fault);
    }

    /// The next `times` requests to `endpoint` meet `fault`. Further faults queue up behind it.
    pub fn fail_next_on(&self, endpoint: Endpoint, times: usize, fault: Fault) {
        self.shared.lock().faults.fail_next(endpoint, times, fault);
    }

    /// Every request meets `fault` until [`clear_faults`](Self::clear_faults).
    pub fn always(&self, fault: Fault) {
        self.always_on(Endpoint::All, fault);
    }

    /// Every request to `endpoint` meets `fault`; replaces the standing fault of that endpoint.
    pub fn always_on(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.lock().faults.always(endpoint, fault);
    }

    /// No more faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// All tokens issued so far die, as when an administrator changes the network restrictions.
    pub fn expire_tokens(&self) {
        self.shared.lock().tokens.expire_all();
    }

    /// One more member; replaces the one with the same id.
    pub fn add_member(&self, member: Member) {
        self.shared.lock().add_member(member);
    }

    /// Ticks exactly these scopes on the app. Tokens issued before keep what they were granted.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.shared.lock().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Where callbacks are posted from now on.
    pub fn set_callback_url(&self, url: impl Into<String>) {
        let mut state = self.shared.lock();
        state.bot.callback_url = url.into();
        state.bot.callback_enabled = true;
    }

    /// How the bot is set up now.
    pub fn bot(&self) -> BotSetup {
        self.shared.lock().bot.clone()
    }

    /// Sets the bot up otherwise, as somebody does in the Developer Console.
    pub fn set_bot(&self, setup: BotSetup) {
        self.shared.lock().bot = setup;
    }

    /// Stores a file as if a member had sent it and returns its file id, for an image or file callback.
    pub fn store_file(&self, name: &str, bytes: impl Into<bytes::Bytes>) -> Result<String, SimError> {
        crate::attachments::store(&self.shared, name, bytes.into())
    }

    /// Posts a signed callback and returns the answer. A `leave` makes the room unknown to the bot (sending
    /// there answers 404) until a `join`. A failed callback is not sent again, as documented.
    pub async fn deliver(&self, event: &Event) -> Result<Delivery, SimError> {
        self.deliver_signed(event, Signing::Right).await
    }

    /// Posts a callback signed as told.
    pub async fn deliver_signed(&self, event: &Event, signing: Signing) -> Result<Delivery, SimError> {
        delivery::deliver(&self.shared, event, &signing).await
    }

    /// Posts any bytes as a callback, signed as told.
    pub async fn deliver_bytes(&self, body: Vec<u8>, signing: Signing) -> Result<Delivery, SimError> {
        delivery::post(&self.shared, body, &signing).await
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("addr", &self.shared.addr)
            .finish_non_exhaustive()
    }
}
