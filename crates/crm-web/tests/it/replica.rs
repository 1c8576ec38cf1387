//! A second database for what may be a little old.

use crm_domain::members::Role;
use crm_testkit::postgres::TestDatabase;

use crate::harness::{Browser, Setup, TestServer, until};

const REASON: [(&str, &str); 1] = [("reason", "年賀状の宛名")];

async fn export(browser: &mut Browser) -> String {
    browser.get("/customers/export").await;
    let answer = browser.post("/customers/export", &REASON).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[tokio::test]
async fn exports_and_the_logs_of_the_administration_are_read_from_the_replica_while_it_answers() {
    // No replica, but a database without anything in it: so it can be told what was read from where.
    let replica = tokio::task::spawn_blocking(TestDatabase::new).await.unwrap();
    let setup = Setup {
        shared: true,
        ..Setup::default()
    };
    let server = TestServer::start_with(setup.with("CRM_DATABASE_REPLICA_URL", &replica.url)).await;
    let customer = server.add_customer("山田", "太郎", None).await;
    let (its_page, link) = (format!("/customer/{customer}"), format!("/customer/{customer}\""));
    let mut browser = server.signed_in(Role::Admin).await;
    for fresh in ["/customers", &its_page] {
        assert!(browser.get(fresh).await.text().contains("山田"), "{fresh}");
    }
    until("the reading is kept", async || {
        let kept = server.database().unwrap().sql("SELECT count(*) FROM reading_log");
        (kept.trim() != "0").then_some(())
    })
    .await;
    let logs = ["/admin/audit", "/admin/audit?tab=readings"];
    assert!(!export(&mut browser).await.contains("山田"));
    for log in logs {
        let page = browser.get(log).await.text();
        assert!(!page.contains(&link), "{log}: {page}");
    }
    tokio::task::spawn_blocking(move || replica.shut()).await.unwrap();
    until("the primary is asked instead", async || {
        export(&mut browser).await.contains("山田").then_some(())
    })
    .await;
    for log in logs {
        let page = browser.get(log).await.text();
        assert!(page.contains(&link), "{log}: {page}");
    }
}
