//! A store with something of every kind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crm_archive::Passphrase;
use crm_domain::activities::MessageKind;
use crm_domain::attachments::{AttachmentOutcome, NewAttachment};
use crm_domain::connection::ConnectionField;
use crm_domain::factors::Factor;
use crm_domain::instant::Instant;
use crm_domain::members::{Device, MemberId, Role};
use crm_domain::permissions::Actor;
use crm_domain::ports::blobs::{Blob, Blobs as _};
use crm_domain::ports::erased::{Erased, ErasedKey, ErasedList as _};
use crm_domain::ports::spool::Spool as _;
use crm_domain::ports::store::{StoreError, StoreExt as _, UnitOfWork};
use crm_domain::ports::vault::{Place, Vault as _};
use crm_domain::receipts::Kept;
use crm_domain::use_cases::{MemberForm, SignInForm, SignInStep};
use crm_host::{DiskSpool, ErasedFile, RingSecrets};
use crm_testkit::fixtures::{new_send, receipt, talk, user_id};

use crate::backups::{BackupProblem, Luggage, RestoreProblem, Restored, Verified, restore};
use crate::composition::Composition;
use crate::settings::{Need, Settings, Source};

pub(super) const PASSWORD: &str = "correct horse battery staple";
pub(super) const PHOTO: &[u8] = b"a photo of a red bicycle";
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(super) const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

pub(super) fn operator() -> Actor {
    Actor::Operator {
        name: "tests".to_owned(),
    }
}

pub(super) fn passphrase() -> Passphrase {
    Passphrase::new("long enough to protect").unwrap()
}

pub(super) fn settings(dir: &Path, more: &[(&str, &str)]) -> Settings {
    let mut pairs = vec![("CRM_DATA_DIR".to_owned(), dir.display().to_string())];
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    pairs.extend(more);
    Settings::read(&Source::new(pairs, None), Need::Store)
        .unwrap()
        .settings
}

pub(super) async fn open(settings: &Settings) -> Composition {
    let settings = settings.clone().without_line_works();
    Composition::for_command(settings).await.unwrap().0
}

pub(super) async fn write<T: Send + 'static>(
    parts: &Composition,
    work: impl FnMut(&mut dyn UnitOfWork) -> Result<T, StoreError> + Send + 'static,
) -> T {
    parts.store.write(work).await.unwrap()
}

async fn member(parts: &Composition, email: &str) -> MemberId {
    let form = MemberForm {
        email: email.to_owned(),
        name: "管理 花子".to_owned(),
        role: Role::Admin,
        password: Some(PASSWORD.to_owned()),
    };
    parts.crm.add_member(&operator(), form).await.unwrap()
}

/// Keeps a file as if it had come with a callback of this body.
pub(super) async fn receive(parts: &Composition, body: &str, content: Vec<u8>) -> Blob {
    let blobs = parts.place.blobs(&parts.settings.data, &parts.vault);
    let kept = tokio::task::spawn_blocking(move || {
        let mut draft = blobs.begin()?;
        draft.write(&content)?;
        draft.keep()
    });
    let blob: Blob = kept.await.unwrap().unwrap();
    let body = body.to_owned();
    write(parts, move |uow| {
        let at = Instant::from_unix_millis(1_751_942_746_446);
        let Kept::Added(receipt_id) = uow.edit_receipts().keep_receipt(&receipt(&body, at))? else {
            panic!("it is new");
        };
        let new = NewAttachment {
            receipt_id,
            conversation_id: None,
            bot: "1".to_owned(),
            file_id: "jp1.1".to_owned(),
            kind: MessageKind::Image,
            name: None,
        };
        uow.edit_attachments()
            .add_attachments(std::slice::from_ref(&new), at)?;
        let found = uow.attachments().attachments_of_receipts(&[receipt_id])?;
        let outcome = AttachmentOutcome::Stored {
            blob,
            name: Some("自転車.jpg".to_owned()),
            media_type: Some("image/jpeg".to_owned()),
        };
        uow.edit_attachments().settle_attachment(found[0].id, &outcome)
    })
    .await;
    blob
}

