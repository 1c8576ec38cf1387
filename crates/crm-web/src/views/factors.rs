//! Contexts of the second factor.

use serde::Serialize;

use crate::forms::FormState;
use crate::page::Page;
use crate::qr::QrCode;
use crate::sentence::Sentence;

/// Names of the fields with which the second factor is begun.
pub const BEGIN_FIELDS: [&str; 1] = ["current_password"];
/// Names of the fields that prove the authenticator app.
pub const CODE_FIELDS: [&str; 1] = ["code"];
/// Names of the fields that give new recovery codes.
pub const RENEW_FIELDS: [&str; 1] = ["renew_code"];
/// Names of the fields with which the second factor is turned off.
pub const OFF_FIELDS: [&str; 2] = ["current_password", "code"];

/// `GET /me/factor`.
#[derive(Debug, Clone, Serialize)]
pub struct FactorPage {
    /// How far it is.
    pub step: FactorStep,
}

/// How far the second factor is.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum FactorStep {
    /// There is none: it is begun with the password.
    Off {
        /// `current_password`.
        form: FormState,
        /// Whether there is a password at all.
        has_password: bool,
    },
    /// An app was offered a seed and is to show its first code.
    Begun {
        /// The seed as a picture.
        qr: QrCode,
        /// The seed as text, in groups of four.
        secret: String,
        /// `code`.
        form: FormState,
    },
    /// It is asked for at sign-in.
    On {
        /// Since when.
        since: String,
        /// How many recovery codes are left.
        left: usize,
        /// `renew_code`, for new recovery codes.
        renew: FormState,
        /// `current_password` and `code`, to turn it off.
        off: FormState,
    },
    /// Recovery codes, shown once.
    Codes {
        /// The codes.
        codes: Vec<String>,
        /// All of them, one a line.
        all: String,
        /// Whether the factor was just turned on.
        fresh: bool,
    },
}

/// `GET /login/code`.
#[derive(Debug, Clone, Serialize)]
pub struct LoginCodePage {
    /// `code`; its error tells why the last try failed.
    pub form: FormState,
    /// Where to go afterwards; a path of ours.
    pub next: String,
}

impl Page for FactorPage {
    const TEMPLATE: &'static str = "factor.html";

    fn samples() -> Vec<FactorPage> {
        let off = |has_password| FactorStep::Off {
            form: FormState::of(&BEGIN_FIELDS),
            has_password,
        };
        let mut wrong = FormState::of(&CODE_FIELDS);
        wrong.refuse("code", Sentence::of("problem.wrong_code"));
        let begun = FactorStep::Begun {
            qr: QrCode::of("otpauth://totp/CRM:a@example.jp?secret=ABCD").unwrap_or_default(),
            secret: "ABCD EFGH".to_owned(),
            form: wrong,
        };
        let on = |left, renew| FactorStep::On {
            since: "2025年7月8日（火）".to_owned(),
            left,
            renew,
            off: FormState::of(&OFF_FIELDS),
        };
        let codes = |fresh| FactorStep::Codes {
            codes: vec!["abcd-efgh-jkmn".to_owned(), "pqrs-tuvw-xyz2".to_owned()],
            all: "abcd-efgh-jkmn\npqrs-tuvw-xyz2".to_owned(),
            fresh,
        };
        let fresh = FormState::of(&RENEW_FIELDS);
        let mut spent = fresh.clone();
        spent.refuse("renew_code", Sentence::of("problem.wrong_code"));
        [
            off(true),
            off(false),
            begun,
            on(10, fresh),
            on(2, spent),
            codes(true),
            codes(false),
        ]
        .map(|step| FactorPage { step })
        .into()
    }
}

impl Page for LoginCodePage {
    const TEMPLATE: &'static str = "login_code.html";

    fn samples() -> Vec<LoginCodePage> {
        let first = LoginCodePage {
            form: FormState::of(&CODE_FIELDS),
            next: String::new(),
        };
        let mut again = LoginCodePage {
            next: "/customers".to_owned(),
            ..first.clone()
        };
        again.form.refuse("code", Sentence::of("problem.wrong_code"));
        let mut held = again.clone();
        held.form.refuse_all(Sentence {
            key: "error.too_many_sign_ins".to_owned(),
            number: Some(600),
            name: None,
        });
        vec![first, again, held]
    }
}
