//! Callbacks: what is kept, what is refused, and the administrator's trial.

use crm_domain::ports::backup_shelf::NoShelf;
use crm_domain::ports::blobs::NoBlobs;
use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused};
use crm_domain::ports::connector::NoConnector;
use crm_domain::ports::erased::NoErasedList;
use crm_domain::ports::files::NoFiles;
use crm_domain::ports::host::NoCaller;
use crm_domain::ports::quarantine::NoQuarantine;
use crm_domain::ports::seals::NoSeals;
use crm_domain::ports::spool::NoSpool;
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::ports::vault::NoVault;
use crm_domain::use_cases::{Arrival, Crm, NotKept, Ports, Received, TrialStep};
use crm_testkit::fakes::{CountedCodes, FakeCallbacks, SAMPLE_SENDER, SeededSecrets};
use crm_testkit::fixtures::{BOT, admin, customer_on, member, operator, start, user, user_id};
use std::future::pending;
use std::sync::Arc;

use crate::world::{World, broken, code};

async fn waiting(world: &World) -> usize {
    let pending = world.store.read(|unit| unit.receipts().pending_receipts(99));
    let pending: Result<_, StoreError> = pending.await;
    pending.unwrap().len()
}

#[tokio::test]
async fn a_rightly_signed_callback_is_kept_once() {
    let world = World::new();
    let body = FakeCallbacks::message(&user(1), start(), "こんにちは");
    assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    assert!(matches!(world.post(&body).await, Ok(Received::Duplicate)));
    assert_eq!(waiting(&world).await, 1);
    world.record().await;
    assert!(
        matches!(world.post(&body).await, Ok(Received::Duplicate)),
        "also once recorded"
    );
    assert_eq!(waiting(&world).await, 0);
}

#[tokio::test]
async fn what_has_not_the_right_signature_leaves_nothing() {
    let world = World::new();
    let body = FakeCallbacks::message(&user(1), start(), "こんにちは");
    let signature = FakeCallbacks::signature(&body);
    for (bot_id, signature, refused) in [
        (None, Some(&*signature), CallbackRefused::OtherBot),
        (Some("999"), Some(&*signature), CallbackRefused::OtherBot),
        (Some(BOT), None, CallbackRefused::Unsigned),
        (Some(BOT), Some("AAAA"), CallbackRefused::WrongSignature),
    ] {
        let headers = CallbackHeaders { bot_id, signature };
        let arrival = Arrival::new(headers, &body);
        let answer = world.crm.receive_callback(arrival, pending()).await.unwrap();
        assert!(
            matches!(answer, Received::Refused(why) if why == refused),
            "{answer:?}"
        );
    }
    assert_eq!(waiting(&world).await, 0);
}

#[tokio::test]
async fn a_body_that_nobody_understands_is_kept_all_the_same() {
    let world = World::new();
    for body in [&b"not a callback"[..], b"", b"\0\xFF"] {
        assert!(matches!(world.post(body).await, Ok(Received::Kept(_))));
    }
    assert_eq!(waiting(&world).await, 3);
}

#[tokio::test]
async fn an_uncertain_keeping_is_repeated_and_doubles_nothing() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.store.fail_next_though_stored(StoreError::Uncertain);
    let body = FakeCallbacks::message(&user(1), start(), "一");
    assert!(matches!(world.post(&body).await, Ok(Received::Duplicate)));
    world.store.fail_next(StoreError::Uncertain);
    let body = FakeCallbacks::message(&user(1), start(), "二");
    assert!(matches!(world.post(&body).await, Ok(Received::Kept(_))));
    world.record().await;
    assert_eq!(world.plain_page(customer).await, ["一", "二"]);
}

#[tokio::test]
async fn a_callback_that_can_be_kept_nowhere_is_an_error() {
    let world = World::new();
    world.spool.set_full(true);
    world.store.fail_next(broken());
    let body = FakeCallbacks::message(&user(1), start(), "一");
    let error = world.post(&body).await.unwrap_err();
    assert!(matches!(error, NotKept::Nowhere { .. }), "{error}");
    assert!(
        matches!(world.post(&body).await, Ok(Received::Kept(_))),
        "its repetition is new"
    );
}

#[tokio::test]
async fn the_trial_goes_the_whole_way_and_leaves_nothing() {
    let world = World::new();
    let reserved = world
        .customer(customer_on("試験", "用", &user_id(SAMPLE_SENDER)))
        .await;
    for actor in [admin(), operator()] {
        let trial = world.crm.try_callback(&actor).await.unwrap();
        assert_eq!((trial.passed, trial.failure), (TrialStep::ALL.to_vec(), None));
    }
    assert_eq!(waiting(&world).await, 0);
    assert!(world.page(reserved).await.is_empty());
    assert_eq!(code(world.crm.try_callback(&member()).await), "denied");
}

#[tokio::test]
async fn the_trial_says_which_step_failed() {
    let world = World::new();
    world.store.fail_next(broken());
    let trial = world.crm.try_callback(&admin()).await.unwrap();
    assert_eq!(trial.passed, TrialStep::ALL[..3]);
    assert_eq!(trial.failure, Some("store_unavailable"));
    let without_bot = Crm::new(Ports {
        store: Arc::clone(&world.store) as _,
        clock: Arc::clone(&world.clock) as _,
        secrets: Arc::new(SeededSecrets::new(1)),
        codes: Arc::new(CountedCodes),
        passwords: Arc::clone(&world.passwords) as _,
        messengers: Arc::clone(&world.messengers) as _,
        connector: Arc::new(NoConnector),
        callbacks: Arc::new(FakeCallbacks::none()),
        spool: Arc::new(NoSpool),
        quarantine: Arc::new(NoQuarantine),
        files: Arc::new(NoFiles),
        blobs: Arc::new(NoBlobs),
        shelf: Arc::new(NoShelf),
        erased: Arc::new(NoErasedList),
        profiles: Arc::clone(&world.profiles) as _,
        vault: Arc::new(NoVault),
        several_instances: false,
        caller: Arc::new(NoCaller),
        seals: Arc::new(NoSeals),
    });
    let trial = without_bot.try_callback(&admin()).await.unwrap();
    assert_eq!(
        (trial.passed, trial.failure),
        (Vec::new(), Some("not_configured"))
    );
}
