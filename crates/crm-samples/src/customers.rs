//! The customers of the demonstration.

use crm_domain::companies::CompanyId;
use crm_domain::customers::CustomerDetails;
use crm_domain::values::{
    EmailAddress, FieldError, LineUserId, PersonName, PersonReading, PhoneNumber, Remarks,
};

use crate::dice::pick;
use crate::user_id;
use crate::words::{FIRST_NAMES, LAST_NAMES};

/// How many there are.
pub(crate) const COUNT: u64 = 100;

/// Whether the customer with this number is on LINE WORKS: four of five are.
pub(crate) fn is_linked(number: u64) -> bool {
    number % 5 != 4
}

/// The customer with this number; `None` where a value is refused, which a test rules out.
pub(crate) fn customer(number: u64, companies: &[CompanyId]) -> Option<CustomerDetails> {
    let (last, last_kana) = LAST_NAMES[usize::try_from(number * 7 % 30).ok()?];
    let (first, first_kana) = *pick(&FIRST_NAMES, 11, number);
    let user = if is_linked(number) {
        user_id(number)
    } else {
        String::new()
    };
    details(Draft {
        name: PersonName::new(last, first),
        reading: PersonReading::new(last_kana, first_kana),
        email: if number % 7 == 3 {
            String::new()
        } else {
            format!("customer{:03}@example.jp", number + 1)
        },
        phone: format!("090-0000-{:04}", number + 1),
        user,
        company: (number % 13 != 12).then(|| *pick(companies, 5, number)),
        remarks: remarks(number),
    })
}

pub(crate) struct Draft {
    pub(crate) name: Result<PersonName, Vec<FieldError>>,
    pub(crate) reading: Result<PersonReading, Vec<FieldError>>,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) user: String,
    pub(crate) company: Option<CompanyId>,
    pub(crate) remarks: &'static str,
}

pub(crate) fn details(draft: Draft) -> Option<CustomerDetails> {
    Some(CustomerDetails {
        name: draft.name.ok()?,
        reading: draft.reading.ok()?,
        email: EmailAddress::new(&draft.email).ok()?,
        phone: PhoneNumber::new(&draft.phone).ok()?,
        line_user_id: LineUserId::new(&draft.user).ok()?,
        company_id: draft.company,
        remarks: Remarks::new(draft.remarks).ok()?,
    })
}

fn remarks(number: u64) -> &'static str {
    match number % 10 {
        1 => "午前中のご連絡を希望",
        5 => "展示会で名刺交換",
        8 => "決裁は部長\n請求書は月末締め",
        _ => "",
    }
}
