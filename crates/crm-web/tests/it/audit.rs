//! The audit log and the reading log in the browser, and whole lists taken out.

use crm_domain::audit::{Act, AuditFilter};
use crm_domain::members::{Grants, Role};
use crm_domain::use_cases::AuditDetail;

use crate::harness::{TARO, TestServer, until};

impl TestServer {
    /// The entries of an act, newest first.
    async fn entries(&self, act: Act) -> Vec<AuditDetail> {
        let filter = AuditFilter {
            act: Some(act),
            ..AuditFilter::default()
        };
        self.crm
            .list_audit_details(&Self::operator(), filter, None, 100)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_change_is_shown_with_who_whence_and_both_values() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get(&format!("/customer/{id}/edit")).await;
    let typed = [
        ("last_name", "鈴木"),
        ("first_name", "太郎"),
        ("line_user_id", TARO),
    ];
    let saved = browser.post(&format!("/customer/{id}/edit"), &typed).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let entry = server.entries(Act::CustomerChanged).await.remove(0);
    assert_eq!(entry.entry.address.as_deref(), Some("127.0.0.1"));
    assert_eq!(entry.entry.by.kind, "member");
    let page = browser
        .get(&format!(
            "/admin/audit?kind=customer&record={id}&act=customer_changed"
        ))
        .await
        .text();
    for part in ["<del>山田</del>", "<ins>鈴木</ins>", "127.0.0.1", "顧客を変更"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let none = browser.get("/admin/audit?act=company_added").await.text();
    assert!(none.contains("条件に合う操作はありません"));
    let later = browser.get("/admin/audit?from=2999-01-01").await.text();
    assert!(later.contains("条件に合う操作はありません"));
    for odd in [
        "/admin/audit?from=yesterday&record=x&who=nobody%27s",
        "/admin/audit?tab=readings&act=x",
    ] {
        assert_eq!(browser.get(odd).await.status, 200, "{odd}");
    }
    assert_eq!(browser.get("/admin/audit?after=x").await.status, 400);
}

#[tokio::test]
async fn sign_ins_failed_ones_and_refusals_are_in_the_log() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    assert_eq!(member.get("/admin/audit").await.status, 403);
    assert_eq!(member.get("/admin/users").await.status, 403);
    let refused = server.entries(Act::Refused).await;
    assert_eq!(refused.len(), 2);
    assert_eq!(
        refused[1].changes.as_ref().unwrap()[0].new.as_deref(),
        Some("ViewAudit")
    );
    assert_eq!(refused[1].entry.address.as_deref(), Some("127.0.0.1"));
    server.add_member("hanako@example.jp", Role::Member).await;
    let mut stranger = server.browser();
    stranger.sign_in("hanako@example.jp", "wrong password").await;
    stranger.sign_in("nobody@example.jp", "wrong password").await;
    let failed = server.entries(Act::SignInFailed).await;
    let about: Vec<bool> = failed.iter().map(|one| one.entry.record.is_some()).collect();
    assert_eq!(about, [false, true]);
    assert!(failed.iter().all(|one| one.entry.by.kind == "nobody"));
    let before = server.entries(Act::SignedIn).await.len();
    let mut again = server.signed_in(Role::Admin).await;
    assert_eq!(server.entries(Act::SignedIn).await.len(), before + 1);
    again.get("/me").await;
    again.post("/logout", &[]).await;
    assert_eq!(server.entries(Act::SignedOut).await.len(), 1);
}

#[tokio::test]
async fn the_running_server_seals_what_it_writes_and_tells_the_end_in_its_log() {
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", None).await;
    server.wait_for_log("audit log sealed up to ").await;
    let operator = TestServer::operator();
    let report = until("everything is sealed", async || {
        let report = server.crm.verify_audit(&operator, None).await.unwrap();
        (report.waiting == 0).then_some(report)
    })
    .await;
    assert!(report.faults.is_empty() && report.checked > 0, "{report:?}");
}

#[tokio::test]
async fn the_log_is_taken_out_as_a_file_for_a_reason() {
    let server = TestServer::start().await;
    server.add_customer("=HYPERLINK", "太郎", None).await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get("/admin/audit").await;
    let typed = [("reason", " "), ("act", "customer_added")];
    let asked = browser.post("/admin/audit/csv", &typed).await;
    assert_eq!(asked.status, 422);
    assert!(server.entries(Act::ListExported).await.is_empty());
    let typed = [("reason", "監査法人の求め"), ("act", "customer_added")];
    let file = browser.post("/admin/audit/csv", &typed).await;
    assert_eq!(file.status, 200, "{}", file.text());
    let text = file.text();
    assert!(
        text.starts_with('\u{feff}') && text.contains("顧客を登録"),
        "{text}"
    );
    assert_eq!(text.matches("顧客を登録").count(), 1);
    assert!(file.header("content-disposition").unwrap().contains("audit-"));
    let entry = server.entries(Act::ListExported).await.remove(0).entry;
    assert_eq!(entry.reason.as_deref(), Some("監査法人の求め"));
}

#[tokio::test]
async fn fifty_entries_stand_on_a_page() {
    let server = TestServer::start().await;
    for number in 0..60 {
        server.add_customer("山田", &format!("{number}"), None).await;
    }
    let mut browser = server.signed_in(Role::Admin).await;
    let page = browser.get("/admin/audit?act=customer_added").await.text();
    assert_eq!(page.matches("class=\"act-customer_added\"").count(), 50);
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let page = browser.get(&next).await.text();
    assert_eq!(page.matches("class=\"act-customer_added\"").count(), 10);
    assert!(page.contains("act=customer_added"));
}

#[tokio::test]
async fn who_looked_at_what_is_kept_until_it_is_switched_off() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", None).await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get(&format!("/customer/{id}")).await;
    browser.get("/customers?q=%E5%B1%B1%E7%94%B0").await;
    let page = until("both readings are shown", async || {
        let page = browser.clone().get("/admin/audit?tab=readings").await.text();
        (page.contains("顧客のページを開いた</td>") && page.contains("<q>山田</q>")).then_some(page)
    })
    .await;
    assert!(page.contains("最後の1秒"), "the page says what a crash may lose");
    let typed = [("reading_log", "1"), ("reading_days", "0")];
    browser.get("/admin/audit?tab=readings").await;
    assert_eq!(browser.post("/admin/audit/readings", &typed).await.status, 422);
    let off = [("reading_days", "30")];
    assert_eq!(browser.post("/admin/audit/readings", &off).await.status, 303);
    let entry = server.entries(Act::SettingChanged).await.remove(0);
    assert_eq!(entry.entry.fields, ["reading_log", "reading_log_days"]);
    browser.get(&format!("/customer/{id}")).await;
    // What was noted before the switch has been written by the time a later entry is sealed.
    server.add_customer("佐藤", "次郎", None).await;
    let operator = TestServer::operator();
    until("the last entry is sealed", async || {
        let report = server.crm.verify_audit(&operator, None).await.unwrap();
        (report.waiting == 0).then_some(())
    })
    .await;
    let page = browser.get("/admin/audit?tab=readings").await.text();
    assert_eq!(page.matches("顧客のページを開いた</td>").count(), 1);
}

