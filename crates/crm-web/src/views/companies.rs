//! The company list, a company's page and its form.

use crm_domain::companies::{Company, CompanyDetails, CompanyLine};
use crm_domain::values::{Line, PhoneNumber, website};
use serde::Serialize;

use super::customers::CustomerRow;
use super::{Face, Pager, Phone, filled};
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// `GET /companies`.
#[derive(Debug, Clone, Serialize)]
pub struct CompaniesPage {
    /// What is searched for; empty shows all.
    pub q: String,
    /// At most 50.
    pub rows: Vec<CompanyRow>,
    /// Ways to the other rows.
    pub pager: Pager,
    /// Whether the reader may take the whole list out.
    pub may_export: bool,
}

/// One line of the list.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyRow {
    /// The company's number.
    pub id: i64,
    /// 会社名.
    pub name: String,
    /// フリガナ.
    pub reading: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// 住所.
    pub address: Option<String>,
    /// Telephone number.
    pub phone: Option<Phone>,
    /// How many customers belong to it.
    pub customers: i64,
}

/// `GET /company/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyPage {
    /// The company's number.
    pub id: i64,
    /// 会社名.
    pub name: String,
    /// フリガナ.
    pub reading: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// 住所.
    pub address: Option<String>,
    /// Address and name on lines of their own, for copying.
    pub address_block: String,
    /// Telephone number.
    pub phone: Option<Phone>,
    /// Web site.
    pub website: Website,
    /// 備考.
    pub remarks: Option<String>,
    /// `people` or `talks`.
    pub tab: &'static str,
    /// 所属顧客.
    pub people: Vec<CustomerRow>,
    /// Ways to the other people.
    pub pager: Pager,
    /// やりとり, newest first.
    pub talks: Vec<TimelineEntry>,
}

/// A web site as text, and as a link when it is an http or https address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Website {
    /// As stored.
    pub shown: Option<String>,
    /// Only http and https.
    pub href: Option<String>,
}

impl Website {
    /// Takes the text as it is stored; old records hold anything, so only web addresses become links.
    pub fn of(stored: &str) -> Website {
        let shown = (!stored.trim().is_empty()).then(|| stored.trim().to_owned());
        let lower = stored.trim().to_ascii_lowercase();
        let is_web = lower.starts_with("http://") || lower.starts_with("https://");
        Website {
            href: shown.clone().filter(|_| is_web),
            shown,
        }
    }
}

/// One message of anybody in the company.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineEntry {
    /// The activity's number.
    pub id: i64,
    /// Whose conversation.
    pub customer_id: i64,
    /// The customer's name.
    pub name: String,
    /// Initial and colour.
    pub face: Face,
    /// `in`, `out` or `note`.
    pub side: &'static str,
    /// The beginning of the text.
    pub excerpt: String,
    /// 7月8日（火） 14:05.
    pub when: String,
    /// With seconds.
    pub exact: String,
    /// For machines.
    pub iso: String,
}

/// `GET /company/new` and `GET /company/{id}/edit`.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyFormPage {
    /// The company's number; none for a new one.
    pub id: Option<i64>,
    /// The version that was read, so that nobody's change is overwritten unseen.
    pub version: Option<i64>,
    /// The fields.
    pub form: FormState,
    /// Where キャンセル leads.
    pub back: String,
}

/// Names of the fields of a company, in the order of the form.
pub const COMPANY_FIELDS: [&str; 6] = ["name", "name_kana", "address", "phone", "website", "remarks"];

impl CompanyRow {
    /// The line of a list.
    pub fn of(line: &CompanyLine) -> CompanyRow {
        let details = &line.company.details;
        let id = line.company.id.get();
        CompanyRow {
            id,
            name: details.name.as_str().to_owned(),
            reading: filled(details.name_kana.as_str()),
            face: Face::of(id, details.name.as_str()),
            address: details
                .address
                .as_ref()
                .map(|address| address.as_str().to_owned()),
            phone: details.phone.as_ref().map(|phone| Phone::of(phone.as_str())),
            customers: line.customers,
        }
    }
}

impl CompanyPage {
    /// The page of a company without what stands in its tabs.
    pub fn of(company: &Company, tab: &'static str) -> CompanyPage {
        let details = &company.details;
        let name = details.name.as_str().to_owned();
        let address = details
            .address
            .as_ref()
            .map(|address| address.as_str().to_owned());
        CompanyPage {
            id: company.id.get(),
            reading: filled(details.name_kana.as_str()),
            face: Face::of(company.id.get(), &name),
            address_block: format!("{}\n{name}", address.as_deref().unwrap_or_default()),
            address,
            name,
            phone: details.phone.as_ref().map(|phone| Phone::of(phone.as_str())),
            website: details
                .website
                .as_ref()
                .map(|website| Website::of(website.as_str()))
                .unwrap_or_default(),
            remarks: filled(details.remarks.as_str()),
            tab,
            people: Vec::new(),
            pager: Pager::default(),
            talks: Vec::new(),
        }
    }
}

