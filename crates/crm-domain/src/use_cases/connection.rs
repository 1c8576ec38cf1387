//! LINE WORKS set up in the pages, and used without a restart.

use super::{Crm, HeldSummary};
use crate::audit::{Act, Change, Deed};
use crate::connection::{ConnectionField, ConnectionValues, StoredConnection};
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::connector::{BotSetup, LineTrouble, PastedEnv, Standing, TokenSeen};
use crate::ports::messenger::SendProblem;
use crate::ports::store::StoreExt as _;
use crate::ports::vault::Vault;
use crate::values::{FieldError, Problem};

/// What an administrator typed.
#[derive(Debug, Clone, Default)]
pub struct ConnectionForm {
    /// The version that was shown.
    pub version: i64,
    /// The values. A secret that is not there keeps the stored one; anything else that is not there is taken away.
    pub values: ConnectionValues,
}

/// How LINE WORKS is set up, and how it goes.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// Counts how often it was saved; 0: never.
    pub version: i64,
    /// When it was saved last, and by whom.
    pub saved: Option<(Instant, String)>,
    /// Every field.
    pub fields: Vec<FieldView>,
    /// How the connection stands.
    pub standing: Standing,
    /// The address to register as Callback URL.
    pub callback_url: Option<String>,
    /// When the last callback that counted came.
    pub last_received: Option<Instant>,
    /// Callbacks that did not count.
    pub held: HeldSummary,
}

/// A field as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldView {
    /// Which.
    pub field: ConnectionField,
    /// The value; empty for secrets and where there is none.
    pub value: String,
    /// When a value was stored, and by whom; `None` where none is.
    pub stored: Option<(Instant, String)>,
    /// Where the environment sets it, which wins.
    pub fixed: Option<String>,
    /// Whether what is stored cannot be read any more.
    pub broken: bool,
}

impl Crm {
    /// How LINE WORKS is set up, without secrets.
    pub async fn show_connection(&self, actor: &Actor) -> Result<ConnectionView, Error> {
        self.may(actor, Action::ManageConnection)?;
        let read = self.ports.store.read(|unit| {
            let stored = unit.connection().connection()?;
            Ok::<_, Error>((stored, unit.receipts().last_received()?))
        });
        let (stored, last_received) = read.await?;
        let connector = &self.ports.connector;
        Ok(ConnectionView {
            version: stored.version,
            fields: self.fields(&stored),
            saved: stored.saved,
            standing: connector.standing(),
            callback_url: connector.callback_urls().into_iter().next(),
            last_received,
            held: self.held_callbacks(actor).await?,
        })
    }

    fn fields(&self, stored: &StoredConnection) -> Vec<FieldView> {
        let fixed = self.ports.connector.fixed();
        let (values, broken) = opened(&*self.ports.vault, stored);
        let view = |field: ConnectionField| {
            let kept = stored.values.iter().find(|value| value.field == field);
            let fixed = fixed.iter().find(|value| value.field == field);
            let shown = match fixed {
                Some(fixed) => fixed.value.as_deref(),
                None => values.get(field),
            };
            FieldView {
                field,
                value: shown
                    .filter(|_| !field.is_secret())
                    .unwrap_or_default()
                    .to_owned(),
                stored: kept.map(|value| (value.changed_at, value.changed_by.clone())),
                fixed: fixed.map(|value| value.origin.clone()),
                broken: broken.contains(&field),
            }
        };
        ConnectionField::ALL.into_iter().map(view).collect()
    }

