//! Imports: rows of another system come in by chunks, stay invisible until all are there, and are taken once.

use super::Crm;
use super::carriers::review_carriers;
use crate::activities::NewActivity;
use crate::audit::{Act, Deed, Did};
use crate::companies::CompanyDetails;
use crate::conversations::{ConversationId, ConversationKey, LinkState};
use crate::customers::CustomerDetails;
use crate::error::Error;
use crate::imports::{Import, Origin};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{StoreError, UnitOfWork};

/// What became of a chunk of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The id of ours for each row, in order, whether new or taken before.
    pub ids: Vec<i64>,
    /// How many of them are new.
    pub added: usize,
}

impl Crm {
    /// Begins an import from `source`, or takes up one that was broken off.
    pub async fn begin_import(&self, actor: &Actor, source: &'static str) -> Result<Import, Error> {
        self.may(actor, Action::ImportRecords)?;
        self.act_again(self.trace(actor), move |uow, at| {
            let import = uow.edit_imports().begin_import(source, at)?;
            Ok(Deed::on(Act::ImportBegun, import.id)
                .value("source", None, Some(source.to_owned()))
                .gives(import))
        })
        .await
    }

    /// Takes companies that were not taken before.
    pub async fn import_companies(
        &self,
        actor: &Actor,
        import: &Import,
        rows: Vec<(Origin, CompanyDetails)>,
    ) -> Result<Imported, Error> {
        self.import(actor, import, rows, |uow, import, rows, at| {
            let ids = uow.edit_imports().import_companies(import, rows, at)?;
            Ok(ids.into_iter().map(crate::id::Id::get).collect())
        })
        .await
    }

    /// Takes customers that were not taken before.
    pub async fn import_customers(
        &self,
        actor: &Actor,
        import: &Import,
        rows: Vec<(Origin, CustomerDetails)>,
    ) -> Result<Imported, Error> {
        self.import(actor, import, rows, |uow, import, rows, at| {
            let ids = uow.edit_imports().import_customers(import, rows, at)?;
            Ok(ids.into_iter().map(crate::id::Id::get).collect())
        })
        .await
    }

    /// Takes messages that were not taken before.
    pub async fn import_activities(
        &self,
        actor: &Actor,
        import: &Import,
        rows: Vec<(Origin, NewActivity)>,
    ) -> Result<Imported, Error> {
        self.import(actor, import, rows, |uow, import, rows, _| {
            let ids = uow.edit_imports().import_activities(import, rows)?;
            Ok(ids.into_iter().map(crate::id::Id::get).collect())
        })
        .await
    }

    /// The conversations to which imported messages belong, in the given order.
    pub async fn open_imported_conversations(
        &self,
        actor: &Actor,
        keys: Vec<ConversationKey>,
    ) -> Result<Vec<ConversationId>, Error> {
        self.may(actor, Action::ImportRecords)?;
        let at = self.now();
        self.change_again(move |uow| Ok(uow.edit_conversations().open_conversations(&keys, at)?))
            .await
    }

    /// Notes that messages were said in these conversations, last at the given times.
    pub async fn note_imported_talk(
        &self,
        actor: &Actor,
        talks: Vec<(ConversationId, Instant)>,
    ) -> Result<(), Error> {
        self.may(actor, Action::ImportRecords)?;
        self.change_again(move |uow| {
            for (id, at) in &talks {
                // A conversation made for the import was set up later than what was said in it.
                let stored = uow
                    .conversations()
                    .conversation(*id)?
                    .ok_or(Error::NotFound("conversation"))?;
                match stored.link {
                    LinkState::Unconfirmed => uow.edit_conversations().reset_link(*id, LinkState::Active)?,
                    LinkState::Active | LinkState::Left => {
                        uow.edit_conversations().set_link(*id, LinkState::Active, *at)?;
                    }
                }
            }
            Ok(())
        })
        .await
    }

    /// Shows everything that the import brought.
    pub async fn finish_import(&self, actor: &Actor, import: &Import) -> Result<(), Error> {
        self.may(actor, Action::ImportRecords)?;
        let import = import.clone();
        self.act_again(self.trace(actor), move |uow, at| {
            uow.edit_imports().finish_import(&import, at)?;
            Ok(Deed::on(Act::ImportFinished, import.id).gives(()))
        })
        .await?;
        self.review_strangers().await
    }

    /// Those who wrote and were nobody may have become customers.
    async fn review_strangers(&self) -> Result<(), Error> {
        const CHUNK: usize = 100;
        let (at, mut before) = (self.now(), None);
        loop {
            let found = self.change_again(move |uow| {
                let lines = uow.board().unknown_senders(None, before, CHUNK)?;
                let people: Vec<_> = lines
                    .iter()
                    .map(|line| line.conversation.key.address.clone())
                    .collect();
                review_carriers(uow, &people, at)?;
                Ok(lines)
            });
            let last = found.await?.pop();
            before = last.and_then(|line| Some((line.conversation.standing.last?.at, line.conversation.id)));
            if before.is_none() {
                self.claim_due().await?;
                return Ok(());
            }
        }
    }

    /// Looks up what was taken before inside the unit of work, so that a chunk can be repeated without harm.
    async fn import<T, F>(
        &self,
        actor: &Actor,
        import: &Import,
        rows: Vec<(Origin, T)>,
        add: F,
    ) -> Result<Imported, Error>
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&mut dyn UnitOfWork, &Import, &[(Origin, T)], Instant) -> Result<Vec<i64>, StoreError>
            + Clone
            + Send
            + 'static,
    {
        self.may(actor, Action::ImportRecords)?;
        let import = import.clone();
        self.act_again(self.trace(actor), move |uow, at| {
            let origins: Vec<Origin> = rows.iter().map(|(origin, _)| origin.clone()).collect();
            let known = uow.imports().imported(&import.source, &origins)?;
            let fresh: Vec<(Origin, T)> = rows
                .iter()
                .zip(&known)
                .filter(|(_, id)| id.is_none())
                .map(|(row, _)| row.clone())
                .collect();
            let added = add(uow, &import, &fresh, at)?;
            let count = added.len();
            let mut added = added.into_iter();
            let ids = known
                .into_iter()
                .filter_map(|id| id.or_else(|| added.next()))
                .collect();
            let result = Imported { ids, added: count };
            if count == 0 {
                return Ok(Did::nothing(result));
            }
            Ok(Deed::on(Act::RowsImported, import.id)
                .value("rows", None, Some(count.to_string()))
                .gives(result))
        })
        .await
    }
}
