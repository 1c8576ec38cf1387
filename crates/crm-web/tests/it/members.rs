//! Administration of members, and one's own settings.

use crm_domain::members::Role;

use crate::harness::TestServer;
use crate::harness::server::PASSWORD;

#[tokio::test]
async fn an_administrator_adds_a_member_who_chooses_a_password() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    admin.get("/admin/users").await;
    let refused = admin
        .post(
            "/admin/users",
            &[("member_name", ""), ("email", "x"), ("role", "member")],
        )
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("value=\"x\"") && refused.text().contains("id=\"e-member_name\""));
    let taken = [
        ("member_name", "別人"),
        ("email", "ADMIN@example.jp"),
        ("role", "member"),
    ];
    assert!(
        admin
            .post("/admin/users", &taken)
            .await
            .text()
            .contains("このメールアドレスはすでに使われています。")
    );
    let typed = [
        ("member_name", "高橋 健"),
        ("email", "ken@example.jp"),
        ("role", "member"),
    ];
    let added = admin.post("/admin/users", &typed).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let page = added.text();
    let link = page
        .split("/link/")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();

    let mut ken = server.browser();
    let asked = ken.get(&format!("/link/{link}")).await.text();
    assert!(
        asked.contains("高橋 健") && asked.contains("new_password"),
        "{asked}"
    );
    let short = ken
        .post(&format!("/link/{link}"), &[("new_password", "short")])
        .await;
    assert_eq!(short.status, 422);
    assert!(short.text().contains("12文字以上"));
    let chosen = ken
        .post(
            &format!("/link/{link}"),
            &[("new_password", "ながくてながいパスワード")],
        )
        .await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert_eq!(ken.get("/customers").await.status, 200);
    assert_eq!(ken.get("/admin/users").await.status, 403);
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    admin.get("/me").await;
    let id = server.crm.list_members(&TestServer::operator()).await.unwrap()[0].id;
    for (road, fields) in [("disable", &[][..]), ("role", &[("role", "member")][..])] {
        let answer = admin.post(&format!("/admin/users/{id}/{road}"), fields).await;
        assert_eq!(answer.status, 409, "{road}");
    }
    let other = server.add_member("other@example.jp", Role::Admin).await;
    let disabled = admin.post(&format!("/admin/users/{other}/disable"), &[]).await;
    let page = format!("/admin/users/{other}");
    assert_eq!(
        (disabled.status, disabled.header("location")),
        (303, Some(page.as_str()))
    );
    let page = admin.get(&page).await.text();
    assert!(page.contains("停止中") && page.contains(&format!("/admin/users/{other}/enable")));
    assert_eq!(
        admin
            .post(&format!("/admin/users/{other}/enable"), &[])
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn everybody_chooses_language_and_password() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    member.get("/me").await;
    member.post("/me/language", &[("language", "en")]).await;
    let english = member.get("/customers").await.text();
    assert!(english.contains("<html lang=\"en\">") && english.contains("Customers"));
    member.post("/me/language", &[("language", "")]).await;
    assert!(member.get("/me").await.text().contains("<html lang=\"ja\">"));
    let wrong = [
        ("current_password", "wrong"),
        ("new_password", "ながくてながいパスワード"),
    ];
    let refused = member.post("/me/password", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("現在のパスワードが違います。"));
    let right = [
        ("current_password", PASSWORD),
        ("new_password", "ながくてながいパスワード"),
    ];
    let stolen = member.cookie("crm_session").unwrap().to_owned();
    assert_eq!(member.post("/me/password", &right).await.status, 303);
    assert_eq!(member.get("/customers").await.status, 200, "this session goes on");
    assert_ne!(member.cookie("crm_session"), Some(stolen.as_str()));
    let mut thief = server.browser();
    thief.cookies.push(("crm_session".to_owned(), stolen));
    assert_eq!(
        thief.get("/customers").await.status,
        303,
        "the old secret is worth nothing"
    );
}

#[tokio::test]
async fn the_callback_is_tried_by_administrators_only() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let tried = admin.get("/test-webhook").await;
    assert_eq!(tried.status, 200);
    assert_eq!(tried.text().matches("step-ok").count(), 4, "{}", tried.text());
    let mut member = server.signed_in(Role::Member).await;
    assert_eq!(member.get("/test-webhook").await.status, 403);
    let from_elsewhere = crate::harness::Ask::get("/test-webhook").header("sec-fetch-site", "cross-site");
    assert_eq!(admin.send(from_elsewhere).await.status, 403);
}
