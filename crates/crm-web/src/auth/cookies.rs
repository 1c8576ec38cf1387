//! Cookies: reading one, and the headers that set and end one.

use std::time::Duration;

use poem::Response;
use poem::http::{HeaderMap, HeaderValue, header};

/// The session.
pub(super) const SESSION: &str = "crm_session";
/// A sign-in that waits for the second factor.
pub(super) const PENDING: &str = "crm_sign_in";
/// The browser, before and after signing in.
pub(super) const BROWSER: &str = "crm_browser";

/// The value of a cookie; the first one of this name counts.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Whether a browser says that it is signed in.
pub fn in_session(headers: &HeaderMap) -> bool {
    cookie(headers, SESSION).is_some()
}

/// Adds a cookie for the whole site that scripts cannot read and strangers' forms do not send. `value` is of characters
/// that need no quoting.
pub fn set_cookie(response: &mut Response, name: &str, value: &str, life: Duration, https: bool) {
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        life.as_secs()
    );
    if let Ok(cookie) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Ends a cookie.
pub fn expired_cookie(response: &mut Response, name: &str, https: bool) {
    set_cookie(response, name, "", Duration::ZERO, https);
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::cookie;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("xcrm_session=1; crm_session=2;crm_session=3"),
        );
        headers.append(header::COOKIE, HeaderValue::from_static("other=a=b"));
        assert_eq!(cookie(&headers, "crm_session"), Some("2"));
        assert_eq!(cookie(&headers, "other"), Some("a=b"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}
