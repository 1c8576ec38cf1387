//! Callbacks while the database is away, and those that are held because they do not count.

use std::future::pending;

use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused};
use crm_domain::ports::spool::Spool as _;
use crm_domain::use_cases::{
    Arrival, Detour, DoorTrouble, NotKept, Readiness, Received, Rechecked, ReplayError, Replayed,
};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{BOT, admin, customer_on, member, operator, start, user};

use crate::world::{JOB, World, broken, code};

const DONE: Replayed = Replayed {
    added: 0,
    existed: 0,
    more: false,
};

fn said(text: &str) -> Vec<u8> {
    FakeCallbacks::message(&user(1), start(), text)
}

async fn post_from(
    world: &World,
    body: &[u8],
    signature: &str,
    from: Option<[u8; 4]>,
    allowed: bool,
) -> Result<Received, NotKept> {
    let headers = CallbackHeaders {
        bot_id: Some(BOT),
        signature: Some(signature),
    };
    let arrival = Arrival {
        from: from.map(Into::into),
        allowed,
        ..Arrival::new(headers, body)
    };
    world.crm.receive_callback(arrival, pending()).await
}

#[tokio::test]
async fn without_the_database_callbacks_wait_in_the_spool_and_go_in_later() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.store.fail_next(broken());
    let first = world.post(&said("一")).await.unwrap();
    assert!(matches!(first, Received::Spooled(Detour::Store(_))), "{first:?}");
    let second = world.post(&said("二")).await.unwrap();
    assert!(
        matches!(second, Received::Spooled(Detour::StillAway)),
        "nobody waits for the database while it is away: {second:?}"
    );
    assert!(world.crm.door_trouble().store_away);
    world.store.fail_next(broken());
    let failed = world.crm.replay_spool(&JOB, 9).await.unwrap_err();
    assert!(matches!(failed, ReplayError::Store(_)), "{failed}");
    assert_eq!(world.crm.spooled(), 2, "what did not go in waits on");
    let replayed = world.crm.replay_spool(&JOB, 1).await.unwrap();
    assert_eq!((replayed.added, replayed.more), (1, true));
    assert!(matches!(world.post(&said("三")).await, Ok(Received::Kept(_))));
    assert_eq!(world.crm.replay_spool(&JOB, 9).await.unwrap().added, 1);
    assert_eq!(world.crm.replay_spool(&JOB, 9).await.unwrap(), DONE);
    world.record().await;
    let mut page = world.plain_page(customer).await;
    page.sort_unstable();
    assert_eq!(page, ["一", "三", "二"]);
}

#[tokio::test]
async fn a_write_that_gets_through_after_all_is_not_doubled_by_the_replay() {
    let world = World::new();
    world.store.fail_next_though_stored(broken());
    assert!(matches!(world.post(&said("一")).await, Ok(Received::Spooled(_))));
    let replayed = world.crm.replay_spool(&JOB, 9).await.unwrap();
    assert_eq!((replayed.added, replayed.existed), (0, 1));
    assert!(matches!(world.post(&said("一")).await, Ok(Received::Duplicate)));
    assert_eq!(world.record().await.callbacks.len(), 1);
}

#[tokio::test]
async fn a_full_spool_sends_callbacks_to_the_database_again() {
    let world = World::new();
    world.store.fail_next(broken());
    assert!(matches!(world.post(&said("一")).await, Ok(Received::Spooled(_))));
    world.spool.set_full(true);
    assert!(matches!(world.post(&said("二")).await, Ok(Received::Kept(_))));
    world.store.fail_next(broken());
    let error = world.post(&said("三")).await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
}

#[tokio::test]
async fn once_the_database_works_callbacks_go_there_even_if_the_spool_held_nothing() {
    let world = World::new();
    world.spool.set_full(true);
    world.store.fail_next(broken());
    world.post(&said("一")).await.unwrap_err();
    world.spool.set_full(false);
    assert!(world.crm.door_trouble().store_away);
    assert_eq!(world.crm.replay_spool(&JOB, 9).await.unwrap(), DONE);
    assert!(!world.crm.door_trouble().store_away);
    assert!(matches!(world.post(&said("二")).await, Ok(Received::Kept(_))));
}

#[tokio::test]
async fn readiness_rests_on_the_database_or_the_spool() {
    let world = World::new();
    let readiness = || world.crm.readiness(pending());
    assert!(matches!(readiness().await, Readiness::Ready));
    world.store.fail_next(broken());
    assert!(matches!(readiness().await, Readiness::Degraded));
    world.spool.set_full(true);
    world.store.fail_next(broken());
    assert!(matches!(readiness().await, Readiness::Nowhere(_)));
}

#[tokio::test]
async fn wrong_signatures_never_enter_the_spool_and_are_held() {
    let world = World::new();
    world.store.fail_next(broken());
    world.post(&said("本物")).await.unwrap();
    for number in 0..3 {
        assert!(!world.crm.door_trouble().wrong_signatures);
        let body = said(&number.to_string());
        let answer = post_from(&world, &body, "wrong", None, true).await.unwrap();
        assert!(matches!(
            answer,
            Received::Refused(CallbackRefused::WrongSignature)
        ));
    }
    assert_eq!(world.spool.count(), 1);
    let trouble = DoorTrouble {
        wrong_signatures: true,
        store_away: true,
        other_address: false,
    };
    assert_eq!(world.crm.door_trouble(), trouble);
    let held = world.crm.held_callbacks(&operator()).await.unwrap();
    assert_eq!((held.wrong_signature, held.since_success), (3, 3));
    world.post(&said("また本物")).await.unwrap();
    assert!(!world.crm.door_trouble().wrong_signatures, "a right one ends it");
}

#[tokio::test]
async fn what_does_not_read_as_a_callback_is_not_held() {
    let world = World::new();
    let answer = post_from(&world, b"\xFF", "wrong", None, true).await.unwrap();
    assert!(matches!(answer, Received::Refused(_)));
    let held = world.crm.held_callbacks(&operator()).await.unwrap();
    assert_eq!(held.wrong_signature, 0);
}

#[tokio::test]
async fn held_ones_that_are_right_by_now_are_recorded_once() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let (right, wrong) = (said("届いた"), said("偽物"));
    let signature = FakeCallbacks::signature(&right);
    for _ in 0..2 {
        let answer = post_from(&world, &right, &signature, Some([198, 51, 100, 1]), false).await;
        assert!(matches!(answer, Ok(Received::OtherAddress { signed: true })));
    }
    let answer = post_from(&world, &wrong, "wrong", Some([198, 51, 100, 2]), false).await;
    assert!(
        matches!(answer, Ok(Received::OtherAddress { signed: false })),
        "is not held"
    );
    post_from(&world, &wrong, "wrong", None, true).await.unwrap();
    assert!(world.crm.door_trouble().other_address);
    let nowhere = world.crm.recheck_callbacks(&operator(), |_| false).await.unwrap();
    assert_eq!((nowhere.recorded, nowhere.still_wrong), (0, 3));
    let done = world.crm.recheck_callbacks(&operator(), |_| true).await.unwrap();
    let expected = Rechecked {
        rechecked: 3,
        recorded: 1,
        existed: 1,
        still_wrong: 1,
    };
    assert_eq!(done, expected);
    let again = world.crm.recheck_callbacks(&admin(), |_| true).await.unwrap();
    assert_eq!((again.rechecked, again.recorded), (1, 0));
    world.record().await;
    assert_eq!(world.plain_page(customer).await, ["届いた"]);
    assert_eq!(
        code(world.crm.recheck_callbacks(&member(), |_| true).await),
        "denied"
    );
}
