//! Handling: who has a conversation, handing it over, closing it.

use std::sync::Arc;

use crm_domain::activities::Direction;
use crm_domain::board::BoardLine;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::events::EventKind;
use crm_domain::members::Role;
use crm_domain::permissions::Actor;
use crm_domain::standings::Place;
use crm_domain::use_cases::{Elsewhere, Events, Recipient};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_details, customer_on, operator, person, text, user};
use time::Duration;

use crate::world::{JOB, World, code, faults};

/// A world in which a customer waits, two members, and the conversation.
struct Scene {
    world: Arc<World>,
    customer: CustomerId,
    talk: ConversationId,
    hanako: Actor,
    taro: Actor,
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
        let mut scene = Self {
            customer,
            talk: ConversationId::new(0),
            hanako: person(hanako.get(), "花子", Role::Member),
            taro: person(taro.get(), "太郎", Role::Member),
            world,
        };
        scene.talk = scene.line().await.conversation.id;
        scene
    }

    async fn line(&self) -> BoardLine {
        self.line_for(&admin()).await
    }

    async fn line_for(&self, reader: &Actor) -> BoardLine {
        let lines = self.world.crm.conversations_of_customer(reader, self.customer);
        lines.await.unwrap().remove(0)
    }

    async fn place(&self) -> Option<Place> {
        let standing = self.line().await.conversation.standing;
        standing.place().map(|(place, _)| place)
    }
}

#[tokio::test]
async fn of_fifty_who_take_it_at_once_one_wins_and_the_others_are_told_who() {
    let scene = Scene::new().await;
    let mut takers = tokio::task::JoinSet::new();
    for number in 0..50 {
        let id = scene
            .world
            .member(&format!("m{number}@example.jp"), Role::Member)
            .await;
        let (world, talk) = (Arc::clone(&scene.world), scene.talk);
        takers.spawn(async move {
            let taker = person(id.get(), &format!("m{number}"), Role::Member);
            world.crm.take_conversation(&taker, talk).await
        });
    }
    let answers = takers.join_all().await;
    let handler = scene.line().await.handler.unwrap();
    let told = |answer: &Result<(), Error>| match answer {
        Err(Error::HandledBy(name)) => *name == handler,
        _ => false,
    };
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| told(answer)).count(), 49);
}

#[tokio::test]
async fn taken_given_back_and_taken_by_another() {
    let scene = Scene::new().await;
    let crm = &scene.world.crm;
    crm.take_conversation(&scene.hanako, scene.talk).await.unwrap();
    crm.take_conversation(&scene.hanako, scene.talk).await.unwrap();
    assert_eq!(scene.place().await, Some(Place::Taken));
    let refused = crm.take_conversation(&scene.taro, scene.talk).await;
    assert!(matches!(refused, Err(Error::HandledBy(name)) if name == "hanako@example.jp"));
    crm.release_conversation(&scene.hanako, scene.talk).await.unwrap();
    assert_eq!(scene.place().await, Some(Place::Waiting));
    crm.take_conversation(&scene.taro, scene.talk).await.unwrap();
    assert_eq!(scene.line().await.handler.as_deref(), Some("taro@example.jp"));
    let nobody = ConversationId::new(404);
    assert_eq!(
        code(crm.take_conversation(&scene.taro, nobody).await),
        "not_found"
    );
    assert_eq!(
        code(crm.take_conversation(&operator(), scene.talk).await),
        "denied",
        "the command line is nobody who could answer"
    );
}

#[tokio::test]
async fn handing_over_tells_the_other_and_leaves_the_note_in_the_talk() {
    let scene = Scene::new().await;
    let crm = &scene.world.crm;
    let Events::List { cursor, .. } = crm.list_events(&scene.taro, None).await.unwrap() else {
        panic!("a place");
    };
    let taro = scene.taro.member_id().unwrap();
    let note = Some(text("続きをお願いします"));
    crm.hand_over_conversation(&scene.hanako, scene.talk, taro, note)
        .await
        .unwrap();
    assert_eq!(scene.line().await.handler.as_deref(), Some("taro@example.jp"));
    let page = scene.world.page(scene.customer).await;
    let note = page.last().unwrap();
    assert_eq!(note.plain_text(), "[社内メモ] 続きをお願いします");
    assert_eq!(
        (note.direction, note.note_author.as_deref()),
        (Direction::Note, Some("花子"))
    );
    let notices = async |reader: &Actor| {
        let found = crm.list_events(reader, Some(cursor.clone())).await.unwrap();
        let Events::List { events, .. } = found else {
            panic!("a list");
        };
        let is_notice = |event: &&crm_domain::events::Event| event.what.kind == EventKind::MemberNotice;
        events.iter().filter(is_notice).count()
    };
    assert_eq!((notices(&scene.taro).await, notices(&scene.hanako).await), (1, 0));
    let gone = crm_domain::members::MemberId::new(404);
    let refused = crm.hand_over_conversation(&scene.hanako, scene.talk, gone, None);
    assert_eq!(faults(refused.await), [("to", "missing")]);
    assert!(scene.world.messenger.sent().is_empty(), "notes are never sent");
}

