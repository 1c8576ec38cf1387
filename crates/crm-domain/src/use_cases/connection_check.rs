//! 接続を確認: walks through what is needed to speak with LINE WORKS, the same in the pages and on the command line.

use super::Crm;
use crate::error::Error;
use crate::permissions::{Action, Actor};
use crate::ports::connector::{BotSetup, ConnectionState, Connector, LineTrouble};
use crate::ports::messenger::SendProblem;
use crate::ports::profiles::{ProfileError, ProfileSource};
use crate::values::{FieldError, LineUserId};

/// Every check, in its order. Each has its name in the catalogues (`check.<name>`).
pub const CONNECTION_CHECKS: [&str; 9] = [
    "private_key",
    "token",
    "bot",
    "callback_url",
    "callback_enabled",
    "events",
    "message_kinds",
    "names",
    "member_list",
];

/// The events without which something is missing here.
const NEEDED_EVENTS: [&str; 3] = ["message", "begin", "end"];
/// The kinds of message without which something is missing here.
const NEEDED_KINDS: [&str; 3] = ["text", "image", "file"];
/// Every event that is understood here.
const EVENTS: [&str; 8] = [
    "message", "postback", "join", "leave", "joined", "left", "begin", "end",
];
/// Every kind of message that is understood here.
const KINDS: [&str; 7] = ["text", "location", "sticker", "image", "file", "audio", "video"];
/// Shaped like a user id, and nobody's: that LINE WORKS does not know it is answer enough.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckState {
    /// As it has to be.
    Ok,
    /// Something is missing, and most goes on without it.
    Warning,
    /// Messages do not leave or do not arrive.
    Failed,
    /// Not looked at, because of an earlier check.
    Skipped,
}

impl CheckState {
    /// Stable name for catalogues and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What to do, or why nothing was looked at: a key of the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Nothing.
    None,
    /// `advice.<key>`.
    Advice(&'static str),
    /// `send_problem.<code>`.
    Problem(SendProblem),
    /// `problem.<code>` of this field.
    Field(FieldError),
    /// `skipped.<key>`.
    Skipped(&'static str),
}

/// A check's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStep {
    /// Which, of [`CONNECTION_CHECKS`].
    pub check: &'static str,
    /// How it went.
    pub state: CheckState,
    /// What was seen; may be empty.
    pub detail: String,
    /// What to do.
    pub advice: Advice,
}

/// All checks, and what would be set at LINE WORKS to mend what differs there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionReport {
    /// The outcomes.
    pub steps: Vec<ConnectionStep>,
    /// The bot as it should be; `None` if it is, or could not be read.
    pub offer: Option<BotSetup>,
}

impl ConnectionReport {
    fn put(&mut self, check: &'static str, state: CheckState, detail: impl Into<String>, advice: Advice) {
        self.steps.push(ConnectionStep {
            check,
            state,
            detail: detail.into(),
            advice,
        });
    }

    fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.put(check, CheckState::Ok, detail, Advice::None);
    }

    fn failed(&mut self, check: &'static str, detail: impl Into<String>, key: &'static str) {
        self.put(check, CheckState::Failed, detail, Advice::Advice(key));
    }

    fn warn(&mut self, check: &'static str, detail: impl Into<String>, key: &'static str) {
        self.put(check, CheckState::Warning, detail, Advice::Advice(key));
    }

    fn trouble(&mut self, check: &'static str, trouble: &LineTrouble) {
        let advice = Advice::Problem(trouble.problem);
        self.put(check, CheckState::Failed, trouble.words.clone(), advice);
    }

    fn skip(&mut self, checks: &[&'static str], reason: &'static str) {
        for check in checks {
            self.put(check, CheckState::Skipped, "", Advice::Skipped(reason));
        }
    }
}

impl Crm {
    /// 接続を確認: asks LINE WORKS for a token, the bot and the members, and compares.
    pub async fn check_connection(&self, actor: &Actor) -> Result<ConnectionReport, Error> {
        self.may(actor, Action::ManageConnection)?;
        Ok(check_connection(&*self.ports.connector, &*self.ports.profiles).await)
    }
}

/// [`Crm::check_connection`] for programs whose store does not open.
pub async fn check_connection(connector: &dyn Connector, members: &dyn ProfileSource) -> ConnectionReport {
    let mut report = ConnectionReport::default();
    match connector.standing().state {
        ConnectionState::NotSetUp => report.skip(&CONNECTION_CHECKS, "not_set_up"),
        ConnectionState::Unusable(wrong) => {
            for error in wrong {
                let advice = Advice::Field(error);
                report.put("private_key", CheckState::Failed, error.field, advice);
            }
            report.skip(&CONNECTION_CHECKS[1..], "earlier");
        }
        ConnectionState::Ready { .. } => {
            report.ok("private_key", "PEM");
            check_service(&mut report, connector, members).await;
        }
    }
    report
}

