//! LINE WORKS連携: how it is set up, how it goes, and what a check found.

mod samples;

use crm_domain::connection::ConnectionField;
use crm_domain::ports::connector::{BotSetup, ConnectionState, LineTrouble};
use crm_domain::use_cases::{
    Advice, CONNECTION_CHECKS, CheckState, ConnectionReport, ConnectionView, FieldView,
};
use serde::Serialize;

use crate::format::Times;
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// `GET /admin/line-works`.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionPage {
    /// Every value and the password; secrets are never in it.
    pub form: FormState,
    /// The form of a whole `.env`: `env` and `env_password`.
    pub paste: FormState,
    /// The version that the forms change.
    pub version: i64,
    /// What is known of each field besides what the form holds.
    pub fields: Vec<FieldNote>,
    /// Whether anything can be changed here.
    pub open: bool,
    /// How it goes.
    pub status: Status,
    /// What 「接続を確認」 found, if it was just asked for.
    pub report: Option<Report>,
    /// What the last button did, where it did not lead on to another page.
    pub result: Option<ResultNote>,
    /// What a pasted `.env` held that was not used.
    pub unused: Vec<Sentence>,
    /// Whether secrets were typed that have to be typed again.
    pub type_again: bool,
    /// To whom a test message goes, and what is wrong with that.
    pub test: FormState,
}

/// A field beside its form.
#[derive(Debug, Clone, Serialize)]
pub struct FieldNote {
    /// Its name.
    pub name: &'static str,
    /// Whether it is never shown.
    pub secret: bool,
    /// Whether something is stored.
    pub stored: bool,
    /// When and by whom.
    pub changed: Option<String>,
    /// By whom.
    pub by: String,
    /// Where the environment sets it.
    pub fixed: Option<String>,
    /// What the environment sets, but for secrets.
    pub value: String,
    /// Whether what is stored cannot be read any more.
    pub broken: bool,
}

/// How it goes.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// `not_set_up`, `unusable` or `ready`.
    pub state: &'static str,
    /// Why it is unusable, field by field: its name and the sentence.
    pub wrong: Vec<(&'static str, Sentence)>,
    /// The bot's id.
    pub bot: String,
    /// Whether there is a token.
    pub token: bool,
    /// Until when it is good, if LINE WORKS said so.
    pub token_until: Option<String>,
    /// The address to register.
    pub callback_url: Option<String>,
    /// 最終受信.
    pub last_received: Option<String>,
    /// The last error: when, what, the service's words.
    pub trouble: Option<Trouble>,
    /// Callbacks with wrong signatures that are held.
    pub wrong_signatures: usize,
    /// Those of them that came after the last right one.
    pub since_success: usize,
    /// Callbacks from addresses that are not allowed.
    pub other_address: usize,
    /// When it was saved last.
    pub saved: Option<String>,
    /// By whom.
    pub saved_by: String,
}

/// A request that failed.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    /// When.
    pub at: String,
    /// What happened and what to do.
    pub sentence: Sentence,
    /// The service's own words.
    pub words: String,
}

/// What a button did.
#[derive(Debug, Clone, Serialize)]
pub struct ResultNote {
    /// Whether it is good news.
    pub good: bool,
    /// What happened.
    pub sentence: Sentence,
    /// The service's own words.
    pub words: String,
}

/// What 「接続を確認」 found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The checks.
    pub steps: Vec<Step>,
    /// Whether nothing is to be done.
    pub fine: bool,
    /// What 「この内容で設定する」 would set.
    pub offer: Option<Offer>,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Names its words, `check.<name>`.
    pub name: &'static str,
    /// `ok`, `warning`, `failed` or `skipped`.
    pub state: &'static str,
    /// What was seen.
    pub detail: String,
    /// What to do.
    pub advice: Option<Sentence>,
}

/// The bot as it should be.
#[derive(Debug, Clone, Serialize)]
pub struct Offer {
    /// Callback URL.
    pub callback_url: String,
    /// Events.
    pub events: Vec<String>,
    /// Kinds of message.
    pub kinds: Vec<String>,
}

/// Names of the fields of the form.
pub const CONNECTION_FIELDS: [&str; 10] = [
    "bot_id",
    "bot_secret",
    "client_id",
    "client_secret",
    "service_account",
    "private_key",
    "key_file",
    "domain_id",
    "scope",
    "password",
];
/// Names of the fields of the form of a whole `.env`.
pub const ENV_FIELDS: [&str; 2] = ["env", "env_password"];
/// Names of the fields of a test message.
pub const TEST_FIELDS: [&str; 1] = ["user_id"];

