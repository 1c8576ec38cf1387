//! まとめて引き継ぐ: all that a member has in hand goes to another, or back to nobody.

use super::Crm;
use super::handling::notice;
use super::sight::{Reader, shows};
use super::teams::announce_move;
use super::waitings::{stand, talk};
use crate::audit::{Act, Deed, Did};
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EventKind, NewEvent};
use crate::holdings::Holdings;
use crate::instant::Instant;
use crate::members::{Member, MemberId, Role};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreExt, UnitOfWork};
use crate::values::{LineUserId, Problem};

/// How many records one unit of work moves: so few that nobody who writes beside it waits.
const CHUNK: usize = 20;

impl Crm {
    /// How much a member has in hand.
    pub async fn holdings(&self, actor: &Actor, member: MemberId) -> Result<Holdings, Error> {
        self.may(actor, Action::ManageMembers)?;
        self.ports
            .store
            .read(move |unit| Ok(unit.holdings().holdings(member)?))
            .await
    }

    /// Whether `to` can take over what `from` has in hand; an invalid `to` if not.
    pub async fn can_take_over(&self, actor: &Actor, from: MemberId, to: MemberId) -> Result<(), Error> {
        self.may(actor, Action::ManageMembers)?;
        self.ports
            .store
            .read(move |unit| successor(unit, from, Some(to)).map(|_| ()))
            .await
    }

    /// Gives all customers and all conversations that `from` has in hand to `to`; without `to` they are 担当者なし and 未対応
    /// then. A conversation that `to` may not see goes to nobody. It works in small units: what was broken off goes on when
    /// it is asked for again. Says how much moved.
    pub async fn hand_over_all(
        &self,
        actor: &Actor,
        from: MemberId,
        to: Option<MemberId>,
    ) -> Result<Holdings, Error> {
        self.may(actor, Action::ManageMembers)?;
        let mut moved = Holdings::default();
        loop {
            let customers = self.hand_over_owned(actor, from, to).await?;
            moved.customers += customers;
            if customers < CHUNK {
                break;
            }
        }
        loop {
            let conversations = self.hand_over_handled(actor, from, to).await?;
            moved.conversations += conversations;
            if conversations < CHUNK {
                return Ok(moved);
            }
        }
    }

    async fn hand_over_owned(
        &self,
        actor: &Actor,
        from: MemberId,
        to: Option<MemberId>,
    ) -> Result<usize, Error> {
        self.act(actor, Action::ManageMembers, move |uow, at| {
            successor(uow, from, to)?;
            let owned = uow.holdings().owned_customers(from, CHUNK)?;
            for id in &owned {
                uow.edit_customers().set_owner(*id, to, at)?;
            }
            show_owner(uow, &owned, to, at)?;
            let events: Vec<NewEvent> = owned
                .iter()
                .map(|id| NewEvent::new(EventKind::Customer, at).customer(*id))
                .collect();
            uow.edit_events().add_events(&events)?;
            if owned.is_empty() {
                return Ok(Did::nothing(0));
            }
            announce_move(uow, at)?;
            let entries = owned.iter().map(|id| {
                let given = Deed::on(Act::WorkHandedOver, *id).about(*id);
                given.value("owner_id", Some(from.to_string()), to.map(|to| to.to_string()))
            });
            Ok(Did::all(entries.collect(), owned.len()))
        })
        .await
    }

    async fn hand_over_handled(
        &self,
        actor: &Actor,
        from: MemberId,
        to: Option<MemberId>,
    ) -> Result<usize, Error> {
        let by = actor.member_id();
        self.act(actor, Action::ManageMembers, move |uow, at| {
            let successor = successor(uow, from, to)?;
            let visible = match &successor {
                Some(member) => Some(Reader::member(member.id, member.role).visible(uow)?),
                None => None,
            };
            let handled = uow.holdings().handled_conversations(from, CHUNK)?;
            let mut entries = Vec::with_capacity(handled.len());
            for id in &handled {
                let talk = talk(uow, *id)?;
                let seen = visible.as_ref().is_some_and(|visible| shows(visible, &talk));
                let next = to.filter(|_| seen);
                let mut standing = talk.standing;
                standing.hand_to(next, at);
                if let Some(next) = next.filter(|next| Some(*next) != by) {
                    notice(uow, *id, next, at)?;
                }
                let given = Deed::on(Act::WorkHandedOver, *id).about(standing.customer_id);
                let names = (from.to_string(), next.map(|next| next.to_string()));
                entries.push(given.value("handler_id", Some(names.0), names.1));
                stand(uow, *id, standing, at)?;
            }
            Ok(Did::all(entries, handled.len()))
        })
        .await
    }
}

/// Who takes over, if anybody: somebody who can sign in and may work.
fn successor<U: ReadUnit + ?Sized>(
    unit: &mut U,
    from: MemberId,
    to: Option<MemberId>,
) -> Result<Option<Member>, Error> {
    unit.members().member(from)?.ok_or(Error::NotFound("member"))?;
    let Some(to) = to else { return Ok(None) };
    if to == from {
        return Err(Error::field("to", Problem::NotAChoice));
    }
    let found = unit.members().member(to)?;
    let able = found.filter(|member| member.disabled_at.is_none() && member.role != Role::Viewer);
    Ok(Some(able.ok_or(Error::field("to", Problem::Missing))?))
}

/// The board knows whose customers the conversations are.
fn show_owner(
    uow: &mut dyn UnitOfWork,
    customers: &[CustomerId],
    owner: Option<MemberId>,
    at: Instant,
) -> Result<(), Error> {
    let mut people: Vec<LineUserId> = Vec::new();
    for id in customers {
        let line = uow.customers().customer(*id, &crate::teams::Visible::All)?;
        people.extend(line.and_then(|line| line.customer.details.line_user_id));
    }
    for talk in uow.conversations().conversations_with(&people)? {
        let theirs = |id| customers.contains(&id);
        if talk.standing.customer_id.is_some_and(theirs) && talk.standing.owner_id != owner {
            let mut standing = talk.standing;
            standing.owner_id = owner;
            stand(uow, talk.id, standing, at)?;
        }
    }
    Ok(())
}