#[tokio::test]
async fn whole_lists_are_taken_out_by_whom_it_is_allowed_and_for_a_reason() {
    let server = TestServer::start().await;
    server.add_customer("=1+1", "太郎", Some(TARO)).await;
    let mut member = server.signed_in(Role::Member).await;
    assert!(
        !member
            .get("/customers")
            .await
            .text()
            .contains("/customers/export")
    );
    assert_eq!(member.get("/customers/export").await.status, 403);
    assert_eq!(
        member.post("/customers/export", &[("reason", "x")]).await.status,
        403
    );
    assert!(server.entries(Act::ListExported).await.is_empty());
    let mut admin = server.signed_in(Role::Admin).await;
    assert!(admin.get("/customers").await.text().contains("/customers/export"));
    admin.get("/customers/export").await;
    assert_eq!(
        admin.post("/customers/export", &[("reason", "")]).await.status,
        422
    );
    let file = admin
        .post("/customers/export", &[("reason", "年賀状の宛名")])
        .await;
    assert_eq!(file.status, 200);
    let text = file.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}ID,姓,名,"), "{text}");
    assert!(lines[1].contains("'=1+1,太郎"), "{text}");
    assert_eq!(lines.len(), 3, "{text}");
    let companies = admin
        .post("/companies/export", &[("reason", "年賀状の宛名")])
        .await;
    assert!(companies.text().starts_with("\u{feff}ID,会社名,"));
    let entries = server.entries(Act::ListExported).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].entry.reason.as_deref(), Some("年賀状の宛名"));
}

#[tokio::test]
async fn a_member_who_may_export_does() {
    let server = TestServer::start().await;
    let id = server.add_member("ken@example.jp", Role::Member).await;
    let grants = Grants {
        import: false,
        export: true,
    };
    let operator = TestServer::operator();
    server.crm.change_grants(&operator, id, grants).await.unwrap();
    let mut browser = server.browser();
    browser
        .sign_in("ken@example.jp", crate::harness::server::PASSWORD)
        .await;
    browser.get("/customers/export").await;
    let file = browser.post("/customers/export", &[("reason", "案内状")]).await;
    assert_eq!(file.status, 200, "{}", file.text());
    assert_eq!(browser.get("/admin/audit").await.status, 403);
}
