//! The link for the first administrator.

use crate::harness::TestServer;

#[tokio::test]
async fn whoever_has_the_link_becomes_the_first_administrator_once() {
    let server = TestServer::start().await;
    let operator = TestServer::operator();
    let secret = server
        .crm
        .make_setup_link(&operator)
        .await
        .unwrap()
        .expect("a link");
    let road = format!("/setup/{secret}");
    let mut browser = server.browser();
    for _ in 0..2 {
        assert_eq!(browser.get(&road).await.status, 200, "looking uses nothing up");
    }
    let short = [
        ("member_name", "管理 花子"),
        ("email", "hanako"),
        ("new_password", "short"),
    ];
    let refused = browser.post(&road, &short).await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    assert!(page.contains("value=\"管理 花子\"") && page.contains("value=\"hanako\""));
    assert!(page.contains("12文字以上") && !page.contains("short"));
    let typed = [
        ("member_name", "管理 花子"),
        ("email", "hanako@example.jp"),
        ("new_password", "ながくてながいパスワード"),
    ];
    let made = browser.post(&road, &typed).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/")));
    assert_eq!(browser.get("/admin").await.status, 200);
    let over = server.browser().get(&road).await;
    assert_eq!(over.status, 404);
    assert!(over.text().contains("このリンクは使えません"));
    assert!(server.crm.make_setup_link(&operator).await.unwrap().is_none());
}
