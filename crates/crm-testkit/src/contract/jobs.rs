//! Several instances on one store. A lease lets one of them work; an instance that was frozen longer than its lease goes on with
//! what it had begun, so whatever two do at once is done once.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration as Span;

use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::erasures::ErasureState;
use crm_domain::error::Error;
use crm_domain::permissions::Actor;
use crm_domain::ports::backup_shelf::NoShelf;
use crm_domain::ports::erased::NoErasedList;
use crm_domain::ports::host::NoCaller;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::SendState;
use crm_domain::tally::DataKind;
use crm_domain::use_cases::{Claim, Crm, Ports, Recipient};
use crm_domain::waitings::WaitingEnd;

use super::AnyStore;
use super::attachments::add_photo;
use super::steps::{at_once, open_talk, read, write};
use crate::fakes::{
    CountedCodes, FakeCallbacks, FakeConnector, FakeFiles, FakeMessenger, FakeMessengers, FakeProfiles,
    FakeQuarantine, FakeSeals, FakeSpool, FakeVault, FixedClock, MemoryBlobs, PlainPasswords, SeededSecrets,
};
use crate::fixtures::{
    BOT, after, company_details, customer_details, operator, profile, receipt, start, text, user,
};

const JOB: Actor = Actor::Job("tests");
const INSTANCES: usize = 3;
/// The longest that a case waits for its end, on a loaded machine.
const PATIENCE: Span = Span::from_mins(1);

/// Some instances, and the one LINE WORKS that they share.
struct Cluster {
    store: AnyStore,
    messenger: Arc<FakeMessenger>,
    files: Arc<FakeFiles>,
    blobs: MemoryBlobs,
    profiles: Arc<FakeProfiles>,
    clock: Arc<FixedClock>,
}

impl Cluster {
    fn on(store: &AnyStore) -> Self {
        Self {
            store: Arc::clone(store),
            messenger: Arc::new(FakeMessenger::new(BOT)),
            files: Arc::default(),
            blobs: MemoryBlobs::default(),
            profiles: Arc::default(),
            clock: Arc::new(FixedClock::at(after(3_600))),
        }
    }

    fn instance(&self, number: usize) -> Crm {
        Crm::new(Ports {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock) as _,
            secrets: Arc::new(SeededSecrets::new(number as u64)),
            codes: Arc::new(CountedCodes),
            passwords: Arc::new(PlainPasswords::default()),
            messengers: Arc::new(FakeMessengers::with(Arc::clone(&self.messenger))),
            connector: Arc::new(FakeConnector::default()),
            callbacks: Arc::new(FakeCallbacks::new(BOT)),
            spool: Arc::new(FakeSpool::default()),
            quarantine: Arc::new(FakeQuarantine::default()),
            files: Arc::clone(&self.files) as _,
            blobs: Arc::new(self.blobs.clone()),
            shelf: Arc::new(NoShelf),
            erased: Arc::new(NoErasedList),
            profiles: Arc::clone(&self.profiles) as _,
            vault: Arc::new(FakeVault),
            several_instances: true,
            caller: Arc::new(NoCaller),
            seals: Arc::new(FakeSeals::default()),
        })
    }

    /// What `work` answers on each instance, all at once.
    async fn all<T, F>(&self, work: impl Fn(Crm, String) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let running = at_once(INSTANCES, |number| {
            work(self.instance(number), format!("run {number}"))
        });
        tokio::time::timeout(PATIENCE, running)
            .await
            .expect("the instances come to an end")
    }

    async fn customers(&self, count: u32) -> Vec<CustomerId> {
        let (crm, by, mut customers) = (self.instance(9), operator(), Vec::new());
        for number in 0..count {
            let details = CustomerDetails {
                line_user_id: Some(user(number)),
                ..customer_details("山田", &number.to_string())
            };
            let registered = crm.register_customer(&by, details);
            customers.push(registered.await.expect("the customer is stored"));
        }
        customers
    }

    async fn queue(&self, customer: CustomerId, words: &str) {
        let (crm, by) = (self.instance(9), operator());
        let (to, key) = (Recipient::Customer(customer), words.to_owned());
        let queued = crm.queue_message(&by, to, text(words), Some(key));
        queued.await.expect("the message is queued");
    }
}

/// What was not done now is done again, as a server does. A database that is there never says that it is away, however many
/// meet on it.
fn done<T>(outcome: Result<T, Error>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(Error::Store(error @ StoreError::Unavailable(_))) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            panic!("{error}: {cause:?}")
        }
        Err(_) => None,
    }
}

