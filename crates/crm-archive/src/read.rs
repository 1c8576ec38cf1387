//! Reading an archive that is trusted with nothing.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use tar::EntryType;
use zstd::stream::read::Decoder;

use crate::error::{ArchiveError, Place};
use crate::hashing::{Hashing, hex};
use crate::manifest::{LONGEST, Manifest, Member};
use crate::names;
use crate::seal::{Passphrase, Proving, TELLING, is_age, opened};
use crate::write::Written;

/// The most memory that unpacking takes, as a power of two.
const WINDOW: u32 = 27;
/// The most zeros that stand behind the last member of a tar.
const PADDING: u64 = 10 * 1024;

/// Takes what is in an archive. What it is handed is not proved to be right before [`Archive::walk`] has returned.
pub trait Taker {
    /// What follows.
    fn manifest(&mut self, manifest: &Manifest) -> io::Result<()>;

    /// A member. Nothing has to be read of it.
    fn member(&mut self, member: &Member, contents: &mut dyn Read) -> io::Result<()>;
}

/// An archive that was not looked at yet.
pub struct Archive {
    file: File,
    size: u64,
    encrypted: bool,
}

/// Whether the file is encrypted, by how it begins.
pub fn is_encrypted(file: &Path) -> io::Result<bool> {
    Ok(Archive::open(file)?.encrypted)
}

impl Archive {
    /// Opens the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut beginning = Vec::new();
        (&mut file).take(TELLING as u64).read_to_end(&mut beginning)?;
        file.rewind()?;
        Ok(Self {
            file,
            size,
            encrypted: is_age(&beginning),
        })
    }

    /// Reads all of it and hands it over; it is right if this returns no error.
    pub fn walk(
        self,
        passphrase: Option<&Passphrase>,
        taker: &mut dyn Taker,
    ) -> Result<(Manifest, Written), ArchiveError> {
        let (size, encrypted) = (self.size, self.encrypted);
        let mut whole = Hashing::new(BufReader::new(self.file));
        let manifest = if encrypted {
            let plain = opened(&mut whole, passphrase)?;
            inside(plain, size, taker)?
        } else {
            inside(&mut whole, size, taker)?
        };
        // Behind the end nothing may follow, and the file's own hash covers it as well.
        let rest = io::copy(&mut whole, &mut io::sink())?;
        if rest > 0 {
            return Err(ArchiveError::broken(Place::End, "something was appended"));
        }
        let (size, sha256, _) = whole.finish();
        Ok((manifest, Written { size, sha256 }))
    }
}

fn inside(plain: impl Read, size: u64, taker: &mut dyn Taker) -> Result<Manifest, ArchiveError> {
    let mut packed = Decoder::new(Proving::new(plain))?;
    packed.window_log_max(WINDOW)?;
    let mut tar = tar::Archive::new(packed);
    let mut place = Place::Beginning;
    let manifest = members(&mut tar, size, taker, &mut place).map_err(|error| at(&place, error))?;
    // The tar's own padding. Reading to the very end is what proves the whole.
    let mut rest = Vec::new();
    let read = tar.into_inner().take(PADDING + 1).read_to_end(&mut rest);
    read.map_err(|error| at(&Place::End, error.into()))?;
    if rest.len() as u64 > PADDING || rest.iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::broken(
            Place::End,
            "something follows the last member",
        ));
    }
    Ok(manifest)
}

/// What the system says about the disk stays; what else goes wrong while reading is the archive's fault.
fn at(place: &Place, error: ArchiveError) -> ArchiveError {
    match error {
        ArchiveError::Io(error) if error.raw_os_error().is_none() => {
            ArchiveError::broken(place.clone(), error)
        }
        error => error,
    }
}

fn members(
    tar: &mut tar::Archive<impl Read>,
    size: u64,
    taker: &mut dyn Taker,
    place: &mut Place,
) -> Result<Manifest, ArchiveError> {
    // Raw: what stands for long names and links is handed over as it is, and refused.
    let mut entries = tar.entries()?.raw(true);
    let first = entries.next().transpose()?;
    let Some(mut first) = first else {
        return Err(ArchiveError::broken(Place::Beginning, "it is empty"));
    };
    *place = Place::Manifest;
    plain_file(&first, names::MANIFEST, place)?;
    if first.size() > LONGEST {
        return Err(ArchiveError::broken(Place::Manifest, "it is too long"));
    }
    let mut bytes = Vec::new();
    first.read_to_end(&mut bytes)?;
    let manifest = Manifest::read(&bytes, size)?;
    taker.manifest(&manifest).map_err(ArchiveError::Taker)?;
    for member in &manifest.members {
        *place = Place::Member(member.name.clone());
        let Some(entry) = entries.next() else {
            return Err(ArchiveError::broken(place.clone(), "it is missing"));
        };
        one(entry?, member, taker, place)?;
    }
    *place = Place::End;
    if entries.next().transpose()?.is_some() {
        return Err(ArchiveError::broken(
            Place::End,
            "there is a member that the manifest does not name",
        ));
    }
    Ok(manifest)
}

fn plain_file(entry: &tar::Entry<'_, impl Read>, name: &str, place: &Place) -> Result<(), ArchiveError> {
    let broken = |reason: &str| Err(ArchiveError::broken(place.clone(), reason));
    if entry.header().entry_type() != EntryType::Regular {
        return broken("it is no plain file");
    }
    if entry.path_bytes().as_ref() != name.as_bytes() {
        return broken("another member stands in its place");
    }
    Ok(())
}

fn one(
    entry: tar::Entry<'_, impl Read>,
    member: &Member,
    taker: &mut dyn Taker,
    place: &Place,
) -> Result<(), ArchiveError> {
    plain_file(&entry, &member.name, place)?;
    if entry.size() != member.size {
        return Err(ArchiveError::broken(
            place.clone(),
            "it is not as long as the manifest says",
        ));
    }
    let mut contents = Minding {
        inner: Hashing::new(entry),
        failed: None,
    };
    let outcome = taker.member(member, &mut contents);
    if let Some(error) = contents.failed.take() {
        return Err(at(place, error.into()));
    }
    if let Err(error) = outcome {
        return Err(ArchiveError::Taker(error));
    }
    io::copy(&mut contents.inner, &mut io::sink())?;
    let (size, sha256, _) = contents.inner.finish();
    if size == member.size && hex(&sha256) == member.sha256 {
        return Ok(());
    }
    Err(ArchiveError::broken(
        place.clone(),
        "its contents are not those of the manifest",
    ))
}

/// Tells errors of the archive from those of whoever takes the contents.
struct Minding<R> {
    inner: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Minding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let told = io::Error::from(error.kind());
            self.failed = Some(error);
            told
        })
    }
}
