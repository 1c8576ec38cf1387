//! Signs that mean something to a database or a file system mean nothing here.

use crm_domain::members::Role;

use crate::harness::TestServer;
use crate::harness::http::encode;

/// What databases and their full-text search give a meaning to.
const SIGNS: [&str; 24] = [
    "'",
    "\"",
    "''",
    "\\",
    "%",
    "_",
    "*",
    "?",
    ";--",
    "/*",
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE customers; --",
    "'); DELETE FROM customers; --",
    "\" OR \"\"=\"",
    "1 UNION SELECT password_hash FROM users",
    "NEAR(a b)",
    "a AND b",
    "NOT a",
    "last_name:山田",
    "\"山田",
    "(山田",
    "-山田",
    "{{7*7}} ${7*7}",
];

#[tokio::test]
async fn searching_for_signs_finds_what_holds_them_and_nothing_else() {
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", None).await;
    let mut browser = server.signed_in(Role::Admin).await;
    for sign in SIGNS {
        let query = encode(sign);
        for path in [
            "/customers",
            "/companies",
            "/search",
            "/members/line-works",
            "/unknown-senders",
            "/trash",
            "/admin/audit",
        ] {
            let answer = browser.get(&format!("{path}?q={query}")).await;
            assert!(
                matches!(answer.status, 200 | 404),
                "{path} {sign}: {}",
                answer.status
            );
        }
        for parameter in ["after", "before", "tab", "column", "limit"] {
            let answer = browser.get(&format!("/customers?{parameter}={query}")).await;
            assert!(
                matches!(answer.status, 200 | 400),
                "{parameter} {sign}: {}",
                answer.status
            );
        }
        // What holds no letter of the customer's name finds nobody by being a wildcard or a condition.
        let found = browser.get(&format!("/customers?q={query}")).await.text();
        let letters = sign.chars().any(char::is_alphanumeric);
        assert!(
            !letters || sign.contains("山田") || !found.contains("太郎"),
            "{sign}"
        );
    }
    let list = browser.get("/customers").await.text();
    assert!(list.contains("山田"), "the table is there");
}

#[tokio::test]
async fn signs_in_fields_are_kept_as_they_are() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get("/customers").await;
    for (number, sign) in SIGNS.into_iter().enumerate() {
        let last = format!("{sign}{number}");
        let typed = [
            ("last_name", last.as_str()),
            ("first_name", "太郎"),
            ("remarks", sign),
        ];
        let answer = browser.post("/customer/new", &typed).await;
        let text = answer.text();
        let told: Vec<&str> = text
            .split("invalid-feedback")
            .skip(1)
            .map(|part| &part[..part.len().min(120)])
            .collect();
        assert_eq!(answer.status, 303, "{sign}: {told:?}");
        let page = browser.get(answer.header("location").expect("a page")).await;
        assert_eq!(page.status, 200);
        let found = browser
            .get(&format!("/customers?q={}", encode(&last)))
            .await
            .text();
        let rows = found.matches("<tr").count();
        assert!(rows >= 2, "{sign} is found again: {rows}");
    }
    let operator = TestServer::operator();
    let members = server.crm.list_members(&operator).await.unwrap();
    assert_eq!(members.len(), 1, "nothing else was done");
}

#[tokio::test]
async fn no_path_leads_out_of_what_is_served() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let secret = std::fs::read(server.data("secret.key")).unwrap_or_default();
    let steps = [
        "..",
        "%2e%2e",
        "%2E%2E",
        "..%2f..",
        "..%5c..",
        "%252e%252e",
        "....",
        ".%00.",
        "..%c0%af..",
    ];
    let ends = [
        "Cargo.toml",
        "crm.db",
        "secret.key",
        "etc/passwd",
        "data/crm.db",
        "app.css",
    ];
    let mut tried = 0;
    for begin in ["/assets/x", "/assets", "/file", "/file/1", "", "/api/v1", "/link"] {
        for step in steps {
            for end in ends {
                let path = format!("{begin}/{step}/{step}/{step}/{end}");
                let answer = browser.get(&path).await;
                assert!(
                    matches!(answer.status, 400 | 401 | 404),
                    "{path}: {}",
                    answer.status
                );
                let text = answer.text();
                assert!(
                    !text.contains("[package]") && !text.contains("SQLite format") && !text.contains("root:")
                );
                assert!(secret.is_empty() || answer.body != secret);
                tried += 1;
            }
        }
    }
    assert!(tried > 300);
    for path in [
        "/file/%2e%2e",
        "/file/../crm.db",
        "/assets/x/",
        "/assets//",
        "/assets/x//etc/passwd",
        "/.env",
        "/.git/config",
    ] {
        let answer = browser.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
    }
}
