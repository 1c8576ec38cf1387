//! A browser's own id: it holds the token of the sign-in form, and proves to which accounts the browser was signed in
//! before, so that a stranger's wrong guesses lock nobody out who is known.

use poem::http::HeaderMap;

use super::cookies::{BROWSER, cookie};
use super::keys::Keys;

/// How many accounts a browser is known for; the oldest is forgotten.
const ACCOUNTS: usize = 5;
const ID_LENGTH: usize = 64;

/// What the cookie says: `id`, or `id.proof.proof…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Browser {
    pub(super) id: String,
    proofs: Vec<String>,
}

impl Browser {
    /// A browser that was never here.
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            proofs: Vec::new(),
        }
    }

    /// The browser that sent these headers; `None` if it was never here.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parts = cookie(headers, BROWSER)?.split('.');
        let id = parts.next()?;
        let shaped = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        shaped.then(|| Self {
            id: id.to_owned(),
            proofs: parts.take(ACCOUNTS).map(str::to_owned).collect(),
        })
    }

    /// The cookie's value.
    pub(super) fn value(&self) -> String {
        let mut value = self.id.clone();
        for proof in &self.proofs {
            value.push('.');
            value.push_str(proof);
        }
        value
    }

    /// The id, if the browser was signed in to this account before.
    pub(super) fn known_for(&self, keys: &Keys, email: &str) -> Option<&str> {
        let value = self.claim(email);
        self.proofs
            .iter()
            .any(|proof| keys.check("known browser", &value, proof))
            .then_some(self.id.as_str())
    }

    /// Remembers that it was signed in to this account.
    pub(super) fn remember(&mut self, keys: &Keys, email: &str) {
        if self.known_for(keys, email).is_none() {
            let proof = keys.prove("known browser", &self.claim(email));
            self.proofs.insert(0, proof);
            self.proofs.truncate(ACCOUNTS);
        }
    }

    fn claim(&self, email: &str) -> String {
        format!("{}\n{}", self.id, email.trim().to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::{ACCOUNTS, Browser};
    use crate::auth::Keys;

    fn sent(browser: &Browser) -> Option<Browser> {
        let mut headers = HeaderMap::new();
        let line = format!("crm_browser={}", browser.value());
        headers.insert(header::COOKIE, HeaderValue::from_str(&line).unwrap());
        Browser::of(&headers)
    }

    #[test]
    fn a_browser_is_known_for_the_accounts_it_was_signed_in_to() {
        let keys = Keys::new(&[7; 32]);
        let mut browser = Browser::new("ab".repeat(32));
        assert_eq!(browser.known_for(&keys, "a@example.jp"), None);
        browser.remember(&keys, "A@example.jp ");
        let back = sent(&browser).unwrap();
        assert_eq!(
            back.known_for(&keys, "a@example.jp"),
            Some("ab".repeat(32).as_str())
        );
        assert_eq!(back.known_for(&keys, "b@example.jp"), None);
        let forged = Browser {
            id: "cd".repeat(32),
            ..back
        };
        assert_eq!(forged.known_for(&keys, "a@example.jp"), None);
    }

    #[test]
    fn the_cookie_stays_small_and_nonsense_is_nobody() {
        let keys = Keys::new(&[7; 32]);
        let mut browser = Browser::new("ab".repeat(32));
        (0..20).for_each(|number| browser.remember(&keys, &format!("{number}@example.jp")));
        assert_eq!(browser.proofs.len(), ACCOUNTS);
        assert!(browser.known_for(&keys, "19@example.jp").is_some());
        assert_eq!(sent(&Browser::new("<script>".to_owned())), None);
    }
}
