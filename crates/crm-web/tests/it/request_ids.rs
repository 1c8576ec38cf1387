//! One id for a request: in its answer, its log lines, its audit entries and the page of an error.

use crm_domain::audit::AuditFilter;
use crm_domain::members::Role;

use crate::harness::server::PASSWORD;
use crate::harness::{Answer, Ask, Setup, TestServer};

fn id(answer: &Answer) -> String {
    answer.header("x-request-id").unwrap_or_default().to_owned()
}

fn is_ours(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|c| c.is_ascii_hexdigit())
}

#[tokio::test]
async fn every_answer_carries_an_id_of_its_own() {
    let server = TestServer::start().await;
    let mut seen = std::collections::HashSet::new();
    for path in [
        "/healthz",
        "/readyz",
        "/login",
        "/nothing",
        "/api/v1/customers",
        "/metrics",
    ] {
        let answer = server.get(path).await;
        assert!(is_ours(&id(&answer)), "{path}: {}", id(&answer));
        assert!(seen.insert(id(&answer)), "{path}");
    }
    let callback = Ask::post("/webhook").bytes("{}").send(server.address).await;
    assert!(is_ours(&id(&callback)));
}

#[tokio::test]
async fn an_id_is_taken_from_trusted_proxies_only() {
    let ask = async |server: &TestServer, given: &str| {
        let ask = Ask::get("/healthz").header("x-request-id", given);
        id(&ask.send(server.address).await)
    };
    let alone = TestServer::start().await;
    assert!(is_ours(&ask(&alone, "edge-1").await));
    let setup = Setup::default().with("CRM_TRUSTED_PROXIES", "127.0.0.1/32");
    let behind = TestServer::start_with(setup).await;
    assert_eq!(ask(&behind, "edge-1.a_B").await, "edge-1.a_B");
    for insane in ["a b", "a;b", &"a".repeat(65)] {
        assert!(is_ours(&ask(&behind, insane).await), "{insane}");
    }
}

#[tokio::test]
async fn log_and_audit_tell_the_request() {
    let setup = Setup::default()
        .with("CRM_TRUSTED_PROXIES", "127.0.0.1/32")
        .with("CRM_LOG", "debug");
    let server = TestServer::start_with(setup).await;
    server.add_member("admin@example.jp", Role::Admin).await;
    let mut browser = server.browser();
    let signed = browser.sign_in("admin@example.jp", PASSWORD).await;
    let given = id(&signed);
    assert!(is_ours(&given));
    let found = server
        .crm
        .list_audit(&TestServer::operator(), AuditFilter::searching(&given), None, 9)
        .await
        .unwrap();
    assert!(found.iter().any(|entry| entry.act == "signed_in"), "{found:?}");
    let line = format!("request_id={given}");
    let log = server.wait_for_log(&line).await;
    let line = log.lines().find(|text| text.contains(&line)).unwrap();
    assert!(line.contains("signed in"), "{line}");
}

#[tokio::test]
async fn an_error_tells_the_number_to_ask_with() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = browser.get("/customer/987654").await;
    assert_eq!(page.status, 404);
    assert!(
        page.text().contains("お問い合わせ番号") && page.text().contains(&id(&page)),
        "{}",
        page.text()
    );
    let problem = server.get("/api/v1/customers").await;
    assert_eq!(problem.status, 401);
    assert_eq!(problem.json()["request_id"], id(&problem));
}
