//! The fields of records as the log writes them.

use super::Change;
use crate::companies::CompanyDetails;
use crate::customers::CustomerDetails;
use crate::members::Member;
use crate::teams::TeamDetails;

/// A record whose fields stand in the log one by one.
pub trait Recorded {
    /// Its fields with their values, always all and in the same order; an empty text counts as none.
    fn recorded(&self) -> Vec<(&'static str, Option<String>)>;
}

/// What of a record differs.
pub fn changed<R: Recorded>(old: &R, new: &R) -> Vec<Change> {
    let pairs = old.recorded().into_iter().zip(new.recorded());
    pairs
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| Change::new(field, old, new))
        .collect()
}

/// Everything of a record that is new.
pub fn added<R: Recorded>(new: &R) -> Vec<Change> {
    let filled = new.recorded().into_iter().filter(|(_, value)| value.is_some());
    filled
        .map(|(field, value)| Change::new(field, None, value))
        .collect()
}

/// Everything of a record that goes.
pub fn removed<R: Recorded>(old: &R) -> Vec<Change> {
    let filled = old.recorded().into_iter().filter(|(_, value)| value.is_some());
    filled
        .map(|(field, value)| Change::new(field, value, None))
        .collect()
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

impl Recorded for CustomerDetails {
    fn recorded(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("last_name", text(self.name.last())),
            ("first_name", text(self.name.first())),
            ("last_name_kana", text(self.reading.last())),
            ("first_name_kana", text(self.reading.first())),
            (
                "email",
                self.email.as_ref().and_then(|value| text(value.as_str())),
            ),
            (
                "phone",
                self.phone.as_ref().and_then(|value| text(value.as_str())),
            ),
            (
                "line_user_id",
                self.line_user_id.as_ref().and_then(|value| text(value.as_str())),
            ),
            ("company_id", self.company_id.map(|id| id.to_string())),
            ("remarks", text(self.remarks.as_str())),
        ]
    }
}

impl Recorded for CompanyDetails {
    fn recorded(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("name", text(self.name.as_str())),
            ("name_kana", text(self.name_kana.as_str())),
            (
                "address",
                self.address.as_ref().and_then(|value| text(value.as_str())),
            ),
            (
                "phone",
                self.phone.as_ref().and_then(|value| text(value.as_str())),
            ),
            (
                "website",
                self.website.as_ref().and_then(|value| text(value.as_str())),
            ),
            ("remarks", text(self.remarks.as_str())),
        ]
    }
}

impl Recorded for TeamDetails {
    fn recorded(&self) -> Vec<(&'static str, Option<String>)> {
        vec![("name", text(&self.name)), ("sees", text(self.sees.code()))]
    }
}

impl Recorded for Member {
    fn recorded(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("email", text(self.email.as_str())),
            ("name", text(&self.name)),
            ("role", text(self.role.code())),
            ("may_import", self.grants.import.then(|| "on".to_owned())),
            ("may_export", self.grants.export.then(|| "on".to_owned())),
            ("locale", self.locale.and_then(|locale| text(locale.code()))),
        ]
    }
}
