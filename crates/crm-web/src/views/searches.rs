//! What a search found.

use crm_domain::activities::MessageKind;
use crm_domain::searches::{Found, MessageFound};
use crm_domain::sends::SendState;
use crm_domain::values::SearchWords;
use serde::Serialize;

use super::Face;
use super::companies::CompanyRow;
use super::conversation::{place_code, side};
use super::customers::CustomerRow;
use super::snippets::Snippet;
use crate::format::Times;
use crate::links;
use crate::page::Page;
use crate::sentence::Sentence;

/// Messages on a full page.
const FULL: usize = 50;

/// `GET /search`.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the template asks for each by name")]
pub struct SearchPage {
    /// What was typed.
    pub q: String,
    /// Why it was not searched for.
    pub problem: Option<Sentence>,
    /// Whether something was searched for.
    pub asked: bool,
    /// Whether nothing at all was found.
    pub nothing: bool,
    /// The first customers.
    pub customers: Vec<CustomerRow>,
    /// Address of the list of all of them, when there are more.
    pub all_customers: Option<String>,
    /// The first companies.
    pub companies: Vec<CompanyRow>,
    /// Address of the list of all of them, when there are more.
    pub all_companies: Option<String>,
    /// The messages, the one recorded last first.
    pub messages: Vec<MessageRow>,
    /// Address of further messages.
    pub next: Option<String>,
    /// Whether there are as many messages as a page has.
    pub is_full: bool,
    /// Address of the first messages, when these are not the first.
    pub first: Option<String>,
    /// Whether all messages can be found already.
    pub is_complete: bool,
}

/// One message that was found.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRow {
    /// Where it stands.
    pub href: String,
    /// The customer's name.
    pub name: String,
    /// The customer's company.
    pub company: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// `in`, `out` or `note`.
    pub side: &'static str,
    /// `queued`, `sending`, `failed` or `unknown`: of what did not surely reach the customer.
    pub state: Option<&'static str>,
    /// Who sent or wrote it.
    pub author: Option<String>,
    /// What it is, if not words.
    pub kind: Option<&'static str>,
    /// The words around what was searched for.
    pub snippet: Snippet,
    /// 7月8日（火） 14:05.
    pub when: String,
    /// With seconds.
    pub exact: String,
    /// For machines.
    pub iso: String,
}

impl SearchPage {
    /// What was found; `further` when these are not the first messages.
    pub fn of(typed: &str, further: bool, found: &Found, times: &Times) -> SearchPage {
        let q = typed.trim();
        let words = SearchWords::new(typed);
        let row = |message| MessageRow::of(message, words.as_ref(), times);
        let messages: Vec<MessageRow> = found.messages.items.iter().map(row).collect();
        let (customers, companies) = (&found.customers, &found.companies);
        let list = |path: &str, more: bool| more.then(|| links::with_query(path, &[("q", q)]));
        let behind = found.messages.next.map(|id| id.to_string());
        let next = behind.map(|after| links::with_query(links::SEARCH, &[("q", q), ("after", &after)]));
        let none = customers.items.is_empty() && companies.items.is_empty() && messages.is_empty();
        SearchPage {
            q: q.to_owned(),
            problem: None,
            asked: !q.is_empty(),
            nothing: !q.is_empty() && none && next.is_none() && !further,
            customers: customers
                .items
                .iter()
                .map(|line| CustomerRow::of(line, times))
                .collect(),
            all_customers: list(links::CUSTOMERS, customers.next.is_some()),
            companies: companies.items.iter().map(CompanyRow::of).collect(),
            all_companies: list(links::COMPANIES, companies.next.is_some()),
            is_full: messages.len() >= FULL,
            messages,
            next,
            first: list(links::SEARCH, further),
            is_complete: found.messages.is_complete,
        }
    }

    /// What was typed, and why it was not searched for.
    pub fn refused(typed: &str, problem: Sentence) -> SearchPage {
        SearchPage {
            q: typed.to_owned(),
            problem: Some(problem),
            ..SearchPage::default()
        }
    }
}

