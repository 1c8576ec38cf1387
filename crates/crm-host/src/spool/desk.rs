//! The thread that owns the spool's files. What comes while the disk is busy is written together next.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_domain::ports::host::Secrets;
use crm_domain::ports::spool::{SpoolError, SpoolId, Spooled};
use tokio::sync::{mpsc, oneshot};

use super::file::{self, ENDING, SpoolFile};
use super::record;
use crate::DataDir;

/// How many callbacks are written together at most.
const GROUP: usize = 1_024;
/// How many bytes of bodies are handed out at once.
const HANDFUL: usize = 4 * 1024 * 1024;
/// How often the folder is looked through for files of processes that died.
const LOOK: Duration = Duration::from_secs(10);
/// The room that must be left for a callback of any size.
const LARGEST: usize = 1024 * 1024 + 64 * 1024;

type Answer<T> = oneshot::Sender<Result<T, SpoolError>>;

/// Something to be done by the thread.
pub(super) enum Job {
    Keep(Vec<u8>, Answer<()>),
    Waiting(usize, Answer<Vec<Spooled>>),
    Release(Vec<SpoolId>, Answer<()>),
    Probe(Answer<()>),
}

/// What the thread works with.
pub(super) struct Desk {
    dir: PathBuf,
    secrets: Arc<dyn Secrets>,
    files: Vec<SpoolFile>,
    /// The number of the file that is written to.
    active: Option<u64>,
    next: u64,
    looked: Option<Instant>,
    count: Arc<AtomicUsize>,
}

impl Desk {
    pub(super) fn new(dir: PathBuf, secrets: Arc<dyn Secrets>, count: Arc<AtomicUsize>) -> Self {
        Self {
            dir,
            secrets,
            files: Vec::new(),
            active: None,
            next: 0,
            looked: None,
            count,
        }
    }

    /// Takes over what dead processes left, also where the spool was before, and has a file of its own ready.
    pub(super) fn open(&mut self, before: Option<&Path>) -> Result<(), SpoolError> {
        let opened = self
            .look_for_orphans()
            .and_then(|()| self.place_for(LARGEST).map(drop));
        if let Some(before) = before.filter(|before| before.is_dir()) {
            self.adopt_all(before)?;
            self.clear_empty();
            self.recount();
        }
        opened
    }

