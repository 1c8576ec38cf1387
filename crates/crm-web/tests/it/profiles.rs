//! Names of senders, 「メンバーから選ぶ」, and login ids in the form.

use crm_domain::members::Role;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::senders::Sender;
use crm_domain::values::LineUserId;
use crm_lineworks_sim::{Endpoint, Fault, Member, SimulatorConfig};

use crate::harness::window::Window;
use crate::harness::{Browser, HANAKO, Setup, TARO, TestServer, until};

fn members() -> Vec<Member> {
    let hanako = Member::new(HANAKO, "髙橋", "花子").with_kana("タカハシ", "ハナコ");
    let taro = Member::new(TARO, "山田", "太郎").with_kana("ヤマダ", "タロウ");
    vec![
        hanako.with_email("hanako@sim.example"),
        taro.with_email("taro@sim.example"),
    ]
}

fn tenant(scopes: &[&str]) -> Setup {
    Setup {
        simulator: SimulatorConfig {
            members: members(),
            only_listed_members: true,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..SimulatorConfig::default()
        },
        ..Setup::default()
    }
}

const ALL: [&str; 3] = ["bot", "user.read", "user.profile.read"];

async fn scene(scopes: &[&str]) -> (TestServer, Browser) {
    let server = TestServer::start_with(tenant(scopes)).await;
    let browser = server.signed_in(Role::Member).await;
    (server, browser)
}

/// A sender as the recorder notes one who is no customer.
async fn note(server: &TestServer, user: &str) {
    let person = LineUserId::new(user).unwrap().unwrap();
    let at = server.crm.now();
    let noted = server.store.write(move |unit| {
        unit.edit_senders()
            .note_senders(std::slice::from_ref(&person), at)?;
        Ok::<_, StoreError>(())
    });
    noted.await.unwrap();
}

async fn sender_once(server: &TestServer, user: &str, what: &str, ready: fn(&Sender) -> bool) -> Sender {
    let person = LineUserId::new(user).unwrap().unwrap();
    until(what, async || {
        let found = server
            .crm
            .senders_of(&TestServer::operator(), vec![person.clone()])
            .await
            .unwrap();
        found.into_iter().next().filter(ready)
    })
    .await
}

#[tokio::test]
async fn the_name_of_a_sender_is_looked_up_and_fills_the_form() {
    let (server, mut browser) = scene(&ALL).await;
    note(&server, HANAKO).await;
    let sender = sender_once(&server, HANAKO, "the name", |sender| sender.fetched_at.is_some()).await;
    assert_eq!(sender.full_name().as_deref(), Some("髙橋 花子"));
    let form = browser
        .get(&format!("/customer/new?line_user_id={HANAKO}"))
        .await
        .text();
    for value in ["髙橋", "花子", "タカハシ", "ハナコ", HANAKO] {
        assert!(form.contains(&format!("value=\"{value}\"")), "{value}");
    }
}

