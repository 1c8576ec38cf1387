//! Texts that another tool wrote into the database. A page must not fail because of one of them: what cannot stand is left out.

use crm_domain::ports::store::StoreError;
use crm_domain::values::{
    CompanyName, CompanyReading, EmailAddress, Line, LineUserId, PersonName, PersonReading, PhoneNumber,
    Remarks, Website,
};

/// One line of at most `max` characters.
fn line(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

pub(crate) fn company_name(text: &str, row: i64) -> Result<CompanyName, StoreError> {
    CompanyName::new(text)
        .or_else(|_| CompanyName::new(&line(text, CompanyName::MAX)))
        .map_err(|_| corrupt("companies", "name", row))
}

pub(crate) fn company_reading(text: &str) -> CompanyReading {
    CompanyReading::new(text).unwrap_or_default()
}

pub(crate) fn person_name(last: &str, first: &str, row: i64) -> Result<PersonName, StoreError> {
    PersonName::new(last, first)
        .or_else(|_| PersonName::new(&line(last, PersonName::MAX), &line(first, PersonName::MAX)))
        .map_err(|_| corrupt("customers", "last_name", row))
}

pub(crate) fn person_reading(last: &str, first: &str) -> PersonReading {
    PersonReading::new(last, first).unwrap_or_default()
}

pub(crate) fn email(text: Option<&str>) -> Option<EmailAddress> {
    text.and_then(|text| EmailAddress::new(text).ok().flatten())
}

pub(crate) fn phone(text: Option<&str>) -> Option<PhoneNumber> {
    text.and_then(|text| PhoneNumber::new(text).ok().flatten())
}

pub(crate) fn website(text: Option<&str>) -> Option<Website> {
    text.and_then(|text| Website::new(text).ok().flatten())
}

pub(crate) fn address(text: Option<&str>) -> Option<Line> {
    text.and_then(|text| {
        Line::new(text)
            .or_else(|_| Line::new(&line(text, Line::MAX)))
            .ok()
    })
    .flatten()
}

pub(crate) fn user_id(text: Option<&str>) -> Option<LineUserId> {
    text.and_then(|text| LineUserId::new(text).ok().flatten())
}

pub(crate) fn remarks(text: &str) -> Remarks {
    Remarks::new(text)
        .or_else(|_| Remarks::new(&line(text, Remarks::MAX)))
        .unwrap_or_default()
}

/// Says which stored value makes no sense.
pub(crate) fn corrupt(table: &'static str, column: &'static str, row: i64) -> StoreError {
    StoreError::Corrupt { table, column, row }
}
