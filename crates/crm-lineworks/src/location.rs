//! Where a file lies: the only addresses but the API's own that the token is sent to (failure note 26).

use ureq::http::Uri;

/// LINE WORKS' own domains.
const DOMAINS: [&str; 2] = ["worksmobile.com", "worksapis.com"];

/// The address that an answer points to, if the token may go there: https on a host of LINE WORKS, or the very host and
/// port of the API's address.
pub(crate) fn trusted(location: &str, api_url: &str) -> Option<Uri> {
    let uri: Uri = location.parse().ok()?;
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let https = uri.scheme_str() == Some("https");
    let port = uri.port().map_or(Some(443), |port| port.as_str().parse().ok());
    let ours = https && port == Some(443) && is_line_works(&authority.host().to_ascii_lowercase());
    (ours || same_place(&uri, &api_url.parse().ok()?)).then_some(uri)
}

fn is_line_works(host: &str) -> bool {
    DOMAINS.iter().any(|domain| {
        let before = host.strip_suffix(domain);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.') && before.len() > 1)
    })
}

fn same_place(uri: &Uri, api: &Uri) -> bool {
    let place = |uri: &Uri| {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = match uri.port() {
            Some(port) => port.as_str().parse().ok()?,
            None if scheme == "https" => 443_u16,
            None => 80,
        };
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    place(uri).is_some_and(|there| Some(there) == place(api))
}

#[cfg(test)]
mod tests {
    use super::trusted;

    const REAL: &str = "https://www.worksapis.com/v1.0";
    const LOCAL: &str = "http://127.0.0.1:8080/v1.0";

    #[test]
    fn the_token_goes_to_line_works_only() {
        for good in [
            "https://apis-storage.worksmobile.com/k/emsg/r/jp1/x?y=1",
            "https://storage.worksmobile.com:443/x",
            "https://worksmobile.com/x",
            "https://WWW.WorksApis.COM/x",
            "https://a.b.worksapis.com/x",
        ] {
            assert!(trusted(good, REAL).is_some(), "{good}");
        }
        for bad in [
            "https://evilworksmobile.com/x",
            "https://worksmobile.com.evil.example/x",
            "https://.worksmobile.com/x",
            "http://apis-storage.worksmobile.com/x",
            "https://apis-storage.worksmobile.com:8443/x",
            "https://apis-storage.worksmobile.com@evil.example/x",
            "https://user@apis-storage.worksmobile.com/x",
            "https://evil.example\\@www.worksapis.com/x",
            "https://evil.example/www.worksapis.com",
            "https://evil.example#.worksmobile.com",
            "https://evil.example?.worksmobile.com",
            "https://worksmobile.com./x",
            "ftp://www.worksapis.com/x",
            "//www.worksapis.com/x",
            "/storage/x",
            "http://127.0.0.1/x",
            "",
        ] {
            assert!(trusted(bad, REAL).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_very_place_of_the_api_is_trusted_too() {
        assert!(trusted("http://127.0.0.1:8080/storage/x", LOCAL).is_some());
        assert!(trusted("http://localhost/x", "http://LOCALHOST:80").is_some());
        for bad in [
            "http://127.0.0.1:8081/storage/x",
            "http://127.0.0.1/storage/x",
            "https://127.0.0.1:8080/storage/x",
            "http://localhost:8080/storage/x",
            "http://127.0.0.1:8080@evil.example/x",
        ] {
            assert!(trusted(bad, LOCAL).is_none(), "{bad}");
        }
        assert!(trusted("https://www.worksapis.com/x", LOCAL).is_some());
        assert!(trusted("http://www.worksapis.com/x", REAL).is_none());
    }
}
