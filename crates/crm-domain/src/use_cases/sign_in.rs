//! Signing in and out: password, then the second factor of who has one.

use super::Crm;
use super::audit::Trace;
use super::credentials::{SESSION_IDLE, SESSION_LIFE};
use super::factors::attempt;
use super::members::past;
use crate::audit::{Act, By, Change, Deed};
use crate::error::Error;
use crate::factors::PendingSignIn;
use crate::instant::Instant;
use crate::members::{Device, LinkPurpose, Member, MemberId, SecretHash, Session};
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};
use time::Duration;

/// Wrong sign-ins that an account takes from unknown browsers within [`SIGN_IN_WINDOW`]; the next one is turned away.
pub const SIGN_IN_TRIES: usize = 10;
/// How long a wrong sign-in counts.
pub const SIGN_IN_WINDOW: Duration = Duration::minutes(10);
/// How long a sign-in waits for the second factor.
pub const FACTOR_WAIT: Duration = Duration::minutes(10);
/// The most characters kept of what a browser calls itself, and of an address.
const DEVICE_TEXT: usize = 250;

/// What a person typed to sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInForm {
    /// The sign-in name.
    pub email: String,
    /// The password.
    pub password: String,
    /// A stable id of the browser, if it proved that it has signed in to this account before: it has a counter of its own.
    pub known_browser: Option<String>,
    /// Whence.
    pub device: Device,
}

/// How far a sign-in came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInStep {
    /// A session has begun.
    Done {
        /// Its secret, the cookie's value.
        secret: String,
        /// Who signed in.
        member: Member,
    },
    /// The second factor is asked for within [`FACTOR_WAIT`], by [`Crm::prove_factor`].
    FactorAsked {
        /// The secret of the sign-in that waits; good for nothing else.
        pending: String,
    },
}

/// A sign-in whose first half is right: what the next unit of work needs.
#[derive(Clone)]
struct Entry {
    secret: String,
    hash: SecretHash,
    account: SecretHash,
    device: Device,
    now: Instant,
    trace: Trace,
}

impl Crm {
    /// Checks account and password. Wrong password, unknown and disabled accounts answer alike and cost the same.
    pub async fn sign_in(&self, form: SignInForm) -> Result<SignInStep, Error> {
        let now = self.now();
        let email_key = form.email.trim().to_lowercase();
        let account = self.account_key(&email_key, form.known_browser.as_deref());
        let (failures, found) = self.look_up_account(account, email_key, now).await?;
        refuse_after(failures)?;
        let hash = found.as_ref().and_then(|(_, hash)| hash.as_deref());
        let right = self.ports.passwords.verify(&form.password, hash).await?;
        match found {
            Some((member, Some(checked))) if right && member.disabled_at.is_none() => {
                let entry = self.entry(account, form.device, now);
                self.ports
                    .store
                    .write(move |uow| {
                        // The password may have been replaced, and the member disabled, while it was checked.
                        let again = uow.members().member_by_email(&member.email.key())?;
                        let still_good = again.is_some_and(|(again, hash)| {
                            again.disabled_at.is_none() && hash.as_ref() == Some(&checked)
                        });
                        if still_good {
                            enter(uow, &member, &entry)
                        } else {
                            Err(Error::SignInRefused)
                        }
                    })
                    .await
            }
            _ => {
                self.note_wrong_proof(account, now).await?;
                self.log_wrong_proof(found.map(|(member, _)| member.id)).await?;
                Err(Error::SignInRefused)
            }
        }
    }

