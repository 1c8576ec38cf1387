//! Long lists, read page by page.

use crm_domain::activities::{Activity, ActivityPlace};
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::paging::{Cursor, Page, PageRequest};

use crate::context::Desk;

/// Rows read at once: a long list never holds the store's reader for long.
const PAGE: usize = 1_000;

/// The rows behind `after`, at most `limit`, as one page.
pub(crate) async fn read<T, F>(
    after: Option<Cursor>,
    limit: usize,
    mut page: impl FnMut(PageRequest) -> F,
) -> Result<Page<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut all = Page {
        items: Vec::new(),
        next: after,
    };
    loop {
        let wanted = PAGE.min(limit - all.items.len());
        let more = page(PageRequest::after(all.next.take(), wanted)).await?;
        all.items.extend(more.items);
        all.next = more.next;
        if all.next.is_none() || all.items.len() >= limit {
            return Ok(all);
        }
    }
}

/// The newest messages of a customer, newest first, at most `limit`.
pub(crate) async fn conversation(
    desk: &Desk,
    customer: CustomerId,
    limit: usize,
) -> Result<Vec<Activity>, Error> {
    let crm = &desk.parts.crm;
    let mut all: Vec<Activity> = Vec::new();
    loop {
        let wanted = PAGE.min(limit - all.len());
        let before = all.last().map(|last| ActivityPlace {
            timestamp: last.timestamp,
            id: last.id,
        });
        let more = crm.conversation(&desk.actor, customer, before, wanted).await?;
        let ended = more.len() < wanted;
        all.extend(more);
        if ended || all.len() >= limit {
            return Ok(all);
        }
    }
}
