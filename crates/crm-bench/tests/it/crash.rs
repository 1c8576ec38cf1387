//! The crash trial, for a short while. By hand it runs as long as wanted: `crm-bench crash --kills 1000`.

use crm_bench::crash::{self, CrashOptions};
use crm_bench::ground::StoreKind;

async fn kill_and_look(store: StoreKind) {
    let options = CrashOptions {
        kills: 5,
        seed: None,
        connections: 6,
        longest_life: 900,
        customers: 5,
        store,
        server: None,
    };
    let report = crash::run(&options).await.unwrap();
    assert!(report.wrong.is_empty(), "{report:#?}");
    let value = |what: &str| {
        report
            .table
            .iter()
            .find(|(name, _)| name == what)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("kills"), Some("5"), "{report:#?}");
    assert_ne!(value("callbacks that got their 200"), Some("0"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_is_lost_and_nothing_is_sent_twice_whenever_the_server_is_killed() {
    kill_and_look(StoreKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_is_lost_and_nothing_is_sent_twice_whenever_a_server_on_postgresql_is_killed() {
    kill_and_look(StoreKind::Postgres).await;
}
