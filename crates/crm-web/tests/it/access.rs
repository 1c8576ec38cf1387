//! Every route, for whom.

use crm_domain::members::Role;

use crate::harness::{Ask, TARO, TestServer};

/// What a route answers to nobody, a member and an administrator. `{c}` is a customer's id, `{u}` a user id.
type Row = (&'static str, [u16; 3]);

/// Routes that are looked at.
const READ: &[Row] = &[
    ("/", [303, 200, 200]),
    ("/?tab=mine", [303, 200, 200]),
    ("/?tab=nonsense", [303, 400, 400]),
    ("/?column=done&after=nonsense", [303, 400, 400]),
    ("/board/fragment?tab=unowned", [303, 200, 200]),
    ("/board/counts", [401, 200, 200]),
    ("/next", [303, 303, 303]),
    ("/conversation/abc/hand-over", [303, 404, 404]),
    ("/login", [200, 303, 303]),
    ("/link/nothing", [404, 404, 404]),
    ("/nowhere", [404, 404, 404]),
    ("/assets/x/nothing.css", [404, 404, 404]),
    ("/favicon.ico", [200, 200, 200]),
    ("/healthz", [200, 200, 200]),
    ("/readyz", [200, 200, 200]),
    ("/customers", [303, 200, 200]),
    ("/customers?q=%E5%B1%B1", [303, 200, 200]),
    ("/customers?after=nonsense", [303, 400, 400]),
    ("/search", [303, 200, 200]),
    ("/search?q=%E5%B1%B1", [303, 200, 200]),
    ("/search?after=nonsense", [303, 400, 400]),
    ("/customer/{c}?at=nonsense", [303, 400, 400]),
    ("/customer/{c}", [303, 200, 200]),
    ("/customer/new", [303, 200, 200]),
    ("/members/line-works", [303, 200, 200]),
    ("/members/line-works.json", [401, 200, 200]),
    ("/customer/{c}/edit", [303, 200, 200]),
    ("/customer/{c}/delete", [303, 200, 200]),
    ("/customer/{c}/messages", [303, 200, 200]),
    ("/customer/999", [303, 404, 404]),
    ("/customer/abc", [303, 404, 404]),
    ("/customer/-1", [303, 404, 404]),
    ("/customer/99999999999999999999", [303, 404, 404]),
    ("/companies", [303, 200, 200]),
    ("/company/new", [303, 200, 200]),
    ("/company/999", [303, 404, 404]),
    ("/company/abc/edit", [303, 404, 404]),
    ("/send-message/{c}", [303, 200, 200]),
    ("/send-message/abc", [303, 404, 404]),
    ("/check-customer/{u}", [401, 200, 200]),
    ("/check-customer/nobody", [401, 404, 404]),
    ("/test-webhook", [303, 403, 200]),
    ("/admin/users", [303, 403, 200]),
    ("/me", [303, 200, 200]),
    ("/demo/phone", [404, 404, 404]),
    ("/api/docs", [200, 200, 200]),
    ("/api/v1/customers", [401, 200, 200]),
    ("/api/v1/companies", [401, 200, 200]),
    ("/api/v1/openapi.json", [200, 200, 200]),
];

/// Routes that change something, sent with a good token and no data.
const CHANGE: &[Row] = &[
    ("/customer/new", [303, 422, 422]),
    ("/customer/{c}/edit", [303, 422, 422]),
    ("/customer/999/delete", [303, 404, 404]),
    ("/customer/abc/delete", [303, 404, 404]),
    ("/customer/{c}/send", [303, 422, 422]),
    ("/send-message", [303, 422, 422]),
    ("/send-message/{c}", [303, 422, 422]),
    ("/company/new", [303, 422, 422]),
    ("/company/999/edit", [303, 404, 404]),
    ("/company/999/delete", [303, 404, 404]),
    ("/conversation/999/take", [303, 404, 404]),
    ("/conversation/999/release", [303, 404, 404]),
    ("/conversation/999/hand-over", [303, 404, 404]),
    ("/conversation/999/close", [303, 404, 404]),
    ("/conversation/999/undo-close", [303, 404, 404]),
    ("/conversation/abc/read", [303, 404, 404]),
    ("/activity/999/delete", [303, 404, 404]),
    ("/activity/abc/delete", [303, 404, 404]),
    ("/activity/999/restore", [303, 404, 404]),
    ("/admin/users", [303, 403, 422]),
    ("/admin/users/999/role", [303, 403, 422]),
    ("/admin/users/999/link", [303, 403, 404]),
    ("/admin/users/999/disable", [303, 403, 404]),
    ("/admin/users/abc/enable", [303, 404, 404]),
    ("/customers", [405, 405, 405]),
    ("/nowhere", [404, 404, 404]),
];

#[tokio::test]
async fn each_route_is_for_whom_it_is() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await.to_string();
    let (member, admin) = (
        server.signed_in(Role::Member).await,
        server.signed_in(Role::Admin).await,
    );
    let mut readers = [server.browser(), member, admin];
    for reader in &mut readers {
        reader.get("/nowhere").await;
    }
    let mut wrong = Vec::new();
    let rows = READ
        .iter()
        .map(|row| ("GET", row))
        .chain(CHANGE.iter().map(|row| ("POST", row)));
    for (method, (path, statuses)) in rows {
        let path = path.replace("{c}", &customer).replace("{u}", TARO);
        for (number, reader) in readers.iter_mut().enumerate() {
            let answer = match method {
                "GET" => reader.get(&path).await,
                _ => reader.post(&path, &[]).await,
            };
            if answer.status != statuses[number] {
                wrong.push(format!("{method} {path} for reader {number}: {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn whatever_changes_something_needs_a_token() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Admin).await;
    let further = ["/logout", "/login", "/me/language", "/me/password"];
    for path in CHANGE.iter().map(|(path, _)| *path).chain(further) {
        if matches!(path, "/customers" | "/nowhere") {
            continue;
        }
        let path = path.replace("{c}", "1");
        let answer = browser.send(Ask::post(&path).form(&[("a", "b")])).await;
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[tokio::test]
async fn only_the_head_is_sent_when_only_that_is_asked_for() {
    let server = TestServer::start().await;
    for (path, status) in [
        ("/login", 200),
        ("/healthz", 200),
        ("/nowhere", 404),
        ("/customers", 303),
    ] {
        let answer = Ask::new("HEAD", path).send(server.address).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{path}");
    }
}
