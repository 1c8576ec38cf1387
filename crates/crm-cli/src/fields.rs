//! What was typed, made into the domain's values; every field's problem is collected.

use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::customers::CustomerDetails;
use crm_domain::values::{
    CompanyName, CompanyReading, EmailAddress, FieldError, Line, LineUserId, PersonName, PersonReading,
    PhoneNumber, Problem, Remarks, Website,
};

/// A company as typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompanyText {
    pub(crate) name: String,
    pub(crate) name_kana: String,
    pub(crate) address: String,
    pub(crate) phone: String,
    pub(crate) website: String,
    pub(crate) remarks: String,
}

impl CompanyText {
    pub(crate) fn of(details: &CompanyDetails) -> Self {
        Self {
            name: details.name.as_str().to_owned(),
            name_kana: details.name_kana.as_str().to_owned(),
            address: details.address.as_ref().map_or("", Line::as_str).to_owned(),
            phone: details.phone.as_ref().map_or("", PhoneNumber::as_str).to_owned(),
            website: details.website.as_ref().map_or("", Website::as_str).to_owned(),
            remarks: details.remarks.as_str().to_owned(),
        }
    }

    pub(crate) fn check(&self) -> Result<CompanyDetails, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = noted(&mut wrong, "name", CompanyName::new(&self.name));
        let name_kana = noted(&mut wrong, "name_kana", CompanyReading::new(&self.name_kana));
        let address = noted(&mut wrong, "address", Line::new(&self.address));
        let phone = noted(&mut wrong, "phone", PhoneNumber::new(&self.phone));
        let website = noted(&mut wrong, "website", Website::new(&self.website));
        let remarks = noted(&mut wrong, "remarks", Remarks::new(&self.remarks));
        let details = || {
            Some(CompanyDetails {
                name: name?,
                name_kana: name_kana?,
                address: address?,
                phone: phone?,
                website: website?,
                remarks: remarks?,
            })
        };
        details().ok_or(wrong)
    }
}

/// A customer as typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct CustomerText {
    pub(crate) last_name: String,
    pub(crate) first_name: String,
    pub(crate) last_name_kana: String,
    pub(crate) first_name_kana: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) line_user_id: String,
    pub(crate) company_id: Option<CompanyId>,
    pub(crate) remarks: String,
}

impl CustomerText {
    pub(crate) fn of(details: &CustomerDetails) -> Self {
        Self {
            last_name: details.name.last().to_owned(),
            first_name: details.name.first().to_owned(),
            last_name_kana: details.reading.last().to_owned(),
            first_name_kana: details.reading.first().to_owned(),
            email: details.email.as_ref().map_or("", EmailAddress::as_str).to_owned(),
            phone: details.phone.as_ref().map_or("", PhoneNumber::as_str).to_owned(),
            line_user_id: details
                .line_user_id
                .as_ref()
                .map_or("", LineUserId::as_str)
                .to_owned(),
            company_id: details.company_id,
            remarks: details.remarks.as_str().to_owned(),
        }
    }

    pub(crate) fn check(&self) -> Result<CustomerDetails, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = all_noted(&mut wrong, PersonName::new(&self.last_name, &self.first_name));
        let reading = all_noted(
            &mut wrong,
            PersonReading::new(&self.last_name_kana, &self.first_name_kana),
        );
        let email = noted(&mut wrong, "email", EmailAddress::new(&self.email));
        let phone = noted(&mut wrong, "phone", PhoneNumber::new(&self.phone));
        let line_user_id = noted(&mut wrong, "line_user_id", LineUserId::new(&self.line_user_id));
        let remarks = noted(&mut wrong, "remarks", Remarks::new(&self.remarks));
        let details = || {
            Some(CustomerDetails {
                name: name?,
                reading: reading?,
                email: email?,
                phone: phone?,
                line_user_id: line_user_id?,
                company_id: self.company_id,
                remarks: remarks?,
            })
        };
        details().ok_or(wrong)
    }
}

fn noted<T>(wrong: &mut Vec<FieldError>, field: &'static str, value: Result<T, Problem>) -> Option<T> {
    value
        .map_err(|problem| wrong.push(FieldError::new(field, problem)))
        .ok()
}

fn all_noted<T>(wrong: &mut Vec<FieldError>, value: Result<T, Vec<FieldError>>) -> Option<T> {
    value.map_err(|errors| wrong.extend(errors)).ok()
}
