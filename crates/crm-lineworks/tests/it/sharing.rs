//! One token for several instances: each has a client of its own, and all have one shelf.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::memory::MemoryStore;
use crm_domain::ports::host::Clock as _;
use crm_domain::ports::messenger::{Messenger as _, SendError, SendProblem};
use crm_domain::ports::store::{Store, StoreError, StoreExt as _};
use crm_domain::ports::tokens::{ShelfAway, TokenShelf, TokenTurn};
use crm_domain::use_cases::StoredTokens;
use crm_lineworks::{LineWorks, LineWorksConfig};
use crm_lineworks_sim::{Endpoint, Fault, SimClock, Simulator, SimulatorConfig};
use crm_testkit::fakes::{FakeVault, SeededSecrets};

use crate::setup::{TestClock, USER, clock, config, soon, text_to};

/// A simulator and the clients that reach it.
struct Instances {
    sim: Simulator,
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

impl Instances {
    async fn start() -> Self {
        let clock = clock();
        let theirs = Arc::clone(&clock);
        let tenant = SimulatorConfig {
            clock: SimClock::new(move || theirs.now().utc().assume_utc()),
            ..SimulatorConfig::default()
        };
        Self {
            sim: Simulator::start(tenant).await.unwrap(),
            store: Arc::default(),
            clock,
        }
    }

    fn shelf(&self, seed: u64) -> Arc<StoredTokens> {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let secrets = SeededSecrets::new(seed);
        Arc::new(StoredTokens::new(store, Arc::new(FakeVault), &secrets))
    }

    fn client(&self, seed: u64) -> Arc<LineWorks> {
        self.client_with(seed, |_| {})
    }

    fn client_with(&self, seed: u64, change: impl FnOnce(&mut LineWorksConfig)) -> Arc<LineWorks> {
        let mut config = config(self.sim.token_url(), self.sim.api_url());
        change(&mut config);
        let clock = Arc::clone(&self.clock) as _;
        Arc::new(LineWorks::sharing_tokens(config, clock, self.shelf(seed)).unwrap())
    }

    fn asked(&self) -> u64 {
        self.sim.requests(Endpoint::Token)
    }

    /// Whoever holds the turn is dead: nobody gives it back.
    async fn take_turn(&self, lasts: time::Duration) {
        let of = self.fingerprint().await;
        let taken = self.store.write(move |uow| {
            let name = format!("access token of {of}");
            uow.edit_leases().take_lease(&name, "dead", lasts)
        });
        let taken: Result<bool, StoreError> = taken.await;
        assert!(taken.unwrap());
    }

    /// Of the connection of all clients; a token of it is asked for, and refused.
    async fn fingerprint(&self) -> String {
        let listener = Arc::new(Listening::default());
        let mut all = config(self.sim.token_url(), self.sim.api_url());
        "bot".clone_into(&mut all.scope);
        let client = LineWorks::sharing_tokens(all, Arc::clone(&self.clock) as _, Arc::clone(&listener) as _);
        drop(client.unwrap().prepare().await);
        let heard = listener.0.lock().unwrap().clone();
        heard.unwrap()
    }
}

/// A shelf that is away, and notes for which connection it was asked.
#[derive(Default)]
struct Listening(std::sync::Mutex<Option<String>>);

#[async_trait::async_trait]
impl TokenShelf for Listening {
    async fn newest(&self, _: &str) -> Result<i64, ShelfAway> {
        Err(ShelfAway("test"))
    }

    async fn turn(&self, connection: &str, _: i64) -> Result<TokenTurn, ShelfAway> {
        *self.0.lock().unwrap() = Some(connection.to_owned());
        Err(ShelfAway("test"))
    }

    async fn keep(&self, _: &str, _: &crm_domain::ports::tokens::IssuedToken) -> Result<i64, ShelfAway> {
        Err(ShelfAway("test"))
    }

    async fn give_up(&self, _: &str) -> Result<(), ShelfAway> {
        Err(ShelfAway("test"))
    }