/// The form of a company as stored.
pub fn company_form(details: &CompanyDetails) -> FormState {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    FormState::of(&COMPANY_FIELDS)
        .with("name", details.name.as_str())
        .with("name_kana", details.name_kana.as_str())
        .with("address", text(details.address.as_ref().map(Line::as_str)))
        .with("phone", text(details.phone.as_ref().map(PhoneNumber::as_str)))
        .with(
            "website",
            text(details.website.as_ref().map(website::Website::as_str)),
        )
        .with("remarks", details.remarks.as_str())
}

impl CompanyRow {
    fn sample(id: i64, name: &str) -> CompanyRow {
        CompanyRow {
            id,
            name: name.to_owned(),
            reading: Some("ヤマダセイサクショ".to_owned()),
            face: Face::of(id, name),
            address: Some("東京都千代田区丸の内1-9-1".to_owned()),
            phone: Some(Phone::of("03-1234-5678")),
            customers: 12,
        }
    }

    /// Rows with and without what may be missing.
    pub(crate) fn samples() -> Vec<CompanyRow> {
        let bare = CompanyRow {
            reading: None,
            address: None,
            phone: None,
            ..CompanyRow::sample(2, "青空商事株式会社")
        };
        vec![CompanyRow::sample(1, "株式会社山田製作所"), bare]
    }
}

impl Page for CompaniesPage {
    const TEMPLATE: &'static str = "companies.html";

    fn samples() -> Vec<CompaniesPage> {
        let rows = CompanyRow::samples();
        let pager = Pager {
            next: Some("/companies?after=abc".to_owned()),
            first: Some("/companies".to_owned()),
        };
        vec![
            CompaniesPage {
                may_export: true,
                q: String::new(),
                rows: rows.clone(),
                pager: Pager::default(),
            },
            CompaniesPage {
                may_export: false,
                q: "青".to_owned(),
                rows,
                pager,
            },
            CompaniesPage {
                may_export: false,
                q: "青".to_owned(),
                rows: Vec::new(),
                pager: Pager::default(),
            },
            CompaniesPage {
                may_export: false,
                q: String::new(),
                rows: Vec::new(),
                pager: Pager::default(),
            },
        ]
    }
}

impl Page for CompanyPage {
    const TEMPLATE: &'static str = "company.html";

    fn samples() -> Vec<CompanyPage> {
        let row = CompanyRow::sample(1, "株式会社山田製作所");
        let entry = |id, side| TimelineEntry {
            id,
            customer_id: 1,
            name: "山田 太郎".to_owned(),
            face: Face::of(1, "山田"),
            side,
            excerpt: "見積の件、いかがでしょうか。".to_owned(),
            when: "昨日 14:05".to_owned(),
            exact: "2025年7月8日（火） 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
        };
        let people = CompanyPage {
            id: 1,
            name: row.name,
            reading: row.reading,
            face: row.face,
            address: row.address,
            address_block: "東京都千代田区丸の内1-9-1\n株式会社山田製作所".to_owned(),
            phone: row.phone,
            website: Website::of("https://example.co.jp/"),
            remarks: Some("請求書は月末締め".to_owned()),
            tab: "people",
            people: CustomerRow::samples(),
            pager: Pager {
                next: Some("/company/1?after=x".to_owned()),
                first: None,
            },
            talks: Vec::new(),
        };
        let talks = CompanyPage {
            tab: "talks",
            talks: vec![entry(1, "in"), entry(2, "out"), entry(3, "note")],
            website: Website::of("javascript:alert(1)"),
            ..people.clone()
        };
        let mut bare = CompanyPage {
            people: Vec::new(),
            website: Website::default(),
            ..people.clone()
        };
        (bare.reading, bare.address, bare.phone, bare.remarks) = (None, None, None, None);
        let silent = CompanyPage {
            tab: "talks",
            ..bare.clone()
        };
        vec![people, talks, bare, silent]
    }
}

impl Page for CompanyFormPage {
    const TEMPLATE: &'static str = "company_form.html";

    fn samples() -> Vec<CompanyFormPage> {
        let form = FormState::of(&COMPANY_FIELDS);
        let new = CompanyFormPage {
            id: None,
            version: None,
            form,
            back: "/companies".to_owned(),
        };
        let mut edit = CompanyFormPage {
            id: Some(1),
            version: Some(2),
            back: "/company/1".to_owned(),
            ..new.clone()
        };
        edit.form.refuse("name", Sentence::of("problem.required"));
        vec![new, edit]
    }
}

#[cfg(test)]
mod tests {
    use super::Website;

    #[test]
    fn only_web_addresses_become_links() {
        assert!(Website::of("javascript:alert(1)").href.is_none());
        assert!(Website::of("example.co.jp").href.is_none());
        assert!(Website::of(" HTTPS://example.co.jp ").href.is_some());
        assert!(Website::of("").shown.is_none());
    }
}
