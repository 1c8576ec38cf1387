//! What has to be known about the bot and its app, and what can be wrong with it.

use std::fmt;
use std::time::Duration;

/// The settings of one bot, as the LINE WORKS Developer Console shows them. `Debug` leaves the secrets out.
#[derive(Clone, PartialEq, Eq)]
pub struct LineWorksConfig {
    /// The bot's id: digits.
    pub bot_id: String,
    /// The bot secret, or while it is being changed the new and the old one. Callbacks signed with any of them count.
    pub bot_secrets: Vec<String>,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// The app's service account, `….serviceaccount@…`.
    pub service_account: String,
    /// The service account's private key: PEM (PKCS#8 or PKCS#1), its line ends real ones or written as `\n`.
    pub private_key: String,
    /// The OAuth scopes that are asked for, separated by blanks.
    pub scope: String,
    /// Where tokens are issued.
    pub token_url: String,
    /// Where the API begins, without a slash at its end.
    pub api_url: String,
    /// The company's domain; when set, events of other domains are no messages.
    pub domain_id: Option<String>,
    /// Whether callbacks without a signature count. For trying out only: everybody can write such callbacks.
    pub allow_unsigned: bool,
    /// How many messages a minute the plan allows; `None` to follow what the answers tell.
    pub rate_limit: Option<u32>,
    /// How long requests may take.
    pub timeouts: Timeouts,
}

impl LineWorksConfig {
    /// Where LINE WORKS issues tokens.
    pub const TOKEN_URL: &'static str = "https://auth.worksmobile.com/oauth2/v2.0/token";
    /// Where LINE WORKS has its API.
    pub const API_URL: &'static str = "https://www.worksapis.com/v1.0";
    /// The scope that covers everything a bot does.
    pub const SCOPE: &'static str = "bot";
}

impl Default for LineWorksConfig {
    /// LINE WORKS' own addresses, the scope `bot`, and everything that belongs to one bot empty.
    fn default() -> Self {
        Self {
            bot_id: String::new(),
            bot_secrets: Vec::new(),
            client_id: String::new(),
            client_secret: String::new(),
            service_account: String::new(),
            private_key: String::new(),
            scope: Self::SCOPE.to_owned(),
            token_url: Self::TOKEN_URL.to_owned(),
            api_url: Self::API_URL.to_owned(),
            domain_id: None,
            allow_unsigned: false,
            rate_limit: None,
            timeouts: Timeouts::default(),
        }
    }
}

impl fmt::Debug for LineWorksConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineWorksConfig")
            .field("bot_id", &self.bot_id)
            .field("bot_secrets", &self.bot_secrets.len())
            .field("client_id", &self.client_id)
            .field("service_account", &self.service_account)
            .field("scope", &self.scope)
            .field("token_url", &self.token_url)
            .field("api_url", &self.api_url)
            .field("domain_id", &self.domain_id)
            .field("allow_unsigned", &self.allow_unsigned)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// How long requests may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// A message in all: waiting for its turn, the token, the message and a second try after 401 (§7.1.3).
    pub total: Duration,
    /// Resolving the name, and then connecting with TLS: each.
    pub connect: Duration,
    /// Sending the head and then the body of a request: each.
    pub send: Duration,
    /// Waiting for the head of the answer, and then reading its body: each.
    pub receive: Duration,
}

impl Timeouts {
    /// The same, a message in all within `total`.
    #[must_use]
    pub fn within(self, total: Duration) -> Self {
        Self {
            total,
            connect: self.connect.min(total),
            send: self.send.min(total),
            receive: total,
        }
    }
}

impl Default for Timeouts {
    /// 30 seconds in all, 5 to connect, 10 to send; the answer may take what is left.
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            send: Duration::from_secs(10),
            receive: Duration::from_secs(30),
        }
    }
}

/// What is wrong with the settings. Each sentence says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting without which nothing can be sent is empty.
    #[error("{0} is empty; copy it from the LINE WORKS Developer Console")]
    Empty(&'static str),
    /// An address is no http or https URL.
    #[error("{0} is not an http or https address; leave it out to use LINE WORKS' own")]
    Address(&'static str),
    /// The key holds no PEM block.
    #[error(
        "the private key is no PEM text (-----BEGIN PRIVATE KEY----- … -----END PRIVATE KEY-----); \
         use the .key file exactly as the Developer Console gave it"
    )]
    KeyNotPem,
    /// The key is protected by a passphrase.
    #[error(
        "the private key is protected by a passphrase; store it without one: openssl pkcs8 -in KEY -out private.key"
    )]
    KeyEncrypted,
    /// The PEM block holds something else than a private key.
    #[error(
        "the private key file holds no private key but something else (a public key or a certificate); \
         issue the key again in the Developer Console (Service Account, Private Key)"
    )]
    KeyNotPrivate,
    /// The PEM block is no RSA key, or is damaged.
    #[error(
        "the private key is damaged or not an RSA key; copy the .key file of the Developer Console again, whole \
         and unchanged"
    )]
    KeyDamaged,
    /// The key is too short to be safe.
    #[error("the private key has fewer than 2048 bits; issue a new one in the Developer Console")]
    KeyTooSmall,
}

impl ConfigError {
    /// Stable name for catalogues and programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty(_) => "empty",
            Self::Address(_) => "address",
            Self::KeyNotPem => "key_not_pem",
            Self::KeyEncrypted => "key_encrypted",
            Self::KeyNotPrivate => "key_not_private",
            Self::KeyDamaged => "key_damaged",
            Self::KeyTooSmall => "key_too_small",
        }
    }
}