impl FieldNote {
    fn of(field: &FieldView, times: &Times) -> FieldNote {
        let stored = field.stored.as_ref();
        FieldNote {
            name: field.field.code(),
            secret: field.field.is_secret(),
            stored: stored.is_some(),
            changed: stored.map(|(at, _)| times.exact(*at)),
            by: stored.map(|(_, by)| by.clone()).unwrap_or_default(),
            fixed: field.fixed.clone(),
            value: field.value.clone(),
            broken: field.broken,
        }
    }
}

impl Status {
    fn of(view: &ConnectionView, times: &Times) -> Status {
        let standing = &view.standing;
        let (state, wrong, bot) = match &standing.state {
            ConnectionState::NotSetUp => ("not_set_up", Vec::new(), String::new()),
            ConnectionState::Unusable(errors) => {
                let wrong = errors.iter().map(|error| (error.field, Sentence::field(error)));
                ("unusable", wrong.collect(), String::new())
            }
            ConnectionState::Ready { bot } => ("ready", Vec::new(), bot.clone()),
        };
        Status {
            state,
            wrong,
            bot,
            token: standing.token.is_some(),
            token_until: (standing.token.as_ref())
                .and_then(|token| token.until)
                .map(|at| times.exact(at)),
            callback_url: view.callback_url.clone(),
            last_received: view.last_received.map(|at| times.exact(at)),
            trouble: standing.trouble.as_ref().map(|trouble| Trouble {
                at: times.exact(trouble.at),
                sentence: Sentence::send_problem(trouble.problem),
                words: trouble.words.clone(),
            }),
            wrong_signatures: view.held.wrong_signature,
            since_success: view.held.since_success,
            other_address: view.held.other_address,
            saved: view.saved.as_ref().map(|(at, _)| times.exact(*at)),
            saved_by: view.saved.as_ref().map(|(_, by)| by.clone()).unwrap_or_default(),
        }
    }
}

impl ResultNote {
    /// Good news.
    pub fn good(key: &str) -> ResultNote {
        ResultNote {
            good: true,
            sentence: Sentence::of(key),
            words: String::new(),
        }
    }

    /// LINE WORKS did not do it.
    pub fn trouble(trouble: &LineTrouble) -> ResultNote {
        ResultNote {
            good: false,
            sentence: Sentence::send_problem(trouble.problem),
            words: trouble.words.clone(),
        }
    }
}

impl Report {
    /// The outcomes, and the offer.
    pub fn of(report: &ConnectionReport) -> Report {
        let steps: Vec<Step> = report
            .steps
            .iter()
            .map(|step| Step {
                name: step.check,
                state: step.state.code(),
                detail: step.detail.clone(),
                advice: advice(step.advice),
            })
            .collect();
        Report {
            fine: steps.iter().all(|step| step.state == CheckState::Ok.code()),
            steps,
            offer: report.offer.as_ref().map(Offer::of),
        }
    }
}

impl Offer {
    fn of(bot: &BotSetup) -> Offer {
        Offer {
            callback_url: bot.callback_url.clone(),
            events: bot.channel_events.clone(),
            kinds: bot.callback_events.clone(),
        }
    }
}

fn advice(advice: Advice) -> Option<Sentence> {
    match advice {
        Advice::None => None,
        Advice::Advice(key) => Some(Sentence::of(format!("advice.{key}"))),
        Advice::Skipped(key) => Some(Sentence::of(format!("skipped.{key}"))),
        Advice::Problem(problem) => Some(Sentence::send_problem(problem)),
        Advice::Field(error) => Some(Sentence::field(&error)),
    }
}

impl ConnectionPage {
    /// The page as it stands, nothing typed yet.
    pub fn of(view: &ConnectionView, times: &Times) -> ConnectionPage {
        let mut form = FormState::of(&CONNECTION_FIELDS);
        for field in &view.fields {
            form = form.with(field.field.code(), &field.value);
        }
        let fields: Vec<FieldNote> = view
            .fields
            .iter()
            .map(|field| FieldNote::of(field, times))
            .collect();
        ConnectionPage {
            form,
            paste: FormState::of(&ENV_FIELDS),
            version: view.version,
            open: fields.iter().any(|field| field.fixed.is_none()),
            fields,
            status: Status::of(view, times),
            report: None,
            result: None,
            unused: Vec::new(),
            type_again: false,
            test: FormState::of(&TEST_FIELDS),
        }
    }

    /// Shows what was typed again, but for secrets.
    pub fn keep_typed(&mut self, typed: impl Fn(ConnectionField) -> String) {
        for field in ConnectionField::ALL {
            let text = typed(field);
            if field.is_secret() {
                self.type_again |= !text.trim().is_empty();
            } else if let Some(state) = self.form.fields.get_mut(field.code()) {
                state.value = text;
            }
        }
    }
}

impl Page for ConnectionPage {
    const TEMPLATE: &'static str = "line_works.html";

    fn samples() -> Vec<ConnectionPage> {
        samples::all()
    }
}
