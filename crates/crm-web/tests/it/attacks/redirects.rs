//! Nobody is led away from this server, and nobody's words become headers.

use crm_domain::members::Role;
use crm_lineworks_sim::callbacks;

use crate::harness::http::encode;
use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Browser, TARO, TestServer, until};

/// Places that are not ours, as somebody may write them into a link.
const ELSEWHERE: [&str; 22] = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://evil.example",
    "HTTPS:evil.example",
    "https:/evil.example",
    "//evil.example@localhost/",
    "//localhost.evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "customers",
    "?next=//evil.example",
    "//%65vil.example",
    "/x\r\nSet-Cookie: crm_session=evil",
    "/login?next=//evil.example",
];

/// Whether a browser that is sent there stays on this server.
fn stays(place: &str) -> bool {
    let plain = place
        .chars()
        .all(|letter| (letter.is_ascii_graphic() || letter == ' ') && letter != '\\');
    place.starts_with('/') && !place.starts_with("//") && plain && !place.contains("evil.example")
}

#[tokio::test]
async fn nobody_is_led_elsewhere_after_signing_in() {
    let server = TestServer::start().await;
    server.add_member("hanako@example.jp", Role::Member).await;
    for next in ELSEWHERE {
        for written in [
            next.to_owned(),
            encode(next),
            next.replace('/', "%2f").replace('\\', "%5c"),
        ] {
            let mut browser = server.browser();
            let page = browser.get(&format!("/login?next={}", encode(&written))).await;
            let carried = page.text();
            assert!(
                !carried.contains("value=\"//") && !carried.contains("value=\"https:"),
                "{written:?}"
            );
            let typed = [
                ("email", "hanako@example.jp"),
                ("password", PASSWORD),
                ("next", written.as_str()),
            ];
            let answer = browser.post("/login", &typed).await;
            let place = answer.header("location").expect("a place");
            assert!(
                answer.status == 303 && led_home(place),
                "{written:?} led to {place}"
            );
            assert_eq!(
                answer
                    .all("set-cookie")
                    .iter()
                    .filter(|line| line.contains("evil"))
                    .count(),
                0
            );
        }
        let mut signed = server.browser();
        signed.sign_in("hanako@example.jp", PASSWORD).await;
        let answer = signed.get(&format!("/login?next={}", encode(next))).await;
        assert!(answer.header("location").is_some_and(led_home), "{next:?}");
    }
}

/// A path of ours, whatever it is called; percent signs do not make another server of it.
fn led_home(place: &str) -> bool {
    let decoded_host = place.replace("evil.example", "x");
    stays(&decoded_host)
}

#[tokio::test]
async fn buttons_lead_back_to_pages_of_ours_only() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "こんにちは"))
        .await
        .unwrap();
    server.wait_for_messages(customer, 1).await;
    let operator = TestServer::operator();
    let lines = server
        .crm
        .conversations_of_customer(&operator, customer)
        .await
        .unwrap();
    let talk = lines[0].conversation.id;
    let mut browser = server.signed_in(Role::Member).await;
    let colleague = server
        .add_member("tanaka@example.jp", Role::Member)
        .await
        .to_string();
    for place in ELSEWHERE {
        let fields = [("back", place), ("to", colleague.as_str())];
        let answer = browser
            .post(&format!("/conversation/{talk}/hand-over"), &fields)
            .await;
        let to = answer.header("location").unwrap_or("/").to_owned();
        assert!(led_home(&to), "{place:?} led to {to}");
        let one_line: String = place.chars().filter(|letter| !letter.is_control()).collect();
        for referer in [one_line.clone(), format!("http://{}{one_line}", server.address)] {
            let ask = with_token(&browser, Ask::post(&format!("/conversation/{talk}/release")));
            let answer = browser.send(ask.header("referer", &referer)).await;
            let to = answer.header("location").unwrap_or("/").to_owned();
            assert!(led_home(&to), "{referer:?} led to {to}");
        }
    }
}

fn with_token(browser: &Browser, ask: Ask) -> Ask {
    ask.header("origin", format!("http://{}", browser.to))
        .form(&[("csrf_token", browser.token.as_str())])
}

