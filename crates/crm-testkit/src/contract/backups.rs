//! Backups, the pause, and what does not outlive a restore.

use crm_domain::backups::{Backup, BackupId, BackupState, NewBackup, Pause, PauseCause, REMEMBERED, Taken};
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::store::OperationKey;

use super::AnyStore;
use super::steps::{read, write};
use crate::fixtures::{after, start};

fn new(minute: i64) -> NewBackup {
    NewBackup {
        at: after(minute),
        daily: true,
        by: "crm-web".to_owned(),
        file: String::new(),
    }
}

fn taken() -> Taken {
    Taken {
        file: "backups/crm-20250708-030000.tar.zst".to_owned(),
        size: 12_345,
        hash: BlobHash([7; 32]),
        encrypted: true,
        missing_files: 3,
    }
}

async fn begin(store: &AnyStore, minute: i64) -> BackupId {
    write(store, move |unit| unit.edit_backups().begin_backup(&new(minute))).await
}

async fn newest(store: &AnyStore) -> Backup {
    let mut found = read(store, |unit| unit.backups().backups(1)).await;
    found.pop().expect("one is noted")
}

pub async fn a_backup_is_noted_from_its_beginning_to_its_end(store: AnyStore) {
    assert_eq!(read(&store, |unit| unit.backups().backups(9)).await, []);
    let id = begin(&store, 1).await;
    let begun = newest(&store).await;
    assert_eq!(
        (begun.begun, begun.beat_at, begun.state),
        (new(1), after(1), BackupState::Running)
    );
    assert!(write(&store, move |unit| unit.edit_backups().beat_backup(id, after(2))).await);
    assert_eq!(newest(&store).await.beat_at, after(2));
    let end = move |unit: &mut dyn crm_domain::ports::store::UnitOfWork| {
        unit.edit_backups().end_backup(id, Ok(&taken()), after(3))
    };
    assert!(write(&store, end).await);
    assert!(!write(&store, end).await, "it ends once");
    assert!(!write(&store, move |unit| unit.edit_backups().beat_backup(id, after(4))).await);
    let good = newest(&store).await;
    assert_eq!(
        (good.state, good.taken, good.finished_at),
        (BackupState::Good, Some(taken()), Some(after(3)))
    );
}

pub async fn the_newest_good_backup_is_found_behind_failed_ones(store: AnyStore) {
    assert_eq!(
        read(&store, |unit| unit.backups().last_good_backup(None)).await,
        None
    );
    let good = begin(&store, 1).await;
    write(&store, move |unit| {
        unit.edit_backups().end_backup(good, Ok(&taken()), after(2))
    })
    .await;
    let bad = begin(&store, 3).await;
    write(&store, move |unit| {
        unit.edit_backups().end_backup(bad, Err("disk_full"), after(4))
    })
    .await;
    begin(&store, 5).await;
    let found = read(&store, |unit| unit.backups().last_good_backup(None)).await;
    assert_eq!(found.map(|backup| backup.id), Some(good));
    let all = read(&store, |unit| unit.backups().backups(2)).await;
    let states: Vec<_> = all
        .iter()
        .map(|backup| (backup.state, backup.problem.as_deref()))
        .collect();
    assert_eq!(
        states,
        [
            (BackupState::Running, None),
            (BackupState::Failed, Some("disk_full"))
        ]
    );
}

/// Begins one that somebody writes into a file, or a daily one without it, and lets it end well or not.
async fn done(store: &AnyStore, minute: i64, file: Option<&'static str>, well: bool) -> BackupId {
    write(store, move |unit| {
        let new = NewBackup {
            daily: file.is_none(),
            file: file.unwrap_or_default().to_owned(),
            ..new(minute)
        };
        let id = unit.edit_backups().begin_backup(&new)?;
        let taken = Taken {
            file: file.unwrap_or("/shelf/crm-20250708030000.tar.zst").to_owned(),
            ..taken()
        };
        let outcome = if well { Ok(&taken) } else { Err("disk_full") };
        unit.edit_backups().end_backup(id, outcome, after(minute))?;
        Ok(id)
    })
    .await
}

