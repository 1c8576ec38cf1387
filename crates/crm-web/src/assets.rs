//! Style sheets, scripts and icons, embedded in the binary and served under an address that changes with them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use poem::Response;
use poem::http::{StatusCode, header};
use ring::digest::{Context, SHA256, digest};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Names what a page may load: only what comes from this server, and nothing inline.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     manifest-src 'self'";

const SPRITE: &str = "icons.svg";
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Short hash over all assets; part of their addresses, so that a browser never mixes two releases.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut names: Vec<_> = Files::iter().collect();
        names.sort_unstable();
        let mut context = Context::new(&SHA256);
        for name in names {
            context.update(name.as_bytes());
            if let Some(file) = Files::get(&name) {
                context.update(&file.data);
            }
        }
        hex(&context.finish().as_ref()[..6])
    })
}

/// The address of an asset, or `None` when there is no such file.
pub fn address(path: &str) -> Option<&'static str> {
    static ADDRESSES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let addresses = ADDRESSES.get_or_init(|| {
        let of = |name: &str| format!("/assets/{}/{name}", version());
        Files::iter().map(|name| (name.to_string(), of(&name))).collect()
    });
    addresses.get(path).map(String::as_str)
}

/// The address of an icon in the sprite, or `None` when there is no such icon.
pub fn icon(name: &str) -> Option<&'static str> {
    static ICONS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let icons = ICONS.get_or_init(|| {
        let file = Files::get(SPRITE).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let sprite = address(SPRITE).unwrap_or_default();
        let marks = file.as_deref().unwrap_or_default().split("<symbol id=\"").skip(1);
        let names = marks.filter_map(|mark| mark.split('"').next());
        names
            .map(|name| (name.to_owned(), format!("{sprite}#{name}")))
            .collect()
    });
    icons.get(name).map(String::as_str)
}

/// Answers `GET /assets/{version}/{path}`.
pub fn serve(asked_version: &str, path: &str, if_none_match: Option<&str>) -> Response {
    let Some(file) = Files::get(path) else {
        return Response::builder().status(StatusCode::NOT_FOUND).finish();
    };
    let etag = format!("\"{}\"", hex(&digest(&SHA256, &file.data).as_ref()[..10]));
    let caching = if asked_version == version() {
        FOREVER
    } else {
        ASK_AGAIN
    };
    let answer = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::CACHE_CONTROL, caching)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if if_none_match.is_some_and(|tags| {
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    }) {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    answer
        .content_type(content_type(path))
        .body(file.data.into_owned())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use poem::http::{StatusCode, header};

    use super::{address, icon, serve, version};

    #[test]
    fn an_asset_is_kept_forever_under_its_version_only() {
        let now = serve(version(), "app.css", None);
        assert_eq!(now.header(header::CONTENT_TYPE), Some("text/css; charset=utf-8"));
        assert_eq!(
            now.header(header::CACHE_CONTROL),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(
            serve("older", "app.css", None).header(header::CACHE_CONTROL),
            Some("no-cache")
        );
        let etag = now.header(header::ETAG).unwrap_or_default();
        assert_eq!(
            serve(version(), "app.css", Some(etag)).status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(
            serve(version(), "../Cargo.toml", None).status(),
            StatusCode::NOT_FOUND
        );
    }

    #[test]
    fn only_what_exists_has_an_address() {
        assert!(address("vendor/bootstrap.min.css").is_some());
        assert!(address("vendor/none.css").is_none());
        assert!(icon("people").is_some() && icon("nothing").is_none());
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for name in super::Files::iter().filter(|name| name.ends_with(".js") || name.ends_with(".css")) {
            let text = super::Files::get(&name)
                .map(|file| String::from_utf8_lossy(&file.data).into_owned())
                .unwrap_or_default();
            for mark in ["url(http", "url(//", "@import", "eval(", "innerHTML"] {
                assert!(!text.contains(mark), "{name} has {mark}");
            }
        }
    }
}
