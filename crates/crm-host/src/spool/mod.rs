//! The spool on disk: where callbacks wait while the database cannot take them.
//!
//! Each process writes to a file of its own, 16 MiB whose blocks are on the disk before they are needed, because the disk
//! may be full when they are. Who starts takes over the files of processes that died.

mod desk;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use async_trait::async_trait;
use crm_domain::ports::host::Secrets;
use crm_domain::ports::spool::{Spool, SpoolError, SpoolId, Spooled};
use crm_domain::receipts::NewReceipt;
use tokio::sync::{mpsc, oneshot};

use desk::{Desk, Job};
use file::Scan;

/// How many callbacks wait for the disk before callers have to.
const QUEUE: usize = 4_096;

/// A folder of files in which callbacks wait. Cheap to share; its thread ends when it is dropped.
pub struct DiskSpool {
    jobs: mpsc::Sender<Job>,
    count: Arc<AtomicUsize>,
}

impl DiskSpool {
    /// Opens the spool in this folder and says what is wrong with it, if anything: it is tried again with every callback, so
    /// a program can start without. Writes 16 MiB unless there is a file that can be taken over.
    /// `before` is the folder where the spool may have been until the settings named this one: what waits there is taken in
    /// too.
    pub fn open(
        dir: &Path,
        before: Option<&Path>,
        secrets: Arc<dyn Secrets>,
    ) -> io::Result<(Self, Result<(), SpoolError>)> {
        let count = Arc::new(AtomicUsize::new(0));
        let mut desk = Desk::new(dir.to_owned(), secrets, Arc::clone(&count));
        let opened = desk.open(before);
        let (jobs, waiting) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || desk.serve(waiting))?;
        Ok((Self { jobs, count }, opened))
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, SpoolError>>) -> Job,
    ) -> Result<T, SpoolError> {
        let gone = || SpoolError::Io(io::Error::other("the spool's thread has ended"));
        let (done, outcome) = oneshot::channel();
        self.jobs.send(job(done)).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Spool for DiskSpool {
    async fn keep(&self, receipt: &NewReceipt) -> Result<(), SpoolError> {
        let bytes = record::encode(receipt);
        self.ask(|done| Job::Keep(bytes, done)).await
    }

    async fn waiting(&self, limit: usize) -> Result<Vec<Spooled>, SpoolError> {
        self.ask(|done| Job::Waiting(limit, done)).await
    }

    async fn release(&self, ids: Vec<SpoolId>) -> Result<(), SpoolError> {
        self.ask(|done| Job::Release(ids, done)).await
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    async fn probe(&self) -> Result<(), SpoolError> {
        self.ask(Job::Probe).await
    }
}

/// The callbacks that wait in the spool in this folder, whoever keeps it, each as the spool's own bytes; takes and changes
/// nothing. What is being written at this moment may be left out: it was not answered yet.
pub fn records_in(dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    for bytes in files_of(dir)? {
        let scan = Scan::of(&bytes);
        for (place, length) in scan.map(|scan| scan.waiting).unwrap_or_default() {
            let start = usize::try_from(place)
                .unwrap_or(usize::MAX)
                .saturating_add(record::FRAME);
            let found = bytes.get(start..start.saturating_add(length));
            records.extend(found.map(<[u8]>::to_vec));
        }
    }
    Ok(records)
}

/// The callback of such bytes; `None` if they are none.
pub fn receipt_of(record: &[u8]) -> Option<NewReceipt> {
    record::decode(record)
}

/// How many callbacks wait in the spool in this folder, whoever keeps it; takes and changes nothing. A folder that is not
/// there holds none.
pub fn waiting_in(dir: &Path) -> io::Result<usize> {
    let files = files_of(dir)?.into_iter();
    Ok(files
        .map(|bytes| Scan::of(&bytes).map_or(0, |scan| scan.waiting.len()))
        .sum())
}

/// The contents of the spool's files in this folder.
fn files_of(dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == file::ENDING) {
            match std::fs::read(&path) {
                Ok(bytes) => files.push(bytes),
                // Its last callback was taken in meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(files)
}
