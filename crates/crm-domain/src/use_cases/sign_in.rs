//! Signing in and out.

use super::Crm;
use super::members::past;
use crate::error::Error;
use crate::instant::Instant;
use crate::members::{LinkPurpose, Member, SecretHash, Session};
use crate::ports::store::{StoreExt, UnitOfWork};
use time::Duration;

/// Wrong sign-ins that an account takes from unknown browsers within [`SIGN_IN_WINDOW`]; the next one is turned away.
pub const SIGN_IN_TRIES: usize = 10;
/// How long a wrong sign-in counts.
pub const SIGN_IN_WINDOW: Duration = Duration::minutes(10);

/// What a person typed to sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInForm {
    /// The sign-in name.
    pub email: String,
    /// The password.
    pub password: String,
    /// A stable id of the browser, if it proved that it has signed in to this account before: it has a counter of its own.
    pub known_browser: Option<String>,
}

impl Crm {
    /// Begins a session and returns its secret, the cookie's value, with the member. Wrong password, unknown and disabled
    /// accounts answer alike.
    pub async fn sign_in(&self, form: SignInForm) -> Result<(String, Member), Error> {
        let now = self.now();
        let email_key = form.email.trim().to_lowercase();
        let account = self.account_key(&email_key, form.known_browser.as_deref());
        let (failures, found) = self.look_up_account(account, email_key, now).await?;
        if failures >= SIGN_IN_TRIES {
            let retry_after = u32::try_from(SIGN_IN_WINDOW.whole_seconds()).unwrap_or(u32::MAX);
            return Err(Error::TooManySignIns { retry_after });
        }
        let hash = found.as_ref().and_then(|(_, hash)| hash.as_deref());
        let right = self.ports.passwords.verify(&form.password, hash).await?;
        match found {
            Some((member, Some(_))) if right && member.disabled_at.is_none() => {
                self.begin_session(member, now).await
            }
            _ => {
                self.change_again(move |uow| Ok(uow.edit_credentials().add_failed_sign_in(&account, now)?))
                    .await?;
                Err(Error::SignInRefused)
            }
        }
    }

    /// Uses a one-time link up and begins a session; a link for a password needs the new password.
    pub async fn use_link(
        &self,
        secret: &str,
        new_password: Option<&str>,
    ) -> Result<(String, Member), Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let purpose = self.link_purpose(secret).await?;
        let password_hash = match purpose {
            LinkPurpose::SignIn => None,
            LinkPurpose::SetPassword => Some(self.hash_password(new_password.unwrap_or_default()).await?),
        };
        let member = self
            .ports
            .store
            .write(move |uow| spend(uow, &hash, password_hash.as_deref(), now))
            .await?;
        self.begin_session(member, now).await
    }

    /// What a one-time link is good for; [`Error::LinkSpent`] if for nothing any more. Does not use it up.
    pub async fn link_purpose(&self, secret: &str) -> Result<LinkPurpose, Error> {
        Ok(self.look_at_link(secret).await?.0)
    }

    /// [`Crm::link_purpose`] with the member whom it is for.
    pub async fn look_at_link(&self, secret: &str) -> Result<(LinkPurpose, Member), Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.ports
            .store
            .read(move |unit| {
                let link = unit.credentials().one_time_link(&hash)?;
                let link = link
                    .filter(|link| !past(link.expires_at, now))
                    .ok_or(Error::LinkSpent)?;
                let member = unit.members().member(link.member_id)?.ok_or(Error::LinkSpent)?;
                Ok((link.purpose, member))
            })
            .await
    }

    /// Ends a session.
    pub async fn sign_out(&self, secret: &str) -> Result<(), Error> {
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.change_again(move |uow| Ok(uow.edit_credentials().end_session(&hash)?))
            .await
    }

    async fn look_up_account(
        &self,
        account: SecretHash,
        email_key: String,
        now: Instant,
    ) -> Result<(usize, Option<(Member, Option<String>)>), Error> {
        let read = move |unit: &mut dyn crate::ports::store::ReadUnit| {
            let failures = unit
                .credentials()
                .failed_sign_ins(&account, now.minus(SIGN_IN_WINDOW))?;
            Ok::<_, Error>((failures, unit.members().member_by_email(&email_key)?))
        };
        self.ports.store.read(read).await
    }

    async fn begin_session(&self, member: Member, now: Instant) -> Result<(String, Member), Error> {
        let secret = self.ports.secrets.token();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let session = Session {
            hash,
            member_id: member.id,
            created_at: now,
            seen_at: now,
        };
        self.ports
            .store
            .write(move |uow| {
                uow.edit_credentials()
                    .forget_failed_sign_ins(now.minus(SIGN_IN_WINDOW))?;
                Ok::<_, Error>(uow.edit_credentials().add_session(&session)?)
            })
            .await?;
        Ok((secret, member))
    }

    fn account_key(&self, email_key: &str, known_browser: Option<&str>) -> SecretHash {
        self.ports
            .secrets
            .hash(format!("{email_key}\n{}", known_browser.unwrap_or_default()).as_bytes())
    }
}

fn spend(
    uow: &mut dyn UnitOfWork,
    hash: &SecretHash,
    password_hash: Option<&str>,
    now: Instant,
) -> Result<Member, Error> {
    let link = uow.credentials().one_time_link(hash)?.ok_or(Error::LinkSpent)?;
    if past(link.expires_at, now) || !uow.edit_credentials().use_one_time_link(hash, now)? {
        return Err(Error::LinkSpent);
    }
    let member = uow
        .members()
        .member(link.member_id)?
        .filter(|member| member.disabled_at.is_none());
    let member = member.ok_or(Error::LinkSpent)?;
    if let Some(password_hash) = password_hash {
        uow.edit_members().set_password(member.id, password_hash)?;
        uow.edit_credentials().end_sessions_of(member.id, None)?;
    }
    Ok(member)
}
