//! The handlers of the pages: parse, use case, view, render or redirect.

mod activities;
mod admin;
mod api_docs;
mod asking;
mod audit;
mod backups;
mod board;
mod callbacks;
mod companies;
mod connection;
mod customers;
mod drafts;
mod exports;
mod factors;
mod files;
mod handling;
mod leaving;
mod member_rights;
mod members;
mod myself;
mod notes;
mod owners;
mod phone;
mod profiles;
mod retention;
mod searches;
mod send_acts;
mod sender_links;
mod senders;
mod sends;
mod sessions;
mod teams;
mod tokens;
mod trash;

use std::str::FromStr;

use crm_domain::id::Id;
use crm_domain::paging::{Cursor, PageRequest};
use crm_domain::permissions::Action;
use poem::Route;
use serde::Deserialize;

use crate::auth::{Signed, Visitor};
use crate::format::Times;
use crate::links;
use crate::problem::Failure;
use crate::views::Pager;

/// Adds the addresses of the pages.
pub fn mount(route: Route) -> Route {
    [
        board::mount,
        customers::mount,
        companies::mount,
        searches::mount,
        exports::mount,
        audit::mount,
        connection::mount,
        activities::mount,
        files::mount,
        handling::mount,
        sends::mount,
        drafts::mount,
        notes::mount,
        owners::mount,
        send_acts::mount,
        senders::mount,
        sender_links::mount,
        admin::mount,
        members::mount,
        member_rights::mount,
        leaving::mount,
        teams::mount,
        tokens::mount,
        sessions::mount,
        factors::mount,
        myself::mount,
        retention::mount,
        backups::mount,
        trash::mount,
        callbacks::mount,
        phone::mount,
        profiles::mount,
        api_docs::mount,
    ]
    .into_iter()
    .fold(route, |route, mount| mount(route))
}

/// What the address of a list says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    /// What is searched for.
    q: String,
    /// Where the page before ended.
    after: String,
}

impl ListQuery {
    /// The page that is asked for.
    fn page(&self) -> Result<PageRequest, Failure> {
        let after = match self.after.as_str() {
            "" => None,
            text => Some(Cursor::from_str(text)?),
        };
        Ok(PageRequest::after(after, PageRequest::ROWS))
    }

    /// Ways to the rows before and behind, which keep what is searched for.
    fn pager(&self, path: &str, next: Option<&Cursor>) -> Pager {
        let next = next
            .map(|cursor| links::with_query(path, &[("q", self.q.trim()), ("after", &cursor.to_string())]));
        let first = (!self.after.is_empty()).then(|| links::with_query(path, &[("q", self.q.trim())]));
        Pager { next, first }
    }
}

/// The id in an address; what is no id is no page.
fn id<T>(text: &str) -> Result<Id<T>, Failure> {
    Ok(text.parse()?)
}

/// How times are told to this reader.
fn times(visitor: &Visitor) -> Times {
    Times::new(
        visitor.language,
        visitor.app.settings.zone.clone(),
        visitor.app.crm.now(),
    )
}

/// Whether the reader may do this, so that no button is offered that would be refused.
fn may(by: &Signed, action: Action) -> bool {
    by.actor.may(action).is_ok()
}

#[cfg(test)]
mod tests {
    use crm_domain::paging::Cursor;

    use super::ListQuery;

    #[test]
    fn the_next_page_keeps_what_is_searched_for() {
        let cursor = Cursor {
            key: "や".to_owned(),
            id: 7,
        };
        let query = ListQuery {
            q: " 山 ".to_owned(),
            after: cursor.to_string(),
        };
        assert_eq!(query.page().unwrap().after, Some(cursor.clone()));
        let pager = query.pager("/customers", Some(&cursor));
        assert_eq!(
            pager.next.as_deref(),
            Some("/customers?q=%E5%B1%B1&after=7.e38284")
        );
        assert_eq!(pager.first.as_deref(), Some("/customers?q=%E5%B1%B1"));
        assert!(
            ListQuery {
                after: "x".to_owned(),
                ..ListQuery::default()
            }
            .page()
            .is_err()
        );
    }
}
