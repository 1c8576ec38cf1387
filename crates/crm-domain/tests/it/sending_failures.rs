//! What becomes of messages that are not accepted: 送信失敗 and 結果不明.

use std::sync::Arc;

use crm_domain::conversations::LinkStatus;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::ports::messenger::{SendError, SendProblem};
use crm_domain::ports::store::StoreError;
use crm_domain::sends::{Queued, RESENT, SendId, SendState};
use crm_domain::use_cases::Recipient;
use crm_testkit::fakes::FakeMessenger;
use crm_testkit::fixtures::{after, customer_on, member, text, user};
use time::Duration;

use crate::world::{JOB, World, broken, claim};

async fn world_with_message() -> (Arc<World>, CustomerId, SendId) {
    let world = Arc::new(World::new());
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let id = queue(&world, customer, "一").await;
    (world, customer, id)
}

async fn queue(world: &World, to: CustomerId, words: &str) -> SendId {
    let to = Recipient::Customer(to);
    world
        .crm
        .queue_message(&member(), to, text(words), None)
        .await
        .unwrap()
        .id()
}

async fn state(world: &World, id: SendId) -> (SendState, Option<String>) {
    let send = world.crm.show_send(&member(), id).await.unwrap();
    (send.state, send.reason)
}

#[tokio::test]
async fn every_outcome_has_its_state_and_its_reason() {
    let waits = [
        SendProblem::NoConnection,
        SendProblem::TokenUnavailable,
        SendProblem::RateLimited,
        SendProblem::Unauthorized,
    ];
    for problem in SendProblem::ALL {
        let not_sent = SendError::NotSent { problem, wait: None };
        let back = if waits.contains(&problem) {
            (SendState::Queued, "[送信待ち] ")
        } else {
            (SendState::Failed, "[送信失敗] ")
        };
        for (outcome, (expected, prefix)) in [
            (not_sent, back),
            (SendError::Refused(problem), (SendState::Failed, "[送信失敗] ")),
            (SendError::Unknown(problem), (SendState::Unknown, "[結果不明] ")),
        ] {
            let (world, customer, id) = world_with_message().await;
            world.messenger.answer(Err(outcome));
            let delivered = world.crm.deliver_next(&JOB, "run").await.unwrap().unwrap();
            assert_eq!(
                (delivered.id, delivered.state, delivered.problem),
                (id, expected, Some(problem))
            );
            assert_eq!(
                state(&world, id).await,
                (expected, Some(problem.code().to_owned()))
            );
            assert_eq!(world.plain_page(customer).await, [format!("{prefix}一")]);
            assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
            assert_eq!(world.messenger.sent().len(), 1, "never sent twice");
        }
    }
}

#[tokio::test]
async fn a_failed_message_does_not_hold_up_the_next() {
    let (world, customer, _) = world_with_message().await;
    queue(&world, customer, "二").await;
    world
        .messenger
        .answer(Err(SendError::Refused(SendProblem::Forbidden)));
    while world.crm.deliver_next(&JOB, "run").await.unwrap().is_some() {}
    assert_eq!(world.plain_page(customer).await, ["[送信失敗] 一", "[送信] 二"]);
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn what_a_crash_leaves_on_its_way_becomes_unknown() {
    let (world, customer, id) = world_with_message().await;
    queue(&world, customer, "二").await;
    let claimed = claim(&world, "dead run").await.unwrap();
    let delivered = world.crm.dispatch_message("dead run", &claimed).await.unwrap();
    assert_eq!(state(&world, id).await.0, SendState::Sending);
    world.pass(Duration::seconds(5));
    assert_eq!(world.crm.abandon_messages(&JOB, "new run").await.unwrap(), 1);
    let interrupted = Some("interrupted".to_owned());
    assert_eq!(state(&world, id).await, (SendState::Unknown, interrupted.clone()));
    let send = world.crm.show_send(&member(), id).await.unwrap();
    assert_eq!(send.finished_at, Some(after(5)));
    world
        .crm
        .settle_message(&JOB, "dead run", &claimed, &delivered)
        .await
        .unwrap();
    assert_eq!(
        state(&world, id).await,
        (SendState::Unknown, interrupted),
        "the dead settle nothing"
    );
    assert_eq!(world.link(customer).await, LinkStatus::Unconfirmed);
    while world.crm.deliver_next(&JOB, "new run").await.unwrap().is_some() {}
    assert_eq!(world.plain_page(customer).await, ["[結果不明] 一", "[送信] 二"]);
    assert_eq!(
        world.messenger.texts(),
        ["一", "二"],
        "what is not known is not sent again"
    );
}

#[tokio::test]
async fn the_living_runs_messages_are_not_abandoned() {
    let (world, _, id) = world_with_message().await;
    world.crm.claim_message(&JOB, "run").await.unwrap();
    assert_eq!(world.crm.abandon_messages(&JOB, "run").await.unwrap(), 0);
    assert_eq!(state(&world, id).await.0, SendState::Sending);
}

#[tokio::test]
async fn a_worker_dropped_while_it_waits_leaves_the_message_on_its_way() {
    let (world, _, id) = world_with_message().await;
    world.messenger.hold();
    let worker = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.crm.deliver_next(&JOB, "run").await }
    });
    while world.messenger.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    world.messenger.release();
    assert_eq!(state(&world, id).await.0, SendState::Sending);
    assert_eq!(world.crm.abandon_messages(&JOB, "other run").await.unwrap(), 1);
    assert_eq!(state(&world, id).await.0, SendState::Unknown);
    assert_eq!(world.crm.deliver_next(&JOB, "other run").await.unwrap(), None);
}

