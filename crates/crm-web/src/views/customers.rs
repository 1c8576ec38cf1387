//! The customer list, a customer's page, the form and the confirmation before deleting.

use crm_domain::customers::{CustomerDetails, CustomerLine};
use crm_domain::members::MemberId;
use crm_domain::values::{EmailAddress, LineUserId, PhoneNumber};
use serde::Serialize;

use super::activities::{Composer, Talk, Who};
use super::talk_head::TalkHead;
use super::{CompanyRef, Face, LinkView, Pager, Phone, filled};
use crate::format::Times;
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// `GET /customers`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomersPage {
    /// What is searched for; empty shows all.
    pub q: String,
    /// At most 50.
    pub rows: Vec<CustomerRow>,
    /// Ways to the other rows.
    pub pager: Pager,
    /// Whether the reader may take the whole list out.
    pub may_export: bool,
}

/// One line of the list.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerRow {
    /// The customer's number.
    pub id: i64,
    /// 姓 and 名.
    pub name: String,
    /// セイ and メイ.
    pub reading: Option<String>,
    /// Initial and colour.
    pub face: Face,
    /// The company, if any.
    pub company: Option<CompanyRef>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<Phone>,
    /// LINE WORKS連携状態.
    pub link: LinkView,
    /// 担当者.
    pub owner: Option<String>,
    /// 要確認: made by itself, or of doubtful data.
    pub needs_look: bool,
}

/// 担当者 of a customer, and who can be chosen.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OwnerView {
    /// The member's number.
    pub id: Option<i64>,
    /// The name; none for 担当者なし.
    pub name: Option<String>,
    /// Active members, by name.
    pub choices: Vec<OwnerChoice>,
    /// The number of the customer's team.
    pub team: Option<i64>,
    /// All teams, by name; the page says nothing of teams while there are none.
    pub teams: Vec<OwnerChoice>,
    /// Whether the reader may choose.
    pub may_choose: bool,
}

/// A member who can become the owner, or a team.
#[derive(Debug, Clone, Serialize)]
pub struct OwnerChoice {
    /// The number.
    pub id: i64,
    /// The name.
    pub name: String,
}

impl From<(MemberId, String)> for OwnerChoice {
    fn from((id, name): (MemberId, String)) -> OwnerChoice {
        OwnerChoice { id: id.get(), name }
    }
}

/// `GET /customer/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerPage {
    /// The person.
    pub who: Who,
    /// The company, if any.
    pub company: Option<CompanyRef>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<Phone>,
    /// 備考.
    pub remarks: Option<String>,
    /// LINE WORKS ユーザーID.
    pub line_user_id: Option<String>,
    /// Whether that id is not shaped like those that callbacks carry.
    pub odd_user_id: bool,
    /// LINE WORKS連携状態.
    pub link: LinkView,
    /// 担当者.
    pub owner: OwnerView,
    /// 要確認: made by itself, or of doubtful data.
    pub needs_look: bool,
    /// Who waits, who has it.
    pub head: TalkHead,
    /// The conversation.
    pub talk: Talk,
    /// The field at its end.
    pub composer: Composer,
    /// The day, for the head of a printed page.
    pub printed_on: String,
}

/// `GET /customer/new` and `GET /customer/{id}/edit`.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerFormPage {
    /// The customer's number; none for a new one.
    pub id: Option<i64>,
    /// The version that was read, so that nobody's change is overwritten unseen.
    pub version: Option<i64>,
    /// The fields.
    pub form: FormState,
    /// What can be chosen as company.
    pub companies: Vec<CompanyRef>,
    /// Where キャンセル leads.
    pub back: String,
}

/// Names of the fields of a customer, in the order of the form.
pub const CUSTOMER_FIELDS: [&str; 9] = [
    "last_name",
    "first_name",
    "last_name_kana",
    "first_name_kana",
    "email",
    "phone",
    "company_id",
    "line_user_id",
    "remarks",
];

