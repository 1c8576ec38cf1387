//! One file of the spool: 16 MiB that are there before they are needed.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::{self, FRAME};
use crate::data_dir::{private_file, sync_folder};

/// How large every file is made.
pub(super) const SIZE: u64 = 16 * 1024 * 1024;
/// Before the first record stand a mark and the file's epoch.
const HEAD: u64 = 16;
const MARK: [u8; 8] = *b"CRMSPL01";
/// How files are called.
pub(super) const ENDING: &str = "spool";
/// How they are called while they are made.
const UNFINISHED: &str = "new";
static ZEROES: [u8; 64 * 1024] = [0; 64 * 1024];

/// A file of the spool, locked by this process.
pub(super) struct SpoolFile {
    /// By which its records are named.
    pub(super) number: u64,
    path: PathBuf,
    file: File,
    epoch: [u8; 8],
    tail: u64,
    waiting: BTreeMap<u64, usize>,
    sound: bool,
}

impl SpoolFile {
    /// Makes a file whose blocks are really on the disk, for its owner only. Its name appears once it is whole.
    pub(super) fn create(dir: &Path, number: u64, random: [u8; 16]) -> io::Result<Self> {
        let random = u128::from_be_bytes(random);
        let epoch = u64::try_from(random >> 64).unwrap_or_default().to_be_bytes();
        let name = format!("{:016x}", random & u128::from(u64::MAX));
        let unfinished = dir.join(format!("{name}.{UNFINISHED}"));
        let path = dir.join(format!("{name}.{ENDING}"));
        let made = Self::fill(&unfinished, &epoch).and_then(|file| {
            std::fs::rename(&unfinished, &path)?;
            sync_folder(dir)?;
            Ok(file)
        });
        let file = made.inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
        Ok(Self {
            number,
            path,
            file,
            epoch,
            tail: HEAD,
            waiting: BTreeMap::new(),
            sound: true,
        })
    }

    fn fill(path: &Path, epoch: &[u8]) -> io::Result<File> {
        let mut file = private_file()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        lock(&file)?;
        let mut left = SIZE;
        while left > 0 {
            let piece = ZEROES.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            file.write_all(ZEROES.get(..piece).unwrap_or_default())?;
            left -= piece as u64;
        }
        file.rewind()?;
        file.write_all(&MARK)?;
        file.write_all(epoch)?;
        file.sync_all()?;
        Ok(file)
    }

    /// Takes over the file of a process that died; `None` if it lives, or the file is none of the spool's.
    pub(super) fn adopt(path: &Path, number: u64) -> io::Result<Option<Self>> {
        let mut file = private_file().read(true).write(true).open(path)?;
        if lock(&file).is_err() || !is_at(&file, path) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let Some(scan) = Scan::of(&bytes) else {
            return Ok(None);
        };
        Ok(Some(Self {
            number,
            path: path.to_owned(),
            file,
            epoch: scan.epoch,
            tail: scan.tail,
            waiting: scan.waiting,
            sound: bytes.len() as u64 == SIZE,
        }))
    }

