//! Believable states of the page.

use super::{
    CONNECTION_CHECKS, CONNECTION_FIELDS, CheckState, ConnectionField, ConnectionPage, ENV_FIELDS, FieldNote,
    FormState, Offer, Report, ResultNote, Sentence, Status, Step, TEST_FIELDS, Trouble,
};

fn note(field: ConnectionField) -> FieldNote {
    FieldNote {
        name: field.code(),
        secret: field.is_secret(),
        stored: false,
        changed: None,
        by: String::new(),
        fixed: None,
        value: String::new(),
        broken: false,
    }
}

fn empty() -> ConnectionPage {
    ConnectionPage {
        form: FormState::of(&CONNECTION_FIELDS),
        paste: FormState::of(&ENV_FIELDS),
        version: 0,
        open: true,
        fields: ConnectionField::ALL.map(note).to_vec(),
        status: Status {
            state: "not_set_up",
            wrong: Vec::new(),
            bot: String::new(),
            token: false,
            token_until: None,
            callback_url: Some("https://crm.example.jp/webhook".to_owned()),
            last_received: None,
            trouble: None,
            wrong_signatures: 0,
            since_success: 0,
            other_address: 0,
            saved: None,
            saved_by: String::new(),
        },
        report: None,
        result: None,
        unused: Vec::new(),
        type_again: false,
        test: FormState::of(&TEST_FIELDS),
    }
}

fn running() -> ConnectionPage {
    let mut page = empty();
    page.version = 3;
    for field in &mut page.fields {
        field.stored = true;
        field.changed = Some("2026年11月22日 18:30".to_owned());
        "田中 花子".clone_into(&mut field.by);
    }
    page.form = page.form.with("bot_id", "2000001").with("scope", "bot");
    page.status.state = "ready";
    "2000001".clone_into(&mut page.status.bot);
    page.status.token = true;
    page.status.token_until = Some("2026年11月23日 19:25".to_owned());
    page.status.last_received = Some("2026年11月23日 18:24".to_owned());
    page.status.saved = Some("2026年11月22日 18:30".to_owned());
    "田中 花子".clone_into(&mut page.status.saved_by);
    page.result = Some(ResultNote::good("connection.test_sent"));
    page
}

fn troubled() -> ConnectionPage {
    let mut page = running();
    let wrong = Sentence::of("problem.key_damaged");
    page.status.state = "unusable";
    page.status.wrong = vec![("private_key", wrong.clone())];
    page.status.token_until = None;
    page.status.wrong_signatures = 12;
    page.status.since_success = 7;
    page.status.other_address = 2;
    page.status.trouble = Some(Trouble {
        at: "2026年11月23日 18:20".to_owned(),
        sentence: Sentence::of("send_problem.credentials_refused"),
        words: "credentials_refused (HTTP 401) invalid_client".to_owned(),
    });
    page.form.refuse("private_key", wrong);
    page.paste.refuse("env", Sentence::of("connection.env_empty"));
    page.test.refuse("user_id", Sentence::of("problem.required"));
    page.type_again = true;
    page.unused = vec![Sentence::of("connection.unused_name").about("FLASK_ENV")];
    page.result = Some(ResultNote {
        good: false,
        sentence: Sentence::of("send_problem.forbidden"),
        words: "forbidden (HTTP 403)".to_owned(),
    });
    if let [first, second, ..] = page.fields.as_mut_slice() {
        first.fixed = Some("environment".to_owned());
        "2000001".clone_into(&mut first.value);
        second.fixed = Some(".env".to_owned());
    }
    if let Some(last) = page.fields.last_mut() {
        last.broken = true;
    }
    page
}

fn checked(fine: bool) -> ConnectionPage {
    let mut page = running();
    let states = [
        CheckState::Ok,
        CheckState::Warning,
        CheckState::Failed,
        CheckState::Skipped,
    ];
    let step = |(at, name): (usize, &'static str)| {
        let state = if fine {
            CheckState::Ok
        } else {
            states[at % states.len()]
        };
        Step {
            name,
            state: state.code(),
            detail: "begin, end".to_owned(),
            advice: (state != CheckState::Ok).then(|| Sentence::of("advice.events")),
        }
    };
    page.report = Some(Report {
        steps: CONNECTION_CHECKS.into_iter().enumerate().map(step).collect(),
        fine,
        offer: (!fine).then(|| Offer {
            callback_url: "https://crm.example.jp/webhook".to_owned(),
            events: vec!["message".to_owned(), "begin".to_owned()],
            kinds: vec!["text".to_owned(), "image".to_owned()],
        }),
    });
    page
}

pub(super) fn all() -> Vec<ConnectionPage> {
    let mut fixed = running();
    fixed.open = false;
    for field in &mut fixed.fields {
        field.fixed = Some("environment".to_owned());
    }
    vec![
        empty(),
        running(),
        troubled(),
        checked(true),
        checked(false),
        fixed,
    ]
}
