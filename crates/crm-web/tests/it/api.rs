//! The JSON API.

use crm_domain::members::Role;

use crate::harness::{Ask, TARO, TestServer};

#[tokio::test]
async fn customers_are_listed_page_by_page() {
    let server = TestServer::start().await;
    for (last, first) in [("山田", "太郎"), ("佐藤", "花子"), ("", "ﾊﾅｺ")] {
        server.add_customer(last, first, None).await;
    }
    let token = format!("Bearer {}", server.token(Role::Member).await);
    let ask = async |path: &str| {
        Ask::get(path)
            .header("authorization", &token)
            .send(server.address)
            .await
    };
    let first = ask("/api/v1/customers?limit=2").await;
    assert_eq!(
        first.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let first = first.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().expect("another page");
    let rest = ask(&format!("/api/v1/customers?limit=2&after={next}"))
        .await
        .json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(rest["next"].is_null());
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("after=x", "after"),
    ] {
        let answer = ask(&format!("/api/v1/customers?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_record_carries_the_tables_names_and_a_tag() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let token = format!("Bearer {}", server.token(Role::Member).await);
    let path = format!("/api/v1/customers/{id}");
    let ask = |tag: &str| {
        Ask::get(&path)
            .header("authorization", &token)
            .header("if-none-match", tag)
    };
    let answer = ask("").send(server.address).await;
    let customer = answer.json();
    assert_eq!(customer["last_name"], "山田");
    assert_eq!(customer["first_name"], "太郎");
    assert_eq!(customer["line_user_id"], TARO);
    assert_eq!(customer["link_status"], "unconfirmed");
    assert!(customer["email"].is_null() && customer["company_id"].is_null());
    let tag = answer.header("etag").expect("a tag").to_owned();
    let same = ask(&tag).send(server.address).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!(ask("\"other\"").send(server.address).await.status, 200);
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let server = TestServer::start().await;
    let token = format!("Bearer {}", server.token(Role::Member).await);
    let with = |method: &str, path: &str| Ask::new(method, path).header("authorization", &token);
    let cases = [
        (Ask::get("/api/v1/customers"), 401),
        (Ask::get("/api/v1/customers/1"), 401),
        (with("GET", "/api/v1/customers/999"), 404),
        (with("GET", "/api/v1/customers/abc"), 404),
        (with("GET", "/api/v1/customers/-1"), 404),
        (with("GET", "/api/v1/customers/99999999999999999999"), 404),
        (with("GET", "/api/v1/companies/abc"), 404),
        (with("GET", "/api/v1/nothing"), 404),
        (with("GET", "/api/nothing"), 404),
        (with("GET", "/api/v2/customers"), 404),
        (with("DELETE", "/api/v1/customers"), 405),
        (with("POST", "/api/v1/openapi.json"), 405),
        (with("GET", "/api/v1/customers?limit=x"), 400),
    ];
    for (ask, status) in cases {
        let answer = ask.clone().send(server.address).await;
        assert_eq!(answer.status, status, "{ask:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{ask:?}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{ask:?}");
        for name in ["type", "title", "code"] {
            assert!(
                problem[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name} of {ask:?}"
            );
        }
        assert!(problem["errors"].is_array(), "{ask:?}");
    }
}

#[tokio::test]
async fn the_document_needs_no_sign_in_and_tells_the_truth() {
    let server = TestServer::start().await;
    let answer = server.get("/api/v1/openapi.json").await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3."))
    );
    assert!(
        document["info"]["title"]
            .as_str()
            .is_some_and(|title| title.contains("API"))
    );
    let base = document["servers"][0]["url"].as_str().unwrap().to_owned();
    let token = format!("Bearer {}", server.token(Role::Member).await);
    for path in document["paths"].as_object().unwrap().keys() {
        let asked = format!("{base}{}", path.replace("{id}", "999"));
        let status = Ask::get(&asked)
            .header("authorization", &token)
            .send(server.address)
            .await
            .status;
        assert_eq!(status, if path.contains("{id}") { 404 } else { 200 }, "{asked}");
    }
}

#[tokio::test]
async fn the_page_about_it_is_in_one_language() {
    let server = TestServer::start().await;
    let page = server.get("/api/docs").await.text();
    assert!(page.contains("<html lang=\"en\">") && page.contains("<code>crm token create</code>"));
    assert!(!page.contains('`'), "no marks of another format");
    let (before, note) = page
        .split_once("lang=\"ja\">")
        .expect("a word to readers of Japanese");
    let (_, after) = note.split_once("</p>").unwrap();
    let japanese = |text: &str| {
        text.chars()
            .any(|letter| ('\u{3040}'..='\u{9fff}').contains(&letter))
    };
    assert!(!japanese(before) && !japanese(after), "{page}");
}