/// Sends until nothing is open, as a server does: what cannot be stored now is tried again.
async fn send_all(store: AnyStore, crm: Crm, run: String) -> usize {
    let mut sent = 0;
    loop {
        let claimed = match done(crm.claim_message(&JOB, &run).await) {
            Some(Claim::Taken(taken)) => taken,
            Some(Claim::Nothing) if !any_open(&store).await => return sent,
            _ => {
                tokio::time::sleep(Span::from_millis(5)).await;
                continue;
            }
        };
        if let Some(delivered) = crm.dispatch_message(&run, &claimed).await {
            sent += usize::from(delivered.state == SendState::Sent);
            while done(crm.settle_message(&JOB, &run, &claimed, &delivered).await).is_none() {
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn any_open(store: &AnyStore) -> bool {
    read(store, |unit| unit.sends().sends_open()).await
}

/// Each once, and those of a conversation in their order, however many instances send.
pub async fn three_senders_send_each_message_once_and_in_order(store: AnyStore) {
    let cluster = Cluster::on(&store);
    cluster.messenger.limit_to(10_000);
    let customers = cluster.customers(4).await;
    for number in 0..10 {
        for customer in &customers {
            cluster.queue(*customer, &format!("{customer} {number}")).await;
        }
    }
    let sending = |crm: Crm, run| send_all(Arc::clone(&cluster.store), crm, run);
    let sent: usize = cluster.all(sending).await.into_iter().sum();
    assert_eq!(sent, 40);
    let mut heard: HashMap<String, Vec<String>> = HashMap::new();
    for message in cluster.messenger.sent() {
        let words = heard.entry(message.to.as_str().to_owned()).or_default();
        words.push(message.text);
    }
    assert_eq!(heard.len(), customers.len());
    for customer in customers {
        let expected: Vec<String> = (0..10).map(|number| format!("{customer} {number}")).collect();
        assert!(heard.values().any(|words| *words == expected), "{heard:?}");
    }
}

/// By departures, whoever they are of: 95 of 100 in any minute, and a tenth of these is kept for people.
pub async fn three_senders_keep_within_the_limit(store: AnyStore) {
    let cluster = Cluster::on(&store);
    cluster.messenger.limit_to(20);
    for (number, customer) in cluster.customers(30).await.into_iter().enumerate() {
        cluster.queue(customer, &number.to_string()).await;
    }
    let until_full = |crm: Crm, run: String| async move {
        loop {
            match done(crm.claim_message(&JOB, &run).await) {
                Some(Claim::Taken(send)) => {
                    if let Some(delivered) = crm.dispatch_message(&run, &send).await {
                        while done(crm.settle_message(&JOB, &run, &send, &delivered).await).is_none() {
                            tokio::task::yield_now().await;
                        }
                    }
                }
                Some(Claim::Wait(_)) => return,
                _ => tokio::time::sleep(Span::from_millis(5)).await,
            }
        }
    };
    cluster.all(until_full).await;
    assert_eq!(cluster.messenger.sent().len(), 18);
}

pub async fn two_recorders_record_each_callback_once(store: AnyStore) {
    let cluster = Cluster::on(&store);
    let customers = cluster.customers(3).await;
    for number in 0..45_u32 {
        let said = FakeCallbacks::message(&user(number % 3), after(number.into()), &number.to_string());
        let new = receipt(&String::from_utf8_lossy(&said), start());
        write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
    }
    let record = |crm: Crm, _| async move {
        let mut recorded = 0;
        loop {
            match done(crm.record_pending(&JOB, 4).await) {
                Some(round) if round.callbacks.is_empty() && !round.more => return recorded,
                Some(round) => recorded += round.callbacks.len(),
                None => tokio::task::yield_now().await,
            }
        }
    };
    let recorded: usize = cluster.all(record).await.into_iter().sum();
    assert_eq!(recorded, 45);
    let crm = cluster.instance(9);
    for customer in customers {
        let shown = crm.conversation(&operator(), customer, None, 99).await;
        assert_eq!(shown.expect("the page is read").len(), 15);
    }
}

/// A customer writes, an answer is accepted and 完了 is clicked, all in the same conversations at the same moment.
pub async fn people_write_while_they_are_answered_and_their_talks_are_closed(store: AnyStore) {
    const ROUNDS: u32 = 12;
    let cluster = Cluster::on(&store);
    cluster.messenger.limit_to(10_000);
    let customers = cluster.customers(2).await;
    let mut talks = Vec::new();
    for number in 0..2 {
        talks.push(open_talk(&store, &user(number)).await);
    }
    for round in 0..ROUNDS {
        for number in 0..2_u32 {
            let at = after((round * 10 + number).into());
            let said = FakeCallbacks::message(&user(number), at, &round.to_string());
            let new = receipt(&String::from_utf8_lossy(&said), start());
            write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
        }
        for customer in &customers {
            cluster.queue(*customer, &format!("{customer} {round}")).await;
        }
        let act = |crm: Crm, run: String| {
            let (store, talks) = (Arc::clone(&store), talks.clone());
            async move {
                match run.as_str() {
                    "run 0" => {
                        while done(crm.record_pending(&JOB, 9).await).is_none_or(|round| round.more) {}
                    }
                    "run 1" => drop(send_all(store, crm, run).await),
                    _ => {
                        for talk in talks.iter().chain(&talks) {
                            while done(crm.close_conversation(&operator(), *talk).await).is_none() {}
                            done(crm.undo_closing(&operator(), *talk).await);
                        }
                    }
                }
            }
        };
        cluster.all(act).await;
    }
    assert_eq!(cluster.messenger.sent().len(), 2 * ROUNDS as usize);
    for talk in talks {
        let all = read(&store, move |unit| {
            let standing = unit.conversations().conversation(talk)?.map(|talk| talk.standing);
            Ok((standing, unit.waitings().waitings_of(talk, 99)?))
        });
        let (standing, waitings) = all.await;
        let open = waitings.into_iter().find(|waiting| waiting.ended.is_none());
        let since = standing.expect("it is there").waiting_since;
        assert_eq!(open.map(|waiting| waiting.since), since, "both tell the same");
    }
}

/// Something that is to be done.
pub type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What changes a conversation and its waiting, one after the other, each handed over with its name to be done: a message comes,
/// the conversation is closed, that is undone, and we answer.
pub async fn each_that_changes_a_waiting(store: AnyStore, mut hand: impl AsyncFnMut(&'static str, Deed)) {
    let cluster = Cluster::on(&store);
    let customer = cluster.customers(1).await[0];
    let talk = open_talk(&store, &user(0)).await;
    let run = "run 1";
    let said = FakeCallbacks::message(&user(0), after(1), "お世話になっております");
    let new = receipt(&String::from_utf8_lossy(&said), start());
    write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
    let crm = cluster.instance(1);
    let record = async move { assert!(done(crm.record_pending(&JOB, 9).await).is_some()) };
    hand("a message", Box::pin(record)).await;
    let crm = cluster.instance(1);
    let close = async move { assert!(done(crm.close_conversation(&operator(), talk).await).is_some()) };
    hand("a closing", Box::pin(close)).await;
    let crm = cluster.instance(1);
    let undo = async move { assert!(done(crm.undo_closing(&operator(), talk).await).is_some()) };
    hand("its undoing", Box::pin(undo)).await;
    cluster.queue(customer, "はい").await;
    let crm = cluster.instance(1);
    let Some(Claim::Taken(taken)) = done(crm.claim_message(&JOB, run).await) else {
        panic!("the answer is queued");
    };
    let delivered = crm.dispatch_message(run, &taken).await.expect("it is ours");
    let settle = async move {
        let settled = crm.settle_message(&JOB, run, &taken, &delivered).await;
        assert!(done(settled).is_some());
    };
    hand("an answer", Box::pin(settle)).await;
    let all = read(&store, move |unit| unit.waitings().waitings_of(talk, 9)).await;
    let ends: Vec<_> = all
        .iter()
        .map(|one| one.ended.as_ref().map(|ended| ended.how))
        .collect();
    assert_eq!(ends, [Some(WaitingEnd::Answered)]);
}

pub async fn two_sealers_make_one_chain(store: AnyStore) {
    let cluster = Cluster::on(&store);
    let crm = cluster.instance(9);
    for number in 0..30 {
        let company = company_details(&format!("{number}社"));
        let added = crm.register_company(&operator(), company).await;
        added.expect("the company is stored");
    }
    let seal = |crm: Crm, _| async move {
        let mut idle = 0;
        while idle < 2 {
            match done(crm.seal_audit(&JOB).await) {
                Some(round) if round.sealed == 0 => idle += 1,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    cluster.all(seal).await;
    let report = crm
        .verify_audit(&operator(), None)
        .await
        .expect("the chain is read");
    assert_eq!((report.waiting, report.faults.len()), (0, 0));
    assert_eq!(report.checked, 30);
}

pub async fn a_file_that_three_instances_look_for_is_fetched_once(store: AnyStore) {
    let cluster = Cluster::on(&store);
    for number in 0..12 {
        add_photo(&store, &format!("photo {number}"), after(number)).await;
    }
    let fetch = |crm: Crm, _| async move {
        let mut idle = 0;
        while idle < 3 {
            match done(crm.claim_files(&JOB, 2).await) {
                Some(files) if files.is_empty() => idle += 1,
                Some(files) => {
                    for file in files {
                        while done(crm.fetch_file(&JOB, &file).await).is_none() {
                            tokio::task::yield_now().await;
                        }
                    }
                }
                None => tokio::task::yield_now().await,
            }
        }
    };
    cluster.all(fetch).await;
    assert_eq!(cluster.files.asked(), 12);
    let waiting = read(&store, |unit| unit.attachments().waiting_attachments(99)).await;
    assert_eq!(waiting, []);
}

pub async fn a_name_that_two_instances_ask_for_is_written_once(store: AnyStore) {
    let cluster = Cluster::on(&store);
    for number in 0..8 {
        let said = FakeCallbacks::message(&user(number), after(number.into()), "はい");
        let new = receipt(&String::from_utf8_lossy(&said), start());
        write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
        cluster.profiles.add(profile(&user(number)));
    }
    let crm = cluster.instance(9);
    while crm
        .record_pending(&JOB, 99)
        .await
        .expect("they are recorded")
        .more
    {}
    let ask = |crm: Crm, _| async move {
        let mut idle = 0;
        while idle < 2 {
            match done(crm.fetch_names(&JOB, 3).await) {
                Some(round) if round.asked == 0 => idle += 1,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    cluster.all(ask).await;
    let addresses = (0..8).map(user).collect::<Vec<_>>();
    let known = read(&store, move |unit| unit.senders().senders_of(&addresses)).await;
    assert!(known.len() == 8 && known.iter().all(|sender| sender.full_name().is_some()));
}

/// Whoever is at an erasure, each message is counted once and what is done stays done.
pub async fn a_request_and_the_housekeepers_erase_each_person_once(store: AnyStore) {
    let cluster = Cluster::on(&store);
    let customers = cluster.customers(5).await;
    for number in 0..40_u32 {
        let said = FakeCallbacks::message(&user(number % 5), after(number.into()), &number.to_string());
        let new = receipt(&String::from_utf8_lossy(&said), start());
        write(&store, move |unit| unit.edit_receipts().keep_receipt(&new)).await;
    }
    let crm = cluster.instance(9);
    let recorded = crm.record_pending(&JOB, 99).await.expect("they are recorded");
    assert_eq!(recorded.callbacks.len(), 40);
    let erase = |crm: Crm, run: String| {
        let customers = customers.clone();
        async move {
            for customer in customers {
                if run == "run 0" {
                    let erased = crm.erase_customer(&operator(), customer).await;
                    erased.expect("it is erased here or by another");
                } else {
                    crm.pursue_erasures(&JOB).await.expect("it goes on");
                }
            }
        }
    };
    cluster.all(erase).await;
    while crm.pursue_erasures(&JOB).await.expect("it goes on") > 0 {}
    let receipts = read(&store, |unit| unit.erasures().erasures(9)).await;
    assert_eq!(receipts.len(), 5);
    for receipt in receipts {
        assert_eq!((receipt.state, receipt.customer_id), (ErasureState::Done, None));
        let counts = [DataKind::Customers, DataKind::Activities, DataKind::Conversations];
        let counts = counts.map(|kind| receipt.tally.count(kind));
        assert_eq!(counts, [1, 8, 1], "{}", receipt.tally);
    }
    let claim = read(&store, |unit| unit.leases().lease("erasure 1")).await;
    assert_eq!(claim, None, "claims are forgotten");
}

/// What is over its time goes once, and neither run is disturbed by the other.
pub async fn two_housekeepers_take_what_is_over_its_time_once(store: AnyStore) {
    let cluster = Cluster::on(&store);
    let customers = cluster.customers(6).await;
    let crm = cluster.instance(9);
    for customer in &customers[..4] {
        let discarded = crm.discard_customer(&operator(), *customer).await;
        discarded.expect("it is in the trash");
    }
    cluster.clock.advance(time::Duration::days(40));
    let keep = |crm: Crm, _| async move {
        while done(crm.keep_house(&JOB).await).is_none() {
            tokio::task::yield_now().await;
        }
    };
    cluster.all(keep).await;
    for (number, customer) in customers.iter().enumerate() {
        let (there, id) = (number >= 4, *customer);
        let found = crm.show_customer(&operator(), id).await;
        assert_eq!(found.is_ok(), there, "{number}");
    }
    let over = read(&store, |unit| unit.trash().trash_before(after(99_999_999), 99)).await;
    assert!(over.is_empty());
}
