//! Copies of the wrapped data keys in the folder of the files they sealed: with the secret key, the folder can be read
//! also when the database was restored from a time before they were made.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crm_domain::data_keys::{DataKey, DataKeyId};
use crm_domain::instant::Instant;

use crate::data_dir::{DataDir, private_file};

/// The folder of these copies: one file for each key, named by its id.
#[derive(Debug, Clone)]
pub struct KeyFolder(PathBuf);

impl KeyFolder {
    /// Its name in the folder of files.
    pub const NAME: &str = "keys";

    /// The one in this folder of files. Nothing is made before it is needed.
    pub fn in_files(files: &Path) -> Self {
        Self(files.join(Self::NAME))
    }

    /// The keys in it, as retired ones; what is no key is passed over.
    pub fn keys(&self, at: Instant) -> io::Result<Vec<DataKey>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(DataKeyId::from_hex) else {
                continue;
            };
            keys.push(DataKey {
                id,
                wrapped: fs::read(entry.path())?,
                made_at: at,
                retired_at: Some(at),
            });
        }
        Ok(keys)
    }

    /// Makes the folder hold exactly these keys, durably; what it holds already is not written again.
    pub fn keep(&self, keys: &[DataKey], at: Instant) -> io::Result<()> {
        let held = self.keys(at)?;
        for key in keys {
            let same = |held: &&DataKey| held.id == key.id && held.wrapped == key.wrapped;
            if held.iter().find(same).is_none() {
                self.put(key)?;
            }
        }
        for old in held.iter().filter(|old| keys.iter().all(|key| key.id != old.id)) {
            fs::remove_file(self.0.join(old.id.to_string()))?;
        }
        Ok(())
    }

    /// Written whole under another name first.
    fn put(&self, key: &DataKey) -> io::Result<()> {
        DataDir::create(&self.0)?;
        let name = key.id.to_string();
        let draft = self.0.join(format!("{name}.{}", std::process::id()));
        let mut out = private_file()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&draft)?;
        out.write_all(&key.wrapped)?;
        out.sync_all()?;
        fs::rename(&draft, self.0.join(name))
    }
}
