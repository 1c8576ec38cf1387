//! Customers and companies written by programs.

use crm_domain::members::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, Ask, TARO, TestServer};

/// A program with a token.
struct Program {
    server: TestServer,
    token: String,
}

impl Program {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let token = format!("Bearer {}", server.token(Role::Admin).await);
        Self { server, token }
    }

    fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, &format!("/api/v1{path}")).header("authorization", &self.token)
    }

    async fn send(&self, ask: Ask) -> Answer {
        ask.send(self.server.address).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.ask("GET", path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.ask("POST", path).json(body)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.ask("PATCH", path).json(body)).await
    }

    /// With a key.
    fn keyed(&self, key: &str, path: &str, body: &Value) -> Ask {
        self.ask("POST", path).header("idempotency-key", key).json(body)
    }

    async fn count(&self) -> usize {
        let list = self.get("/customers?limit=200").await.json();
        list["items"].as_array().unwrap().len()
    }
}

/// Field and code of every error.
fn errors(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text()
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| (text(&error["field"]), text(&error["code"])))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(field, code): &(&str, &str)| ((*field).to_owned(), (*code).to_owned());
    pairs.iter().map(own).collect()
}

#[tokio::test]
async fn a_customer_is_added_changed_and_discarded() {
    let program = Program::new().await;
    let company = program.post("/companies", &json!({"name": "北海商事"})).await;
    assert_eq!(company.status, 201, "{}", company.text());
    let company_id = company.json()["id"].clone();
    let sent = json!({
        "last_name": "山田", "first_name": "太郎", "last_name_kana": "やまだ", "first_name_kana": "タロウ",
        "email": "taro@example.jp", "phone": "03-1234-5678", "line_user_id": TARO, "company_id": company_id,
        "remarks": "水曜休み",
    });
    let made = program.post("/customers", &sent).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let customer = made.json();
    let address = format!("/customers/{}", customer["id"]);
    assert_eq!(made.header("location").unwrap(), format!("/api/v1{address}"));
    for field in [
        "last_name",
        "first_name",
        "email",
        "line_user_id",
        "company_id",
        "remarks",
    ] {
        assert_eq!(customer[field], sent[field], "{field}");
    }
    assert_eq!(customer["last_name_kana"], "ヤマダ");
    assert_eq!(customer["company_name"], "北海商事");
    let read = program.get(&address).await;
    assert_eq!(read.json(), customer);
    assert_eq!(read.header("etag"), made.header("etag"));

    let change = json!({"first_name": "次郎", "phone": null, "company_id": null, "remarks": ""});
    let changed = program.patch(&address, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(
        (&changed["last_name"], &changed["first_name"]),
        (&json!("山田"), &json!("次郎"))
    );
    assert_eq!(
        (&changed["email"], &changed["line_user_id"]),
        (&sent["email"], &sent["line_user_id"])
    );
    assert!(changed["phone"].is_null() && changed["company_id"].is_null());
    assert_eq!(
        (&changed["remarks"], &changed["version"]),
        (&json!(""), &json!(2))
    );
    let same = program
        .patch(&address, &json!({"first_name": "次郎"}))
        .await
        .json();
    assert_eq!(same["version"], 2, "nothing changed");

    assert_eq!(program.send(program.ask("DELETE", &address)).await.status, 204);
    assert_eq!(program.get(&address).await.status, 404);
    assert_eq!(program.send(program.ask("DELETE", &address)).await.status, 404);
    assert_eq!(program.patch(&address, &change).await.status, 404);
    let mut browser = program.server.signed_in(Role::Admin).await;
    assert!(browser.get("/trash").await.text().contains("次郎"));
}

#[tokio::test]
async fn a_company_is_added_changed_and_discarded() {
    let program = Program::new().await;
    let sent = json!({"name": "南海物産", "name_kana": "なんかい", "address": "東京都", "phone": "0312345678",
        "website": "https://example.jp", "remarks": "得意先"});
    let made = program.post("/companies", &sent).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let address = format!("/companies/{}", made.json()["id"]);
    assert_eq!(made.header("location").unwrap(), format!("/api/v1{address}"));
    let again = program.post("/companies", &json!({"name": "南海物産"})).await;
    assert_eq!(again.status, 201, "equal names are no collision");
    let changed = program
        .patch(&address, &json!({"phone": null, "name": "南海産業"}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["address"]),
        (&json!("南海産業"), &json!("東京都"))
    );
    assert!(changed["phone"].is_null());
    let empty = program.patch(&address, &json!({"name": null})).await;
    assert_eq!(
        (empty.status, errors(&empty)),
        (422, pairs(&[("name", "required")]))
    );
    let stale = program
        .ask("DELETE", &address)
        .header("if-match", made.header("etag").unwrap());
    assert_eq!(program.send(stale).await.status, 412);
    assert_eq!(program.send(program.ask("DELETE", &address)).await.status, 204);
    assert_eq!(program.get(&address).await.status, 404);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let program = Program::new().await;
    let cases = [
        (json!({}), 422, pairs(&[("last_name", "required")])),
        (
            json!({"last_name": "山田", "email": "x", "phone": "abc"}),
            422,
            pairs(&[("email", "malformed"), ("phone", "malformed")]),
        ),
        (
            json!({"last_name": "山田", "company_id": 999}),
            422,
            pairs(&[("company_id", "missing")]),
        ),
        (
            json!({"last_name": 5, "name": "x", "company_id": "1"}),
            422,
            pairs(&[
                ("company_id", "malformed"),
                ("last_name", "malformed"),
                ("name", "unknown"),
            ]),
        ),
        (json!(["山田"]), 400, pairs(&[])),
        (json!(null), 400, pairs(&[])),
    ];
    for (body, status, expected) in cases {
        let answer = program.post("/customers", &body).await;
        assert_eq!((answer.status, errors(&answer)), (status, expected), "{body}");
    }
    let no_json = program
        .ask("POST", "/customers")
        .header("content-type", "application/json");
    assert_eq!(program.send(no_json.bytes("{")).await.status, 400);
    let text = program
        .ask("POST", "/customers")
        .header("content-type", "text/plain");
    assert_eq!(program.send(text.bytes("{}")).await.status, 415);
    assert_eq!(program.count().await, 0);
}

#[tokio::test]
async fn only_equal_addresses_collide_and_names_never_do() {
    let program = Program::new().await;
    let person = |more: Value| {
        let mut body = json!({"last_name": "山田", "first_name": "太郎"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let first = person(json!({"email": "Taro@example.jp", "phone": "03-1234-5678", "line_user_id": TARO}));
    let first = program.post("/customers", &first).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let plain = program.post("/customers", &person(json!({}))).await;
    assert_eq!(plain.status, 201, "{}", plain.text());
    for (field, value) in [
        ("email", "taro@EXAMPLE.jp"),
        ("phone", "０３（１２３４）５６７８"),
        ("line_user_id", TARO),
    ] {
        let body = person(json!({field: value}));
        let refused = program.post("/customers", &body).await;
        assert_eq!(
            (refused.status, errors(&refused)),
            (409, pairs(&[(field, "taken")])),
            "{field}"
        );
        assert_eq!(refused.json()["code"], "duplicate");
        let address = format!("/customers/{}", plain.json()["id"]);
        let refused = program.patch(&address, &json!({field: value})).await;
        assert_eq!(
            (refused.status, errors(&refused)),
            (409, pairs(&[(field, "taken")])),
            "{field}"
        );
    }
    assert_eq!(program.count().await, 2);
    let anyway = program
        .post("/customers?anyway=true", &person(json!({"phone": "0312345678"})))
        .await;
    assert_eq!(anyway.status, 201, "{}", anyway.text());
    let own = format!("/customers/{}", anyway.json()["id"]);
    let other_field = program
        .patch(&own, &json!({"remarks": "双子", "phone": "0312345678"}))
        .await;
    assert_eq!(
        other_field.status, 200,
        "what does not change is not asked about again"
    );
}

#[tokio::test]
async fn a_condition_that_does_not_hold_changes_nothing() {
    let program = Program::new().await;
    let made = program.post("/customers", &json!({"last_name": "山田"})).await;
    let address = format!("/customers/{}", made.json()["id"]);
    let tag = made.header("etag").unwrap().to_owned();
    let with = |tag: &str, change: &Value| {
        program
            .ask("PATCH", &address)
            .header("if-match", tag)
            .json(change)
    };
    let change = json!({"first_name": "太郎"});
    let done = program.send(with(&format!("\"other\", {tag}"), &change)).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let late = program.send(with(&tag, &json!({"first_name": "次郎"}))).await;
    assert_eq!(
        (late.status, &late.json()["code"]),
        (412, &json!("precondition_failed"))
    );
    let new = done.header("etag").unwrap();
    assert_eq!(Some(new), program.get(&address).await.header("etag"));
    let delete = |tag: &str| program.ask("DELETE", &address).header("if-match", tag);
    assert_eq!(program.send(delete(&tag)).await.status, 412);
    let unreadable = program
        .send(with("\"タグ\"", &json!({"first_name": "三郎"})))
        .await;
    assert_eq!(
        unreadable.status, 412,
        "a condition that cannot be read is not passed over"
    );
    assert_eq!(program.get(&address).await.json()["first_name"], "太郎");
    assert_eq!(
        program.send(with("*", &json!({"remarks": "x"}))).await.status,
        200
    );
    assert_eq!(program.send(delete("*")).await.status, 204);
}

#[tokio::test]
async fn a_key_has_its_effect_once_and_is_answered_the_same() {
    let program = Program::new().await;
    let body = json!({"last_name": "山田", "email": "taro@example.jp"});
    let first = program.send(program.keyed("k1", "/customers", &body)).await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None),
        "{}",
        first.text()
    );
    let address = format!("/customers/{}", first.json()["id"]);
    program.patch(&address, &json!({"first_name": "太郎"})).await;
    let again = program.send(program.keyed("k1", "/customers", &body)).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (201, Some("true"))
    );
    assert_eq!(again.body, first.body, "as it was answered then");
    for header in ["location", "content-type"] {
        assert_eq!(again.header(header), first.header(header));
    }
    let other = json!({"last_name": "佐藤"});
    let used = program.send(program.keyed("k1", "/customers", &other)).await;
    assert_eq!(
        (used.status, &used.json()["code"]),
        (422, &json!("idempotency_key_used"))
    );
    assert_eq!(program.count().await, 1);

    let elsewhere = program
        .send(program.keyed("k1", "/companies", &json!({"name": "北海商事"})))
        .await;
    assert_eq!(
        (elsewhere.status, elsewhere.header("idempotency-replayed")),
        (201, None)
    );
    let somebody_else = format!("Bearer {}", program.server.token(Role::Member).await);
    let theirs = Ask::post("/api/v1/customers")
        .header("authorization", &somebody_else)
        .header("idempotency-key", "k1")
        .json(&other);
    assert_eq!(program.send(theirs).await.status, 201);
    for bad in ["a b", "キー", &"x".repeat(256)] {
        let refused = program.send(program.keyed(bad, "/customers", &other)).await;
        assert_eq!(
            (refused.status, errors(&refused)),
            (400, pairs(&[("Idempotency-Key", "malformed")]))
        );
    }
    let longest = program
        .send(program.keyed(&"~".repeat(255), "/customers", &other))
        .await;
    assert_eq!(longest.status, 201);
}

#[tokio::test]
async fn what_was_refused_is_not_kept() {
    let program = Program::new().await;
    let wrong = json!({"last_name": ""});
    let refused = program.send(program.keyed("k", "/customers", &wrong)).await;
    assert_eq!(refused.status, 422);
    let right = json!({"last_name": "山田"});
    let done = program.send(program.keyed("k", "/customers", &right)).await;
    assert_eq!((done.status, done.header("idempotency-replayed")), (201, None));
}

#[tokio::test]
async fn of_eight_at_once_one_has_its_effect() {
    let program = Program::new().await;
    let id = program.server.add_customer("山田", "太郎", Some(TARO)).await;
    let messages = format!("/customers/{id}/messages");
    for (path, body, status) in [
        (
            "/customers",
            json!({"last_name": "佐藤", "email": "sato@example.jp"}),
            201,
        ),
        ("/companies", json!({"name": "北海商事"}), 201),
        (messages.as_str(), json!({"text": "お知らせ"}), 202),
    ] {
        let asks: Vec<_> = (0..8)
            .map(|_| tokio::spawn(program.keyed("race", path, &body).send(program.server.address)))
            .collect();
        let mut answers = Vec::new();
        for ask in asks {
            answers.push(ask.await.unwrap());
        }
        assert!(answers.iter().all(|answer| answer.status == status), "{path}");
        assert!(
            answers.iter().all(|answer| answer.body == answers[0].body),
            "{path}"
        );
        let first = answers
            .iter()
            .filter(|answer| answer.header("idempotency-replayed").is_none());
        assert_eq!(first.count(), 1, "{path}");
    }
    assert_eq!(program.count().await, 2);
    let companies = program.get("/companies").await.json();
    assert_eq!(companies["items"].as_array().unwrap().len(), 1);
    assert_eq!(program.server.conversation(id).await.len(), 1);
}

#[tokio::test]
async fn scopes_and_origins_are_respected() {
    let program = Program::new().await;
    let body = json!({"last_name": "山田"});
    let viewer = format!("Bearer {}", program.server.token(Role::Viewer).await);
    let refused = Ask::post("/api/v1/customers")
        .header("authorization", &viewer)
        .json(&body);
    assert_eq!(program.send(refused).await.status, 403);
    let mut browser = program.server.signed_in(Role::Member).await;
    browser.get("/customers").await;
    let bare = browser.send(Ask::post("/api/v1/customers").json(&body)).await;
    assert_eq!((bare.status, &bare.json()["code"]), (403, &json!("csrf")));
    let proven = |method: &str, path: &str, token: &str| {
        Ask::new(method, path)
            .header("x-csrf-token", token)
            .header("origin", format!("http://{}", program.server.address))
    };
    let token = browser.token.clone();
    let made = browser
        .send(proven("POST", "/api/v1/customers", &token).json(&body))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(browser.send(Ask::new("DELETE", &path)).await.status, 403);
    assert_eq!(browser.send(proven("DELETE", &path, "x")).await.status, 403);
}
