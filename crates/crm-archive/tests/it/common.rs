//! An archive to try things on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crm_archive::{
    Archive, ArchiveError, Draft, FORMAT, Manifest, Member, Passphrase, Taker, Written, names,
};

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

pub(crate) fn manifest(members: Vec<Member>) -> Manifest {
    Manifest {
        format: FORMAT,
        product: "0.1.0".to_owned(),
        schema: "0026".to_owned(),
        store: "sqlite".to_owned(),
        made_at: "2025-07-08T02:45:46.446Z".to_owned(),
        secrets: false,
        counts: BTreeMap::from([("customers".to_owned(), 3)]),
        audit_head: None,
        key_fingerprint: None,
        missing_files: Vec::new(),
        members,
    }
}

/// Contents by name: a database that does not shrink much, a list, and a file under its hash.
pub(crate) fn contents() -> Vec<(String, Vec<u8>)> {
    let mut seed = 1_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    });
    let picture = b"a picture".to_vec();
    let hash = Member::of("", picture.as_slice()).unwrap().sha256;
    vec![
        (names::DATABASE.to_owned(), noise.take(200_000).collect()),
        (
            names::ERASED.to_owned(),
            b"1751942746446 customer 12 .\n".to_vec(),
        ),
        (names::of_file(&hash), picture),
    ]
}

pub(crate) fn write(path: &Path, passphrase: Option<&Passphrase>) -> Written {
    write_these(path, passphrase, &contents())
}

fn write_these(path: &Path, passphrase: Option<&Passphrase>, contents: &[(String, Vec<u8>)]) -> Written {
    let members = contents
        .iter()
        .map(|(name, bytes)| Member::of(name, bytes.as_slice()).unwrap());
    let manifest = manifest(members.collect());
    let file = File::create_new(path).unwrap();
    let mut draft = Draft::begin(file, passphrase, &manifest).unwrap();
    for (_, bytes) in contents {
        draft.add(bytes.as_slice()).unwrap();
    }
    draft.finish().unwrap()
}

/// Keeps everything.
#[derive(Default)]
pub(crate) struct Keeper(pub(crate) Vec<(String, Vec<u8>)>);

impl Taker for Keeper {
    fn manifest(&mut self, _: &Manifest) -> io::Result<()> {
        Ok(())
    }

    fn member(&mut self, member: &Member, contents: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        contents.read_to_end(&mut bytes)?;
        self.0.push((member.name.clone(), bytes));
        Ok(())
    }
}

/// Reads nothing of what it is handed.
pub(crate) struct Lazy;

impl Taker for Lazy {
    fn manifest(&mut self, _: &Manifest) -> io::Result<()> {
        Ok(())
    }

    fn member(&mut self, _: &Member, _: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn walk(path: &Path, passphrase: Option<&Passphrase>) -> Result<Written, ArchiveError> {
    let (_, written) = Archive::open(path)?.walk(passphrase, &mut Lazy)?;
    Ok(written)
}

/// A folder with an archive in it, and the archive's bytes.
pub(crate) fn archive(passphrase: Option<&Passphrase>) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    write(&path, passphrase);
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

/// The same with hardly anything in it, not encrypted.
pub(crate) fn small() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    let mut contents = contents();
    contents[0].1.truncate(300);
    write_these(&path, None, &contents);
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}
