//! The shelf for access tokens on the store: sealed by the vault, and asked for under a lease of a minute.

use std::sync::Arc;

use async_trait::async_trait;
use time::Duration;

use crate::access_tokens::{SealedToken, place_of};
use crate::ports::host::Secrets;
use crate::ports::store::{Store, StoreError, StoreExt as _, UnitOfWork};
use crate::ports::tokens::{IssuedToken, ShelfAway, ShelvedToken, TokenShelf, TokenTurn};
use crate::ports::vault::{Vault, VaultError};

/// How long an instance may ask for a token.
const TURN: Duration = Duration::seconds(60);

/// [`TokenShelf`] on a store.
pub struct StoredTokens {
    store: Arc<dyn Store>,
    vault: Arc<dyn Vault>,
    owner: String,
}

impl From<StoreError> for ShelfAway {
    fn from(error: StoreError) -> Self {
        Self(error.code())
    }
}

impl From<VaultError> for ShelfAway {
    fn from(error: VaultError) -> Self {
        Self(error.code())
    }
}

impl StoredTokens {
    /// On this store, for this process.
    pub fn new(store: Arc<dyn Store>, vault: Arc<dyn Vault>, secrets: &dyn Secrets) -> Self {
        Self {
            store,
            vault,
            owner: secrets.token(),
        }
    }

    async fn find(&self, connection: &str, beyond: i64) -> Result<Option<ShelvedToken>, ShelfAway> {
        let name = connection.to_owned();
        let read = self
            .store
            .read(move |unit| unit.access_tokens().access_token(&name));
        let found: Result<Option<SealedToken>, StoreError> = read.await;
        let good = found?.filter(|token| is_good(token, beyond));
        Ok(good.and_then(|token| opened(self.vault.as_ref(), connection, token)))
    }
}

/// The token in the clear; `None` if it does not open, sealed by a key that is not ours: then it is as good as none.
fn opened(vault: &dyn Vault, connection: &str, token: SealedToken) -> Option<ShelvedToken> {
    let plain = vault.open(&place_of(connection), &token.sealed?).ok()?;
    Some(ShelvedToken {
        number: token.number,
        text: String::from_utf8(plain).ok()?,
        scope: token.scope,
        good_for: token.good_for,
        lives: token.lives,
    })
}

fn is_good(token: &SealedToken, beyond: i64) -> bool {
    token.sealed.is_some() && token.number > beyond && token.good_for.is_positive()
}

fn turn_of(connection: &str) -> String {
    format!("access token of {connection}")
}

fn take_turn(
    uow: &mut dyn UnitOfWork,
    vault: &dyn Vault,
    connection: &str,
    beyond: i64,
    owner: &str,
) -> Result<TokenTurn, StoreError> {
    let kept = uow.access_tokens().access_token(connection)?;
    let good = kept.filter(|token| is_good(token, beyond));
    if let Some(token) = good.and_then(|token| opened(vault, connection, token)) {
        return Ok(TokenTurn::Good(token));
    }
    let ours = uow.edit_leases().take_lease(&turn_of(connection), owner, TURN)?;
    Ok(if ours { TokenTurn::Ours } else { TokenTurn::Wait })
}

#[async_trait]
impl TokenShelf for StoredTokens {
    async fn newest(&self, connection: &str) -> Result<i64, ShelfAway> {
        let connection = connection.to_owned();
        let read = self
            .store
            .read(move |unit| unit.access_tokens().access_token(&connection));
        let found: Result<Option<SealedToken>, StoreError> = read.await;
        Ok(found?.map_or(0, |token| token.number))
    }

    async fn turn(&self, connection: &str, beyond: i64) -> Result<TokenTurn, ShelfAway> {
        if let Some(token) = self.find(connection, beyond).await? {
            return Ok(TokenTurn::Good(token));
        }
        let (name, owner) = (connection.to_owned(), self.owner.clone());
        let vault = Arc::clone(&self.vault);
        let written = self
            .store
            .write(move |uow| take_turn(uow, vault.as_ref(), &name, beyond, &owner));
        let turn: Result<TokenTurn, StoreError> = written.await;
        Ok(turn?)
    }

    async fn keep(&self, connection: &str, token: &IssuedToken) -> Result<i64, ShelfAway> {
        let sealed = self.vault.seal(&place_of(connection), token.text.as_bytes())?;
        let (name, token, owner) = (connection.to_owned(), token.clone(), self.owner.clone());
        let written = self.store.write(move |uow| {
            let number = uow.edit_access_tokens().keep_access_token(
                &name,
                &sealed,
                &token.scope,
                token.good_for,
                token.lives,
            )?;
            uow.edit_leases().give_back_lease(&turn_of(&name), &owner)?;
            Ok::<_, StoreError>(number)
        });
        Ok(written.await?)
    }

    async fn give_up(&self, connection: &str) -> Result<(), ShelfAway> {
        let (name, owner) = (turn_of(connection), self.owner.clone());
        let written = self
            .store
            .write(move |uow| uow.edit_leases().give_back_lease(&name, &owner));
        let given: Result<(), StoreError> = written.await;
        Ok(given?)
    }

    async fn refuse(&self, connection: &str, number: i64) -> Result<(), ShelfAway> {
        let connection = connection.to_owned();
        let written = self
            .store
            .write(move |uow| uow.edit_access_tokens().refuse_access_token(&connection, number));
        let refused: Result<bool, StoreError> = written.await;
        refused?;
        Ok(())
    }
}
