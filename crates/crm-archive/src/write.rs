//! Writing an archive, member by member.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use tar::{Builder, EntryType, Header};
use zstd::stream::write::Encoder;

use crate::error::{ArchiveError, Place};
use crate::hashing::{Hashing, Sha256, hex};
use crate::manifest::{Manifest, Member};
use crate::names;
use crate::seal::{Outer, Passphrase, trailer};

/// zstd's usual level: text shrinks to a fifth, faster than most disks write.
const LEVEL: i32 = 3;

type Below = Hashing<BufWriter<File>>;
type Packed = Encoder<'static, Hashing<Outer<Below>>>;

/// An archive on its way. What was not finished is no archive.
pub struct Draft {
    tar: Builder<Packed>,
    left: std::vec::IntoIter<Member>,
}

/// A finished archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

impl Member {
    /// The member of this name with these contents.
    pub fn of(name: &str, contents: impl Read) -> io::Result<Self> {
        let mut hashing = Hashing::new(contents);
        io::copy(&mut hashing, &mut io::sink())?;
        let (size, sha256, _) = hashing.finish();
        Ok(Self {
            name: name.to_owned(),
            size,
            sha256: hex(&sha256),
        })
    }
}

impl Draft {
    /// Begins an archive with this manifest in an empty file.
    pub fn begin(
        file: File,
        passphrase: Option<&Passphrase>,
        manifest: &Manifest,
    ) -> Result<Self, ArchiveError> {
        let outer = Outer::new(Hashing::new(BufWriter::new(file)), passphrase)?;
        let mut packed = Encoder::new(Hashing::new(outer), LEVEL)?;
        packed.include_checksum(true)?;
        let mut tar = Builder::new(packed);
        let bytes = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
        append(&mut tar, names::MANIFEST, bytes.len() as u64, bytes.as_slice())?;
        Ok(Self {
            tar,
            left: manifest.members.clone().into_iter(),
        })
    }

    /// Adds the manifest's next member. Contents that are not those of the manifest are an error.
    pub fn add(&mut self, contents: impl Read) -> Result<(), ArchiveError> {
        let Some(member) = self.left.next() else {
            return Err(ArchiveError::broken(
                Place::End,
                "the manifest names no more members",
            ));
        };
        let mut hashing = Hashing::new(contents);
        append(
            &mut self.tar,
            &member.name,
            member.size,
            (&mut hashing).take(member.size),
        )?;
        // Whatever is left over shows that it grew.
        io::copy(&mut hashing, &mut io::sink())?;
        let (size, sha256, _) = hashing.finish();
        if size == member.size && hex(&sha256) == member.sha256 {
            return Ok(());
        }
        let place = Place::Member(member.name);
        Err(ArchiveError::broken(place, "it changed while it was copied"))
    }

    /// Ends it, on disk when this returns.
    pub fn finish(mut self) -> Result<Written, ArchiveError> {
        if let Some(member) = self.left.next() {
            return Err(ArchiveError::broken(
                Place::Member(member.name),
                "it was not added",
            ));
        }
        let inner = self.tar.into_inner()?.finish()?;
        let (_, hash, mut outer) = inner.finish();
        outer.write_all(&trailer(&hash))?;
        let (size, sha256, mut file) = outer.finish()?.finish();
        file.flush()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Written { size, sha256 })
    }
}

/// Contents that are too short are an error of the tar's writer when the next one begins, and of ours before.
fn append(tar: &mut Builder<Packed>, name: &str, size: u64, contents: impl Read) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    header.set_cksum();
    tar.append(&header, contents)
}
