//! The copies that are taken before an update: taken once for what a database holds, however often the update fails, and
//! thrown away like daily ones.

use std::path::{Path, PathBuf};

use crm_domain::instant::Instant;
use time::Duration;

use super::names::{Before, digits, files_in};
use super::taking::Workshop;
use crate::settings::Database;

/// A copy of a database that nobody changed since is good for another try so long.
const GOOD_FOR: Duration = Duration::hours(24);
/// While other servers write, a copy is good for another try so long: one that cannot be started is started again at once by
/// whatever watches over it.
const GOOD_MEANWHILE: Duration = Duration::minutes(15);
/// A copy that is so old is of no use for going back, and would keep whoever was erased since.
const KEPT_FOR: Duration = Duration::days(30);

/// The copy of a database in one state, on the way to one version.
pub(crate) struct Copies<'a> {
    pub(crate) workshop: &'a Workshop,
    /// The number of the migration to which the database is brought.
    pub(crate) target: i64,
    /// The mark of what the database holds.
    pub(crate) state: &'a str,
    /// Whether they lie behind a passphrase.
    pub(crate) sealed: bool,
    pub(crate) now: Instant,
}

impl Copies<'_> {
    /// The file of a new one.
    pub(crate) fn file(&self) -> PathBuf {
        let name = Before {
            target: format!("{:04}", self.target),
            at: digits(self.now),
            of: Some((self.workshop.installation.clone(), self.state.to_owned())),
        };
        self.workshop.data.backup_dir.join(name.name(self.sealed))
    }

    /// One that an update which failed left, if it still holds what the database holds.
    pub(crate) fn at_hand(&self) -> Option<PathBuf> {
        let target = format!("{:04}", self.target);
        let since = |age: Duration| digits(self.now.plus(-age));
        let (unchanged, meanwhile, now) = (since(GOOD_FOR), since(GOOD_MEANWHILE), digits(self.now));
        let fits = |copy: &Before| {
            let Some((installation, state)) = &copy.of else {
                return false;
            };
            let from = match &self.workshop.data.database {
                _ if state == self.state => &unchanged,
                Database::Server(_) => &meanwhile,
                Database::File(_) => return false,
            };
            *installation == self.workshop.installation
                && copy.target == target
                && (from..=&now).contains(&&copy.at)
        };
        let found = files_in(&self.workshop.data.backup_dir, Before::parse).ok()?;
        let sealed = |file: &Path| file.extension().is_some_and(|end| end == "age");
        let fitting = found
            .into_iter()
            .filter(|(file, copy)| sealed(file) == self.sealed && fits(copy));
        fitting
            .max_by(|one, other| one.1.at.cmp(&other.1.at))
            .map(|(file, _)| file)
    }
}

/// Throws away the copies of this installation that are too many, never `just`; says how many went. Those of earlier versions
/// tell no installation: they are ours where the folder lies in our data folder.
pub(crate) fn tidy(
    workshop: &Workshop,
    keep: usize,
    now: Instant,
    just: Option<&Path>,
) -> std::io::Result<usize> {
    let dir = &workshop.data.backup_dir;
    let own_folder = dir.starts_with(&workshop.data.dir);
    let ours = |copy: &Before| match &copy.of {
        Some((installation, _)) => *installation == workshop.installation,
        None => own_folder,
    };
    let mut found = files_in(dir, Before::parse)?;
    found.retain(|(file, copy)| ours(copy) && Some(file.as_path()) != just);
    found.sort_by(|one, other| other.1.at.cmp(&one.1.at));
    let (keep, oldest) = (
        keep.max(1) - usize::from(just.is_some()),
        digits(now.plus(-KEPT_FOR)),
    );
    let mut gone = 0;
    for (place, (file, copy)) in found.iter().enumerate() {
        if place >= keep || copy.at < oldest {
            std::fs::remove_file(file)?;
            gone += 1;
        }
    }
    Ok(gone)
}
