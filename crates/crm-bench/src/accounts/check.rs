//! What was answered against what is there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use crm_domain::activities::Direction;
use crm_domain::sends::SendState;
use crm_lineworks_sim::Simulator;

use super::ledger::{Callback, Entries};
use crate::ground::Books;
use crate::trial::{Desk, Office};

/// How long recording and sending may take after the last kill.
const CALM: Duration = Duration::from_mins(3);

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Callbacks answered 200.
    pub(crate) acknowledged: usize,
    /// Callbacks of which every answer was lost or a 503.
    pub(crate) unanswered: usize,
    /// Of those, how many are there all the same.
    pub(crate) kept_unanswered: usize,
    /// Messages answered.
    pub(crate) written: usize,
    /// Messages of ours by what is said of them.
    pub(crate) states: HashMap<&'static str, usize>,
    /// Messages 結果不明 that the simulator had accepted.
    pub(crate) unknown_accepted: usize,
    /// Everything that is not as promised, in words.
    pub(crate) wrong: Vec<String>,
}

/// Waits until all that was kept is recorded, and all that was queued came to an end.
pub(crate) async fn wait_until_calm(books: &Books) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        let receipts = "SELECT count(*) AS number FROM receipts WHERE settled_at IS NULL";
        let sends = "SELECT count(*) AS number FROM sends WHERE finished_at IS NULL";
        let (receipts, sends) = (books.number(receipts).await?, books.number(sends).await?);
        if receipts == 0 && sends == 0 {
            return Ok(began.elapsed());
        }
        ensure!(
            began.elapsed() < CALM,
            "{receipts} callbacks are not recorded and {sends} messages have not come to an end after {CALM:?}: forgotten"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes a customer of the stranger and waits until what was said before stands in that conversation.
pub(crate) async fn stranger_becomes_customer(
    office: &Office,
    desk: &Desk,
    entries: &Entries,
) -> anyhow::Result<Desk> {
    let (mut desk, began) = (desk.clone(), Instant::now());
    let place = desk.customers.len();
    let id = office.register(&desk.stranger).await?;
    let said = |callback: &&Callback| callback.customer == place && callback.answered > 0;
    let wanted = entries.callbacks.values().filter(said).count();
    while office.conversation(id).await?.len() < wanted {
        ensure!(
            began.elapsed() < CALM,
            "what a stranger said is not with the customer after {CALM:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let user = desk.stranger.clone();
    desk.customers.push((id, user));
    Ok(desk)
}

/// What stands in one customer's conversation.
#[derive(Default)]
struct Page {
    received: HashMap<String, u32>,
    sent: HashMap<String, Vec<SendState>>,
}

/// Reads every conversation and compares.
pub(crate) async fn compare(
    office: &Office,
    desk: &Desk,
    simulator: &Simulator,
    entries: &Entries,
) -> anyhow::Result<Findings> {
    let mut pages = Vec::with_capacity(desk.customers.len());
    for (customer, _) in &desk.customers {
        let mut page = Page::default();
        for message in office.conversation(*customer).await? {
            match message.direction {
                // Nobody writes notes here: one would be made up.
                Direction::Received | Direction::Note => {
                    *page.received.entry(message.message).or_default() += 1;
                }
                Direction::Sent => {
                    let state = message.send_state().unwrap_or(SendState::Sent);
                    page.sent.entry(message.message).or_default().push(state);
                }
            }
        }
        pages.push(page);
    }
    let mut accepted: HashMap<String, u32> = HashMap::new();
    for message in simulator.messages() {
        *accepted
            .entry(message.text().unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    let mut findings = Findings::default();
    findings.wrong.extend(entries.strange.iter().cloned());
    callbacks(entries, &pages, &mut findings);
    messages(entries, &pages, &accepted, &mut findings);
    Ok(findings)
}

fn callbacks(entries: &Entries, pages: &[Page], findings: &mut Findings) {
    for (text, callback) in &entries.callbacks {
        let page = pages.get(callback.customer);
        let there = page
            .and_then(|page| page.received.get(text))
            .copied()
            .unwrap_or(0);
        let answered = callback.answered > 0;
        findings.acknowledged += usize::from(answered);
        findings.unanswered += usize::from(!answered);
        findings.kept_unanswered += usize::from(!answered && there > 0);
        if answered && there == 0 {
            findings
                .wrong
                .push(format!("lost: the callback {text} got its 200 and is not there"));
        }
        if there > 1 {
            let asked = callback.asked;
            findings.wrong.push(format!(
                "doubled: the callback {text}, posted {asked} times, is there {there} times"
            ));
        }
    }
    let stranger = |text: &&String| !entries.callbacks.contains_key(*text);
    for text in pages
        .iter()
        .flat_map(|page| page.received.keys())
        .filter(stranger)
    {
        findings.wrong.push(format!("made up: {text} was never posted"));
    }
}

fn messages(entries: &Entries, pages: &[Page], accepted: &HashMap<String, u32>, findings: &mut Findings) {
    for (text, message) in &entries.messages {
        let page = pages.get(message.customer);
        let states = page
            .and_then(|page| page.sent.get(text))
            .map_or(&[][..], Vec::as_slice);
        let arrived = accepted.get(text).copied().unwrap_or(0);
        findings.written += usize::from(message.answered > 0);
        let problem = match (states, arrived) {
            (_, 2..) => "sent twice",
            ([_, _, ..], _) => "twice in the conversation",
            ([], 1..) => "accepted, and not in the conversation",
            ([], 0) if message.answered > 0 => "answered, and not in the conversation",
            ([SendState::Sent], 0) => "送信済み, and never accepted",
            ([SendState::Failed | SendState::Unknown], _) if message.told_sent => {
                "told as sent, and stands otherwise"
            }
            ([SendState::Failed], 1) => "送信失敗, and accepted",
            ([SendState::Queued | SendState::Sending], _) => "neither sent nor given up",
            _ => "",
        };
        if let [state] = states {
            *findings.states.entry(state.code()).or_default() += 1;
            findings.unknown_accepted += usize::from(*state == SendState::Unknown && arrived == 1);
        }
        if !problem.is_empty() {
            findings.wrong.push(format!(
                "{problem}: the message {text}, posted {} times and answered {} times, accepted {arrived} times, stands as {states:?}",
                message.asked, message.answered
            ));
        }
    }
}