    /// The second half of a sign-in: a code of the authenticator app, or a recovery code. Begins the session and returns
    /// its secret. A wrong code is a field error of `code` and counts like a wrong password.
    pub async fn prove_factor(
        &self,
        pending: &str,
        code: &str,
        device: Device,
    ) -> Result<(String, Member), Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(pending.as_bytes());
        let waiting = self.waiting(hash, now).await?;
        let proof = self.proof(waiting.member_id, code, now).await?;
        let entry = self.entry(waiting.account, device, now);
        let secret = entry.secret.clone();
        let (id, account) = (waiting.member_id, waiting.account);
        let outcome = self.ports.store.write(move |uow| {
            let member = uow.members().member(id)?;
            let member = member.filter(|member| member.disabled_at.is_none());
            let member = member.ok_or(Error::SignInOver)?;
            if !attempt(uow, id, &proof, account, now)? {
                return Ok(None);
            }
            if !uow.edit_factors().take_pending_sign_in(&hash)? {
                return Err(Error::SignInOver);
            }
            begin(uow, &member, &entry)?;
            Ok(Some(member))
        });
        Ok((secret, self.tried(outcome.await, id).await?))
    }

    /// Uses a one-time link up and signs in; a link for a password needs the new password. Who has a second factor is
    /// still asked for it.
    pub async fn use_link(
        &self,
        secret: &str,
        new_password: Option<&str>,
        device: Device,
    ) -> Result<SignInStep, Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let (purpose, member) = self.look_at_link(secret).await?;
        let password_hash = match purpose {
            LinkPurpose::SignIn => None,
            LinkPurpose::SetPassword => Some(self.hash_password(new_password.unwrap_or_default()).await?),
        };
        let account = self.account_key(&member.email.key(), None);
        let entry = self.entry(account, device, now);
        self.ports
            .store
            .write(move |uow| {
                let member = spend(uow, &hash, password_hash.as_deref(), now)?;
                if password_hash.is_some() {
                    let changed =
                        Deed::on(Act::PasswordChanged, member.id).with([Change::masked("password")]);
                    entry.trace.of(By::from(&member)).write(uow, &[changed])?;
                }
                enter(uow, &member, &entry)
            })
            .await
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
        let found = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.credentials().session(&hash)?));
        let Some((_, member)) = found.await? else {
            return Ok(());
        };
        self.act_again(self.trace_by(By::from(&member)), move |uow, _| {
            uow.edit_credentials().end_session(&hash)?;
            Ok(Deed::on(Act::SignedOut, member.id).gives(()))
        })
        .await
    }

    async fn look_up_account(
        &self,
        account: SecretHash,
        email_key: String,
        now: Instant,
    ) -> Result<(usize, Option<(Member, Option<String>)>), Error> {
        let read = move |unit: &mut dyn ReadUnit| {
            let failures = unit.credentials().failed_sign_ins(&account, counted_since(now))?;
            // Nobody's address holds such a character, and not every database can be asked for it.
            let found = if email_key.chars().any(char::is_control) {
                None
            } else {
                unit.members().member_by_email(&email_key)?
            };
            Ok::<_, Error>((failures, found))
        };
        self.ports.store.read(read).await
    }

    /// The sign-in that waits under this hash.
    async fn waiting(&self, hash: SecretHash, now: Instant) -> Result<PendingSignIn, Error> {
        let found: Option<PendingSignIn> = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.factors().pending_sign_in(&hash)?))
            .await?;
        found
            .filter(|pending| !past(pending.expires_at, now))
            .ok_or(Error::SignInOver)
    }

    /// How often this account was tried in vain of late.
    pub(super) async fn failures(&self, account: SecretHash, now: Instant) -> Result<usize, Error> {
        let since = counted_since(now);
        self.ports
            .store
            .read(move |unit| Ok(unit.credentials().failed_sign_ins(&account, since)?))
            .await
    }

    pub(super) async fn note_wrong_proof(&self, account: SecretHash, now: Instant) -> Result<(), Error> {
        self.change_again(move |uow| Ok(uow.edit_credentials().add_failed_sign_in(&account, now)?))
            .await
    }

    /// Writes that somebody failed to prove to be this member, or one that there is not, at most ten times a minute for one
    /// address. What was typed for a name is not kept: it may be a password.
    pub(super) async fn log_wrong_proof(&self, member: Option<MemberId>) -> Result<(), Error> {
        let deed = match member {
            Some(id) => Deed::on(Act::SignInFailed, id),
            None => Deed::of(Act::SignInFailed),
        };
        self.log_failure(By::nobody(), deed).await
    }

    fn entry(&self, account: SecretHash, device: Device, now: Instant) -> Entry {
        let secret = self.ports.secrets.token();
        Entry {
            hash: self.ports.secrets.hash(secret.as_bytes()),
            secret,
            account,
            device: kept(device),
            now,
            trace: self.trace_by(By::nobody()),
        }
    }

    /// Begins a session within a unit of work that another use case runs; its secret is returned.
    pub(super) fn session_for(
        &self,
        device: Device,
        now: Instant,
    ) -> (
        String,
        impl Fn(&mut dyn UnitOfWork, &Member) -> Result<(), Error> + Clone + Send + 'static + use<>,
    ) {
        let entry = self.entry([0; 32], device, now);
        let secret = entry.secret.clone();
        (secret, move |uow: &mut dyn UnitOfWork, member: &Member| {
            begin(uow, member, &entry)
        })
    }

    /// The counter of an account: one for strangers, one for each browser that is known to it.
    pub(super) fn account_key(&self, email_key: &str, known_browser: Option<&str>) -> SecretHash {
        self.ports
            .secrets
            .hash(format!("{email_key}\n{}", known_browser.unwrap_or_default()).as_bytes())
    }
}

