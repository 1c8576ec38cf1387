//! Administration: the menu of its pages, one member's rights, and まとめて引き継ぐ.

use crm_domain::customers::CustomerId;
use crm_domain::members::{Grants, MemberId, Role};

use crate::harness::server::PASSWORD;
use crate::harness::{Browser, TestServer};

async fn member(server: &TestServer, id: MemberId) -> crm_domain::members::Member {
    let members = server.crm.list_members(&TestServer::operator()).await.unwrap();
    members.into_iter().find(|member| member.id == id).unwrap()
}

#[tokio::test]
async fn only_administrators_come_in_and_find_every_page() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let page = admin.get("/admin").await;
    assert_eq!(page.status, 200);
    let places = [
        "users",
        "teams",
        "tokens",
        "sessions",
        "audit",
        "retention",
        "line-works",
    ];
    for place in places {
        let link = format!("href=\"/admin/{place}\"");
        assert!(page.text().contains(&link), "{place}");
    }
    assert!(admin.get("/customers").await.text().contains("href=\"/admin\""));
    let mut member = server.signed_in(Role::Member).await;
    for place in ["", "/users", "/teams", "/tokens", "/sessions"] {
        let refused = member.get(&format!("/admin{place}")).await;
        assert_eq!(refused.status, 403, "{place}");
        assert!(refused.text().contains("管理者にご相談ください"), "{place}");
    }
    assert!(!member.get("/customers").await.text().contains("href=\"/admin\""));
}

#[tokio::test]
async fn a_second_administrator_is_asked_for_while_there_is_one() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let lonely = "管理者が1人だけです";
    assert!(admin.get("/admin/users").await.text().contains(lonely));
    server.add_member("second@example.jp", Role::Admin).await;
    assert!(!admin.get("/admin/users").await.text().contains(lonely));
}

#[tokio::test]
async fn role_and_permissions_change_unless_somebody_was_first() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    let mut his = server.browser();
    his.sign_in("ken@example.jp", PASSWORD).await;
    let page = format!("/admin/users/{ken}");
    let shown = admin.get(&page).await.text();
    assert!(shown.contains("ken@") && shown.contains("name=\"import\""));
    let viewer = [
        ("role", "viewer"),
        ("seen", "member"),
        ("permissions", "1"),
        ("export", "1"),
    ];
    let changed = admin.post(&format!("{page}/role"), &viewer).await;
    assert_eq!(
        (changed.status, changed.header("location")),
        (303, Some(page.as_str()))
    );
    let stored = member(&server, ken).await;
    let export = Grants {
        import: false,
        export: true,
    };
    assert_eq!((stored.role, stored.grants), (Role::Viewer, export));
    assert_eq!(his.get("/customers").await.status, 303, "his session ended");
    let late = admin.post(&format!("{page}/role"), &viewer).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("ほかの人が先に"));
    let list = admin.get("/admin/users").await.text();
    assert!(list.contains("閲覧のみ") && list.contains("書き出し"));
}

#[tokio::test]
async fn a_link_for_a_new_password_is_shown_once() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    let page = format!("/admin/users/{ken}");
    admin.get(&page).await;
    let made = admin.post(&format!("{page}/link"), &[]).await;
    assert_eq!(made.status, 200);
    let text = made.text();
    let link = text.split("/link/").nth(1).unwrap().split('<').next().unwrap();
    assert!(!admin.get(&page).await.text().contains(link));
    let mut his = server.browser();
    let road = format!("/link/{link}");
    his.get(&road).await;
    let new = [("new_password", "まったく新しいパスワード")];
    assert_eq!(his.post(&road, &new).await.status, 303);
    assert_eq!(his.get("/customers").await.status, 200);
    assert_eq!(his.get(&road).await.status, 404);
}

#[tokio::test]
async fn an_administrator_signs_somebody_out_everywhere() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let mut his = server.signed_in(Role::Member).await;
    let listed = admin.get("/admin/users").await.text();
    assert!(listed.contains("member@"));
    let members = server.crm.list_members(&TestServer::operator()).await.unwrap();
    let id = members
        .iter()
        .find(|member| member.role == Role::Member)
        .unwrap()
        .id;
    admin.get(&format!("/admin/users/{id}")).await;
    let ended = admin.post(&format!("/admin/users/{id}/sign-out"), &[]).await;
    assert_eq!(ended.status, 303);
    assert_eq!(his.get("/customers").await.status, 303);
    let nothing = admin.post(&format!("/admin/users/{id}/factors"), &[]).await;
    assert_eq!(nothing.status, 404, "there is no factor to reset");
}

/// Somebody who owns a customer, in a server with an administrator and a successor.
async fn leaving(server: &TestServer) -> (Browser, MemberId, MemberId, CustomerId) {
    let admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    let next = server.add_member("next@example.jp", Role::Member).await;
    let customer = server.add_customer("山田", "太郎", None).await;
    let operator = TestServer::operator();
    let owned = server.crm.assign_owner(&operator, customer, Some(ken));
    owned.await.unwrap();
    (admin, ken, next, customer)
}

async fn owner(server: &TestServer, customer: CustomerId) -> Option<MemberId> {
    let line = server.crm.show_customer(&TestServer::operator(), customer).await;
    line.unwrap().customer.owner_id
}

#[tokio::test]
async fn disabling_asks_who_takes_over() {
    let server = TestServer::start().await;
    let (mut admin, ken, next, customer) = leaving(&server).await;
    let road = format!("/admin/users/{ken}/disable");
    let asked = admin.get(&road).await.text();
    assert!(asked.contains("担当する顧客 1件") && asked.contains(&format!("value=\"{next}\"")));
    let refused = admin.post(&road, &[("to", "")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("引き継ぐ相手を選んでください。"));
    let unknown = admin.post(&road, &[("to", "999999")]).await;
    assert_eq!(unknown.status, 422);
    assert!(
        member(&server, ken).await.disabled_at.is_none(),
        "nothing was changed"
    );
    let to = next.to_string();
    let left = admin.post(&road, &[("to", to.as_str())]).await;
    assert_eq!(left.status, 303, "{}", left.text());
    assert!(member(&server, ken).await.disabled_at.is_some());
    assert_eq!(owner(&server, customer).await, Some(next));
}

#[tokio::test]
async fn all_can_be_handed_over_later_or_to_nobody() {
    let server = TestServer::start().await;
    let (mut admin, ken, _, customer) = leaving(&server).await;
    let disable = format!("/admin/users/{ken}/disable");
    admin.get(&disable).await;
    assert_eq!(admin.post(&disable, &[("to", "later")]).await.status, 303);
    assert_eq!(owner(&server, customer).await, Some(ken));
    let road = format!("/admin/users/{ken}/hand-over");
    let page = admin.get(&format!("/admin/users/{ken}")).await.text();
    assert!(page.contains(&format!("href=\"{road}\"")));
    assert_eq!(admin.get(&road).await.status, 200);
    let given = admin.post(&road, &[("to", "nobody")]).await;
    assert_eq!(given.status, 303, "{}", given.text());
    assert_eq!(owner(&server, customer).await, None);
    assert!(admin.get(&road).await.text().contains("対応中の会話もありません"));
}
