//! Sealing kept contents anew. Each is written whole beside the old one and takes its place at once; whoever reads the
//! old one reads on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use crm_domain::data_keys::DataKeyId;
use crm_domain::ports::blobs::{BlobError, BlobHash, Resealed};
use crm_domain::ports::vault::{Vault as _, VaultError};

use super::content::{self, Head};
use super::draft::Draft;
use super::{Folder, entries};

/// Where contents lie while they are sealed anew; each in a file that no other program uses.
const RESEALING: &str = "resealing";

pub(super) fn some(
    folder: &Arc<Folder>,
    after: Option<BlobHash>,
    limit: usize,
) -> Result<Resealed, BlobError> {
    let sealing = folder.vault.sealing_key()?;
    let mut round = Resealed::default();
    for (looked, hash) in hashes(folder, after)?.into_iter().enumerate() {
        if looked == limit {
            return Ok(round);
        }
        round.last = Some(hash);
        match one(folder, &hash, sealing) {
            Ok(true) => round.count += 1,
            Ok(false) => {}
            Err(error) if is_broken(&error) => round.broken += 1,
            Err(error) => return Err(error),
        }
    }
    round.last = None;
    Ok(round)
}

/// Of one content nothing is lost by leaving it; the disk is another matter.
fn is_broken(error: &BlobError) -> bool {
    match error {
        BlobError::Sealed(VaultError::Broken | VaultError::UnknownKey) => true,
        BlobError::Disk(error) => error.kind() == io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Whether it had to be sealed anew; not if it went meanwhile.
fn one(folder: &Arc<Folder>, hash: &BlobHash, sealing: DataKeyId) -> Result<bool, BlobError> {
    let mut file = match File::open(folder.path_of(hash)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    if Head::read(&mut file)?.key() == Some(sealing) {
        return Ok(false);
    }
    let mut name = [0; 8];
    folder.vault.fill(&mut name);
    let name = DataKeyId(name).to_string();
    let mut draft = Draft::begin(Arc::clone(folder), folder.dir.join(RESEALING).join(name))?;
    let again = File::open(folder.path_of(hash))?;
    content::copy(&folder.vault, again, hash, &mut draft)?;
    draft.finish()?;
    if !folder.path_of(hash).try_exists()? {
        return Ok(false);
    }
    draft.place(hash)?;
    Ok(true)
}

/// The kept contents in the order of their hashes, from the folder on in which `after` lies.
fn hashes(folder: &Folder, after: Option<BlobHash>) -> io::Result<Vec<BlobHash>> {
    let from = after.map(|hash| format!("{:02x}", hash.0[0])).unwrap_or_default();
    let mut hashes = Vec::new();
    for sub in entries(&folder.dir)? {
        let name = sub?.file_name();
        let Some(two) = name
            .to_str()
            .filter(|name| name.len() == 2 && *name >= from.as_str())
        else {
            continue;
        };
        for file in entries(&folder.dir.join(two))? {
            let rest = file?.file_name();
            let digits = rest.to_str().map(|rest| format!("{two}{rest}"));
            hashes.extend(digits.as_deref().and_then(BlobHash::from_hex));
        }
    }
    hashes.sort_unstable();
    hashes.retain(|hash| after.is_none_or(|after| *hash > after));
    Ok(hashes)
}

/// Contents by the data key that sealed them.
pub(super) fn counts(folder: &Folder) -> Result<BTreeMap<Option<DataKeyId>, u64>, BlobError> {
    let mut counts = BTreeMap::new();
    for hash in hashes(folder, None)? {
        match File::open(folder.path_of(&hash)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => *counts.entry(Head::read(&mut opened?)?.key()).or_default() += 1,
        }
    }
    Ok(counts)
}

/// Removes what crashes left; what is younger than a day may be in work.
pub(super) fn tidy(folder: &Folder) -> io::Result<()> {
    for entry in entries(&folder.dir.join(RESEALING))? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age.as_secs() > 86_400 {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