async fn check_service(
    report: &mut ConnectionReport,
    connector: &dyn Connector,
    members: &dyn ProfileSource,
) {
    match connector.renew_token().await {
        Ok(token) => report.ok("token", token.scope),
        Err(trouble) => {
            report.trouble("token", &trouble);
            return report.skip(&CONNECTION_CHECKS[2..], "earlier");
        }
    }
    match connector.read_bot().await {
        Ok(bot) => {
            report.ok("bot", bot.name.clone());
            check_bot(report, &bot, &connector.callback_urls());
        }
        Err(trouble) => {
            report.trouble("bot", &trouble);
            report.skip(&CONNECTION_CHECKS[3..7], "earlier");
        }
    }
    check_members(report, members).await;
}

fn check_bot(report: &mut ConnectionReport, bot: &BotSetup, urls: &[String]) {
    let before = report.steps.len();
    let url = bot.callback_url.trim_end_matches('/');
    if url.is_empty() {
        report.failed("callback_url", urls.join(", "), "callback_url_missing");
    } else if urls.iter().any(|wanted| wanted == url) {
        report.ok("callback_url", url);
    } else {
        report.failed(
            "callback_url",
            format!("{url} ≠ {}", urls.join(", ")),
            "callback_url_other",
        );
    }
    if bot.callback_enabled {
        report.ok("callback_enabled", "");
    } else {
        report.failed("callback_enabled", "", "callback_enabled");
    }
    check_ticks(report, bot);
    let differs = report.steps[before..]
        .iter()
        .any(|step| step.state != CheckState::Ok);
    let url = urls.first().filter(|_| differs);
    report.offer = url.map(|first| {
        let right = urls
            .iter()
            .find(|wanted| *wanted == bot.callback_url.trim_end_matches('/'));
        wanted(bot, right.unwrap_or(first).clone())
    });
}

/// A service that does not say what is ticked proves nothing.
fn check_ticks(report: &mut ConnectionReport, bot: &BotSetup) {
    let events = missing(&NEEDED_EVENTS, &bot.channel_events);
    if events.is_empty() {
        report.ok("events", bot.channel_events.join(", "));
    } else if events.contains(&"message") {
        report.failed("events", events.join(", "), "event_message");
    } else {
        report.warn("events", events.join(", "), "events");
    }
    let kinds = missing(&NEEDED_KINDS, &bot.callback_events);
    if kinds.is_empty() {
        report.ok("message_kinds", bot.callback_events.join(", "));
    } else if kinds.contains(&"text") {
        report.failed("message_kinds", kinds.join(", "), "event_text");
    } else {
        report.warn("message_kinds", kinds.join(", "), "message_kinds");
    }
}

fn missing(needed: &[&'static str], ticked: &[String]) -> Vec<&'static str> {
    let lacks = |name: &&'static str| !ticked.is_empty() && !ticked.iter().any(|tick| tick == name);
    needed.iter().copied().filter(lacks).collect()
}

/// The bot as it should be: what is ticked stays, and everything that is understood here comes to it.
pub(super) fn wanted(bot: &BotSetup, callback_url: String) -> BotSetup {
    let all = |ticked: &[String], ours: &[&str]| {
        let more = ours
            .iter()
            .filter(|name| !ticked.iter().any(|tick| tick == *name));
        ticked
            .iter()
            .cloned()
            .chain(more.map(|name| (*name).to_owned()))
            .collect()
    };
    BotSetup {
        name: bot.name.clone(),
        callback_url,
        callback_enabled: true,
        channel_events: all(&bot.channel_events, &EVENTS),
        callback_events: all(&bot.callback_events, &KINDS),
    }
}

/// Names of senders and 「メンバーから選ぶ」 need scopes of their own.
async fn check_members(report: &mut ConnectionReport, members: &dyn ProfileSource) {
    if let Ok(Some(nobody)) = LineUserId::new(NOBODY) {
        let told = match members.look_up(&nobody).await {
            Err(ProfileError::NotFound) => Ok(()),
            told => told.map(drop),
        };
        say(
            report,
            "names",
            "user.profile.read",
            "scope_user.profile.read",
            told,
        );
    }
    let told = members.list(None).await.map(drop);
    say(report, "member_list", "user.read", "scope_user.read", told);
}

fn say(
    report: &mut ConnectionReport,
    check: &'static str,
    scope: &'static str,
    key: &'static str,
    told: Result<(), ProfileError>,
) {
    match told {
        Ok(()) => report.ok(check, ""),
        Err(ProfileError::ScopeMissing) => report.warn(check, scope, key),
        Err(error) => report.warn(check, error.to_string(), "members_later"),
    }
}
