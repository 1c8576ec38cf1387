//! The key from which the others are derived.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use crm_domain::ports::host::Secrets;
use ring::{hkdf, hmac};

use crate::data_dir::{others_may_read, private_file};
use crate::key_sheet;

/// The installation's secret: any text of at least [`SecretKey::MIN_BYTES`] bytes. Never used itself, only to derive
/// one key for each purpose.
#[derive(Clone)]
pub struct SecretKey {
    mac: hmac::Key,
    base: hkdf::Prk,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is shorter than [`SecretKey::MIN_BYTES`].
    #[error("the secret key is shorter than {} bytes", SecretKey::MIN_BYTES)]
    TooShort,
    /// Copied from the sheet, and this line (counted from 1) does not fit its check value.
    #[error("line {0} of the secret key is not as on the sheet")]
    Mistyped(usize),
    /// The file could not be read or made.
    #[error("the key file {0} cannot be used: {1}")]
    File(String, #[source] io::Error),
}

/// A key as read from its file.
#[derive(Debug)]
pub struct KeyFile {
    /// The key.
    pub key: SecretKey,
    /// Others than the owner may read the file; worth a warning.
    pub exposed: bool,
}

impl SecretKey {
    /// The fewest bytes that cannot be guessed if they are random.
    pub const MIN_BYTES: usize = 32;

    /// The key in a text: as it stands, blanks at both ends cut; of a key that we made also those between its digits, because
    /// it is copied from paper in groups and lines. With the check values of the sheet a line copied wrongly is told.
    pub fn read_text(text: &str) -> Result<String, KeyError> {
        let copied = key_sheet::read_back(text)
            .transpose()
            .map_err(KeyError::Mistyped)?;
        let text = copied.as_deref().unwrap_or(text);
        let joined: String = text.split_whitespace().collect();
        let is_ours = joined.len() == 64 && joined.bytes().all(|byte| byte.is_ascii_hexdigit());
        let text = if is_ours { &joined } else { text.trim() };
        if text.len() < Self::MIN_BYTES {
            return Err(KeyError::TooShort);
        }
        Ok(text.to_owned())
    }

    /// The key in a text, see [`SecretKey::read_text`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = Self::read_text(text)?;
        Ok(Self {
            mac: hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()),
            base: hkdf::Salt::new(hkdf::HKDF_SHA256, b"crm secret key").extract(text.as_bytes()),
        })
    }

    /// Reads the key file; makes it (mode 0600, on disk before this returns) if there is none. Of two who make it at
    /// once, both get the same key.
    pub fn load_or_create(file: &Path, secrets: &dyn Secrets) -> Result<KeyFile, KeyError> {
        let failed = |error| KeyError::File(file.display().to_string(), error);
        if !file.try_exists().map_err(failed)? {
            create(file, &secrets.token()).map_err(failed)?;
        }
        let text = std::fs::read_to_string(file).map_err(failed)?;
        Ok(KeyFile {
            key: Self::from_text(&text)?,
            exposed: others_may_read(file).map_err(failed)?,
        })
    }

    /// The key for one purpose, such as `csrf`: another purpose's key tells nothing about it.
    pub fn for_purpose(&self, purpose: &str) -> MacKey {
        let derived = hmac::sign(&self.mac, purpose.as_bytes());
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// What keys that encrypt are derived from, by HKDF.
    pub(crate) fn base(&self) -> &hkdf::Prk {
        &self.base
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Written whole under another name first, so that nobody reads half a key.
fn create(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let mut out = private_file()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&draft)?;
    writeln!(out, "{text}")?;
    out.sync_all()?;
    let linked = std::fs::hard_link(&draft, file);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Signs and checks short texts with HMAC-SHA256.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// A key of these bytes.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The signature of these bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        out
    }

    /// Whether this is their signature; takes as long whatever the answer.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.0, message, signature).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyError, SecretKey};
    use crate::secrets::RingSecrets;

    #[test]
    fn a_made_key_is_private_and_stays() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("secret.key");
        let made = SecretKey::load_or_create(&file, &RingSecrets::new()).unwrap();
        let read = SecretKey::load_or_create(&file, &RingSecrets::new()).unwrap();
        assert!(!made.exposed && !read.exposed);
        let tag = made.key.for_purpose("csrf").sign(b"session");
        assert!(read.key.for_purpose("csrf").verify(b"session", &tag));
        assert!(!read.key.for_purpose("other").verify(b"session", &tag));
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_short_key_is_refused_and_none_is_shown() {
        assert!(matches!(SecretKey::from_text("short"), Err(KeyError::TooShort)));
        let key = SecretKey::from_text(&"k".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), "SecretKey(…)");
    }

    #[test]
    fn a_key_of_ours_is_the_same_in_the_lines_of_the_sheet() {
        let made = "0123456789abcdef".repeat(4);
        let copied = format!(
            " {} {}\n{}\t{}\n",
            &made[..4],
            &made[4..32],
            &made[32..36],
            &made[36..]
        );
        let on_sheet = crate::key_sheet::lines(&made);
        let checked: Vec<String> = on_sheet
            .iter()
            .map(|line| format!("{} [{}]", line.groups, line.check))
            .collect();
        let tag = |text: &str| {
            SecretKey::from_text(text)
                .unwrap()
                .for_purpose("csrf")
                .sign(b"session")
        };
        assert_eq!(tag(&copied), tag(&made));
        assert_eq!(tag(&checked.join("\n")), tag(&made));
        let wrong = checked.join("\n").replacen("01234567", "01284567", 1);
        assert!(matches!(SecretKey::from_text(&wrong), Err(KeyError::Mistyped(1))));
        let own = "a sentence of somebody's own, long enough";
        let squeezed = SecretKey::from_text(&own.replace(' ', ""))
            .unwrap()
            .for_purpose("csrf")
            .sign(b"session");
        assert!(
            !SecretKey::from_text(own)
                .unwrap()
                .for_purpose("csrf")
                .verify(b"session", &squeezed)
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_reported() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("secret.key");
        SecretKey::load_or_create(&file, &RingSecrets::new()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            SecretKey::load_or_create(&file, &RingSecrets::new())
                .unwrap()
                .exposed
        );
    }
}
