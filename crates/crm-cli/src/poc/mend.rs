//! Rows that hold what has no place in a field: the field stays empty or is cut, the remarks keep what was there.

use std::collections::BTreeMap;

use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::customers::CustomerDetails;
use crm_domain::values::{
    CompanyName, CompanyReading, EmailAddress, Line, LineUserId, PersonName, PersonReading, PhoneNumber,
    Problem, Remarks, Website,
};

use super::source::{PocCompany, PocCustomer};
use crate::failure::Failure;
use crate::texts::Texts;

/// Makes values of rows and counts what had to be mended, by the reason's name.
pub(super) struct Mender<'a> {
    texts: &'a Texts,
    pub(super) mended: BTreeMap<&'static str, u64>,
}

/// The remarks of one record as they grow.
#[derive(Default)]
struct Kept(Vec<String>);

impl<'a> Mender<'a> {
    pub(super) fn new(texts: &'a Texts) -> Self {
        Self {
            texts,
            mended: BTreeMap::new(),
        }
    }

    pub(super) fn count(&mut self, reason: &'static str) {
        *self.mended.entry(reason).or_default() += 1;
    }

    pub(super) fn company(&mut self, row: &PocCompany) -> Result<CompanyDetails, Failure> {
        let mut kept = Kept::default();
        let name = match self.cut(&mut kept, "name", &row.name, CompanyName::MAX) {
            name if name.is_empty() => {
                self.count("company_without_name");
                self.texts
                    .fill("poc.unnamed_company", &[("id", &row.id.to_string())])
            }
            name => name,
        };
        let address = self.cut(&mut kept, "address", &row.address, Line::MAX);
        let details = CompanyDetails {
            name: CompanyName::new(&name).map_err(|problem| broken("companies", row.id, problem))?,
            name_kana: CompanyReading::default(),
            address: Line::new(&address).unwrap_or(None),
            phone: self.value(&mut kept, "phone", &row.phone, PhoneNumber::new),
            website: self.value(&mut kept, "website", &row.website, Website::new),
            remarks: Remarks::default(),
        };
        Ok(CompanyDetails {
            remarks: kept.remarks(),
            ..details
        })
    }

    /// `company` is ours, if the row's company was found.
    pub(super) fn customer(
        &mut self,
        row: &PocCustomer,
        company: Option<CompanyId>,
    ) -> Result<CustomerDetails, Failure> {
        let mut kept = Kept::default();
        let last = self.cut(&mut kept, "last_name", &row.last_name, PersonName::MAX);
        let mut first = self.cut(&mut kept, "first_name", &row.first_name, PersonName::MAX);
        if last.is_empty() && first.is_empty() {
            self.count("customer_without_name");
            first = self
                .texts
                .fill("poc.unnamed_customer", &[("id", &row.id.to_string())]);
        }
        if let (Some(id), None) = (row.company_id, company) {
            self.count("company_missing");
            kept.0
                .push(self.texts.fill("poc.company_missing", &[("id", &id.to_string())]));
        }
        let details = CustomerDetails {
            name: PersonName::new(&last, &first)
                .map_err(|_| broken("customers", row.id, Problem::Malformed))?,
            reading: PersonReading::default(),
            email: self.value(&mut kept, "email", &row.email, EmailAddress::new),
            phone: self.value(&mut kept, "phone", &row.phone, PhoneNumber::new),
            line_user_id: self.value(&mut kept, "line_user_id", &row.line_user_id, LineUserId::new),
            company_id: company,
            remarks: Remarks::default(),
        };
        if details.line_user_id.as_ref().is_some_and(LineUserId::is_login_id) {
            self.count("login_id");
        }
        Ok(CustomerDetails {
            remarks: kept.remarks(),
            ..details
        })
    }

    /// A customer for messages whose customer is gone.
    pub(super) fn missing_customer(&mut self, id: i64) -> Result<CustomerDetails, Failure> {
        self.count("customer_missing");
        let id_text = id.to_string();
        let (last, first) = (
            self.texts.text("poc.missing_last_name"),
            self.texts.fill("poc.missing_first_name", &[("id", &id_text)]),
        );
        let remarks = self.texts.fill("poc.missing_remarks", &[("id", &id_text)]);
        Ok(CustomerDetails {
            name: PersonName::new(&last, &first).map_err(|_| broken("customers", id, Problem::Malformed))?,
            reading: PersonReading::default(),
            email: None,
            phone: None,
            line_user_id: None,
            company_id: None,
            remarks: Remarks::new(&remarks).unwrap_or_default(),
        })
    }

    /// One line of at most `max` characters; the whole text is kept when it is more.
    fn cut(&mut self, kept: &mut Kept, field: &'static str, text: &str, max: usize) -> String {
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let line = line.trim();
        if line.chars().count() <= max {
            return line.to_owned();
        }
        self.count("too_long");
        kept.0.push(self.labelled(field, line));
        line.chars().take(max).collect()
    }

    /// The value, or nothing and a line of the remarks.
    fn value<T>(
        &mut self,
        kept: &mut Kept,
        field: &'static str,
        text: &str,
        make: impl FnOnce(&str) -> Result<Option<T>, Problem>,
    ) -> Option<T> {
        if let Ok(value) = make(text) {
            return value;
        }
        self.count("malformed");
        kept.0.push(self.labelled(field, text.trim()));
        None
    }

    fn labelled(&self, field: &str, text: &str) -> String {
        let field = self.texts.text(&format!("column.{field}"));
        self.texts.fill("poc.kept", &[("field", &field), ("text", text)])
    }
}

impl Kept {
    fn remarks(&self) -> Remarks {
        let text: String = self
            .0
            .join("\n")
            .chars()
            .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
            .take(Remarks::MAX)
            .collect();
        Remarks::new(&text).unwrap_or_default()
    }
}

/// Cannot happen after mending; said rather than hidden.
fn broken(table: &'static str, id: i64, problem: Problem) -> Failure {
    let pairs = vec![
        ("table", table.to_owned()),
        ("id", id.to_string()),
        ("error", problem.to_string()),
    ];
    Failure::Own("poc_row", pairs)
}
