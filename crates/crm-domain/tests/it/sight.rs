//! Who sees what: what one does not see is not there, whichever way one asks.

use crm_domain::activities::ActivityId;
use crm_domain::board::{BoardRequest, Column, Tab};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::{CustomerFilter, CustomerId};
use crm_domain::error::Error;
use crm_domain::events::EventKind;
use crm_domain::members::{MemberId, Role};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::sends::{Queued, SendId};
use crm_domain::teams::{Sees, TeamDetails, TeamId, Visible};
use crm_domain::use_cases::{Events, MemberForm, Recipient};
use crm_domain::values::Problem;
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_on, person, text, user};

use crate::world::{JOB, World, code};

/// Two members of a team whose members see only their own, a customer of each with a talk, and one of nobody's.
struct Scene {
    world: World,
    me: Actor,
    mate: Actor,
    team: TeamId,
    mine: CustomerId,
    theirs: CustomerId,
    nobodys: CustomerId,
}

async fn join(world: &World, number: u32, role: Role) -> Actor {
    let form = MemberForm {
        email: format!("m{number}@example.jp"),
        name: format!("社員{number}"),
        role,
        password: None,
    };
    let id = world.crm.add_member(&admin(), form).await.unwrap();
    person(id.get(), &format!("社員{number}"), role)
}

fn id_of(actor: &Actor) -> MemberId {
    actor.member_id().unwrap()
}

async fn scene() -> Scene {
    let world = World::new();
    let (me, mate) = (
        join(&world, 1, Role::Member).await,
        join(&world, 2, Role::Member).await,
    );
    let details = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Own,
    };
    let team = world.crm.add_team(&admin(), details).await.unwrap();
    let members = vec![(id_of(&me), false), (id_of(&mate), false)];
    world.crm.set_team_members(&admin(), team, members).await.unwrap();
    let mut customers = Vec::new();
    for (number, owner) in [(1, Some(&me)), (2, Some(&mate)), (3, None)] {
        let id = world.customer(customer_on("山田", "太郎", &user(number))).await;
        let owner = owner.map(id_of);
        world.crm.assign_owner(&admin(), id, owner).await.unwrap();
        world
            .hear(&FakeCallbacks::message(
                &user(number),
                after(i64::from(number)),
                "こんにちは",
            ))
            .await;
        customers.push(id);
    }
    Scene {
        world,
        me,
        mate,
        team,
        mine: customers[0],
        theirs: customers[1],
        nobodys: customers[2],
    }
}

impl Scene {
    async fn listed(&self, by: &Actor) -> Vec<CustomerId> {
        let page = self
            .world
            .crm
            .list_customers(by, CustomerFilter::default(), PageRequest::first(9));
        let mut ids: Vec<_> = page
            .await
            .unwrap()
            .items
            .iter()
            .map(|line| line.customer.id)
            .collect();
        ids.sort();
        ids
    }

    async fn talk_of(&self, customer: CustomerId) -> ConversationId {
        let admin = admin();
        let lines = self.world.crm.conversations_of_customer(&admin, customer);
        lines.await.unwrap()[0].conversation.id
    }

    async fn waiting(&self, by: &Actor, tab: Tab) -> usize {
        let request = BoardRequest {
            column: Column::Waiting,
            tab,
            reader: None,
            visible: Visible::All,
            after: None,
            limit: 9,
        };
        self.world.crm.board(by, request).await.unwrap().page.lines.len()
    }

    /// A message to a customer, and the row that shows it.
    async fn sent(&self, customer: CustomerId) -> (SendId, ActivityId) {
        let to = Recipient::Customer(customer);
        let queued = self
            .world
            .crm
            .queue_message(&admin(), to, text("はい"), None)
            .await;
        let Queued::Added(send) = queued.unwrap() else {
            panic!("a new one");
        };
        (send, self.world.page(customer).await.last().unwrap().id)
    }
}

