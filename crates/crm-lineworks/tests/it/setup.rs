//! A simulator and the client that reaches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Moment};

use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use crm_domain::ports::messenger::{Answered, Messenger as _, OutgoingText, SendError};
use crm_domain::values::LineUserId;
use crm_lineworks::{LineWorks, LineWorksConfig, Timeouts};
use crm_lineworks_sim::{Event, SimClock, Simulator, SimulatorConfig, test_private_key_pem};
use time::macros::datetime;

pub(crate) const USER: &str = "00000000-0000-4000-8000-000000000001";

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// A clock that a test moves, in milliseconds since 1970.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

/// One clock for the client and the simulator.
pub(crate) fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(AtomicI64::new(
        at("2025-07-08T02:45:46Z").unix_millis(),
    )))
}

/// By when a text must have been answered that is sent now.
pub(crate) fn soon(client: &LineWorks) -> Moment {
    Moment::now() + client.patience()
}

/// Time-outs that no right answer on this machine meets, even under load.
pub(crate) const PATIENT: Timeouts = Timeouts {
    total: Duration::from_secs(20),
    connect: Duration::from_secs(5),
    send: Duration::from_secs(5),
    receive: Duration::from_secs(20),
};

/// The settings that reach a service at this address, for the simulator's default tenant.
pub(crate) fn config(token_url: String, api_url: String) -> LineWorksConfig {
    let tenant = SimulatorConfig::default();
    LineWorksConfig {
        bot_id: tenant.bot_id,
        bot_secrets: vec![tenant.bot_secret],
        client_id: tenant.client_id,
        client_secret: tenant.client_secret,
        service_account: tenant.service_account,
        private_key: test_private_key_pem(),
        token_url,
        api_url,
        timeouts: PATIENT,
        ..LineWorksConfig::default()
    }
}

/// A client that only reads callbacks.
pub(crate) fn reader(change: impl FnOnce(&mut LineWorksConfig)) -> LineWorks {
    let address = "http://127.0.0.1:9";
    let mut config = config(format!("{address}/token"), format!("{address}/v1.0"));
    change(&mut config);
    LineWorks::new(config, clock()).unwrap()
}

/// The body of an event of the simulator's domain.
pub(crate) fn body(event: &Event) -> Vec<u8> {
    event.body(40_000_001, datetime!(2025-07-08 02:45:46.446 UTC))
}

pub(crate) struct Setup {
    pub(crate) sim: Simulator,
    pub(crate) client: Arc<LineWorks>,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) async fn setup() -> Setup {
    setup_with(SimulatorConfig::default(), |_| {}).await
}

pub(crate) async fn setup_with(tenant: SimulatorConfig, change: impl FnOnce(&mut LineWorksConfig)) -> Setup {
    let clock = clock();
    let ours = Arc::clone(&clock);
    let sim_clock = SimClock::new(move || ours.now().utc().assume_utc());
    let sim = Simulator::start(SimulatorConfig {
        clock: sim_clock,
        ..tenant
    })
    .await
    .unwrap();
    let mut config = config(sim.token_url(), sim.api_url());
    change(&mut config);
    let client = Arc::new(LineWorks::new(config, Arc::clone(&clock) as _).unwrap());
    Setup { sim, client, clock }
}

pub(crate) fn text_to(client: &LineWorks, user: &str, text: &str) -> OutgoingText {
    OutgoingText {
        bot: client.bot(),
        to: LineUserId::new(user).unwrap().unwrap(),
        text: text.to_owned(),
    }
}

impl Setup {
    pub(crate) async fn send(&self) -> Result<(), SendError> {
        self.answered().await.outcome
    }

    pub(crate) async fn answered(&self) -> Answered {
        self.client
            .send_text(
                &text_to(&self.client, USER, "見積もりをお送りします"),
                soon(&self.client),
            )
            .await
    }
}
