//! Reads a CSV file into records by field name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::failure::Failure;

/// What the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Companies,
    Customers,
    Activities,
}

impl Kind {
    /// The word of the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Customers => "customers",
            Self::Activities => "activities",
        }
    }
}

/// Field names with the labels under which spreadsheets have them.
const COMPANY: &[(&str, &[&str])] = &[
    ("id", &["ID", "会社ID"]),
    ("name", &["会社名", "名称", "名前"]),
    ("name_kana", &["会社名（カナ）", "会社名カナ", "フリガナ", "カナ"]),
    ("address", &["住所", "所在地"]),
    ("phone", &["電話", "電話番号"]),
    (
        "website",
        &["ウェブサイト", "Webサイト", "WEBサイト", "ホームページ", "URL"],
    ),
    ("remarks", &["備考", "メモ"]),
];
const CUSTOMER: &[(&str, &[&str])] = &[
    ("id", &["ID", "顧客ID"]),
    ("last_name", &["姓", "苗字", "名字"]),
    ("first_name", &["名"]),
    ("last_name_kana", &["セイ", "姓（カナ）", "姓カナ"]),
    ("first_name_kana", &["メイ", "名（カナ）", "名カナ"]),
    ("email", &["メール", "メールアドレス", "Eメール"]),
    ("phone", &["電話", "電話番号"]),
    (
        "line_user_id",
        &[
            "LINE WORKS ID",
            "LINE WORKSユーザーID",
            "ユーザーID",
            "LINE WORKS ユーザーID",
        ],
    ),
    ("company_id", &["会社ID"]),
    ("company_name", &["会社名", "会社"]),
    ("remarks", &["備考", "メモ"]),
];
const ACTIVITY: &[(&str, &[&str])] = &[
    ("id", &["ID"]),
    ("customer_id", &["顧客ID"]),
    (
        "line_user_id",
        &["LINE WORKS ID", "LINE WORKSユーザーID", "ユーザーID"],
    ),
    ("message", &["メッセージ", "本文", "内容"]),
    ("timestamp", &["日時", "時刻", "タイムスタンプ"]),
    ("direction", &["方向", "送受信"]),
];

impl Kind {
    fn fields(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Companies => COMPANY,
            Self::Customers => CUSTOMER,
            Self::Activities => ACTIVITY,
        }
    }

    /// The field of a column's heading.
    fn field(self, heading: &str) -> Option<&'static str> {
        let heading = heading.trim();
        let named = |(name, labels): &&(&'static str, &'static [&'static str])| {
            name.eq_ignore_ascii_case(heading) || labels.contains(&heading)
        };
        self.fields().iter().find(named).map(|(name, _)| *name)
    }
}

/// A file's records.
pub(crate) struct Sheet {
    pub(crate) kind: Kind,
    pub(crate) records: Vec<Record>,
}

/// One line; only the fields that the file has.
pub(crate) struct Record {
    /// Where it begins in the file, counted from 1.
    pub(crate) line: u64,
    fields: BTreeMap<&'static str, String>,
}

impl Record {
    /// The field's text; `None` if the file has no such column.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    /// The field's text, blanks cut; empty if there is none.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.get(field).unwrap_or_default().trim()
    }
}

impl Sheet {
    /// A heading that is no field is refused, so that no column is lost without a word.
    pub(crate) fn read(file: &Path, kind: Kind) -> Result<Self, Failure> {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| Failure::io(&name, &error))?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(Failure::Own("not_utf8", vec![("file", name)]));
        };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new()
            .flexible(false)
            .from_reader(text.as_bytes());
        let failed = |error: csv::Error| {
            Failure::Own("csv", vec![("file", name.clone()), ("error", error.to_string())])
        };
        let headings = reader.headers().map_err(failed)?.clone();
        let mut columns = Vec::with_capacity(headings.len());
        for heading in &headings {
            let field = kind.field(heading);
            columns.push(field.ok_or_else(|| Failure::Own("column", vec![("heading", heading.to_owned())]))?);
        }
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            let line = record.position().map_or(0, csv::Position::line);
            let fields = columns
                .iter()
                .copied()
                .zip(record.iter().map(unguarded))
                .collect();
            records.push(Record { line, fields });
        }
        Ok(Self { kind, records })
    }
}

/// Spreadsheet programs are kept from computing by a quotation mark in front; it is no part of the text.
fn unguarded(text: &str) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => text.to_owned(),
    }
}
