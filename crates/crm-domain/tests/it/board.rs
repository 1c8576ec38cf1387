//! The board: who waits for whom, and how a waiting ends.

use crm_domain::board::{BoardCounts, BoardLine, BoardRequest, Column, Tab};
use crm_domain::conversations::ConversationId;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::members::{MemberId, Role};
use crm_domain::ports::messenger::{Heard, SendError, SendProblem};
use crm_domain::ports::store::StoreExt;
use crm_domain::standings::Place;
use crm_domain::teams::Visible;
use crm_domain::use_cases::Recipient;
use crm_domain::waitings::{Waiting, WaitingEnd};
use crm_testkit::fakes::FakeCallbacks;
use crm_testkit::fixtures::{admin, after, customer_on, member, operator, text, user};
use time::Duration;

use crate::world::{JOB, World};

async fn column(world: &World, column: Column, tab: Tab) -> Vec<BoardLine> {
    let request = BoardRequest {
        column,
        tab,
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 50,
    };
    world.crm.board(&admin(), request).await.unwrap().page.lines
}

async fn names(world: &World, of: Column) -> Vec<String> {
    let lines = column(world, of, Tab::All).await;
    let name = |line: BoardLine| {
        line.customer
            .map_or_else(|| "-".to_owned(), |customer| customer.name.full())
    };
    lines.into_iter().map(name).collect()
}

async fn line(world: &World, customer: CustomerId) -> BoardLine {
    let lines = world.crm.conversations_of_customer(&admin(), customer).await;
    lines.unwrap().remove(0)
}

async fn place(world: &World, customer: CustomerId) -> Option<(Place, Instant)> {
    line(world, customer).await.conversation.standing.place()
}

async fn waitings(world: &World, id: ConversationId) -> Vec<Waiting> {
    let read = world
        .store
        .read::<_, crm_domain::error::Error, _>(move |unit| Ok(unit.waitings().waitings_of(id, 9)?));
    read.await.unwrap()
}

async fn says(world: &World, number: u32, second: i64, words: &str) {
    world
        .hear(&FakeCallbacks::message(&user(number), after(second), words))
        .await;
}

async fn answer(world: &World, customer: CustomerId, words: &str) {
    world
        .crm
        .queue_message(&member(), Recipient::Customer(customer), text(words), None)
        .await
        .unwrap();
}

async fn deliver(world: &World) {
    while world.crm.deliver_next(&JOB, "run").await.unwrap().is_some() {}
}

#[tokio::test]
async fn who_waits_longest_stands_first_and_an_accepted_answer_ends_it() {
    let world = World::new();
    let yamada = world.customer(customer_on("山田", "太郎", &user(1))).await;
    world.customer(customer_on("佐藤", "花子", &user(2))).await;
    says(&world, 2, 20, "もしもし").await;
    says(&world, 1, 10, "見積もりを\nください").await;
    says(&world, 1, 30, "急ぎです").await;
    assert_eq!(names(&world, Column::Waiting).await, ["山田 太郎", "佐藤 花子"]);
    assert_eq!(place(&world, yamada).await, Some((Place::Waiting, after(10))));
    world.clock.set(after(40));
    answer(&world, yamada, "承知しました").await;
    assert_eq!(
        place(&world, yamada).await,
        Some((Place::Waiting, after(10))),
        "送信待ち does not end it"
    );
    world.pass(Duration::seconds(5));
    deliver(&world).await;
    assert_eq!(names(&world, Column::Waiting).await, ["佐藤 花子"]);
    assert_eq!(names(&world, Column::Done).await, ["山田 太郎"]);
    let shown = line(&world, yamada).await.conversation;
    let last = shown.standing.last.unwrap();
    assert_eq!((last.text.as_str(), last.at), ("承知しました", after(40)));
    let ended = waitings(&world, shown.id).await.remove(0);
    assert_eq!(ended.since, after(10));
    let end = ended.ended.unwrap();
    assert_eq!(
        (end.until, end.how, end.by, end.first_response_at),
        (
            after(45),
            WaitingEnd::Answered,
            member().member_id(),
            Some(after(45))
        )
    );
}

#[tokio::test]
async fn a_message_in_trouble_ends_no_waiting_and_marks_the_line() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    says(&world, 1, 1, "質問").await;
    world.clock.set(after(10));
    for outcome in [
        SendError::Refused(SendProblem::Forbidden),
        SendError::Unknown(SendProblem::TimedOut),
    ] {
        world.messenger.answer(Err(outcome));
        answer(&world, customer, "返事").await;
        deliver(&world).await;
        let standing = line(&world, customer).await.conversation.standing;
        assert_eq!(standing.waiting_since, Some(after(1)));
        assert_eq!(standing.troubled_since, Some(after(10)));
    }
    // What is not sure arrived, and what failed is sent again: nothing is left to look at.
    let page = world.page(customer).await;
    let [_, failed, unknown] = page.as_slice() else {
        panic!("three messages");
    };
    let unsure = unknown.sending.as_ref().unwrap().id;
    let (replaces, words) = (failed.id, text("返事"));
    world
        .crm
        .resend_message(&member(), customer, words, None, replaces)
        .await
        .unwrap();
    world.crm.treat_as_sent(&member(), unsure).await.unwrap();
    let talk = line(&world, customer).await.conversation;
    assert_eq!(
        (talk.standing.waiting_since, talk.standing.troubled_since),
        (None, None)
    );
    let end = waitings(&world, talk.id).await.remove(0).ended.unwrap();
    assert_eq!(end.how, WaitingEnd::TakenAsSent);
    assert_eq!(end.by, member().member_id());
}