pub async fn backups_elsewhere_are_told_from_those_on_the_shelf(store: AnyStore) {
    let last = async |shelf| read(&store, move |unit| unit.backups().last_backup(shelf)).await;
    let good = async |shelf| read(&store, move |unit| unit.backups().last_good_backup(shelf)).await;
    let id = |backup: Option<Backup>| backup.map(|backup| backup.id);
    let daily = done(&store, 1, None, true).await;
    let inside = done(&store, 2, Some("/sh%l_/by hand"), true).await;
    for elsewhere in ["/mnt/usb/one", "/sh%l_/deeper/one", "/shall_/one", "/sh%l_x/one"] {
        done(&store, 3, Some(elsewhere), true).await;
    }
    let failed = done(&store, 4, Some("/mnt/usb/two"), false).await;
    assert_eq!(id(last(None).await), Some(failed));
    assert_eq!(id(last(Some("/sh%l_")).await), Some(inside));
    assert_eq!(id(good(Some("/sh%l_")).await), Some(inside));
    assert_eq!(
        id(good(Some("/shelf")).await),
        Some(daily),
        "a daily one lies on a shelf"
    );
    let asked = done(&store, 5, Some(""), false).await;
    assert_eq!(id(last(Some("/shelf")).await), Some(asked), "asked for on a page");
    let all = read(&store, |unit| unit.backups().good_backups(2)).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].id > all[1].id && all[1].taken.is_some());
    let first = read(&store, |unit| unit.backups().first_backup_at()).await;
    assert_eq!(first, Some(after(1)));
}

pub async fn old_backups_are_forgotten(store: AnyStore) {
    let good = done(&store, 0, None, true).await;
    let more = i64::try_from(REMEMBERED).expect("it is small") + 5;
    write(&store, move |unit| {
        (0..more).try_for_each(|minute| unit.edit_backups().begin_backup(&new(minute)).map(drop))
    })
    .await;
    let left = read(&store, |unit| unit.backups().backups(9_999)).await;
    assert_eq!(left.len(), REMEMBERED + 1);
    assert_eq!(left.first().map(|backup| backup.begun.at), Some(after(more - 1)));
    assert_eq!(left.last().map(|backup| backup.id), Some(good), "good ones stay");
}

pub async fn a_pause_lasts_until_it_is_ended(store: AnyStore) {
    let pause = |minute| Pause {
        since: after(minute),
        cause: PauseCause::Restored,
    };
    assert_eq!(read(&store, |unit| unit.backups().pause()).await, None);
    assert!(!write(&store, |unit| unit.edit_backups().set_pause(None)).await);
    assert!(write(&store, move |unit| unit.edit_backups().set_pause(Some(pause(1)))).await);
    assert!(!write(&store, move |unit| unit.edit_backups().set_pause(Some(pause(2)))).await);
    assert_eq!(read(&store, |unit| unit.backups().pause()).await, Some(pause(1)));
    assert!(write(&store, |unit| unit.edit_backups().set_pause(None)).await);
    assert_eq!(read(&store, |unit| unit.backups().pause()).await, None);
}

pub async fn what_belongs_to_a_moment_is_forgotten_and_events_begin_anew(store: AnyStore) {
    let key: OperationKey = [9; 16];
    begin(&store, 1).await;
    write(&store, move |unit| {
        unit.note_operation(&key, start())?;
        unit.edit_credentials()
            .add_setup_link(&[3; 32], after(99), after(1))
    })
    .await;
    write(&store, |unit| {
        unit.edit_backups().forget_passing("0123456789abcdef")
    })
    .await;
    assert_eq!(read(&store, |unit| unit.backups().backups(9)).await, []);
    assert!(!read(&store, move |unit| unit.operation_done(&key)).await);
    assert!(!write(&store, |unit| unit.edit_credentials().take_setup_link(&[3; 32])).await);
    let cursor = read(&store, |unit| unit.events().event_cursor()).await;
    assert!(cursor.epoch.starts_with("0123456789abcdef"));
}
