//! Searching everything at once: customers, companies and what was said.

use crate::activities::{Activity, ActivityId};
use crate::companies::CompanyLine;
use crate::customers::CustomerLine;
use crate::paging::Page;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The first customers, as their list finds them.
    pub customers: Page<CustomerLine>,
    /// The first companies, as their list finds them.
    pub companies: Page<CompanyLine>,
    /// What was said.
    pub messages: MessagesFound,
}

/// Messages that say all the words of a search, the one recorded last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesFound {
    /// The messages.
    pub items: Vec<MessageFound>,
    /// Where a further page goes on: there may be more.
    pub next: Option<ActivityId>,
    /// Whether every message can be found already: after an update or a copy the older ones follow by and by.
    pub is_complete: bool,
}

/// A message, and on whose page it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFound {
    /// The message.
    pub activity: Activity,
    /// The customer.
    pub customer: CustomerLine,
}

/// The messages of one look into a store's index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saying {
    /// The one recorded last first.
    pub items: Vec<Activity>,
    /// Where the look ended before everything was looked at.
    pub next: Option<ActivityId>,
}
