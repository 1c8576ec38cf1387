//! The vault under every fault: bytes changed, places confused, keys missing, keys rotated meanwhile.

use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crm_domain::data_keys::DataKey;
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::host::Clock;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::{KeyShelf, Place, Vault as _, VaultError};

use super::{HEADER, KeyVault, Opened, Sealing, WrappingKeys, sealed_size};
use crate::secret_key::SecretKey;
use crate::secrets::RingSecrets;

/// A clock that is moved by hand.
#[derive(Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        Instant::from_unix_millis(1_751_942_746_000 + self.0.load(Ordering::Relaxed))
    }
}

/// Keys in memory, and how often they were looked at.
#[derive(Default)]
pub(crate) struct Shelf {
    keys: Mutex<Vec<DataKey>>,
    away: Mutex<bool>,
    looks: AtomicUsize,
    named: Mutex<Vec<(String, Vec<u8>)>>,
}

impl KeyShelf for Shelf {
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if *self.away.lock().unwrap() {
            return Err(StoreError::unavailable("away"));
        }
        Ok(self.keys.lock().unwrap().clone())
    }

    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let named = self.named.lock().unwrap();
        Ok(named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, sealed)| sealed.clone()))
    }
}

/// An installation: a vault, its shelf and its clock.
pub(crate) struct Desk {
    pub(crate) vault: Arc<KeyVault>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) clock: Arc<HandClock>,
}

pub(crate) fn secret(letter: &str) -> SecretKey {
    SecretKey::from_text(&letter.repeat(32)).unwrap()
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self::beside(&Arc::default(), "a", &[]);
        desk.rotate();
        desk
    }

    /// Another program on the same shelf.
    pub(crate) fn beside(shelf: &Arc<Shelf>, present: &str, earlier: &[&str]) -> Self {
        let clock = Arc::<HandClock>::default();
        let vault = KeyVault::new(
            Arc::clone(shelf) as _,
            Arc::clone(&clock) as _,
            Arc::new(RingSecrets::new()),
        );
        let earlier: Vec<_> = earlier.iter().map(|letter| secret(letter)).collect();
        vault.unlock(Arc::new(WrappingKeys::of(&secret(present), &earlier).unwrap()));
        Self {
            vault: Arc::new(vault),
            shelf: Arc::clone(shelf),
            clock,
        }
    }

    /// As another program would: a new key on the shelf.
    pub(crate) fn rotate(&self) {
        let at = self.clock.now();
        let key = self.vault.new_data_key(at).unwrap();
        let mut keys = self.shelf.keys.lock().unwrap();
        for old in keys.iter_mut() {
            old.retired_at = old.retired_at.or(Some(at));
        }
        keys.push(key);
    }

    pub(crate) fn name(&self, name: &str, secret: &[u8]) {
        let sealed = self.vault.seal(&super::named_place(name), secret).unwrap();
        self.shelf.named.lock().unwrap().push((name.to_owned(), sealed));
    }

    pub(crate) fn forget_retired(&self) {
        let mut keys = self.shelf.keys.lock().unwrap();
        keys.retain(|key| key.retired_at.is_none());
    }
}

fn here() -> Place {
    Place::new("member_factors", "seed", 17)
}

#[test]
fn what_is_sealed_opens_and_two_seals_differ() {
    let Desk { vault, .. } = Desk::new();
    for plain in [Vec::new(), vec![b'x'], vec![7; 100_000]] {
        let (one, two) = (
            vault.seal(&here(), &plain).unwrap(),
            vault.seal(&here(), &plain).unwrap(),
        );
        assert_ne!(one, two);
        assert_eq!(vault.open(&here(), &one).unwrap(), plain);
        assert_eq!(vault.data_key_of(&one), vault.sealing_key());
    }
}

#[test]
fn a_change_of_any_byte_is_found() {
    let Desk { vault, .. } = Desk::new();
    let sealed = vault.seal(&here(), b"a secret").unwrap();
    for at in 0..sealed.len() {
        for bit in [1, 0x80] {
            let mut changed = sealed.clone();
            changed[at] ^= bit;
            let error = vault.open(&here(), &changed).unwrap_err();
            // The version, the key's id, then nonce, content and tag.
            let expected = match at {
                1..=8 => VaultError::UnknownKey,
                _ => VaultError::Broken,
            };
            assert_eq!(error, expected, "byte {at}");
        }
    }
    for length in 0..sealed.len() {
        assert!(vault.open(&here(), &sealed[..length]).is_err(), "{length}");
    }
    let longer = [&sealed[..], b"!"].concat();
    assert_eq!(vault.open(&here(), &longer), Err(VaultError::Broken));
}