#[tokio::test]
async fn closing_ends_the_waiting_and_can_be_undone_until_something_is_said() {
    let scene = Scene::new().await;
    let (world, crm) = (&scene.world, &scene.world.crm);
    crm.take_conversation(&scene.hanako, scene.talk).await.unwrap();
    crm.close_conversation(&scene.hanako, scene.talk).await.unwrap();
    assert_eq!(scene.place().await, Some(Place::Done));
    let not_hers = crm.undo_closing(&scene.taro, scene.talk).await;
    assert_eq!(code(not_hers), "stale");
    world.pass(Duration::seconds(9));
    crm.undo_closing(&scene.hanako, scene.talk).await.unwrap();
    let line = scene.line().await;
    assert_eq!(line.conversation.standing.waiting_since, Some(after(1)));
    assert_eq!(line.handler.as_deref(), Some("hanako@example.jp"));
    assert_eq!(
        code(crm.undo_closing(&scene.hanako, scene.talk).await),
        "stale",
        "once"
    );
    crm.close_conversation(&scene.hanako, scene.talk).await.unwrap();
    world
        .hear(&FakeCallbacks::message(&user(1), after(20), "もうひとつ"))
        .await;
    assert_eq!(scene.place().await, Some(Place::Waiting), "a new message reopens");
    assert_eq!(code(crm.undo_closing(&scene.hanako, scene.talk).await), "stale");
    let line = scene.line().await;
    assert_eq!(
        (line.conversation.standing.waiting_since, line.handler),
        (Some(after(20)), None)
    );
    crm.close_conversation(&scene.hanako, scene.talk).await.unwrap();
    world.pass(Duration::minutes(2));
    assert_eq!(
        code(crm.undo_closing(&scene.hanako, scene.talk).await),
        "stale",
        "too late"
    );
}

#[tokio::test]
async fn whoever_answers_beside_another_is_asked() {
    let scene = Scene::new().await;
    let (crm, customer) = (&scene.world.crm, scene.customer);
    let seen = scene.world.page(customer).await.last().map(|last| last.id);
    assert_eq!(
        crm.answered_elsewhere(&scene.taro, customer, seen).await.unwrap(),
        None
    );
    crm.queue_message(&scene.hanako, Recipient::Customer(customer), text("はい"), None)
        .await
        .unwrap();
    let answered = crm.answered_elsewhere(&scene.taro, customer, seen).await.unwrap();
    assert!(matches!(answered, Some(Elsewhere::Answered { by, .. }) if by == "花子"));
    let own = crm
        .answered_elsewhere(&scene.hanako, customer, seen)
        .await
        .unwrap();
    assert_eq!(own, None, "nobody is asked about himself");
    let seen = scene.world.page(customer).await.last().map(|last| last.id);
    assert_eq!(
        crm.answered_elsewhere(&scene.taro, customer, seen).await.unwrap(),
        None
    );
    crm.take_conversation(&scene.hanako, scene.talk).await.unwrap();
    let handled = crm.answered_elsewhere(&scene.taro, customer, seen).await.unwrap();
    let by = "hanako@example.jp".to_owned();
    assert_eq!(handled, Some(Elsewhere::Handled { by }));
    assert_eq!(
        crm.answered_elsewhere(&scene.hanako, customer, seen)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn unread_counts_for_each_member_alone() {
    let scene = Scene::new().await;
    let crm = &scene.world.crm;
    assert_eq!(scene.line_for(&scene.hanako).await.unread, 1);
    crm.mark_read(&scene.hanako, scene.talk).await.unwrap();
    assert_eq!(scene.line_for(&scene.hanako).await.unread, 0);
    assert_eq!(scene.line_for(&scene.taro).await.unread, 1);
    scene
        .world
        .hear(&FakeCallbacks::message(&user(1), after(9), "もしもし"))
        .await;
    assert_eq!(scene.line_for(&scene.hanako).await.unread, 1);
    assert_eq!(scene.line_for(&scene.taro).await.unread, 2);
}

#[tokio::test]
async fn one_draft_for_each_member_and_conversation() {
    let scene = Scene::new().await;
    let (world, crm) = (&scene.world, &scene.world.crm);
    let twin = world.customer(customer_on("山田", "花子", &user(1))).await;
    let draft = async |reader: &Actor, customer| {
        let draft = crm.draft(reader, customer).await.unwrap();
        draft.map(|draft| draft.text)
    };
    crm.keep_draft(&scene.hanako, scene.customer, "書きかけ".to_owned())
        .await
        .unwrap();
    assert_eq!(draft(&scene.hanako, twin).await.as_deref(), Some("書きかけ"));
    assert_eq!(draft(&scene.taro, scene.customer).await, None);
    crm.keep_draft(&scene.hanako, twin, String::new()).await.unwrap();
    assert_eq!(draft(&scene.hanako, scene.customer).await, None);
    let alone = world.customer(customer_details("独り", "")).await;
    let refused = crm.keep_draft(&scene.hanako, alone, "あ".to_owned()).await;
    assert_eq!(code(refused), "no_address");
    let long = crm.keep_draft(&scene.hanako, twin, "あ".repeat(10_001)).await;
    assert_eq!(faults(long), [("message", "too_long")]);
}

#[tokio::test]
async fn a_note_stands_once_on_every_page_and_is_never_sent() {
    let scene = Scene::new().await;
    let (world, crm) = (&scene.world, &scene.world.crm);
    let twin = world.customer(customer_on("山田", "花子", &user(1))).await;
    for _ in 0..2 {
        let key = Some("key".to_owned());
        crm.write_note(&scene.hanako, scene.customer, text("要注意"), key)
            .await
            .unwrap();
    }
    for customer in [scene.customer, twin] {
        assert_eq!(world.plain_page(customer).await, ["質問", "[社内メモ] 要注意"]);
    }
    let alone = world.customer(customer_details("独り", "")).await;
    crm.write_note(&scene.hanako, alone, text("電話のみ"), None)
        .await
        .unwrap();
    assert_eq!(world.plain_page(alone).await, ["[社内メモ] 電話のみ"]);
    assert!(crm.deliver_next(&JOB, "run").await.unwrap().is_none());
    assert_eq!(scene.place().await, Some(Place::Waiting), "a note answers nobody");
}