    pub(super) fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            let mut job = Some(job);
            while let Some(now) = job.take() {
                job = self.serve_one(now, &mut jobs);
            }
        }
    }

    /// Does a job; keeping takes along what else is to be kept, and returns the other job that came between.
    fn serve_one(&mut self, job: Job, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
        match job {
            Job::Keep(bytes, done) => {
                let mut group = vec![(bytes, done)];
                let mut other = None;
                while group.len() < GROUP && other.is_none() {
                    match jobs.try_recv() {
                        Ok(Job::Keep(bytes, done)) => group.push((bytes, done)),
                        Ok(job) => other = Some(job),
                        Err(_) => break,
                    }
                }
                self.keep(group);
                return other;
            }
            Job::Waiting(limit, done) => drop(done.send(self.waiting(limit))),
            Job::Release(ids, done) => drop(done.send(self.release(&ids))),
            Job::Probe(done) => drop(done.send(self.probe())),
        }
        None
    }

    fn keep(&mut self, group: Vec<(Vec<u8>, Answer<()>)>) {
        let (records, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let mut rest = records.as_slice();
        let mut outcome = Ok(());
        while let (Some(first), Ok(())) = (rest.first(), &outcome) {
            match self.append(first.len(), rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) => outcome = Err(error),
            }
        }
        let kept = records.len() - rest.len();
        self.recount();
        for (index, answer) in answers.into_iter().enumerate() {
            let said = match &outcome {
                Err(error) if index >= kept => Err(again(error)),
                _ => Ok(()),
            };
            drop(answer.send(said));
        }
    }

    /// Adds as many of these records as find room in one file; a file that fails is replaced once.
    fn append(&mut self, first: usize, records: &[Vec<u8>]) -> Result<usize, SpoolError> {
        if let Ok(count) = self.place_for(first)?.append(records) {
            return if count > 0 {
                Ok(count)
            } else {
                Err(SpoolError::Full)
            };
        }
        self.active = None;
        Ok(self.place_for(first)?.append(records)?)
    }

    /// The file that has room for this many bytes; a new one if there is none.
    fn place_for(&mut self, bytes: usize) -> Result<&mut SpoolFile, SpoolError> {
        let active = self.active;
        let found = self
            .files
            .iter()
            .position(|file| Some(file.number) == active && file.takes(bytes));
        let index = match found {
            Some(index) => index,
            None => self.add_file()?,
        };
        let file = self.files.get_mut(index);
        file.ok_or_else(|| SpoolError::Io(io::Error::other("no file")))
    }

    fn add_file(&mut self) -> Result<usize, SpoolError> {
        let number = self.number();
        DataDir::create(&self.dir)?;
        let mut random = [0; 16];
        self.secrets.fill(&mut random);
        let made = SpoolFile::create(&self.dir, number, random).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                SpoolError::Full
            }
            _ => SpoolError::Io(error),
        })?;
        self.files.push(made);
        self.active = Some(number);
        Ok(self.files.len() - 1)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn waiting(&mut self, limit: usize) -> Result<Vec<Spooled>, SpoolError> {
        let nothing = self.files.iter().all(|file| file.len() == 0);
        if nothing && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.look_for_orphans()?;
        }
        let (mut found, mut bytes) = (Vec::new(), 0);
        for file in &mut self.files {
            let places: Vec<u64> = file.places().take(limit - found.len()).collect();
            for place in places {
                if bytes >= HANDFUL {
                    return Ok(found);
                }
                let record = file.read(place)?;
                bytes += record.len();
                let receipt = record::decode(&record).ok_or_else(|| io::Error::other("not a callback"))?;
                let file = file.number;
                found.push(Spooled {
                    id: SpoolId { file, place },
                    receipt,
                });
            }
        }
        Ok(found)
    }

    fn release(&mut self, ids: &[SpoolId]) -> Result<(), SpoolError> {
        let mut failed = None;
        for id in ids {
            if let Some(file) = self.files.iter_mut().find(|file| file.number == id.file) {
                failed = file.release(id.place).err().or(failed);
            }
        }
        self.clear_empty();
        self.recount();
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Wipes the active file and deletes others, where nothing waits any more. One that cannot be wiped is deleted too.
    fn clear_empty(&mut self) {
        for mut file in std::mem::take(&mut self.files) {
            if file.len() > 0 {
                self.files.push(file);
                continue;
            }
            let mut epoch = [0; 8];
            self.secrets.fill(&mut epoch);
            let own = self.active.is_none_or(|active| active == file.number);
            if own && file.reset(epoch).is_ok() && file.is_sound() {
                self.active = Some(file.number);
                self.files.push(file);
                continue;
            }
            self.active = self.active.filter(|active| *active != file.number);
            if let Err(error) = file.remove() {
                tracing::warn!("an emptied file of the spool cannot be deleted: {error}");
            }
        }
    }

    fn probe(&mut self) -> Result<(), SpoolError> {
        if self.place_for(LARGEST)?.probe().is_ok() {
            return Ok(());
        }
        self.active = None;
        Ok(self.place_for(LARGEST)?.probe()?)
    }

    /// Takes over files whose process is dead; the oldest first.
    fn look_for_orphans(&mut self) -> Result<(), SpoolError> {
        self.looked = Some(Instant::now());
        DataDir::create(&self.dir)?;
        self.adopt_all(&self.dir.clone())?;
        self.clear_empty();
        if self.active.is_none() {
            self.active = self
                .files
                .iter()
                .find(|file| file.takes(LARGEST))
                .map(|file| file.number);
        }
        self.recount();
        Ok(())
    }

    fn adopt_all(&mut self, dir: &Path) -> Result<(), SpoolError> {
        for path in files_in(dir)? {
            let number = self.number();
            match SpoolFile::adopt(&path, number) {
                Ok(Some(file)) => self.files.push(file),
                Ok(None) => {}
                Err(error) => tracing::error!("a file of the spool cannot be read: {error}"),
            }
        }
        Ok(())
    }

    fn recount(&self) {
        let count = self.files.iter().map(SpoolFile::len).sum();
        self.count.store(count, Ordering::Release);
    }
}

/// The spool's files, oldest first; what was never finished is deleted.
pub(super) fn files_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            files.push((entry.metadata()?.modified().ok(), path));
        } else {
            file::tidy(&path);
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// The same error for the next who asks.
fn again(error: &SpoolError) -> SpoolError {
    match error {
        SpoolError::Absent => SpoolError::Absent,
        SpoolError::Full => SpoolError::Full,
        SpoolError::Io(error) => SpoolError::Io(io::Error::new(error.kind(), error.to_string())),
    }
}
