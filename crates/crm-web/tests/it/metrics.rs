//! What Prometheus reads, who may, and that nothing of a person is in it.

use crm_domain::members::{Role, Scopes};
use crm_domain::ports::messenger::SendProblem;
use crm_domain::use_cases::TokenForm;
use crm_lineworks_sim::callbacks;

use crate::harness::{Ask, Setup, TARO, TestServer, on_postgres, until};

/// Nobody may read without a token.
fn closed() -> Setup {
    Setup::default().with("CRM_METRICS_ALLOWED_IPS", "192.0.2.0/24")
}

async fn metrics(server: &TestServer) -> String {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// The value of the series that begins so.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test]
async fn requests_are_told_by_pattern_and_never_by_path() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", None).await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get(&format!("/customer/{customer}")).await;
    browser.get("/customer/987654").await;
    browser.get("/nothing/taro@example.jp").await;
    let token = server.token(Role::Viewer).await;
    let path = format!("/api/v1/customers/{customer}");
    let by_token = async |path: &str| {
        Ask::get(path)
            .header("authorization", format!("Bearer {token}"))
            .send(server.address)
            .await
            .status
    };
    assert_eq!(by_token(&path).await, 200);
    assert_eq!(by_token("/api/v1/nothing").await, 404);
    let text = metrics(&server).await;
    for labels in [
        r#"route="/customer/:id",method="GET",status="2xx""#,
        r#"route="/customer/:id",method="GET",status="4xx""#,
        r#"route="/login",method="POST",status="3xx""#,
        r#"route="/api/v1/customers/:id",method="GET",status="2xx""#,
        r#"route="unmatched",method="GET",status="4xx""#,
    ] {
        let series = format!("crm_http_request_duration_seconds_count{{{labels}}}");
        assert!(value(&text, &series) >= Some(1.0), "{series}\n{text}");
    }
    for told in ["987654", "taro", "山田", "example", "/nothing", "poem"] {
        assert!(!text.contains(told), "{told}\n{text}");
    }
}