/// The company of a customer, as a link.
fn company_of(line: &CustomerLine) -> Option<CompanyRef> {
    let id = line.customer.details.company_id?.get();
    line.company_name.clone().map(|name| CompanyRef { id, name })
}

impl CustomerRow {
    /// The line of a list.
    pub fn of(line: &CustomerLine, times: &Times) -> CustomerRow {
        let details = &line.customer.details;
        let (id, name) = (line.customer.id.get(), details.name.full());
        CustomerRow {
            id,
            face: Face::of(id, &name),
            name,
            reading: filled(&details.reading.full()),
            company: company_of(line),
            email: details.email.as_ref().map(|email| email.as_str().to_owned()),
            phone: details.phone.as_ref().map(|phone| Phone::of(phone.as_str())),
            link: LinkView::of(line.link, times),
            owner: line.owner_name.clone(),
            needs_look: line.customer.needs_look,
        }
    }
}

impl CustomerPage {
    /// The page of a customer, with a part of the conversation.
    pub fn of(
        line: &CustomerLine,
        talk: Talk,
        composer: Composer,
        (head, owner): (TalkHead, OwnerView),
        times: &Times,
    ) -> CustomerPage {
        let row = CustomerRow::of(line, times);
        let user_id = line.customer.details.line_user_id.as_ref();
        CustomerPage {
            who: Who::of(line),
            company: row.company,
            email: row.email,
            phone: row.phone,
            remarks: filled(line.customer.details.remarks.as_str()),
            line_user_id: user_id.map(|id| id.as_str().to_owned()),
            odd_user_id: user_id.is_some_and(|id| !id.is_uuid_shaped()),
            link: row.link,
            owner,
            needs_look: row.needs_look,
            head,
            talk,
            composer,
            printed_on: times.today(),
        }
    }
}

/// The form of a customer as stored.
pub fn customer_form(details: &CustomerDetails) -> FormState {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    FormState::of(&CUSTOMER_FIELDS)
        .with("last_name", details.name.last())
        .with("first_name", details.name.first())
        .with("last_name_kana", details.reading.last())
        .with("first_name_kana", details.reading.first())
        .with("email", text(details.email.as_ref().map(EmailAddress::as_str)))
        .with("phone", text(details.phone.as_ref().map(PhoneNumber::as_str)))
        .with(
            "company_id",
            details.company_id.map(|id| id.to_string()).unwrap_or_default(),
        )
        .with(
            "line_user_id",
            text(details.line_user_id.as_ref().map(LineUserId::as_str)),
        )
        .with("remarks", details.remarks.as_str())
}

impl CustomerRow {
    fn sample(id: i64, name: &str, state: &'static str) -> CustomerRow {
        CustomerRow {
            id,
            name: name.to_owned(),
            reading: Some("ヤマダ タロウ".to_owned()),
            face: Face::of(id, name),
            company: Some(CompanyRef {
                id: 1,
                name: "株式会社山田製作所".to_owned(),
            }),
            email: Some("taro.yamada@example.jp".to_owned()),
            phone: Some(Phone::of("03-1234-5678")),
            link: LinkView {
                state,
                date: (state == "left").then(|| "7月8日（火）".to_owned()),
            },
            owner: (state == "active").then(|| "田中 花子".to_owned()),
            needs_look: state == "unconfirmed",
        }
    }

    /// Rows that show every state.
    pub(crate) fn samples() -> Vec<CustomerRow> {
        let mut bare = CustomerRow::sample(5, "髙﨑", "not_set");
        (bare.reading, bare.company, bare.email, bare.phone) = (None, None, None, None);
        vec![
            CustomerRow::sample(1, "山田 太郎", "active"),
            CustomerRow::sample(2, "<b>佐藤</b> 花子", "unconfirmed"),
            CustomerRow::sample(3, "鈴木 一郎", "left"),
            bare,
        ]
    }
}

impl Page for CustomersPage {
    const TEMPLATE: &'static str = "customers.html";

