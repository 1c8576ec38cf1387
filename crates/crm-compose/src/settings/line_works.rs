//! LINE WORKS: all of it, or none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::ip_range::IpRange;
use super::problem::{Fault, Problem, Warning};
use super::public_url::service_url;
use super::reader::{Reader, choice, list, number};
use super::source::{Origin, Source, read_file};

const TOKEN_URL: &str = "https://auth.worksmobile.com/oauth2/v2.0/token";
const API_URL: &str = "https://www.worksapis.com/v1.0";
const KEY_FILE: &str = "private.key";

/// What marks LINE WORKS as set up: giving one of them calls for the others.
const MARKS: &[&str] = &[
    "LINE_WORKS_BOT_ID",
    "LINE_WORKS_BOT_SECRET",
    "LINE_WORKS_CLIENT_ID",
    "LINE_WORKS_CLIENT_SECRET",
    "LINE_WORKS_SERVICE_ACCOUNT",
    "LINE_WORKS_DOMAIN_ID",
    "LINE_WORKS_PRIVATE_KEY",
    "LINE_WORKS_PRIVATE_KEY_BASE64",
];

/// Everything needed to speak with LINE WORKS.
#[derive(Debug, Clone)]
pub struct LineWorksSettings {
    /// The bot's id.
    pub bot_id: String,
    /// The bot's secrets, the first the one in force; several while it is being changed. None only when callbacks without
    /// signature are allowed.
    pub bot_secrets: Vec<SecretString>,
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
    /// The app's service account.
    pub service_account: String,
    /// The domain whose callbacks count; `None`: any.
    pub domain_id: Option<String>,
    /// The private key in PEM.
    pub private_key: SecretString,
    /// The OAuth scopes, separated by blanks.
    pub scope: String,
    /// Where tokens are had.
    pub token_url: String,
    /// The API, without a slash at the end.
    pub api_url: String,
    /// Sends a minute that the plan allows.
    pub rate_limit: Option<u32>,
    /// How long a message may take in all before it is 結果不明; `None`: 30 seconds.
    pub timeout: Option<Duration>,
    /// Whether callbacks without signature count.
    pub allow_unsigned: bool,
}

/// What holds for callbacks and their senders, wherever the rest of LINE WORKS is set up.
#[derive(Debug, Clone)]
pub struct LineWorksRules {
    /// From where callbacks are taken; empty: from anywhere.
    pub allowed_ips: Vec<IpRange>,
    /// What becomes of messages of others than customers.
    pub unknown_sender: UnknownSender,
}

impl Default for LineWorksRules {
    fn default() -> Self {
        Self {
            allowed_ips: Vec::new(),
            unknown_sender: UnknownSender::Inbox,
        }
    }
}

/// What becomes of messages of others than customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownSender {
    /// They are kept for a person to look at.
    Inbox,
    /// A customer is made from the sender's profile.
    Register,
}

/// `None` when nothing is set up, or when it is wrong, which the reader has noted.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<LineWorksSettings> {
    let wanted = reader.source.has_any(MARKS);
    let allow_unsigned = reader.parsed("LINE_WORKS_ALLOW_UNSIGNED", false, |text| {
        choice(
            text,
            &[("true", true), ("1", true), ("false", false), ("0", false)],
            "true, false",
        )
    });
    let common = Common::read(reader);
    if !wanted {
        return None;
    }
    let bot_id = required(reader, "LINE_WORKS_BOT_ID");
    let bot_secrets = bot_secrets(reader, allow_unsigned);
    let client_id = required(reader, "LINE_WORKS_CLIENT_ID");
    let client_secret = required(reader, "LINE_WORKS_CLIENT_SECRET");
    let service_account = required(reader, "LINE_WORKS_SERVICE_ACCOUNT");
    let domain_id = reader.optional("LINE_WORKS_DOMAIN_ID", |text| one_word(text).map(str::to_owned));
    let private_key = private_key(reader);
    Some(LineWorksSettings {
        bot_id: bot_id?,
        bot_secrets,
        client_id: client_id?,
        client_secret: client_secret?.into(),
        service_account: service_account?,
        domain_id,
        private_key: private_key?,
        scope: common.scope,
        token_url: common.token_url,
        api_url: common.api_url,
        rate_limit: common.rate_limit,
        timeout: common.timeout,
        allow_unsigned,
    })
}

/// From the environment in any case.
pub(super) fn rules(reader: &mut Reader<'_>) -> LineWorksRules {
    LineWorksRules {
        allowed_ips: reader.parsed("LINE_WORKS_ALLOWED_IPS", Vec::new(), |text| {
            list(text, IpRange::parse)
        }),
        unknown_sender: reader.parsed("LINE_WORKS_UNKNOWN_SENDER", UnknownSender::Inbox, |text| {
            choice(
                text,
                &[
                    ("inbox", UnknownSender::Inbox),
                    ("register", UnknownSender::Register),
                ],
                "inbox, register",
            )
        }),
    }
}

/// What has a default and is checked even when LINE WORKS is not set up.
struct Common {
    scope: String,
    token_url: String,
    api_url: String,
    rate_limit: Option<u32>,
    timeout: Option<Duration>,
}

