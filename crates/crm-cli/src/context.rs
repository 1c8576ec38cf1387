//! What every command works with.

use crm_compose::{Composition, Loaded, Need, Settings, Source, TimeZone};
use crm_domain::permissions::Actor;
use crm_domain::ports::store_admin::MigrationStatus;

use crate::failure::Failure;
use crate::output::Output;

/// Settings not yet understood, and where to write.
pub(crate) struct Context {
    pub(crate) source: Source,
    pub(crate) output: Output,
}

/// A command at work on the store.
pub(crate) struct Desk {
    pub(crate) parts: Composition,
    pub(crate) actor: Actor,
}

impl Context {
    pub(crate) fn new(source: Source, output: Output) -> Self {
        Self { source, output }
    }

    pub(crate) fn settings(&self, need: Need) -> Result<Loaded, Failure> {
        Ok(Settings::read(&self.source, need)?)
    }

    /// The store, brought up to date, with the messenger if it is needed.
    pub(crate) async fn desk(&self, need: Need) -> Result<Desk, Failure> {
        Ok(self.desk_and_migrations(need).await?.0)
    }

    /// The same with the names of the migrations that were applied.
    pub(crate) async fn desk_and_migrations(&self, need: Need) -> Result<(Desk, Vec<String>), Failure> {
        let (parts, applied) = Composition::for_command(self.wanted(need)?).await?;
        Ok((self.at(parts), applied))
    }

    /// The store as it is; nothing is made or changed.
    pub(crate) fn desk_as_it_is(&self) -> Result<Desk, Failure> {
        Ok(self.at(Composition::as_it_is(self.wanted(Need::Store)?)?))
    }

    /// The migrations of the store as it is; nothing is made or changed.
    pub(crate) async fn migrations(&self) -> Result<(Vec<MigrationStatus>, TimeZone), Failure> {
        let settings = self.wanted(Need::Store)?;
        let zone = settings.web.time_zone.clone();
        Ok((Composition::migrations(settings).await?, zone))
    }

    fn wanted(&self, need: Need) -> Result<Settings, Failure> {
        let settings = self.settings(need)?.settings;
        Ok(match need {
            Need::Store => settings.without_line_works(),
            _ => settings,
        })
    }

    fn at(&self, parts: Composition) -> Desk {
        Desk {
            parts,
            actor: self.actor(),
        }
    }

    /// Whoever has the shell: named as the system calls them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Operator {
            name: self.source.operator().to_owned(),
        }
    }
}

impl Desk {
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.parts.settings.web.time_zone
    }
}
