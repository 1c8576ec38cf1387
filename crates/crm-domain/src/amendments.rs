//! What programs write about customers and companies: field by field, as typed. What is `None` stays as it is; an empty text
//! empties the field.

use crate::companies::{CompanyDetails, CompanyId};
use crate::customers::CustomerDetails;
use crate::values::{
    CompanyName, CompanyReading, EmailAddress, FieldError, Line, LineUserId, PersonName, PersonReading,
    PhoneNumber, Problem, Remarks, Website,
};

/// What of a customer is to be as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerChange {
    /// 姓.
    pub last_name: Option<String>,
    /// 名.
    pub first_name: Option<String>,
    /// セイ.
    pub last_name_kana: Option<String>,
    /// メイ.
    pub first_name_kana: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// The person on LINE WORKS.
    pub line_user_id: Option<String>,
    /// The company, or none.
    pub company_id: Option<Option<CompanyId>>,
    /// Free text.
    pub remarks: Option<String>,
}

impl CustomerChange {
    /// A new customer of these values, or every field's problem.
    pub fn made(&self) -> Result<CustomerDetails, Vec<FieldError>> {
        self.over(None)
    }

    /// The customer with these values in place of the stored ones, or every field's problem.
    pub fn applied(&self, stored: &CustomerDetails) -> Result<CustomerDetails, Vec<FieldError>> {
        self.over(Some(stored))
    }

    fn over(&self, stored: Option<&CustomerDetails>) -> Result<CustomerDetails, Vec<FieldError>> {
        let mut errors = Vec::new();
        let had = stored.map_or(("", ""), |stored| (stored.name.last(), stored.name.first()));
        let name = PersonName::new(
            self.last_name.as_deref().unwrap_or(had.0),
            self.first_name.as_deref().unwrap_or(had.1),
        );
        let name = name.map_err(|found| errors.extend(found)).ok();
        let read = stored.map_or(("", ""), |stored| (stored.reading.last(), stored.reading.first()));
        let reading = PersonReading::new(
            self.last_name_kana.as_deref().unwrap_or(read.0),
            self.first_name_kana.as_deref().unwrap_or(read.1),
        );
        let reading = reading.map_err(|found| errors.extend(found)).ok();
        let email = field(&mut errors, "email", self.email.as_deref(), EmailAddress::new);
        let phone = field(&mut errors, "phone", self.phone.as_deref(), PhoneNumber::new);
        let user = field(
            &mut errors,
            "line_user_id",
            self.line_user_id.as_deref(),
            LineUserId::new,
        );
        let remarks = field(&mut errors, "remarks", self.remarks.as_deref(), Remarks::new);
        let (Some(name), Some(reading), true) = (name, reading, errors.is_empty()) else {
            return Err(errors);
        };
        Ok(CustomerDetails {
            name,
            reading,
            email: email.unwrap_or_else(|| stored?.email.clone()),
            phone: phone.unwrap_or_else(|| stored?.phone.clone()),
            line_user_id: user.unwrap_or_else(|| stored?.line_user_id.clone()),
            company_id: self.company_id.unwrap_or_else(|| stored?.company_id),
            remarks: match (remarks, stored) {
                (Some(remarks), _) => remarks,
                (None, Some(stored)) => stored.remarks.clone(),
                (None, None) => Remarks::default(),
            },
        })
    }
}

/// What of a company is to be as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompanyChange {
    /// Its name.
    pub name: Option<String>,
    /// How the name is read.
    pub name_kana: Option<String>,
    /// Postal address, one line.
    pub address: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Web address.
    pub website: Option<String>,
    /// Free text.
    pub remarks: Option<String>,
}

impl CompanyChange {
    /// A new company of these values, or every field's problem.
    pub fn made(&self) -> Result<CompanyDetails, Vec<FieldError>> {
        self.over(None)
    }