impl Common {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            scope: reader
                .text("LINE_WORKS_SCOPE")
                .unwrap_or_else(|| "bot".to_owned()),
            token_url: url(reader, "LINE_WORKS_TOKEN_URL", TOKEN_URL),
            api_url: url(reader, "LINE_WORKS_API_URL", API_URL),
            rate_limit: reader.optional("LINE_WORKS_RATE_LIMIT", |text| number(text, 1)),
            timeout: reader.optional("LINE_WORKS_TIMEOUT", seconds),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, Fault> {
    number(text, 1).map(|seconds| Duration::from_secs(seconds.into()))
}

fn url(reader: &mut Reader<'_>, name: &'static str, default: &'static str) -> String {
    let url = reader.parsed(name, default.to_owned(), |text| service_url(text, default));
    let rest = url.strip_prefix("http://");
    let local = ["127.", "localhost", "[::1]"];
    if rest.is_some_and(|rest| !local.iter().any(|host| rest.starts_with(host))) {
        reader.warnings.push(Warning::PlainHttp(name));
    }
    url
}

fn one_word(text: &str) -> Result<&str, Fault> {
    if text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '/')
    {
        Err(Fault::Malformed)
    } else {
        Ok(text)
    }
}

/// Already noted when it is there and wrong.
fn required(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let before = reader.problems.len();
    let value = reader.optional(name, |text| {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            Err(Fault::Malformed)
        } else {
            Ok(text.to_owned())
        }
    });
    if value.is_none() && reader.problems.len() == before {
        reader.fault(name, Fault::MissingForLineWorks);
    }
    value
}

fn bot_secrets(reader: &mut Reader<'_>, allow_unsigned: bool) -> Vec<SecretString> {
    const NAME: &str = "LINE_WORKS_BOT_SECRET";
    if allow_unsigned {
        reader.warnings.push(Warning::UnsignedAllowed);
    }
    let before = reader.problems.len();
    let secrets = reader.parsed(NAME, Vec::new(), |text| {
        list(text, |secret| one_word(secret).map(SecretString::from))
    });
    if secrets.is_empty() && !allow_unsigned && reader.problems.len() == before {
        reader.fault(NAME, Fault::BotSecretMissing);
    }
    secrets
}

/// From whichever of the three is given; two at once are a problem.
fn private_key(reader: &mut Reader<'_>) -> Option<SecretString> {
    const NAME: &str = "LINE_WORKS_PRIVATE_KEY";
    const BASE64: &str = "LINE_WORKS_PRIVATE_KEY_BASE64";
    const FILE: &str = "LINE_WORKS_PRIVATE_KEY_FILE";
    let direct = reader.source.direct(NAME).is_some();
    let file = reader.source.direct(FILE).cloned();
    if reader.source.has_any(&[BASE64]) {
        let other = if direct { NAME } else { FILE };
        if direct || file.is_some() {
            reader.fault(
                BASE64,
                Fault::Both {
                    other: other.to_owned(),
                },
            );
            return None;
        }
        let text = reader.text(BASE64)?;
        return noted(reader, BASE64, from_base64(&text));
    }
    if direct {
        let text = reader.text(NAME)?;
        return noted(reader, NAME, pem(&text));
    }
    let path = file
        .as_ref()
        .map_or_else(|| PathBuf::from(KEY_FILE), |(path, _)| PathBuf::from(path));
    let origin = file.map_or(Origin::Default, |(_, origin)| origin);
    reader.used.insert(FILE, (path.display().to_string(), origin));
    from_file(reader, FILE, &path)
}

/// The private key that is given in whichever way, whether the rest of LINE WORKS is set up or not. One that lies in the
/// default place counts too; `Err`: one is given and cannot be used.
pub(crate) fn private_key_of(source: &Source) -> Result<Option<SecretString>, Problem> {
    let mut reader = Reader::new(source);
    let key = private_key(&mut reader);
    let is_there = |problem: &Problem| match problem.fault {
        Fault::KeyFileMissing { .. } => source.direct("LINE_WORKS_PRIVATE_KEY_FILE").is_some(),
        _ => problem.name.starts_with("LINE_WORKS_PRIVATE_KEY"),
    };
    match reader.problems.into_iter().find(is_there) {
        Some(problem) if key.is_none() => Err(problem),
        _ => Ok(key),
    }
}

fn from_file(reader: &mut Reader<'_>, name: &'static str, path: &Path) -> Option<SecretString> {
    if !path.exists() {
        let path = path.to_owned();
        reader.fault(name, Fault::KeyFileMissing { path });
        return None;
    }
    match read_file(name, path) {
        Ok((text, _)) => noted(reader, name, pem(&text)),
        Err(problem) => {
            reader.problems.push(problem);
            None
        }
    }
}

fn noted<T>(reader: &mut Reader<'_>, name: &'static str, result: Result<T, Fault>) -> Option<T> {
    result.map_err(|fault| reader.fault(name, fault)).ok()
}

pub(super) fn from_base64(text: &str) -> Result<SecretString, Fault> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|_| Fault::NotBase64)?;
    pem(&String::from_utf8(bytes).map_err(|_| Fault::NotPem)?)
}

/// In an environment variable line breaks often are the two characters `\n`.
fn pem(text: &str) -> Result<SecretString, Fault> {
    let text = text.replace("\\n", "\n").replace('\r', "");
    let text = text.trim();
    if text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----") && text.contains("-----END ") {
        Ok(SecretString::from(format!("{text}\n")))
    } else {
        Err(Fault::NotPem)
    }
}
