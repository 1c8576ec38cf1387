//! Signing in, one's own settings, and the administration of members.

use serde::Serialize;

use super::sessions::Sessions;
use super::tokens::Tokens;
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
    /// Names of one's teams.
    pub teams: Vec<String>,
    /// One's own choice; empty follows the server's.
    pub language: &'static str,
    /// Whether the old password is asked for.
    pub has_password: bool,
    /// `current_password` and `new_password`.
    pub form: FormState,
    /// Since when a second factor is asked for, if it is.
    pub factor: Option<String>,
    /// How many recovery codes are left.
    pub codes_left: usize,
    /// Where one is signed in.
    pub sessions: Sessions,
    /// One's own tokens.
    pub tokens: Tokens,
}

/// Names of the fields of `/login`.
pub const LOGIN_FIELDS: [&str; 2] = ["email", "password"];
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
            number: Some(12),
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
        let [none, mut all] = Tokens::samples();
        all.whose = false;
        all.owners = Vec::new();
        let settled = MePage {
            name: "田中 花子".to_owned(),
            email: "hanako@example.jp".to_owned(),
            role: "admin",
            teams: vec!["営業第一チーム".to_owned(), "サポート".to_owned()],
            language: "ja",
            has_password: true,
            form: FormState::of(&PASSWORD_FIELDS),
            factor: Some("2025年7月8日（火）".to_owned()),
            codes_left: 10,
            sessions: Sessions::sample(false),
            tokens: all,
        };
        let mut fresh = MePage {
            role: "member",
            teams: Vec::new(),
            language: "",
            has_password: false,
            factor: None,
            codes_left: 0,
            tokens: none,
            ..settled.clone()
        };
        fresh.form.refuse(
            "new_password",
            Sentence {
                key: "problem.too_short".to_owned(),
                number: Some(12),
                name: None,
            },
        );
        vec![settled, fresh]
    }
}