impl MessageRow {
    fn of(found: &MessageFound, words: Option<&SearchWords>, times: &Times) -> MessageRow {
        let MessageFound { activity, customer } = found;
        let name = customer.customer.details.name.full();
        let author = activity.sending.as_ref().map(|sending| sending.author.clone());
        let unsure = activity.send_state().filter(|state| *state != SendState::Sent);
        MessageRow {
            href: links::message(
                activity.customer_id.get(),
                &place_code(activity),
                activity.id.get(),
            ),
            face: Face::of(activity.customer_id.get(), &name),
            name,
            company: customer.company_name.clone(),
            side: side(activity.direction),
            state: unsure.map(SendState::code),
            author: author.or_else(|| activity.note_author.clone()),
            kind: (activity.kind != MessageKind::Text).then(|| activity.kind.code()),
            snippet: Snippet::of(&activity.message, words),
            when: times.short(activity.timestamp),
            exact: times.exact(activity.timestamp),
            iso: times.iso(activity.timestamp),
        }
    }

    fn sample(text: &str, side: &'static str) -> MessageRow {
        MessageRow {
            href: links::message(1, "1751951133000.7", 7),
            name: "山田 太郎".to_owned(),
            company: Some("株式会社山田製作所".to_owned()),
            face: Face::of(1, "山田 太郎"),
            side,
            state: None,
            author: (side != "in").then(|| "田中 花子".to_owned()),
            kind: None,
            snippet: Snippet::of(text, SearchWords::new("見積").as_ref()),
            when: "7月8日（火） 14:05".to_owned(),
            exact: "2025年7月8日（火） 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
        }
    }

    fn samples() -> Vec<MessageRow> {
        let state = |state| MessageRow {
            state: Some(state),
            ..MessageRow::sample("お見積りをお送りします。", "out")
        };
        let long = format!(
            "{}\n<b>佐藤</b>様のお見積りの件。{}",
            "前文。".repeat(90),
            "🏢".repeat(200)
        );
        let file = MessageRow {
            kind: Some("file"),
            ..MessageRow::sample("見積書.pdf", "in")
        };
        vec![
            MessageRow::sample(&long, "in"),
            MessageRow::sample("見積は本日中にお送りします。", "out"),
            state("failed"),
            state("unknown"),
            state("queued"),
            state("sending"),
            MessageRow::sample("見積は部長に確認済み", "note"),
            file,
        ]
    }
}

impl Page for SearchPage {
    const TEMPLATE: &'static str = "search.html";

    fn samples() -> Vec<SearchPage> {
        let all = SearchPage {
            q: "見積".to_owned(),
            asked: true,
            customers: CustomerRow::samples(),
            all_customers: Some("/customers?q=a".to_owned()),
            companies: CompanyRow::samples(),
            all_companies: Some("/companies?q=a".to_owned()),
            messages: MessageRow::samples(),
            next: Some("/search?q=a&after=7".to_owned()),
            is_full: true,
            is_complete: true,
            ..SearchPage::default()
        };
        let only_further = SearchPage {
            customers: Vec::new(),
            companies: Vec::new(),
            messages: Vec::new(),
            is_full: false,
            is_complete: false,
            ..all.clone()
        };
        let further = SearchPage {
            first: Some("/search?q=a".to_owned()),
            next: None,
            ..all.clone()
        };
        let only_customers = SearchPage {
            messages: Vec::new(),
            next: None,
            ..all.clone()
        };
        let nothing = SearchPage {
            q: "<b>佐藤".to_owned(),
            asked: true,
            nothing: true,
            is_complete: true,
            ..SearchPage::default()
        };
        let too_long = Sentence {
            number: Some(100),
            ..Sentence::of("problem.q.too_long")
        };
        let refused = SearchPage::refused(&"長".repeat(101), too_long);
        vec![
            all,
            only_further,
            further,
            only_customers,
            nothing,
            refused,
            SearchPage::default(),
        ]
    }
}