    async fn refuse(&self, _: &str, _: i64) -> Result<(), ShelfAway> {
        Err(ShelfAway("test"))
    }
}

async fn send(client: &Arc<LineWorks>) -> Result<(), SendError> {
    let message = text_to(client, USER, "はい");
    client.send_text(&message, soon(client)).await.outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_ask_for_one_token() {
    let all = Instances::start().await;
    all.sim
        .fail_next_on(Endpoint::Token, 1, Fault::Slow(Duration::from_millis(300)));
    let clients = [all.client(1), all.client(2), all.client(3)];
    let sent = tokio::join!(send(&clients[0]), send(&clients[1]), send(&clients[2]));
    assert_eq!(sent, (Ok(()), Ok(()), Ok(())));
    assert_eq!((all.asked(), all.sim.messages().len()), (1, 3));
    let after_a_restart = all.client(4);
    assert_eq!(send(&after_a_restart).await, Ok(()));
    assert_eq!(all.asked(), 1);
    let seen = after_a_restart.standing().0.unwrap();
    assert_eq!(seen.scope, "bot");
}

/// One that hears of it late takes the newer one instead of asking again.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_takes_away_only_the_token_that_was_used() {
    let all = Instances::start().await;
    let (first, second) = (all.client(1), all.client(2));
    assert_eq!((send(&first).await, send(&second).await), (Ok(()), Ok(())));
    all.sim.expire_tokens();
    let unauthorised = Err(SendError::NotSent {
        problem: SendProblem::Unauthorized,
        wait: None,
    });
    assert_eq!(send(&first).await, unauthorised);
    assert_eq!(send(&first).await, Ok(()));
    assert_eq!(all.asked(), 2);
    assert_eq!(send(&second).await, unauthorised);
    assert_eq!(send(&second).await, Ok(()));
    assert_eq!(send(&first).await, Ok(()));
    assert_eq!(all.asked(), 2);
}

/// As when the encryption key of the servers was changed: they go on sharing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_open_is_replaced_for_all() {
    let all = Instances::start().await;
    let of = all.fingerprint().await;
    let kept = all.store.write(move |uow| {
        let hour = time::Duration::hours(1);
        let foreign = b"sealed by another key";
        uow.edit_access_tokens()
            .keep_access_token(&of, foreign, "bot", hour, Some(hour))
    });
    let kept: Result<i64, StoreError> = kept.await;
    kept.unwrap();
    let before = all.asked();
    let clients = [all.client(1), all.client(2), all.client(3)];
    for client in &clients {
        assert_eq!(send(client).await, Ok(()));
    }
    assert_eq!(all.asked(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_died_while_asking_is_followed_when_its_lease_is_over() {
    let all = Instances::start().await;
    all.take_turn(time::Duration::milliseconds(400)).await;
    let before = all.asked();
    let began = std::time::Instant::now();
    assert_eq!(send(&all.client(1)).await, Ok(()));
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(all.asked(), before + 1);
}

/// Waiting has an end, and nothing left.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_another_instance_longer_than_a_message_may_take() {
    let all = Instances::start().await;
    all.take_turn(time::Duration::minutes(1)).await;
    let hurried = all.client_with(1, |config| {
        config.timeouts.total = Duration::from_millis(500);
    });
    assert_eq!(
        send(&hurried).await,
        Err(SendError::NotSent {
            problem: SendProblem::TokenUnavailable,
            wait: None
        })
    );
    assert_eq!(all.sim.messages().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_each_asks_for_itself() {
    let all = Instances::start().await;
    let config = || config(all.sim.token_url(), all.sim.api_url());
    let away = || Arc::new(Listening::default()) as Arc<dyn TokenShelf>;
    for _ in 0..2 {
        let client = LineWorks::sharing_tokens(config(), Arc::clone(&all.clock) as _, away());
        let client = Arc::new(client.unwrap());
        assert_eq!((send(&client).await, send(&client).await), (Ok(()), Ok(())));
    }
    assert_eq!(all.asked(), 2);
}

/// 「アクセストークンを取り直す」: the others follow within seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_is_a_new_one_for_all() {
    let all = Instances::start().await;
    let (first, second) = (all.client(1), all.client(2));
    assert_eq!((send(&first).await, send(&second).await), (Ok(()), Ok(())));
    first.renew_token().await.unwrap();
    assert_eq!(all.asked(), 2);
    assert_eq!(send(&all.client(3)).await, Ok(()));
    second.renew_token().await.unwrap();
    assert_eq!((all.asked(), send(&first).await), (3, Ok(())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_set_up_otherwise_has_another_token() {
    let all = Instances::start().await;
    assert_eq!(send(&all.client(1)).await, Ok(()));
    let other = all.client_with(2, |config| config.scope = "bot bot.message".to_owned());
    let _granted_or_not = send(&other).await;
    assert_eq!(all.asked(), 2);
    let wrong = all.client_with(3, |config| config.client_secret = "wrong".to_owned());
    assert!(
        send(&wrong).await.is_err(),
        "it finds no token of the right secret"
    );
    let again = all.client(4);
    assert_eq!((send(&again).await, all.asked()), (Ok(()), 3));
}

/// One who was refused gives the turn back: the next is not kept waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_had_keeps_nobody_waiting() {
    let all = Instances::start().await;
    all.sim.fail_next_on(Endpoint::Token, 1, Fault::status(503));
    assert!(send(&all.client(1)).await.is_err());
    let began = std::time::Instant::now();
    assert_eq!(send(&all.client(2)).await, Ok(()));
    assert!(began.elapsed() < Duration::from_secs(20));
}
