//! Every route that changes something leaves an entry in the audit log, or stands in a reviewed list.

use crm_domain::audit::AuditFilter;
use crm_domain::members::{Grants, Role};

use super::readers::Reader;
use super::records::Records;
use super::setup;
use super::table::{Needs, Row, TABLE};
use crate::harness::TestServer;

/// Routes whose success leaves no entry here, and why.
const SILENT: &[(&str, &str)] = &[
    ("POST /webhook", "callbacks are not audited"),
    ("POST /customer/:id/draft", "what somebody types, nobody else's"),
    ("POST /conversation/:id/read", "what somebody has read"),
    ("POST /admin/line-works/check", "only looks"),
    (
        "POST /admin/retention/run",
        "wakes the run, which has its own entry",
    ),
    ("POST /admin/backups/take", "its end has the entry"),
    ("POST /admin/backups/resume", "nothing rests here"),
    ("POST /login/code", "no sign-in waits here"),
    ("POST /conversation/:id/release", "nobody has it here"),
    ("POST /activity/:id/restore", "it was not deleted here"),
    ("POST /file/:id/fetch", "it was fetched here"),
    ("POST /me/factor/confirm", "none was begun here"),
    ("POST /me/factor/renew", "there is none here"),
    ("POST /admin/retention/rules", "the rules stay as they are here"),
    (
        "POST /admin/users/:id/hand-over",
        "the member has nothing in hand here",
    ),
];

async fn newest(server: &TestServer) -> i64 {
    let operator = TestServer::operator();
    let found = server
        .crm
        .list_audit(&operator, AuditFilter::default(), None, 500)
        .await
        .unwrap();
    found.iter().map(|entry| entry.id.get()).max().unwrap_or_default()
}

#[tokio::test]
async fn every_route_that_changes_leaves_an_entry() {
    let server = TestServer::start_with(setup()).await;
    let records = Records::new(&server);
    let mut admin = Reader::person(&server, "admin", Role::Admin, Grants::default()).await;
    let mut silent = Vec::new();
    let changing = TABLE
        .iter()
        .filter(|row| row.changes() && row.needs != Needs::Absent);
    for row in changing {
        let record = records.of(row.about).await;
        let before = newest(&server).await;
        let answer = admin.send(&server, row, &record.fill(row)).await;
        let done = matches!(answer.status, 200 | 201 | 202 | 303);
        if done && newest(&server).await == before {
            silent.push(Row::name(row));
        }
        if row.ends_session {
            admin = admin.again(&server).await;
        }
    }
    silent.retain(|name| !SILENT.iter().any(|(listed, _)| listed == name));
    assert!(silent.is_empty(), "{silent:#?}");
}
