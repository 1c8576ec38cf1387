//! Data keys wrapped by keys that are derived from secret keys.

use std::fmt;

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::ports::vault::VaultError;
use ring::aead::{Aad, LessSafeKey, Nonce};

use super::material::{KEY, Material, derived};
use crate::secret_key::SecretKey;

const VERSION: u8 = 1;
pub(super) const NONCE: usize = 12;

/// Tells secret keys apart and tells nothing of them: a keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct WrappingKey {
    fingerprint: Fingerprint,
    key: LessSafeKey,
}

/// The wrapping keys of the present secret key and of earlier ones. The present one wraps; all of them unwrap.
pub struct WrappingKeys {
    present: WrappingKey,
    earlier: Vec<WrappingKey>,
}

impl WrappingKeys {
    /// Those of these secret keys.
    pub fn of(present: &SecretKey, earlier: &[SecretKey]) -> Result<Self, VaultError> {
        Ok(Self {
            present: WrappingKey::of(present)?,
            earlier: earlier.iter().map(WrappingKey::of).collect::<Result<_, _>>()?,
        })
    }

    /// The fingerprint of the present secret key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.present.fingerprint
    }

    /// Whether this is the fingerprint of an earlier secret key.
    pub fn is_earlier(&self, fingerprint: &[u8]) -> bool {
        self.earlier.iter().any(|key| key.fingerprint.0 == fingerprint)
    }

    /// The data key wrapped by the present secret key; `None` if it is already.
    pub fn rewrapped(&self, key: &DataKey, nonce: [u8; NONCE]) -> Result<Option<Vec<u8>>, VaultError> {
        if self.present.unwrap(key).is_some() {
            return Ok(None);
        }
        let mut earlier = self.earlier.iter();
        let bytes = earlier.find_map(|earlier| earlier.unwrap(key));
        let bytes = bytes.ok_or(VaultError::UnknownKey)?;
        self.wrap(key.id, nonce, bytes).map(Some)
    }

    /// Whether one of them unwraps this data key.
    pub fn unwraps(&self, key: &DataKey) -> bool {
        self.unwrap(key).is_ok()
    }

    pub(super) fn wrap(
        &self,
        id: DataKeyId,
        nonce: [u8; NONCE],
        key: [u8; KEY],
    ) -> Result<Vec<u8>, VaultError> {
        let mut body = key.to_vec();
        self.present
            .key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound(id)),
                &mut body,
            )
            .map_err(|_| VaultError::Unavailable)?;
        Ok([&[VERSION][..], &nonce, &body].concat())
    }

    pub(super) fn unwrap(&self, key: &DataKey) -> Result<Material, VaultError> {
        let mut all = std::iter::once(&self.present).chain(&self.earlier);
        let bytes = all.find_map(|wrapping| wrapping.unwrap(key));
        Material::new(key.id, &bytes.ok_or(VaultError::UnknownKey)?)
    }
}

impl WrappingKey {
    fn of(secret: &SecretKey) -> Result<Self, VaultError> {
        let print = secret.for_purpose("crm key fingerprint 1").sign(b"crm");
        let mut fingerprint = Fingerprint([0; 16]);
        fingerprint.0.copy_from_slice(&print[..16]);
        Ok(Self {
            fingerprint,
            key: derived(secret.base(), &[b"crm key wrapping 1"])?,
        })
    }

    fn unwrap(&self, key: &DataKey) -> Option<[u8; KEY]> {
        let (version, rest) = key.wrapped.split_first()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(bound(key.id)), &mut body);
        let plain: &[u8] = opened.ok()?;
        (*version == VERSION).then_some(())?;
        plain.try_into().ok()
    }
}

fn bound(id: DataKeyId) -> Vec<u8> {
    [b"crm data key", &[VERSION][..], &id.0].concat()
}