/// Sealed values: a second factor and the connection to LINE WORKS.
async fn secrets(parts: &Composition, of: MemberId) {
    let place = Place::new(Factor::SEED_TABLE, Factor::SEED_COLUMN, of);
    let seed = parts.vault.seal(&place, b"a seed").unwrap();
    let field = ConnectionField::ClientSecret;
    let place = Place::new("connection_values", "sealed", field.code());
    let sealed = parts.vault.seal(&place, b"hush").unwrap();
    write(parts, move |uow| {
        let at = Instant::from_unix_millis(1_751_942_746_446);
        uow.edit_factors().put_factor(&Factor {
            member_id: of,
            seed: seed.clone(),
            created_at: at,
            confirmed_at: Some(at),
        })?;
        let changes = [(field, Some(sealed.clone()))];
        uow.edit_connection()
            .save_connection(0, &changes, "管理 花子", at)
    })
    .await;
}

/// Fills a store with samples, members, secrets, a file, messages on their way, somebody erased, and callbacks in the spool.
pub(super) async fn fill(parts: &Composition) {
    let now = parts.crm.now();
    crm_samples::fill_demo(parts.store.as_ref(), "1", now)
        .await
        .unwrap();
    member(parts, "hanako@example.co.jp").await;
    let taro = member(parts, "taro@example.co.jp").await;
    secrets(parts, taro).await;
    receive(parts, "photo", PHOTO.to_vec()).await;
    write(parts, move |uow| {
        let talks = uow
            .edit_conversations()
            .open_conversations(&[talk(&user_id("somebody"))], now)?;
        uow.edit_sends()
            .add_send(&new_send("queued", talks[0], "まもなく伺います", now))
    })
    .await;
    let erased = Erased {
        key: ErasedKey::Address([7; 32]),
        at: now,
    };
    ErasedFile::new(&parts.settings.data.dir)
        .add(&[erased])
        .await
        .unwrap();
    let spool = &parts.settings.data.spool_dir;
    let (spool, opened) = DiskSpool::open(spool, None, Arc::new(RingSecrets::new())).unwrap();
    opened.unwrap();
    spool.keep(&receipt("spooled", now)).await.unwrap();
    while parts.crm.seal_audit(&Actor::Job("tests")).await.unwrap().sealed > 0 {}
    sign_in(parts, "hanako@example.co.jp").await;
}

pub(super) async fn sign_in(parts: &Composition, email: &str) -> SignInStep {
    let form = SignInForm {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        known_browser: None,
        device: Device::default(),
    };
    parts.crm.sign_in(form).await.unwrap()
}

/// A filled store below `dir`, its settings, and an open program.
pub(super) async fn filled(dir: &Path, more: &[(&str, &str)]) -> (Settings, Composition) {
    let settings = settings(dir, more);
    let parts = open(&settings).await;
    fill(&parts).await;
    (settings, parts)
}

pub(super) async fn back_up(
    settings: &Settings,
    parts: &Composition,
    file: &Path,
    secret: Option<&Passphrase>,
) -> PathBuf {
    let luggage = Luggage::of(settings);
    parts.back_up(&operator(), file, secret, &luggage).await.unwrap();
    file.to_owned()
}

pub(super) async fn put_back(
    settings: &Settings,
    file: &Path,
    secret: Option<&Passphrase>,
) -> Result<Restored, RestoreProblem> {
    restore(settings.clone(), file, secret, &operator(), Arc::new(|_| ())).await
}

pub(super) fn verify(file: &Path, secret: Option<&Passphrase>) -> Result<Verified, BackupProblem> {
    crate::backups::verify(file, secret, None).map_err(|failure| failure.problem)
}
