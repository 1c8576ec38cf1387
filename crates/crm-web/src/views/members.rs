//! Signing in, one's own settings, and the administration of members.

use serde::Serialize;

use super::Face;
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// `GET /login`.
#[derive(Debug, Clone, Serialize)]
pub struct LoginPage {
    /// `email` and `password`; its error tells why the last try failed.
    pub form: FormState,
    /// Where to go afterwards; a path of ours.
    pub next: String,
}

/// The page behind a one-time link: looking at it does nothing, the button signs in and uses it up.
#[derive(Debug, Clone, Serialize)]
pub struct SignInLinkPage {
    /// Whether the link still works.
    pub valid: bool,
    /// Whom it signs in.
    pub name: String,
    /// Where the button posts.
    pub action: String,
    /// Whether a password is to be chosen on the way.
    pub ask_password: bool,
    /// `new_password`.
    pub form: FormState,
}

/// `GET /me`.
#[derive(Debug, Clone, Serialize)]
pub struct MePage {
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Key of the role's word.
    pub role: &'static str,
    /// One's own choice; empty follows the server's.
    pub language: &'static str,
    /// Whether the old password is asked for.
    pub has_password: bool,
    /// `current_password` and `new_password`.
    pub form: FormState,
}

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
}

/// One member.
#[derive(Debug, Clone, Serialize)]
pub struct UserRow {
    /// The member's number.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Key of the role's word.
    pub role: &'static str,
    /// Whether signing in is closed.
    pub disabled: bool,
    /// Whether it is the reader.
    pub me: bool,
    /// Initial and colour.
    pub face: Face,
}

/// A link that signs somebody in once.
#[derive(Debug, Clone, Serialize)]
pub struct OneTimeLink {
    /// Whom.
    pub name: String,
    /// The whole address.
    pub address: String,
}

/// Names of the fields of `/login`.
pub const LOGIN_FIELDS: [&str; 2] = ["email", "password"];
/// Names of the fields of a new member.
pub const USER_FIELDS: [&str; 3] = ["member_name", "email", "role"];
/// Names of the fields of a change of password.
pub const PASSWORD_FIELDS: [&str; 2] = ["current_password", "new_password"];

impl Page for LoginPage {
    const TEMPLATE: &'static str = "login.html";

    fn samples() -> Vec<LoginPage> {
        let first = LoginPage {
            form: FormState::of(&LOGIN_FIELDS),
            next: String::new(),
        };
        let mut again = LoginPage {
            next: "/customers".to_owned(),
            ..first.clone()
        };
        again.form.refuse_all(Sentence::of("error.sign_in_refused"));
        vec![first, again]
    }
}

impl Page for SignInLinkPage {
    const TEMPLATE: &'static str = "sign_in_link.html";

    fn samples() -> Vec<SignInLinkPage> {
        let plain = SignInLinkPage {
            valid: true,
            name: "田中 花子".to_owned(),
            action: "/sign-in/abc".to_owned(),
            ask_password: false,
            form: FormState::of(&["new_password"]),
        };
        let mut choose = SignInLinkPage {
            ask_password: true,
            ..plain.clone()
        };
        choose.form.refuse_all(Sentence {
            key: "problem.too_short".to_owned(),
            number: Some(8),
            name: None,
        });
        let over = SignInLinkPage {
            valid: false,
            ..plain.clone()
        };
        vec![plain, choose, over]
    }
}

impl Page for MePage {
    const TEMPLATE: &'static str = "me.html";

    fn samples() -> Vec<MePage> {
        let settled = MePage {
            name: "田中 花子".to_owned(),
            email: "hanako@example.jp".to_owned(),
            role: "admin",
            language: "ja",
            has_password: true,
            form: FormState::of(&PASSWORD_FIELDS),
        };
        let mut fresh = MePage {
            role: "member",
            language: "",
            has_password: false,
            ..settled.clone()
        };
        fresh.form.refuse(
            "new_password",
            Sentence {
                key: "problem.too_short".to_owned(),
                number: Some(8),
                name: None,
            },
        );
        vec![settled, fresh]
    }
}

impl Page for UsersPage {
    const TEMPLATE: &'static str = "users.html";

    fn samples() -> Vec<UsersPage> {
        let row = |id, name: &str, role, disabled| UserRow {
            id,
            name: name.to_owned(),
            email: "hanako@example.jp".to_owned(),
            role,
            disabled,
            me: id == 1,
            face: Face::of(id, name),
        };
        let page = UsersPage {
            rows: vec![
                row(1, "田中 花子", "admin", false),
                row(2, "高橋 健", "member", false),
                row(3, "伊藤 誠", "member", true),
            ],
            roles: vec!["member", "admin"],
            form: FormState::of(&USER_FIELDS).with("role", "member"),
            link: None,
        };
        let address = "https://crm.example.jp/sign-in/0123456789abcdef".to_owned();
        let mut told = UsersPage {
            link: Some(OneTimeLink {
                name: "高橋 健".to_owned(),
                address,
            }),
            ..page.clone()
        };
        told.form.refuse("email", Sentence::of("problem.email.taken"));
        let mut stale = page.clone();
        stale.form.stale = true;
        vec![page, told, stale]
    }
}
