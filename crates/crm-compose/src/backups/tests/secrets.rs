//! Which secrets go along, and where nothing of them lies.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crm_archive::{Archive, Manifest, Member, Passphrase, Taker};
use secrecy::ExposeSecret as _;

use super::world::{KEY, back_up, fill, filled, open, passphrase, put_back, settings, verify};
use crate::backups::{Luggage, settings_of};
use crate::composition::Composition;
use crate::settings::{Need, Settings, Source};

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n";
const SECRET: &str = "a-client-secret-of-the-tests";

/// All members of a backup, manifest and all.
fn members(file: &Path, secret: Option<&Passphrase>) -> Vec<u8> {
    struct Keep(Vec<u8>);
    impl Taker for Keep {
        fn manifest(&mut self, manifest: &Manifest) -> std::io::Result<()> {
            self.0.extend(format!("{manifest:?}").into_bytes());
            Ok(())
        }
        fn member(&mut self, _: &Member, contents: &mut dyn Read) -> std::io::Result<()> {
            contents.read_to_end(&mut self.0).map(drop)
        }
    }
    let mut keep = Keep(Vec::new());
    Archive::open(file).unwrap().walk(secret, &mut keep).unwrap();
    keep.0
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// Half of LINE WORKS: nothing that a program could speak with, but secrets.
fn half(dir: &Path, key: (&str, &str)) -> Settings {
    settings(
        dir,
        &[("CRM_SECRET_KEY", KEY), ("LINE_WORKS_CLIENT_SECRET", SECRET), key],
    )
}

#[tokio::test]
async fn keys_and_secrets_come_back_although_the_rest_of_line_works_is_missing() {
    let temp = tempfile::tempdir().unwrap();
    let pem = temp.path().join("line.key");
    std::fs::write(&pem, PEM).unwrap();
    let named = pem.display().to_string();
    let given = [
        ("LINE_WORKS_PRIVATE_KEY_FILE", named.as_str()),
        ("LINE_WORKS_PRIVATE_KEY", PEM),
    ];
    for (number, key) in given.into_iter().enumerate() {
        let dir = temp.path().join(number.to_string());
        let from = half(&dir.join("old"), key);
        assert!(from.line_works.is_none());
        let parts = open(&from).await;
        fill(&parts).await;
        let sealed = back_up(&from, &parts, &dir.join("sealed"), Some(&passphrase())).await;
        let open_one = back_up(&from, &parts, &dir.join("open"), None).await;
        drop(parts);
        let bytes = std::fs::read(&sealed).unwrap();
        let carried = members(&sealed, Some(&passphrase()));
        let told = members(&open_one, None);
        for secret in [KEY, SECRET, "MIIBVgIBADANBgkqhkiG"] {
            assert!(holds(&carried, secret) && !holds(&bytes, secret), "{secret}");
            assert!(!holds(&told, secret), "{secret}");
        }
        let to = settings(&dir.join("new"), &[]);
        let restored = put_back(&to, &sealed, Some(&passphrase())).await.unwrap();
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(text(&to.data.secret_key_file()).trim(), KEY);
        assert_eq!(text(&restored.private_key.unwrap()), PEM);
        let env = text(&restored.settings.unwrap());
        let again = Settings::read(&Source::new([], Some(&env)), Need::Store).unwrap();
        let again = Luggage::of(&again.settings);
        assert_eq!(again.private_key.unwrap().expose_secret(), PEM);
        assert!(again.settings.unwrap().expose_secret().contains(SECRET));
    }
}

#[tokio::test]
async fn what_a_command_takes_has_them_too() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let given = [
        ("CRM_BACKUP_PASSPHRASE", "long enough to protect"),
        ("LINE_WORKS_PRIVATE_KEY", PEM),
    ];
    let (from, parts) = filled(&dir, &given).await;
    drop(parts);
    // As a command opens it, that knows nothing of LINE WORKS.
    let parts = open(&from).await;
    assert!(parts.settings.connection.is_none());
    let luggage = Luggage::of(&parts.settings);
    let file = dir.join("copy");
    parts
        .workshop
        .take(&file, Some(&passphrase()), &luggage)
        .await
        .unwrap();
    let carried = settings_of(&file, Some(&passphrase())).unwrap();
    assert!(carried.settings.is_some() && carried.secret_key.is_some());
    assert_eq!(carried.private_key.unwrap().expose_secret(), PEM);
}

#[test]
fn a_private_key_that_cannot_be_used_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let named = temp.path().join("nowhere").display().to_string();
    for (name, value) in [
        ("LINE_WORKS_PRIVATE_KEY_FILE", named.as_str()),
        ("LINE_WORKS_PRIVATE_KEY", "no key"),
        ("LINE_WORKS_PRIVATE_KEY_BASE64", "???"),
    ] {
        let luggage = Luggage::of(&half(temp.path(), (name, value)));
        assert_eq!(
            (luggage.private_key.is_none(), luggage.unusable.as_deref()),
            (true, Some(name))
        );
    }
    let none = Luggage::of(&settings(temp.path(), &[]));
    assert!(none.private_key.is_none() && none.unusable.is_none());
}

/// Every file and folder below these, with what is in it.
fn contents(dir: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            contents(&entry.path(), found);
        } else {
            found.extend(std::fs::read(entry.path()));
        }
    }
}

/// A stick from which somebody reads while the backup is written: what is behind a passphrase is never on it as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_readable_is_ever_beside_a_sealed_backup() {
    let temp = tempfile::tempdir().unwrap();
    let stick = temp.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let (from, parts) = filled(&temp.path().join("data"), &[]).await;
    let over = Arc::new(AtomicBool::new(false));
    let (place, ended) = (stick.clone(), Arc::clone(&over));
    let watching = std::thread::spawn(move || {
        let (mut seen, mut readable) = (0, 0);
        while !ended.load(Ordering::Relaxed) {
            let mut found = Vec::new();
            contents(&place, &mut found);
            seen += found.iter().filter(|bytes| bytes.len() > 1_000).count();
            readable += found
                .iter()
                .filter(|bytes| holds(bytes, "SQLite format 3"))
                .count();
        }
        (seen, readable)
    });
    let file = back_up(&from, &parts, &stick.join("backup"), Some(&passphrase())).await;
    let found = crate::backups::verify(&file, Some(&passphrase()), Some(&from.data.dir));
    found.unwrap();
    over.store(true, Ordering::Relaxed);
    let (seen, readable) = watching.join().unwrap();
    assert!(seen > 0 && readable == 0, "{readable} of {seen}");
    let left = std::fs::read_dir(&from.data.dir).unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(std::fs::read_dir(&stick).unwrap().count(), 1);
    verify(&file, Some(&passphrase())).unwrap();
}

/// Of a program that was killed nothing readable stays longer than until the next one begins.
#[tokio::test]
async fn what_a_killed_program_left_in_the_data_folder_goes_at_the_next_start() {
    let temp = tempfile::tempdir().unwrap();
    let settings = settings(&temp.path().join("data"), &[]);
    drop(open(&settings).await);
    let left = settings.data.dir.join(".crm-backup-killed");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("lock"), "").unwrap();
    std::fs::write(left.join("crm.db"), "a database").unwrap();
    let parts: Composition = open(&settings).await;
    assert!(!left.exists());
    drop(parts);
}
