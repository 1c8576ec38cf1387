//! The typed contexts of the templates: plain values, ready to be shown.

pub mod activities;
pub mod admin;
pub mod api_docs;
pub mod audit;
pub mod backups;
pub mod board;
mod bodies;
pub mod companies;
pub mod connection;
pub mod conversation;
pub mod customers;
pub mod exports;
pub mod factors;
pub mod handling;
pub mod members;
pub mod phone;
pub mod profiles;
pub mod retention;
pub mod searches;
pub mod senders;
pub mod sessions;
pub mod setup;
mod snippets;
pub mod system;
pub mod talk_head;
pub mod teams;
pub mod tokens;
pub mod trash;
pub mod users;

use crm_domain::companies::Company;
use crm_domain::conversations::LinkStatus;
use serde::Serialize;

use crate::format::Times;

/// The coloured circle with one character that stands for a person or a company.
#[derive(Debug, Clone, Serialize)]
pub struct Face {
    /// The first character of the name.
    pub initial: String,
    /// Number of the colour, 0 to 7; stays the same for a record.
    pub tone: u8,
}

impl Face {
    /// The face of the record `id` called `name`.
    pub fn of(id: i64, name: &str) -> Face {
        let bare = ["株式会社", "有限会社", "合同会社", "一般社団法人"]
            .iter()
            .find_map(|form| name.strip_prefix(form))
            .map_or(name, str::trim_start);
        let initial = bare
            .chars()
            .find(|letter| letter.is_alphanumeric())
            .unwrap_or('・')
            .to_string();
        let tone = u8::try_from(id.rem_euclid(8)).unwrap_or_default();
        Face { initial, tone }
    }
}

/// A telephone number as it is shown and as it is dialled.
#[derive(Debug, Clone, Serialize)]
pub struct Phone {
    /// With its separators.
    pub shown: String,
    /// Digits and a leading plus only.
    pub dial: String,
}

impl Phone {
    /// Takes the number as it is stored.
    pub fn of(number: &str) -> Phone {
        let dial = number
            .chars()
            .filter(|letter| letter.is_ascii_digit() || *letter == '+')
            .collect::<String>();
        Phone {
            shown: number.to_owned(),
            dial,
        }
    }
}

/// Whether a customer can be reached over LINE WORKS.
#[derive(Debug, Clone, Serialize)]
pub struct LinkView {
    /// `active`, `unconfirmed`, `not_set` or `left`.
    pub state: &'static str,
    /// The day on which they left the talk.
    pub date: Option<String>,
}

impl LinkView {
    /// The status, with the day of a leaving.
    pub fn of(link: LinkStatus, times: &Times) -> LinkView {
        let date = match link {
            LinkStatus::Left(at) => Some(times.date(at)),
            _ => None,
        };
        LinkView {
            state: link.code(),
            date,
        }
    }
}

/// An empty text is nothing to show.
pub fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A company's name as a link.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyRef {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

impl CompanyRef {
    /// The link to a company.
    pub fn of(company: &Company) -> CompanyRef {
        CompanyRef {
            id: company.id.get(),
            name: company.details.name.as_str().to_owned(),
        }
    }
}

/// Ways to other parts of a list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pager {
    /// Address of the next rows.
    pub next: Option<String>,
    /// Address of the first rows, when these are not the first.
    pub first: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Face, Phone};

    #[test]
    fn a_face_shows_what_tells_names_apart() {
        assert_eq!(Face::of(3, "株式会社山田製作所").initial, "山");
        assert_eq!(Face::of(-1, "𠮷野 家").initial, "𠮷");
        assert_eq!(Face::of(1, "").initial, "・");
    }

    #[test]
    fn a_number_is_dialled_without_its_dashes() {
        assert_eq!(Phone::of("+81 3-1234-5678").dial, "+81312345678");
    }
}
