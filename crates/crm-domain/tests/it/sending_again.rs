//! Messages of which nothing left: they wait, and are tried again by themselves.

use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::messenger::{Heard, RateLimit, SendError, SendProblem};
use crm_domain::sends::{CANCELLED, SendId, SendState, TREATED, Urgency};
use crm_domain::use_cases::{Claim, Recipient};
use crm_testkit::fixtures::{after, customer_on, member, operator, text, user};
use time::Duration;

use crate::world::{JOB, World, broken, claim, code};

async fn queue_as(world: &World, by: &Actor, to: CustomerId, words: &str) -> SendId {
    let to = Recipient::Customer(to);
    let queued = world.crm.queue_message(by, to, text(words), None).await;
    queued.unwrap().id()
}

async fn world_with_message() -> (World, CustomerId, SendId) {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let id = queue_as(&world, &member(), customer, "一").await;
    (world, customer, id)
}

fn not_sent(problem: SendProblem, wait: Option<u32>) -> Result<(), SendError> {
    Err(SendError::NotSent { problem, wait })
}

async fn try_once(world: &World) -> Option<SendState> {
    let delivered = world.crm.deliver_next(&JOB, "run").await.unwrap();
    delivered.map(|delivered| delivered.state)
}

/// Seconds after the start at which it is tried again.
async fn next_try(world: &World, id: SendId) -> Option<crm_domain::instant::Instant> {
    world.crm.show_send(&member(), id).await.unwrap().next_try_at
}

#[tokio::test]
async fn without_a_connection_the_rests_grow_to_five_minutes() {
    let (world, _, id) = world_with_message().await;
    let mut at = 0;
    for rest in [5, 10, 20, 40, 80, 160, 300, 300] {
        world.messenger.answer(not_sent(SendProblem::NoConnection, None));
        assert_eq!(try_once(&world).await, Some(SendState::Queued));
        assert_eq!(next_try(&world, id).await, Some(after(at + rest)));
        world.pass(Duration::seconds(rest - 1));
        assert_eq!(try_once(&world).await, None, "not before its time");
        world.pass(Duration::seconds(1));
        at += rest;
    }
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
}

#[tokio::test]
async fn what_waits_for_the_line_goes_as_soon_as_it_stands_again() {
    let (world, customer, first) = world_with_message().await;
    let other = world.customer(customer_on("佐藤", "次郎", &user(2))).await;
    world.messenger.answer(not_sent(SendProblem::NoConnection, None));
    try_once(&world).await;
    queue_as(&world, &member(), other, "二").await;
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
    assert_eq!(next_try(&world, first).await, None);
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
    assert_eq!(world.plain_page(customer).await, ["[送信] 一"]);
}

#[tokio::test]
async fn behind_a_message_that_waits_nothing_of_its_conversation_leaves() {
    let (world, customer, _) = world_with_message().await;
    world
        .messenger
        .answer(not_sent(SendProblem::RateLimited, Some(30)));
    try_once(&world).await;
    queue_as(&world, &member(), customer, "二").await;
    world.pass(Duration::seconds(29));
    assert_eq!(try_once(&world).await, None);
    world.pass(Duration::seconds(1));
    while try_once(&world).await.is_some() {}
    assert_eq!(world.messenger.texts(), ["一", "一", "二"]);
}

#[tokio::test]
async fn a_429_holds_up_all_messages_for_as_long_as_it_says() {
    let (world, _, id) = world_with_message().await;
    world
        .messenger
        .answer(not_sent(SendProblem::RateLimited, Some(900)));
    try_once(&world).await;
    assert_eq!(next_try(&world, id).await, Some(after(120)), "within reason");
    let other = world.customer(customer_on("佐藤", "次郎", &user(2))).await;
    queue_as(&world, &member(), other, "二").await;
    let held = world.crm.claim_message(&JOB, "run").await.unwrap();
    assert_eq!(held, Claim::Wait(after(120)));
    world.pass(Duration::seconds(120));
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
}

#[tokio::test]
async fn when_nothing_remains_nothing_leaves_until_the_reset() {
    let (world, customer, _) = world_with_message().await;
    let rate = RateLimit {
        limit: Some(240),
        remaining: Some(0),
        reset: Some(20),
    };
    let heard = Heard {
        at: None,
        rate: Some(rate),
    };
    world.messenger.answer_saying(Ok(()), heard);
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
    queue_as(&world, &member(), customer, "二").await;
    let held = world.crm.claim_message(&JOB, "run").await.unwrap();
    assert_eq!(held, Claim::Wait(after(20)));
}

