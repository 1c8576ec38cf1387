//! Contexts of API tokens.

use serde::Serialize;

use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// Names of the fields of a new token.
pub const TOKEN_FIELDS: [&str; 6] = ["token_name", "read", "write", "send", "expires", "member"];

/// `GET /admin/tokens`.
#[derive(Debug, Clone, Serialize)]
pub struct TokensPage {
    /// All tokens, and the form of a new one.
    pub tokens: Tokens,
}

/// Tokens and the form of a new one; everybody's, or one's own.
#[derive(Debug, Clone, Serialize)]
pub struct Tokens {
    /// Where the form of a new one posts.
    pub action: &'static str,
    /// What there is.
    pub rows: Vec<TokenRow>,
    /// `token_name`, `read`, `write`, `send` (`1` for ticked), `expires` (a date), `member` (a number).
    pub form: FormState,
    /// For whom one can be made; empty where one makes only one's own.
    pub owners: Vec<Owner>,
    /// Names the owner in the list.
    pub whose: bool,
    /// A secret, shown once.
    pub made: Option<Made>,
}

/// Somebody for whom a token acts.
#[derive(Debug, Clone, Serialize)]
pub struct Owner {
    /// The member's number, as the form sends it.
    pub id: String,
    /// Full name.
    pub name: String,
}

/// A token that was just made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    /// What it is called.
    pub name: String,
    /// Its secret.
    pub secret: String,
}

/// One token.
#[derive(Debug, Clone, Serialize)]
pub struct TokenRow {
    /// The token's number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// For whom it acts.
    pub owner: String,
    /// Codes of what it may be used for.
    pub scopes: Vec<&'static str>,
    /// When it was made.
    pub created: String,
    /// From when on it is refused.
    pub expires: Option<String>,
    /// When it was last used.
    pub used: Option<String>,
    /// `valid`, `expired` or `revoked`.
    pub state: &'static str,
}

impl Tokens {
    /// Believable ones, for samples of pages.
    pub(crate) fn samples() -> [Tokens; 2] {
        let row = |id, state, expires: Option<&str>, used: Option<&str>| TokenRow {
            id,
            name: "販売管理".to_owned(),
            owner: "田中 花子".to_owned(),
            scopes: vec!["read", "send"],
            created: "7月8日（火） 14:05".to_owned(),
            expires: expires.map(str::to_owned),
            used: used.map(str::to_owned),
            state,
        };
        let none = Tokens {
            action: "/me/tokens",
            rows: Vec::new(),
            form: FormState::of(&TOKEN_FIELDS).with("read", "1"),
            owners: Vec::new(),
            whose: false,
            made: None,
        };
        let mut all = Tokens {
            action: "/admin/tokens",
            rows: vec![
                row(1, "valid", Some("2027年7月8日（木）"), Some("14:05")),
                row(2, "expired", Some("2025年7月8日（火）"), None),
                row(3, "revoked", None, Some("7月8日（火） 14:05")),
            ],
            owners: vec![Owner {
                id: "1".to_owned(),
                name: "田中 花子".to_owned(),
            }],
            whose: true,
            made: Some(Made {
                name: "販売管理".to_owned(),
                secret: "0123456789abcdef0123456789abcdef".to_owned(),
            }),
            ..none.clone()
        };
        let no_scope = Sentence::of("problem.read.required");
        all.form = all.form.with("send", "1").with("member", "1");
        all.form.refuse("token_name", Sentence::of("problem.required"));
        all.form.refuse("read", no_scope);
        [none, all]
    }
}

impl Page for TokensPage {
    const TEMPLATE: &'static str = "tokens.html";

    fn samples() -> Vec<TokensPage> {
        Tokens::samples().map(|tokens| TokensPage { tokens }).into()
    }
}
