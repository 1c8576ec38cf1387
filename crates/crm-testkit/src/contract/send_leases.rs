//! Messages and files in the hands of several instances. A lease that lasts no time at all is over at once.

use crm_domain::attachments::{AttachmentId, AttachmentOutcome};
use crm_domain::sends::{CLAIM_LEASE, Dead, Departing, Send, SendId, SendState, Urgency};
use time::Duration;

use super::AnyStore;
use super::attachments::add_photo;
use super::sends::{claim_id, finish, found, queue};
use super::steps::{open_talk, write};
use crate::fixtures::{after, user};

const REQUEST: Duration = Duration::seconds(30);

async fn claim_for(store: &AnyStore, run: &'static str, lasts: Duration) -> Option<SendId> {
    let claimed = write(store, move |unit| {
        unit.edit_sends().claim_send(run, Urgency::Bulk, after(1), lasts)
    });
    claimed.await.map(|send| send.id)
}

async fn depart(store: &AnyStore, id: SendId, run: &'static str, lasts: Duration) -> Departing {
    write(store, move |unit| {
        unit.edit_sends().depart_send(id, run, after(2), lasts)
    })
    .await
}

async fn abandon(store: &AnyStore) -> Vec<Send> {
    write(store, |unit| {
        let dead = Dead::LeaseOver { request: REQUEST };
        unit.edit_sends().abandon_sends(dead, "interrupted", after(8))
    })
    .await
}

/// A queued message to a person of its own.
async fn message(store: &AnyStore, number: u32) -> SendId {
    let to = open_talk(store, &user(number)).await;
    queue(store, &number.to_string(), to).await
}

pub async fn a_message_whose_lease_is_over_does_not_leave(store: AnyStore) {
    let id = message(&store, 1).await;
    assert_eq!(depart(&store, id, "run", REQUEST).await, Departing::Lost);
    assert_eq!(claim_for(&store, "run", Duration::ZERO).await, Some(id));
    assert_eq!(depart(&store, id, "run", REQUEST).await, Departing::TooLate);
    assert_eq!(depart(&store, id, "other", REQUEST).await, Departing::Lost);
    // Its sender alone knows that nothing left.
    let back = write(&store, move |unit| {
        unit.edit_sends().requeue_send(id, "run", None, after(1))
    });
    assert!(back.await);
    assert_eq!(claim_for(&store, "other", CLAIM_LEASE).await, Some(id));
    assert_eq!(depart(&store, id, "run", REQUEST).await, Departing::Lost);
    assert_eq!(depart(&store, id, "other", REQUEST).await, Departing::Leaves);
}

pub async fn a_departure_prolongs_the_lease(store: AnyStore) {
    let (first, second) = (message(&store, 1).await, message(&store, 2).await);
    assert_eq!(claim_for(&store, "run", CLAIM_LEASE).await, Some(first));
    assert_eq!(claim_for(&store, "run", CLAIM_LEASE).await, Some(second));
    assert_eq!(
        depart(&store, first, "run", Duration::ZERO).await,
        Departing::Leaves
    );
    assert_eq!(depart(&store, second, "run", REQUEST).await, Departing::Leaves);
    let abandoned = abandon(&store).await;
    assert_eq!(abandoned.iter().map(|send| send.id).collect::<Vec<_>>(), [first]);
}

/// Never 送信待ち again, and nobody sends it again before its request is over too.
pub async fn what_has_a_living_lease_is_not_abandoned(store: AnyStore) {
    let (over, living, queued) = (
        message(&store, 1).await,
        message(&store, 2).await,
        message(&store, 3).await,
    );
    assert_eq!(claim_for(&store, "a", Duration::ZERO).await, Some(over));
    assert_eq!(claim_for(&store, "b", CLAIM_LEASE).await, Some(living));
    let now = write(&store, |unit| unit.leases().database_now()).await;
    let abandoned = abandon(&store).await;
    assert_eq!(abandoned.iter().map(|send| send.id).collect::<Vec<_>>(), [over]);
    assert_eq!(abandon(&store).await, []);
    let lost = found(&store, over).await;
    assert_eq!(
        (lost.state, lost.reason.as_deref()),
        (SendState::Unknown, Some("interrupted"))
    );
    let held = lost.held_until.expect("it is held").since(now);
    assert!(
        held <= REQUEST && held > REQUEST - Duration::MINUTE,
        "the request's time after the lease: {held}"
    );
    let states = [found(&store, living).await, found(&store, queued).await];
    assert_eq!(states[0].state, SendState::Sending);
    assert_eq!((states[0].held_until, states[1].held_until), (None, None));
    assert_eq!(claim_id(&store).await, Some(queued));
}

/// Who thaws knows what became of it.
pub async fn an_outcome_that_comes_late_is_better_than_none(store: AnyStore) {
    let id = message(&store, 1).await;
    assert_eq!(claim_for(&store, "run", Duration::ZERO).await, Some(id));
    assert_eq!(abandon(&store).await.len(), 1);
    assert!(!finish(&store, id, "other", SendState::Sent).await);
    let back = write(&store, move |unit| {
        unit.edit_sends().requeue_send(id, "run", None, after(1))
    });
    assert!(!back.await, "it never waits again");
    assert!(finish(&store, id, "run", SendState::Sent).await);
    let sent = found(&store, id).await;
    assert_eq!((sent.state, sent.held_until), (SendState::Sent, None));
    assert!(!finish(&store, id, "run", SendState::Failed).await);
}

pub async fn what_was_sent_again_or_settled_takes_no_late_outcome(store: AnyStore) {
    let id = message(&store, 1).await;
    assert_eq!(claim_for(&store, "run", Duration::ZERO).await, Some(id));
    assert_eq!(abandon(&store).await.len(), 1);
    assert!(write(&store, move |unit| unit.edit_sends().mark_resent(id)).await);
    assert!(!finish(&store, id, "run", SendState::Sent).await);
    assert_eq!(found(&store, id).await.state, SendState::Unknown);
}

/// Files that wait to be fetched, the next one first.
async fn wanted(store: &AnyStore, count: i64) -> Vec<AttachmentId> {
    let mut files = Vec::new();
    for number in 1..=count {
        files.push(add_photo(store, &number.to_string(), after(number)).await);
    }
    files
}

async fn claim_files(store: &AnyStore, lasts: Duration) -> Vec<AttachmentId> {
    let claimed = write(store, move |unit| {
        unit.edit_attachments().claim_attachments(2, after(9), lasts)
    });
    claimed.await.into_iter().map(|file| file.id).collect()
}

async fn settle(store: &AnyStore, id: AttachmentId, outcome: AttachmentOutcome) -> bool {
    write(store, move |unit| {
        unit.edit_attachments().settle_attachment(id, &outcome)
    })
    .await
}

/// At most as many as asked for, and none whose time has not come.
pub async fn a_file_is_fetched_by_one_at_a_time(store: AnyStore) {
    let files = wanted(&store, 3).await;
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, files[..2]);
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, files[2..]);
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, []);
    let later = |seconds| AttachmentOutcome::Later {
        at: after(seconds),
        reason: "no_connection",
    };
    assert!(settle(&store, files[0], later(5)).await);
    assert!(settle(&store, files[1], later(60)).await);
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, files[..1]);
}

pub async fn a_file_whose_fetcher_died_is_fetched_by_another(store: AnyStore) {
    let files = wanted(&store, 1).await;
    assert_eq!(claim_files(&store, Duration::ZERO).await, files);
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, files);
    assert_eq!(claim_files(&store, CLAIM_LEASE).await, []);
}
