//! What every answer of every route carries, errors included.

use super::readers::Reader;
use super::records::{Record, Records};
use super::setup;
use super::table::TABLE;
use crate::harness::{Answer, Ask, TestServer};

const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What is wrong with an answer.
fn faults(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in ALWAYS {
        if answer.all(name) != [value] {
            faults.push(format!("{name}: {:?}", answer.all(name)));
        }
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    let sandboxed = policy.starts_with("sandbox");
    let whole = [
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    ];
    let closed = policy.contains("frame-ancestors 'none'") && whole.iter().all(|part| policy.contains(part));
    if !(sandboxed || closed)
        || ["unsafe", "http", "*", "'nonce"]
            .iter()
            .any(|part| policy.contains(part))
    {
        faults.push(format!("policy: {policy}"));
    }
    let powers = answer.header("permissions-policy").unwrap_or_default();
    if !powers.contains("camera=()") || !powers.contains("geolocation=()") {
        faults.push(format!("permissions: {powers}"));
    }
    let caching = answer.header("cache-control").unwrap_or_default();
    let html = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    let allowed = ["no-store", "no-cache", "private, no-cache"].contains(&caching)
        || caching.contains("private")
        || caching.contains("immutable");
    if !allowed || html && caching != "no-store" {
        faults.push(format!("caching: {caching}"));
    }
    if answer.header("strict-transport-security").is_some() {
        faults.push("HSTS over http".to_owned());
    }
    for line in answer.all("set-cookie") {
        let kept =
            line.contains("; HttpOnly") && line.contains("; SameSite=Lax") && line.contains("; Path=/;");
        if !kept {
            faults.push(format!("cookie: {line}"));
        }
    }
    if html {
        faults.extend(inline(&answer.text()));
    }
    faults
}

/// What of a page the policy would not let run or load.
fn inline(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        let handler = tag
            .split_whitespace()
            .any(|part| part.starts_with("on") && part.contains("=\""));
        let foreign = [
            "src=\"http",
            "src=\"//",
            "href=\"javascript",
            "action=\"http",
            "hx-on",
            "js:",
        ]
        .iter()
        .any(|part| tag.contains(part));
        let bare = name == "script" && !tag.contains("src=") && !tag.contains("type=\"application/json\"");
        let loaded = name == "link" && tag.contains("href=\"http");
        if handler || foreign || bare || loaded || name == "style" || tag.contains(" style=\"") {
            found.push(format!("<{tag}>"));
        }
    }
    found
}

#[tokio::test]
async fn every_answer_of_every_route_is_hardened() {
    let server = TestServer::start_with(setup()).await;
    let records = Records::new(&server);
    let mut readers = Reader::all(&server).await;
    let mut wrong = Vec::new();
    for row in TABLE {
        let record = records.of(row.about).await;
        for filled in [record.fill(row), Record::missing("999999").fill(row)] {
            for reader in &mut readers {
                if row.ends_session && reader.actor.is_some() {
                    continue;
                }
                let answer = reader.send(&server, row, &filled).await;
                let faults = faults(&answer);
                if !faults.is_empty() {
                    wrong.push(format!("{} for {}: {faults:?}", row.name(), reader.name));
                }
            }
        }
    }
    let others = [
        Ask::get("/nowhere"),
        Ask::new("PUT", "/login"),
        Ask::new("OPTIONS", "/customers"),
        Ask::new("HEAD", "/login"),
        Ask::post("/login").bytes(vec![b'a'; 1024 * 1024 + 1]),
        Ask::post("/login").form(&[]),
        Ask::post("/webhook").bytes("{}"),
        Ask::get("/webhook"),
        Ask::get("/api/v1/nothing"),
        Ask::get("/api/v1/customers").header("authorization", "Bearer x"),
        Ask::get("/assets/x/../../Cargo.toml"),
        Ask::get("//evil.example/"),
    ];
    for ask in others {
        let answer = ask.clone().send(server.address).await;
        let faults = faults(&answer);
        if !faults.is_empty() {
            wrong.push(format!("{ask:?}: {faults:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn who_came_over_https_comes_back_over_https() {
    let server = TestServer::start_with(setup().with("CRM_TRUSTED_PROXIES", "127.0.0.1")).await;
    for path in [
        "/login",
        "/nowhere",
        "/healthz",
        "/customers",
        "/api/v1/customers",
    ] {
        let ask = Ask::get(path).header("x-forwarded-proto", "https");
        let answer = ask.send(server.address).await;
        let said = answer.header("strict-transport-security");
        assert_eq!(said, Some("max-age=31536000; includeSubDomains"), "{path}");
        assert!(
            answer
                .all("set-cookie")
                .iter()
                .all(|line| line.ends_with("; Secure"))
        );
    }
    let lied = TestServer::start().await;
    let ask = Ask::get("/login").header("x-forwarded-proto", "https");
    let answer = ask.send(lied.address).await;
    assert_eq!(
        answer.header("strict-transport-security"),
        None,
        "nobody may say so but a proxy of ours"
    );
}
