//! Messages of ours while the disk fails: what LINE WORKS accepted is never sent again, whatever could not be written down.

use std::time::{Duration, Instant};

use crm_bench::shim::{DiskError, Event};
use crm_bench::trial::{Line, Reply, send};
use crm_domain::activities::Activity;
use crm_domain::sends::SendState;
use crm_lineworks_sim::{Endpoint, Fault};

use crate::scene::{PATIENCE, Scene};

const TEXT: &str = "only-once";
/// LINE WORKS accepts at once and answers so much later: time for the disk to fail in between.
const SLOW: Duration = Duration::from_millis(1_500);

/// Sends under the same key every time.
async fn press(scene: &Scene) -> Option<Reply> {
    let (customer, token) = (scene.desk.customers[0].0, &scene.desk.token);
    Line::new(scene.trial.door())
        .ask(&send(token, customer.get(), TEXT, "the-key"))
        .await
}

/// The message's state, as soon as nothing but a person will change it.
async fn outcome(scene: &Scene) -> SendState {
    let began = Instant::now();
    loop {
        let office = scene.trial.office().await.unwrap();
        let page = office.conversation(scene.desk.customers[0].0).await.unwrap();
        let states: Vec<SendState> = page.iter().filter_map(Activity::send_state).collect();
        if let [state] = states[..]
            && state.is_final()
        {
            return state;
        }
        assert!(began.elapsed() < PATIENCE, "{states:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A message that LINE WORKS has accepted while nothing can be written any more.
async fn accepted_and_not_written_down() -> Scene {
    let scene = Scene::set().await;
    scene.trial.simulator.always_on(Endpoint::Send, Fault::Slow(SLOW));
    let pressing = press(&scene);
    let failing = async {
        scene
            .trial
            .simulator
            .wait_for_messages(1, PATIENCE)
            .await
            .unwrap();
        scene.shim.fail_writing("/data/", DiskError::Full).unwrap();
        let began = Instant::now();
        let failed = |event: &Event| matches!(event, Event::Failed(_));
        while !scene
            .shim
            .journal()
            .unwrap()
            .iter()
            .any(|entry| failed(&entry.event))
        {
            assert!(began.elapsed() < PATIENCE, "nothing was written");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = failing => {}
        // Whatever it is told: it was not all that happens.
        () = async { pressing.await; std::future::pending::<()>().await } => {}
    }
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_that_cannot_be_written_down_is_when_the_disk_works_again() {
    let scene = accepted_and_not_written_down().await;
    scene.shim.heal_disk().unwrap();
    assert_eq!(outcome(&scene).await, SendState::Sent);
    assert_eq!(press(&scene).await.unwrap().status, 200);
    assert_eq!(scene.trial.simulator.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_that_was_never_written_down_is_unknown_after_a_kill_and_not_sent_again() {
    let mut scene = accepted_and_not_written_down().await;
    scene.trial.kill().unwrap();
    scene.shim.heal_disk().unwrap();
    scene.trial.start().await.unwrap();
    assert_eq!(outcome(&scene).await, SendState::Unknown);
    let told = press(&scene).await.unwrap();
    assert!(
        told.body.contains("\"state\":\"unknown\""),
        "{} {}",
        told.status,
        told.body
    );
    assert_eq!(scene.trial.simulator.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_refused_by_a_full_disk_goes_out_once_when_it_is_pressed_again() {
    let scene = Scene::set().await;
    scene.shim.fail_writing("/data/", DiskError::Full).unwrap();
    for _ in 0..3 {
        let told = press(&scene).await.unwrap();
        assert_eq!(told.status, 503, "{}", told.body);
    }
    scene.shim.heal_disk().unwrap();
    for _ in 0..3 {
        let began = Instant::now();
        while press(&scene).await.unwrap().status != 200 {
            assert!(
                began.elapsed() < PATIENCE,
                "the disk works again and the message is refused"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(outcome(&scene).await, SendState::Sent);
    assert_eq!(scene.trial.simulator.messages().len(), 1);
}
