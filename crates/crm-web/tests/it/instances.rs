//! Two instances on one database: what happens at one holds at the other.

use std::time::{Duration, Instant};

use crm_domain::members::Role;
use crm_domain::teams::{Sees, TeamDetails};
use crm_lineworks_sim::{Endpoint, Fault, callbacks};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::server::PASSWORD;
use crate::harness::stream::{Heard, Listener};
use crate::harness::{Answer, Ask, Browser, Setup, TARO, TestServer, until};

async fn shared() -> TestServer {
    shared_with(Setup::default()).await
}

async fn shared_with(setup: Setup) -> TestServer {
    TestServer::start_with(Setup {
        shared: true,
        ..setup
    })
    .await
}

/// The same browser, as a balancer may lead it to another instance.
fn led_to(browser: &Browser, address: std::net::SocketAddr) -> Browser {
    Browser {
        to: address,
        ..browser.clone()
    }
}

#[tokio::test]
async fn a_message_that_arrives_at_one_shows_at_another_within_a_second() {
    let server = shared().await;
    let other = server.join().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = led_to(&server.signed_in(Role::Member).await, other.address);
    assert_eq!(browser.get("/customers").await.status, 200, "signed in at both");
    let mut listener = Listener::open(other.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let said = Instant::now();
    server
        .simulator
        .deliver(&callbacks::text(TARO, "こんにちは"))
        .await
        .unwrap();
    while listener.next().await.expect("it goes on").name != "message" {}
    assert!(said.elapsed() < Duration::from_secs(2), "{:?}", said.elapsed());
}

#[tokio::test]
async fn three_instances_that_send_at_once_ask_for_one_access_token() {
    let server = shared().await;
    let late = Fault::Slow(Duration::from_millis(500));
    server.simulator.fail_next_on(Endpoint::Token, 1, late);
    let (second, third) = tokio::join!(server.join(), server.join());
    let browser = server.signed_in(Role::Member).await;
    let mut sending = tokio::task::JoinSet::new();
    let addresses = [server.address, second.address, third.address];
    for (number, address) in addresses.into_iter().enumerate() {
        let user = format!("0b1c2d3e-0000-4000-8000-00000000009{number}");
        let customer = server.add_customer("山田", "太郎", Some(&user)).await;
        let mut browser = led_to(&browser, address);
        browser.get(&format!("/customer/{customer}")).await;
        sending.spawn(async move {
            let page = format!("/customer/{customer}/send");
            browser.post(&page, &[("message", "こんにちは")]).await.status
        });
    }
    let answers = sending.join_all().await;
    assert_eq!(answers, [303; 3]);
    until("all are sent", async || {
        (server.simulator.messages().len() == 3).then_some(())
    })
    .await;
    assert_eq!(server.simulator.requests(Endpoint::Token), 1);
}

#[tokio::test]
async fn a_session_that_ends_at_one_ends_its_streams_at_the_other() {
    let server = shared().await;
    let other = server.join().await;
    let mut browser = server.signed_in(Role::Member).await;
    let mut listener = Listener::open(other.address, &browser, "/events", None).await;
    listener.until_opened().await;
    browser.get("/customers").await;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    let ended = Instant::now();
    while listener
        .next()
        .await
        .is_some_and(|heard| heard.name != "signed-out")
    {}
    assert!(ended.elapsed() < Duration::from_secs(6), "{:?}", ended.elapsed());
    let mut elsewhere = led_to(&browser, other.address);
    assert_eq!(elsewhere.get("/customers").await.status, 303, "and its pages");
}

#[tokio::test]
async fn wrong_sign_ins_are_counted_for_all_together() {
    let server = shared().await;
    let other = server.join().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    for address in [server.address, other.address] {
        let mut stranger = Browser::new(address);
        for _ in 0..5 {
            let answer = stranger.sign_in("hanako@example.jp", "wrong").await;
            assert_eq!(answer.status, 422, "{}", answer.text());
        }
    }
    for address in [server.address, other.address] {
        let answer = Browser::new(address).sign_in("hanako@example.jp", PASSWORD).await;
        assert_eq!(answer.status, 429);
    }
}

#[tokio::test]
async fn the_limit_of_a_token_holds_for_all_together() {
    let server = shared_with(Setup::default().with("CRM_API_RATE_LIMIT", "40")).await;
    let other = server.join().await;
    let token = server.token(Role::Member).await;
    let ask = async |address| {
        let ask = Ask::get("/api/v1/customers").header("authorization", format!("Bearer {token}"));
        ask.send(address).await.status
    };
    for _ in 0..40 {
        assert_eq!(ask(server.address).await, 200);
    }
    assert_eq!(ask(server.address).await, 429);
    let mut answered = 0;
    until("the other has heard of it", async || {
        let status = ask(other.address).await;
        answered += u32::from(status == 200);
        (status == 429).then_some(())
    })
    .await;
    // Until it is told, some more pass: about a second's.
    assert!(answered < 40, "{answered}");
}

/// The part of a request that is sent first, and the rest.
fn in_two(ask: &Ask, to: std::net::SocketAddr) -> (Vec<u8>, Vec<u8>) {
    let bytes = ask.bytes_for(to);
    let (head, rest) = bytes.split_at(bytes.len() - 4);
    (head.to_vec(), rest.to_vec())
}

#[tokio::test]
async fn who_asked_the_one_that_stops_hears_what_another_delivered() {
    let server = shared().await;
    let mut other = server.join().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = led_to(&server.signed_in(Role::Member).await, other.address);
    browser.get(&format!("/customer/{customer}")).await;
    let session = browser.cookie("crm_session").unwrap_or_default();
    let ask = Ask::post(&format!("/customer/{customer}/send"))
        .header("origin", format!("http://{}", other.address))
        .header("accept", "application/json")
        .header("cookie", format!("crm_session={session}"))
        .form(&[
            ("message", "まだ間に合う"),
            ("csrf_token", browser.token.as_str()),
        ]);
    let (first, rest) = in_two(&ask, other.address);
    let mut stream = TcpStream::connect(other.address).await.unwrap();
    stream.write_all(&first).await.unwrap();
    other.tell_to_stop().await;
    until("nobody new is taken", async || {
        TcpStream::connect(other.address).await.err().map(drop)
    })
    .await;
    stream.write_all(&rest).await.unwrap();
    let mut received = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(12), stream.read_to_end(&mut received)).await;
    read.expect("an answer in time").unwrap();
    let answer = Answer::parse(&received).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["success"], true, "{}", answer.text());
    other.end().await;
    assert_eq!(server.simulator.messages_to(TARO).len(), 1, "sent once");
}

