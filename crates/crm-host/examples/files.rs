//! What it costs to keep files sealed: 100 MiB are kept and read again, and beside it the same bytes in a plain file.
//!
//! Run with `cargo run --release -p crm-host --example files`.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crm_domain::data_keys::DataKey;
use crm_domain::ports::blobs::{BlobError, Blobs as _};
use crm_domain::ports::host::Clock as _;
use crm_domain::ports::store::StoreError;
use crm_domain::ports::vault::{KeyShelf, Vault as _};
use crm_host::vault::WrappingKeys;
use crm_host::{KeyVault, RingSecrets, SealedBlobs, SecretKey, SystemClock};
use ring::digest::{SHA256, digest};

const SIZE: usize = 100 * 1024 * 1024;
const PIECE: usize = 64 * 1024;

#[derive(Default)]
struct Shelf(Mutex<Vec<DataKey>>);

impl KeyShelf for Shelf {
    fn data_keys(&self) -> Result<Vec<DataKey>, StoreError> {
        let keys = self.0.lock().map_err(|_| StoreError::unavailable("poisoned"))?;
        Ok(keys.clone())
    }

    fn key_fingerprint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn named_secret(&self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}

fn vault() -> Result<Arc<KeyVault>, Box<dyn Error>> {
    let shelf = Arc::<Shelf>::default();
    let vault = KeyVault::new(
        Arc::clone(&shelf) as _,
        Arc::new(SystemClock),
        Arc::new(RingSecrets::new()),
    );
    let secret = SecretKey::from_text("a secret key of thirty-two bytes or more")?;
    vault.unlock(Arc::new(WrappingKeys::of(&secret, &[])?));
    let key = vault.new_data_key(SystemClock.now())?;
    shelf.0.lock().map_err(|_| "poisoned")?.push(key);
    Ok(Arc::new(vault))
}

fn timed<T, E>(what: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let begun = Instant::now();
    let done = work()?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what}: {:.2} s, {:.0} MiB/s", seconds, 100.0 / seconds);
    Ok(done)
}

fn drain(mut from: impl Read) -> std::io::Result<usize> {
    let (mut piece, mut sum) = (vec![0; PIECE], 0);
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(sum),
            count => sum += count,
        }
    }
}

/// The most memory that the program had, as the system counts it.
fn most_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("unknown").to_owned()
}

fn compare(dir: &Path) -> Result<(), Box<dyn Error>> {
    let piece: Vec<u8> = (0..PIECE).map(|at| (at % 251).to_le_bytes()[0]).collect();
    let blobs = SealedBlobs::in_folder(dir.join("files"), u64::MAX, vault()?);
    timed("hashed only", || {
        for _ in 0..SIZE / PIECE {
            std::hint::black_box(digest(&SHA256, &piece));
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    let plain = dir.join("plain");
    timed("written plain, synced", || {
        let mut file = fs::File::create(&plain)?;
        (0..SIZE / PIECE).try_for_each(|_| file.write_all(&piece))?;
        file.sync_all()
    })?;
    let kept = timed("hashed, sealed, synced", || {
        let mut draft = blobs.begin()?;
        (0..SIZE / PIECE).try_for_each(|_| draft.write(&piece))?;
        draft.keep()
    })?;
    timed("read plain", || fs::File::open(&plain).and_then(drain))?;
    timed("read and opened", || {
        let reader = blobs.open(&kept.hash)?;
        Ok::<_, BlobError>(reader.map(drain).transpose()?)
    })?;
    println!("{}", most_memory());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("crm-files-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let outcome = compare(&dir);
    fs::remove_dir_all(&dir)?;
    outcome
}