#[tokio::test]
async fn settling_is_repeated_until_it_succeeds() {
    let (world, customer, id) = world_with_message().await;
    let claimed = claim(&world, "run").await.unwrap();
    let delivered = world.crm.dispatch_message("run", &claimed).await.unwrap();
    world.store.fail_next(broken());
    assert!(
        world
            .crm
            .settle_message(&JOB, "run", &claimed, &delivered)
            .await
            .is_err()
    );
    assert_eq!(state(&world, id).await.0, SendState::Sending);
    world.store.fail_next_though_stored(StoreError::Uncertain);
    world
        .crm
        .settle_message(&JOB, "run", &claimed, &delivered)
        .await
        .unwrap();
    assert_eq!(state(&world, id).await, (SendState::Sent, None));
    assert_eq!(world.link(customer).await, LinkStatus::Active);
}

#[tokio::test]
async fn a_claim_of_uncertain_outcome_is_not_made_again() {
    let (world, _, id) = world_with_message().await;
    world.store.fail_next_though_stored(StoreError::Uncertain);
    assert!(world.crm.deliver_next(&JOB, "run").await.is_err());
    assert!(world.messenger.sent().is_empty());
    assert_eq!(state(&world, id).await.0, SendState::Sending);
    assert_eq!(world.crm.abandon_messages(&JOB, "next run").await.unwrap(), 1);
}

#[tokio::test]
async fn another_bot_does_not_speak_for_the_old_one() {
    let (world, _, id) = world_with_message().await;
    let other = Arc::new(FakeMessenger::new("999"));
    world.messengers.set(Some(Arc::clone(&other)));
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    assert!(other.sent().is_empty());
    assert_eq!(
        state(&world, id).await,
        (SendState::Failed, Some("not_configured".to_owned()))
    );
}

#[tokio::test]
async fn a_bot_that_is_set_up_no_more_sends_nothing() {
    let (world, _, id) = world_with_message().await;
    world.messengers.set(None);
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    assert_eq!(
        state(&world, id).await,
        (SendState::Failed, Some("not_configured".to_owned()))
    );
}

async fn resend(world: &World, customer: CustomerId, words: &str, key: &str) -> Result<Queued, Error> {
    let failed = world.page(customer).await;
    let id = failed[0].id;
    let key = Some(key.to_owned());
    world
        .crm
        .resend_message(&member(), customer, text(words), key, id)
        .await
}

#[tokio::test]
async fn what_is_sent_again_takes_the_place_of_what_failed() {
    let (world, customer, _) = world_with_message().await;
    let other = world.customer(customer_on("山田", "花子", &user(1))).await;
    world
        .messenger
        .answer(Err(SendError::Refused(SendProblem::Forbidden)));
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    let failed = world.page(customer).await[0].id;
    let first = resend(&world, customer, "一", "again").await.unwrap();
    assert_eq!(world.plain_page(customer).await, ["[送信待ち] 一"]);
    assert_eq!(world.plain_page(other).await, ["[送信待ち] 一"]);
    let again = async |key: &str| {
        let key = Some(key.to_owned());
        world
            .crm
            .resend_message(&member(), customer, text("一"), key, failed)
            .await
    };
    assert_eq!(again("again").await.unwrap(), Queued::Existed(first.id()));
    assert!(
        matches!(again("late").await, Err(Error::Stale)),
        "somebody was faster"
    );
    assert_eq!(world.plain_page(customer).await, ["[送信待ち] 一"]);
}

#[tokio::test]
async fn what_may_have_arrived_stays_when_it_is_sent_again() {
    let (world, customer, id) = world_with_message().await;
    world
        .messenger
        .answer(Err(SendError::Unknown(SendProblem::Interrupted)));
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    let unknown = world.page(customer).await.remove(0);
    assert!(unknown.sending.unwrap().may_be_resent());
    resend(&world, customer, "一", "again").await.unwrap();
    assert_eq!(world.plain_page(customer).await.len(), 2);
    assert_eq!(
        state(&world, id).await,
        (SendState::Unknown, Some(RESENT.to_owned()))
    );
    let late = world
        .crm
        .resend_message(&member(), customer, text("一"), None, unknown.id)
        .await;
    assert!(matches!(late, Err(Error::Stale)));
}

#[tokio::test]
async fn only_what_failed_on_this_page_is_replaced() {
    let (world, customer, _) = world_with_message().await;
    let waiting = resend(&world, customer, "二", "a").await;
    assert!(matches!(waiting, Err(Error::Stale)), "it is still on its way");
    world
        .messenger
        .answer(Err(SendError::Refused(SendProblem::Forbidden)));
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    let stranger = world.customer(customer_on("佐藤", "次郎", &user(2))).await;
    let failed = world.page(customer).await[0].id;
    let elsewhere = world
        .crm
        .resend_message(&member(), stranger, text("二"), None, failed)
        .await;
    assert!(matches!(elsewhere, Err(Error::Stale)));
    assert_eq!(world.plain_page(customer).await, ["[送信失敗] 一"]);
    assert!(world.page(stranger).await.is_empty());
}
