//! The JSON API.

use crm_domain::members::Role;

use crate::harness::{Ask, TARO, TestServer, until};

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
    let paths = document["paths"].as_object().unwrap();
    for (path, _) in paths
        .iter()
        .filter(|(_, operations)| operations["get"].is_object())
    {
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

#[tokio::test]
async fn a_program_sends_and_asks_how_far_it_got() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let token = format!("Bearer {}", server.token(Role::Member).await);
    let send = async |path: String, key: &str, text: &str| {
        Ask::post(&path)
            .header("authorization", &token)
            .header("idempotency-key", key)
            .json(&serde_json::json!({"text": text}))
            .send(server.address)
            .await
    };
    let path = format!("/api/v1/customers/{id}/messages");
    let answer = send(path.clone(), "k1", "お知らせ").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.header("idempotency-replayed"), None);
    let message = answer.json();
    assert_eq!(
        (&message["text"], &message["line_user_id"]),
        (&"お知らせ".into(), &TARO.into())
    );
    let address = answer.header("location").unwrap().to_owned();
    assert_eq!(address, format!("/api/v1/messages/{}", message["id"]));
    let state = async || {
        let asked = Ask::get(&address).header("authorization", &token);
        asked.send(server.address).await.json()["state"].clone()
    };
    until("it is sent", async || (state().await == "sent").then_some(())).await;
    let again = send(path.clone(), "k1", "お知らせ").await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (202, Some("true"))
    );
    assert_eq!(again.json()["id"], message["id"]);
    let other = send(path.clone(), "k1", "別の文").await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (422, &"idempotency_key_used".into())
    );
    for (path, text, status) in [
        (path.clone(), "", 422),
        (path.clone(), "あ".repeat(2_001).as_str(), 422),
        ("/api/v1/customers/999/messages".to_owned(), "x", 404),
    ] {
        let refused = send(path, "", text).await;
        assert_eq!(refused.status, status, "{}", refused.text());
        assert_eq!(
            refused.header("content-type"),
            Some("application/problem+json"),
            "{status}"
        );
    }
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
    let gone = Ask::get("/api/v1/messages/999").header("authorization", &token);
    assert_eq!(gone.send(server.address).await.status, 404);
}

#[tokio::test]
async fn a_page_that_sends_by_the_api_proves_itself() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    let path = format!("/api/v1/customers/{id}/messages");
    let body = serde_json::json!({"text": "x"});
    browser.get("/customers").await;
    let bare = browser.send(Ask::post(&path).json(&body)).await;
    assert_eq!(bare.status, 403, "{}", bare.text());
    let proven = Ask::post(&path)
        .header("x-csrf-token", browser.token.clone())
        .header("origin", format!("http://{}", server.address))
        .json(&body);
    assert_eq!(browser.send(proven).await.status, 202);
}
