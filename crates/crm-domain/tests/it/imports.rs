//! Imports: chunk by chunk, shown at once, repeated without harm.

use crm_domain::activities::Direction;
use crm_domain::conversations::LinkStatus;
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::id::Id;
use crm_domain::imports::{Import, ImportedKind, Origin};
use crm_domain::ports::store::StoreError;
use crm_domain::use_cases::Imported;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{
    after, company_details, customer_details, customer_on, operator, received_in, start, talk, user,
};

use crate::world::{World, broken, code};

fn origin(kind: ImportedKind, foreign_id: i64) -> Origin {
    Origin {
        kind,
        foreign_id,
        digest: [1; 16],
    }
}

fn customers(ids: std::ops::Range<i64>) -> Vec<(Origin, CustomerDetails)> {
    ids.map(|id| {
        (
            origin(ImportedKind::Customer, id),
            customer_details("", &format!("名{id}")),
        )
    })
    .collect()
}

async fn begin(world: &World) -> Import {
    world.crm.begin_import(&operator(), "poc").await.unwrap()
}

async fn take(world: &World, import: &Import, ids: std::ops::Range<i64>) -> Imported {
    world
        .crm
        .import_customers(&operator(), import, customers(ids))
        .await
        .unwrap()
}

/// A company, a customer of it with a user id, what the customer said and what we answered.
async fn take_everything(world: &World, import: &Import) -> (CustomerId, usize) {
    let (crm, by) = (&world.crm, operator());
    let rows = vec![(origin(ImportedKind::Company, 1), company_details("青空商事"))];
    let companies = crm.import_companies(&by, import, rows).await.unwrap();
    let details = CustomerDetails {
        company_id: Some(Id::new(companies.ids[0])),
        ..customer_on("", "花子", &user(1))
    };
    let rows = vec![(origin(ImportedKind::Customer, 1), details)];
    let people = crm.import_customers(&by, import, rows).await.unwrap();
    let customer = CustomerId::new(people.ids[0]);
    let talks = crm
        .open_imported_conversations(&by, vec![talk(&user(1))])
        .await
        .unwrap();
    let said = received_in(talks[0], customer, "昔の質問", after(-100));
    let mut answered = received_in(talks[0], customer, "昔の答え", after(-90));
    answered.direction = Direction::Sent;
    let rows = [said, answered].into_iter().zip(1..);
    let rows = rows
        .map(|(row, id)| (origin(ImportedKind::Activity, id), row))
        .collect();
    let messages = crm.import_activities(&by, import, rows).await.unwrap();
    crm.note_imported_talk(&by, vec![(talks[0], after(-90))])
        .await
        .unwrap();
    (customer, companies.added + people.added + messages.added)
}

#[tokio::test]
async fn everything_is_shown_at_once_and_repeating_doubles_nothing() {
    let world = World::new();
    let import = begin(&world).await;
    let (customer, added) = take_everything(&world, &import).await;
    assert_eq!(added, 4);
    assert!(world.customer_names().await.is_empty());
    assert_eq!(
        code(world.crm.show_customer(&operator(), customer).await),
        "not_found"
    );
    world.crm.finish_import(&operator(), &import).await.unwrap();
    let again = begin(&world).await;
    assert_eq!(take_everything(&world, &again).await, (customer, 0));
    world.crm.finish_import(&operator(), &again).await.unwrap();
    assert_eq!(world.customer_names().await, ["花子"]);
    assert_eq!(world.plain_page(customer).await, ["昔の質問", "[送信] 昔の答え"]);
    let line = world.crm.show_customer(&operator(), customer).await.unwrap();
    assert_eq!(
        (line.company_name.as_deref(), line.link),
        (Some("青空商事"), LinkStatus::Active)
    );
}

#[tokio::test]
async fn a_broken_off_import_is_taken_up() {
    let world = World::new();
    let import = begin(&world).await;
    let first = take(&world, &import, 0..50).await;
    assert_eq!((first.ids.len(), first.added), (50, 50));
    world.store.fail_next(broken());
    let lost = world
        .crm
        .import_customers(&operator(), &import, customers(50..100))
        .await;
    assert_eq!(code(lost), "store_unavailable");
    let again = begin(&world).await;
    assert_eq!(again, import);
    let overlapping = take(&world, &again, 40..100).await;
    assert_eq!((overlapping.ids.len(), overlapping.added), (60, 50));
    assert_eq!(overlapping.ids[..10], first.ids[40..]);
    world.crm.finish_import(&operator(), &again).await.unwrap();
    assert_eq!(world.customer_names().await.len(), 99, "a page of the hundred");
}

#[tokio::test]
async fn a_chunk_of_uncertain_outcome_is_repeated() {
    let world = World::new();
    let import = begin(&world).await;
    world.store.fail_next_though_stored(StoreError::Uncertain);
    let taken = take(&world, &import, 0..5).await;
    assert_eq!(
        (taken.ids.len(), taken.added),
        (5, 0),
        "the repetition finds them all"
    );
    world.store.fail_next(StoreError::Uncertain);
    assert_eq!(take(&world, &import, 5..9).await.added, 4);
    world.crm.finish_import(&operator(), &import).await.unwrap();
    assert_eq!(world.customer_names().await.len(), 9);
}

#[tokio::test]
async fn who_left_after_the_imported_talk_has_left() {
    let world = World::new();
    let present = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.hear(&FakeCallbacks::ended(&user(1), start())).await;
    let import = begin(&world).await;
    take_everything(&world, &import).await;
    world.crm.finish_import(&operator(), &import).await.unwrap();
    assert_eq!(world.link(present).await, LinkStatus::Left(start()));
}
