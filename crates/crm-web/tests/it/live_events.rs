//! The stream of events, from outside: nothing is missed, nothing comes twice, and it ends when it must.

use std::time::{Duration, Instant};

use crm_domain::customers::CustomerId;
use crm_domain::events::{EventKind, NewEvent};
use crm_domain::members::Role;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::teams::{Sees, TeamDetails};
use serde_json::Value;

use crate::harness::stream::{Heard, Listener};
use crate::harness::{Ask, Browser, TARO, TestServer};

fn customers(heard: &[Heard]) -> Vec<i64> {
    let of = |one: &Heard| serde_json::from_str::<Value>(&one.data).unwrap()["customer"].as_i64();
    heard.iter().filter_map(of).collect()
}

async fn scene() -> (TestServer, Browser, CustomerId) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let browser = server.signed_in(Role::Member).await;
    (server, browser, customer)
}

/// The place behind everything that happened so far.
async fn place(browser: &mut Browser) -> String {
    let ask = Ask::get("/events").header("accept", "application/json");
    let answer = browser.send(ask).await.json();
    answer["cursor"].as_str().unwrap().to_owned()
}

/// The place that a page carries.
async fn place_of_page(browser: &mut Browser) -> String {
    let page = browser.get("/customers").await.text();
    let (_, rest) = page
        .split_once("<meta name=\"crm-events\" content=\"")
        .expect("a place");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_carries_a_place_that_is_not_newer_than_itself() {
    let (server, mut browser, _) = scene().await;
    let late = server.add_customer("遅い", "人", None).await;
    let path = format!("/events?cursor={}", place_of_page(&mut browser).await);
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    let then = server.add_customer("後の", "人", None).await;
    let mut heard = Vec::new();
    while customers(&heard).last() != Some(&then.get()) {
        heard.extend(listener.take(1).await);
    }
    assert!(
        customers(&heard).len() <= 3
            && !customers(&heard)[..customers(&heard).len() - 1].contains(&then.get())
    );
    assert!(late.get() < then.get());
}

async fn add_events(server: &TestServer, events: Vec<NewEvent>) {
    let work =
        move |uow: &mut dyn crm_domain::ports::store::UnitOfWork| uow.edit_events().add_events(&events);
    server.store.write::<_, StoreError, _>(work).await.unwrap();
}

fn for_customer(server: &TestServer, id: i64) -> NewEvent {
    NewEvent::new(EventKind::Customer, server.crm.now()).customer(CustomerId::new(id))
}

#[tokio::test]
async fn what_is_said_is_told_within_a_second() {
    let (server, mut browser, customer) = scene().await;
    let path = format!("/events?cursor={}", place(&mut browser).await);
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    assert!(listener.head.starts_with("HTTP/1.1 200"), "{}", listener.head);
    assert!(
        listener.head.contains("content-type: text/event-stream") && listener.head.contains("no-store"),
        "{}",
        listener.head
    );
    listener.until_opened().await;
    let said = Instant::now();
    let callback = crm_lineworks_sim::callbacks::text(TARO, "秘密の言葉");
    server.simulator.deliver(&callback).await.unwrap();
    let told = loop {
        let heard = listener.next().await.expect("it goes on");
        if heard.name == "message" {
            break heard;
        }
    };
    assert!(said.elapsed() < Duration::from_secs(2), "{:?}", said.elapsed());
    assert_eq!(customers(std::slice::from_ref(&told)), [customer.get()]);
    assert!(!told.data.contains("秘密"), "ids only");
    // The command line writes in the same store, and nobody wakes anybody.
    server.add_customer("佐藤", "次郎", None).await;
    assert_eq!(
        listener.next().await.map(|heard| heard.name).as_deref(),
        Some("customer")
    );
}

#[tokio::test]
async fn what_one_does_not_see_is_not_told_and_a_move_names_nothing() {
    let server = TestServer::start().await;
    let hidden = server.add_customer("山田", "太郎", Some(TARO)).await;
    let shown = server.add_customer("佐藤", "次郎", None).await;
    let mut browser = server.signed_in(Role::Member).await;
    let (crm, operator) = (&server.crm, TestServer::operator());
    let members = crm.list_members(&operator).await.unwrap();
    let me = members[0].id;
    let boss = server.add_member("boss@example.jp", Role::Admin).await;
    let team = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Own,
    };
    let team = crm.add_team(&operator, team).await.unwrap();
    crm.set_team_members(&operator, team, vec![(me, false)])
        .await
        .unwrap();
    crm.assign_owner(&operator, hidden, Some(boss)).await.unwrap();
    let path = format!("/events?cursor={}", place(&mut browser).await);
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    listener.until_opened().await;
    server
        .simulator
        .deliver(&crm_lineworks_sim::callbacks::text(TARO, "聞こえない"))
        .await
        .unwrap();
    server.wait_for_messages(hidden, 1).await;
    crm.assign_owner(&operator, shown, Some(boss)).await.unwrap();
    let heard = listener.take(1).await;
    assert_eq!((heard[0].name.as_str(), heard[0].data.as_str()), ("gone", "{}"));
    crm.assign_owner(&operator, hidden, Some(me)).await.unwrap();
    let heard = listener.take(2).await;
    let names: Vec<&str> = heard.iter().map(|heard| heard.name.as_str()).collect();
    assert!(names.contains(&"customer"), "{names:?}");
    assert_eq!(customers(&heard).first(), Some(&hidden.get()));
}