#[tokio::test]
async fn a_host_that_somebody_makes_up_stands_in_no_answer() {
    let server = TestServer::start().await;
    for path in [
        "/",
        "/login",
        "/customers",
        "/nowhere",
        "/assets",
        "/api/v1/customers",
    ] {
        let ask = Ask::get(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-for", "evil.example")
            .header("forwarded", "host=evil.example")
            .header("x-original-url", "/admin/users")
            .header("x-rewrite-url", "/admin/users");
        let answer = ask.send(server.address).await;
        let whole = format!("{:?} {}", answer.headers, answer.text());
        assert!(!whole.contains("evil.example"), "{path}: {whole}");
    }
    let absolute = Ask::get("http://evil.example/login").send(server.address).await;
    assert!(!absolute.text().contains("evil.example"));
}

#[tokio::test]
async fn line_breaks_make_no_headers() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let evil = "x\r\nSet-Cookie: evil=1\r\nLocation: //evil.example";
    let encoded = encode(evil);
    let paths = [
        format!("/customers?q={encoded}"),
        format!("/customers?after={encoded}"),
        format!("/?tab={encoded}"),
        format!("/login?next=/{encoded}"),
        format!("/link/{encoded}"),
        format!("/check-customer/{encoded}"),
        format!("/customer/{encoded}"),
        format!("/{encoded}"),
        format!("/api/v1/customers?q={encoded}"),
        format!("/customer/new?line_user_id={encoded}"),
    ];
    for path in paths {
        let answer = browser.get(&path).await;
        assert_eq!(
            answer.header("set-cookie").filter(|line| line.contains("evil")),
            None,
            "{path}"
        );
        assert!(
            answer.header("location").is_none_or(led_home),
            "{path}: {:?}",
            answer.header("location")
        );
    }
    for field in ["last_name", "first_name", "email", "phone", "line_user_id"] {
        let mut typed = vec![("last_name", "山田"), ("first_name", "花子")];
        typed.retain(|(name, _)| *name != field);
        typed.push((field, evil));
        let answer = browser.post("/customer/new", &typed).await;
        assert_eq!(answer.status, 422, "{field}: a line break is no part of it");
        assert!(answer.header("location").is_none() && !format!("{:?}", answer.headers).contains("evil"));
    }
    let key = encode("k\r\nX-Evil: 1");
    browser
        .post(
            &format!("/customer/{customer}/send"),
            &[("message", evil), ("key", key.as_str())],
        )
        .await;
    browser
        .cookies
        .push(("crm_notice".to_owned(), "saved.1%0d%0aX-Evil: 1".to_owned()));
    let page = browser.get("/customers").await;
    assert!(!format!("{:?}", page.headers).contains("evil"));
}

#[tokio::test]
async fn a_files_name_becomes_no_header_and_no_path() {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    let names = [
        "a\"; filename=\"evil.html",
        "..\\..\\evil.exe",
        "../../../etc/passwd",
        "a\u{202e}gpj.exe",
        "<img src=x onerror=alert(1)>.png",
        "%0d%0aSet-Cookie: evil=1.txt",
        "報告;書.pdf",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let Ok(stored) = server
            .simulator
            .store_file(name, b"<script>alert(1)</script>".to_vec())
        else {
            continue;
        };
        server
            .simulator
            .deliver(&callbacks::file(TARO, &stored))
            .await
            .unwrap();
        let messages = server.wait_for_messages(customer, number + 1).await;
        let id = messages[0].file.as_ref().expect("a file").id;
        let file = until("the file", async || {
            let answer = browser.get(&format!("/file/{id}")).await;
            (answer.status == 200).then_some(answer)
        })
        .await;
        let told = file.header("content-disposition").expect("a name").to_owned();
        assert!(told.starts_with("attachment; filename*=UTF-8''"), "{told}");
        let rest = told.trim_start_matches("attachment; filename*=UTF-8''");
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~%!$&+^`|#".contains(letter);
        assert!(
            rest.chars().all(plain) && !rest.contains("%2F") && !rest.contains("%5C"),
            "{told}"
        );
        assert!(
            !rest.contains("%0D") && !rest.contains("%0A") && !rest.contains("%E2%80%AE"),
            "{told}"
        );
        assert_eq!(file.header("content-type"), Some("application/octet-stream"));
        assert!(
            file.header("content-security-policy")
                .is_some_and(|policy| policy.starts_with("sandbox"))
        );
        assert_eq!(file.all("set-cookie").len(), 0);
    }
}
