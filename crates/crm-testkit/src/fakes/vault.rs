//! A vault without keys.

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::vault::{Place, Vault, VaultError};

use super::secrets::sha256;

/// Bytes before the content: those that tell the place and the content from others.
const MARK: usize = 8;
/// Said to have sealed everything.
const ONLY_KEY: DataKeyId = DataKeyId([1; 8]);

/// Scrambles by the place alone: an envelope shows nothing of its content and opens nowhere else. No protection at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeVault;

impl Vault for FakeVault {
    fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut sealed = mark(place, plain).to_vec();
        sealed.extend(scrambled(place, plain));
        Ok(sealed)
    }

    fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (found, content) = sealed.split_at_checked(MARK).ok_or(VaultError::Broken)?;
        let plain = scrambled(place, content);
        if mark(place, &plain) == found {
            Ok(plain)
        } else {
            Err(VaultError::Broken)
        }
    }

    fn data_key_of(&self, _sealed: &[u8]) -> Result<DataKeyId, VaultError> {
        Ok(ONLY_KEY)
    }

    fn sealing_key(&self) -> Result<DataKeyId, VaultError> {
        Ok(ONLY_KEY)
    }

    fn new_data_key(&self, at: Instant) -> Result<DataKey, VaultError> {
        Ok(DataKey {
            id: ONLY_KEY,
            wrapped: Vec::new(),
            made_at: at,
            retired_at: None,
        })
    }
}

fn name_of(place: &Place) -> String {
    format!("{}.{}.{}", place.table, place.column, place.row)
}

fn mark(place: &Place, plain: &[u8]) -> [u8; MARK] {
    let mut whole = name_of(place).into_bytes();
    whole.push(0);
    whole.extend(plain);
    let mut out = [0; MARK];
    out.copy_from_slice(&sha256(&whole)[..MARK]);
    out
}

fn scrambled(place: &Place, bytes: &[u8]) -> Vec<u8> {
    let name = name_of(place);
    let blocks = bytes.chunks(32).enumerate();
    blocks
        .flat_map(|(at, block)| {
            let mask = sha256(format!("{at}:{name}").as_bytes());
            block
                .iter()
                .zip(mask)
                .map(|(byte, mask)| byte ^ mask)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{FakeVault, Place, Vault as _, VaultError};

    #[test]
    fn an_envelope_opens_in_its_place_only() {
        let (here, there) = (Place::new("t", "c", 1), Place::new("t", "c", 2));
        let plain = b"a secret of more than thirty-two bytes in all";
        let sealed = FakeVault.seal(&here, plain).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(FakeVault.open(&here, &sealed).unwrap(), plain);
        assert_eq!(FakeVault.open(&there, &sealed), Err(VaultError::Broken));
        assert_eq!(FakeVault.open(&here, b"short"), Err(VaultError::Broken));
    }
}
