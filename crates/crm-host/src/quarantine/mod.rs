//! The quarantine on disk: callbacks that do not count but may be real, in a file of their own. Strangers can write here,
//! so nothing waits for it: what comes too fast is dropped.

mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod gate;
mod record;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use crm_domain::ports::quarantine::{HeldCallback, HeldId, Quarantine, QuarantineError};

use file::HeldFile;
use gate::{Gate, Source};

/// The largest body that is held; the longest text that LINE WORKS passes on is shorter.
const LARGEST: usize = 128 * 1024;
/// How many wait for the disk before others are dropped.
const QUEUE: usize = 64;
/// What comes within this time is written together.
const GATHER: Duration = Duration::from_millis(100);
/// How often what is too old is removed.
const TIDY: Duration = Duration::from_hours(1);

/// A file in which callbacks are held.
pub struct DiskQuarantine {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
    looks: Gate,
    holds: Gate,
    queue: Mutex<Option<SyncSender<HeldCallback>>>,
}

impl DiskQuarantine {
    /// The quarantine in this folder. Makes nothing before there is something to hold.
    pub fn new(dir: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            dir: dir.to_owned(),
            clock,
            looks: Gate::new(100, 25),
            holds: Gate::new(20, 10),
            queue: Mutex::new(None),
        }
    }

    /// Removes what is too old, now and every hour as long as this lives, also when nothing more is held.
    pub fn keep_tidy(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.is_none() {
            *queue = self.start();
        }
    }

    fn start(&self) -> Option<SyncSender<HeldCallback>> {
        let (queue, callbacks) = sync_channel(QUEUE);
        let keeper = Keeper {
            file: HeldFile::new(&self.dir),
            clock: Arc::clone(&self.clock),
        };
        let started = thread::Builder::new()
            .name("quarantine".to_owned())
            .spawn(move || keeper.serve(&callbacks));
        started.is_ok().then_some(queue)
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HeldFile) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, QuarantineError> {
        let mut file = HeldFile::new(&self.dir);
        match tokio::task::spawn_blocking(move || work(&mut file)).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(std::io::Error::other("the work on the file failed").into()),
        }
    }
}

#[async_trait]
impl Quarantine for DiskQuarantine {
    fn admits(&self, from: Option<IpAddr>, bytes: usize) -> bool {
        bytes <= LARGEST && self.looks.pass(Source::of(from))
    }

    fn hold(&self, callback: HeldCallback) {
        if !self.holds.pass(Source::of(callback.from)) {
            return;
        }
        self.keep_tidy();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            // A disk that is too slow for these costs these only.
            drop(queue.try_send(callback));
        }
    }

    async fn held(&self, now: Instant) -> Result<Vec<(HeldId, HeldCallback)>, QuarantineError> {
        self.on_disk(move |file| file.all(now)).await
    }

    async fn release(&self, ids: Vec<HeldId>) -> Result<(), QuarantineError> {
        let now = self.clock.now();
        self.on_disk(move |file| file.remove(&ids, now)).await
    }
}

/// The thread that writes.
struct Keeper {
    file: HeldFile,
    clock: Arc<dyn Clock>,
}

impl Keeper {
    fn serve(mut self, callbacks: &Receiver<HeldCallback>) {
        loop {
            if let Err(error) = self.file.remove(&[], self.clock.now()) {
                tracing::warn!("held callbacks that are too old cannot be removed: {error}");
            }
            if self.hold_for(callbacks, TIDY).is_none() {
                return;
            }
        }
    }

    /// Writes what comes during this time at least; `None` once nothing can come any more.
    fn hold_for(&mut self, callbacks: &Receiver<HeldCallback>, time: Duration) -> Option<()> {
        let begun = std::time::Instant::now();
        loop {
            let left = time.checked_sub(begun.elapsed());
            let Some(left) = left else { return Some(()) };
            match callbacks.recv_timeout(left) {
                Ok(first) => {
                    thread::sleep(GATHER);
                    let batch: Vec<_> = std::iter::once(first).chain(callbacks.try_iter()).collect();
                    if let Err(error) = self.file.add(&batch) {
                        tracing::warn!("a callback cannot be held: {error}");
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Some(()),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}
