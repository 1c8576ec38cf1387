//! There and back.

use std::io::Read as _;

use crm_domain::backups::{BackupState, PauseCause};
use crm_domain::ports::blobs::{BlobHash, Blobs as _};
use crm_domain::ports::erased::ErasedList as _;
use crm_domain::ports::store::StoreExt as _;
use crm_domain::ports::vault::{Place, Vault as _};
use crm_domain::use_cases::{Claim, SignInStep};
use crm_host::ErasedFile;
use crm_sqlite::copies;

use super::world::{
    KEY, OTHER_KEY, PHOTO, back_up, filled, open, operator, passphrase, put_back, settings, sign_in, verify,
};
use crate::backups::restored::KeyFate;
use crate::backups::settings_of;
use crate::composition::Composition;
use crm_domain::permissions::Actor;

/// Everything that was in the store is in this one, and rests.
pub(super) async fn holds_everything(parts: &Composition) {
    let crm = &parts.crm;
    let report = crm.verify_audit(&operator(), None).await.unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert!(report.checked > 0);
    let hash = BlobHash::from_hex(&crm_archive::Member::of("", PHOTO).unwrap().sha256).unwrap();
    let blobs = parts.place.blobs(&parts.settings.data, &parts.vault);
    let mut photo = Vec::new();
    let opened = blobs.open(&hash).unwrap();
    opened.unwrap().read_to_end(&mut photo).unwrap();
    assert_eq!(photo, PHOTO);
    assert!(matches!(
        sign_in(parts, "hanako@example.co.jp").await,
        SignInStep::Done { .. }
    ));
    assert_eq!(
        ErasedFile::new(&parts.settings.data.dir)
            .all()
            .await
            .unwrap()
            .len(),
        1
    );
    let pause = crm.pause().await.unwrap().unwrap();
    assert_eq!(pause.cause, PauseCause::Restored);
    let claim = crm.claim_message(&Actor::Job("tests"), "run").await.unwrap();
    assert_eq!(claim, Claim::Nothing);
    let open = parts.store.read(|unit| unit.sends().sends_open()).await;
    assert!(!open.unwrap(), "what was on its way is 結果不明");
}

pub(super) async fn sealed_values_open(parts: &Composition) -> bool {
    let rows = parts.store.read(|unit| {
        let column = &crm_domain::data_keys::SEALED_COLUMNS[1];
        unit.data_keys().sealed_rows(column, None, 9)
    });
    let rows = rows.await.unwrap();
    let opens = |row: &crm_domain::data_keys::SealedRow| {
        let place = Place::new("member_factors", "seed", &row.key);
        parts
            .vault
            .open(&place, &row.sealed)
            .is_ok_and(|seed| seed == b"a seed")
    };
    rows.len() == 1 && rows.iter().all(opens)
}

#[tokio::test]
async fn an_encrypted_backup_brings_everything_onto_an_empty_machine() {
    let temp = tempfile::tempdir().unwrap();
    let given = [
        ("CRM_FIRM_NAME", "山田商会"),
        ("CRM_BACKUP_PASSPHRASE", "long enough to protect"),
    ];
    let (from, parts) = filled(&temp.path().join("old"), &given).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), Some(&passphrase())).await;
    let noted = parts.crm.backup_state(&operator()).await.unwrap();
    assert_eq!(
        (noted.newest.len(), noted.newest[0].state),
        (1, BackupState::Good)
    );
    let taken = noted.newest[0].taken.as_ref().unwrap();
    assert_eq!((taken.encrypted, taken.missing_files), (true, 0));
    let verified = verify(&file, Some(&passphrase())).unwrap();
    assert!(verified.encrypted && verified.manifest.secrets);
    assert_eq!(verified.manifest.files(), 1);
    drop(parts);

    let to = settings(&temp.path().join("new"), &[]);
    let restored = put_back(&to, &file, Some(&passphrase())).await.unwrap();
    assert_eq!(restored.key, KeyFate::Taken);
    assert_eq!((restored.files, restored.callbacks, restored.given_up), (1, 1, 1));
    let text = std::fs::read_to_string(restored.settings.unwrap()).unwrap();
    assert!(text.contains("CRM_FIRM_NAME='山田商会'"), "{text}");
    let parts = open(&to).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
    assert!(!temp.path().join("new/restoring").exists());
    let waiting = parts.store.read(|unit| unit.receipts().pending_receipts(9));
    assert_eq!(
        waiting.await.unwrap().len(),
        2,
        "the photo and what had waited in the spool"
    );
    assert!(parts.crm.resume(&operator()).await.unwrap());
    assert!(!parts.crm.resume(&operator()).await.unwrap());
}

#[tokio::test]
async fn an_unencrypted_backup_tells_no_secret_and_opens_under_the_same_key() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[("CRM_SECRET_KEY", KEY)]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), None).await;
    let verified = verify(&file, None).unwrap();
    assert!(!verified.encrypted && !verified.manifest.secrets);
    let carried = settings_of(&file, None).unwrap();
    assert!(carried.secret_key.is_none() && carried.settings.is_none());
    let to = settings(&temp.path().join("new"), &[("CRM_SECRET_KEY", KEY)]);
    let restored = put_back(&to, &file, None).await.unwrap();
    assert_eq!(restored.key, KeyFate::Same);
    assert_eq!(Some(restored.fingerprint), verified.manifest.key_fingerprint);
    let parts = open(&to).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
}

#[tokio::test]
async fn onto_another_key_the_targets_counts_and_what_is_lost_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[("CRM_SECRET_KEY", KEY)]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), None).await;
    let to = settings(&temp.path().join("new"), &[("CRM_SECRET_KEY", OTHER_KEY)]);
    let restored = put_back(&to, &file, None).await.unwrap();
    let KeyFate::Adopted { factors, connection } = &restored.key else {
        panic!("{:?}", restored.key);
    };
    assert_eq!(factors, &["taro@example.co.jp"]);
    assert_eq!(connection, &["client_secret"]);
    let parts = open(&to).await;
    holds_everything(&parts).await;
    let noted = copies::inspect(to.data.database.file().unwrap(), true).unwrap();
    assert!(noted.faults.is_empty());
    let noted = noted
        .key_fingerprint
        .map(|print| crate::backups::archive::hex(&print));
    assert_eq!(noted, Some(restored.fingerprint));
    assert!(matches!(
        sign_in(&parts, "taro@example.co.jp").await,
        SignInStep::Done { .. }
    ));
}

#[tokio::test]
async fn an_encrypted_backup_is_brought_under_another_key() {
    let temp = tempfile::tempdir().unwrap();
    let (from, parts) = filled(&temp.path().join("old"), &[]).await;
    let file = back_up(&from, &parts, &temp.path().join("backup"), Some(&passphrase())).await;
    let to = settings(&temp.path().join("new"), &[("CRM_SECRET_KEY", OTHER_KEY)]);
    let restored = put_back(&to, &file, Some(&passphrase())).await.unwrap();
    assert_eq!(restored.key, KeyFate::Brought);
    let parts = open(&to).await;
    holds_everything(&parts).await;
    assert!(sealed_values_open(&parts).await);
}
