//! The hub: reads what is new once for everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crm_domain::events::{Event, EventCursor};
use crm_domain::permissions::Actor;
use crm_domain::use_cases::Events;
use tokio::sync::{broadcast, watch};

use super::encode;
use crate::problem::causes;
use crate::state::App;

/// As whom the hub reads.
pub(super) const JOB: Actor = Actor::Job("live");
/// How many events a stream may lag behind before it ends and resumes from the table.
const LAG: usize = 1_024;
/// Looks this often even if nobody woke it: the command line writes in the same store.
const TICK: Duration = Duration::from_millis(500);
/// Between two looks: what is stored within this time is handed out together.
const GATHER: Duration = Duration::from_millis(30);
/// The longest rest between tries while the database cannot be read: so much later at most open pages go on.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// How often old events are looked for.
const FORGET_EVERY: Duration = Duration::from_mins(10);
/// The pause after some were found, before more are looked for.
const FORGET_PAUSE: Duration = Duration::from_millis(200);
/// How many streams there may be; the other connections are for requests.
const STREAMS: usize = 512;

/// What goes to the streams.
#[derive(Debug)]
pub(super) enum Told {
    /// An event, written for the wire.
    Event {
        /// What it is.
        event: Event,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Too much at once: everything is to be loaded anew, up to here.
    Reload(EventCursor),
}

/// Where streams listen; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    told: broadcast::Sender<Arc<Told>>,
    place: watch::Sender<Option<EventCursor>>,
    stale: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            told: broadcast::Sender::new(LAG),
            place: watch::Sender::new(None),
            stale: watch::Sender::new(false),
            open: Arc::default(),
        }
    }
}

/// One of the places for streams; dropping it frees it.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    /// The place up to which everything was handed out: whoever reads data now sees all of that and maybe more.
    pub fn place(&self) -> Option<EventCursor> {
        self.place.borrow().clone()
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A place for one more stream, if there is one.
    pub(super) fn seat(&self) -> Option<Seat> {
        let seat = Seat(Arc::clone(&self.open));
        (self.open.fetch_add(1, Ordering::Relaxed) < STREAMS).then_some(seat)
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.told.subscribe()
    }

    /// Whether the database cannot be read now, so that what pages show may be old.
    pub(super) fn stale(&self) -> watch::Receiver<bool> {
        self.stale.subscribe()
    }

    fn set_stale(&self, stale: bool) {
        self.stale
            .send_if_modified(|known| std::mem::replace(known, stale) != stale);
    }

    /// Hands on what was stored since the last look.
    async fn look(&self, app: &App) -> Result<(), crm_domain::error::Error> {
        if self.pass_over(app).await? {
            return Ok(());
        }
        let after = self.place();
        let (told, place) = match app.crm.relay_events(&JOB, after).await? {
            Events::List { events, cursor } => (written(&events, &cursor), cursor),
            Events::Reload(cursor) => (vec![Told::Reload(cursor.clone())], cursor),
        };
        for one in told {
            // Nobody listening is no error: pages that come later read the table.
            let _ = self.told.send(Arc::new(one));
        }
        self.move_to(place);
        Ok(())
    }

    /// While nobody listens events are not even read. Says whether that was so.
    async fn pass_over(&self, app: &App) -> Result<bool, crm_domain::error::Error> {
        if self.told.receiver_count() > 0 {
            return Ok(false);
        }
        let (Events::List { cursor, .. } | Events::Reload(cursor)) = app.crm.relay_events(&JOB, None).await?;
        // Who began to listen meanwhile may have read the table before; who does so from now on reads it up to here.
        if self.told.receiver_count() > 0 {
            return Ok(false);
        }
        self.move_to(cursor);
        Ok(true)
    }

    fn move_to(&self, place: EventCursor) {
        self.place.send_if_modified(|known| {
            let moved = known.as_ref() != Some(&place);
            if moved {
                *known = Some(place);
            }
            moved
        });
    }
}

fn written(events: &[Event], end: &EventCursor) -> Vec<Told> {
    let write = |event: &Event| {
        let place = EventCursor {
            place: event.place,
            epoch: end.epoch.clone(),
        };
        let bytes = encode::event(event, &place).ok()?;
        Some(Told::Event { event: *event, bytes })
    };
    events.iter().filter_map(write).collect()
}

/// Events that came with another database's dump have no order here. While the database cannot tell, it is not the moment of
/// loading a dump either.
async fn begin(app: &App) {
    match app.crm.mend_events(&JOB).await {
        Ok(false) => {}
        Ok(true) => tracing::warn!("the events came from another database; open pages load their data anew"),
        Err(error) => tracing::debug!("whose the events are cannot be told now: {}", causes(&error)),
    }
}

/// Hands out events until the server stops.
pub async fn run(app: App) {
    begin(&app).await;
    let mut rest = TICK;
    while !app.stop.is_said() {
        let looked = app.live.look(&app).await;
        app.live.set_stale(looked.is_err());
        match looked {
            Ok(()) => rest = TICK,
            Err(error) => {
                if rest == TICK {
                    tracing::warn!(
                        "open pages cannot be told what changed, trying again: {}",
                        causes(&error)
                    );
                }
                rest = (rest * 2).min(LONGEST_REST);
            }
        }
        tokio::select! {
            () = app.signals.changes() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}

/// Forgets old events, a part at a time, until the server stops.
pub async fn forget(app: App) {
    while !app.stop.is_said() {
        let rest = match app.crm.forget_events(&JOB).await {
            Ok(0) => FORGET_EVERY,
            Ok(_) => FORGET_PAUSE,
            Err(error) => {
                tracing::debug!("old events cannot be forgotten now: {}", causes(&error));
                FORGET_EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = app.stop.said() => {}
        }
    }
}
