//! Backups, and the rest after one was put back.

use crm_domain::backups::{Backup, BackupId, BackupState, NewBackup, Pause, PauseCause, Taken};
use crm_domain::error::Error;
use crm_domain::instant::Instant;
use crm_domain::ports::backup_shelf::{ShelfPlace, ShelfProblem};
use crm_domain::ports::blobs::BlobHash;
use crm_domain::sends::SendState;
use crm_domain::use_cases::{BackupsView, Claim, Recipient};
use crm_testkit::fixtures::{admin, after, customer_on, member, operator, text, user};
use time::Duration;

use crate::world::{JOB, World};

fn taken() -> Taken {
    Taken {
        file: "backups/crm-20250708030000.tar.zst".to_owned(),
        size: 1_000,
        hash: BlobHash([1; 32]),
        encrypted: false,
        missing_files: 0,
    }
}

#[tokio::test]
async fn one_backup_is_taken_at_a_time_and_one_that_died_gives_way() {
    let world = World::new();
    let crm = &world.crm;
    let first = crm.begin_backup(&JOB, true, "").await.unwrap().unwrap();
    assert_eq!(crm.begin_backup(&admin(), false, "").await.unwrap(), None);
    world.pass(Duration::minutes(2));
    assert!(crm.beat_backup(&JOB, first, true).await.unwrap());
    world.pass(Duration::minutes(2));
    assert_eq!(crm.begin_backup(&admin(), false, "").await.unwrap(), None);
    world.pass(Duration::minutes(2));
    let second = crm.begin_backup(&admin(), false, "").await.unwrap().unwrap();
    assert!(
        !crm.beat_backup(&JOB, first, true).await.unwrap(),
        "it was given up"
    );
    crm.end_backup(&JOB, first, true, Ok(taken())).await.unwrap();
    crm.end_backup(&admin(), second, false, Ok(taken()))
        .await
        .unwrap();
    let view = crm.backup_state(&admin()).await.unwrap();
    let states: Vec<_> = view.newest.iter().map(|backup| backup.state).collect();
    assert_eq!(states, [BackupState::Good, BackupState::Failed]);
    assert!(!view.last_failed() && !view.is_too_old());
    world.pass(Duration::days(2));
    let view = crm.backup_state(&admin()).await.unwrap();
    assert!(view.is_too_old());
    assert_eq!(view.age(), Some(2 * 24 * 60 * 60));
    let failing = crm.begin_backup(&JOB, true, "").await.unwrap().unwrap();
    let problem = ShelfProblem::new("disk_full", "no room");
    crm.end_backup(&JOB, failing, true, Err(problem)).await.unwrap();
    assert!(crm.backup_state(&admin()).await.unwrap().last_failed());
}

#[tokio::test]
async fn only_administrators_take_backups_and_end_the_rest() {
    let world = World::new();
    let crm = &world.crm;
    let denied = |error: Error| assert!(matches!(error, Error::Denied(_)), "{error}");
    denied(crm.begin_backup(&member(), false, "").await.unwrap_err());
    denied(crm.backup_state(&member()).await.unwrap_err());
    denied(crm.resume(&member()).await.unwrap_err());
    denied(crm.resume(&JOB).await.unwrap_err());
    denied(crm.note_key_sheet(&member()).await.unwrap_err());
}

#[tokio::test]
async fn a_restored_store_sends_nothing_until_an_administrator_says_so() {
    let world = World::new();
    let crm = &world.crm;
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let to = Recipient::Customer(customer);
    let waiting = crm
        .queue_message(&admin(), to.clone(), text("前の"), None)
        .await
        .unwrap()
        .id();
    assert_eq!(crm.calm(&operator(), PauseCause::Restored, &[]).await.unwrap(), 1);
    let shown = &world.page(customer).await[0];
    let sending = shown.sending.as_ref().unwrap();
    assert_eq!((sending.id, sending.state), (waiting, SendState::Unknown));
    crm.queue_message(&admin(), to, text("後の"), None).await.unwrap();
    assert_eq!(crm.claim_message(&JOB, "run").await.unwrap(), Claim::Nothing);
    assert!(!crm.house_is_due(&JOB).await.unwrap());
    assert!(crm.waiting_files(&JOB, 9).await.unwrap().is_empty());
    assert_eq!(
        crm.pause().await.unwrap().map(|pause| pause.cause),
        Some(PauseCause::Restored)
    );
    assert!(crm.resume(&admin()).await.unwrap());
    assert!(!crm.resume(&admin()).await.unwrap());
    assert!(matches!(
        crm.claim_message(&JOB, "run").await.unwrap(),
        Claim::Taken(_)
    ));
    assert!(crm.house_is_due(&JOB).await.unwrap());
}

