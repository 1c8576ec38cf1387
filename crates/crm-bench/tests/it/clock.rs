//! The server's clock jumps by an hour and back. LINE WORKS' clock goes on as it is.

use std::time::{Duration, Instant};

use crm_bench::trial::{Line, callback, callback_of, send};
use crm_domain::activities::Activity;
use crm_domain::ports::host::Clock as _;
use crm_domain::sends::SendState;
use crm_host::SystemClock;
use time::UtcOffset;

use crate::scene::{PATIENCE, Scene};

const HOUR: i64 = 3_600;
/// How wrong the clock goes, one after the other.
const JUMPS: [i64; 4] = [HOUR, 0, -HOUR, 0];

/// What is said in a talk, one after the other; each turn waits until the one before is on the page.
struct Talk {
    scene: Scene,
    line: Line,
    said: Vec<String>,
    bodies: Vec<Vec<u8>>,
    waits_since: Option<crm_domain::instant::Instant>,
}

impl Talk {
    async fn begin() -> Self {
        let scene = Scene::set().await;
        let line = Line::new(scene.trial.door());
        Self {
            scene,
            line,
            said: Vec::new(),
            bodies: Vec::new(),
            waits_since: None,
        }
    }

    async fn customer_says(&mut self, text: String) {
        let user = &self.scene.desk.customers[0].1;
        let at = SystemClock.now();
        let body = callback_of(user, &text, at.at_offset(UtcOffset::UTC));
        let answer = self.line.ask(&callback(&body)).await.unwrap();
        assert_eq!(answer.status, 200, "{text}");
        self.bodies.push(body);
        self.said.push(text);
        self.assert_order().await;
        self.waits_since = self.waits_since.or(Some(at));
        self.assert_waiting().await;
    }

    async fn we_say(&mut self, text: String) {
        let customer = self.scene.desk.customers[0].0;
        let request = send(&self.scene.desk.token, customer.get(), &text, &text);
        let answer = self.line.ask(&request).await.unwrap();
        assert!(
            answer.body.contains("\"state\":\"sent\""),
            "{text}: {} {}",
            answer.status,
            answer.body
        );
        self.said.push(text);
        self.assert_order().await;
        self.waits_since = None;
        self.assert_waiting().await;
    }

    /// Everything said so far, in the order in which it was said, each once.
    async fn assert_order(&self) -> Vec<Activity> {
        let began = Instant::now();
        loop {
            let office = self.scene.trial.office().await.unwrap();
            let page = office.conversation(self.scene.desk.customers[0].0).await.unwrap();
            if page.len() >= self.said.len() {
                let texts: Vec<&str> = page.iter().map(|message| message.message.as_str()).collect();
                assert_eq!(texts, self.said);
                return page;
            }
            assert!(began.elapsed() < PATIENCE, "not recorded: {:?}", self.said.last());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The customer waits since the oldest message after our last answer.
    async fn assert_waiting(&self) {
        let office = self.scene.trial.office().await.unwrap();
        let waits = office.waits_since(self.scene.desk.customers[0].0).await.unwrap();
        assert_eq!(waits, self.waits_since, "after {:?}", self.said.last());
    }

    /// LINE WORKS does not do this, proxies do.
    async fn everything_comes_again(&mut self) {
        for body in &self.bodies {
            let answer = self.line.ask(&callback(body)).await.unwrap();
            assert_eq!(answer.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_loses_doubles_and_reorders_nothing() {
    let mut talk = Talk::begin().await;
    for (number, jump) in JUMPS.into_iter().enumerate() {
        talk.scene.shim.move_clock(jump).unwrap();
        talk.customer_says(format!("{number}-first")).await;
        talk.customer_says(format!("{number}-second")).await;
        talk.we_say(format!("{number}-answer")).await;
        talk.customer_says(format!("{number}-thanks")).await;
        talk.we_say(format!("{number}-goodbye")).await;
        talk.everything_comes_again().await;
    }
    let page = talk.assert_order().await;
    let ours: Vec<SendState> = page.iter().filter_map(Activity::send_state).collect();
    assert!(ours.iter().all(|state| *state == SendState::Sent), "{ours:?}");
    assert_eq!(ours.len(), talk.scene.trial.simulator.messages().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_while_the_server_is_down_loses_and_reorders_nothing() {
    let mut talk = Talk::begin().await;
    for (number, jump) in JUMPS.into_iter().enumerate() {
        talk.customer_says(format!("{number}-before")).await;
        talk.we_say(format!("{number}-answer")).await;
        talk.scene.trial.kill().unwrap();
        talk.scene.shim.move_clock(jump).unwrap();
        talk.scene.trial.start().await.unwrap();
        talk.line = Line::new(talk.scene.trial.door());
        talk.customer_says(format!("{number}-after")).await;
        talk.everything_comes_again().await;
    }
    talk.assert_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_another_try_does_not_wait_for_the_clock() {
    for jump in [-HOUR, HOUR] {
        let talk = Talk::begin().await;
        let simulator = &talk.scene.trial.simulator;
        simulator.pause().await;
        let customer = talk.scene.desk.customers[0].0;
        let request = send(&talk.scene.desk.token, customer.get(), "later", "later");
        let mut line = Line::new(talk.scene.trial.door());
        assert!(
            line.ask(&request)
                .await
                .unwrap()
                .body
                .contains("\"state\":\"queued\"")
        );
        talk.scene.shim.move_clock(jump).unwrap();
        simulator.resume().await.unwrap();
        let sent = simulator.wait_for_messages(1, PATIENCE).await.unwrap();
        assert_eq!(sent.len(), 1);
    }
}
