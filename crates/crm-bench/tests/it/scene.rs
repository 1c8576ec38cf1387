//! A server with the shim before it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crm_bench::shim::{MARK, Shim};
use crm_bench::trial::{Desk, Line, Trial, callback, callback_of, server_binary};
use crm_domain::ports::host::Clock as _;
use crm_host::SystemClock;
use tempfile::TempDir;
use time::UtcOffset;
use tokio::task::JoinSet;

/// How long the server may take to get over a failure, and to record what it kept.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const LINES: usize = 6;

/// A server with the shim before it, a customer, and a folder that is removed last.
pub(crate) struct Scene {
    pub(crate) trial: Trial,
    pub(crate) shim: Shim,
    pub(crate) desk: Desk,
    _folder: TempDir,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::build(folder.path()).unwrap();
        let binary = server_binary(None).unwrap();
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
    pub(crate) async fn post(&self, first: usize, each: usize) -> HashMap<String, u16> {
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
    pub(crate) async fn wait_until_kept(&self, first: usize) -> HashMap<String, u16> {
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
    pub(crate) async fn conversation(&self) -> HashMap<String, usize> {
        let office = self.trial.office().await.unwrap();
        let mut texts = HashMap::new();
        for message in office.conversation(self.desk.customers[0].0).await.unwrap() {
            *texts.entry(message.message).or_default() += 1;
        }
        texts
    }

    /// Waits until everything that was answered 200 is in the conversation; nothing may be there twice.
    pub(crate) async fn assert_all_there(&self, answers: &HashMap<String, u16>) {
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
