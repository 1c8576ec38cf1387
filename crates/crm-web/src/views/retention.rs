//! Contexts of how long things are kept.

use serde::Serialize;

use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// `GET /admin/retention`.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionPage {
    /// Each kind with what would go today.
    pub rules: Vec<RuleRow>,
    /// `messages`, `notes`, `unknown_senders` and `audit`: months, empty for ever.
    pub form: FormState,
    /// How much in the trash is over its time.
    pub trash: usize,
    /// What is held back.
    pub holds: Vec<HoldRow>,
    /// `customer` and `reason` of a new hold.
    pub hold_form: FormState,
    /// The last daily run.
    pub run: Option<RunView>,
    /// What was erased.
    pub receipts: Vec<ReceiptRow>,
}

/// A kind and what would go today.
#[derive(Debug, Clone, Serialize)]
pub struct RuleRow {
    /// Names the words, `retention.kind.<kind>`.
    pub kind: &'static str,
    /// After how many months; empty for ever.
    pub months: String,
    /// How many would go; none without a rule.
    pub count: Option<u64>,
    /// How many more would go if nothing held them back.
    pub held: u64,
    /// Of when the oldest is.
    pub oldest: Option<String>,
}

/// A hold in force.
#[derive(Debug, Clone, Serialize)]
pub struct HoldRow {
    /// Its number.
    pub id: i64,
    /// The customer's number; none for everything.
    pub customer: Option<i64>,
    /// The customer's name.
    pub name: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: String,
    /// By whom.
    pub by: String,
}

/// A daily run.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// When it began.
    pub at: String,
    /// Whether it ended.
    pub ended: bool,
    /// Whether a hold of everything prevented it.
    pub held: bool,
    /// What went.
    pub taken: Vec<TakenRow>,
}

/// So many of a kind.
#[derive(Debug, Clone, Serialize)]
pub struct TakenRow {
    /// Names the words, `data_kind.<kind>`.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
}

/// The receipt of an erasure.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptRow {
    /// Its number.
    pub id: i64,
    /// When it was asked for.
    pub at: String,
    /// By whom.
    pub by: String,
    /// When it was done.
    pub finished: Option<String>,
    /// Names the words, `erasure_state.<state>`.
    pub state: &'static str,
    /// Names the words, `erasure_cause.<cause>`.
    pub cause: &'static str,
    /// SHA-256 of the customer's number.
    pub subject: String,
    /// What was erased.
    pub taken: Vec<TakenRow>,
}

/// Names of the fields of the rules.
pub const RULE_FIELDS: [&str; 4] = ["messages", "notes", "unknown_senders", "audit"];
/// Names of the fields of a new hold.
pub const HOLD_FIELDS: [&str; 2] = ["customer", "reason"];

impl RetentionPage {
    fn sample() -> RetentionPage {
        let taken = vec![
            TakenRow {
                kind: "activities",
                count: 1_250,
            },
            TakenRow {
                kind: "bodies",
                count: 31,
            },
        ];
        let at = || "2026/11/20 10:15".to_owned();
        let rules = RULE_FIELDS.map(|kind| RuleRow {
            kind,
            months: String::new(),
            count: None,
            held: 0,
            oldest: None,
        });
        RetentionPage {
            rules: rules.to_vec(),
            form: FormState::of(&RULE_FIELDS),
            trash: 0,
            holds: Vec::new(),
            hold_form: FormState::of(&HOLD_FIELDS),
            run: Some(RunView {
                at: at(),
                ended: true,
                held: false,
                taken: taken.clone(),
            }),
            receipts: vec![ReceiptRow {
                id: 1,
                at: at(),
                by: "田中 花子".to_owned(),
                finished: Some(at()),
                state: "done",
                cause: "asked",
                subject: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
                taken,
            }],
        }
    }
}

impl Page for RetentionPage {
    const TEMPLATE: &'static str = "retention.html";

    fn samples() -> Vec<RetentionPage> {
        let page = Self::sample();
        let mut busy = page.clone();
        busy.trash = 2;
        if let Some(rule) = busy.rules.first_mut() {
            "24".clone_into(&mut rule.months);
            rule.count = Some(1_250);
            rule.held = 3;
            rule.oldest = Some("2021/04/01".to_owned());
        }
        let hold = |id, customer: Option<(i64, &str)>| HoldRow {
            id,
            customer: customer.map(|(number, _)| number),
            name: customer.map(|(_, name)| name.to_owned()),
            reason: "訴訟のため".to_owned(),
            at: "2026/11/20 10:15".to_owned(),
            by: "田中 花子".to_owned(),
        };
        busy.holds = vec![hold(2, None), hold(1, Some((5, "山田 太郎")))];
        busy.run = busy.run.map(|run| RunView {
            ended: false,
            held: true,
            taken: Vec::new(),
            ..run
        });
        for receipt in &mut busy.receipts {
            receipt.state = "held";
            receipt.finished = None;
        }
        busy.form.refuse("messages", Sentence::of("problem.malformed"));
        busy.hold_form.refuse("reason", Sentence::of("problem.required"));
        let mut new = page.clone();
        new.run = None;
        new.receipts = Vec::new();
        vec![page, busy, new]
    }
}