#[tokio::test]
async fn lists_the_board_and_counts_hold_only_what_one_sees() {
    let scene = scene().await;
    assert_eq!(scene.listed(&scene.me).await, [scene.mine, scene.nobodys]);
    assert_eq!(scene.listed(&admin()).await.len(), 3);
    assert_eq!(scene.waiting(&scene.me, Tab::All).await, 2);
    assert_eq!(scene.waiting(&admin(), Tab::All).await, 3);
    let counts = scene.world.crm.board_counts(&scene.me, 9).await.unwrap();
    assert_eq!((counts.waiting, counts.mine), (2, 1));
}

#[tokio::test]
async fn what_one_does_not_see_answers_like_what_is_not_there() {
    let scene = scene().await;
    let (crm, me) = (&scene.world.crm, &scene.me);
    let talk = scene.talk_of(scene.theirs).await;
    let (send, shown) = scene.sent(scene.theirs).await;
    let none = (CustomerId::new(404), ConversationId::new(404), SendId::new(404));
    for (customer, talk, send, shown) in [
        (scene.theirs, talk, send, shown),
        (none.0, none.1, none.2, ActivityId::new(404)),
    ] {
        let details = customer_on("山田", "太郎", &user(2));
        let answers = [
            code(crm.show_customer(me, customer).await),
            code(crm.conversation(me, customer, None, 9).await),
            code(crm.new_messages(me, customer, None, 9).await),
            code(crm.revise_customer(me, customer, None, details).await),
            code(crm.link_customer(me, customer, None).await),
            code(crm.assign_owner(me, customer, None).await),
            code(crm.assign_team(me, customer, None).await),
            code(crm.discard_customer(me, customer).await),
            code(crm.conversations_of_customer(me, customer).await),
            code(crm.write_note(me, customer, text("覚え"), None).await),
            code(crm.draft(me, customer).await),
            code(crm.keep_draft(me, customer, "下書き".to_owned()).await),
            code(crm.answered_elsewhere(me, customer, None).await),
            code(
                crm.queue_message(me, Recipient::Customer(customer), text("はい"), None)
                    .await,
            ),
            code(crm.take_conversation(me, talk).await),
            code(crm.release_conversation(me, talk).await),
            code(crm.close_conversation(me, talk).await),
            code(crm.undo_closing(me, talk).await),
            code(crm.hand_over_conversation(me, talk, id_of(me), None).await),
            code(crm.mark_read(me, talk).await),
            code(crm.show_send(me, send).await),
            code(crm.cancel_message(me, send).await),
            code(crm.treat_as_sent(me, send).await),
            code(crm.customer_of_message(me, shown).await),
            code(crm.delete_message(me, shown).await),
            code(crm.restore_message(me, shown).await),
        ];
        assert_eq!(answers, ["not_found"; 26]);
    }
    let check = crm.check_customer(me, user(2)).await;
    assert!(matches!(check, Err(Error::NotFound("customer"))));
}

