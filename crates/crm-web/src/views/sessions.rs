//! Contexts of the browsers that are signed in.

use serde::Serialize;

use crate::page::Page;

/// `GET /admin/sessions`.
#[derive(Debug, Clone, Serialize)]
pub struct SessionsPage {
    /// Everybody's.
    pub sessions: Sessions,
}

/// Browsers that are signed in; everybody's, or one's own.
#[derive(Debug, Clone, Serialize)]
pub struct Sessions {
    /// Where a session's button posts its name.
    pub end: &'static str,
    /// Where the button for all of them posts.
    pub end_all: &'static str,
    /// Last used first.
    pub rows: Vec<SessionRow>,
    /// Names the member in the list.
    pub whose: bool,
}

/// One browser.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// The public name by which it is ended.
    pub id: String,
    /// Who is signed in.
    pub member: String,
    /// The browser in short words, if it is known.
    pub browser: Option<String>,
    /// The address it signed in from, if it is known.
    pub address: Option<String>,
    /// Since when.
    pub since: String,
    /// When it was last used.
    pub seen: String,
    /// Whether it is the reader's present one.
    pub present: bool,
}

impl Sessions {
    /// Believable ones, for samples of pages.
    pub(crate) fn sample(whose: bool) -> Sessions {
        let row = |id: &str, browser: Option<&str>, address: Option<&str>| SessionRow {
            id: id.to_owned(),
            member: "田中 花子".to_owned(),
            browser: browser.map(str::to_owned),
            address: address.map(str::to_owned),
            since: "7月8日（火） 14:05".to_owned(),
            seen: "9:12".to_owned(),
            present: id == "00aa",
        };
        Sessions {
            end: if whose {
                "/admin/sessions/end"
            } else {
                "/me/sessions/end"
            },
            end_all: if whose {
                "/admin/sessions/end-all"
            } else {
                "/me/sessions/end-all"
            },
            rows: vec![
                row("00aa", Some("Chrome · Windows"), Some("192.0.2.7")),
                row("00bb", None, None),
            ],
            whose,
        }
    }
}

impl Page for SessionsPage {
    const TEMPLATE: &'static str = "sessions.html";

    fn samples() -> Vec<SessionsPage> {
        vec![SessionsPage {
            sessions: Sessions::sample(true),
        }]
    }
}
