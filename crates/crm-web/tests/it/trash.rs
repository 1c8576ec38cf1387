//! The trash and how long things are kept, in the browser.

use crm_domain::members::Role;

use crate::harness::{HANAKO, TARO, TestServer, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_lies_in_the_trash_and_comes_back() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    assert!(browser.get("/trash").await.text().contains("ごみ箱は空です"));
    browser.get(&format!("/customer/{id}")).await;
    browser.post(&format!("/customer/{id}/delete"), &[]).await;
    let page = browser.get("/trash").await.text();
    for part in ["山田 太郎", "元に戻す", "完全に削除される日"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("完全に削除する<"), "that is for administrators");
    let refused = browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    assert_eq!(refused.status, 403);

    let other = server.add_customer("山田", "次郎", Some(TARO)).await;
    let asked = browser.post(&format!("/trash/customer/{id}/restore"), &[]).await;
    assert_eq!(asked.status, 409);
    assert!(asked.text().contains("同じLINE WORKSユーザーID") && asked.text().contains("山田 次郎"));
    let back = browser
        .post(&format!("/trash/customer/{id}/restore"), &[("anyway", "1")])
        .await;
    assert_eq!(back.status, 303, "{}", back.text());
    assert_eq!(browser.get(&format!("/customer/{id}")).await.status, 200);
    assert_eq!(browser.get(&format!("/customer/{other}")).await.status, 200);
    assert!(browser.get("/trash").await.text().contains("ごみ箱は空です"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_company_says_that_its_people_do_not_come_back() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get("/company/new").await;
    let added = browser
        .post("/company/new", &[("name", "株式会社山田製作所")])
        .await;
    let path = added.header("location").unwrap().to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    browser.get(&path).await;
    browser.post(&format!("{path}/delete"), &[]).await;
    assert!(browser.get("/trash").await.text().contains("自動では戻りません"));
    let back = browser.post(&format!("/trash/company/{id}/restore"), &[]).await;
    assert_eq!(back.status, 303);
    assert_eq!(browser.get(&path).await.status, 200);
    browser.post(&format!("{path}/delete"), &[]).await;
    let gone = browser.post(&format!("/trash/company/{id}/erase"), &[]).await;
    assert_eq!(gone.status, 303, "{}", gone.text());
    let again = browser.post(&format!("/trash/company/{id}/restore"), &[]).await;
    assert_eq!(again.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_holds_and_receipts_stand_on_one_page() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(HANAKO)).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let page = browser.get("/admin/retention").await.text();
    assert!(page.contains("完全に削除した顧客はいません"), "{page}");
    let wrong = browser
        .post("/admin/retention/rules", &[("messages", "三"), ("notes", "12")])
        .await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    assert!(
        text.contains("value=\"三\"") && text.contains("value=\"12\""),
        "{text}"
    );
    let rules = [("messages", "24"), ("notes", "")];
    assert_eq!(browser.post("/admin/retention/rules", &rules).await.status, 303);
    assert!(
        browser
            .get("/admin/retention")
            .await
            .text()
            .contains("value=\"24\"")
    );
    let number = id.to_string();
    for (customer, reason, part) in [
        (number.as_str(), "", "入力してください"),
        ("999999", "訴訟", "この番号の顧客はいません"),
        ("山田", "訴訟", "数字で入力"),
    ] {
        let refused = browser
            .post(
                "/admin/retention/holds",
                &[("customer", customer), ("reason", reason)],
            )
            .await;
        assert_eq!(refused.status, 422);
        let text = refused.text();
        assert!(text.contains("field-error") && text.contains(part), "{text}");
    }
    let placed = browser
        .post(
            "/admin/retention/holds",
            &[("customer", number.as_str()), ("reason", "訴訟のため")],
        )
        .await;
    assert_eq!(placed.status, 303, "{}", placed.text());
    browser.post(&format!("/customer/{id}/delete"), &[]).await;
    assert!(browser.get("/trash").await.text().contains("削除の停止中"));
    let held = browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    assert_eq!(held.status, 409);
    assert!(held.text().contains("削除が停止されている"), "{}", held.text());
    let page = browser.get("/admin/retention").await.text();
    assert!(
        page.contains("訴訟のため") && page.contains("削除の停止により中止"),
        "{page}"
    );
    let lift = page
        .split("action=\"/admin/retention/holds/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    browser.post(&format!("/admin/retention/holds/{lift}"), &[]).await;
    let done = browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    assert_eq!(done.status, 303);
    until("the receipt", async || {
        let page = browser.get("/admin/retention").await.text();
        page.contains("より前に作られたバックアップ").then_some(())
    })
    .await;
    browser.post("/admin/retention/run", &[]).await;
    until("the run", async || {
        let page = browser.get("/admin/retention").await.text();
        page.contains("前回: ").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_held_about_a_customer_is_given_to_administrators() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Admin).await;
    assert!(
        browser
            .get(&format!("/customer/{id}"))
            .await
            .text()
            .contains(&format!("action=\"/customer/{id}/export\""))
    );
    let file = browser.post(&format!("/customer/{id}/export"), &[]).await;
    assert_eq!(file.status, 200);
    assert_eq!(
        file.header("content-disposition"),
        Some(format!("attachment; filename=\"customer-{id}.json\"").as_str())
    );
    assert_eq!(file.json()["customers"][0]["last_name"], "山田");
    let mut member = server.signed_in(Role::Member).await;
    member.get(&format!("/customer/{id}")).await;
    let refused = member.post(&format!("/customer/{id}/export"), &[]).await;
    assert_eq!(refused.status, 403);
}