#[test]
fn an_envelope_opens_in_its_place_only() {
    let Desk { vault, .. } = Desk::new();
    let sealed = vault.seal(&here(), b"a secret").unwrap();
    for place in [
        Place::new("member_factors", "seed", 18),
        Place::new("member_factors", "see", "d17"),
        Place::new("member_factorsseed", "", 17),
        Place::new("member_factors", "other", 17),
        Place::new("connection_values", "seed", 17),
    ] {
        assert_eq!(vault.open(&place, &sealed), Err(VaultError::Broken), "{place:?}");
    }
}

#[test]
fn an_envelope_said_to_be_of_another_key_does_not_open() {
    let desk = Desk::new();
    let sealed = desk.vault.seal(&here(), b"a secret").unwrap();
    desk.rotate();
    let mut moved = sealed;
    moved[1..9].copy_from_slice(&desk.vault.sealing_key().unwrap().0);
    assert_eq!(desk.vault.open(&here(), &moved), Err(VaultError::Broken));
}

#[test]
fn any_bytes_may_be_opened() {
    let Desk { vault, .. } = Desk::new();
    let known = vault.sealing_key().unwrap();
    let mut dice = 1_u32;
    for length in 0..200 {
        let mut bytes = vec![1];
        bytes.extend(known.0);
        bytes.extend((0..length).map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        }));
        for from in 0..bytes.len().min(10) {
            assert!(vault.open(&here(), &bytes[from..]).is_err());
        }
    }
}

#[test]
fn a_running_server_takes_up_a_new_key_and_opens_with_it_at_once() {
    let server = Desk::new();
    let old = server.vault.seal(&here(), b"old").unwrap();
    let command = Desk::beside(&server.shelf, "a", &[]);
    command.rotate();
    let new = command.vault.seal(&here(), b"new").unwrap();
    assert_ne!(command.vault.data_key_of(&new), command.vault.data_key_of(&old));
    assert_eq!(server.vault.open(&here(), &new).unwrap(), b"new", "looked up");
    server.clock.pass(10);
    let latest = server.vault.seal(&here(), b"latest").unwrap();
    assert_eq!(server.vault.data_key_of(&latest), server.vault.data_key_of(&new));
    assert_eq!(command.vault.open(&here(), &old).unwrap(), b"old");
    command.forget_retired();
    let fresh = Desk::beside(&server.shelf, "a", &[]);
    assert_eq!(fresh.vault.open(&here(), &old), Err(VaultError::UnknownKey));
}

#[test]
fn the_shelf_is_looked_at_rarely_and_may_be_away_for_a_while() {
    let desk = Desk::new();
    let sealed = desk.vault.seal(&here(), b"x").unwrap();
    let looks = desk.shelf.looks.load(Ordering::Relaxed);
    for _ in 0..100 {
        desk.vault.seal(&here(), b"x").unwrap();
        desk.vault.open(&here(), &sealed).unwrap();
    }
    assert_eq!(desk.shelf.looks.load(Ordering::Relaxed), looks);
    *desk.shelf.away.lock().unwrap() = true;
    desk.clock.pass(299);
    desk.vault.seal(&here(), b"x").unwrap();
    desk.clock.pass(2);
    assert_eq!(desk.vault.seal(&here(), b"x"), Err(VaultError::Unavailable));
    desk.vault.open(&here(), &sealed).unwrap();
}

#[test]
fn another_secret_key_opens_nothing_and_an_earlier_one_is_wrapped_anew() {
    let desk = Desk::new();
    let sealed = desk.vault.seal(&here(), b"x").unwrap();
    let other = Desk::beside(&desk.shelf, "b", &[]);
    assert_eq!(other.vault.open(&here(), &sealed), Err(VaultError::UnknownKey));
    assert_eq!(other.vault.seal(&here(), b"x"), Err(VaultError::Unavailable));
    let both = Desk::beside(&desk.shelf, "b", &["c", "a"]);
    assert_eq!(both.vault.open(&here(), &sealed).unwrap(), b"x");

    let keys = WrappingKeys::of(&secret("b"), &[secret("a")]).unwrap();
    for key in desk.shelf.keys.lock().unwrap().iter_mut() {
        key.wrapped = keys.rewrapped(key, [3; 12]).unwrap().unwrap();
        assert_eq!(keys.rewrapped(key, [3; 12]).unwrap(), None);
    }
    assert_eq!(other.vault.open(&here(), &sealed).unwrap(), b"x");
    desk.clock.pass(60);
    desk.vault.seal(&here(), b"who has the key keeps it").unwrap();
}

