//! The first start: whoever reads the terminal becomes the first administrator.

use super::members::{LINK_LIFE, past};
use super::{Crm, MemberForm};
use crate::audit::{self, Act, By, Deed, Did};
use crate::error::Error;
use crate::members::{Device, Member, NewMember, Role};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt};

/// What the first administrator typed.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupForm {
    /// The name shown.
    pub name: String,
    /// The sign-in name.
    pub email: String,
    /// The password.
    pub password: String,
}

impl Crm {
    /// Makes a link for the first administrator and returns its secret; it is good for [`LINK_LIFE`], beside those that
    /// other servers told, until the first of them is used. `None` as soon as there is any member.
    pub async fn make_setup_link(&self, actor: &Actor) -> Result<Option<String>, Error> {
        let secret = self.ports.secrets.token();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let made = self.act(actor, Action::ManageMembers, move |uow, at| {
            if !uow.members().members()?.is_empty() {
                return Ok(Did::nothing(false));
            }
            uow.edit_credentials()
                .add_setup_link(&hash, at.plus(LINK_LIFE), at)?;
            Ok(Deed::of(Act::SetupLinkMade).gives(true))
        });
        Ok(made.await?.then_some(secret))
    }

    /// Whether this link still makes the first administrator; [`Error::LinkSpent`] if not. Does not use it up.
    pub async fn look_at_setup_link(&self, secret: &str) -> Result<(), Error> {
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        self.ports.store.read(move |unit| good(unit, &hash, now)).await
    }

    /// Makes the first administrator and a session, whose secret is returned with the member. The link is used up.
    pub async fn use_setup_link(
        &self,
        secret: &str,
        form: SetupForm,
        device: Device,
    ) -> Result<(String, Member), Error> {
        self.look_at_setup_link(secret).await?;
        let now = self.now();
        let hash = self.ports.secrets.hash(secret.as_bytes());
        let (email, name, password_hash) = self
            .check_member(&MemberForm {
                email: form.email,
                name: form.name,
                role: Role::Admin,
                password: Some(form.password),
            })
            .await?;
        let new = NewMember {
            email,
            name,
            role: Role::Admin,
            password_hash,
        };
        let (session, begin) = self.session_for(device, now);
        let trace = self.trace_by(By::nobody());
        let member = self.ports.store.write(move |uow| {
            good(uow, &hash, now)?;
            if !uow.edit_credentials().take_setup_link(&hash)? {
                return Err(Error::LinkSpent);
            }
            let id = uow.edit_members().add_member(&new, now)?;
            let member = uow.members().member(id)?.ok_or(Error::NotFound("member"))?;
            let added = Deed::on(Act::MemberAdded, id).with(audit::added(&member));
            trace.of(By::from(&member)).write(uow, &[added])?;
            begin(uow, &member)?;
            Ok(member)
        });
        Ok((session, member.await?))
    }
}

fn good<U: ReadUnit + ?Sized>(
    unit: &mut U,
    hash: &crate::members::SecretHash,
    now: crate::instant::Instant,
) -> Result<(), Error> {
    let expires_at = unit.credentials().setup_link(hash)?;
    let in_time = expires_at.is_some_and(|end| !past(end, now));
    if in_time && unit.members().members()?.is_empty() {
        Ok(())
    } else {
        Err(Error::LinkSpent)
    }
}
