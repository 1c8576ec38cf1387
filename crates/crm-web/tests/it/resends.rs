//! Messages sent again, and forms that come back to their page.

use crm_domain::members::Role;
use crm_domain::sends::SendState;
use crm_lineworks_sim::{Endpoint, Fault, callbacks};

use crate::harness::{Ask, Setup, TARO, TestServer};
use crate::sends::Scene;

#[tokio::test]
async fn what_is_sent_again_replaces_what_failed() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}/send", scene.customer);
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(403));
    let answer = scene.send("届かない", "").await.json();
    assert_eq!(answer["state"], "failed");
    let failed = scene.server.conversation(scene.customer).await[0].id.to_string();
    let again = [
        ("message", "届かない"),
        ("key", "again-1"),
        ("replaces", failed.as_str()),
    ];
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(403));
    scene.browser.post(&path, &again).await;
    assert_eq!(scene.states().await, [SendState::Failed], "one failure, not two");
    let late = [("message", "届かない"), ("key", "again-2"), again[2]];
    let answer = scene.browser.post(&path, &late).await;
    assert_eq!(answer.status, 303, "a colleague's page is behind");
    let page = scene
        .browser
        .get(&format!("/customer/{}", scene.customer))
        .await
        .text();
    assert!(page.contains("すでに再送されたか、削除されています"), "{page}");
    let newest = scene.server.conversation(scene.customer).await[0].id.to_string();
    let last = [
        ("message", "届いた"),
        ("key", "again-3"),
        ("replaces", newest.as_str()),
    ];
    scene.browser.post(&path, &last).await;
    assert_eq!(scene.states().await, [SendState::Sent]);
    assert_eq!(scene.server.simulator.messages_to(TARO).len(), 1);
    let page = scene
        .browser
        .get(&format!("/customer/{}", scene.customer))
        .await
        .text();
    assert!(!page.contains("再送する"));
    let odd = [("message", "はい"), ("replaces", "x")];
    assert_eq!(scene.browser.post(&path, &odd).await.status, 422);
}

#[tokio::test]
async fn the_draft_of_what_failed_takes_its_place_after_a_reload() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}", scene.customer);
    let asks = callbacks::text(TARO, "見積をお願いします");
    scene.server.simulator.deliver(&asks).await.unwrap();
    scene.server.wait_for_messages(scene.customer, 1).await;
    let draft = [("message", "届かない\n2行目")];
    scene.browser.post(&format!("{path}/draft"), &draft).await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(403));
    scene.send("届かない\n2行目", "").await;
    let page = scene.browser.get(&path).await.text();
    let failed = scene.server.conversation(scene.customer).await[0].id.to_string();
    let hidden = format!("name=\"replaces\" autocomplete=\"off\" value=\"{failed}\"");
    assert!(page.contains(&hidden), "{page}");
    assert!(page.contains("不要なら「返信不要」を押してください"), "{page}");
    let again = [draft[0], ("replaces", failed.as_str())];
    scene.browser.post(&format!("{path}/send"), &again).await;
    assert_eq!(
        scene.states().await,
        [SendState::Sent],
        "nothing is left to send again"
    );
    scene
        .browser
        .post(&format!("{path}/draft"), &[("message", "ほかの話")])
        .await;
    let page = scene.browser.get(&path).await.text();
    assert!(!page.contains("name=\"replaces\""), "{page}");
}

#[tokio::test]
async fn what_may_have_arrived_stays_without_its_button_once_sent_again() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}", scene.customer);
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(500));
    scene.send("届いたかも", "").await;
    assert_eq!(scene.states().await, [SendState::Unknown]);
    let unknown = scene.server.conversation(scene.customer).await[0].id.to_string();
    let page = scene.browser.get(&path).await.text();
    assert!(page.contains(&format!("name=\"replaces\" value=\"{unknown}\"")));
    let again = [("message", "届いたかも"), ("replaces", unknown.as_str())];
    scene.browser.post(&format!("{path}/send"), &again).await;
    assert_eq!(scene.states().await, [SendState::Sent, SendState::Unknown]);
    let page = scene.browser.get(&path).await.text();
    assert!(
        page.contains("再送済みです") && !page.contains("再送する"),
        "{page}"
    );
}

#[tokio::test]
async fn the_address_of_the_form_leads_to_its_page() {
    let mut scene = Scene::set().await;
    let path = format!("/customer/{}", scene.customer);
    let answer = scene.browser.get(&format!("{path}/send")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(path.as_str()))
    );
}

