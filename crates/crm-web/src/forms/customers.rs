//! The form of a customer: what was typed, and what the domain makes of it.

use crm_domain::companies::CompanyId;
use crm_domain::customers::CustomerDetails;
use crm_domain::values::{
    EmailAddress, FieldError, LineUserId, PersonName, PersonReading, PhoneNumber, Problem, Remarks,
};
use serde::Deserialize;

use super::{FormState, collect};
use crate::views::customers::CUSTOMER_FIELDS;

/// A customer's form as a browser sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CustomerInput {
    /// 姓.
    pub last_name: String,
    /// 名.
    pub first_name: String,
    /// セイ.
    pub last_name_kana: String,
    /// メイ.
    pub first_name_kana: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub phone: String,
    /// The company's number, or nothing.
    pub company_id: String,
    /// LINE WORKS ユーザーID.
    pub line_user_id: String,
    /// 備考; a form that lacks it leaves it as it is.
    pub remarks: Option<String>,
    /// The version that was read.
    pub version: Option<i64>,
    /// What the fields held when the form was drawn (`FormState::marks`).
    pub marks: String,
}

impl CustomerInput {
    /// The values, or every field's problem.
    pub fn parse(&self, remarks: Remarks) -> Result<CustomerDetails, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = PersonName::new(&self.last_name, &self.first_name);
        let name = name.map_err(|found| errors.extend(found)).ok();
        let reading = PersonReading::new(&self.last_name_kana, &self.first_name_kana);
        let reading = reading.map_err(|found| errors.extend(found)).ok();
        let email = collect(&mut errors, "email", EmailAddress::new(&self.email));
        let phone = collect(&mut errors, "phone", PhoneNumber::new(&self.phone));
        let company_id = collect(&mut errors, "company_id", company_id(&self.company_id));
        let line_user_id = collect(&mut errors, "line_user_id", LineUserId::new(&self.line_user_id));
        let remarks = match &self.remarks {
            Some(text) => collect(&mut errors, "remarks", Remarks::new(text)),
            None => Some(remarks),
        };
        match (name, reading, email, phone, company_id, line_user_id, remarks) {
            (
                Some(name),
                Some(reading),
                Some(email),
                Some(phone),
                Some(company_id),
                Some(user),
                Some(remarks),
            ) => Ok(CustomerDetails {
                name,
                reading,
                email,
                phone,
                line_user_id: user,
                company_id,
                remarks,
            }),
            _ => Err(errors),
        }
    }

    /// The form again, as it was typed.
    pub fn state(&self) -> FormState {
        let form = FormState::of(&CUSTOMER_FIELDS)
            .with("last_name", &self.last_name)
            .with("first_name", &self.first_name)
            .with("last_name_kana", &self.last_name_kana)
            .with("first_name_kana", &self.first_name_kana)
            .with("email", &self.email)
            .with("phone", &self.phone)
            .with("company_id", self.company_id.trim())
            .with("line_user_id", &self.line_user_id)
            .with("remarks", self.remarks.as_deref().unwrap_or_default());
        FormState {
            marks: self.marks.clone(),
            ..form
        }
    }
}

fn company_id(text: &str) -> Result<Option<CompanyId>, Problem> {
    match text.trim() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| Problem::Missing),
    }
}

/// Says so when a user id is not shaped like those that callbacks carry; such ids are taken all the same. A field that was
/// refused says why already.
pub fn warn_of_odd_user_id(form: &mut FormState) {
    let typed = form
        .fields
        .get("line_user_id")
        .filter(|field| field.error.is_none())
        .map(|field| field.value.clone())
        .unwrap_or_default();
    if let Ok(Some(user)) = LineUserId::new(&typed)
        && !user.is_uuid_shaped()
    {
        form.warn("line_user_id", "warning.user_id_shape");
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::values::{Problem, Remarks};

    use super::{CustomerInput, warn_of_odd_user_id};

    fn no_remarks() -> Remarks {
        Remarks::new("").unwrap()
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let input = CustomerInput {
            email: "taro@".to_owned(),
            phone: "abc".to_owned(),
            company_id: "x".to_owned(),
            ..CustomerInput::default()
        };
        let errors = input.parse(no_remarks()).unwrap_err();
        let found: Vec<_> = errors.iter().map(|error| (error.field, error.problem)).collect();
        assert_eq!(
            found,
            [
                ("last_name", Problem::Required),
                ("email", Problem::Malformed),
                ("phone", Problem::Malformed),
                ("company_id", Problem::Missing)
            ]
        );
        assert_eq!(input.state().fields["phone"].value, "abc");
    }

    #[test]
    fn a_form_without_remarks_keeps_them() {
        let input = CustomerInput {
            last_name: "山田".to_owned(),
            ..CustomerInput::default()
        };
        let kept = input.parse(Remarks::new("水曜休み").unwrap()).unwrap();
        assert_eq!(kept.remarks.as_str(), "水曜休み");
        assert_eq!(kept.email, None);
    }

    #[test]
    fn an_odd_user_id_is_taken_with_a_warning() {
        let warned = |id: &str| {
            let mut form = CustomerInput {
                line_user_id: id.to_owned(),
                ..CustomerInput::default()
            }
            .state();
            warn_of_odd_user_id(&mut form);
            form.fields["line_user_id"].warning.is_some()
        };
        assert!(warned("taro.yamada"));
        assert!(!warned("00000000-0000-4000-8000-000000000001"));
        assert!(!warned(""));
    }
}
