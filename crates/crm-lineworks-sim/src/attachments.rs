//! The files of the simulated service, in memory.

use crate::error::SimError;
use crate::state::Shared;
use bytes::Bytes;
use std::collections::VecDeque;
use time::{Duration, OffsetDateTime};

/// The largest file. In the service it is a setting of the tenant.
pub(crate) const FILE_LIMIT: usize = 10 * 1024 * 1024;
/// All files together; beyond it the oldest are forgotten.
const TOTAL_LIMIT: usize = 64 * 1024 * 1024;
/// The most entries, uploaded or not.
const COUNT_LIMIT: usize = 1000;
/// How long a file id and its upload URL live.
const LIFETIME: Duration = Duration::hours(24);

#[derive(Debug)]
struct Slot {
    file_id: String,
    name: String,
    created: OffsetDateTime,
    bytes: Option<Bytes>,
}

/// Why an upload was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// No such upload URL, or it is older than 24 hours.
    Unknown,
    /// The upload URL was used before.
    Used,
}

#[derive(Debug, Default)]
pub(crate) struct Attachments(VecDeque<Slot>);

impl Attachments {
    /// Makes room for a file that is still to be uploaded.
    pub(crate) fn announce(&mut self, file_id: String, name: String, now: OffsetDateTime) {
        self.0.push_back(Slot {
            file_id,
            name,
            created: now,
            bytes: None,
        });
        self.shrink();
    }

    pub(crate) fn fill(&mut self, file_id: &str, bytes: Bytes, now: OffsetDateTime) -> Result<(), NotStored> {
        let slot = self.0.iter_mut().find(|slot| slot.file_id == file_id);
        let slot = slot
            .filter(|slot| now - slot.created < LIFETIME)
            .ok_or(NotStored::Unknown)?;
        if slot.bytes.is_some() {
            return Err(NotStored::Used);
        }
        slot.bytes = Some(bytes);
        self.shrink();
        Ok(())
    }

    /// Name and bytes of a file that was uploaded within 24 hours.
    pub(crate) fn get(&self, file_id: &str, now: OffsetDateTime) -> Option<(String, Bytes)> {
        let slot = self.0.iter().find(|slot| slot.file_id == file_id)?;
        let alive = now - slot.created < LIFETIME;
        slot.bytes
            .clone()
            .filter(|_| alive)
            .map(|bytes| (slot.name.clone(), bytes))
    }

    fn shrink(&mut self) {
        let size = |slots: &VecDeque<Slot>| -> usize {
            slots
                .iter()
                .filter_map(|slot| slot.bytes.as_ref())
                .map(Bytes::len)
                .sum()
        };
        while self.0.len() > COUNT_LIMIT || size(&self.0) > TOTAL_LIMIT {
            self.0.pop_front();
        }
    }
}

/// A new file id, in the form of the service's.
pub(crate) fn new_file_id(shared: &Shared) -> Result<String, SimError> {
    let millis = shared.now().unix_timestamp_nanos() / 1_000_000;
    Ok(format!("jp1.{millis}.{}.1000001.0.0.0", shared.random_text(9)?))
}

/// Stores a file as if a member had sent it.
pub(crate) fn store(shared: &Shared, name: &str, bytes: Bytes) -> Result<String, SimError> {
    let file_id = new_file_id(shared)?;
    let now = shared.now();
    let mut state = shared.lock();
    state.attachments.announce(file_id.clone(), name.to_owned(), now);
    state
        .attachments
        .fill(&file_id, bytes, now)
        .map_err(|_| SimError::Internal("the file is larger than the store"))?;
    Ok(file_id)
}
