//! Contexts of the audit log and the reading log.

use serde::Serialize;

use super::Pager;
use crate::forms::FormState;
use crate::page::Page;

/// Names of the fields of the CSV form: what was searched for, and why.
pub const AUDIT_CSV_FIELDS: [&str; 1] = ["reason"];
/// Names of the fields of the reading log's rule.
pub const READING_FIELDS: [&str; 2] = ["reading_log", "reading_days"];

/// `GET /admin/audit`.
#[derive(Debug, Clone, Serialize)]
pub struct AuditPage {
    /// What is searched for.
    pub search: AuditSearch,
    /// The entries, newest first.
    pub rows: Vec<AuditRow>,
    /// `reason` of the file.
    pub csv: FormState,
    /// Ways to the entries before and behind.
    pub pager: Pager,
}

/// What is searched for, and what can be chosen.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditSearch {
    /// Who: `member:3`, or a kind as `operator`; empty for everybody.
    pub who: String,
    /// The code of the act; empty for all.
    pub act: String,
    /// The kind of record; empty for all.
    pub kind: String,
    /// The record's number; empty for all.
    pub record: String,
    /// From this day on; a date or empty.
    pub from: String,
    /// Up to this day; a date or empty.
    pub to: String,
    /// Whether anything is searched for.
    pub any: bool,
    /// Members that can be chosen.
    pub members: Vec<WhoChoice>,
    /// Kinds of actors that can be chosen, codes of `actor.<kind>`.
    pub by_kinds: Vec<&'static str>,
    /// Acts that can be chosen, codes of `act.<act>`.
    pub acts: Vec<&'static str>,
    /// Kinds of records that can be chosen, codes of `record.<kind>`.
    pub kinds: Vec<&'static str>,
}

/// A member that can be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct WhoChoice {
    /// `member:3`.
    pub value: String,
    /// Full name.
    pub name: String,
}

/// Who, as both logs show it.
#[derive(Debug, Clone, Serialize)]
pub struct WhoView {
    /// The name at that time; empty for nobody.
    pub name: String,
    /// Names the words `actor.<kind>`; none for members in person and for what this version does not know.
    pub kind: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
}

/// One entry.
#[derive(Debug, Clone, Serialize)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When, to the second.
    pub at: String,
    /// When, for machines.
    pub iso: String,
    /// Who.
    pub who: WhoView,
    /// The code of the act.
    pub act: String,
    /// Whether this version has words for it.
    pub known: bool,
    /// About which record.
    pub record: Option<RecordView>,
    /// The reason given.
    pub reason: Option<String>,
    /// What changed; the names of the fields alone when the values were emptied.
    pub changes: Vec<ChangeView>,
    /// Whether the values were emptied.
    pub emptied: bool,
}

/// A record that an entry is about.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView {
    /// The code of its kind.
    pub kind: String,
    /// Whether this version has words for it.
    pub known: bool,
    /// Its number.
    pub id: i64,
    /// Where it is shown, if it has a page.
    pub link: Option<String>,
}

/// One field that changed.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeView {
    /// What the field is called.
    pub field: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
    /// Whether values are kept at all.
    pub masked: bool,
}

/// `GET /admin/audit?tab=readings`.
#[derive(Debug, Clone, Serialize)]
pub struct ReadingsPage {
    /// What is searched for; `act` is the kind of reading.
    pub search: AuditSearch,
    /// The readings, newest first.
    pub rows: Vec<ReadingRow>,
    /// Whether they are kept.
    pub on: bool,
    /// `reading_log` (`1` for on) and `reading_days`.
    pub form: FormState,
    /// Ways to the readings before and behind.
    pub pager: Pager,
}

/// One reading.
#[derive(Debug, Clone, Serialize)]
pub struct ReadingRow {
    /// When, to the second.
    pub at: String,
    /// When, for machines.
    pub iso: String,
    /// Who.
    pub who: WhoView,
    /// Names the words `reading.<kind>`.
    pub kind: &'static str,
    /// Whose page or file: the customer's number.
    pub customer: Option<i64>,
    /// The words searched for.
    pub words: Option<String>,
}

