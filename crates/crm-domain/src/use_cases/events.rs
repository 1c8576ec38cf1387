//! Events: what changed since a page was made.

use std::collections::{BTreeMap, BTreeSet};

use time::Duration;

use super::Crm;
use super::sight::Reader;
use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::error::Error;
use crate::events::{EVENTS_AT_ONCE, Event, EventCursor, EventKind, NewEvent};
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt, UnitOfWork};
use crate::teams::Visible;

/// How long events are kept: who is away longer loads everything anew.
const KEPT_FOR: Duration = Duration::DAY;
/// How many events are kept.
const KEPT: usize = 200_000;
/// How many are forgotten at once: the writer is for others too.
const FORGOTTEN_AT_ONCE: usize = 5_000;

/// What came after a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// These, oldest first, and the place behind the last of them.
    List {
        /// The events.
        events: Vec<Event>,
        /// Where to go on.
        cursor: EventCursor,
    },
    /// The place is unknown, forgotten or too far back: everything is to be loaded anew, and events followed from here.
    Reload(EventCursor),
}

impl Crm {
    /// What this member may learn of that came after `after`; without one nothing, but the newest place.
    pub async fn list_events(&self, actor: &Actor, after: Option<EventCursor>) -> Result<Events, Error> {
        self.may(actor, Action::ViewRecords)?;
        let (member, reader) = (actor.member_id(), Reader::of(actor));
        let read = move |unit: &mut dyn ReadUnit| {
            let mut found = since(unit, after.as_ref())?;
            if let Events::List { events, .. } = &mut found {
                let visible = reader.visible(unit)?;
                events.retain(|event| event.concerns(member, &visible));
            }
            Ok(found)
        };
        self.ports.store.read(read).await
    }

    /// Which customers the actor sees now: open pages ask again and again, and at once when something was moved.
    pub async fn sight(&self, actor: &Actor) -> Result<Visible, Error> {
        self.may(actor, Action::ViewRecords)?;
        let reader = Reader::of(actor);
        self.ports.store.read(move |unit| Ok(reader.visible(unit)?)).await
    }

    /// [`Crm::list_events`] for the job that carries events to open pages: those of every member.
    pub async fn relay_events(&self, actor: &Actor, after: Option<EventCursor>) -> Result<Events, Error> {
        self.may(actor, Action::RelayEvents)?;
        self.events_since(after).await
    }

    /// Forgets some events that are too old for any page, and says how many; to be called until it says 0.
    pub async fn forget_events(&self, actor: &Actor) -> Result<usize, Error> {
        self.may(actor, Action::RelayEvents)?;
        let before = self.now().minus(KEPT_FOR);
        self.change_again(move |uow| Ok(uow.edit_events().prune_events(before, KEPT, FORGOTTEN_AT_ONCE)?))
            .await
    }

    /// Begins another history when the events came from another database, in whose order nothing can be told here; says
    /// whether it did. To be called at the start.
    pub async fn mend_events(&self, actor: &Actor) -> Result<bool, Error> {
        self.may(actor, Action::RelayEvents)?;
        let foreign = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.events().events_are_foreign()?);
        if !self.ports.store.read(foreign).await? {
            return Ok(false);
        }
        self.change_again(|uow| Ok(uow.edit_events().renew_epoch()?))
            .await?;
        Ok(true)
    }

    async fn events_since(&self, after: Option<EventCursor>) -> Result<Events, Error> {
        self.ports
            .store
            .read(move |unit| since(unit, after.as_ref()))
            .await
    }
}

fn since(unit: &mut dyn ReadUnit, after: Option<&EventCursor>) -> Result<Events, Error> {
    let end = unit.events().event_cursor()?;
    let Some(after) = after else {
        return Ok(Events::List {
            events: Vec::new(),
            cursor: end,
        });
    };
    let is_ahead = after.place > end.place;
    if after.epoch != end.epoch || is_ahead && !unit.events().has_event(after.place)? {
        return Ok(Events::Reload(end));
    }
    if is_ahead || after.place == end.place {
        return Ok(Events::List {
            events: Vec::new(),
            cursor: after.clone(),
        });
    }
    let missed = after.place < unit.events().events_forgotten()?;
    let events = unit.events().events_after(after.place, EVENTS_AT_ONCE + 1)?;
    if missed || events.len() > EVENTS_AT_ONCE {
        return Ok(Events::Reload(end));
    }
    Ok(Events::List { events, cursor: end })
}

/// Conversations in which something was said, and the customers on whose pages it shows.
pub(super) type Said = BTreeMap<ConversationId, BTreeSet<CustomerId>>;

/// Tells open pages of new messages: one event for each customer on whose page they show, one for a conversation that shows
/// on none.
pub(super) fn announce_messages(
    uow: &mut dyn UnitOfWork,
    said: &Said,
    at: Instant,
) -> Result<(), StoreError> {
    let events: Vec<NewEvent> = events_of(EventKind::Message, said, at).collect();
    uow.edit_events().add_events(&events)
}

fn events_of(kind: EventKind, touched: &Said, at: Instant) -> impl Iterator<Item = NewEvent> {
    touched.iter().flat_map(move |(conversation, customers)| {
        let event = NewEvent::new(kind, at).conversation(*conversation);
        let nobody = customers.is_empty().then_some(event);
        let each = customers.iter().map(move |customer| event.customer(*customer));
        each.chain(nobody)
    })
}

/// What a round of recording did to conversations.
#[derive(Default)]
pub(super) struct Touched {
    /// Something was said in these.
    pub(super) said: Said,
    /// These changed in another way.
    pub(super) changed: Said,
}

/// Tells open pages what a round of recording did: once for a conversation, however much it was.
pub(super) fn announce_recorded(
    uow: &mut dyn UnitOfWork,
    touched: &Touched,
    at: Instant,
) -> Result<(), StoreError> {
    let quietly = events_of(EventKind::Conversation, &touched.changed, at).filter(|event| {
        !event
            .conversation_id
            .is_some_and(|id| touched.said.contains_key(&id))
    });
    let events: Vec<NewEvent> = events_of(EventKind::Message, &touched.said, at)
        .chain(quietly)
        .collect();
    uow.edit_events().add_events(&events)
}
