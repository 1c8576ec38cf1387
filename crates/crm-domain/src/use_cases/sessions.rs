//! Sessions as people see them: which browsers are signed in, and ending them.

use super::Crm;
use super::credentials::{SESSION_IDLE, SESSION_LIFE};
use super::members::past;
use crate::agents::browser_of;
use crate::audit::{Act, Deed};
use crate::error::Error;
use crate::instant::Instant;
use crate::members::{Member, MemberId, SecretHash, Session};
use crate::permissions::{Action, Actor};
use crate::ports::store::StoreExt;

/// A session as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// Its public name, by which it is ended.
    pub id: String,
    /// Whose it is.
    pub member: Member,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub seen_at: Instant,
    /// The address from which it was begun.
    pub address: Option<String>,
    /// The browser in short words (`Chrome · Windows`), if it is known.
    pub browser: Option<String>,
    /// Whether it is the session of whoever asks.
    pub present: bool,
}

impl Crm {
    /// One's own sessions, last used first. `present` is the secret of the present one.
    pub async fn list_own_sessions(
        &self,
        actor: &Actor,
        present: Option<&str>,
    ) -> Result<Vec<SessionLine>, Error> {
        let id = in_person(actor)?;
        self.session_lines(Some(id), present).await
    }

    /// Everybody's sessions, last used first.
    pub async fn list_sessions(
        &self,
        actor: &Actor,
        present: Option<&str>,
    ) -> Result<Vec<SessionLine>, Error> {
        self.may(actor, Action::ManageMembers)?;
        self.session_lines(None, present).await
    }

    /// Ends one of one's own sessions by its public name; administrators end anybody's.
    pub async fn end_session(&self, actor: &Actor, public_id: &str) -> Result<(), Error> {
        let whose = if actor.may(Action::ManageMembers).is_ok() {
            None
        } else {
            Some(in_person(actor)?)
        };
        let public_id = public_id.to_owned();
        self.act_again(self.trace(actor), move |uow, _| {
            let sessions = uow.credentials().sessions(whose)?;
            let mut sessions = sessions.iter().map(|(session, _)| session);
            let found = sessions.find(|session| session.public_id() == public_id);
            let found = found.ok_or(Error::NotFound("session"))?;
            uow.edit_credentials().end_session(&found.hash)?;
            Ok(Deed::on(Act::SessionsEnded, found.member_id).gives(()))
        })
        .await
    }

    /// Ends all of one's own sessions but the present one; returns how many.
    pub async fn end_other_sessions(&self, actor: &Actor, present: &str) -> Result<usize, Error> {
        let id = in_person(actor)?;
        let present = self.ports.secrets.hash(present.as_bytes());
        self.act_again(self.trace(actor), move |uow, _| {
            let ended = uow.edit_credentials().end_sessions_of(id, Some(&present))?;
            Ok(Deed::on(Act::SessionsEnded, id).gives(ended))
        })
        .await
    }

    /// Ends all sessions of a member; returns how many.
    pub async fn end_sessions_of(&self, actor: &Actor, member: MemberId) -> Result<usize, Error> {
        self.act(actor, Action::ManageMembers, move |uow, _| {
            uow.members().member(member)?.ok_or(Error::NotFound("member"))?;
            let ended = uow.edit_credentials().end_sessions_of(member, None)?;
            Ok(Deed::on(Act::SessionsEnded, member).gives(ended))
        })
        .await
    }

    /// Ends the sessions of everybody, one's own too; returns how many.
    pub async fn end_all_sessions(&self, actor: &Actor) -> Result<usize, Error> {
        self.act(actor, Action::ManageMembers, |uow, _| {
            let ended = uow.edit_credentials().end_all_sessions()?;
            Ok(Deed::of(Act::SessionsEnded).gives(ended))
        })
        .await
    }

    /// Lets the session of whoever proved once more who they are go on under a new secret, which is returned; the old one is
    /// good for nothing any more.
    pub async fn renew_session(&self, secret: &str) -> Result<String, Error> {
        let fresh = self.ports.secrets.token();
        let old = self.ports.secrets.hash(secret.as_bytes());
        let new = self.ports.secrets.hash(fresh.as_bytes());
        let renewed = self.ports.store.write(move |uow| {
            let renewed = uow.edit_credentials().renew_session(&old, &new)?;
            renewed.then_some(()).ok_or(Error::SignInOver)
        });
        renewed.await?;
        Ok(fresh)
    }

    async fn session_lines(
        &self,
        member: Option<MemberId>,
        present: Option<&str>,
    ) -> Result<Vec<SessionLine>, Error> {
        let now = self.now();
        let present = present.map(|secret| self.ports.secrets.hash(secret.as_bytes()));
        let found: Vec<(Session, Member)> = self
            .ports
            .store
            .read(move |unit| Ok::<_, Error>(unit.credentials().sessions(member)?))
            .await?;
        let living = found
            .into_iter()
            .filter(|(session, member)| !is_over(session, now) && member.disabled_at.is_none());
        Ok(living
            .map(|(session, member)| line(session, member, present))
            .collect())
    }
}

/// Whether nobody used it for too long, or it is too old.
pub(super) fn is_over(session: &Session, now: Instant) -> bool {
    past(session.seen_at.plus(SESSION_IDLE), now) || past(session.created_at.plus(SESSION_LIFE), now)
}

/// The member who acts at a browser. A program with a token has no business with sessions and factors.
pub(super) fn in_person(actor: &Actor) -> Result<MemberId, Error> {
    match actor {
        Actor::Member { id, .. } => Ok(*id),
        _ => Err(Error::NotFound("member")),
    }
}

fn line(session: Session, member: Member, present: Option<SecretHash>) -> SessionLine {
    SessionLine {
        id: session.public_id(),
        member,
        created_at: session.created_at,
        seen_at: session.seen_at,
        present: present == Some(session.hash),
        browser: session.device.agent.as_deref().and_then(browser_of),
        address: session.device.address,
    }
}
