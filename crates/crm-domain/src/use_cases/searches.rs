//! Searching everything at once, and the index by which messages are found.

use std::collections::HashMap;

use super::Crm;
use super::sight::Reader;
use crate::activities::ActivityId;
use crate::companies::CompanyFilter;
use crate::customers::{CustomerFilter, CustomerId, CustomerLine, CustomerPrefix};
use crate::error::Error;
use crate::paging::{Page, PageRequest};
use crate::permissions::{Action, Actor};
use crate::ports::store::{ReadUnit, StoreError, StoreExt};
use crate::searches::{Found, MessageFound, MessagesFound};
use crate::teams::Visible;
use crate::values::normalise::fold_compact;
use crate::values::search_words::LONGEST;
use crate::values::{FieldError, Problem, SearchWords};

/// How many customers and companies are shown beside the messages.
const RECORDS: usize = 10;
/// How many messages a page has.
const MESSAGES: usize = 50;

impl Crm {
    /// The customers and companies whose keys begin with what was typed, and the messages that say its words. The messages go
    /// on behind `before`; then neither customers nor companies are looked for. At most 100 characters.
    pub async fn search(
        &self,
        actor: &Actor,
        typed: &str,
        before: Option<ActivityId>,
    ) -> Result<Found, Error> {
        self.may(actor, Action::ViewRecords)?;
        if typed.trim().chars().count() > LONGEST {
            let problem = Problem::TooLong { max: LONGEST };
            return Err(Error::Invalid(vec![FieldError::new("q", problem)]));
        }
        let (reader, typed) = (Reader::of(actor), typed.to_owned());
        let read = move |unit: &mut dyn ReadUnit| {
            let visible = reader.visible(unit)?;
            let mut found = match before {
                None => records(unit, &typed, &visible)?,
                Some(_) => nothing(),
            };
            if let Some(words) = SearchWords::new(&typed) {
                found.messages = messages(unit, &words, before, &visible)?;
            }
            Ok(found)
        };
        self.ports.store.read(read).await
    }

    /// Lets older messages be found by their words, at most `limit` of them; says how many it were.
    pub async fn index_messages(&self, actor: &Actor, limit: usize) -> Result<usize, Error> {
        self.may(actor, Action::KeepHouse)?;
        let indexed = |unit: &mut dyn ReadUnit| Ok::<_, Error>(unit.activities().are_activities_indexed()?);
        if self.ports.store.read(indexed).await? {
            return Ok(0);
        }
        self.change_again(move |uow| Ok::<_, Error>(uow.edit_activities().index_activities(limit)?))
            .await
    }
}

fn nothing() -> Found {
    fn empty<T>() -> Page<T> {
        Page {
            items: Vec::new(),
            next: None,
        }
    }
    Found {
        customers: empty(),
        companies: empty(),
        messages: MessagesFound {
            items: Vec::new(),
            next: None,
            is_complete: true,
        },
    }
}

fn records(unit: &mut dyn ReadUnit, typed: &str, visible: &Visible) -> Result<Found, StoreError> {
    let mut found = nothing();
    let page = PageRequest::first(RECORDS);
    if let Some(prefix) = CustomerPrefix::new(typed) {
        let filter = CustomerFilter {
            prefix: Some(prefix),
            company: None,
        };
        found.customers = unit.customers().customer_list(&filter, &page, visible)?;
        let filter = CompanyFilter {
            prefix: Some(fold_compact(typed)),
        };
        found.companies = unit.companies().company_list(&filter, &page, visible)?;
    }
    Ok(found)
}

fn messages(
    unit: &mut dyn ReadUnit,
    words: &SearchWords,
    before: Option<ActivityId>,
    visible: &Visible,
) -> Result<MessagesFound, StoreError> {
    let saying = unit
        .activities()
        .activities_saying(words, before, MESSAGES, visible)?;
    let mut ids: Vec<CustomerId> = saying.items.iter().map(|message| message.customer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let customers: HashMap<CustomerId, CustomerLine> = unit
        .customers()
        .customer_lines(&ids, visible)?
        .into_iter()
        .map(|line| (line.customer.id, line))
        .collect();
    let items = saying.items.into_iter().filter_map(|activity| {
        let customer = customers.get(&activity.customer_id)?.clone();
        Some(MessageFound { activity, customer })
    });
    Ok(MessagesFound {
        items: items.collect(),
        next: saying.next,
        is_complete: unit.activities().are_activities_indexed()?,
    })
}