    /// Saves what was typed and uses it at once. A member proves by the password that it is still the same person; every
    /// field that is wrong is told, the password among them. What waited for a connection is tried again.
    pub async fn save_connection(
        &self,
        actor: &Actor,
        form: ConnectionForm,
        password: &str,
    ) -> Result<(), Error> {
        self.may(actor, Action::ManageConnection)?;
        let stored = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.connection().connection()?))
            .await?;
        let (old, _) = opened(&*self.ports.vault, &stored);
        let fixed = self.ports.connector.fixed();
        let is_fixed = |field| fixed.iter().any(|value| value.field == field);
        let new = merged(&old, &form.values, is_fixed);
        let mut wrong = too_long(&new);
        wrong.extend(self.ports.connector.check(&new));
        if !self.proves_password(actor, password).await? {
            wrong.push(FieldError::new("password", Problem::Malformed));
        }
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let deed = told(&old, &new);
        let changes = changes(&old, &new);
        let version = self.store_connection(actor, form.version, changes, deed).await?;
        self.ports.connector.connect(version, &new);
        Ok(())
    }

    async fn store_connection(
        &self,
        actor: &Actor,
        known: i64,
        changes: Vec<(ConnectionField, Option<String>)>,
        deed: Deed,
    ) -> Result<i64, Error> {
        let (vault, by) = (std::sync::Arc::clone(&self.ports.vault), actor.author().name);
        self.act(actor, Action::ManageConnection, move |uow, at| {
            let mut sealed = Vec::with_capacity(changes.len());
            for (field, value) in &changes {
                let seal = |value: &String| vault.seal(&field.place(), value.as_bytes());
                let envelope = value.as_ref().map(seal).transpose();
                sealed.push((*field, envelope.map_err(Error::Vault)?));
            }
            let version = uow.edit_connection().save_connection(known, &sealed, &by, at)?;
            uow.edit_sends().wake_sends(&SendProblem::OF_THE_LINE)?;
            Ok(deed.clone().gives(version))
        })
        .await
    }

    /// Uses what is stored if that was changed since, also by another program; `true` if it was.
    pub async fn reload_connection(&self, actor: &Actor) -> Result<bool, Error> {
        self.may(actor, Action::KeepHouse)?;
        let known = self.ports.connector.version();
        let read = self.ports.store.read(move |unit| {
            let changed = unit.connection().connection_version()? != known;
            let stored = changed.then(|| unit.connection().connection()).transpose();
            Ok::<_, Error>(stored?)
        });
        let Some(stored) = read.await? else {
            return Ok(false);
        };
        let (values, _) = opened(&*self.ports.vault, &stored);
        self.ports.connector.connect(stored.version, &values);
        Ok(true)
    }

    /// The version stored, and its values in the clear: for whoever connects by them, and shows no secret.
    pub async fn stored_connection(&self, actor: &Actor) -> Result<(i64, ConnectionValues), Error> {
        self.may(actor, Action::KeepHouse)?;
        let read = self
            .ports
            .store
            .read(|unit| Ok::<_, Error>(unit.connection().connection()?));
        let stored = read.await?;
        Ok((stored.version, opened(&*self.ports.vault, &stored).0))
    }

    /// What a pasted `.env` says; nothing is stored.
    pub fn read_pasted_env(&self, actor: &Actor, text: &str) -> Result<PastedEnv, Error> {
        self.may(actor, Action::ManageConnection)?;
        Ok(self.ports.connector.read_env(text))
    }

    /// Throws the access token away and gets a new one. The inner error is LINE WORKS'.
    pub async fn renew_access_token(&self, actor: &Actor) -> Result<Result<TokenSeen, LineTrouble>, Error> {
        self.may(actor, Action::ManageConnection)?;
        let renewed = self.ports.connector.renew_token().await;
        let deed = Deed::of(Act::ConnectionTried).value("access_token", None, Some(outcome(&renewed)));
        self.log(actor, Action::ManageConnection, deed).await?;
        Ok(renewed)
    }

    /// Sets the bot up at LINE WORKS as this system needs it, and says how. The inner error is LINE WORKS'.
    pub async fn set_bot_up(&self, actor: &Actor) -> Result<Result<BotSetup, LineTrouble>, Error> {
        self.may(actor, Action::ManageConnection)?;
        let connector = &self.ports.connector;
        let Some(url) = connector.callback_urls().into_iter().next() else {
            return Err(Error::Messenger(SendProblem::NotConfigured));
        };
        let bot = match connector.read_bot().await {
            Ok(bot) => bot,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let wanted = super::connection_check::wanted(&bot, url);
        let changed = connector.change_bot(&wanted).await.map(|()| wanted);
        let deed = Deed::of(Act::ConnectionChanged).value("bot", None, Some(outcome(&changed)));
        self.log(actor, Action::ManageConnection, deed).await?;
        Ok(changed)
    }

    /// Whether a member has this password; whoever has the machine's shell needs none.
    async fn proves_password(&self, actor: &Actor, password: &str) -> Result<bool, Error> {
        let Some(id) = actor.member_id() else {
            return Ok(matches!(actor, Actor::Operator { .. }));
        };
        match self.check_own_password(id, password).await {
            Ok(_) => Ok(true),
            Err(Error::Invalid(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The values that can be read, and the fields of those that cannot.
fn opened(vault: &dyn Vault, stored: &StoredConnection) -> (ConnectionValues, Vec<ConnectionField>) {
    let (mut values, mut broken) = (ConnectionValues::default(), Vec::new());
    for value in &stored.values {
        let plain = vault.open(&value.field.place(), &value.sealed).ok();
        match plain.and_then(|plain| String::from_utf8(plain).ok()) {
            Some(text) => values.set(value.field, &text),
            None => broken.push(value.field),
        }
    }
    (values, broken)
}

/// What is to be stored: the environment's fields stay as they are, secrets that were not typed too.
fn merged(
    old: &ConnectionValues,
    typed: &ConnectionValues,
    is_fixed: impl Fn(ConnectionField) -> bool,
) -> ConnectionValues {
    let mut new = ConnectionValues::default();
    for field in ConnectionField::ALL {
        let value = match typed.get(field) {
            _ if is_fixed(field) => old.get(field),
            None if field.is_secret() => old.get(field),
            value => value,
        };
        new.set(field, value.unwrap_or_default());
    }
    new
}

fn too_long(values: &ConnectionValues) -> Vec<FieldError> {
    let over = |(field, value): (ConnectionField, &str)| {
        let max = field.longest();
        let over = value.chars().count() > max;
        over.then(|| FieldError::new(field.code(), Problem::TooLong { max }))
    };
    values.iter().filter_map(over).collect()
}

/// How something that LINE WORKS was asked for ended.
fn outcome<T>(outcome: &Result<T, LineTrouble>) -> String {
    if outcome.is_ok() { "ok" } else { "failed" }.to_owned()
}

/// What the log says: secrets only that they changed.
fn told(old: &ConnectionValues, new: &ConnectionValues) -> Deed {
    let differ = ConnectionField::ALL
        .into_iter()
        .filter(|field| old.get(*field) != new.get(*field));
    Deed::of(Act::ConnectionChanged).with(differ.map(|field| {
        if field.is_secret() {
            return Change::masked(field.code());
        }
        let [old, new] = [old, new].map(|values| values.get(field).map(str::to_owned));
        Change::new(field.code(), old, new)
    }))
}

fn changes(old: &ConnectionValues, new: &ConnectionValues) -> Vec<(ConnectionField, Option<String>)> {
    ConnectionField::ALL
        .into_iter()
        .filter(|field| old.get(*field) != new.get(*field))
        .map(|field| (field, new.get(field).map(str::to_owned)))
        .collect()
}
