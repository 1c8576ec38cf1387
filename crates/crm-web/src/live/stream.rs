//! One stream: what its page missed, then what happens.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use crm_domain::events::{EventCursor, EventKind, EventPlace};
use crm_domain::teams::Visible;
use crm_domain::use_cases::Events;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use super::encode::{self, Unwritable};
use super::hub::{Seat, Told};
use crate::auth::Proven;
use crate::state::App;

/// How often the session is looked at again: one that ended anywhere ends its streams within five seconds.
const LOOK_EVERY: Duration = Duration::from_millis(3_750);
/// Every so many looks the reader hears that the line is alive: 15 seconds.
const LOOKS_PER_BEAT: u32 = 4;
/// Pieces that wait for the connection.
const WAITING: usize = 8;

/// Begins a stream and gives the body that carries it.
pub(super) fn begin(app: App, reader: Proven, after: Option<EventCursor>, seat: Seat) -> poem::Body {
    let (sender, receiver) = mpsc::channel(WAITING);
    // Listening begins before the table is read, so that nothing falls between.
    let told = app.live.listen();
    let stream = Stream {
        app,
        reader,
        told,
        sender,
        place: EventCursor {
            epoch: String::new(),
            place: EventPlace::default(),
        },
        // Nothing is passed on before it was looked up.
        visible: Visible::All,
        _seat: seat,
    };
    tokio::spawn(stream.run(after));
    BoxBody::new(Pieces(receiver)).into()
}

/// Why a stream ends; the browser comes back by itself.
enum End {
    Gone,
    Unable,
}

impl<T> From<mpsc::error::SendError<T>> for End {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self::Gone
    }
}

impl From<Unwritable> for End {
    fn from(_: Unwritable) -> Self {
        Self::Unable
    }
}

impl From<crm_domain::error::Error> for End {
    fn from(_: crm_domain::error::Error) -> Self {
        Self::Unable
    }
}

struct Stream {
    app: App,
    reader: Proven,
    told: broadcast::Receiver<Arc<Told>>,
    sender: mpsc::Sender<Bytes>,
    /// What the page knows.
    place: EventCursor,
    /// Which customers the reader sees.
    visible: Visible,
    _seat: Seat,
}

impl Stream {
    async fn run(mut self, after: Option<EventCursor>) {
        let stop = self.app.stop.clone();
        let sender = self.sender.clone();
        tokio::select! {
            () = stop.said() => {}
            () = sender.closed() => {}
            ended = self.tell(after) => if let Err(End::Unable) = ended {
                tracing::debug!("a stream of events ended early");
            },
        }
    }

    async fn tell(&mut self, after: Option<EventCursor>) -> Result<(), End> {
        self.catch_up(after).await?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.tick().await;
        self.follow(looks).await
    }

    /// What the page missed, from the table.
    async fn catch_up(&mut self, after: Option<EventCursor>) -> Result<(), End> {
        let begun = after.clone();
        self.visible = self.app.crm.sight(&self.reader.who.actor).await?;
        let found = self.app.crm.list_events(&self.reader.who.actor, after).await?;
        let retry = 1_000 + u64::from(fresh_number(&self.app)) * 2_000 / 255;
        match found {
            Events::List { events, cursor } => {
                let from = begun.unwrap_or_else(|| cursor.clone());
                self.sender.send(encode::opening(retry, &from)?).await?;
                for event in &events {
                    let place = EventCursor {
                        place: event.place,
                        epoch: cursor.epoch.clone(),
                    };
                    self.sender.send(encode::event(event, &place)?).await?;
                }
                self.place = cursor;
            }
            Events::Reload(cursor) => {
                self.sender.send(encode::opening(retry, &cursor)?).await?;
                self.sender.send(encode::reload(&cursor)?).await?;
                self.place = cursor;
            }
        }
        Ok(())
    }

    async fn follow(&mut self, mut looks: Interval) -> Result<(), End> {
        let mut stale = self.app.live.stale();
        if *stale.borrow() {
            self.sender.send(encode::freshness(true)).await?;
        }
        let mut until_beat = LOOKS_PER_BEAT;
        loop {
            tokio::select! {
                Ok(()) = stale.changed() => {
                    let stale = *stale.borrow_and_update();
                    self.sender.send(encode::freshness(stale)).await?;
                }
                told = self.told.recv() => match told {
                    Ok(told) => self.pass(&told).await?,
                    // The browser comes back and reads from the table what it missed.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
                },
                _ = looks.tick() => {
                    self.refuse_signed_out().await?;
                    until_beat -= 1;
                    if until_beat == 0 {
                        until_beat = LOOKS_PER_BEAT;
                        self.sender.send(encode::beat()).await?;
                    }
                }
            }
        }
    }

    async fn pass(&mut self, told: &Told) -> Result<(), End> {
        match told {
            Told::Event { event, bytes } if event.place > self.place.place => {
                self.place.place = event.place;
                let me = self.reader.who.actor.member_id();
                if me.is_some() && event.what.member_id == me {
                    self.refuse_signed_out().await?;
                } else if event.what.kind == EventKind::Gone {
                    self.look_around().await;
                }
                if event.concerns(self.reader.who.actor.member_id(), &self.visible) {
                    self.sender.send(bytes.clone()).await?;
                }
            }
            Told::Reload(cursor) if *cursor != self.place => {
                self.place = cursor.clone();
                self.sender.send(encode::reload(cursor)?).await?;
            }
            Told::Event { .. } | Told::Reload(_) => {}
        }
        Ok(())
    }

    /// Ends the stream when the session is over; while the database cannot tell, nothing new can come out of it either.
    async fn refuse_signed_out(&mut self) -> Result<(), End> {
        let holds = self.reader.still_holds(&self.app).await.unwrap_or(true);
        if !holds {
            self.sender.send(encode::signed_out()).await?;
            return Err(End::Gone);
        }
        self.look_around().await;
        Ok(())
    }

    /// What the reader sees now; as before while the database cannot tell.
    async fn look_around(&mut self) {
        if let Ok(visible) = self.app.crm.sight(&self.reader.who.actor).await {
            self.visible = visible;
        }
    }
}

/// Spreads the browsers that come back after a restart.
fn fresh_number(app: &App) -> u8 {
    let mut byte = [0];
    app.secrets.fill(&mut byte);
    let [number] = byte;
    number
}

/// The pieces of a stream as an answer's body.
struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
