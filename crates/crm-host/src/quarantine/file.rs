//! The file of held callbacks. Several processes use it, each for a moment, under a lock.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crm_domain::instant::Instant;
use crm_domain::ports::quarantine::{HeldCallback, HeldId};
use time::Duration;

use super::gate::Source;
use super::record;
use crate::data_dir::{private_file, sync_folder};

/// How many are held at most.
pub(super) const COUNT: usize = 10_000;
/// How many bytes they take at most.
pub(super) const BYTES: usize = 32 * 1024 * 1024;
/// How long they are held.
pub(super) const LIFE: Duration = Duration::days(7);

/// The file's place, and what this process knows of it.
pub(super) struct HeldFile {
    path: PathBuf,
    known: Option<Known>,
}

/// What the file holds, as long as its length is the same; removing makes it shorter.
#[derive(Default)]
struct Known {
    length: u64,
    count: usize,
    bytes: usize,
    next: HeldId,
    by_source: HashMap<Source, (usize, usize)>,
}

impl HeldFile {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            path: dir.join("held-callbacks.bin"),
            known: None,
        }
    }

    /// Adds what still fits, the first first, and waits for the disk; how many that were.
    pub(super) fn add(&mut self, callbacks: &[HeldCallback]) -> io::Result<usize> {
        let _lock = self.lock()?;
        let new = !self.path.exists();
        let mut file = private_file()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)?;
        let length = file.metadata()?.len();
        let mut known = match self.known.take() {
            Some(known) if known.length == length => known,
            _ => Known::of(&read_all(&mut file)?),
        };
        if known.length < length {
            // A torn record at the end: nothing behind it could be read.
            file.set_len(known.length)?;
        }
        if known.count == 0 {
            // No number is used twice, also when the file begins anew while somebody holds numbers of the old one.
            let at = callbacks.first().map_or(0, |callback| callback.at.unix_millis());
            known.next = HeldId::try_from(at).unwrap_or(0) << 16;
        }
        let (mut all, before) = (Vec::new(), known.count);
        for callback in callbacks {
            let record = record::framed(known.next, callback);
            if known.takes(Source::of(callback.from), record.len()) {
                all.extend(record);
            }
        }
        if all.is_empty() {
            self.known = Some(known);
            return Ok(0);
        }
        file.write_all(&all)?;
        file.sync_data()?;
        if new {
            sync_folder(self.folder())?;
        }
        let added = known.count - before;
        known.length += all.len() as u64;
        self.known = Some(known);
        Ok(added)
    }

    /// All that can be read and are not too old.
    pub(super) fn all(&self, now: Instant) -> io::Result<Vec<(HeldId, HeldCallback)>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let _lock = self.lock()?;
        let mut found = records(&std::fs::read(&self.path)?);
        found.retain(|(_, held)| held.at > now.minus(LIFE));
        Ok(found)
    }

    /// Writes the file anew without these, and without those that are too old.
    pub(super) fn remove(&mut self, ids: &[HeldId], now: Instant) -> io::Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        let found = records(&std::fs::read(&self.path)?);
        let stays = |(id, held): &&(HeldId, HeldCallback)| !ids.contains(id) && held.at > now.minus(LIFE);
        let staying: Vec<&(HeldId, HeldCallback)> = found.iter().filter(stays).collect();
        if staying.len() == found.len() {
            return Ok(());
        }
        self.known = None;
        if staying.is_empty() {
            std::fs::remove_file(&self.path)?;
            return sync_folder(self.folder());
        }
        let fresh = self.path.with_extension("new");
        let mut file = private_file()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&fresh)?;
        for (id, held) in staying {
            file.write_all(&record::framed(*id, held))?;
        }
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        sync_folder(self.folder())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Held until it is dropped. A file of its own, because the other is replaced.
    fn lock(&self) -> io::Result<File> {
        let lock = private_file()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

impl Known {
    fn of(bytes: &[u8]) -> Self {
        let (mut known, mut rest) = (Self::default(), bytes);
        while let Some((length, id, held)) = record::first(rest) {
            known.note(Source::of(held.from), length);
            known.next = known.next.max(id + 1);
            known.length += length as u64;
            rest = rest.get(length..).unwrap_or_default();
        }
        known
    }

    /// Notes one more if it fits: a source may have as much as leaves the same for every other one, and for one to come.
    fn takes(&mut self, source: Source, length: usize) -> bool {
        let others = self.by_source.len() - usize::from(self.by_source.contains_key(&source));
        let (count, bytes) = self.by_source.get(&source).copied().unwrap_or_default();
        let fits = self.count < COUNT
            && self.bytes + length <= BYTES
            && count < COUNT / (others + 2)
            && bytes + length <= BYTES / (others + 2);
        if fits {
            self.note(source, length);
            self.next += 1;
        }
        fits
    }

    fn note(&mut self, source: Source, length: usize) {
        let share = self.by_source.entry(source).or_default();
        share.0 += 1;
        share.1 += length;
        self.count += 1;
        self.bytes += length;
    }
}

fn read_all(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn records(mut bytes: &[u8]) -> Vec<(HeldId, HeldCallback)> {
    let mut found = Vec::new();
    while let Some((length, id, held)) = record::first(bytes) {
        found.push((id, held));
        bytes = bytes.get(length..).unwrap_or_default();
    }
    found
}
