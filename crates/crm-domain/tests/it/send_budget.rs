//! The send budget under a simulated clock: however much is queued, no window of 60 seconds sees more than the limit.

use std::collections::HashMap;

use crm_domain::instant::Instant;
use crm_domain::permissions::Actor;
use crm_domain::ports::host::Clock as _;
use crm_domain::ports::messenger::{SendError, SendProblem};
use crm_domain::use_cases::{Claim, Recipient};
use crm_testkit::fixtures::{member, operator, text, user};
use time::Duration;

use crate::world::{JOB, World};

/// A world in which nothing is done twice: a thousand messages are many.
fn quick_world(a_minute: u32) -> World {
    let world = World::new();
    world.store.run_units_once();
    world.messenger.limit_to(a_minute);
    world
}

async fn queue(world: &World, by: &Actor, number: usize, people: usize) {
    let to = u32::try_from(number % people).unwrap();
    let (to, words) = (Recipient::User(user(to)), text(&number.to_string()));
    world.crm.queue_message(by, to, words, None).await.unwrap();
}

/// Delivers until nothing is left or the time is over; the instants at which messages left.
async fn run_until(world: &World, end: Instant) -> Vec<Instant> {
    let mut left = Vec::new();
    while world.clock.now() < end {
        match world.crm.claim_message(&JOB, "run").await.unwrap() {
            Claim::Taken(send) => {
                left.push(world.clock.now());
                let delivered = world.crm.dispatch_message("run", &send).await.unwrap();
                world
                    .crm
                    .settle_message(&JOB, "run", &send, &delivered)
                    .await
                    .unwrap();
                world.pass(Duration::milliseconds(3));
            }
            Claim::Wait(until) => {
                assert!(until > world.clock.now(), "waiting makes sense");
                world.clock.set(until);
            }
            Claim::Nothing => break,
        }
    }
    left
}

/// The most that left in any 60 seconds.
fn most_in_a_minute(left: &[Instant]) -> usize {
    let window = Duration::minutes(1);
    let in_window = |from: usize| {
        let began = left[from];
        left[from..]
            .iter()
            .take_while(|at| at.since(began) < window)
            .count()
    };
    (0..left.len()).map(in_window).max().unwrap_or_default()
}

#[tokio::test]
async fn a_thousand_messages_at_240_a_minute_never_exceed_the_limit() {
    let world = quick_world(240);
    for number in 0..1_000 {
        queue(&world, &member(), number, 300).await;
    }
    let begun = world.clock.now();
    let left = run_until(&world, begun.plus(Duration::hours(1))).await;
    assert_eq!(left.len(), 1_000);
    let most = most_in_a_minute(&left);
    assert!(most <= 228, "5 in a hundred are kept back: {most}");
    assert!(most >= 220, "the limit is used: {most}");
    let took = world.clock.now().since(begun);
    assert!(took < Duration::minutes(5), "{took}");
    let mut of_person: HashMap<String, Vec<usize>> = HashMap::new();
    for message in world.messenger.sent() {
        let number = message.text.parse().unwrap();
        let person = message.to.as_str().to_owned();
        of_person.entry(person).or_default().push(number);
    }
    assert!(
        of_person.values().all(|numbers| numbers.is_sorted()),
        "each person's order"
    );
}

#[tokio::test]
async fn after_half_an_hour_half_of_the_limit_is_used() {
    let world = quick_world(20);
    for number in 0..800 {
        queue(&world, &member(), number, 800).await;
    }
    let begun = world.clock.now();
    let left = run_until(&world, begun.plus(Duration::minutes(50))).await;
    let half_an_hour = begun.plus(Duration::minutes(30));
    let (early, late): (Vec<_>, Vec<_>) = left.iter().partition(|at| **at < half_an_hour);
    assert_eq!(most_in_a_minute(&early), 19);
    assert_eq!(early.len(), 30 * 19);
    assert_eq!(most_in_a_minute(&late), 9);
    assert!(
        most_in_a_minute(&left) <= 19,
        "also where the one becomes the other"
    );
    assert!(late.len() >= 9 * 19, "{}", late.len());
}

#[tokio::test]
async fn tries_that_reached_line_works_count_and_a_restart_forgets_nothing() {
    let world = quick_world(20);
    for number in 0..60 {
        queue(&world, &member(), number, 60).await;
    }
    for _ in 0..10 {
        world.messenger.answer(Err(SendError::NotSent {
            problem: SendProblem::Unauthorized,
            wait: None,
        }));
    }
    let begun = world.clock.now();
    let mut left = run_until(&world, begun.plus(Duration::seconds(30))).await;
    assert_eq!((left.len(), world.messenger.sent().len()), (19, 19));
    world.crm.abandon_messages(&JOB, "another run").await.unwrap();
    left.extend(run_until(&world, begun.plus(Duration::minutes(10))).await);
    assert_eq!(most_in_a_minute(&left), 19);
}

#[tokio::test]
async fn an_answer_overtakes_what_programs_send() {
    let world = quick_world(240);
    for number in 0..1_000 {
        queue(&world, &operator(), number, 1_000).await;
    }
    let begun = world.clock.now();
    let left = run_until(&world, begun.plus(Duration::seconds(20))).await;
    assert_eq!(left.len(), 206, "a tenth is left for people");
    queue(&world, &member(), 5_000, 100_000).await;
    let before = world.clock.now();
    assert!(matches!(
        world.crm.claim_message(&JOB, "run").await.unwrap(),
        Claim::Taken(send) if send.text == "5000"
    ));
    assert_eq!(world.clock.now(), before, "it waits for nobody");
}
