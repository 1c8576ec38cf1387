//! Context of the page for the first administrator.

use serde::Serialize;

use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// Names of the fields of the first administrator.
pub const SETUP_FIELDS: [&str; 3] = ["member_name", "email", "new_password"];

/// `GET /setup/{secret}`: looking at it does nothing, the button makes the administrator and uses it up.
#[derive(Debug, Clone, Serialize)]
pub struct SetupPage {
    /// Whether the link still works.
    pub valid: bool,
    /// Where the button posts.
    pub action: String,
    /// `member_name`, `email` and `new_password`.
    pub form: FormState,
}

impl Page for SetupPage {
    const TEMPLATE: &'static str = "setup.html";

    fn samples() -> Vec<SetupPage> {
        let fresh = SetupPage {
            valid: true,
            action: "/setup/abc".to_owned(),
            form: FormState::of(&SETUP_FIELDS),
        };
        let mut refused = SetupPage {
            form: FormState::of(&SETUP_FIELDS).with("member_name", "<b>佐藤"),
            ..fresh.clone()
        };
        refused.form.refuse("email", Sentence::of("problem.required"));
        let over = SetupPage {
            valid: false,
            ..fresh.clone()
        };
        vec![fresh, refused, over]
    }
}
