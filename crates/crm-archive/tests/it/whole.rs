//! What was written is read; what was changed since is not.

use std::io::{self, Write as _};
use std::sync::LazyLock;

use crm_archive::{Archive, ArchiveError, Manifest, Member, Taker, is_encrypted};
use proptest::prelude::*;

use crate::common::{Keeper, archive, contents, passphrase, small, walk, write};

#[test]
fn what_was_written_is_read() {
    for secret in [None, Some(passphrase("正しい馬 電池 ホチキス 12"))] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let written = write(&path, secret.as_ref());
        assert_eq!(is_encrypted(&path).unwrap(), secret.is_some());
        let mut keeper = Keeper::default();
        let (manifest, read) = Archive::open(&path)
            .unwrap()
            .walk(secret.as_ref(), &mut keeper)
            .unwrap();
        assert_eq!(keeper.0, contents());
        assert_eq!((manifest.members.len(), manifest.files()), (3, 1));
        assert_eq!(read, written);
        assert_eq!(written.size, std::fs::metadata(&path).unwrap().len());
    }
}

#[test]
fn only_the_right_passphrase_opens() {
    let right = passphrase("correct horse battery");
    let (_folder, path, bytes) = archive(Some(&right));
    assert!(
        !bytes
            .windows(6)
            .any(|part| part == b"SQLite" || part == b"crm.db")
    );
    walk(&path, Some(&right)).unwrap();
    assert!(matches!(walk(&path, None), Err(ArchiveError::PassphraseMissing)));
    let other = passphrase("correct horse batterz");
    assert!(matches!(
        walk(&path, Some(&other)),
        Err(ArchiveError::PassphraseWrong)
    ));
    assert!(crm_archive::Passphrase::new("  short  ").is_none());
}

/// Flips bits of one byte and says whether that was found.
fn is_found(path: &std::path::Path, bytes: &[u8], place: usize, bits: u8) -> bool {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= bits;
    std::fs::write(path, bytes).unwrap();
    walk(path, None).is_err()
}

#[test]
fn a_flipped_byte_is_found_at_both_ends() {
    let (_folder, path, bytes) = archive(None);
    let middle = bytes.len() - 300;
    for place in (0..300).chain(middle..bytes.len()) {
        for bits in [1, 0x80] {
            assert!(is_found(&path, &bytes, place, bits), "{bits:#x} at {place}");
        }
    }
}

static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| archive(None).2);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_flipped_byte_is_found_anywhere(place in 0..PLAIN.len(), bits in 1_u8..) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(is_found(&folder.path().join("backup"), &PLAIN, place, bits));
    }

    #[test]
    fn a_missing_end_is_found(length in 0..PLAIN.len()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        std::fs::write(&path, &PLAIN[..length]).unwrap();
        prop_assert!(walk(&path, None).is_err());
    }

    #[test]
    fn what_was_appended_is_found(more in proptest::collection::vec(any::<u8>(), 1..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        std::fs::write(&path, [PLAIN.as_slice(), &more].concat()).unwrap();
        prop_assert!(walk(&path, None).is_err());
    }
}

#[test]
fn an_archive_appended_to_an_archive_is_found() {
    let (_folder, path, bytes) = archive(None);
    std::fs::write(&path, [bytes.as_slice(), &bytes].concat()).unwrap();
    assert!(walk(&path, None).is_err());
}

#[test]
fn a_flipped_byte_is_found_behind_a_passphrase_too() {
    let secret = passphrase("correct horse battery");
    let (_folder, path, bytes) = archive(Some(&secret));
    let found = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        walk(&path, Some(&secret)).is_err()
    };
    let places = [
        30,
        60,
        150,
        200,
        bytes.len() / 2,
        bytes.len() - 40,
        bytes.len() - 1,
    ];
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 4;
        assert!(found(&changed), "at {place}");
    }
    assert!(found(&bytes[..bytes.len() - 1]));
    assert!(found(&bytes[..65_000]));
    assert!(found(&[bytes.as_slice(), b"x"].concat()));
}

/// An archive behind a passphrase whose key is derived without much work, so that it can be opened many times; and how long
/// its header is.
fn cheaply_sealed(plain: &[u8], secret: &str) -> (Vec<u8>, usize) {
    let mut recipient = age::scrypt::Recipient::new(age::secrecy::SecretString::from(secret.to_owned()));
    recipient.set_work_factor(1);
    let encryptor =
        age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).unwrap();
    let mut sealed = Vec::new();
    let mut out = encryptor.wrap_output(&mut sealed).unwrap();
    out.write_all(plain).unwrap();
    out.finish().unwrap();
    let end = sealed.windows(5).position(|part| part == b"\n--- ").unwrap();
    let rest = sealed[end + 1..].iter().position(|byte| *byte == b'\n').unwrap();
    // Behind the last line stand sixteen bytes of nonce.
    (sealed, end + 1 + rest + 1 + 16)
}

const SECRET: &str = "correct horse battery";

fn is_found_sealed(path: &std::path::Path, sealed: &[u8], place: usize, bits: u8) -> bool {
    let mut bytes = sealed.to_vec();
    bytes[place] ^= bits;
    std::fs::write(path, bytes).unwrap();
    walk(path, Some(&passphrase(SECRET))).is_err()
}

#[test]
fn a_flipped_byte_is_found_in_all_of_the_header_and_the_first_chunk_behind_a_passphrase() {
    let (_folder, path, plain) = small();
    let (sealed, header) = cheaply_sealed(&plain, SECRET);
    assert!(header > 100 && sealed.len() < header + 64 * 1024);
    std::fs::write(&path, &sealed).unwrap();
    walk(&path, Some(&passphrase(SECRET))).unwrap();
    for place in 0..sealed.len() {
        for bits in [1, 0x80] {
            assert!(
                is_found_sealed(&path, &sealed, place, bits),
                "{bits:#x} at {place}"
            );
        }
    }
}

static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| cheaply_sealed(&PLAIN, SECRET).0);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_flipped_byte_is_found_anywhere_behind_a_passphrase(place in 0..SEALED.len(), bits in 1_u8..) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(is_found_sealed(&folder.path().join("backup"), &SEALED, place, bits));
    }

    #[test]
    fn a_missing_end_is_found_behind_a_passphrase(length in 0..SEALED.len()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        std::fs::write(&path, &SEALED[..length]).unwrap();
        prop_assert!(walk(&path, Some(&passphrase(SECRET))).is_err());
    }
}

#[test]
fn whose_fault_an_error_is_can_be_told() {
    struct Full;
    impl Taker for Full {
        fn manifest(&mut self, _: &Manifest) -> io::Result<()> {
            Ok(())
        }
        fn member(&mut self, _: &Member, _: &mut dyn io::Read) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let (_folder, path, _) = archive(None);
    let error = Archive::open(&path).unwrap().walk(None, &mut Full).unwrap_err();
    assert_eq!(error.code(), "disk_full");
    let missing = Archive::open(&path.with_extension("none")).err().unwrap();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}
