//! The data keys in memory. The shelf is looked at when a key is missing, and before sealing when the last look was some
//! time ago: so a running server seals with a new key soon after another program made one.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crm_domain::data_keys::DataKeyId;
use crm_domain::instant::Instant;
use crm_domain::ports::host::Clock;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::{KEPT_AFTER_RETIREMENT, KeyShelf, VaultError};
use time::Duration;

use super::material::Material;
use super::wrapping::WrappingKeys;

/// How old a look may be for sealing.
const FRESH: Duration = Duration::seconds(10);
/// How old it may be when the shelf does not answer: half of the time for which a retired key is surely there.
const LAST_RESORT: Duration = Duration::seconds(KEPT_AFTER_RETIREMENT.whole_seconds() / 2);

pub(super) struct Keyring {
    shelf: Arc<dyn KeyShelf>,
    clock: Arc<dyn Clock>,
    keys: OnceLock<Arc<WrappingKeys>>,
    known: RwLock<Known>,
}

#[derive(Default, Clone)]
struct Known {
    by_id: HashMap<DataKeyId, Arc<Material>>,
    sealing: Option<DataKeyId>,
    read_at: Option<Instant>,
}

impl Known {
    fn sealing(&self) -> Option<Arc<Material>> {
        self.by_id.get(&self.sealing?).cloned()
    }

    /// Whether the look is no older than this; a clock that was put back makes it old.
    fn is_within(&self, age: Duration, now: Instant) -> bool {
        self.read_at
            .is_some_and(|read| read <= now && now < read.plus(age))
    }
}

impl Keyring {
    pub(super) fn new(shelf: Arc<dyn KeyShelf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            shelf,
            clock,
            keys: OnceLock::new(),
            known: RwLock::default(),
        }
    }

    pub(super) fn unlock(&self, keys: Arc<WrappingKeys>) {
        // Whoever unlocked it first has opened data keys with those keys.
        let _ = self.keys.set(keys);
    }

    pub(super) fn keys(&self) -> Option<&WrappingKeys> {
        self.keys.get().map(Arc::as_ref)
    }

    pub(super) fn sealing(&self) -> Result<Arc<Material>, VaultError> {
        let (known, now) = (self.known(), self.clock.now());
        if known.is_within(FRESH, now)
            && let Some(key) = known.sealing()
        {
            return Ok(key);
        }
        match self.sealing_now() {
            Err(_) if known.is_within(LAST_RESORT, now) => known.sealing().ok_or(VaultError::Unavailable),
            looked => looked,
        }
    }

    /// The key that seals by the shelf as it is now.
    pub(super) fn sealing_now(&self) -> Result<Arc<Material>, VaultError> {
        self.look()?.sealing().ok_or(VaultError::Unavailable)
    }

    pub(super) fn opening(&self, id: DataKeyId) -> Result<Arc<Material>, VaultError> {
        if let Some(key) = self.known().by_id.get(&id) {
            return Ok(Arc::clone(key));
        }
        let found = self.look()?.by_id.get(&id).cloned();
        found.ok_or(VaultError::UnknownKey)
    }

    pub(super) fn named_secret(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let read = self.shelf.named_secret(name);
        read.map_err(|error| not_read(&error))
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the shelf. Keys that are unwrapped already stay as they are, also when another program has wrapped them with
    /// a secret key that this one does not have.
    fn look(&self) -> Result<Known, VaultError> {
        let keys = self.keys.get().ok_or(VaultError::Unavailable)?;
        let now = self.clock.now();
        let rows = self.shelf.data_keys().map_err(|error| not_read(&error))?;
        let before = self.known();
        let mut known = Known {
            read_at: Some(now),
            ..Known::default()
        };
        for row in rows {
            let material = match before.by_id.get(&row.id) {
                Some(material) => Arc::clone(material),
                None => match keys.unwrap(&row) {
                    Ok(material) => Arc::new(material),
                    Err(_) => continue,
                },
            };
            known.by_id.insert(row.id, material);
            if row.retired_at.is_none() {
                known.sealing = Some(row.id);
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        Ok(known)
    }
}

fn not_read(error: &StoreError) -> VaultError {
    tracing::error!("the data keys cannot be read: {error}");
    VaultError::Unavailable
}
