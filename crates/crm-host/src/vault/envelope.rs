//! The envelope of a short value: version, data key's id, nonce, ciphertext with its tag. Version, id and the value's
//! place are authenticated with it.

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::vault::{Place, VaultError};
use ring::aead::{Aad, Nonce};

use super::material::Material;

const VERSION: u8 = 1;
pub(super) const NONCE: usize = 12;
const TAG: usize = 16;
/// Version and key id.
const HEAD: usize = 1 + 8;

/// Which data key sealed it; `None`: it is no envelope.
pub(super) fn data_key_of(sealed: &[u8]) -> Option<DataKeyId> {
    let (head, rest) = sealed.split_first_chunk::<HEAD>()?;
    let [version, id @ ..] = *head;
    (version == VERSION && rest.len() >= NONCE + TAG).then_some(DataKeyId(id))
}

pub(super) fn seal(
    key: &Material,
    nonce: [u8; NONCE],
    place: &Place,
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let mut head = [VERSION; HEAD];
    head[1..].copy_from_slice(&key.id().0);
    let mut body = plain.to_vec();
    key.envelopes()
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound(&head, place)),
            &mut body,
        )
        .map_err(|_| VaultError::Unavailable)?;
    Ok([&head[..], &nonce, &body].concat())
}

pub(super) fn open(key: &Material, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (head, rest) = sealed.split_first_chunk::<HEAD>().ok_or(VaultError::Broken)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Broken)?;
    let mut body = body.to_vec();
    let plain = key
        .envelopes()
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(bound(head, place)),
            &mut body,
        )
        .map_err(|_| VaultError::Broken)?;
    Ok(plain.to_vec())
}

/// What is authenticated beside the content. Each part is preceded by its length, so that no two places read the same.
fn bound(head: &[u8; HEAD], place: &Place) -> Vec<u8> {
    let mut all = head.to_vec();
    for part in [place.table, place.column, &place.row] {
        all.extend((part.len() as u64).to_be_bytes());
        all.extend(part.as_bytes());
    }
    all
}
