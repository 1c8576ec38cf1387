//! What the simulated LINE WORKS tenant looks like.

use crate::clock::SimClock;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The simulated tenant: its app, its bot and its members. The default is a complete tenant for tests, whose
/// service account signs with [`test_private_key_pem`](crate::test_private_key_pem).
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 takes a free port. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The bot's id, digits.
    pub bot_id: String,
    /// The bot's secret: callbacks are signed with it.
    pub bot_secret: String,
    /// What `GET /bots/{botId}` calls the bot.
    pub bot_name: String,
    /// Whether the bot was added and published in the tenant; if not, sending answers 403 `ACCESS_DENIED`.
    pub bot_published: bool,
    /// The app's client id, the issuer of assertions.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// The service account, the subject of assertions.
    pub service_account: String,
    /// The tenant's domain.
    pub domain_id: i64,
    /// The app's RSA key in PEM: public (`PUBLIC KEY`, `RSA PUBLIC KEY`) or, since an operator has only that,
    /// private (`PRIVATE KEY`, `RSA PRIVATE KEY`), of which the public half is used.
    pub key_pem: String,
    /// The scopes ticked on the app at the start; others are refused with `invalid_scope`.
    pub scopes: Vec<String>,
    /// How long an access token lives, in whole seconds. Default one hour.
    pub token_lifetime: Duration,
    /// Whether `expires_in` is a JSON number; by default it is a string of digits, as the service sends it.
    pub expires_in_as_number: bool,
    /// Requests a minute for each operation; 0 switches the limit off. Default 240.
    pub rate_limit: u32,
    /// Where callbacks are posted; can be set later.
    pub callback_url: Option<String>,
    /// The kinds of event that `GET /bots/{botId}` says the bot subscribed to. Deliveries do not look at it.
    pub channel_events: Vec<String>,
    /// Members with names and login ids. They are members in any case.
    pub members: Vec<Member>,
    /// If true, only `members` can be reached; by default every UUID-shaped id is a member too.
    pub only_listed_members: bool,
    /// The time as the service sees it.
    pub clock: SimClock,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            bot_id: "2000001".into(),
            bot_secret: "sim-bot-secret".into(),
            bot_name: "CRM".into(),
            bot_published: true,
            client_id: "sim-client".into(),
            client_secret: "sim-client-secret".into(),
            service_account: "sim01.serviceaccount@sim.example".into(),
            domain_id: 40_000_001,
            key_pem: crate::test_private_key_pem(),
            scopes: [
                "bot",
                "bot.message",
                "bot.read",
                "user",
                "user.read",
                "user.profile.read",
            ]
            .map(String::from)
            .to_vec(),
            token_lifetime: Duration::from_hours(1),
            expires_in_as_number: false,
            rate_limit: 240,
            callback_url: None,
            channel_events: [
                "message", "postback", "join", "leave", "joined", "left", "begin", "end",
            ]
            .map(String::from)
            .to_vec(),
            members: Vec::new(),
            only_listed_members: false,
            clock: SimClock::system(),
        }
    }
}

/// A member of the simulated tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The resource id, a UUID, as in the `source.userId` of callbacks.
    pub user_id: String,
    /// The login id, shaped like an e-mail address; messages may be addressed to it too.
    pub email: Option<String>,
    /// Family name.
    pub last_name: String,
    /// Given name.
    pub first_name: String,
    /// How the family name is read, in katakana; may be empty.
    pub last_name_kana: String,
    /// How the given name is read; may be empty.
    pub first_name_kana: String,
    /// Whether the bot may be used by this member; if not, sending answers 403 `ACCESS_DENIED`.
    pub may_use_bot: bool,
}

impl Member {
    /// A member whom the bot reaches, without a login id.
    pub fn new(
        user_id: impl Into<String>,
        last_name: impl Into<String>,
        first_name: impl Into<String>,
    ) -> Self {
        Self {
            user_id: user_id.into(),
            email: None,
            last_name: last_name.into(),
            first_name: first_name.into(),
            last_name_kana: String::new(),
            first_name_kana: String::new(),
            may_use_bot: true,
        }
    }

    /// The same member with the reading of the name.
    #[must_use]
    pub fn with_kana(mut self, last: impl Into<String>, first: impl Into<String>) -> Self {
        self.last_name_kana = last.into();
        self.first_name_kana = first.into();
        self
    }

    /// The same member with a login id.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }
}
