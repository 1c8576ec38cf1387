//! A place of files that does not answer keeps nobody but its caller waiting.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::ports::blob_places::{BlobPlace, Coming, Glance, Lying, PlaceDraft};
use crm_domain::ports::blobs::{BlobError, BlobHash, Blobs as _};

use super::SealedBlobs;
use crate::vault::tests::Desk;

/// A place that waits for somebody before it answers, as a database that is away makes one wait.
struct Slow(Mutex<Receiver<()>>);

impl Slow {
    fn new() -> (Self, Sender<()>) {
        let (go_on, waits) = channel();
        (Self(Mutex::new(waits)), go_on)
    }

    /// Whether somebody came in time.
    fn wait(&self) -> bool {
        let waits = self.0.lock().unwrap();
        waits.recv_timeout(Duration::from_secs(5)).is_ok()
    }
}

impl BlobPlace for Slow {
    fn draft(&self, _: Coming, _: &[u8], _: DataKeyId) -> Result<Box<dyn PlaceDraft>, BlobError> {
        Err(BlobError::Full)
    }

    fn open(&self, _: &BlobHash) -> Result<Option<Lying>, BlobError> {
        Ok(None)
    }

    fn glance(&self, _: &BlobHash) -> Result<Option<Glance>, BlobError> {
        Ok(None)
    }

    fn remove(&self, _: &BlobHash) -> Result<bool, BlobError> {
        Ok(self.wait())
    }

    fn list(&self, _: Option<BlobHash>, _: usize) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, BlobError> {
        Ok(Vec::new())
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        Ok(BTreeMap::new())
    }

    fn tidy(&self) -> Result<(), BlobError> {
        self.wait().then_some(()).ok_or(BlobError::Full)
    }

    fn keep_keys(&self, _: &[DataKey]) -> Result<(), BlobError> {
        Ok(())
    }
}

/// On one thread: whoever comes to the rescue can do so only while the waiting leaves it free.
#[tokio::test(flavor = "current_thread")]
async fn a_place_that_does_not_answer_stops_no_other_task() {
    let (slow, go_on) = Slow::new();
    let blobs = SealedBlobs::over(Arc::new(slow), Arc::clone(&Desk::new().vault));
    let hash = BlobHash([7; 32]);
    let (removed, sent) = tokio::join!(blobs.remove(&hash), async { go_on.send(()) });
    sent.unwrap();
    assert!(removed.unwrap(), "nobody could come");
    let (tidied, sent) = tokio::join!(blobs.tidy(), async { go_on.send(()) });
    sent.unwrap();
    tidied.unwrap();
}