#[tokio::test]
async fn callbacks_and_messages_are_counted() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let before = metrics(&server).await;
    assert_eq!(
        value(&before, r#"crm_callbacks_total{outcome="kept"}"#),
        Some(0.0)
    );
    assert_eq!(value(&before, "crm_line_works_configured"), Some(1.0));
    assert!(value(&before, "crm_last_callback_age_seconds").is_some_and(f64::is_nan));
    let event = callbacks::text(TARO, "こんにちは");
    server.simulator.deliver(&event).await.unwrap();
    server.wait_for_messages(customer, 1).await;
    Ask::post("/webhook").bytes("{}").send(server.address).await;
    let mut browser = server.signed_in(Role::Member).await;
    let page = format!("/customer/{customer}");
    browser.get(&page).await;
    let sent = browser
        .post(&format!("{page}/send"), &[("message", "はい")])
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let text = until("counts", async || {
        let text = metrics(&server).await;
        let told = value(
            &text,
            r#"crm_callbacks_recorded_total{kind="text",state="recorded"}"#,
        );
        (told == Some(1.0)).then_some(text)
    })
    .await;
    assert_eq!(value(&text, r#"crm_callbacks_total{outcome="kept"}"#), Some(1.0));
    assert_eq!(
        value(&text, r#"crm_callbacks_total{outcome="unsigned"}"#),
        Some(1.0),
        "{text}"
    );
    assert_eq!(
        value(&text, r#"crm_sends_total{outcome="sent",problem=""}"#),
        Some(1.0)
    );
    assert!(value(&text, r#"crm_database_unit_seconds_count{kind="write"}"#) > Some(1.0));
    assert!(!text.contains("こんにちは") && !text.contains(TARO), "{text}");
}

#[tokio::test]
async fn what_waits_and_what_the_machine_has_is_told() {
    let server = TestServer::start().await;
    let text = metrics(&server).await;
    for queue in [
        "receipts",
        "uninterpreted",
        "sends_queued",
        "sends_sending",
        "files",
        "spool",
    ] {
        let series = format!(r#"crm_queue_depth{{queue="{queue}"}}"#);
        assert_eq!(value(&text, &series), Some(0.0), "{series}");
    }
    assert_eq!(value(&text, "crm_database_up"), Some(1.0));
    for above in [
        "crm_http_connections",
        "crm_disk_free_bytes",
        "crm_uptime_seconds",
        "crm_build_info{",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        r#"crm_database_pool_connections{state="most"}"#,
    ] {
        assert!(value(&text, above) > Some(0.0), "{above}\n{text}");
    }
    let store = if on_postgres() { "postgres" } else { "sqlite" };
    let wal = value(&text, "crm_database_wal_bytes");
    assert_eq!(wal.is_some_and(|bytes| bytes >= 0.0), store == "sqlite");
    assert!(text.contains(&format!(r#"database="{store}""#)));
}

#[tokio::test]
async fn only_a_token_or_an_allowed_address_reads() {
    let server = TestServer::start_with(closed()).await;
    let reader = server.add_member("reader@example.jp", Role::Viewer).await;
    let token = async |scopes| {
        let form = TokenForm {
            member: reader,
            name: "prometheus".to_owned(),
            scopes,
            expires_at: None,
        };
        server
            .crm
            .create_token(&TestServer::operator(), form)
            .await
            .unwrap()
    };
    let ask = async |token: &str| {
        Ask::get("/metrics")
            .header("authorization", format!("Bearer {token}"))
            .send(server.address)
            .await
            .status
    };
    let read = Scopes {
        read: true,
        send: false,
        write: false,
    };
    assert_eq!(ask(&token(read).await).await, 200);
    let send = Scopes {
        read: false,
        send: true,
        write: false,
    };
    assert_eq!(ask(&token(send).await).await, 403);
    assert_eq!(ask("no-token-of-ours").await, 401);
    let refused = server.get("/metrics").await;
    assert_eq!(refused.status, 403);
    assert!(!refused.text().contains("crm_build_info"));
    let mut browser = server.signed_in(Role::Admin).await;
    assert_eq!(browser.get("/metrics").await.status, 403);
}

#[tokio::test]
async fn an_address_counts_as_trusted_proxies_tell_it() {
    let setup = closed().with("CRM_TRUSTED_PROXIES", "127.0.0.1/32");
    let server = TestServer::start_with(setup).await;
    let from = async |address: &str| {
        Ask::get("/metrics")
            .header("x-forwarded-for", address)
            .send(server.address)
            .await
            .status
    };
    assert_eq!(from("192.0.2.7").await, 200);
    assert_eq!(from("198.51.100.7").await, 403);
    // A proxy that nobody trusts stands between: loopback is not who calls.
    let open = TestServer::start().await;
    let hidden = Ask::get("/metrics").header("x-forwarded-for", "127.0.0.1");
    assert_eq!(hidden.send(open.address).await.status, 403);
}

fn file_of_repository(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(name)).unwrap()
}

/// The words in a file of the repository that look like metrics.
fn named_in(file: &str) -> std::collections::BTreeSet<String> {
    let text = file_of_repository(file);
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let metrics = words.filter(|word| word.starts_with("crm_") || word.starts_with("process_"));
    metrics.map(str::to_owned).collect()
}

/// What a file of the repository asks of series: each time the name with its brace, and the labels that must be equal.
fn selectors_in(file: &str) -> Vec<Vec<String>> {
    let text = file_of_repository(file);
    let braces = text.match_indices('{').filter_map(|(place, _)| {
        let (before, after) = text.split_at(place);
        let name = before
            .rsplit(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .next()?;
        let labels = after[1..].split('}').next()?.split(',');
        let mut parts = vec![format!("{name}{{")];
        // What an answer with an error looks like is known when there is one.
        parts.extend(
            labels
                .filter(|label| label.contains("=\"") && !label.contains("!=\"") && !label.contains("5xx"))
                .map(str::to_owned),
        );
        name.starts_with("crm_").then_some(parts)
    });
    braces.collect()
}

#[tokio::test]
async fn the_first_message_of_a_kind_that_goes_wrong_is_seen_as_a_rise() {
    let server = TestServer::start().await;
    let text = metrics(&server).await;
    for outcome in ["failed", "unknown", "queued"] {
        for problem in SendProblem::ALL {
            let code = problem.code();
            let series = format!(r#"crm_sends_total{{outcome="{outcome}",problem="{code}"}}"#);
            assert_eq!(value(&text, &series), Some(0.0), "{series}");
        }
    }
}

#[tokio::test]
async fn alerts_dashboard_and_guide_name_what_is_there() {
    let server = TestServer::start().await;
    server.get("/login").await;
    Ask::post("/webhook").bytes("{}").send(server.address).await;
    let text = metrics(&server).await;
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut there: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    for (name, kind) in kinds.filter_map(|line| line.split_once(' ')) {
        there.insert(name.to_owned());
        if kind == "histogram" {
            there.extend(["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")));
        }
    }
    assert!(there.len() > 25, "{there:?}");
    assert!(selectors_in("deploy/prometheus/rules.yaml").len() > 10);
    for file in [
        "deploy/prometheus/rules.yaml",
        "deploy/grafana/crm.json",
        "docs/monitoring.md",
    ] {
        let named = named_in(file);
        let gone: Vec<_> = named.difference(&there).collect();
        assert!(named.len() > 10 && gone.is_empty(), "{file} names {gone:?}");
    }
    for selector in selectors_in("deploy/prometheus/rules.yaml") {
        let meets = |line: &str| selector.iter().all(|part| line.contains(part));
        assert!(text.lines().any(meets), "no series is {selector:?}");
    }
    let told = named_in("docs/monitoring.md");
    let parts = ["_bucket", "_sum", "_count"];
    let untold: Vec<_> = there
        .difference(&told)
        .filter(|name| !parts.iter().any(|part| name.ends_with(part)))
        .collect();
    assert!(untold.is_empty(), "docs/monitoring.md does not tell {untold:?}");
}
