//! Members: add, change, disable, passwords.

use super::Crm;
use super::sessions::in_person;
use crate::audit::{self, Act, Change, Deed};
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::id::Id;
use crate::instant::Instant;
use crate::members::{Grants, LinkPurpose, Locale, Member, MemberId, NewMember, OneTimeLink, Role};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::values::{EmailAddress, FieldError, Problem};
use time::Duration;

/// The fewest characters of a password.
pub const PASSWORD_MIN: usize = 12;
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
        self.may(actor, Action::ManageMembers)?;
        self.ports.store.read(|unit| Ok(unit.members().members()?)).await
    }

    /// The member who acts.
    pub async fn myself(&self, actor: &Actor) -> Result<Member, Error> {
        let id = actor.member_id().ok_or(Error::NotFound("member"))?;
        self.ports.store.read(move |unit| member(unit, id)).await
    }

    /// Adds a member.
    pub async fn add_member(&self, actor: &Actor, form: MemberForm) -> Result<MemberId, Error> {
        self.may(actor, Action::ManageMembers)?;
        let (email, name, password_hash) = self.check_member(&form).await?;
        let new = NewMember {
            email,
            name,
            role: form.role,
            password_hash,
        };
        self.act(actor, Action::ManageMembers, move |uow, at| {
            let id = uow.edit_members().add_member(&new, at)?;
            let added = audit::added(&member(uow, id)?);
            Ok(Deed::on(Act::MemberAdded, id).with(added).gives(id))
        })
        .await
    }

    /// Gives a member another role and ends the member's sessions; the last administrator stays one. With the role that was
    /// seen, only if nobody changed it since ([`Error::Stale`]).
    pub async fn change_role(
        &self,
        actor: &Actor,
        id: MemberId,
        seen: Option<Role>,
        role: Role,
    ) -> Result<(), Error> {
        self.act(actor, Action::ManageMembers, move |uow, at| {
            let stored = member(uow, id)?;
            if seen.is_some_and(|seen| seen != stored.role) {
                return Err(Error::Stale);
            }
            if role != Role::Admin {
                keep_an_administrator(uow, &stored)?;
            }
            if role != stored.role {
                uow.edit_credentials().end_sessions_of(id, None)?;
                announce_rights(uow, id, at)?;
            }
            revised(
                uow,
                &stored,
                &Member {
                    role,
                    ..stored.clone()
                },
            )
        })
        .await
    }

    /// Says what a member may do beyond the role, and ends the member's sessions if that is something else than before.
    pub async fn change_grants(&self, actor: &Actor, id: MemberId, grants: Grants) -> Result<(), Error> {
        self.act(actor, Action::ManageMembers, move |uow, at| {
            let stored = member(uow, id)?;
            if grants != stored.grants {
                uow.edit_credentials().end_sessions_of(id, None)?;
                announce_rights(uow, id, at)?;
            }
            revised(
                uow,
                &stored,
                &Member {
                    grants,
                    ..stored.clone()
                },
            )
        })
        .await
    }

    /// Whether there is no second administrator who could help when the only one is locked out.
    pub async fn only_one_administrator(&self, actor: &Actor) -> Result<bool, Error> {
        let members = self.list_members(actor).await?;
        Ok(members.iter().filter(|member| administers(member)).count() == 1)
    }

    /// Lets a member sign in no more, and ends sessions and tokens at once; or lets them again.
    pub async fn disable_member(&self, actor: &Actor, id: MemberId, disabled: bool) -> Result<(), Error> {
        self.act(actor, Action::ManageMembers, move |uow, at| {
            let stored = member(uow, id)?;
            if disabled {
                keep_an_administrator(uow, &stored)?;
                uow.edit_credentials().end_sessions_of(id, None)?;
                uow.edit_credentials().revoke_tokens_of(id, at)?;
                announce_rights(uow, id, at)?;
            }
            let disabled_at = disabled.then_some(stored.disabled_at.unwrap_or(at));
            uow.edit_members().update_member(&Member {
                disabled_at,
                ..stored
            })?;
            let act = if disabled {
                Act::MemberDisabled
            } else {
                Act::MemberEnabled
            };
            Ok(Deed::on(act, id).gives(()))
        })
        .await
    }

    /// One's own password and factor are changed on one's own page, which asks for them: a session that was left open is
    /// no more than that.
    pub(super) fn of_another(&self, actor: &Actor, id: MemberId) -> Result<(), Error> {
        if actor.member_id() == Some(id) {
            Err(self.refused(actor, Action::ManageMembers).into())
        } else {
            Ok(())
        }
    }

    /// Sets a member's password and ends the member's sessions.
    pub async fn set_password(&self, actor: &Actor, id: MemberId, password: &str) -> Result<(), Error> {
        self.may(actor, Action::ManageMembers)?;
        self.of_another(actor, id)?;
        let hash = self.hash_password(password).await?;
        self.act(actor, Action::ManageMembers, move |uow, _| {
            member(uow, id)?;
            uow.edit_members().set_password(id, &hash)?;
            uow.edit_credentials().end_sessions_of(id, None)?;
            Ok(Deed::on(Act::PasswordSet, id)
                .with([Change::masked("password")])
                .gives(()))
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
        let id = in_person(actor)?;
        self.check_own_password(id, current).await?;
        let hash = self.hash_password(new).await?;
        let session = self.ports.secrets.hash(session.as_bytes());
        self.act_again(self.trace(actor), move |uow, _| {
            uow.edit_members().set_password(id, &hash)?;
            uow.edit_credentials().end_sessions_of(id, Some(&session))?;
            Ok(Deed::on(Act::PasswordChanged, id)
                .with([Change::masked("password")])
                .gives(()))
        })
        .await
    }

    /// Chooses one's own language; `None` follows the installation's.
    pub async fn choose_locale(&self, actor: &Actor, locale: Option<Locale>) -> Result<(), Error> {
        let id = actor.member_id().ok_or(Error::NotFound("member"))?;
        self.act_again(self.trace(actor), move |uow, _| {
            let stored = member(uow, id)?;
            revised(
                uow,
                &stored,
                &Member {
                    locale,
                    ..stored.clone()
                },
            )
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
        self.of_another(actor, id)?;
        let secret = self.ports.secrets.token();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.act(actor, Action::ManageMembers, move |uow, at| {
            member(uow, id)?;
            let link = OneTimeLink {
                hash,
                member_id: id,
                purpose,
                expires_at: at.plus(LINK_LIFE),
            };
            uow.edit_credentials().add_one_time_link(&link, at)?;
            Ok(Deed::on(Act::LinkMade, id)
                .value("purpose", None, Some(purpose.code().to_owned()))
                .gives(()))
        })
        .await?;
        Ok(secret)
    }

    /// Checks a new password and hashes it.
    pub(super) async fn hash_password(&self, password: &str) -> Result<String, Error> {
        let problem = self.password_problem(password).await?;
        problem.map_or(Ok(()), |problem| Err(Error::field("password", problem)))?;
        Ok(self.ports.passwords.hash(password).await?)
    }

    /// Checks all that was typed about a member to be added, and hashes the password if there is one.
    pub(super) async fn check_member(
        &self,
        form: &MemberForm,
    ) -> Result<(EmailAddress, String, Option<String>), Error> {
        let problem = match &form.password {
            Some(password) => self.password_problem(password).await?,
            None => None,
        };
        let (email, name) = check(form, problem)?;
        let password_hash = match &form.password {
            Some(password) => Some(self.ports.passwords.hash(password).await?),
            None => None,
        };
        Ok((email, name, password_hash))
    }

    async fn password_problem(&self, password: &str) -> Result<Option<Problem>, Error> {
        let problem = match password.chars().count() {
            0 => Some(Problem::Required),
            count if count < PASSWORD_MIN => Some(Problem::TooShort { min: PASSWORD_MIN }),
            count if count > PASSWORD_MAX => Some(Problem::TooLong { max: PASSWORD_MAX }),
            _ => None,
        };
        if problem.is_none() && self.ports.passwords.is_common(password).await? {
            return Ok(Some(Problem::Common));
        }
        Ok(problem)
    }
}

fn check(form: &MemberForm, password: Option<Problem>) -> Result<(EmailAddress, String), Error> {
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
    errors.extend(password.map(|problem| FieldError::new("password", problem)));
    match (email, name) {
        (Some(email), Ok(name)) if errors.is_empty() => Ok((email, name.as_str().to_owned())),
        _ => Err(Error::Invalid(errors)),
    }
}

fn member<U: ReadUnit + ?Sized>(unit: &mut U, id: MemberId) -> Result<Member, Error> {
    unit.members().member(id)?.ok_or(Error::NotFound("member"))
}

/// Stores a member and says what differs.
fn revised(uow: &mut dyn UnitOfWork, old: &Member, new: &Member) -> Result<audit::Did<()>, Error> {
    uow.edit_members().update_member(new)?;
    let changes = audit::changed(old, new);
    Ok(Deed::on(Act::MemberChanged, old.id).with(changes).gives(()))
}

/// Tells the member's open streams, wherever they are served, to look at once whether they still may go on.
fn announce_rights(uow: &mut dyn UnitOfWork, id: MemberId, at: Instant) -> Result<(), StoreError> {
    let notice = NewEvent::new(EventKind::MemberNotice, at).only_for(id);
    uow.edit_events().add_events(&[notice])
}

fn administers(member: &Member) -> bool {
    member.role == Role::Admin && member.disabled_at.is_none()
}

fn keep_an_administrator(uow: &mut dyn UnitOfWork, leaving: &Member) -> Result<(), Error> {
    let others = uow
        .members()
        .members()?
        .iter()
        .any(|member| member.id != leaving.id && administers(member));
    if others || !administers(leaving) {
        Ok(())
    } else {
        Err(Error::LastAdministrator(Id::new(leaving.id.get())))
    }
}

/// Whether an instant lies behind.
pub(super) fn past(limit: Instant, now: Instant) -> bool {
    limit <= now
}
