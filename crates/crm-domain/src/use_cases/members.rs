//! Members: add, change, disable, passwords.

use super::Crm;
use crate::error::Error;
use crate::id::Id;
use crate::instant::Instant;
use crate::members::{LinkPurpose, Locale, Member, MemberId, NewMember, OneTimeLink, Role};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};
use crate::values::{EmailAddress, FieldError, Problem};
use time::Duration;

/// The fewest characters of a password.
pub const PASSWORD_MIN: usize = 8;
/// The most characters of a password: hashing longer ones only costs.
pub const PASSWORD_MAX: usize = 256;
/// How long a one-time link is good.
pub const LINK_LIFE: Duration = Duration::hours(24);

/// A member to be added, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberForm {
    /// The sign-in name.
    pub email: String,
    /// The name shown.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// `None` if a one-time link will set it.
    pub password: Option<String>,
}

impl Crm {
    /// All members ordered by name.
    pub async fn list_members(&self, actor: &Actor) -> Result<Vec<Member>, Error> {
        actor.may(Action::ManageMembers)?;
        self.ports.store.read(|unit| Ok(unit.members().members()?)).await
    }

    /// The member who acts.
    pub async fn myself(&self, actor: &Actor) -> Result<Member, Error> {
        let id = actor.member_id().ok_or(Error::NotFound("member"))?;
        self.ports.store.read(move |unit| member(unit, id)).await
    }

    /// Adds a member.
    pub async fn add_member(&self, actor: &Actor, form: MemberForm) -> Result<MemberId, Error> {
        actor.may(Action::ManageMembers)?;
        let (email, name) = check(&form)?;
        let password_hash = match &form.password {
            Some(password) => Some(self.ports.passwords.hash(password).await?),
            None => None,
        };
        let new = NewMember {
            email,
            name,
            role: form.role,
            password_hash,
        };
        self.change(actor, Action::ManageMembers, move |uow, at| {
            Ok(uow.edit_members().add_member(&new, at)?)
        })
        .await
    }

    /// Gives a member another role; the last administrator stays one. With the role that was seen, only if nobody changed
    /// it since ([`Error::Stale`]).
    pub async fn change_role(
        &self,
        actor: &Actor,
        id: MemberId,
        seen: Option<Role>,
        role: Role,
    ) -> Result<(), Error> {
        self.change(actor, Action::ManageMembers, move |uow, _| {
            let stored = member(uow, id)?;
            if seen.is_some_and(|seen| seen != stored.role) {
                return Err(Error::Stale);
            }
            if role != Role::Admin {
                keep_an_administrator(uow, &stored)?;
            }
            Ok(uow.edit_members().update_member(&Member { role, ..stored })?)
        })
        .await
    }

    /// Lets a member sign in no more, and ends sessions and tokens at once; or lets them again.
    pub async fn disable_member(&self, actor: &Actor, id: MemberId, disabled: bool) -> Result<(), Error> {
        self.change(actor, Action::ManageMembers, move |uow, at| {
            let stored = member(uow, id)?;
            if disabled {
                keep_an_administrator(uow, &stored)?;
                uow.edit_credentials().end_sessions_of(id, None)?;
                uow.edit_credentials().revoke_tokens_of(id, at)?;
            }
            let disabled_at = disabled.then_some(stored.disabled_at.unwrap_or(at));
            Ok(uow.edit_members().update_member(&Member {
                disabled_at,
                ..stored
            })?)
        })
        .await
    }

    /// Sets a member's password and ends the member's sessions.
    pub async fn set_password(&self, actor: &Actor, id: MemberId, password: &str) -> Result<(), Error> {
        actor.may(Action::ManageMembers)?;
        let hash = self.hash_password(password).await?;
        self.change(actor, Action::ManageMembers, move |uow, _| {
            member(uow, id)?;
            uow.edit_members().set_password(id, &hash)?;
            Ok(uow.edit_credentials().end_sessions_of(id, None)?)
        })
        .await
    }

