//! What reaches the disk, and when; and what happens when the disk fails. A kill alone cannot show either: whatever was
//! written survives it, synced or not.

use crm_bench::shim::{DiskError, Entry, Event, Shim};

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_200_was_synced_between_its_arrival_and_the_answer() {
    let scene = Scene::set().await;
    let answers = scene.post(0, 30).await;
    assert!(answers.values().all(|status| *status == 200), "{answers:?}");
    let journal = scene.shim.journal().unwrap();
    for mark in answers.keys() {
        assert_synced(&journal, mark);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_200_while_the_database_is_away_was_synced_in_the_spool() {
    let scene = Scene::set().await;
    scene.shim.fail_writing("crm.db", DiskError::Full).unwrap();
    let answers = scene.post(0, 10).await;
    assert!(answers.values().all(|status| *status == 200), "{answers:?}");
    let journal = scene.shim.journal().unwrap();
    for mark in answers.keys() {
        assert_synced(&journal, mark);
    }
    scene.shim.heal_disk().unwrap();
    scene.assert_all_there(&answers).await;
}

/// The mark arrived, was written to a file, that file's sync began after this and ended well, and then the 200 went out.
fn assert_synced(journal: &[Entry], mark: &str) {
    let mut steps = journal.iter();
    let mut step = |what: &str, wanted: &mut dyn FnMut(&Event) -> bool| {
        let found = steps.find(|entry| wanted(&entry.event));
        found
            .unwrap_or_else(|| panic!("{mark}: no step `{what}` in its place"))
            .event
            .clone()
    };
    step(
        "arrived",
        &mut |event| matches!(event, Event::Arrived(which) if which == mark),
    );
    let written = step("written", &mut |event| {
        matches!(event, Event::Written(which, path)
            if which == mark && (path.ends_with("-wal") || path.contains("/spool/")))
    });
    let Event::Written(_, file) = written else {
        unreachable!()
    };
    step("syncing", &mut |event| *event == Event::Syncing(file.clone()));
    step("synced", &mut |event| *event == Event::Synced(file.clone()));
    step(
        "answered",
        &mut |event| matches!(event, Event::Answered(which) if which == mark),
    );
}

#[test]
#[should_panic(expected = "no step `syncing`")]
fn a_sync_that_began_before_the_mark_was_written_does_not_count() {
    let (mark, file) = ("mark-000000000001".to_owned(), "/data/crm.db-wal".to_owned());
    let events = [
        Event::Arrived(mark.clone()),
        Event::Syncing(file.clone()),
        Event::Written(mark.clone(), file.clone()),
        Event::Synced(file),
        Event::Answered(mark.clone()),
    ];
    let journal: Vec<Entry> = events
        .into_iter()
        .zip(1..)
        .map(|(event, number)| Entry { number, event })
        .collect();
    assert_synced(&journal, &mark);
}

async fn nothing_is_lost_when(fail: impl Fn(&Shim)) {
    let mut scene = Scene::set().await;
    let mut answers = scene.post(0, 10).await;
    assert!(answers.values().all(|status| *status == 200), "{answers:?}");
    fail(&scene.shim);
    let during = scene.post(1_000, 10).await;
    let honest = |status: &u16| matches!(status, 200 | 503);
    assert!(during.values().all(honest), "{during:?}");
    let failures = scene.shim.journal().unwrap();
    assert!(
        failures
            .iter()
            .any(|entry| matches!(entry.event, Event::Failed(_))),
        "the disk did not fail"
    );
    answers.extend(during);
    // Killed while the disk fails; later once more, after it works again.
    scene.trial.kill().unwrap();
    scene.shim.heal_disk().unwrap();
    scene.trial.start().await.unwrap();
    scene.assert_all_there(&answers).await;
    fail(&scene.shim);
    answers.extend(scene.post(2_000, 5).await);
    scene.shim.heal_disk().unwrap();
    answers.extend(scene.wait_until_kept(3_000).await);
    scene.assert_all_there(&answers).await;
    scene.trial.kill().unwrap();
    scene.trial.start().await.unwrap();
    scene.assert_all_there(&answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_syncing_the_database_fails() {
    nothing_is_lost_when(|shim| shim.fail_syncing("crm.db", DiskError::Broken).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_writing_the_database_fails() {
    nothing_is_lost_when(|shim| shim.fail_writing("crm.db", DiskError::Broken).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_disk_is_full_for_the_database() {
    nothing_is_lost_when(|shim| shim.fail_writing("crm.db", DiskError::Full).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_nothing_can_be_written_or_synced() {
    nothing_is_lost_when(|shim| {
        shim.fail_writing("/data/", DiskError::Full).unwrap();
        shim.fail_syncing("/data/", DiskError::Broken).unwrap();
    })
    .await;
}
