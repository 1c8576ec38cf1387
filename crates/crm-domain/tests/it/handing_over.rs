//! まとめて引き継ぐ: customers and conversations of one who leaves.

use std::sync::Arc;

use crm_domain::board::BoardLine;
use crm_domain::customers::CustomerId;
use crm_domain::events::EventKind;
use crm_domain::holdings::Holdings;
use crm_domain::members::{MemberId, Role};
use crm_domain::teams::{Sees, TeamDetails};
use crm_domain::use_cases::Events;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_details, customer_on, member, person, user};

use crate::world::{World, code, faults};

/// A world in which Hanako owns a waiting customer whose conversation she handles, and Taro is there.
struct Scene {
    world: Arc<World>,
    customer: CustomerId,
    hanako: MemberId,
    taro: MemberId,
}

impl Scene {
    async fn new() -> Self {
        let world = Arc::new(World::new());
        let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
        world
            .hear(&FakeCallbacks::message(&user(1), after(1), "質問"))
            .await;
        let hanako = world.member("hanako@example.jp", Role::Member).await;
        let taro = world.member("taro@example.jp", Role::Member).await;
        let scene = Self {
            world,
            customer,
            hanako,
            taro,
        };
        let crm = &scene.world.crm;
        crm.assign_owner(&admin(), customer, Some(hanako)).await.unwrap();
        let talk = scene.line().await.conversation.id;
        let her = person(hanako.get(), "花子", Role::Member);
        crm.take_conversation(&her, talk).await.unwrap();
        scene
    }

    async fn line(&self) -> BoardLine {
        let crm = &self.world.crm;
        let lines = crm.conversations_of_customer(&admin(), self.customer).await;
        lines.unwrap().remove(0)
    }

    async fn give(&self, to: Option<MemberId>) -> Holdings {
        let given = self.world.crm.hand_over_all(&admin(), self.hanako, to).await;
        given.unwrap()
    }

    async fn left(&self, member: MemberId) -> Holdings {
        self.world.crm.holdings(&admin(), member).await.unwrap()
    }
}

fn holdings(customers: usize, conversations: usize) -> Holdings {
    Holdings {
        customers,
        conversations,
    }
}

#[tokio::test]
async fn all_goes_to_the_successor_and_the_board_shows_it() {
    let scene = Scene::new().await;
    for number in 0..45 {
        let other = scene
            .world
            .customer(customer_details(&format!("客{number}"), ""))
            .await;
        let crm = &scene.world.crm;
        crm.assign_owner(&admin(), other, Some(scene.hanako))
            .await
            .unwrap();
    }
    assert_eq!(scene.left(scene.hanako).await, holdings(46, 1));
    assert_eq!(scene.give(Some(scene.taro)).await, holdings(46, 1));
    assert_eq!(scene.left(scene.hanako).await, holdings(0, 0));
    assert_eq!(scene.left(scene.taro).await, holdings(46, 1));
    let standing = scene.line().await.conversation.standing;
    assert_eq!(
        (standing.owner_id, standing.handler_id),
        (Some(scene.taro), Some(scene.taro))
    );
    assert_eq!(
        scene.give(Some(scene.taro)).await,
        holdings(0, 0),
        "once is enough"
    );
}

#[tokio::test]
async fn without_a_successor_it_is_nobodys_and_waits_for_everybody() {
    let scene = Scene::new().await;
    assert_eq!(scene.give(None).await, holdings(1, 1));
    let standing = scene.line().await.conversation.standing;
    assert_eq!((standing.owner_id, standing.handler_id), (None, None));
    assert!(standing.waiting_since.is_some(), "the customer still waits");
}

#[tokio::test]
async fn what_the_successor_may_not_see_goes_to_nobody() {
    let scene = Scene::new().await;
    let crm = &scene.world.crm;
    let team = |name: &str| TeamDetails {
        name: name.to_owned(),
        sees: Sees::Own,
    };
    let narrow = crm.add_team(&admin(), team("狭い")).await.unwrap();
    crm.set_team_members(&admin(), narrow, vec![(scene.taro, false)])
        .await
        .unwrap();
    let third = scene.world.member("third@example.jp", Role::Member).await;
    crm.assign_owner(&admin(), scene.customer, Some(third))
        .await
        .unwrap();
    assert_eq!(scene.give(Some(scene.taro)).await, holdings(0, 1));
    assert_eq!(scene.line().await.conversation.standing.handler_id, None);
}

#[tokio::test]
async fn open_pages_learn_of_it() {
    let scene = Scene::new().await;
    let crm = &scene.world.crm;
    let his = person(scene.taro.get(), "太郎", Role::Member);
    let Events::List { cursor, .. } = crm.list_events(&his, None).await.unwrap() else {
        panic!("a place");
    };
    scene.give(Some(scene.taro)).await;
    let Events::List { events, .. } = crm.list_events(&his, Some(cursor)).await.unwrap() else {
        panic!("a list");
    };
    for kind in [
        EventKind::Customer,
        EventKind::Conversation,
        EventKind::MemberNotice,
    ] {
        assert!(events.iter().any(|event| event.what.kind == kind), "{kind:?}");
    }
}

#[tokio::test]
async fn only_somebody_who_can_work_takes_over() {
    let scene = Scene::new().await;
    let (world, crm) = (&scene.world, &scene.world.crm);
    let give = async |to| crm.hand_over_all(&admin(), scene.hanako, Some(to)).await;
    assert_eq!(faults(give(scene.hanako).await), [("to", "not_a_choice")]);
    let viewer = world.member("viewer@example.jp", Role::Viewer).await;
    assert_eq!(faults(give(viewer).await), [("to", "missing")]);
    crm.disable_member(&admin(), scene.taro, true).await.unwrap();
    assert_eq!(faults(give(scene.taro).await), [("to", "missing")]);
    assert_eq!(scene.left(scene.hanako).await, holdings(1, 1));
    let stranger = crm.hand_over_all(&admin(), MemberId::new(404), None).await;
    assert_eq!(code(stranger), "not_found");
    let refused = crm.hand_over_all(&member(), scene.hanako, None).await;
    assert_eq!(code(refused), "denied");
    assert_eq!(code(crm.holdings(&member(), scene.hanako).await), "denied");
}
