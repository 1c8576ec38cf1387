//! What open pages learn of.

use crm_domain::customers::CustomerId;
use crm_domain::events::{EventCursor, EventKind, EventPlace, NewEvent};
use crm_domain::members::{MemberId, Role};
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::use_cases::{Events, Recipient};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{
    admin, after, company_details, customer_details, customer_on, member, person, start, text, user,
};
use time::Duration;

use crate::world::{JOB, World, code};

async fn list(world: &World, after: Option<&EventCursor>) -> Events {
    let after = after.cloned();
    world.crm.list_events(&member(), after).await.unwrap()
}

async fn end(world: &World) -> EventCursor {
    match list(world, None).await {
        Events::List { events, cursor } if events.is_empty() => cursor,
        other => panic!("not the end: {other:?}"),
    }
}

async fn since(world: &World, after: &EventCursor) -> Vec<(EventKind, Option<CustomerId>)> {
    match list(world, Some(after)).await {
        Events::List { events, cursor } => {
            assert_eq!(cursor, end(world).await);
            events
                .iter()
                .map(|event| (event.what.kind, event.what.customer_id))
                .collect()
        }
        Events::Reload(_) => panic!("nothing is lost"),
    }
}

async fn add(world: &World, events: Vec<NewEvent>) {
    let work =
        move |uow: &mut dyn crm_domain::ports::store::UnitOfWork| uow.edit_events().add_events(&events);
    world.store.write::<_, StoreError, _>(work).await.unwrap();
}

#[tokio::test]
async fn every_visible_change_is_told_once() {
    let world = World::new();
    let mut place = end(&world).await;
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let other = world.customer(customer_on("山田", "花子", &user(1))).await;
    let of = |kind, id| (kind, Some(id));
    assert_eq!(
        since(&world, &place).await,
        [of(EventKind::Customer, customer), of(EventKind::Customer, other)]
    );
    place = end(&world).await;
    let spoken = FakeCallbacks::message(&user(1), after(7), "こんにちは");
    world.post(&spoken).await.unwrap();
    world
        .hear(&FakeCallbacks::message(&user(1), after(8), "もしもし"))
        .await;
    assert_eq!(
        since(&world, &place).await,
        [of(EventKind::Message, customer), of(EventKind::Message, other)],
        "once for a batch"
    );
    place = end(&world).await;
    let to = Recipient::Customer(customer);
    world
        .crm
        .queue_message(&member(), to, text("返事"), Some("k".to_owned()))
        .await
        .unwrap();
    assert_eq!(
        since(&world, &place).await.len(),
        3,
        "the line of the board, and two pages"
    );
    place = end(&world).await;
    world.crm.deliver_next(&JOB, "run").await.unwrap();
    assert_eq!(
        since(&world, &place).await,
        [
            (EventKind::Send, None),
            of(EventKind::Conversation, customer),
            (EventKind::Send, None)
        ],
        "on its way, and sent: nobody waits"
    );
    place = end(&world).await;
    let first = world.page(customer).await[0].id;
    world.crm.delete_message(&member(), first).await.unwrap();
    world.crm.restore_message(&member(), first).await.unwrap();
    assert_eq!(since(&world, &place).await, [of(EventKind::Message, customer); 2]);
}

#[tokio::test]
async fn changed_records_are_told_and_failed_changes_are_not() {
    let world = World::new();
    let place = end(&world).await;
    let company = world.company(company_details("会社")).await;
    let details = company_details("別の会社");
    world
        .crm
        .revise_company(&member(), company, None, details)
        .await
        .unwrap();
    world.crm.discard_company(&member(), company).await.unwrap();
    assert_eq!(since(&world, &place).await, [(EventKind::Company, None); 3]);
    let place = end(&world).await;
    let gone = world
        .crm
        .revise_customer(&member(), CustomerId::new(99), None, customer_details("山", "田"))
        .await;
    assert_eq!(code(gone), "not_found");
    assert_eq!(since(&world, &place).await, []);
}

#[tokio::test]
async fn somebody_unknown_is_told_without_customer() {
    let world = World::new();
    let place = end(&world).await;
    world
        .hear(&FakeCallbacks::message(&user(9), after(7), "はじめまして"))
        .await;
    world.hear(&FakeCallbacks::ended(&user(9), after(8))).await;
    let expected = [(EventKind::Message, None), (EventKind::Conversation, None)];
    assert_eq!(since(&world, &place).await, expected);
}

#[tokio::test]
async fn what_concerns_one_member_is_told_to_no_other() {
    let world = World::new();
    let place = end(&world).await;
    let notice = NewEvent::new(EventKind::MemberNotice, start()).only_for(MemberId::new(70));
    add(&world, vec![notice]).await;
    assert_eq!(since(&world, &place).await, []);
    let concerned = person(70, "本人", Role::Member);
    let seen = world.crm.list_events(&concerned, Some(place.clone())).await;
    assert!(matches!(seen.unwrap(), Events::List { events, .. } if events.len() == 1));
    let relayed = world.crm.relay_events(&JOB, Some(place)).await;
    assert!(matches!(relayed.unwrap(), Events::List { events, .. } if events.len() == 1));
    assert_eq!(code(world.crm.relay_events(&admin(), None).await), "denied");
}

#[tokio::test]
async fn who_is_too_far_behind_or_of_another_history_starts_anew() {
    let world = World::new();
    let place = end(&world).await;
    let one = NewEvent::new(EventKind::Send, start());
    add(&world, vec![one; 1_000]).await;
    assert_eq!(since(&world, &place).await.len(), 1_000);
    add(&world, vec![one]).await;
    let now = end(&world).await;
    assert_eq!(list(&world, Some(&place)).await, Events::Reload(now.clone()));
    for strange in [
        EventCursor {
            epoch: "other".to_owned(),
            ..now.clone()
        },
        EventCursor {
            place: EventPlace {
                seq: now.place.seq + 1,
                ..now.place
            },
            ..now.clone()
        },
    ] {
        assert_eq!(list(&world, Some(&strange)).await, Events::Reload(now.clone()));
    }
}

#[tokio::test]
async fn what_is_forgotten_makes_pages_start_anew() {
    let world = World::new();
    let one = |at| NewEvent::new(EventKind::Send, at);
    add(&world, vec![one(start()), one(start())]).await;
    let place = EventCursor {
        place: EventPlace { xid: 0, seq: 1 },
        ..end(&world).await
    };
    world.pass(Duration::hours(25));
    add(&world, vec![one(world.crm.now()), one(world.crm.now())]).await;
    assert_eq!(world.crm.forget_events(&JOB).await.unwrap(), 2);
    assert!(matches!(list(&world, Some(&place)).await, Events::Reload(_)));
    let known = EventCursor {
        place: EventPlace { xid: 0, seq: 2 },
        ..place
    };
    assert_eq!(since(&world, &known).await.len(), 2);
}
