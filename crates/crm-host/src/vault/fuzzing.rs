//! Any bytes as an envelope, and in one.

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::vault::Place;
use std::io::Read as _;

use super::envelope::{NONCE, data_key_of, open, seal};
use super::material::{KEY, Material};
use super::stream::{HEADER, Opened};

const ID: DataKeyId = DataKeyId(*b"fuzz key");

/// Takes the bytes for an envelope, for a secret that is sealed, and for a file.
pub(crate) fn envelope(input: &[u8]) {
    let Ok(key) = Material::new(ID, &[7; KEY]) else {
        panic!("no key of 32 bytes");
    };
    let here = Place::new("member_factors", "seed", 17);
    if open(&key, &here, input).is_ok() {
        assert_eq!(
            data_key_of(input),
            Some(ID),
            "opened by a key that it does not name"
        );
    }
    sealed(&key, &here, input);
    if let Some((header, rest)) = input.split_first_chunk::<HEADER>()
        && let Ok(mut file) = Opened::new(&key, *header, BlobHash([1; 32]), rest)
    {
        let read = file.read_to_end(&mut Vec::new());
        assert!(read.is_err(), "a file opens that was never sealed");
    }
}

/// What was sealed opens in its place; changed, cut, lengthened or elsewhere it does not.
fn sealed(key: &Material, here: &Place, secret: &[u8]) {
    let Ok(whole) = seal(key, [3; NONCE], here, secret) else {
        panic!("cannot be sealed");
    };
    assert_eq!(
        open(key, here, &whole).as_deref(),
        Ok(secret),
        "sealed and opened"
    );
    assert_eq!(data_key_of(&whole), Some(ID));
    for place in [
        Place::new("member_factors", "seed", 18),
        Place::new("member_factors", "see", "d17"),
        Place::new("member_factor", "sseed", 17),
    ] {
        assert!(open(key, &place, &whole).is_err(), "opens elsewhere");
    }
    let chosen = secret
        .iter()
        .fold(0_usize, |sum, byte| sum * 31 % 65_521 + usize::from(*byte));
    for at in [0, chosen % whole.len(), whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (chosen % 8);
        assert!(
            open(key, here, &changed).is_err(),
            "opens though byte {at} was changed"
        );
        assert!(open(key, here, &whole[..at]).is_err(), "opens though cut at {at}");
    }
    assert!(
        open(key, here, &[&whole[..], &[0]].concat()).is_err(),
        "opens though lengthened"
    );
}