    /// Whether these bytes of records, as they are, can be added.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        self.sound && self.tail + (bytes + FRAME) as u64 <= SIZE && is_at(&self.file, &self.path)
    }

    /// Writes records one behind the other and waits for the disk once; how many of them found room. After an error none of
    /// them is there, and the file takes no more.
    pub(super) fn append(&mut self, records: &[Vec<u8>]) -> io::Result<usize> {
        let (mut place, mut all, mut added) = (self.tail, Vec::new(), Vec::new());
        for bytes in records {
            if place + (bytes.len() + FRAME) as u64 > SIZE {
                break;
            }
            all.extend(record::framed(self.epoch, place, bytes));
            added.push((place, bytes.len()));
            place += (bytes.len() + FRAME) as u64;
        }
        if let Err(error) = self
            .write_at(self.tail, &all)
            .and_then(|()| self.file.sync_data())
        {
            self.sound = false;
            // Nobody was told that these are kept, so they should not turn up later.
            let undone = self.write_at(self.tail, &[0; FRAME]);
            drop(undone.and_then(|()| self.file.sync_data()));
            return Err(error);
        }
        let count = added.len();
        self.waiting.extend(added);
        self.tail = place;
        Ok(count)
    }

    /// Whether the disk takes what is written behind the last record.
    pub(super) fn probe(&mut self) -> io::Result<()> {
        let room = usize::try_from(SIZE - self.tail).unwrap_or(0).min(FRAME);
        self.write_at(self.tail, ZEROES.get(..room).unwrap_or_default())?;
        self.file.sync_data()
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The places of the records that wait, in their order.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        self.waiting.keys().copied()
    }

    /// The bytes of a record that waits.
    pub(super) fn read(&mut self, place: u64) -> io::Result<Vec<u8>> {
        let length = self.waiting.get(&place).copied().unwrap_or(0);
        let mut bytes = vec![0; FRAME + length];
        self.file.seek(SeekFrom::Start(place))?;
        self.file.read_exact(&mut bytes)?;
        match record::find(self.epoch, place, &bytes) {
            Some(found) => Ok(found.bytes.to_vec()),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a record was changed on the disk",
            )),
        }
    }

    /// Marks a record as taken in; how many that were. A mark that a power cut takes away costs a repetition only.
    pub(super) fn release(&mut self, place: u64) -> io::Result<usize> {
        if self.waiting.remove(&place).is_none() {
            return Ok(0);
        }
        self.write_at(place + 4, &[1; 4]).map(|()| 1)
    }

    /// Wipes what was released, once nothing waits, and begins anew under another epoch.
    pub(super) fn reset(&mut self, epoch: [u8; 8]) -> io::Result<()> {
        let used = usize::try_from(self.tail - HEAD).unwrap_or(0);
        self.sound = false;
        self.write_at(0, &[MARK, epoch].concat())?;
        let mut left = used;
        while left > 0 {
            let piece = left.min(ZEROES.len());
            self.file.write_all(ZEROES.get(..piece).unwrap_or_default())?;
            left -= piece;
        }
        self.file.sync_data()?;
        (self.epoch, self.tail, self.sound) = (epoch, HEAD, true);
        Ok(())
    }

    /// Whether it can be used again after a [`Self::reset`].
    pub(super) fn is_sound(&self) -> bool {
        self.sound && is_at(&self.file, &self.path)
    }

    /// Deletes the file.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    fn write_at(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(place))?;
        self.file.write_all(bytes)
    }
}

/// What a file holds.
pub(super) struct Scan {
    epoch: [u8; 8],
    tail: u64,
    pub(super) waiting: BTreeMap<u64, usize>,
}

impl Scan {
    /// Reads records up to the first that is torn or never was; `None` if this is no file of a spool.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_first_chunk::<8>()?;
        let (epoch, _) = rest.split_first_chunk::<8>()?;
        if *mark != MARK {
            return None;
        }
        let mut scan = Self {
            epoch: *epoch,
            tail: HEAD,
            waiting: BTreeMap::new(),
        };
        while let Some(rest) = usize::try_from(scan.tail).ok().and_then(|tail| bytes.get(tail..)) {
            let Some(found) = record::find(scan.epoch, scan.tail, rest) else {
                break;
            };
            if !found.released {
                scan.waiting.insert(scan.tail, found.bytes.len());
            }
            scan.tail += (FRAME + found.bytes.len()) as u64;
        }
        Some(scan)
    }
}

/// Deletes what a process that died left unfinished.
pub(super) fn tidy(path: &Path) {
    let unfinished = path.extension().is_some_and(|ending| ending == UNFINISHED);
    if unfinished && File::open(path).is_ok_and(|file| lock(&file).is_ok()) {
        // If it cannot be deleted now, the next start does it.
        drop(std::fs::remove_file(path));
    }
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
        TryLockError::Error(error) => error,
    })
}

/// Whether the path still names this file: what is written to a deleted one is gone with the process.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let same = |one: &std::fs::Metadata, other: &std::fs::Metadata| {
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        match (file.metadata(), std::fs::metadata(path)) {
            (Ok(open), Ok(named)) => same(&open, &named),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        file.metadata().is_ok() && path.exists()
    }
}