#[test]
fn a_fingerprint_tells_keys_apart() {
    let print = |letter| WrappingKeys::of(&secret(letter), &[]).unwrap().fingerprint();
    assert_eq!(print("a"), print("a"));
    assert_ne!(print("a"), print("b"));
    assert_eq!(print("a").to_string().len(), 32);
    let keys = WrappingKeys::of(&secret("b"), &[secret("a")]).unwrap();
    assert!(keys.is_earlier(&print("a").0) && !keys.is_earlier(&print("b").0));
}

#[test]
fn a_wrapped_key_changed_or_renamed_does_not_open() {
    let desk = Desk::new();
    let sealed = desk.vault.seal(&here(), b"x").unwrap();
    let whole = desk.shelf.keys.lock().unwrap()[0].clone();
    for at in 0..whole.wrapped.len() {
        desk.shelf.keys.lock().unwrap()[0].wrapped[at] ^= 1;
        let fresh = Desk::beside(&desk.shelf, "a", &[]);
        assert_eq!(
            fresh.vault.open(&here(), &sealed),
            Err(VaultError::UnknownKey),
            "{at}"
        );
        desk.shelf.keys.lock().unwrap()[0].wrapped = whole.wrapped.clone();
    }
    desk.shelf.keys.lock().unwrap()[0].id.0[0] ^= 1;
    let fresh = Desk::beside(&desk.shelf, "a", &[]);
    assert_eq!(fresh.vault.sealing_key(), Err(VaultError::Unavailable));
}

const CHUNK: usize = 64 * 1024;

fn sealed_file(vault: &KeyVault, plain: &[u8], piece: usize) -> Vec<u8> {
    let key = vault.sealing().unwrap();
    let (mut sealing, header) = Sealing::begin(vault, &key).unwrap();
    let mut out = header.to_vec();
    for piece in plain.chunks(piece) {
        sealing.write(piece, &mut out).unwrap();
    }
    sealing.finish(&BlobHash([9; 32]), &mut out).unwrap();
    out
}

fn opened_file(vault: &KeyVault, file: &[u8], hash: u8) -> std::io::Result<Vec<u8>> {
    let key = vault.sealing().unwrap();
    let (header, rest) = file.split_first_chunk::<HEADER>().unwrap();
    let mut opened = Opened::new(&key, *header, BlobHash([hash; 32]), Cursor::new(rest)).unwrap();
    let mut plain = Vec::new();
    opened.read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn a_file_of_any_length_survives_in_any_pieces() {
    let Desk { vault, .. } = Desk::new();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
        let plain: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
        for piece in [7_777, CHUNK, 1_000_000] {
            let file = sealed_file(&vault, &plain, piece);
            assert_eq!(file.len() as u64, sealed_size(length as u64), "{length}");
            assert_eq!(opened_file(&vault, &file, 9).unwrap(), plain, "{length}");
        }
    }
}

#[test]
fn a_file_cut_off_lengthened_swapped_or_renamed_is_an_error() {
    let Desk { vault, .. } = Desk::new();
    let plain = vec![5; 3 * CHUNK + 10];
    let file = sealed_file(&vault, &plain, CHUNK);
    let block = CHUNK + 16;
    for cut in [
        HEADER,
        HEADER + block,
        HEADER + 3 * block,
        file.len() - 1,
        file.len() - 26,
    ] {
        assert!(opened_file(&vault, &file[..cut], 9).is_err(), "{cut}");
    }
    assert!(opened_file(&vault, &[&file[..], b"x"].concat(), 9).is_err());
    assert!(opened_file(&vault, &file, 8).is_err(), "another content's name");
    let mut swapped = file.clone();
    let (one, two) = swapped[HEADER..HEADER + 2 * block].split_at_mut(block);
    one.swap_with_slice(two);
    assert!(opened_file(&vault, &swapped, 9).is_err());
    let without_second = [&file[..HEADER + block], &file[HEADER + 2 * block..]].concat();
    assert!(opened_file(&vault, &without_second, 9).is_err());
    for at in [
        0,
        8,
        9,
        16,
        HEADER - 1,
        HEADER,
        HEADER + block + 3,
        file.len() - 1,
    ] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(opened_file(&vault, &changed, 9).is_err(), "{at}");
    }
}

#[test]
fn nobody_reads_on_behind_a_broken_chunk() {
    let Desk { vault, .. } = Desk::new();
    let mut file = sealed_file(&vault, &vec![5; 3 * CHUNK], CHUNK);
    file[HEADER + 1] ^= 1;
    let key = vault.sealing().unwrap();
    let (header, rest) = file.split_first_chunk::<HEADER>().unwrap();
    let mut opened = Opened::new(&key, *header, BlobHash([9; 32]), Cursor::new(rest)).unwrap();
    let mut some = [0; 10];
    assert!(opened.read(&mut some).is_err());
    assert!(opened.read(&mut some).is_err());
}
