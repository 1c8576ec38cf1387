//! What goes along in an encrypted backup besides the data: settings and keys.

use std::path::Path;

use crm_archive::names;
use crm_host::SecretKey;
use crm_host::key_sheet::{self, Line};
use secrecy::{ExposeSecret as _, SecretString};

use crate::settings::{DataSettings, Settings, portable, private_key_of};

/// Settings and keys, as text.
#[derive(Debug, Clone, Default)]
pub struct Luggage {
    /// A `.env` file.
    pub settings: Option<SecretString>,
    /// The secret key.
    pub secret_key: Option<SecretString>,
    /// The private key of LINE WORKS, in PEM.
    pub private_key: Option<SecretString>,
    /// The setting that gives a private key which cannot be used, and so does not go along.
    pub unusable: Option<String>,
}

impl Luggage {
    /// What these settings hold, whether the program speaks with LINE WORKS or not; the secret key is not looked for in its
    /// file yet.
    pub fn of(settings: &Settings) -> Self {
        let (private_key, unusable) = match private_key_of(&settings.given) {
            Ok(key) => (key, None),
            Err(problem) => (None, Some(problem.name)),
        };
        Self {
            settings: Some(portable(&settings.given).into()),
            secret_key: settings.data.secret_key.clone(),
            private_key,
            unusable,
        }
    }

    /// The members that it makes, by name.
    pub(super) fn members(&self) -> Vec<(&'static str, Vec<u8>)> {
        let member = |name, text: &Option<SecretString>| {
            let text = text.as_ref()?;
            Some((name, text.expose_secret().as_bytes().to_vec()))
        };
        [
            member(names::SETTINGS, &self.settings),
            member(names::SECRET_KEY, &self.secret_key),
            member(names::PRIVATE_KEY, &self.private_key),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Takes a member of this name.
    pub(super) fn take(&mut self, name: &str, text: String) {
        let place = match name {
            names::SETTINGS => &mut self.settings,
            names::SECRET_KEY => &mut self.secret_key,
            names::PRIVATE_KEY => &mut self.private_key,
            _ => return,
        };
        *place = Some(text.into());
    }
}

/// The secret key of the settings, or of the file in the data folder.
pub(super) fn secret_key_of(data: &DataSettings) -> Option<SecretString> {
    let given = data.secret_key.clone();
    given.or_else(|| {
        let text = std::fs::read_to_string(data.secret_key_file()).ok()?;
        Some(text.trim().to_owned().into())
    })
}

/// What a 復旧シート tells.
#[derive(Debug, Clone)]
pub struct KeySheet {
    /// The secret key in groups of eight characters, each line with its check value.
    pub lines: Vec<Line>,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The whole key, for a picture that a camera reads.
    pub key: SecretString,
    /// Where the key is kept: a file, or the setting.
    pub file: Option<String>,
    /// Where daily backups lie.
    pub backups: String,
    /// Whether they need a passphrase.
    pub encrypted: bool,
    /// The database, without a password.
    pub database: String,
}

/// On paper a path must say where it begins.
fn whole(path: &Path) -> String {
    let whole = std::path::absolute(path);
    whole.unwrap_or_else(|_| path.to_owned()).display().to_string()
}

impl KeySheet {
    /// The sheet for these settings; `None` if there is no key yet.
    pub fn of(settings: &Settings) -> Option<Self> {
        let data = &settings.data;
        let key = SecretKey::read_text(secret_key_of(data)?.expose_secret()).ok()?;
        let secret = SecretKey::from_text(&key).ok()?;
        let wrapping = crm_host::vault::WrappingKeys::of(&secret, &[]).ok()?;
        Some(Self {
            lines: key_sheet::lines(&key),
            fingerprint: wrapping.fingerprint().to_string(),
            file: data.secret_key.is_none().then(|| whole(&data.secret_key_file())),
            backups: whole(&data.backup_dir),
            encrypted: settings.backups.passphrase.is_some(),
            database: data.database.to_string(),
            key: key.into(),
        })
    }
}
