//! Everything that the simulated service knows, shared by its requests and by the [`Simulator`](crate::Simulator).

use crate::attachments::Attachments;
use crate::bot::BotSetup;
use crate::config::{Member, SimulatorConfig};
use crate::delivery::Deliverer;
use crate::error::SimError;
use crate::faults::{Endpoint, FaultPlan};
use crate::keys::VerifyingKey;
use crate::outbox::{Outbox, Recipient};
use crate::rate::Windows;
use crate::tokens::Tokens;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) config: SimulatorConfig,
    pub(crate) key: VerifyingKey,
    /// The address as clients reach it: the port is known, an unspecified host became loopback.
    pub(crate) addr: SocketAddr,
    pub(crate) deliverer: Deliverer,
    random: SystemRandom,
    state: Mutex<State>,
    arrivals: watch::Sender<()>,
}

pub(crate) struct State {
    pub(crate) members: Vec<Member>,
    /// The scopes ticked on the app.
    pub(crate) scopes: Vec<String>,
    /// How the bot is set up.
    pub(crate) bot: BotSetup,
    pub(crate) faults: FaultPlan,
    pub(crate) outbox: Outbox,
    pub(crate) tokens: Tokens,
    pub(crate) windows: Windows,
    pub(crate) attachments: Attachments,
    pub(crate) requests: HashMap<Endpoint, u64>,
    /// Rooms that the bot left.
    pub(crate) lost_channels: HashSet<String>,
    last_issued: OffsetDateTime,
}

impl Shared {
    pub(crate) fn new(config: SimulatorConfig, key: VerifyingKey, bound: SocketAddr) -> Self {
        let state = State {
            members: config.members.clone(),
            scopes: config.scopes.clone(),
            bot: BotSetup::of(&config),
            faults: FaultPlan::default(),
            outbox: Outbox::default(),
            tokens: Tokens::default(),
            windows: Windows::default(),
            attachments: Attachments::default(),
            requests: HashMap::new(),
            lost_channels: HashSet::new(),
            last_issued: OffsetDateTime::UNIX_EPOCH,
        };
        Self {
            config,
            key,
            addr: reachable(bound),
            deliverer: Deliverer::new(),
            random: SystemRandom::new(),
            state: Mutex::new(state),
            arrivals: watch::Sender::new(()),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.config.clock.now()
    }

    /// `http://host:port`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Random bytes as URL-safe text of 4/3 their length.
    pub(crate) fn random_text(&self, bytes: usize) -> Result<String, SimError> {
        use base64::Engine as _;
        let mut buffer = vec![0_u8; bytes];
        self.random
            .fill(&mut buffer)
            .map_err(|_| SimError::Internal("the system gave no randomness"))?;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(buffer))
    }

    /// Keeps an accepted message and wakes who waits for it.
    pub(crate) fn accept_message(&self, at: OffsetDateTime, to: Recipient, content: Value) {
        self.lock().outbox.add(at, to, content);
        self.arrivals.send_replace(());
    }

    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    /// The time for the next callback: now, and never twice the same millisecond, since equal events could not
    /// be told apart by who receives them.
    pub(crate) fn next_issue(&self) -> OffsetDateTime {
        let now = self.now();
        let mut state = self.lock();
        let earliest = state.last_issued.saturating_add(Duration::milliseconds(1));
        state.last_issued = now.max(earliest);
        state.last_issued
    }
}

impl State {
    /// One more member; replaces the one with the same id.
    pub(crate) fn add_member(&mut self, member: Member) {
        self.members.retain(|known| known.user_id != member.user_id);
        self.members.push(member);
    }
}

fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}