#[tokio::test]
async fn after_401_it_is_tried_once_more_and_no_further() {
    let (world, _, id) = world_with_message().await;
    world.messenger.answer(not_sent(SendProblem::Unauthorized, None));
    assert_eq!(try_once(&world).await, Some(SendState::Queued));
    assert_eq!(next_try(&world, id).await, Some(after(0)), "at once");
    world.messenger.answer(not_sent(SendProblem::Unauthorized, None));
    assert_eq!(try_once(&world).await, Some(SendState::Failed));
    assert_eq!(world.messenger.sent().len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_leaves_and_nothing_is_counted() {
    let (world, _, id) = world_with_message().await;
    world.messenger.limit_to(1);
    world.messenger.fail_to_prepare(SendError::NotSent {
        problem: SendProblem::TokenUnavailable,
        wait: None,
    });
    assert_eq!(try_once(&world).await, Some(SendState::Queued));
    assert!(world.messenger.sent().is_empty());
    world.pass(Duration::seconds(5));
    assert_eq!(
        try_once(&world).await,
        Some(SendState::Sent),
        "the one of this minute"
    );
    assert_eq!(next_try(&world, id).await, None);
}

#[tokio::test]
async fn a_store_that_cannot_prove_that_a_message_may_leave_keeps_it() {
    let (world, _, id) = world_with_message().await;
    let claimed = claim(&world, "run").await.unwrap();
    world.store.fail_next(broken());
    let delivered = world.crm.dispatch_message("run", &claimed).await.unwrap();
    assert_eq!((delivered.state, delivered.problem), (SendState::Queued, None));
    assert!(world.messenger.sent().is_empty());
    world
        .crm
        .settle_message(&JOB, "run", &claimed, &delivered)
        .await
        .unwrap();
    assert_eq!(next_try(&world, id).await, Some(after(5)));
}

#[tokio::test]
async fn what_was_taken_from_its_sender_does_not_leave() {
    let (world, _, id) = world_with_message().await;
    let claimed = claim(&world, "frozen").await.unwrap();
    world.crm.abandon_messages(&JOB, "next run").await.unwrap();
    assert_eq!(world.crm.dispatch_message("frozen", &claimed).await, None);
    assert!(world.messenger.sent().is_empty());
    let send = world.crm.show_send(&member(), id).await.unwrap();
    assert_eq!(send.state, SendState::Unknown);
}

#[tokio::test]
async fn a_clock_put_back_holds_up_nothing_for_long() {
    let (world, customer, _) = world_with_message().await;
    world.messenger.limit_to(2);
    world.messenger.answer(not_sent(SendProblem::NoConnection, None));
    try_once(&world).await;
    world.pass(Duration::hours(-1));
    assert_eq!(
        try_once(&world).await,
        Some(SendState::Sent),
        "its next try lies an hour ahead"
    );
    queue_as(&world, &member(), customer, "二").await;
    world.pass(Duration::hours(-1));
    assert_eq!(
        try_once(&world).await,
        None,
        "what left a moment ago counts still"
    );
    world.pass(Duration::seconds(60));
    assert_eq!(try_once(&world).await, Some(SendState::Sent));
}

#[tokio::test]
async fn a_waiting_message_is_taken_back_from_every_page() {
    let (world, customer, id) = world_with_message().await;
    let other = world.customer(customer_on("山田", "花子", &user(1))).await;
    world.crm.cancel_message(&member(), id).await.unwrap();
    world.crm.cancel_message(&member(), id).await.unwrap();
    assert!(world.plain_page(customer).await.is_empty());
    assert!(world.plain_page(other).await.is_empty());
    assert_eq!(try_once(&world).await, None);
    let send = world.crm.show_send(&member(), id).await.unwrap();
    assert_eq!(
        (send.state, send.reason.as_deref()),
        (SendState::Failed, Some(CANCELLED))
    );
}

#[tokio::test]
async fn what_goes_out_or_has_gone_is_not_taken_back() {
    let (world, customer, id) = world_with_message().await;
    let claimed = claim(&world, "run").await.unwrap();
    let refused = world.crm.cancel_message(&member(), id).await;
    assert!(matches!(refused, Err(Error::Stale)));
    let delivered = world.crm.dispatch_message("run", &claimed).await.unwrap();
    world
        .crm
        .settle_message(&JOB, "run", &claimed, &delivered)
        .await
        .unwrap();
    let refused = world.crm.cancel_message(&member(), id).await;
    assert!(matches!(refused, Err(Error::Stale)));
    assert_eq!(world.plain_page(customer).await, ["[送信] 一"]);
    let nothing = world.crm.cancel_message(&member(), SendId::new(404)).await;
    assert!(matches!(nothing, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_person_may_call_sent_what_is_not_known() {
    let (world, customer, id) = world_with_message().await;
    world
        .messenger
        .answer(Err(SendError::Unknown(SendProblem::TimedOut)));
    try_once(&world).await;
    world.pass(Duration::seconds(60));
    for _ in 0..5 {
        world.crm.treat_as_sent(&member(), id).await.unwrap();
    }
    let send = world.crm.show_send(&member(), id).await.unwrap();
    assert_eq!(
        (send.state, send.reason.as_deref()),
        (SendState::Sent, Some(TREATED))
    );
    let treated = send.treated.unwrap();
    assert_eq!((treated.by.name.as_str(), treated.at), ("一般 太郎", after(60)));
    let shown = world.page(customer).await.remove(0).sending.unwrap();
    assert_eq!(shown.treated_by.as_deref(), Some("一般 太郎"));
    assert!(!shown.may_be_resent() && !shown.may_be_treated_as_sent());
    assert_eq!(world.messenger.sent().len(), 1);
}

#[tokio::test]
async fn only_what_is_not_known_is_called_sent() {
    let (world, _, id) = world_with_message().await;
    let waiting = world.crm.treat_as_sent(&member(), id).await;
    assert!(matches!(waiting, Err(Error::Stale)));
    world
        .messenger
        .answer(Err(SendError::Refused(SendProblem::Forbidden)));
    try_once(&world).await;
    let failed = world.crm.treat_as_sent(&member(), id).await;
    assert!(matches!(failed, Err(Error::Stale)));
}

#[tokio::test]
async fn what_people_write_goes_before_what_programs_make() {
    let world = World::new();
    let mut customers = Vec::new();
    for number in 1..=3 {
        customers.push(world.customer(customer_on("山田", "太郎", &user(number))).await);
    }
    queue_as(&world, &operator(), customers[0], "通知1").await;
    queue_as(&world, &operator(), customers[1], "通知2").await;
    queue_as(&world, &operator(), customers[1], "通知3").await;
    queue_as(&world, &member(), customers[1], "回答").await;
    queue_as(&world, &operator(), customers[1], "通知4").await;
    queue_as(&world, &member(), customers[2], "別の回答").await;
    while try_once(&world).await.is_some() {}
    assert_eq!(
        world.messenger.texts(),
        ["通知2", "通知3", "回答", "別の回答", "通知1", "通知4"],
        "messages to one person keep their order"
    );
}

#[tokio::test]
async fn a_place_kept_for_people_is_not_taken_by_programs() {
    let world = World::new();
    let (yamada, sato) = (
        world.customer(customer_on("山田", "太郎", &user(1))).await,
        world.customer(customer_on("佐藤", "次郎", &user(2))).await,
    );
    let claim_for_people = || world.crm.claim_urgent(&JOB, "run", Urgency::Message);
    queue_as(&world, &operator(), yamada, "お知らせ").await;
    assert_eq!(claim_for_people().await.unwrap(), Claim::Nothing);
    queue_as(&world, &member(), sato, "はい").await;
    assert!(matches!(claim_for_people().await.unwrap(), Claim::Taken(send) if send.text == "はい"));
}

#[tokio::test]
async fn a_waiting_message_that_is_deleted_does_not_leave() {
    let (world, customer, _) = world_with_message().await;
    let shown = world.page(customer).await[0].id;
    world.crm.delete_message(&member(), shown).await.unwrap();
    assert_eq!(try_once(&world).await, None);
    assert!(world.page(customer).await.is_empty());
    queue_as(&world, &member(), customer, "二").await;
    let shown = world.page(customer).await[0].id;
    world.crm.claim_message(&JOB, "run").await.unwrap();
    assert_eq!(
        code(world.crm.delete_message(&member(), shown).await),
        "stale",
        "it is on its way"
    );
}