#[tokio::test]
async fn a_user_id_of_a_hidden_customer_is_not_written_to() {
    let scene = scene().await;
    let to = |n| Recipient::User(user(n));
    let crm = &scene.world.crm;
    let hidden = crm.queue_message(&scene.me, to(2), text("はい"), None).await;
    assert!(matches!(hidden, Err(Error::NotFound(_))));
    crm.queue_message(&scene.me, to(9), text("はい"), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_leader_and_the_owner_see_the_customer_from_the_next_request_on() {
    let scene = scene().await;
    let crm = &scene.world.crm;
    let leading = vec![(id_of(&scene.me), true), (id_of(&scene.mate), false)];
    crm.set_team_members(&admin(), scene.team, leading).await.unwrap();
    assert_eq!(scene.listed(&scene.me).await.len(), 3);
    assert_eq!(scene.listed(&scene.mate).await, [scene.theirs, scene.nobodys]);
    crm.assign_owner(&admin(), scene.mine, Some(id_of(&scene.mate)))
        .await
        .unwrap();
    assert_eq!(scene.listed(&scene.mate).await.len(), 3);
    assert_eq!(scene.waiting(&scene.mate, Tab::All).await, 3);
}

#[tokio::test]
async fn a_conversation_is_handed_only_to_who_sees_its_customer() {
    let scene = scene().await;
    let talk = scene.talk_of(scene.mine).await;
    let crm = &scene.world.crm;
    let blind = crm
        .hand_over_conversation(&scene.me, talk, id_of(&scene.mate), None)
        .await;
    let Err(Error::Invalid(errors)) = blind else {
        panic!("{blind:?}");
    };
    assert_eq!((errors[0].field, errors[0].problem), ("to", Problem::CannotSee));
    let boss = join(&scene.world, 3, Role::Admin).await;
    crm.hand_over_conversation(&scene.me, talk, id_of(&boss), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_team_of_a_customer_shows_it_to_the_whole_team() {
    let scene = scene().await;
    let crm = &scene.world.crm;
    let details = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Team,
    };
    crm.revise_team(&admin(), scene.team, details).await.unwrap();
    assert_eq!(scene.listed(&scene.me).await.len(), 3);
    let outsider = join(&scene.world, 4, Role::Viewer).await;
    let other = TeamDetails {
        name: "総務".to_owned(),
        sees: Sees::Team,
    };
    let other = crm.add_team(&admin(), other).await.unwrap();
    crm.set_team_members(&admin(), other, vec![(id_of(&outsider), false)])
        .await
        .unwrap();
    assert_eq!(scene.listed(&outsider).await, [scene.nobodys]);
    crm.assign_team(&admin(), scene.theirs, Some(other))
        .await
        .unwrap();
    assert_eq!(scene.listed(&outsider).await, [scene.theirs, scene.nobodys]);
    assert_eq!(scene.waiting(&outsider, Tab::Team(id_of(&outsider))).await, 1);
    crm.delete_team(&admin(), other).await.unwrap();
    assert_eq!(scene.listed(&outsider).await.len(), 3, "in no team one sees all");
}

#[tokio::test]
async fn events_of_hidden_customers_are_not_told_and_moves_name_nothing() {
    let scene = scene().await;
    let crm = &scene.world.crm;
    let begin = crm.list_events(&scene.me, None).await.unwrap();
    let Events::List { cursor, .. } = begin else {
        panic!("a place");
    };
    let said = FakeCallbacks::message(&user(2), after(9), "もしもし");
    scene.world.hear(&said).await;
    crm.assign_owner(&admin(), scene.mine, Some(id_of(&scene.mate)))
        .await
        .unwrap();
    let Events::List { events, .. } = crm.list_events(&scene.me, Some(cursor.clone())).await.unwrap() else {
        panic!("some");
    };
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.what.kind, event.what.customer_id))
        .collect();
    assert_eq!(told, [(EventKind::Gone, None)]);
    let Events::List { events, .. } = crm.relay_events(&JOB, Some(cursor)).await.unwrap() else {
        panic!("some");
    };
    let theirs = events
        .iter()
        .filter(|event| event.what.customer_id == Some(scene.theirs));
    assert!(theirs.count() > 0, "everybody's are relayed");
}

#[tokio::test]
async fn giving_a_customer_the_address_of_a_hidden_one_shows_nobody_its_talk() {
    let scene = scene().await;
    let crm = &scene.world.crm;
    let hidden = Some(user(2));
    let taken = |outcome: Result<(), Error>| {
        let Err(Error::Invalid(fields)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(fields[0].field, "line_user_id");
        assert_eq!(fields[0].problem, Problem::Taken);
    };
    let details = customer_on("別", "人", &user(2));
    taken(crm.register_customer(&scene.me, details.clone()).await.map(drop));
    taken(
        crm.revise_customer(&scene.me, scene.mine, None, details.clone())
            .await,
    );
    taken(crm.link_customer(&scene.me, scene.mine, hidden.clone()).await);
    // Who sees the other may, and what is there already is not asked again.
    crm.link_customer(&scene.mate, scene.nobodys, hidden)
        .await
        .unwrap();
    crm.revise_customer(&scene.me, scene.nobodys, None, details)
        .await
        .unwrap();
    let page = crm
        .conversations_of_customer(&scene.me, scene.mine)
        .await
        .unwrap();
    assert_eq!(page.len(), 1);
}
