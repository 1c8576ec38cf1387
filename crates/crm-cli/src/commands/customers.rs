//! `crm customer`.

use std::path::PathBuf;

use crm_compose::Need;
use crm_domain::companies::CompanyId;
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerPrefix};
use crm_domain::values::{FieldError, LineUserId, Problem};
use serde_json::json;

use super::companies::{ListArgs, note_next, put};
use super::users::find;
use super::{DONE, Outcome, privacy};
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::fields::CustomerText;
use crate::output;
use crate::rows::CustomerRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Customer {
    /// Show customers, ordered by reading or name; --query finds names, e-mail, phone and the LINE WORKS user id.
    List(ListArgs),
    /// Show one customer.
    Show {
        /// Its id.
        id: CustomerId,
    },
    /// Add a customer.
    Add(CustomerFields),
    /// Change what is given of a customer; an empty text clears a field.
    Edit {
        /// Its id.
        id: CustomerId,
        /// The owner's e-mail address or id; none for nobody.
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        fields: CustomerFields,
    },
    /// Move a customer to the trash.
    Delete {
        /// Its id.
        id: CustomerId,
    },
    /// Bring a customer back from the trash.
    Restore {
        /// Its id.
        id: CustomerId,
        /// Also when others have the same e-mail, phone or user id.
        #[arg(long)]
        anyway: bool,
    },
    /// Erase everything about a customer for good, and show the receipt.
    Erase {
        /// Its id.
        id: CustomerId,
        /// Yes, for good.
        #[arg(long)]
        yes: bool,
    },
    /// Write everything that is held about a customer as JSON.
    Export {
        /// Its id.
        id: CustomerId,
        /// Also write the files, each under its SHA-256, into this folder.
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
    },
    /// Set the LINE WORKS user id.
    Link {
        /// The customer's id.
        id: CustomerId,
        /// The LINE WORKS user id, or a login id (with @), whose user id LINE WORKS is asked for.
        user_id: String,
    },
    /// Remove the LINE WORKS user id.
    Unlink {
        /// The customer's id.
        id: CustomerId,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct CustomerFields {
    /// Family name.
    #[arg(long)]
    last_name: Option<String>,
    /// Given name.
    #[arg(long)]
    first_name: Option<String>,
    /// How the family name is read.
    #[arg(long)]
    last_name_kana: Option<String>,
    /// How the given name is read.
    #[arg(long)]
    first_name_kana: Option<String>,
    /// E-mail address.
    #[arg(long)]
    email: Option<String>,
    /// Telephone number.
    #[arg(long)]
    phone: Option<String>,
    /// LINE WORKS user id.
    #[arg(long)]
    line_user_id: Option<String>,
    /// The company's id; empty for none.
    #[arg(long)]
    company_id: Option<String>,
    /// Remarks.
    #[arg(long)]
    remarks: Option<String>,
}

impl Customer {
    /// LINE WORKS is asked only for the user id of a login id.
    fn need(&self) -> Need {
        let user = match self {
            Self::Add(fields) | Self::Edit { fields, .. } => fields.line_user_id.as_deref(),
            Self::Link { user_id, .. } => Some(user_id.as_str()),
            _ => None,
        };
        if user.is_some_and(|user| user.contains('@')) {
            Need::WithPages
        } else {
            Need::Store
        }
    }
}

impl CustomerFields {
    fn put(self, text: &mut CustomerText) -> Result<(), Failure> {
        put(&mut text.last_name, self.last_name);
        put(&mut text.first_name, self.first_name);
        put(&mut text.last_name_kana, self.last_name_kana);
        put(&mut text.first_name_kana, self.first_name_kana);
        put(&mut text.email, self.email);
        put(&mut text.phone, self.phone);
        put(&mut text.line_user_id, self.line_user_id);
        put(&mut text.remarks, self.remarks);
        if let Some(given) = self.company_id {
            text.company_id = company_id(&given)?;
        }
        Ok(())
    }
}

/// `None` for an empty text.
pub(crate) fn company_id(text: &str) -> Result<Option<CompanyId>, Vec<FieldError>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let id = text.trim().parse();
    id.map(Some)
        .map_err(|_| vec![FieldError::new("company_id", Problem::Malformed)])
}

pub(crate) async fn run(context: &Context, command: Customer) -> Outcome {
    let desk = context.desk(command.need()).await?;
    let crm = &desk.parts.crm;
    match command {
        Customer::List(list) => return show_list(context, &desk, &list).await,
        Customer::Show { id } => return show(context, &desk, id).await,
        Customer::Add(fields) => {
            let mut text = CustomerText::default();
            fields.put(&mut text)?;
            let id = crm.register_customer(&desk.actor, text.check()?).await?;
            return show(context, &desk, id).await;
        }
        Customer::Edit { id, owner, fields } => {
            edit(&desk, id, fields).await?;
            if let Some(wanted) = owner {
                let owner = match wanted.as_str() {
                    "" | "none" => None,
                    wanted => Some(find(&desk, wanted).await?.id),
                };
                crm.assign_owner(&desk.actor, id, owner).await?;
            }
            return show(context, &desk, id).await;
        }
        Customer::Delete { id } => {
            crm.discard_customer(&desk.actor, id).await?;
            let sentence = context
                .output
                .texts()
                .fill("customer.deleted", &[("id", &id.to_string())]);
            context
                .output
                .said(&sentence, &json!({"id": id, "deleted": true}));
        }
        Customer::Restore { id, anyway } => return privacy::restore(context, &desk, id, anyway).await,
        Customer::Erase { id, yes } => return privacy::erase(context, &desk, id, yes).await,
        Customer::Export { id, files } => return privacy::export(&desk, id, files).await,
        Customer::Link { id, user_id } => {
            let user = LineUserId::new(&user_id)
                .and_then(|user| user.ok_or(Problem::Required))
                .map_err(|problem| vec![FieldError::new("line_user_id", problem)])?;
            if !user.is_uuid_shaped() && !user.is_login_id() {
                output::note(&context.output.texts().text("customer.odd_user_id"));
            }
            crm.link_customer(&desk.actor, id, Some(user)).await?;
            return show(context, &desk, id).await;
        }
        Customer::Unlink { id } => {
            crm.link_customer(&desk.actor, id, None).await?;
            return show(context, &desk, id).await;
        }
    }
    DONE
}

async fn edit(desk: &Desk, id: CustomerId, fields: CustomerFields) -> Result<(), Failure> {
    let stored = desk.parts.crm.show_customer(&desk.actor, id).await?.customer;
    let mut text = CustomerText::of(&stored.details);
    fields.put(&mut text)?;
    desk.parts
        .crm
        .revise_customer(&desk.actor, id, Some(stored.version), text.check()?)
        .await?;
    Ok(())
}

async fn show(context: &Context, desk: &Desk, id: CustomerId) -> Outcome {
    let line = desk.parts.crm.show_customer(&desk.actor, id).await?;
    context.output.record(&CustomerRow::new(&line), desk.zone());
    DONE
}

async fn show_list(context: &Context, desk: &Desk, list: &ListArgs) -> Outcome {
    let filter = CustomerFilter {
        prefix: list.query.as_deref().and_then(CustomerPrefix::new),
        company: None,
    };
    let read = |page| desk.parts.crm.list_customers(&desk.actor, filter.clone(), page);
    let page = list.read(context, read).await?;
    let rows: Vec<CustomerRow> = page.items.iter().map(CustomerRow::new).collect();
    context.output.list(&rows, desk.zone());
    note_next(context, page.next.as_ref());
    DONE
}
