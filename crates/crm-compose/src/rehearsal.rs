//! A throw-away copy of the store: what is tried on it really happens, and is gone afterwards.

use std::path::PathBuf;

use crate::composition::{Composition, make_folder};
use crate::settings::Database;
use crate::start_error::StartError;

/// The copy; dropping it removes its folder.
pub struct Rehearsal(PathBuf);

impl Drop for Rehearsal {
    fn drop(&mut self) {
        // What cannot be removed stays in the data folder, readable by its owner only.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Composition {
    /// The same program on a copy of the store as it is now, in a folder of its own inside the data folder. Keep the
    /// guard as long as the copy is used. Needs as much free space as the database takes.
    pub async fn rehearsal(&self) -> Result<(Self, Rehearsal), StartError> {
        let mut settings = self.settings.clone().without_line_works();
        let mark = self.secrets.token();
        let dir = settings.data.dir.join(["rehearsal-", &mark[..16]].concat());
        make_folder(&dir)?;
        let guard = Rehearsal(dir.clone());
        let file = dir.join("crm.db");
        let copied = self.admin.backup(&file).await;
        copied.map_err(|source| self.store_error(source))?;
        settings.data.database = Database::File(file);
        Ok((Self::as_it_is(settings)?, guard))
    }
}

#[cfg(test)]
mod tests {
    use crate::composition::Composition;
    use crate::settings::{Need, Settings, Source};

    #[tokio::test]
    async fn a_copy_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let pairs = [("CRM_DATA_DIR".to_owned(), temp.path().display().to_string())];
        let settings = Settings::read(&Source::new(pairs, None), Need::Store).unwrap();
        let (real, _) = Composition::for_command(settings.settings).await.unwrap();
        let count = || std::fs::read_dir(temp.path()).unwrap().count();
        let before = count();
        let (copy, guard) = real.rehearsal().await.unwrap();
        copy.crm.ready().await.unwrap();
        assert_eq!(count(), before + 1);
        drop((copy, guard));
        assert_eq!(count(), before);
    }
}