/// Hears until an event of this kind.
async fn until_heard(listener: &mut Listener, kind: &str) -> Vec<Heard> {
    let mut heard = Vec::new();
    while let Some(next) = listener.next().await {
        let last = next.name == kind;
        heard.push(next);
        if last {
            return heard;
        }
    }
    panic!("no {kind}: {heard:?}");
}

#[tokio::test]
async fn a_team_changed_at_one_is_heeded_by_the_streams_of_another() {
    let server = shared().await;
    let other = server.join().await;
    let (crm, operator) = (&server.crm, TestServer::operator());
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let browser = server.signed_in(Role::Member).await;
    let me = crm.list_members(&operator).await.unwrap()[0].id;
    let mut admin = server.signed_in(Role::Admin).await;
    let boss = crm.list_members(&operator).await.unwrap();
    let boss = boss.iter().find(|member| member.id != me).expect("the other").id;
    crm.assign_owner(&operator, customer, Some(boss)).await.unwrap();
    let team = TeamDetails {
        name: "営業".to_owned(),
        sees: Sees::Own,
    };
    let team = crm.add_team(&operator, team).await.unwrap();
    let mut listener = Listener::open(other.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let says = async |text: &str| {
        let event = callbacks::text(TARO, text);
        server.simulator.deliver(&event).await.unwrap();
    };
    says("まだ見える").await;
    until_heard(&mut listener, "message").await;
    let page = format!("/admin/teams/{team}/members");
    admin.get("/admin/teams").await;
    let number = me.to_string();
    assert_eq!(
        admin.post(&page, &[("member", number.as_str())]).await.status,
        303
    );
    says("もう見えない").await;
    server.wait_for_messages(customer, 2).await;
    let shown = server.add_customer("佐藤", "次郎", None).await;
    until_heard(&mut listener, "gone").await;
    let heard = until_heard(&mut listener, "customer").await;
    let hidden = format!("\"customer\":{customer}");
    assert!(
        heard.iter().all(|heard| !heard.data.contains(&hidden)),
        "{heard:?}"
    );
    assert!(
        heard
            .last()
            .is_some_and(|heard| heard.data.contains(&shown.to_string()))
    );
}

#[tokio::test]
async fn a_role_taken_at_one_ends_the_streams_of_another_before_anything_more_is_told() {
    let server = shared().await;
    let other = server.join().await;
    let (crm, operator) = (&server.crm, TestServer::operator());
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let reader = server.signed_in(Role::Admin).await;
    let former = crm.list_members(&operator).await.unwrap()[0].id;
    let second = server.add_member("second@example.jp", Role::Admin).await;
    let mut admin = server.browser();
    assert_eq!(
        admin.sign_in("second@example.jp", PASSWORD).await.status,
        303,
        "{second}"
    );
    admin.get("/").await;
    let mut listener = Listener::open(other.address, &reader, "/events", None).await;
    listener.until_opened().await;
    let page = format!("/admin/users/{former}/role");
    assert_eq!(admin.post(&page, &[("role", "member")]).await.status, 303);
    let event = callbacks::text(TARO, "もう聞こえない");
    server.simulator.deliver(&event).await.unwrap();
    server.wait_for_messages(customer, 1).await;
    let heard = until_heard(&mut listener, "signed-out").await;
    assert!(heard.iter().all(|heard| heard.name != "message"), "{heard:?}");
}
