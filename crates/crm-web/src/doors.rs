//! Where the program is reached: its addresses, opened before anything else, and who answers behind each. Until the program is
//! put together they are answered by [`Starting`].

use std::net::SocketAddr;
use std::sync::Arc;

use crm_web::routes;
use crm_web::server::{
    self, CallbackDoor, Front, Limits, Networks, PairFiles, PlainDoor, Secured, Site, Stop, Tls,
};
use crm_web::state::App;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Failed;
use crate::starting::Starting;

/// What is to be opened.
pub(crate) struct Addresses {
    /// Pages, API and callbacks.
    pub(crate) pages: SocketAddr,
    /// Callbacks only.
    pub(crate) callbacks: Option<SocketAddr>,
    /// The files of the certificate, for TLS of our own.
    pub(crate) certificate: Option<PairFiles>,
    /// Connections at once of one address that is no trusted proxy.
    pub(crate) per_peer: usize,
}

/// What was opened.
pub(crate) struct Doors {
    pages: Arc<TcpListener>,
    callbacks: Option<Arc<TcpListener>>,
    tls: Option<Tls>,
    limits: Limits,
}

impl Doors {
    /// Opens what is named.
    pub(crate) fn open(addresses: Addresses) -> Result<Self, Failed> {
        Ok(Self {
            tls: addresses.certificate.map(Tls::load).transpose()?,
            pages: Arc::new(server::bind(addresses.pages, "CRM_LISTEN")?),
            callbacks: addresses
                .callbacks
                .map(|address| server::bind(address, "CRM_CALLBACK_LISTEN").map(Arc::new))
                .transpose()?,
            limits: Limits {
                per_peer: addresses.per_peer,
                ..Limits::default()
            },
        })
    }

    /// For the demonstration, which is reached from this machine only.
    pub(crate) fn of(pages: TcpListener) -> Self {
        Self {
            pages: Arc::new(pages),
            callbacks: None,
            tls: None,
            limits: Limits::default(),
        }
    }

    /// Answers behind all of them for as long as the listeners are kept: the program is not put together yet.
    pub(crate) fn ask_for_patience(&self, proxies: &Networks, listeners: &mut JoinSet<()>) {
        let site: Site = Arc::new(Starting);
        for listener in [Some(&self.pages), self.callbacks.as_ref()].into_iter().flatten() {
            let plain = Arc::clone(&site);
            let secured = self.tls.clone().map(|tls| Secured { tls, plain });
            listeners.spawn(server::serve(
                Arc::clone(listener),
                Arc::clone(&site),
                secured,
                self.limits.clone(),
                proxies.clone(),
                Stop::default(),
            ));
        }
    }

    /// Answers behind all of them until the stop.
    pub(crate) fn serve(self, app: &App, listeners: &mut JoinSet<()>) {
        let Self {
            pages,
            callbacks,
            tls,
            limits,
        } = self;
        let limits = Limits {
            open: app.metrics().open(),
            ..limits
        };
        let proxies = || app.settings.trusted_proxies.clone();
        let stop = || app.stop.clone();
        let secured = |plain: Site| tls.clone().map(|tls| Secured { tls, plain });
        announce("listening on", &pages, tls.is_some());
        let front = Front::new(app.clone(), routes::routes());
        let plain = secured(Arc::new(PlainDoor(app.clone())));
        listeners.spawn(server::serve(
            pages,
            front,
            plain,
            limits.clone(),
            proxies(),
            stop(),
        ));
        if let Some(callbacks) = callbacks {
            announce("listening for callbacks on", &callbacks, false);
            let site: Site = Arc::new(CallbackDoor(app.clone()));
            // A tunnel on this machine speaks http, who comes from elsewhere https; the signature is the proof of both.
            let plain = secured(Arc::clone(&site));
            listeners.spawn(server::serve(callbacks, site, plain, limits, proxies(), stop()));
        }
        if let Some(tls) = tls {
            listeners.spawn(tls.keep_current(stop()));
        }
    }
}

fn announce(what: &str, listener: &TcpListener, https: bool) {
    if let Ok(address) = listener.local_addr() {
        let scheme = if https { "https" } else { "http" };
        tracing::info!("{what} {scheme}://{address}");
    }
}
