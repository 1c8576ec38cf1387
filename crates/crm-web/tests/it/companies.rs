//! The pages of companies: list, page with its tabs, form, delete (§5.2).

use crm_domain::members::Role;

use crate::harness::{TARO, TestServer};

#[tokio::test]
async fn a_company_lives_from_its_form_to_its_trash() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/company/new").await;
    let refused = browser
        .post(
            "/company/new",
            &[("name", " "), ("website", "javascript:alert(1)")],
        )
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("value=\"javascript:alert(1)\""));
    let typed = [
        ("name", "株式会社山田製作所"),
        ("name_kana", "やまだせいさくしょ"),
        ("website", "example.jp"),
    ];
    let added = browser.post("/company/new", &typed).await;
    assert_eq!(added.status, 303, "{}", added.text());
    let path = added.header("location").unwrap().to_owned();
    let number = path.rsplit('/').next().unwrap().to_owned();

    let form = browser
        .get(&format!("/customer/new?company_id={number}"))
        .await
        .text();
    assert!(
        form.contains(&format!("<option value=\"{number}\" selected>株式会社山田製作所")),
        "{form}"
    );
    let person = [
        ("last_name", "山田"),
        ("company_id", number.as_str()),
        ("line_user_id", TARO),
    ];
    let customer = browser
        .post("/customer/new", &person)
        .await
        .header("location")
        .unwrap()
        .to_owned();

    let page = browser.get(&path).await.text();
    assert!(
        page.contains("href=\"https://example.jp\"") && page.contains(&format!("data-href=\"{customer}\""))
    );
    assert!(browser.get("/companies").await.text().contains("1名"));
    browser
        .post(&format!("{customer}/send"), &[("message", "こんにちは")])
        .await;
    let talks = browser.get(&format!("{path}?tab=talks")).await.text();
    assert!(talks.contains("こんにちは") && talks.contains("送信"));

    let revised = browser
        .post(&format!("{path}/edit"), &[("name", "山田工業"), ("version", "1")])
        .await;
    assert_eq!(revised.header("location"), Some(path.as_str()));
    let late = [("name", "山田商事"), ("version", "1")];
    let stale = browser.post(&format!("{path}/edit"), &late).await;
    let page = stale.text();
    assert_eq!(stale.status, 409);
    assert!(
        page.contains("<dt>会社名</dt><dd>山田工業</dd>") && page.contains("name=\"version\" value=\"2\""),
        "{page}"
    );
    assert!(page.contains("value=\"山田商事\""), "what was typed is kept");
    assert_eq!(browser.post(&format!("{path}/delete"), &[]).await.status, 303);
    assert_eq!(browser.get(&path).await.status, 404);
    let orphan = browser.get(&customer).await;
    assert!(
        orphan.status == 200 && !orphan.text().contains("山田工業"),
        "its people stay, without company"
    );
}
