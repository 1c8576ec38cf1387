//! `crm company`.

use crm_compose::Need;
use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::CustomerFilter;
use crm_domain::error::Error;
use crm_domain::paging::{Cursor, Page, PageRequest};
use crm_domain::values::normalise::fold_compact;
use serde_json::json;

use super::{DONE, Outcome};
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::fields::CompanyText;
use crate::output;
use crate::pages;
use crate::rows::CompanyRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Company {
    /// Show companies, ordered by reading or name.
    List(ListArgs),
    /// Show one company.
    Show {
        /// Its id.
        id: CompanyId,
    },
    /// Add a company.
    Add(CompanyFields),
    /// Change what is given of a company; an empty text clears a field.
    Edit {
        /// Its id.
        id: CompanyId,
        #[command(flatten)]
        fields: CompanyFields,
    },
    /// Move a company to the trash; its customers stay, without company.
    Delete {
        /// Its id.
        id: CompanyId,
    },
}

/// Which part of a list.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The most rows shown; if not given 50 in a table, all in JSON.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on behind this place, which the list before named.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// Only those that begin so.
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
}

impl ListArgs {
    /// The rows that are wanted, read by `page`.
    pub(crate) async fn read<T, F>(
        &self,
        context: &Context,
        page: impl FnMut(PageRequest) -> F,
    ) -> Result<Page<T>, Error>
    where
        F: Future<Output = Result<Page<T>, Error>>,
    {
        pages::read(self.after.clone(), rows(self.limit, context), page).await
    }
}

/// How many rows to show: a person is not flooded, a program does not miss any.
pub(crate) fn rows(limit: Option<u32>, context: &Context) -> usize {
    match limit {
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None if context.output.is_json() => usize::MAX,
        None => PageRequest::ROWS,
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompanyFields {
    /// Name.
    #[arg(long)]
    name: Option<String>,
    /// How the name is read.
    #[arg(long)]
    name_kana: Option<String>,
    /// Postal address.
    #[arg(long)]
    address: Option<String>,
    /// Telephone number.
    #[arg(long)]
    phone: Option<String>,
    /// Web address.
    #[arg(long)]
    website: Option<String>,
    /// Remarks.
    #[arg(long)]
    remarks: Option<String>,
}

impl CompanyFields {
    fn put(self, text: &mut CompanyText) {
        put(&mut text.name, self.name);
        put(&mut text.name_kana, self.name_kana);
        put(&mut text.address, self.address);
        put(&mut text.phone, self.phone);
        put(&mut text.website, self.website);
        put(&mut text.remarks, self.remarks);
    }
}

pub(crate) fn put(field: &mut String, given: Option<String>) {
    if let Some(given) = given {
        *field = given;
    }
}

pub(crate) async fn run(context: &Context, command: Company) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    match command {
        Company::List(list) => return show_list(context, &desk, &list).await,
        Company::Show { id } => show(context, &desk, id).await?,
        Company::Add(fields) => {
            let mut text = CompanyText::default();
            fields.put(&mut text);
            let id = crm.register_company(&desk.actor, text.check()?).await?;
            show(context, &desk, id).await?;
        }
        Company::Edit { id, fields } => {
            let stored = crm.show_company(&desk.actor, id).await?;
            let mut text = CompanyText::of(&stored.details);
            fields.put(&mut text);
            crm.revise_company(&desk.actor, id, Some(stored.version), text.check()?)
                .await?;
            show(context, &desk, id).await?;
        }
        Company::Delete { id } => {
            crm.discard_company(&desk.actor, id).await?;
            let sentence = context
                .output
                .texts()
                .fill("company.deleted", &[("id", &id.to_string())]);
            context
                .output
                .said(&sentence, &json!({"id": id, "deleted": true}));
        }
    }
    DONE
}

async fn show(context: &Context, desk: &Desk, id: CompanyId) -> Result<(), Failure> {
    let company = desk.parts.crm.show_company(&desk.actor, id).await?;
    let customers = customers_of(desk, id).await?;
    context
        .output
        .record(&CompanyRow::new(&company, customers), desk.zone());
    Ok(())
}

async fn customers_of(desk: &Desk, id: CompanyId) -> Result<i64, Error> {
    let filter = CustomerFilter {
        prefix: None,
        company: Some(id),
    };
    let read = |page| desk.parts.crm.list_customers(&desk.actor, filter.clone(), page);
    let page = pages::read(None, usize::MAX, read).await?;
    Ok(i64::try_from(page.items.len()).unwrap_or(i64::MAX))
}

async fn show_list(context: &Context, desk: &Desk, list: &ListArgs) -> Outcome {
    let prefix = list
        .query
        .as_deref()
        .map(fold_compact)
        .filter(|prefix| !prefix.is_empty());
    let filter = CompanyFilter { prefix };
    let read = |page| desk.parts.crm.list_companies(&desk.actor, filter.clone(), page);
    let page = list.read(context, read).await?;
    let rows: Vec<CompanyRow> = page
        .items
        .iter()
        .map(|line| CompanyRow::new(&line.company, line.customers))
        .collect();
    context.output.list(&rows, desk.zone());
    note_next(context, page.next.as_ref());
    DONE
}

/// A list that is cut says where it goes on.
pub(crate) fn note_next(context: &Context, next: Option<&Cursor>) {
    if let Some(next) = next {
        let line = context
            .output
            .texts()
            .fill("list.next", &[("cursor", &next.to_string())]);
        output::note(&line);
    }
}