    /// Replaces one's own password; every other session ends. `session` is the secret of the present one.
    pub async fn change_own_password(
        &self,
        actor: &Actor,
        session: &str,
        current: &str,
        new: &str,
    ) -> Result<(), Error> {
        let myself = self.myself(actor).await?;
        let (id, email_key) = (myself.id, myself.email.key());
        let found: Option<(Member, Option<String>)> = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.members().member_by_email(&email_key)?))
            .await?;
        let stored = found.and_then(|(_, hash)| hash);
        if !self.ports.passwords.verify(current, stored.as_deref()).await? {
            return Err(Error::field("current_password", Problem::Malformed));
        }
        let hash = self.hash_password(new).await?;
        let session = self.ports.secrets.hash(session.as_bytes());
        self.change_again(move |uow| {
            uow.edit_members().set_password(id, &hash)?;
            Ok(uow.edit_credentials().end_sessions_of(id, Some(&session))?)
        })
        .await
    }

    /// Chooses one's own language; `None` follows the installation's.
    pub async fn choose_locale(&self, actor: &Actor, locale: Option<Locale>) -> Result<(), Error> {
        let id = actor.member_id().ok_or(Error::NotFound("member"))?;
        self.change_again(move |uow| {
            let stored = member(uow, id)?;
            Ok(uow.edit_members().update_member(&Member { locale, ..stored })?)
        })
        .await
    }

    /// Makes a one-time link for a member and returns its secret; it is good for [`LINK_LIFE`].
    pub async fn make_link(
        &self,
        actor: &Actor,
        id: MemberId,
        purpose: LinkPurpose,
    ) -> Result<String, Error> {
        let secret = self.ports.secrets.token();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.change(actor, Action::ManageMembers, move |uow, at| {
            member(uow, id)?;
            let link = OneTimeLink {
                hash,
                member_id: id,
                purpose,
                expires_at: at.plus(LINK_LIFE),
            };
            Ok(uow.edit_credentials().add_one_time_link(&link, at)?)
        })
        .await?;
        Ok(secret)
    }

    /// Checks a new password and hashes it.
    pub(super) async fn hash_password(&self, password: &str) -> Result<String, Error> {
        password_problem(password).map_or(Ok(()), |problem| Err(Error::field("password", problem)))?;
        Ok(self.ports.passwords.hash(password).await?)
    }
}

fn check(form: &MemberForm) -> Result<(EmailAddress, String), Error> {
    let mut errors = Vec::new();
    let email = match EmailAddress::new(&form.email) {
        Ok(Some(email)) => Some(email),
        Ok(None) => {
            errors.push(FieldError::new("email", Problem::Required));
            None
        }
        Err(problem) => {
            errors.push(FieldError::new("email", problem));
            None
        }
    };
    let name = crate::values::CompanyName::new(&form.name);
    errors.extend(
        name.as_ref()
            .err()
            .map(|problem| FieldError::new("name", *problem)),
    );
    let password = form.password.as_deref().and_then(password_problem);
    errors.extend(password.map(|problem| FieldError::new("password", problem)));
    match (email, name) {
        (Some(email), Ok(name)) if errors.is_empty() => Ok((email, name.as_str().to_owned())),
        _ => Err(Error::Invalid(errors)),
    }
}

fn password_problem(password: &str) -> Option<Problem> {
    match password.chars().count() {
        0 => Some(Problem::Required),
        count if count < PASSWORD_MIN => Some(Problem::TooShort { min: PASSWORD_MIN }),
        count if count > PASSWORD_MAX => Some(Problem::TooLong { max: PASSWORD_MAX }),
        _ => None,
    }
}

fn member<U: ReadUnit + ?Sized>(unit: &mut U, id: MemberId) -> Result<Member, Error> {
    unit.members().member(id)?.ok_or(Error::NotFound("member"))
}

fn keep_an_administrator(uow: &mut dyn UnitOfWork, leaving: &Member) -> Result<(), Error> {
    let acts = |member: &Member| member.role == Role::Admin && member.disabled_at.is_none();
    let others = uow
        .members()
        .members()?
        .iter()
        .any(|member| member.id != leaving.id && acts(member));
    if others || !acts(leaving) {
        Ok(())
    } else {
        Err(Error::LastAdministrator(Id::new(leaving.id.get())))
    }
}

/// Whether an instant lies behind.
pub(super) fn past(limit: Instant, now: Instant) -> bool {
    limit <= now
}