#[tokio::test]
async fn without_the_scope_names_are_missing_and_messages_still_leave() {
    let (mut server, mut browser) = scene(&["bot"]).await;
    note(&server, HANAKO).await;
    let sender = sender_once(&server, HANAKO, "the problem", |sender| sender.problem.is_some()).await;
    assert!(sender.is_nameless());
    assert_eq!(sender.problem.as_deref(), Some("scope_missing"));
    until("the warning", async || {
        server.log().contains("user.profile.read").then_some(())
    })
    .await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    browser.get(&format!("/customer/{customer}")).await;
    let path = format!("/customer/{customer}/send");
    let sent = browser.post(&path, &[("message", "届きます")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    server
        .simulator
        .wait_for_messages(1, std::time::Duration::from_secs(10))
        .await
        .unwrap();
    server.stop().await;
    server.simulator.set_scopes(&ALL);
    server.start_again().await;
    sender_once(&server, HANAKO, "the name after a restart", |sender| {
        sender.fetched_at.is_some()
    })
    .await;
}

#[tokio::test]
async fn a_login_id_is_saved_as_the_user_id() {
    let (server, mut browser) = scene(&ALL).await;
    browser.get("/customer/new").await;
    let typed = [("last_name", "山田"), ("line_user_id", "taro@sim.example")];
    let answer = browser.post("/customer/new", &typed).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let path = answer.header("location").unwrap().to_owned();
    let page = browser.get(&path).await.text();
    assert!(page.contains(TARO) && !page.contains("taro@sim.example"));
    browser.get(&format!("{path}/edit")).await;
    let typed = [("last_name", "山田"), ("line_user_id", "Hanako@sim.example")];
    let answer = browser.post(&format!("{path}/edit"), &typed).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(browser.get(&path).await.text().contains(HANAKO));
    drop(server);
}

#[tokio::test]
async fn a_login_id_that_cannot_be_resolved_comes_back_with_the_reason() {
    let (server, mut browser) = scene(&ALL).await;
    browser.get("/customer/new").await;
    let mut refused = async |what: &str, sentence: &str| {
        let typed = [("last_name", "山田"), ("line_user_id", "nobody@sim.example")];
        let answer = browser.post("/customer/new", &typed).await;
        assert_eq!(answer.status, 422, "{what}");
        let page = answer.text();
        assert!(page.contains("value=\"nobody@sim.example\""), "{what}");
        assert!(page.matches(sentence).count() >= 2, "{what}: {page}");
    };
    refused("nobody has it", "このログインIDのメンバーはLINE WORKSにいません").await;
    server.simulator.always_on(Endpoint::Users, Fault::status(503));
    refused(
        "LINE WORKS is in trouble",
        "今はLINE WORKSに問い合わせられないため",
    )
    .await;
    server.simulator.clear_faults();
    server.simulator.pause().await;
    refused("LINE WORKS is away", "今はLINE WORKSに問い合わせられないため").await;
    let (_server, mut browser) = scene(&["bot"]).await;
    browser.get("/customer/new").await;
    let typed = [("last_name", "山田"), ("line_user_id", "taro@sim.example")];
    let page = browser.post("/customer/new", &typed).await.text();
    assert!(page.contains("「user.profile.read」にチェックを入れて"), "{page}");
}

#[tokio::test]
async fn members_are_chosen_without_scripts_too() {
    let (server, mut browser) = scene(&ALL).await;
    let customer = server.add_customer("鈴木", "一", None).await;
    let form = browser.get(&format!("/customer/{customer}/edit")).await.text();
    let address = format!("/members/line-works?customer={customer}");
    assert!(form.contains(&format!("href=\"{address}\"")), "{form}");
    let page = browser.get(&address).await.text();
    assert_eq!(page.matches("<tr data-href").count(), 2);
    assert!(page.find("タカハシ") < page.find("ヤマダ"), "ordered by reading");
    let found = browser
        .get(&format!("{address}&q=%E3%82%84%E3%81%BE%E3%81%A0"))
        .await
        .text();
    assert_eq!(found.matches("<tr data-href").count(), 1);
    let chosen = format!("/customer/{customer}/edit?line_user_id={TARO}");
    assert!(found.contains(&chosen), "{found}");
    let form = browser.get(&chosen).await.text();
    assert!(form.contains(&format!("value=\"{TARO}\"")) && form.contains("value=\"鈴木\""));
    let json = browser.get("/members/line-works.json?q=hanako").await.json();
    assert_eq!(json["members"][0]["user_id"], HANAKO);
    assert_eq!(json["members"][0]["kana"], "タカハシ ハナコ");
    assert_eq!(
        (json["more"].as_bool(), json["problem"].is_null()),
        (Some(false), true)
    );
    assert_eq!(browser.get("/members/line-works?customer=x").await.status, 404);
    assert_eq!(server.get("/members/line-works.json").await.status, 401);
}

#[tokio::test]
async fn a_list_that_may_not_be_read_says_which_scope_to_tick() {
    let (_server, mut browser) = scene(&["bot"]).await;
    let page = browser.get("/members/line-works").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("「user.read」にチェックを入れて"));
    let json = browser.get("/members/line-works.json").await.json();
    assert!(json["problem"].as_str().unwrap().contains("user.read"));
}

#[tokio::test]
async fn a_member_is_chosen_in_the_browser_without_losing_what_was_typed() {
    let server = TestServer::start_with(tenant(&ALL)).await;
    server.add_member("hanako@example.jp", Role::Admin).await;
    let window = Window::open(&server, 1280).await;
    window.sign_in("hanako@example.jp").await;
    window.go("/customer/new").await;
    window.type_into("#f-last_name", "山田").await;
    window.click("[data-choose-member]").await;
    window
        .until(
            "all members",
            "return document.querySelectorAll('#member-dialog[open] li').length === 2",
        )
        .await;
    window.type_into("#member-search", "やまだ").await;
    window
        .until(
            "the one found",
            "return document.querySelectorAll('#member-dialog li').length === 1",
        )
        .await;
    window.click("#member-dialog li button").await;
    window
        .until(
            "closed",
            "return !document.querySelector('#member-dialog').open && document.activeElement.id === 'f-line_user_id'",
        )
        .await;
    let value = |id: &str| format!("return document.querySelector('#{id}').value");
    assert_eq!(window.ask::<String>(&value("f-line_user_id")).await, TARO);
    assert_eq!(window.ask::<String>(&value("f-last_name")).await, "山田");
    window.close().await;
}