impl AuditSearch {
    fn sample(any: bool) -> AuditSearch {
        AuditSearch {
            who: if any { "member:3" } else { "" }.to_owned(),
            act: if any { "customer_changed" } else { "" }.to_owned(),
            from: if any { "2025-07-01" } else { "" }.to_owned(),
            any,
            members: vec![WhoChoice {
                value: "member:3".to_owned(),
                name: "田中 花子".to_owned(),
            }],
            by_kinds: vec!["operator", "job", "nobody"],
            acts: vec!["customer_changed", "signed_in"],
            kinds: vec!["customer", "company"],
            ..AuditSearch::default()
        }
    }
}

fn somebody(kind: Option<&str>, name: &str) -> WhoView {
    WhoView {
        name: name.to_owned(),
        kind: kind.map(str::to_owned),
        address: Some("192.0.2.15".to_owned()),
        request_id: Some("9f3a1c22b4e07d15".to_owned()),
    }
}

impl AuditRow {
    fn sample() -> AuditRow {
        let change = |field: &str, old: Option<&str>, new: Option<&str>| ChangeView {
            field: field.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
            masked: false,
        };
        AuditRow {
            id: 1_204,
            at: "2025/07/08 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
            who: somebody(None, "田中 花子"),
            act: "customer_changed".to_owned(),
            known: true,
            record: Some(RecordView {
                kind: "customer".to_owned(),
                known: true,
                id: 12,
                link: Some("/customer/12".to_owned()),
            }),
            reason: Some("本人から連絡".to_owned()),
            changes: vec![
                change("姓", Some("佐藤"), Some("鈴木")),
                change("電話", None, Some("03-0000-0000")),
                ChangeView {
                    masked: true,
                    ..change("パスワード", None, None)
                },
            ],
            emptied: false,
        }
    }
}

impl Page for AuditPage {
    const TEMPLATE: &'static str = "audit.html";

    fn samples() -> Vec<AuditPage> {
        let row = AuditRow::sample();
        let emptied = AuditRow {
            emptied: true,
            who: somebody(Some("nobody"), ""),
            record: Some(RecordView {
                kind: "later".to_owned(),
                known: false,
                id: 3,
                link: None,
            }),
            act: "of_a_later_version".to_owned(),
            known: false,
            ..row.clone()
        };
        let full = AuditPage {
            search: AuditSearch::sample(true),
            rows: vec![row, emptied],
            csv: FormState::of(&AUDIT_CSV_FIELDS),
            pager: Pager {
                next: Some("/admin/audit?after=x".to_owned()),
                first: Some("/admin/audit".to_owned()),
            },
        };
        let mut refused = full.clone();
        refused.csv.refuse_with(&crm_domain::error::Error::field(
            "reason",
            crm_domain::values::Problem::Required,
        ));
        let empty = AuditPage {
            search: AuditSearch::sample(false),
            rows: Vec::new(),
            csv: FormState::of(&AUDIT_CSV_FIELDS),
            pager: Pager::default(),
        };
        vec![full, refused, empty]
    }
}

impl Page for ReadingsPage {
    const TEMPLATE: &'static str = "readings.html";

    fn samples() -> Vec<ReadingsPage> {
        let row = |kind, customer, words: Option<&str>| ReadingRow {
            at: "2025/07/08 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
            who: somebody(Some("token"), "田中 花子"),
            kind,
            customer,
            words: words.map(str::to_owned),
        };
        let searched = |search| AuditSearch {
            act: String::new(),
            acts: vec!["customer", "search", "file"],
            ..search
        };
        let form = || {
            FormState::of(&READING_FIELDS)
                .with("reading_log", "1")
                .with("reading_days", "90")
        };
        vec![
            ReadingsPage {
                search: searched(AuditSearch::sample(true)),
                rows: vec![
                    row("customer", Some(12), None),
                    row("search", None, Some("佐藤")),
                    row("file", None, None),
                ],
                on: true,
                form: form(),
                pager: Pager {
                    next: Some("/admin/audit?tab=readings&after=x".to_owned()),
                    first: None,
                },
            },
            ReadingsPage {
                search: searched(AuditSearch::sample(false)),
                rows: Vec::new(),
                on: false,
                form: form(),
                pager: Pager::default(),
            },
        ]
    }
}