#[tokio::test]
async fn an_installation_that_never_had_one_is_told_after_two_days() {
    let world = World::new();
    let crm = &world.crm;
    for _ in 0..3 {
        let id = crm.begin_backup(&JOB, true, "").await.unwrap().unwrap();
        let problem = ShelfProblem::new("folder", "no place");
        crm.end_backup(&JOB, id, true, Err(problem)).await.unwrap();
        assert!(!crm.backup_state(&admin()).await.unwrap().is_too_old());
        world.pass(Duration::hours(23));
    }
    assert!(crm.backup_state(&admin()).await.unwrap().is_too_old());
}

fn at_minute(minute: i64) -> Instant {
    after(minute * 60)
}

fn backup(minute: i64, state: BackupState) -> Backup {
    Backup {
        id: BackupId::new(minute),
        begun: NewBackup {
            at: at_minute(minute),
            daily: true,
            by: "crm-web".to_owned(),
            file: taken().file,
        },
        beat_at: at_minute(minute),
        finished_at: Some(at_minute(minute)),
        state,
        taken: (state == BackupState::Good).then(taken),
        problem: None,
    }
}

/// An hour after `last` was begun, with these files on the shelf.
fn view(last: Option<Backup>, good: Option<Backup>, files: &[(&str, u64)]) -> BackupsView {
    BackupsView {
        newest: last.iter().cloned().collect(),
        last,
        good,
        first_at: None,
        place: ShelfPlace {
            keep: 7,
            files: Some(
                files
                    .iter()
                    .map(|(name, size)| ((*name).to_owned(), *size))
                    .collect(),
            ),
            ..ShelfPlace::default()
        },
        pause: None,
        now: at_minute(60),
    }
}

const THERE: (&str, u64) = ("crm-20250708030000.tar.zst", 1_000);

#[test]
fn a_daily_backup_is_due_when_none_is_there_since_its_time() {
    let slot = at_minute(30);
    let due = |last: Option<Backup>, good: Option<Backup>, files: &[(&str, u64)]| {
        view(last, good, files).is_due(slot)
    };
    let good = |minute| Some(backup(minute, BackupState::Good));
    assert!(due(None, None, &[]));
    assert!(due(good(29), good(29), &[THERE]), "that of the day before");
    assert!(!due(good(30), good(30), &[THERE]));
    assert!(
        due(good(30), good(30), &[("crm-20250708030000.tar.zst", 999)]),
        "another file"
    );
    assert!(due(good(30), good(30), &[]), "it is gone");
    assert!(!due(good(45), good(45), &[]), "but not over and over");
    let mut restored = view(good(45), good(45), &[]);
    restored.pause = Some(Pause {
        since: at_minute(50),
        cause: PauseCause::Restored,
    });
    assert!(restored.is_due(slot), "it was taken elsewhere");
    restored.last = good(51);
    assert!(!restored.is_due(slot), "that was here");
    let failed = |minute| Some(backup(minute, BackupState::Failed));
    assert!(
        !due(failed(40), good(29), &[THERE]),
        "it is not tried again at once"
    );
    assert!(due(failed(30), good(29), &[THERE]));
    let ahead = 60 + 365 * 24 * 60;
    assert!(
        due(good(ahead), good(ahead), &[THERE]),
        "by a clock that ran ahead"
    );
    assert!(due(failed(ahead), good(29), &[THERE]));
    let mut never = view(None, None, &[]);
    never.place.keep = 0;
    assert!(!never.is_due(slot));
}

#[test]
fn a_newest_good_backup_that_is_gone_is_known() {
    let good = || Some(backup(1, BackupState::Good));
    assert!(!view(good(), good(), &[THERE]).is_gone());
    assert!(view(good(), good(), &[]).is_gone());
    let mut unseen = view(good(), good(), &[]);
    unseen.place.files = None;
    assert!(!unseen.is_gone(), "nobody looked");
    assert!(!view(None, None, &[]).is_gone());
}
