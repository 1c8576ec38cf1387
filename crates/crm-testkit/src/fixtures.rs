//! Values that tests need again and again.

use crm_domain::activities::{Direction, MessageKind, NewActivity};
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::conversations::{ConversationId, ConversationKey, ConversationKind};
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::instant::Instant;
use crm_domain::members::{Grants, MemberId, NewMember, Role};
use crm_domain::permissions::Actor;
use crm_domain::ports::profiles::{Profile, ProfileName};
use crm_domain::receipts::NewReceipt;
use crm_domain::sends::{Author, NewSend, SendId, Urgency};
use crm_domain::values::{
    CompanyName, CompanyReading, EmailAddress, LineUserId, MessageText, PersonName, PersonReading,
    PhoneNumber, Remarks,
};
use time::Duration;

/// The bot of tests.
pub const BOT: &str = "2000001";

/// 2025-07-08T02:45:46.446Z, the moment at which tests begin.
pub fn start() -> Instant {
    Instant::from_unix_millis(1_751_942_746_446)
}

/// So many seconds after [`start`], before it if negative.
pub fn after(seconds: i64) -> Instant {
    start().plus(Duration::seconds(seconds))
}

/// The `n`th of many user ids of the shape that callbacks carry.
pub fn user(n: u32) -> LineUserId {
    user_id(&format!("{n:08x}-0000-4000-8000-0000000000aa"))
}

/// A user id as typed.
pub fn user_id(text: &str) -> LineUserId {
    LineUserId::new(text).expect("a user id").expect("not empty")
}

/// 佐藤 次郎, as the directory knows the person with this id.
pub fn profile(user: &LineUserId) -> Profile {
    let text = str::to_owned;
    Profile {
        user_id: user.clone(),
        name: ProfileName {
            last: text("佐藤"),
            first: text("次郎"),
            last_kana: text("サトウ"),
            first_kana: text("ジロウ"),
        },
        email: text("jiro.sato@example"),
    }
}

/// A text to be sent.
pub fn text(text: &str) -> MessageText {
    MessageText::new(text).expect("a text")
}

/// An e-mail address.
pub fn email(text: &str) -> EmailAddress {
    EmailAddress::new(text).expect("an address").expect("not empty")
}

/// A telephone number.
pub fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).expect("a number").expect("not empty")
}

/// A company of which only the name is known.
pub fn company_details(name: &str) -> CompanyDetails {
    CompanyDetails {
        name: CompanyName::new(name).expect("a name"),
        name_kana: CompanyReading::default(),
        address: None,
        phone: None,
        website: None,
        remarks: Remarks::default(),
    }
}

/// A company with its reading.
pub fn company_read(name: &str, reading: &str) -> CompanyDetails {
    CompanyDetails {
        name_kana: CompanyReading::new(reading).expect("a reading"),
        ..company_details(name)
    }
}

/// A customer of whom only the name is known.
pub fn customer_details(last: &str, first: &str) -> CustomerDetails {
    CustomerDetails {
        name: PersonName::new(last, first).expect("a name"),
        reading: PersonReading::default(),
        email: None,
        phone: None,
        line_user_id: None,
        company_id: None,
        remarks: Remarks::default(),
    }
}

/// A customer with the reading of the name.
pub fn customer_read(name: (&str, &str), reading: (&str, &str)) -> CustomerDetails {
    CustomerDetails {
        reading: PersonReading::new(reading.0, reading.1).expect("a reading"),
        ..customer_details(name.0, name.1)
    }
}

/// A customer who carries a LINE WORKS user id.
pub fn customer_on(last: &str, first: &str, user: &LineUserId) -> CustomerDetails {
    CustomerDetails {
        line_user_id: Some(user.clone()),
        ..customer_details(last, first)
    }
}

/// A customer who belongs to a company.
pub fn customer_of(last: &str, first: &str, company: CompanyId) -> CustomerDetails {
    CustomerDetails {
        company_id: Some(company),
        ..customer_details(last, first)
    }
}

/// The conversation of a person with [`BOT`].
pub fn talk(user: &LineUserId) -> ConversationKey {
    ConversationKey {
        bot: BOT.to_owned(),
        address: user.clone(),
        kind: ConversationKind::Person,
    }
}

/// Words that a customer said, outside any conversation.
pub fn received(customer: CustomerId, message: &str, timestamp: Instant) -> NewActivity {
    NewActivity {
        customer_id: customer,
        conversation_id: None,
        receipt_id: None,
        send_id: None,
        note_id: None,
        late: false,
        direction: Direction::Received,
        kind: MessageKind::Text,
        message: message.to_owned(),
        detail: None,
        timestamp,
    }
}

/// Words that a customer said in a conversation.
pub fn received_in(
    conversation: ConversationId,
    customer: CustomerId,
    message: &str,
    timestamp: Instant,
) -> NewActivity {
    NewActivity {
        conversation_id: Some(conversation),
        ..received(customer, message, timestamp)
    }
}

/// A message of ours on a customer's page.
pub fn sent_in(
    conversation: ConversationId,
    customer: CustomerId,
    send: SendId,
    message: &str,
    timestamp: Instant,
) -> NewActivity {
    NewActivity {
        direction: Direction::Sent,
        send_id: Some(send),
        note_id: None,
        late: false,
        ..received_in(conversation, customer, message, timestamp)
    }
}

/// A callback with this body, kept at that time; equal arguments give equal unique keys.
pub fn receipt(body: &str, received_at: Instant) -> NewReceipt {
    let mut digest = [0u8; 16];
    for (at, byte) in body.bytes().enumerate() {
        digest[at % 16] = digest[at % 16].wrapping_mul(31) ^ byte;
    }
    NewReceipt {
        bot: BOT.to_owned(),
        issued: received_at.to_string(),
        digest,
        body: body.as_bytes().to_vec(),
        received_at,
    }
}

/// A message to be sent, written by the operator.
pub fn new_send(key: &str, conversation: ConversationId, words: &str, queued_at: Instant) -> NewSend {
    NewSend {
        key: key.to_owned(),
        conversation_id: conversation,
        text: text(words),
        author: Author {
            member_id: None,
            name: "operator".to_owned(),
        },
        urgency: Urgency::Answer,
        queued_at,
    }
}

/// A member without password.
pub fn new_member(address: &str, name: &str, role: Role) -> NewMember {
    NewMember {
        email: email(address),
        name: name.to_owned(),
        role,
        password_hash: None,
    }
}

/// An actor with the rights of an administrator.
pub fn admin() -> Actor {
    person(1, "管理 花子", Role::Admin)
}

/// An actor with the rights of a plain member.
pub fn member() -> Actor {
    person(2, "一般 太郎", Role::Member)
}

/// An actor who may only look.
pub fn viewer() -> Actor {
    person(3, "閲覧 次郎", Role::Viewer)
}

/// A member who acts in the web page.
pub fn person(id: i64, name: &str, role: Role) -> Actor {
    Actor::Member {
        id: MemberId::new(id),
        name: name.to_owned(),
        role,
        grants: Grants::default(),
    }
}

/// The command line.
pub fn operator() -> Actor {
    Actor::Operator {
        name: "operator".to_owned(),
    }
}
