//! The board, its lines alone, how many wait, and the way to whoever waits longest.

use crm_domain::board::{BoardCursor, BoardLine, BoardRequest, Column, Tab};
use crm_domain::conversations::ConversationId;
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Action;
use crm_domain::teams::Visible;
use poem::http::StatusCode;
use poem::web::Query;
use poem::{Response, Route, get, handler};
use serde::Deserialize;
use serde_json::json;

use super::activities::answer;
use super::{may, times};
use crate::auth::{Signed, Visitor};
use crate::links;
use crate::page::Menu;
use crate::problem::Failure;
use crate::views::board::{
    BoardFragment, BoardLines, BoardPage, ColumnView, CountsView, LineView, Reader, TabView, page_of,
};

const TABS: [&str; 4] = ["mine", "team", "unowned", "all"];

pub(super) fn mount(route: Route) -> Route {
    route
        .at(links::HOME, get(show))
        .at(links::BOARD_FRAGMENT, get(fragment))
        .at(links::BOARD_COUNTS, get(tell_counts))
        .at(links::NEXT_WAITING, get(next))
}

/// What the address of the board says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BoardQuery {
    /// `mine`, `team`, `unowned` or `all`; empty for all.
    tab: String,
    /// One column alone.
    column: String,
    /// Where the page of that column before this one ended.
    after: String,
}

impl BoardQuery {
    fn tab_code(&self) -> &str {
        if self.tab.is_empty() { "all" } else { &self.tab }
    }

    fn tab_of(&self, by: &Signed) -> Result<Tab, Failure> {
        match self.tab_code() {
            "mine" => Ok(Tab::Mine(by.member.id)),
            "team" => Ok(Tab::Team(by.member.id)),
            "unowned" => Ok(Tab::Unowned),
            "all" => Ok(Tab::All),
            _ => Err(Failure::Parameter("tab")),
        }
    }

    /// The column that is shown alone, if any.
    fn column(&self) -> Result<Option<Column>, Failure> {
        match self.column.as_str() {
            "" => Ok(None),
            code => Column::from_code(code)
                .map(Some)
                .ok_or(Failure::Parameter("column")),
        }
    }

    fn after(&self) -> Result<Option<BoardCursor>, Failure> {
        match self.after.as_str() {
            "" => Ok(None),
            text => Ok(Some(text.parse()?)),
        }
    }

    /// The board's address with another column or place.
    fn address(&self, column: &str, after: &str) -> String {
        let pairs = [("tab", self.tab.as_str()), ("column", column), ("after", after)];
        links::with_query(links::HOME, &pairs)
    }

    async fn lines(&self, visitor: &Visitor, by: &Signed) -> Result<BoardLines, Failure> {
        let alone = self.column()?;
        let times = times(visitor);
        let reader = Reader {
            me: by.member.id,
            may_handle: may(by, Action::HandleConversations),
            times: &times,
        };
        let mut columns = Vec::new();
        for column in Column::ALL {
            if alone.is_none_or(|alone| alone == column) {
                columns.push(self.one(visitor, by, column, &reader).await?);
            }
        }
        let nothing = columns.iter().all(|column| column.lines.is_empty());
        Ok(BoardLines {
            columns,
            empty: nothing && alone.is_none() && self.tab_of(by)? == Tab::All,
            all: alone.map(|_| self.address("", "")),
        })
    }

    async fn one(
        &self,
        visitor: &Visitor,
        by: &Signed,
        column: Column,
        reader: &Reader<'_>,
    ) -> Result<ColumnView, Failure> {
        let after = self.after()?.filter(|_| !self.column.is_empty());
        let request = BoardRequest {
            column,
            tab: self.tab_of(by)?,
            reader: Some(by.member.id),
            visible: Visible::All,
            after,
            limit: PageRequest::ROWS,
        };
        let board = visitor.app.crm.board(&by.actor, request).await?;
        let page = &board.page;
        let end = page
            .lines
            .last()
            .filter(|_| page.more)
            .and_then(BoardLine::cursor);
        let plus = if page.more { "+" } else { "" };
        Ok(ColumnView {
            code: column.code(),
            count: after.is_none().then(|| format!("{}{plus}", page.lines.len())),
            lines: LineView::all(&board, column, reader),
            next: end.map(|end| self.address(column.code(), &end.to_string())),
            first: after.map(|_| self.address(column.code(), "")),
        })
    }
}

#[handler]
async fn show(visitor: Visitor, by: Signed, Query(query): Query<BoardQuery>) -> Result<Response, Failure> {
    let lines = query.lines(&visitor, &by).await?;
    let shown = query.tab_code();
    let pairs = [("tab", shown), ("column", &query.column), ("after", &query.after)];
    let in_a_team = !visitor.app.crm.own_teams(&by.actor).await?.is_empty();
    let page = BoardPage {
        tabs: TABS
            .into_iter()
            .filter(|code| *code != "team" || in_a_team || shown == "team")
            .map(|code| TabView {
                code,
                href: links::with_query(links::HOME, &[("tab", code)]),
                active: code == shown,
            })
            .collect(),
        fragment: links::with_query(links::BOARD_FRAGMENT, &pairs),
        lines,
    };
    visitor.page(StatusCode::OK, Menu::Board, &page)
}

#[handler]
async fn fragment(
    visitor: Visitor,
    by: Signed,
    Query(query): Query<BoardQuery>,
) -> Result<Response, Failure> {
    let lines = query.lines(&visitor, &by).await?;
    let counts = counts_of(&visitor, &by).await?;
    visitor.page(StatusCode::OK, Menu::None, &BoardFragment { lines, counts })
}

#[handler]
async fn tell_counts(visitor: Visitor, by: Signed) -> Result<Response, Failure> {
    let counts = counts_of(&visitor, &by).await?;
    let body = json!({"waiting": counts.waiting, "mine": counts.mine, "unknown": counts.unknown});
    Ok(answer(StatusCode::OK, &body))
}

async fn counts_of(visitor: &Visitor, by: &Signed) -> Result<CountsView, Failure> {
    let counts = visitor.app.crm.board_counts(&by.actor, CountsView::LIMIT);
    Ok(CountsView::of(counts.await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NextQuery {
    /// The conversation that the reader looks at now.
    after: String,
}

/// To whoever waits longest and is not looked at already.
#[handler]
async fn next(visitor: Visitor, by: Signed, Query(query): Query<NextQuery>) -> Result<Response, Failure> {
    let here: Option<ConversationId> = query.after.parse().ok();
    let request = BoardRequest {
        column: Column::Waiting,
        tab: Tab::All,
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 2,
    };
    let board = visitor.app.crm.board(&by.actor, request).await?;
    let next = board
        .page
        .lines
        .iter()
        .find(|line| Some(line.conversation.id) != here);
    Ok(match next {
        Some(line) => visitor.redirect(&page_of(line), None),
        None => visitor.redirect(links::HOME, Some(("nobody_waits", None))),
    })
}
