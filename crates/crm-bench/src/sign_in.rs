//! A session for the page requests, made through the store while nobody serves it.

use crm_domain::members::{Device, NewMember, Role, Session};
use crm_domain::ports::host::{Clock as _, Secrets as _};
use crm_domain::ports::store::{Store, StoreError, StoreExt as _, UnitOfWork};
use crm_domain::values::EmailAddress;
use crm_host::{RingSecrets, SystemClock};

/// Adds an administrator and a session to the database; returns the cookie header's value.
pub(crate) async fn session(store: &dyn Store) -> anyhow::Result<String> {
    let secrets = RingSecrets::new();
    let (secret, at) = (secrets.token(), SystemClock.now());
    let hash = secrets.hash(secret.as_bytes());
    let email = EmailAddress::new("bench@example.jp")
        .ok()
        .flatten()
        .ok_or_else(|| anyhow::anyhow!("no address"))?;
    let member = NewMember {
        email,
        name: "計測".to_owned(),
        role: Role::Admin,
        password_hash: None,
    };
    let write = move |uow: &mut dyn UnitOfWork| -> Result<(), StoreError> {
        let member_id = uow.edit_members().add_member(&member, at)?;
        let session = Session {
            hash,
            member_id,
            created_at: at,
            seen_at: at,
            device: Device::default(),
        };
        uow.edit_credentials().add_session(&session)
    };
    store.write(write).await?;
    Ok(format!("crm_session={secret}"))
}
