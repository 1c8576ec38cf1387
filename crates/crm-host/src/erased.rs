//! The list of the erased, in a file of its own beside the database: a line for each, added and never changed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use crm_domain::customers::CustomerId;
use crm_domain::instant::Instant;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::erased::{Erased, ErasedKey, ErasedList};

use crate::data_dir::{private_file, sync_folder};

/// The file that holds the list.
#[derive(Debug, Clone)]
pub struct ErasedFile(PathBuf);

impl ErasedFile {
    /// The list in this folder; nothing is made before somebody is on it.
    pub fn new(dir: &Path) -> Self {
        Self(dir.join("erased.list"))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The list as text, as the file holds it.
    pub fn text_of(erased: &[Erased]) -> String {
        erased.iter().map(line).collect()
    }

    /// Who is on a list of this text; what is no whole line is passed over.
    pub fn read_text(text: &str) -> Vec<Erased> {
        text.lines().filter_map(parse).collect()
    }

    fn append(&self, lines: &str) -> io::Result<()> {
        let new = !self.0.exists();
        let mut file = private_file().append(true).create(true).open(&self.0)?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        if new {
            sync_folder(self.0.parent().unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    fn read(&self) -> io::Result<Vec<Erased>> {
        match std::fs::read_to_string(&self.0) {
            // A line that a power cut tore is left out; its erasure was not done and is taken up again.
            Ok(text) => Ok(text.lines().filter_map(parse).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// `1750000000000 customer 12` or `1750000000000 address 0123…`, and a mark that the line is whole.
fn line(erased: &Erased) -> String {
    let at = erased.at.unix_millis();
    match &erased.key {
        ErasedKey::Customer(id) => format!("{at} customer {id} .\n"),
        ErasedKey::Address(hash) => format!("{at} address {} .\n", BlobHash(*hash)),
    }
}

fn parse(line: &str) -> Option<Erased> {
    let mut words = line.split(' ');
    let at = Instant::from_unix_millis(words.next()?.parse().ok()?);
    let (kind, value) = (words.next()?, words.next()?);
    if words.next() != Some(".") {
        return None;
    }
    let key = match kind {
        "customer" => ErasedKey::Customer(value.parse::<CustomerId>().ok()?),
        "address" => ErasedKey::Address(BlobHash::from_hex(value)?.0),
        _ => return None,
    };
    Some(Erased { key, at })
}

#[async_trait]
impl ErasedList for ErasedFile {
    async fn add(&self, erased: &[Erased]) -> io::Result<()> {
        let lines: String = erased.iter().map(line).collect();
        let file = self.clone();
        let done = tokio::task::spawn_blocking(move || file.append(&lines)).await;
        done.unwrap_or_else(|_| Err(io::Error::other("the work on the file failed")))
    }

    async fn all(&self) -> io::Result<Vec<Erased>> {
        let file = self.clone();
        let done = tokio::task::spawn_blocking(move || file.read()).await;
        done.unwrap_or_else(|_| Err(io::Error::other("the work on the file failed")))
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::customers::CustomerId;
    use crm_domain::instant::Instant;
    use crm_domain::ports::erased::{Erased, ErasedKey, ErasedList as _};

    use super::ErasedFile;

    #[tokio::test]
    async fn who_was_erased_stays_on_the_list_and_torn_lines_do_no_harm() {
        let temp = tempfile::tempdir().unwrap();
        let list = ErasedFile::new(temp.path());
        assert!(list.all().await.unwrap().is_empty());
        let at = Instant::from_unix_millis(1_751_942_746_446);
        let erased = [
            Erased {
                key: ErasedKey::Customer(CustomerId::new(12)),
                at,
            },
            Erased {
                key: ErasedKey::Address([7; 32]),
                at,
            },
        ];
        list.add(&erased[..1]).await.unwrap();
        list.add(&erased[1..]).await.unwrap();
        assert_eq!(ErasedFile::new(temp.path()).all().await.unwrap(), erased);
        let path = temp.path().join("erased.list");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}1751942746446 customer 1")).unwrap();
        assert_eq!(list.all().await.unwrap(), erased);
        #[cfg(unix)]
        assert!(!crate::data_dir::others_may_read(&path).unwrap());
    }
}
