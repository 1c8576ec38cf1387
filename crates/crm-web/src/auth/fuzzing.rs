//! What is fuzzed here: each function takes any bytes and panics when a promise is broken. The tests below run them for ten
//! seconds each; the crate `fuzz` hands the same functions to cargo-fuzz.

use bytes::Bytes;
use crm_domain::values::Remarks;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Body, Request, RequestBody};

use super::browser::Browser;
use super::cookies::{SESSION, cookie};
use super::csrf::{FIELD, Holder};
use super::keys::Keys;
use super::protected::{Kind, Sent};
use crate::forms::customers::CustomerInput;
use crate::links::encode;

const BOUNDARY: &str = "b0undary";
const EMAIL: &str = "hanako@example.jp";

/// The body of a form or of JSON: written again and read again its fields are the same, and a customer's form answers.
pub fn form(input: &[u8]) {
    let body = |kind| Sent {
        kind,
        bytes: Bytes::copy_from_slice(input),
    };
    wait(async {
        let sent = body(Kind::Form);
        if let Ok(pairs) = sent.form::<Vec<(String, String)>>().await {
            assert_eq!(pairs_of(&written(&pairs)).await, pairs, "written and read again");
            let token = pairs
                .iter()
                .find(|(name, _)| name == FIELD)
                .map(|(_, value)| value);
            assert_eq!(sent.field().await.ok().flatten().as_ref(), token, "another token");
        }
        for kind in [Kind::Form, Kind::Json] {
            if let Ok(customer) = body(kind).parse::<CustomerInput>().await {
                let _ = customer.parse(Remarks::default());
            }
        }
    });
}

/// The body of a form as scripts send it: what is read can be read again; and these bytes as the text of a field come out as
/// they went in.
pub fn multipart(input: &[u8]) {
    wait(async {
        if let Some(sent) = parts(input.to_vec()).await {
            let pairs = pairs_of(&sent).await;
            assert_eq!(pairs_of(&written(&pairs)).await, pairs, "written and read again");
        }
        let text = String::from_utf8_lossy(input).into_owned();
        if text.contains(BOUNDARY) {
            return;
        }
        let head = "Content-Disposition: form-data; name=\"message\"";
        let whole = format!("--{BOUNDARY}\r\n{head}\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n");
        let Some(sent) = parts(whole.into_bytes()).await else {
            panic!("a well-formed body is refused");
        };
        assert_eq!(pairs_of(&sent).await, [("message".to_owned(), text)]);
    });
}

/// The header with the cookies: a browser is read as it was written, and known only by a proof that was made here.
pub fn cookies(input: &[u8]) {
    let keys = Keys::new(&[7; 32]);
    let Some(headers) = headers(input) else { return };
    if let Some(secret) = cookie(&headers, SESSION) {
        assert!(!secret.contains(';'), "more than one cookie");
        let holder = Holder::Session(secret);
        assert!(holder.holds(&keys, &holder.token(&keys)), "its own token");
        assert!(!holder.holds(&keys, secret), "a session is no token");
    }
    let Some(browser) = Browser::of(&headers) else {
        return;
    };
    let line = format!("crm_browser={}", browser.value());
    let again = self::headers(line.as_bytes()).and_then(|headers| Browser::of(&headers));
    assert_eq!(again.as_ref(), Some(&browser), "written and read again");
    if browser.known_for(&keys, EMAIL).is_some() {
        let mut fresh = Browser::new(browser.id.clone());
        fresh.remember(&keys, EMAIL);
        let (_, proof) = fresh
            .value()
            .split_once('.')
            .map(|(id, proof)| (id.to_owned(), proof.to_owned()))
            .unwrap_or_default();
        let shown = browser.value().to_ascii_lowercase();
        assert!(
            !proof.is_empty() && shown.contains(&proof),
            "known without a proof: {shown}"
        );
    }
}

fn headers(line: &[u8]) -> Option<HeaderMap> {
    let value = HeaderValue::from_bytes(line).ok()?;
    Some(HeaderMap::from_iter([(header::COOKIE, value)]))
}

async fn parts(body: Vec<u8>) -> Option<Sent> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = Request::builder().content_type(&kind).finish();
    Sent::of_parts(&request, &mut RequestBody::new(Body::from(body)))
        .await
        .ok()
}

async fn pairs_of(sent: &Sent) -> Vec<(String, String)> {
    let Ok(pairs) = sent.form().await else {
        panic!("what was written here is refused");
    };
    pairs
}

fn written(pairs: &[(String, String)]) -> Sent {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    Sent {
        kind: Kind::Form,
        bytes: pairs.collect::<Vec<_>>().join("&").into(),
    }
}

fn wait(what: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(what),
        Err(refused) => panic!("no runtime: {refused}"),
    }
}

#[cfg(test)]
mod tests {
    use crm_testkit::fuzz;

    #[test]
    fn fuzz_form() {
        fuzz::run("form", super::form);
    }

    #[test]
    fn fuzz_multipart() {
        fuzz::run("multipart", super::multipart);
    }

    #[test]
    fn fuzz_cookie() {
        fuzz::run("cookie", super::cookies);
    }
}