#[tokio::test]
async fn a_form_sent_without_a_session_comes_back_to_its_page() {
    let scene = Scene::set().await;
    let path = format!("/customer/{}", scene.customer);
    let home = format!("http://{}", scene.server.address);
    let whither = async |ask: Ask| {
        let answer = ask.form(&[("message", "x")]).send(scene.server.address).await;
        assert_eq!(answer.status, 303);
        answer.header("location").unwrap().to_owned()
    };
    let send = || Ask::post(&format!("{path}/send"));
    let aim = format!("/login?next={}", path.replace('/', "%2F"));
    assert_eq!(
        whither(send().header("referer", format!("{home}{path}"))).await,
        aim
    );
    let form = format!("{aim}%2Fsend");
    assert_eq!(whither(send()).await, form);
    assert_eq!(
        whither(send().header("referer", "http://evil.example/x")).await,
        form
    );
    let button = Ask::post("/activity/1/delete");
    assert_eq!(whither(button).await, "/login?next=%2F");
    let script = send()
        .header("x-csrf-token", "x")
        .header("accept", "application/json")
        .form(&[("message", "x")]);
    let told = script.send(scene.server.address).await;
    assert_eq!(
        (told.status, &told.json()["code"]),
        (401, &"not_signed_in".into())
    );
}

#[tokio::test]
async fn trying_again_on_the_large_page_leaves_no_second_failure() {
    let mut scene = Scene::set().await;
    let path = format!("/send-message/{}", scene.customer);
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 2, Fault::status(403));
    let mut replaces = String::new();
    for _ in 0..2 {
        let form = [("message", "大きな画面から"), ("replaces", replaces.as_str())];
        let page = scene.browser.post(&path, &form).await;
        assert_eq!(page.status, 409);
        let text = page.text();
        let (_, rest) = text
            .split_once("name=\"replaces\" autocomplete=\"off\" value=\"")
            .unwrap();
        replaces = rest.split('"').next().unwrap().to_owned();
        assert_eq!(scene.states().await, [SendState::Failed]);
    }
    let form = [("message", "大きな画面から"), ("replaces", replaces.as_str())];
    assert_eq!(scene.browser.post(&path, &form).await.status, 303);
    assert_eq!(scene.states().await, [SendState::Sent]);
    let late = scene.browser.post(&path, &form).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("すでに再送されたか") && late.text().contains("大きな画面から"));
}

#[tokio::test]
async fn what_another_server_may_still_let_leave_is_not_sent_again_before_its_time_is_over() {
    let server = TestServer::start_with(Setup {
        shared: true,
        ..Setup::default()
    })
    .await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let browser = server.signed_in(Role::Member).await;
    let mut scene = Scene {
        server,
        browser,
        customer,
    };
    let path = format!("/customer/{customer}");
    scene.browser.get(&path).await;
    scene
        .server
        .simulator
        .fail_next_on(Endpoint::Send, 1, Fault::status(500));
    scene.send("届いたかも", "").await;
    assert_eq!(scene.states().await, [SendState::Unknown]);
    // As when it was another server's, whose lease ended.
    let until_in = |seconds: i32| {
        let until = format!("(clock_timestamp() AT TIME ZONE 'utc') + interval '{seconds} seconds'");
        let database = scene.server.database().unwrap();
        database.sql(&format!("UPDATE sends SET lease_until = {until}"));
    };
    until_in(300);
    let page = scene.browser.get(&path).await.text();
    let told = "前の送信がまだ続いている可能性があるため、";
    assert!(page.contains(told) && page.contains("から再送できます"), "{page}");
    let unknown = scene.server.conversation(customer).await[0].id.to_string();
    let button = format!("name=\"replaces\" value=\"{unknown}\"");
    assert!(!page.contains(&button), "{page}");
    let again = [("message", "届いたかも"), ("replaces", unknown.as_str())];
    let refused = scene.browser.post(&format!("{path}/send"), &again).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    let why = refused.text();
    assert!(
        why.contains("まだ再送できません") && why.contains("届いたかも"),
        "{why}"
    );
    assert_eq!(scene.states().await, [SendState::Unknown], "nothing was queued");
    let reached = scene.server.simulator.messages_to(TARO).len();
    until_in(-1);
    let page = scene.browser.get(&path).await.text();
    assert!(!page.contains(told) && page.contains(&button), "{page}");
    scene.browser.post(&format!("{path}/send"), &again).await;
    assert_eq!(scene.states().await, [SendState::Sent, SendState::Unknown]);
    assert_eq!(
        scene.server.simulator.messages_to(TARO).len(),
        reached + 1,
        "once"
    );
}