/// A failure counts no more as soon as it is [`SIGN_IN_WINDOW`] old: that long whoever is turned away is told to wait.
pub(super) fn counted_since(now: Instant) -> Instant {
    now.minus(SIGN_IN_WINDOW - Duration::milliseconds(1))
}

/// Turns whoever tried too often away.
pub(super) fn refuse_after(failures: usize) -> Result<(), Error> {
    if failures < SIGN_IN_TRIES {
        return Ok(());
    }
    let retry_after = u32::try_from(SIGN_IN_WINDOW.whole_seconds()).unwrap_or(u32::MAX);
    Err(Error::TooManySignIns { retry_after })
}

/// Asks for the second factor, or begins the session of who has none.
fn enter(uow: &mut dyn UnitOfWork, member: &Member, entry: &Entry) -> Result<SignInStep, Error> {
    let factor = uow.factors().factor(member.id)?;
    if factor.is_some_and(|factor| factor.confirmed_at.is_some()) {
        let pending = PendingSignIn {
            hash: entry.hash,
            member_id: member.id,
            account: entry.account,
            expires_at: entry.now.plus(FACTOR_WAIT),
        };
        uow.edit_factors().add_pending_sign_in(&pending, entry.now)?;
        return Ok(SignInStep::FactorAsked {
            pending: entry.secret.clone(),
        });
    }
    begin(uow, member, entry)?;
    Ok(SignInStep::Done {
        secret: entry.secret.clone(),
        member: member.clone(),
    })
}

fn begin(uow: &mut dyn UnitOfWork, member: &Member, entry: &Entry) -> Result<(), Error> {
    let now = entry.now;
    let session = Session {
        hash: entry.hash,
        member_id: member.id,
        created_at: now,
        seen_at: now,
        device: entry.device.clone(),
    };
    let credentials = uow.edit_credentials();
    credentials.forget_failed_sign_ins(now.minus(SIGN_IN_WINDOW))?;
    credentials.forget_sessions(now.minus(SESSION_LIFE), now.minus(SESSION_IDLE))?;
    credentials.add_session(&session)?;
    let signed_in = Deed::on(Act::SignedIn, member.id);
    Ok(entry.trace.of(By::from(member)).write(uow, &[signed_in])?)
}

fn kept(device: Device) -> Device {
    let clean = |text: String| {
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_control())
            .take(DEVICE_TEXT)
            .collect();
        (!text.is_empty()).then_some(text)
    };
    Device {
        address: device.address.and_then(clean),
        agent: device.agent.and_then(clean),
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