#[tokio::test]
async fn a_late_message_is_marked_and_reopens_only_if_nothing_accepted_is_newer() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    says(&world, 1, 10, "一").await;
    world.clock.set(after(30));
    answer(&world, customer, "はい").await;
    deliver(&world).await;
    world.clock.set(after(90));
    says(&world, 1, 20, "二").await;
    assert_eq!(names(&world, Column::Done).await, ["山田 太郎"]);
    let page = world.page(customer).await;
    let shown: Vec<_> = page.iter().map(|one| (one.message.as_str(), one.late)).collect();
    assert_eq!(shown, [("一", false), ("二", true), ("はい", false)]);
    assert_eq!(line(&world, customer).await.conversation.standing.received, 2);
    says(&world, 1, 80, "三").await;
    assert_eq!(place(&world, customer).await, Some((Place::Waiting, after(80))));
}

#[tokio::test]
async fn clock_steps_of_an_hour_do_not_reorder_and_lose_nobody_who_waits() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let mut real = 0;
    let mut expected = Vec::new();
    for (step, offset) in [0, 3_600, 0, -3_600, 0].into_iter().enumerate() {
        real += 600;
        let (question, reply) = (format!("質問{step}"), format!("返事{step}"));
        world.clock.set(after(real + offset));
        let asked = after(real).plus(Duration::milliseconds(700));
        world
            .hear(&FakeCallbacks::message(&user(1), asked, &question))
            .await;
        assert_eq!(
            place(&world, customer).await,
            Some((Place::Waiting, asked)),
            "step {step}"
        );
        let heard = Heard {
            // The same second: LINE WORKS tells whole ones.
            at: Some(Instant::from_unix_millis(asked.unix_millis() / 1_000 * 1_000)),
            ..Heard::default()
        };
        world.messenger.answer_saying(Ok(()), heard);
        world.clock.set(after(real + offset + 1));
        answer(&world, customer, &reply).await;
        deliver(&world).await;
        assert!(
            matches!(place(&world, customer).await, Some((Place::Done, _))),
            "step {step}"
        );
        expected.extend([question, format!("[送信] {reply}")]);
    }
    assert_eq!(world.plain_page(customer).await, expected);
}

#[tokio::test]
async fn tabs_show_mine_unowned_and_all() {
    let world = World::new();
    let me = world.member("me@example.jp", Role::Member).await;
    let other = world.member("other@example.jp", Role::Member).await;
    let mine = world.customer(customer_on("一", "", &user(1))).await;
    let theirs = world.customer(customer_on("二", "", &user(2))).await;
    world.customer(customer_on("三", "", &user(3))).await;
    world.crm.assign_owner(&admin(), mine, Some(me)).await.unwrap();
    for number in 1..=4 {
        says(&world, number, i64::from(number), "質問").await;
    }
    world
        .crm
        .assign_owner(&admin(), theirs, Some(other))
        .await
        .unwrap();
    let on = async |tab| {
        let lines = column(&world, Column::Waiting, tab).await;
        let user = |line: BoardLine| line.conversation.key.address;
        lines.into_iter().map(user).collect::<Vec<_>>()
    };
    assert_eq!(on(Tab::All).await, [user(1), user(2), user(3), user(4)]);
    assert_eq!(on(Tab::Mine(me)).await, [user(1)]);
    assert_eq!(
        on(Tab::Unowned).await,
        [user(3), user(4)],
        "an unknown sender has no owner"
    );
    let unknown = MemberId::new(404);
    let answer = world.crm.assign_owner(&admin(), mine, Some(unknown)).await;
    assert_eq!(crate::world::faults(answer), [("owner_id", "missing")]);
    assert_eq!(
        world.crm.board_counts(&operator(), 3).await.unwrap(),
        BoardCounts {
            waiting: 3,
            mine: 0,
            unknown: 1
        },
        "counted up to the limit"
    );
}

#[tokio::test]
async fn pages_of_a_column_have_no_gap_and_no_double() {
    let world = World::new();
    for number in 1..=7 {
        says(&world, number, 1, "質問").await;
    }
    let mut request = BoardRequest {
        column: Column::Waiting,
        tab: Tab::All,
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 3,
    };
    let mut seen = Vec::new();
    loop {
        let page = world.crm.board(&admin(), request.clone()).await.unwrap().page;
        seen.extend(
            page.lines
                .iter()
                .map(|line| line.conversation.key.address.clone()),
        );
        request.after = page.lines.last().and_then(BoardLine::cursor);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (1..=7).map(user).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_room_has_no_line_and_nobody_waits_in_it() {
    let world = World::new();
    world.customer(customer_on("山田", "太郎", &user(1))).await;
    let said = FakeCallbacks::room_message(&user(1), &user(50), after(1), "みなさん");
    world.hear(&said).await;
    for of in Column::ALL {
        assert!(names(&world, of).await.is_empty());
    }
}

#[tokio::test]
async fn a_message_taken_back_is_not_what_was_said_last() {
    let world = World::new();
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    says(&world, 1, 1, "質問").await;
    world.clock.set(after(10));
    answer(&world, customer, "やめておきます").await;
    let last = async || {
        line(&world, customer)
            .await
            .conversation
            .standing
            .last
            .unwrap()
            .text
    };
    assert_eq!(last().await, "やめておきます");
    let send = world.page(customer).await[1].sending.as_ref().unwrap().id;
    world.crm.cancel_message(&member(), send).await.unwrap();
    assert_eq!(last().await, "質問");
    answer(&world, customer, "はい").await;
    let shown = world.page(customer).await[1].id;
    world.crm.delete_message(&member(), shown).await.unwrap();
    assert_eq!(last().await, "質問");
}
