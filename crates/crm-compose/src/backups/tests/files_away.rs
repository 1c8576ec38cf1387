//! Files that are lost, and files that cannot be read now.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crm_domain::backups::Taken;
use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;
use crm_domain::ports::backup_shelf::BackupShelf as _;
use crm_domain::ports::blob_places::{BlobPlace, Coming, Glance, Lying, PlaceDraft};
use crm_domain::ports::blobs::{BlobError, BlobHash, Blobs as _};
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::VaultError;
use crm_host::SealedBlobs;

use super::world::{back_up, filled, operator, verify};
use crate::backups::taking::Workshop;
use crate::backups::{BackupProblem, FolderShelf, Luggage};
use crate::composition::Composition;

/// A place whose one file begins, and then goes on like this.
struct Place {
    then: fn() -> io::Result<usize>,
    /// How often it is opened before it is gone.
    opens: AtomicUsize,
}

struct Half(io::Cursor<Vec<u8>>, fn() -> io::Result<usize>);

impl Read for Half {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => (self.1)(),
            count => Ok(count),
        }
    }
}

impl BlobPlace for Place {
    fn draft(&self, _: Coming, _: &[u8], _: DataKeyId) -> Result<Box<dyn PlaceDraft>, BlobError> {
        Err(BlobError::Full)
    }

    fn open(&self, _: &BlobHash) -> Result<Option<Lying>, BlobError> {
        let left = self
            .opens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Ok(left.is_ok().then(|| Lying {
            header: super::world::PHOTO.to_vec(),
            rest: Box::new(Half(io::Cursor::new(Vec::new()), self.then)),
        }))
    }

    fn glance(&self, _: &BlobHash) -> Result<Option<Glance>, BlobError> {
        Ok(None)
    }

    fn remove(&self, _: &BlobHash) -> Result<bool, BlobError> {
        Ok(false)
    }

    fn list(&self, _: Option<BlobHash>, _: usize) -> Result<Vec<(BlobHash, Option<DataKeyId>)>, BlobError> {
        Ok(Vec::new())
    }

    fn counts(&self) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
        Ok(BTreeMap::new())
    }

    fn tidy(&self) -> Result<(), BlobError> {
        Ok(())
    }

    fn keep_keys(&self, _: &[DataKey]) -> Result<(), BlobError> {
        Ok(())
    }
}

/// Where backups are taken, but with files in such a place.
fn workshop(parts: &Composition, then: fn() -> io::Result<usize>, opens: usize) -> Workshop {
    let usual = &parts.workshop;
    let place = Place {
        then,
        opens: AtomicUsize::new(opens),
    };
    Workshop {
        data: usual.data.clone(),
        admin: Arc::clone(&usual.admin),
        bulk: Arc::clone(&usual.bulk),
        blobs: SealedBlobs::over(Arc::new(place), Arc::clone(&parts.vault)),
        clock: Arc::clone(&usual.clock),
        installation: usual.installation.clone(),
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_now_is_not_left_out() {
    let temp = tempfile::tempdir().unwrap();
    let (_, parts) = filled(&temp.path().join("data"), &[]).await;
    let file = temp.path().join("backup");
    let take = async |then: fn() -> io::Result<usize>, opens: usize| {
        let workshop = workshop(&parts, then, opens);
        workshop.take(&file, None, &Luggage::default()).await
    };
    let away = || {
        let cut = StoreError::unavailable(io::Error::other("the connection was cut"));
        Err(io::Error::other(BlobError::Away(cut)))
    };
    let sealed = || Err(io::Error::other(BlobError::Sealed(VaultError::Unavailable)));
    let disk = || Err(io::Error::from_raw_os_error(5));
    for then in [away, sealed, disk] {
        let problem = take(then, usize::MAX).await.unwrap_err();
        assert_eq!(problem.code(), "store", "{problem}");
        assert!(matches!(problem, BackupProblem::File(_)), "{problem}");
        assert!(!file.exists());
    }
    let broken = || Err(io::Error::new(io::ErrorKind::InvalidData, VaultError::Broken));
    assert_eq!(take(broken, usize::MAX).await.unwrap().missing_files, 1);
    let manifest = verify(&file, None).unwrap().manifest;
    assert_eq!((manifest.files(), manifest.missing_files.len()), (0, 1));
}

#[tokio::test]
async fn a_file_that_is_deleted_meanwhile_stops_no_backup() {
    let temp = tempfile::tempdir().unwrap();
    let (_, parts) = filled(&temp.path().join("data"), &[]).await;
    let file = temp.path().join("backup");
    // Found when the manifest was made, and gone when it was to be packed.
    let workshop = workshop(&parts, || Ok(0), 1);
    let taken = workshop.take(&file, None, &Luggage::default()).await.unwrap();
    assert_eq!(taken.missing_files, 1);
    verify(&file, None).unwrap();
}

#[tokio::test]
async fn what_a_backup_lacks_is_told_and_noted() {
    let temp = tempfile::tempdir().unwrap();
    let (settings, parts) = filled(&temp.path().join("data"), &[]).await;
    back_up(&settings, &parts, &temp.path().join("whole"), None).await;
    let noted = parts.crm.backup_state(&operator()).await.unwrap();
    assert_eq!(noted.newest[0].taken.as_ref().unwrap().missing_files, 0);
    // A disk that is not mounted.
    std::fs::rename(&settings.data.files_dir, temp.path().join("elsewhere")).unwrap();
    std::fs::create_dir(&settings.data.files_dir).unwrap();
    back_up(&settings, &parts, &temp.path().join("less"), None).await;
    let noted = parts.crm.backup_state(&operator()).await.unwrap();
    let newest = &noted.newest[0];
    assert_eq!(
        (newest.taken.as_ref().unwrap().missing_files, &newest.problem),
        (1, &None)
    );
    let blobs = parts.place.blobs(&settings.data, &parts.vault);
    assert!(blobs.counts().unwrap().is_empty());
}

#[tokio::test]
async fn backups_that_lack_files_do_not_push_out_the_last_whole_one() {
    let temp = tempfile::tempdir().unwrap();
    let (settings, parts) = filled(&temp.path().join("data"), &[]).await;
    let mut backups = settings.backups.clone();
    backups.keep = 2;
    let shelf = FolderShelf::new(Arc::clone(&parts.workshop), backups, Luggage::default());
    let at = |minute: i64| Instant::from_unix_millis(1_751_942_746_446 + minute * 60_000);
    let mut known: Vec<Taken> = Vec::new();
    let mut left = Vec::new();
    for minute in 0..8 {
        // From the third on the disk is not mounted, and from the sixth on it is again.
        let (from, to) = (&settings.data.files_dir, temp.path().join("elsewhere"));
        match minute {
            2 => std::fs::rename(from, to).unwrap(),
            5 => std::fs::rename(to, from).unwrap(),
            _ => {}
        }
        known.insert(0, shelf.take(at(minute)).await.unwrap());
        shelf.tidy(&known, at(minute)).await.unwrap();
        let is_left = |taken: &&Taken| std::path::Path::new(&taken.file).exists();
        let missing = known.iter().filter(is_left).map(|taken| taken.missing_files);
        left.push(missing.collect::<Vec<_>>());
    }
    let expected: [&[u64]; 8] = [
        &[0],
        &[0, 0],
        &[1, 0],
        &[1, 1, 0],
        &[1, 1, 0],
        &[0, 1],
        &[0, 0],
        &[0, 0],
    ];
    assert_eq!(left, expected);
}
