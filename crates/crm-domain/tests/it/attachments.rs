//! Files that customers send: added with the message, fetched once, kept once; and the other things that are no words.

use crm_domain::activities::MessageKind;
use crm_domain::attachments::{Attachment, AttachmentId, AttachmentOutcome, AttachmentState};
use crm_domain::permissions::Actor;
use crm_domain::ports::files::{FetchError, FetchProblem};
use crm_domain::ports::store::StoreError;
use crm_domain::receipts::ReceiptState;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_on, member, start, user};
use time::Duration;

use crate::world::{JOB, World, broken, code};

async fn waiting(world: &World) -> Vec<Attachment> {
    world.crm.waiting_files(&JOB, 9).await.unwrap()
}

async fn fetch(world: &World, file: &Attachment) -> AttachmentOutcome {
    world.crm.fetch_file(&JOB, file).await.unwrap()
}

async fn shown(world: &World, id: AttachmentId) -> Attachment {
    world.crm.show_file(&member(), id).await.unwrap()
}

fn read(world: &World, file: &Attachment) -> String {
    let mut text = String::new();
    let mut bytes = world.crm.open_file(&member(), file).unwrap();
    bytes.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_photo_is_fetched_once_for_all_who_carry_the_address() {
    let world = World::new();
    let first = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let second = world.customer(customer_on("山田", "花子", &user(1))).await;
    world
        .hear(&FakeCallbacks::photo(&user(1), start(), "jp1.1"))
        .await;
    let files = waiting(&world).await;
    assert_eq!(files.len(), 1);
    assert!(matches!(
        fetch(&world, &files[0]).await,
        AttachmentOutcome::Stored { .. }
    ));
    for customer in [first, second] {
        let page = world.page(customer).await;
        let file = page[0].file.clone().unwrap();
        assert_eq!(
            (page[0].kind, file.state, file.name.as_deref()),
            (MessageKind::Image, AttachmentState::Stored, Some("jp1.1.jpg"))
        );
        assert_eq!(read(&world, &file), "jp1.1");
    }
    assert!(waiting(&world).await.is_empty());
}

#[tokio::test]
async fn a_strangers_photo_is_fetched_too_and_the_same_bytes_are_kept_once() {
    let world = World::new();
    world.hear(&FakeCallbacks::photo(&user(9), start(), "same")).await;
    world.hear(&FakeCallbacks::photo(&user(8), start(), "same")).await;
    world
        .hear(&FakeCallbacks::message(&user(9), after(1), "届きましたか"))
        .await;
    let files = waiting(&world).await;
    assert_eq!(files.len(), 2);
    for file in &files {
        fetch(&world, file).await;
        fetch(&world, file).await;
    }
    assert_eq!((world.blobs.count(), world.files.asked()), (1, 4));
    let stored = shown(&world, files[0].id).await;
    assert_eq!(read(&world, &stored), "same");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told() {
    let world = World::new();
    world
        .hear(&FakeCallbacks::photo(&user(1), start(), "jp1.1"))
        .await;
    let id = waiting(&world).await[0].id;
    for (error, at_least) in [
        (FetchProblem::NoConnection.into(), 1),
        (
            FetchError {
                problem: FetchProblem::Unavailable,
                wait: Some(100),
            },
            100,
        ),
        (FetchProblem::Disk.into(), 1),
    ] {
        world.files.fail(error);
        let file = shown(&world, id).await;
        let outcome = fetch(&world, &file).await;
        let AttachmentOutcome::Later { at, reason } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reason, error.problem.code());
        assert!(at >= world.crm.now().plus(Duration::seconds(at_least)));
    }
    assert_eq!(shown(&world, id).await.tries, 3);
    for (problem, state) in [
        (FetchProblem::Gone, AttachmentState::Gone),
        (FetchProblem::TooLarge, AttachmentState::Failed),
        (FetchProblem::QuotaReached, AttachmentState::Failed),
        (FetchProblem::ForeignHost, AttachmentState::Failed),
        (FetchProblem::Rejected, AttachmentState::Failed),
    ] {
        world.files.fail(FetchError::from(problem));
        let file = shown(&world, id).await;
        fetch(&world, &file).await;
        let file = shown(&world, id).await;
        assert_eq!(
            (file.state, file.reason.as_deref()),
            (state, Some(problem.code()))
        );
        assert_eq!(
            code(world.crm.open_file(&member(), &file)),
            "not_found",
            "there is nothing"
        );
        world.crm.retry_file(&member(), id).await.unwrap();
        assert_eq!(shown(&world, id).await.state, AttachmentState::Pending);
    }
    world.files.fail(None);
    let file = shown(&world, id).await;
    fetch(&world, &file).await;
    world.crm.retry_file(&member(), id).await.unwrap();
    assert_eq!(
        shown(&world, id).await.state,
        AttachmentState::Stored,
        "what is there stays"
    );
    let unknown = AttachmentId::new(999);
    assert_eq!(code(world.crm.retry_file(&member(), unknown).await), "not_found");
    assert_eq!(code(world.crm.show_file(&member(), unknown).await), "not_found");
}

#[tokio::test]
async fn it_is_given_up_after_some_days() {
    let world = World::new();
    world
        .hear(&FakeCallbacks::photo(&user(1), start(), "jp1.1"))
        .await;
    world.files.fail(FetchError::from(FetchProblem::Unauthorized));
    let id = waiting(&world).await[0].id;
    let begun = world.crm.now();
    loop {
        let file = shown(&world, id).await;
        match fetch(&world, &file).await {
            AttachmentOutcome::Later { at, .. } => world.pass(at.since(world.crm.now())),
            outcome => {
                assert_eq!(
                    outcome,
                    AttachmentOutcome::Failed {
                        reason: "unauthorized"
                    }
                );
                break;
            }
        }
    }
    let taken = world.crm.now().since(begun);
    assert!(taken > Duration::days(2) && taken < Duration::days(4));
}

#[tokio::test]
async fn a_failing_store_costs_nothing() {
    let world = World::new();
    world
        .hear(&FakeCallbacks::photo(&user(1), start(), "jp1.1"))
        .await;
    let file = waiting(&world).await[0].clone();
    world.store.fail_next(broken());
    assert_eq!(code(world.crm.fetch_file(&JOB, &file).await), "store_unavailable");
    assert_eq!(
        waiting(&world).await,
        std::slice::from_ref(&file),
        "it waits still"
    );
    world.store.fail_next_though_stored(StoreError::Uncertain);
    fetch(&world, &file).await;
    assert_eq!(shown(&world, file.id).await.state, AttachmentState::Stored);
    assert_eq!(world.blobs.count(), 1);
}

#[tokio::test]
async fn only_the_job_fetches_and_only_people_look() {
    let world = World::new();
    world
        .hear(&FakeCallbacks::photo(&user(1), start(), "jp1.1"))
        .await;
    let file = waiting(&world).await[0].clone();
    assert_eq!(code(world.crm.waiting_files(&admin(), 1).await), "denied");
    assert_eq!(code(world.crm.fetch_file(&admin(), &file).await), "denied");
    for actor in [JOB, Actor::Platform] {
        assert_eq!(code(world.crm.show_file(&actor, file.id).await), "denied");
        assert_eq!(code(world.crm.open_file(&actor, &file)), "denied");
        assert_eq!(code(world.crm.retry_file(&actor, file.id).await), "denied");
    }
}

#[tokio::test]
async fn a_tap_on_a_button_stands_where_the_button_stood() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let (own, room) = (user(50), user(77));
    world
        .hear(&FakeCallbacks::postback(&user(1), &own, after(1), "own=1"))
        .await;
    world.hear(&FakeCallbacks::bot_came(&room, after(2))).await;
    world
        .hear(&FakeCallbacks::postback(&user(1), &room, after(3), "room=1"))
        .await;
    world
        .post(&FakeCallbacks::postback(
            &user(1),
            &user(78),
            after(4),
            "beside=1",
        ))
        .await
        .unwrap();
    world
        .post(&FakeCallbacks::room_message(
            &user(1),
            &user(78),
            after(5),
            "皆さん",
        ))
        .await
        .unwrap();
    world.record().await;
    let page = world.page(customer).await;
    let told: Vec<_> = page
        .iter()
        .map(|message| (message.message.as_str(), message.kind, message.in_room))
        .collect();
    assert_eq!(
        told,
        [
            ("own=1", MessageKind::Postback, false),
            ("room=1", MessageKind::Postback, true),
            ("beside=1", MessageKind::Postback, true),
            ("皆さん", MessageKind::Text, true),
        ]
    );
}

#[tokio::test]
async fn what_happens_in_a_room_is_kept_with_the_room() {
    let world = World::new();
    let recorded = world.hear(&FakeCallbacks::bot_came(&user(77), start())).await;
    assert_eq!(recorded.callbacks[0].state, ReceiptState::Recorded);
    assert_eq!(
        (recorded.callbacks[0].customers.len(), &recorded.callbacks[0].user),
        (0, &None)
    );
}
