//! The form of a company: what was typed, and what the domain makes of it.

use crm_domain::companies::CompanyDetails;
use crm_domain::values::{CompanyName, CompanyReading, FieldError, Line, PhoneNumber, Remarks, Website};
use serde::Deserialize;

use super::{FormState, collect};
use crate::views::companies::COMPANY_FIELDS;

/// A company's form as a browser sends it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CompanyInput {
    /// 会社名.
    pub name: String,
    /// フリガナ.
    pub name_kana: String,
    /// 住所.
    pub address: String,
    /// Telephone number.
    pub phone: String,
    /// Web site.
    pub website: String,
    /// 備考; a form that lacks it leaves it as it is.
    pub remarks: Option<String>,
    /// The version that was read.
    pub version: Option<i64>,
    /// What the fields held when the form was drawn (`FormState::marks`).
    pub marks: String,
}

impl CompanyInput {
    /// The values, or every field's problem.
    pub fn parse(&self, remarks: Remarks) -> Result<CompanyDetails, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = collect(&mut errors, "name", CompanyName::new(&self.name));
        let name_kana = collect(&mut errors, "name_kana", CompanyReading::new(&self.name_kana));
        let address = collect(&mut errors, "address", Line::new(&self.address));
        let phone = collect(&mut errors, "phone", PhoneNumber::new(&self.phone));
        let website = collect(&mut errors, "website", Website::new(&self.website));
        let remarks = match &self.remarks {
            Some(text) => collect(&mut errors, "remarks", Remarks::new(text)),
            None => Some(remarks),
        };
        match (name, name_kana, address, phone, website, remarks) {
            (Some(name), Some(name_kana), Some(address), Some(phone), Some(website), Some(remarks)) => {
                Ok(CompanyDetails {
                    name,
                    name_kana,
                    address,
                    phone,
                    website,
                    remarks,
                })
            }
            _ => Err(errors),
        }
    }

    /// The form again, as it was typed.
    pub fn state(&self) -> FormState {
        let form = FormState::of(&COMPANY_FIELDS)
            .with("name", &self.name)
            .with("name_kana", &self.name_kana)
            .with("address", &self.address)
            .with("phone", &self.phone)
            .with("website", &self.website)
            .with("remarks", self.remarks.as_deref().unwrap_or_default());
        FormState {
            marks: self.marks.clone(),
            ..form
        }
    }
}

#[cfg(test)]
mod tests {
    use crm_domain::values::{Problem, Remarks};

    use super::CompanyInput;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let input = CompanyInput {
            website: "javascript:alert(1)".to_owned(),
            ..CompanyInput::default()
        };
        let errors = input.parse(Remarks::new("").unwrap()).unwrap_err();
        let found: Vec<_> = errors.iter().map(|error| (error.field, error.problem)).collect();
        assert_eq!(
            found,
            [("name", Problem::Required), ("website", Problem::Malformed)]
        );
    }
}
