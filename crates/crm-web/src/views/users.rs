//! Contexts of the administration of members.

use serde::Serialize;

use super::Face;
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// Names of the fields of a new member.
pub const USER_FIELDS: [&str; 3] = ["member_name", "email", "role"];

/// `GET /admin/users`.
#[derive(Debug, Clone, Serialize)]
pub struct UsersPage {
    /// All members.
    pub rows: Vec<UserRow>,
    /// Keys of the roles one can give.
    pub roles: Vec<&'static str>,
    /// `member_name`, `email` and `role` of a new one.
    pub form: FormState,
    /// A one-time link, shown once.
    pub link: Option<OneTimeLink>,
    /// Whether there is only one administrator who can sign in.
    pub lonely: bool,
}

/// One member.
#[derive(Debug, Clone, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mark of its own in the list"
)]
pub struct UserRow {
    /// The member's number.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Key of the role's word.
    pub role: &'static str,
    /// Whether bringing data in is allowed beyond the role.
    pub import: bool,
    /// Whether taking whole lists out is allowed beyond the role.
    pub export: bool,
    /// Whether signing in is closed.
    pub disabled: bool,
    /// Whether it is the reader.
    pub me: bool,
    /// Initial and colour.
    pub face: Face,
    /// The teams, with a sign for leaders.
    pub teams: Vec<TeamTag>,
    /// Whether a second factor is asked for.
    pub factor: bool,
    /// When they were last seen, if they are signed in anywhere.
    pub seen: Option<String>,
}

/// A team beside a member's name.
#[derive(Debug, Clone, Serialize)]
pub struct TeamTag {
    /// The team's name.
    pub name: String,
    /// Whether the member leads it.
    pub leader: bool,
}

/// A link that signs somebody in once.
#[derive(Debug, Clone, Serialize)]
pub struct OneTimeLink {
    /// Whom.
    pub name: String,
    /// The whole address.
    pub address: String,
}

/// `GET /admin/users/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct UserPage {
    /// The member.
    pub user: UserRow,
    /// Since when the member is there.
    pub since: String,
    /// Whether a password is set.
    pub has_password: bool,
    /// Customers that the member owns.
    pub customers: usize,
    /// Conversations that the member handles.
    pub conversations: usize,
    /// Keys of the roles one can give.
    pub roles: Vec<&'static str>,
    /// Whether somebody else changed role or permissions in between.
    pub stale: bool,
    /// A one-time link, shown once.
    pub link: Option<OneTimeLink>,
}

/// `GET /admin/users/{id}/disable` and `GET /admin/users/{id}/hand-over`.
#[derive(Debug, Clone, Serialize)]
pub struct LeavePage {
    /// The member's number.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// Whether signing in is closed as well.
    pub disable: bool,
    /// Customers that the member owns.
    pub customers: usize,
    /// Conversations that the member handles.
    pub conversations: usize,
    /// Who can take over.
    pub successors: Vec<Successor>,
    /// What was chosen: a number, `nobody` or `later`; empty for nothing so far.
    pub chosen: String,
    /// Why it was not done.
    pub error: Option<Sentence>,
}

/// Somebody who can take over.
#[derive(Debug, Clone, Serialize)]
pub struct Successor {
    /// The member's number, as the form sends it.
    pub id: String,
    /// Full name.
    pub name: String,
}

impl UserRow {
    fn sample(id: i64, name: &str, role: &'static str) -> UserRow {
        UserRow {
            id,
            name: name.to_owned(),
            email: "hanako@example.jp".to_owned(),
            role,
            import: role == "member",
            export: false,
            disabled: false,
            me: id == 1,
            face: Face::of(id, name),
            teams: Vec::new(),
            factor: id == 1,
            seen: None,
        }
    }

    fn samples() -> Vec<UserRow> {
        let tag = |name: &str, leader| TeamTag {
            name: name.to_owned(),
            leader,
        };
        let here = UserRow {
            seen: Some("14:05".to_owned()),
            ..Self::sample(1, "田中 花子", "admin")
        };
        let led = UserRow {
            teams: vec![tag("営業第一チーム", true), tag("サポート", false)],
            ..Self::sample(2, "高橋 健", "member")
        };
        let gone = UserRow {
            disabled: true,
            export: true,
            ..Self::sample(3, "伊藤 誠", "viewer")
        };
        vec![here, led, gone]
    }
}

fn link_sample() -> OneTimeLink {
    OneTimeLink {
        name: "高橋 健".to_owned(),
        address: "https://crm.example.jp/link/0123456789abcdef".to_owned(),
    }
}

const ROLES: [&str; 3] = ["member", "viewer", "admin"];

impl Page for UsersPage {
    const TEMPLATE: &'static str = "users.html";

    fn samples() -> Vec<UsersPage> {
        let page = UsersPage {
            rows: UserRow::samples(),
            roles: ROLES.to_vec(),
            form: FormState::of(&USER_FIELDS).with("role", "member"),
            link: None,
            lonely: false,
        };
        let mut told = UsersPage {
            link: Some(link_sample()),
            lonely: true,
            ..page.clone()
        };
        told.form.refuse("email", Sentence::of("problem.email.taken"));
        vec![page, told]
    }
}

impl Page for UserPage {
    const TEMPLATE: &'static str = "user.html";

    fn samples() -> Vec<UserPage> {
        let pages = UserRow::samples().into_iter().map(|user| UserPage {
            since: "2025年7月8日（火）".to_owned(),
            has_password: user.id == 1,
            customers: 12,
            conversations: 3,
            roles: ROLES.to_vec(),
            stale: user.id == 2,
            link: (user.id == 2).then(link_sample),
            user,
        });
        pages.collect()
    }
}

impl Page for LeavePage {
    const TEMPLATE: &'static str = "user_leave.html";

    fn samples() -> Vec<LeavePage> {
        let asked = LeavePage {
            id: 2,
            name: "高橋 健".to_owned(),
            disable: true,
            customers: 12,
            conversations: 3,
            successors: vec![Successor {
                id: "1".to_owned(),
                name: "田中 花子".to_owned(),
            }],
            chosen: String::new(),
            error: None,
        };
        let refused = LeavePage {
            disable: false,
            chosen: "1".to_owned(),
            error: Some(Sentence::of("problem.to.required")),
            ..asked.clone()
        };
        let free = LeavePage {
            customers: 0,
            conversations: 0,
            ..asked.clone()
        };
        let idle = LeavePage {
            disable: false,
            ..free.clone()
        };
        vec![asked, refused, free, idle]
    }
}
