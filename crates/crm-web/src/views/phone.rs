//! The page of the demonstration on which one plays a customer.

use serde::Serialize;

use super::Face;
use crate::page::Page;

/// `GET /demo/phone`.
#[derive(Debug, Clone, Serialize)]
pub struct PhonePage {
    /// Whom one can play.
    pub people: Vec<Player>,
    /// Whom one plays.
    pub chosen: Player,
    /// Oldest first.
    pub messages: Vec<PhoneMessage>,
}

/// `GET /demo/phone/messages`.
#[derive(Debug, Clone, Serialize)]
pub struct PhoneFragment {
    /// Oldest first.
    pub messages: Vec<PhoneMessage>,
}

/// A sample customer.
#[derive(Debug, Clone, Serialize)]
pub struct Player {
    /// The customer's number.
    pub id: i64,
    /// 姓 and 名.
    pub name: String,
    /// Name of the company, if any.
    pub company: Option<String>,
    /// Initial and colour.
    pub face: Face,
}

/// A message as the customer's phone shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PhoneMessage {
    /// Whether the customer wrote it.
    pub mine: bool,
    /// As written.
    pub text: String,
    /// `14:05`.
    pub time: String,
    /// With date and seconds.
    pub exact: String,
    /// For machines.
    pub iso: String,
}

impl PhoneMessage {
    fn sample(mine: bool, text: &str) -> PhoneMessage {
        PhoneMessage {
            mine,
            text: text.to_owned(),
            time: "14:05".to_owned(),
            exact: "2025年7月8日（火） 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
        }
    }
}

impl Page for PhonePage {
    const TEMPLATE: &'static str = "phone.html";

    fn samples() -> Vec<PhonePage> {
        let player = |id, name: &str, company: Option<&str>| Player {
            id,
            name: name.to_owned(),
            company: company.map(str::to_owned),
            face: Face::of(id, name),
        };
        let chosen = player(1, "山田 太郎", Some("株式会社山田製作所"));
        let page = PhonePage {
            people: vec![chosen.clone(), player(2, "佐藤 花子", None)],
            chosen,
            messages: vec![
                PhoneMessage::sample(true, "見積の件、いかがでしょうか。"),
                PhoneMessage::sample(false, "本日中にお送りします。"),
            ],
        };
        let silent = PhonePage {
            messages: Vec::new(),
            ..page.clone()
        };
        vec![page, silent]
    }
}

impl Page for PhoneFragment {
    const TEMPLATE: &'static str = "phone_fragment.html";

    fn samples() -> Vec<PhoneFragment> {
        vec![PhoneFragment {
            messages: vec![PhoneMessage::sample(true, "<script>")],
        }]
    }
}