    fn samples() -> Vec<CustomersPage> {
        let pager = Pager {
            next: Some("/customers?q=%E5%B1%B1&after=abc".to_owned()),
            first: Some("/customers?q=%E5%B1%B1".to_owned()),
        };
        vec![
            CustomersPage {
                may_export: true,
                q: String::new(),
                rows: CustomerRow::samples(),
                pager: Pager {
                    next: pager.next.clone(),
                    first: None,
                },
            },
            CustomersPage {
                may_export: false,
                q: "山".to_owned(),
                rows: CustomerRow::samples(),
                pager,
            },
            CustomersPage {
                may_export: false,
                q: "山".to_owned(),
                rows: Vec::new(),
                pager: Pager::default(),
            },
            CustomersPage {
                may_export: false,
                q: String::new(),
                rows: Vec::new(),
                pager: Pager::default(),
            },
        ]
    }
}

impl Page for CustomerPage {
    const TEMPLATE: &'static str = "customer.html";

    fn samples() -> Vec<CustomerPage> {
        let [waiting, troubled, done, none] = TalkHead::samples();
        let row = CustomerRow::sample(1, "山田 太郎", "active");
        let full = CustomerPage {
            who: Who::sample(),
            company: row.company,
            email: row.email,
            phone: row.phone,
            remarks: Some("水曜は定休日".to_owned()),
            line_user_id: Some("00000000-0000-4000-8000-000000000001".to_owned()),
            odd_user_id: false,
            link: row.link,
            owner: OwnerView {
                id: Some(2),
                name: Some("田中 花子".to_owned()),
                choices: vec![(MemberId::new(2), "田中 花子".to_owned()).into()],
                team: Some(1),
                teams: vec![OwnerChoice {
                    id: 1,
                    name: "営業第一チーム".to_owned(),
                }],
                may_choose: true,
            },
            needs_look: false,
            head: waiting,
            talk: Talk::sample(),
            composer: Composer::sample(),
            printed_on: "2025年7月9日（水）".to_owned(),
        };
        let mut bare = full.clone();
        bare.remarks = None;
        (bare.head, bare.owner, bare.needs_look) = (none, OwnerView::default(), true);
        (bare.company, bare.email, bare.phone, bare.line_user_id) = (None, None, None, None);
        (bare.who.reading, bare.who.company_name) = (None, None);
        bare.link.state = "not_set";
        bare.talk = Talk::default();
        bare.composer = Composer {
            reachable: false,
            reason: Some("no_user_id"),
            ..Composer::sample()
        };
        let mut gone = full.clone();
        (gone.line_user_id, gone.odd_user_id) = (Some("taro.yamada".to_owned()), true);
        gone.link = LinkView {
            state: "left",
            date: Some("7月8日（火）".to_owned()),
        };
        (gone.head, gone.composer) = (troubled, Composer::sample_asked());
        let mut finished = full.clone();
        finished.head = done;
        finished.owner.id = Some(9);
        vec![full, bare, gone, finished]
    }
}

impl Page for CustomerFormPage {
    const TEMPLATE: &'static str = "customer_form.html";

    fn samples() -> Vec<CustomerFormPage> {
        let companies = vec![
            CompanyRef {
                id: 1,
                name: "株式会社山田製作所".to_owned(),
            },
            CompanyRef {
                id: 2,
                name: "青空商事株式会社".to_owned(),
            },
        ];
        let new = CustomerFormPage {
            id: None,
            version: None,
            form: FormState::of(&CUSTOMER_FIELDS),
            companies,
            back: "/customers".to_owned(),
        };
        let mut edit = CustomerFormPage {
            id: Some(1),
            version: Some(3),
            ..new.clone()
        };
        edit.form = edit
            .form
            .with("last_name", "山田")
            .with("email", "taro@")
            .with("company_id", "2");
        edit.form.refuse("email", Sentence::of("problem.email.malformed"));
        edit.form.warn("line_user_id", "warning.user_id_shape");
        let mut stale = edit.clone();
        let stored = FormState::of(&CUSTOMER_FIELDS).with("last_name", "山本");
        stale.form.refuse_stale(&stored, &edit.form);
        vec![new, edit, stale]
    }
}