#[tokio::test]
async fn who_comes_back_misses_nothing_and_hears_nothing_twice() {
    let (mut server, mut browser, _) = scene().await;
    let path = format!("/events?cursor={}", place(&mut browser).await);
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    listener.until_opened().await;
    add_events(
        &server,
        (1_001..1_004).map(|id| for_customer(&server, id)).collect(),
    )
    .await;
    let mut heard: Vec<Heard> = listener.take(3).await;
    let last = heard.last().unwrap().id.clone();
    drop(listener);
    add_events(&server, vec![for_customer(&server, 1_004)]).await;
    let mut again = Listener::open(server.address, &browser, &path, Some(&last)).await;
    heard.extend(again.take(1).await);
    let last = heard.last().unwrap().id.clone();
    server.stop().await;
    assert_eq!(again.next().await, None, "streams end when the server stops");
    add_events(&server, vec![for_customer(&server, 1_005)]).await;
    server.start_again().await;
    let mut again = Listener::open(server.address, &browser, &path, Some(&last)).await;
    heard.extend(again.take(1).await);
    add_events(&server, vec![for_customer(&server, 1_006)]).await;
    heard.extend(again.take(1).await);
    assert_eq!(customers(&heard), (1_001..1_007).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_with_open_streams_stops_at_once() {
    let (mut server, browser, _) = scene().await;
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_unknown_or_lost_place_makes_the_page_load_anew() {
    let (server, mut browser, _) = scene().await;
    let known = place(&mut browser).await;
    let (epoch, _) = known.split_once('-').unwrap();
    for strange in [
        "0123456789abcdef-0-1".to_owned(),
        format!("{epoch}-999999999999-1"),
        "nonsense".to_owned(),
        "%0D%0Aevent:+x".to_owned(),
    ] {
        let path = format!("/events?cursor={strange}");
        let mut listener = Listener::open(server.address, &browser, &path, None).await;
        let first = listener.next().await.unwrap();
        assert_eq!(first.name, "reload", "{strange}");
        assert!(
            first.id.starts_with(epoch),
            "and goes on from the end: {}",
            first.id
        );
        add_events(&server, vec![for_customer(&server, 77)]).await;
        assert_eq!(customers(&listener.take(1).await), [77]);
    }
    add_events(&server, vec![for_customer(&server, 1); 1_200]).await;
    let path = format!("/events?cursor={known}");
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    assert_eq!(
        listener.next().await.unwrap().name,
        "reload",
        "too much was missed"
    );
}

#[tokio::test]
async fn the_place_that_the_browser_remembers_wins() {
    let (server, mut browser, _) = scene().await;
    let early = place(&mut browser).await;
    add_events(&server, vec![for_customer(&server, 1), for_customer(&server, 2)]).await;
    let path = format!("/events?cursor={early}");
    let mut first = Listener::open(server.address, &browser, &path, None).await;
    let heard = first.take(2).await;
    let mut second = Listener::open(server.address, &browser, &path, Some(&heard[0].id)).await;
    assert_eq!(second.take(1).await, heard[1..]);
}

#[tokio::test]
async fn whoever_does_not_read_during_a_flood_still_learns_that_something_was_missed() {
    let (server, mut browser, _) = scene().await;
    let path = format!("/events?cursor={}", place(&mut browser).await);
    let mut listener = Listener::open(server.address, &browser, &path, None).await;
    listener.until_opened().await;
    for _ in 0..30 {
        add_events(&server, vec![for_customer(&server, 5); 1_000]).await;
    }
    add_events(&server, vec![for_customer(&server, 6)]).await;
    // It is told to load anew, or it hears all, or the stream ends and goes on where it was.
    let mut reloads = 0;
    let mut last_heard = None;
    while let Some(heard) = listener.next().await {
        reloads += usize::from(heard.name == "reload");
        last_heard = Some(heard.id.clone());
        if reloads > 0 || customers(&[heard]) == [6] {
            break;
        }
    }
    let last = last_heard.expect("something was heard");
    let mut again = Listener::open(server.address, &browser, &path, Some(&last)).await;
    again.until_opened().await;
    add_events(&server, vec![for_customer(&server, 7)]).await;
    // As an event, or within the next reload: the place is the end in both.
    let end = place(&mut browser).await;
    while again.take(1).await[0].id != end {}
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let (server, mut browser, _) = scene().await;
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let stale = browser.clone();
    browser.get("/customers").await;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    let ended = Instant::now();
    assert_eq!(
        listener.next().await.map(|heard| heard.name).as_deref(),
        Some("signed-out")
    );
    assert_eq!(listener.next().await, None);
    assert!(ended.elapsed() < Duration::from_secs(8), "{:?}", ended.elapsed());
    let mut again = Listener::open(server.address, &stale, "/events", None).await;
    assert_eq!(
        again.next().await.map(|heard| heard.name).as_deref(),
        Some("signed-out")
    );
    let json = Ask::get("/events")
        .header("accept", "application/json")
        .send(server.address)
        .await;
    assert_eq!(json.status, 401);
}

#[tokio::test]
async fn a_disabled_member_hears_nothing_more() {
    let (server, browser, _) = scene().await;
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let operator = TestServer::operator();
    let members = server.crm.list_members(&operator).await.unwrap();
    server
        .crm
        .disable_member(&operator, members[0].id, true)
        .await
        .unwrap();
    while let Some(heard) = listener.next().await {
        assert!(
            heard.name == "signed-out" || heard.name == "member_notice",
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn what_concerns_one_member_reaches_no_other() {
    let (server, browser, _) = scene().await;
    let members = server.crm.list_members(&TestServer::operator()).await.unwrap();
    let me = members[0].id;
    let other = crm_domain::members::MemberId::new(me.get() + 1);
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let notice = |member| NewEvent::new(EventKind::MemberNotice, server.crm.now()).only_for(member);
    add_events(&server, vec![notice(other), for_customer(&server, 1), notice(me)]).await;
    let names: Vec<String> = listener
        .take(2)
        .await
        .into_iter()
        .map(|heard| heard.name)
        .collect();
    assert_eq!(names, ["customer", "member_notice"]);
}

#[tokio::test]
async fn what_was_missed_can_be_asked_for_as_json() {
    let (server, mut browser, _) = scene().await;
    let early = place(&mut browser).await;
    add_events(&server, vec![for_customer(&server, 3)]).await;
    let ask =
        |cursor: &str| Ask::get(&format!("/events?cursor={cursor}")).header("accept", "application/json");
    let news = browser.send(ask(&early)).await.json();
    assert_eq!(
        (
            news["reload"].clone(),
            news["events"][0]["data"]["customer"].clone()
        ),
        (false.into(), 3.into())
    );
    let then = browser.send(ask(news["cursor"].as_str().unwrap())).await.json();
    assert_eq!(then["events"], Value::Array(Vec::new()));
    assert_eq!(browser.send(ask("x-0-1")).await.json()["reload"], true);
}
