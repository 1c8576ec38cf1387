//! What reaches the disk, and when; and what happens when the disk fails. A kill alone cannot show either: whatever was
//! written survives it, synced or not.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crm_bench::shim::{DiskError, Entry, Event, MARK, Shim};
use crm_bench::trial::{Desk, Line, Trial, callback, callback_of, server_binary};
use crm_domain::ports::host::Clock as _;
use crm_host::SystemClock;
use tempfile::TempDir;
use time::UtcOffset;
use tokio::task::JoinSet;

/// How long the server may take to get over a failure, and to record what it kept.
const PATIENCE: Duration = Duration::from_mins(1);
const LINES: usize = 6;

/// A server with the shim before it, a customer, and a folder that is removed last.
struct Scene {
    trial: Trial,
    shim: Shim,
    desk: Desk,
    _folder: TempDir,
}

impl Scene {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::build(folder.path()).unwrap();
        let binary: PathBuf = server_binary(None).unwrap();
        let mut trial = Trial::prepare(&binary, &shim.environment()).await.unwrap();
        trial.start().await.unwrap();
        let desk = trial.office().await.unwrap().furnish(1).await.unwrap();
        Self {
            trial,
            shim,
            desk,
            _folder: folder,
        }
    }

    /// Posts so many callbacks from each of the lines; returns each text with its status, 0 for a lost answer.
    async fn post(&self, first: usize, each: usize) -> HashMap<String, u16> {
        let mut lines = JoinSet::new();
        for number in 0..LINES {
            let (mut line, from) = (Line::new(self.trial.door()), first + number * each);
            let user = self.desk.customers[0].1.clone();
            lines.spawn(async move {
                let mut answers = Vec::with_capacity(each);
                for number in from..from + each {
                    let text = format!("{MARK}{number:012}");
                    let body = callback_of(&user, &text, SystemClock.now().at_offset(UtcOffset::UTC));
                    let answer = line.ask(&callback(&body)).await;
                    answers.push((text, answer.map_or(0, |answer| answer.status)));
                }
                answers
            });
        }
        lines.join_all().await.into_iter().flatten().collect()
    }

    /// Posts until a callback is answered 200 again.
    async fn wait_until_kept(&self, first: usize) -> HashMap<String, u16> {
        let (began, mut all) = (Instant::now(), HashMap::new());
        for round in 0.. {
            let answers = self.post(first + round * LINES, 1).await;
            let kept = answers.values().any(|status| *status == 200);
            all.extend(answers);
            if kept {
                break;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the disk works again and the callback is refused"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        all
    }

    /// Every text in the conversation, with how often it stands there.
    async fn conversation(&self) -> HashMap<String, usize> {
        let office = self.trial.office().await.unwrap();
        let mut texts = HashMap::new();
        for message in office.conversation(self.desk.customers[0].0).await.unwrap() {
            *texts.entry(message.message).or_default() += 1;
        }
        texts
    }

    /// Waits until everything that was answered 200 is in the conversation; nothing may be there twice.
    async fn assert_all_there(&self, answers: &HashMap<String, u16>) {
        let began = Instant::now();
        loop {
            let there = self.conversation().await;
            let doubled: Vec<_> = there.iter().filter(|(_, times)| **times > 1).collect();
            assert!(doubled.is_empty(), "doubled: {doubled:?}");
            let missing: Vec<_> = answers
                .iter()
                .filter(|(text, status)| **status == 200 && !there.contains_key(*text))
                .collect();
            if missing.is_empty() {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "answered 200 and not there: {missing:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

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
