//! Archives that somebody made to do harm.

use std::io::Write;
use std::path::Path;

use crm_archive::{ArchiveError, Manifest, Member, Place, names};
use ring::digest::{SHA256, digest};
use tar::{Builder, EntryType, Header};

use crate::common::{manifest, walk};

/// A member as it stands in the tar, which need not be what the manifest says.
struct Entry {
    name: &'static str,
    kind: EntryType,
    bytes: Vec<u8>,
}

fn plain(name: &'static str, bytes: &[u8]) -> Entry {
    Entry {
        name,
        kind: EntryType::Regular,
        bytes: bytes.to_vec(),
    }
}

/// The name goes into the header as it is: the tar's own writer would refuse it.
fn header(entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
    header.set_entry_type(entry.kind);
    header.set_size(entry.bytes.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

/// A file whose hash at the end is right.
fn forge(path: &Path, manifest: &[u8], entries: &[Entry]) {
    let mut tar = Builder::new(Vec::new());
    for entry in std::iter::once(&plain(names::MANIFEST, manifest)).chain(entries) {
        tar.append(&header(entry), entry.bytes.as_slice()).unwrap();
    }
    let mut packed = zstd::encode_all(tar.into_inner().unwrap().as_slice(), 3).unwrap();
    let hash = digest(&SHA256, &packed);
    let mark = b"crm-backup/1\0\0\0\0";
    packed.extend([0x5a, 0x2a, 0x4d, 0x18, 48, 0, 0, 0]);
    packed.extend(mark);
    packed.extend(hash.as_ref());
    std::fs::File::create(path).unwrap().write_all(&packed).unwrap();
}

fn member(name: &str, bytes: &[u8]) -> Member {
    Member::of(name, bytes).unwrap()
}

fn text(manifest: &Manifest) -> Vec<u8> {
    serde_json::to_vec(manifest).unwrap()
}

/// Where such an archive is refused; `None` if it is not.
fn refused(members: Vec<Member>, entries: &[Entry]) -> Option<Place> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged");
    forge(&path, &text(&manifest(members)), entries);
    match walk(&path, None) {
        Ok(_) => None,
        Err(ArchiveError::Broken { place, .. }) => Some(place),
        Err(error) => panic!("{error}"),
    }
}

fn at(name: &str) -> Place {
    Place::Member(name.to_owned())
}

#[test]
fn a_well_made_forgery_is_an_archive() {
    assert_eq!(
        refused(vec![member("crm.db", b"x")], &[plain("crm.db", b"x")]),
        None
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "files/../x",
        "files/x",
        "other",
    ] {
        let place = refused(vec![member(name, b"x")], &[]);
        assert_eq!(place, Some(Place::Manifest), "{name}");
    }
    // The manifest is right, the tar is not.
    let place = refused(vec![member("crm.db", b"x")], &[plain("../crm.db", b"x")]);
    assert_eq!(place, Some(at("crm.db")));
}

#[test]
fn only_plain_files_are_taken() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::GNUSparse,
    ] {
        let entry = Entry {
            kind,
            ..plain("crm.db", b"x")
        };
        assert_eq!(
            refused(vec![member("crm.db", b"x")], &[entry]),
            Some(at("crm.db")),
            "{kind:?}"
        );
    }
}

#[test]
fn what_the_manifest_does_not_say_is_refused() {
    let right = || vec![member("crm.db", b"x")];
    assert_eq!(refused(right(), &[]), Some(at("crm.db")));
    assert_eq!(refused(right(), &[plain("crm.db", b"y")]), Some(at("crm.db")));
    assert_eq!(refused(right(), &[plain("crm.db", b"xx")]), Some(at("crm.db")));
    let more = [plain("crm.db", b"x"), plain("erased.list", b"")];
    assert_eq!(refused(right(), &more), Some(Place::End));
    let twice = vec![member("crm.db", b"x"), member("crm.db", b"x")];
    assert_eq!(refused(twice, &more), Some(Place::Manifest));
    let hash = member("", b"x").sha256;
    let file = Member {
        name: names::of_file(&hash),
        ..member("", b"y")
    };
    assert_eq!(refused(vec![file], &[]), Some(Place::Manifest));
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb");
    let huge = Member {
        size: 1 << 40,
        ..member("crm.db", b"")
    };
    assert_eq!(refused(vec![huge], &[]), Some(Place::Manifest));
    // What follows the manifest's members is not unpacked, however long it is.
    let zeros = vec![0; 80 * 1024 * 1024];
    let bomb = [plain("crm.db", b"x"), plain("erased.list", &zeros)];
    forge(&path, &text(&manifest(vec![member("crm.db", b"x")])), &bomb);
    assert!(std::fs::metadata(&path).unwrap().len() < 100_000);
    assert!(walk(&path, None).is_err());
    // A manifest that is no end of text.
    forge(&path, &[b' '; 1024], &[]);
    assert!(walk(&path, None).is_err());
}

#[test]
fn a_later_format_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later");
    forge(&path, br#"{"format": 7, "something": "else"}"#, &[]);
    assert!(matches!(walk(&path, None), Err(ArchiveError::Later(7))));
    for other in ["", "no archive at all, but a letter"] {
        std::fs::write(&path, other).unwrap();
        assert!(walk(&path, None).is_err());
    }
}