    /// The company with these values in place of the stored ones, or every field's problem.
    pub fn applied(&self, stored: &CompanyDetails) -> Result<CompanyDetails, Vec<FieldError>> {
        self.over(Some(stored))
    }

    fn over(&self, stored: Option<&CompanyDetails>) -> Result<CompanyDetails, Vec<FieldError>> {
        let mut errors = Vec::new();
        let had = stored.map_or(("", ""), |stored| {
            (stored.name.as_str(), stored.name_kana.as_str())
        });
        let name = field(
            &mut errors,
            "name",
            Some(self.name.as_deref().unwrap_or(had.0)),
            CompanyName::new,
        );
        let reading = field(
            &mut errors,
            "name_kana",
            Some(self.name_kana.as_deref().unwrap_or(had.1)),
            CompanyReading::new,
        );
        let address = field(&mut errors, "address", self.address.as_deref(), Line::new);
        let phone = field(&mut errors, "phone", self.phone.as_deref(), PhoneNumber::new);
        let website = field(&mut errors, "website", self.website.as_deref(), Website::new);
        let remarks = field(&mut errors, "remarks", self.remarks.as_deref(), Remarks::new);
        let (Some(name), Some(name_kana), true) = (name, reading, errors.is_empty()) else {
            return Err(errors);
        };
        Ok(CompanyDetails {
            name,
            name_kana,
            address: address.unwrap_or_else(|| stored?.address.clone()),
            phone: phone.unwrap_or_else(|| stored?.phone.clone()),
            website: website.unwrap_or_else(|| stored?.website.clone()),
            remarks: match (remarks, stored) {
                (Some(remarks), _) => remarks,
                (None, Some(stored)) => stored.remarks.clone(),
                (None, None) => Remarks::default(),
            },
        })
    }
}

/// The value of a field that is given and good; its problem is noted otherwise.
fn field<T>(
    errors: &mut Vec<FieldError>,
    name: &'static str,
    given: Option<&str>,
    value: impl FnOnce(&str) -> Result<T, Problem>,
) -> Option<T> {
    let read = value(given?);
    read.map_err(|problem| errors.push(FieldError::new(name, problem)))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{CompanyChange, CustomerChange};
    use crate::id::Id;
    use crate::values::Problem;

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn what_is_not_given_stays_and_an_empty_text_empties() {
        let stored = CustomerChange {
            last_name: Some(text("山田")),
            first_name: Some(text("太郎")),
            email: Some(text("taro@example.jp")),
            phone: Some(text("03-1234-5678")),
            company_id: Some(Some(Id::new(7))),
            remarks: Some(text("水曜休み")),
            ..CustomerChange::default()
        };
        let stored = stored.made().unwrap();
        let unchanged = CustomerChange::default().applied(&stored).unwrap();
        assert_eq!(unchanged, stored);
        let change = CustomerChange {
            first_name: Some(text("次郎")),
            phone: Some(text("")),
            company_id: Some(None),
            remarks: Some(text("")),
            ..CustomerChange::default()
        };
        let changed = change.applied(&stored).unwrap();
        assert_eq!((changed.name.last(), changed.name.first()), ("山田", "次郎"));
        assert_eq!((&changed.email, &changed.phone), (&stored.email, &None));
        assert_eq!((changed.company_id, changed.remarks.as_str()), (None, ""));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = CustomerChange {
            email: Some(text("x")),
            phone: Some(text("y")),
            ..CustomerChange::default()
        };
        let found: Vec<_> = wrong
            .made()
            .unwrap_err()
            .iter()
            .map(|error| (error.field, error.problem))
            .collect();
        assert_eq!(
            found,
            [
                ("last_name", Problem::Required),
                ("email", Problem::Malformed),
                ("phone", Problem::Malformed)
            ]
        );
        let company = CompanyChange {
            website: Some(text("javascript:alert(1)")),
            ..CompanyChange::default()
        };
        let found: Vec<_> = company
            .made()
            .unwrap_err()
            .iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(found, ["name", "website"]);
    }
}
