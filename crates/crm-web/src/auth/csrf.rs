//! The token in every form: it proves that the form was drawn for this session, or before signing in for this browser.

use super::keys::Keys;

/// The form field that carries it.
pub(super) const FIELD: &str = "csrf_token";
/// The header in which scripts send it.
pub(super) const HEADER: &str = "x-csrf-token";

/// To whom a token belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder<'a> {
    /// A session, by its secret.
    Session(&'a str),
    /// A browser that is not signed in, by its id.
    Browser(&'a str),
}

impl Holder<'_> {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Session(secret) => ("csrf", secret),
            Self::Browser(id) => ("csrf before signing in", id),
        }
    }

    pub(super) fn token(&self, keys: &Keys) -> String {
        let (purpose, value) = self.parts();
        keys.prove(purpose, value)
    }

    pub(super) fn holds(&self, keys: &Keys, token: &str) -> bool {
        let (purpose, value) = self.parts();
        keys.check(purpose, value, token)
    }
}
