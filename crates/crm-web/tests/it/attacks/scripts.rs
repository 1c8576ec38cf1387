//! Whatever somebody types or sends is text: no page runs it, in a browser that would show a dialog.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crm_domain::members::Role;
use crm_lineworks_sim::{Member, SimulatorConfig, callbacks};

use super::forms::{Form, Kind};
use crate::harness::http::encode;
use crate::harness::window::Window;
use crate::harness::{Browser, Setup, TARO, TestServer, until};

/// Breaks out of attributes, text areas and titles; short enough for a name.
const SHORT: &str = "\"'><xss-probe><img src=x onerror=alert(1)><script>xss=1;alert(2)</script>";
/// What would be another way in.
const LONG: &str = "</textarea></title></script>\"'><xss-probe><svg onload=alert(3)><iframe src=javascript:alert(4)>\
                    <a href=javascript:alert(5)>x</a><div hx-get=/customers hx-trigger=load hx-on:load=alert(6)>\
                    <math><mtext></mtext><style>*{display:none}</style>{{7*7}}";
const STRANGER: &str = "0b1c2d3e-0000-4000-8000-000000000009";

/// Buttons after which there is nothing left to look at.
const NOT_SENT: [&str; 9] = [
    "/logout",
    "/me/password",
    "/sessions/end",
    "/delete",
    "/erase",
    "/disable",
    "/sign-out",
    "/role",
    "/admin/line-works",
];

fn setup() -> Setup {
    let stranger = Member::new(STRANGER, SHORT, SHORT).with_kana(SHORT, SHORT);
    Setup {
        simulator: SimulatorConfig {
            members: vec![stranger],
            scopes: ["bot", "user.read", "user.profile.read"]
                .map(str::to_owned)
                .to_vec(),
            ..SimulatorConfig::default()
        },
        ..Setup::default()
    }
}

/// What customers and strangers send.
async fn send_in(server: &TestServer) {
    let simulator = &server.simulator;
    let file = simulator.store_file("<img src=x onerror=alert(7)>.png", vec![1; 10]);
    let mut events = vec![
        callbacks::text(TARO, LONG),
        callbacks::text_with_postback(TARO, SHORT, LONG),
        callbacks::location(TARO, LONG, 35.0, 139.0),
        callbacks::sticker(TARO, SHORT, SHORT),
        callbacks::text(STRANGER, LONG),
    ];
    events.extend(file.ok().map(|file| callbacks::file(TARO, &file)));
    for event in events {
        simulator.deliver(&event).await.unwrap();
    }
}

/// The addresses of our pages to which a page leads.
fn links(page: &str) -> Vec<String> {
    let found = page.split(" href=\"/").skip(1);
    found
        .filter_map(|rest| rest.split('"').next())
        .map(|path| format!("/{}", path.replace("&#x2f;", "/").replace("&amp;", "&")))
        .filter(|path| {
            !path.starts_with("/assets/") && !path.starts_with("/file/") && !path.contains("/login")
        })
        .map(|path| path.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

/// Fills every field of every form of a page with both, and looks at what comes back.
async fn fill_in(browser: &mut Browser, path: &str, page: &str, sent: &mut BTreeSet<String>) {
    for form in Form::all(page, path) {
        let kind: String = form
            .action
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect();
        if !form.post || NOT_SENT.iter().any(|part| form.action.contains(part)) || !sent.insert(kind) {
            continue;
        }
        for (payload, shaped) in [(LONG, false), (SHORT, false), (SHORT, true)] {
            let email = format!("someone-{}@example.jp", sent.len());
            let fields: Vec<(&str, &str)> = form
                .fields
                .iter()
                .filter(|(name, _, _)| name != "csrf_token")
                .map(|(name, value, kind)| {
                    let typed = match kind {
                        Kind::Given => value.as_str(),
                        Kind::Email if shaped => email.as_str(),
                        Kind::Shaped if shaped => "",
                        _ => payload,
                    };
                    (name.as_str(), typed)
                })
                .collect();
            let answer = browser.post(&form.action, &fields).await;
            assert!(answer.status < 500, "{}: {}", form.action, answer.status);
            harmless(&answer.text(), &form.action);
        }
    }
}

fn harmless(page: &str, path: &str) {
    for part in [
        "<xss-probe",
        "<img src=x",
        "<svg onload",
        "<script>xss",
        "href=\"javascript",
        "<a href=javascript",
    ] {
        let raw = page.contains(part) && page.contains("<html");
        assert!(!raw, "{path} holds {part}");
    }
    assert!(
        !page.contains("49 ${") && !page.contains(">49<"),
        "{path} computes what was typed"
    );
}

/// Where the walk begins.
const ROOTS: [&str; 8] = [
    "/",
    "/me",
    "/admin",
    "/customers",
    "/companies",
    "/unknown-senders",
    "/customer/new",
    "/company/new",
];

/// Goes through the pages by their links, some of each kind, and fills in their forms if told so.
async fn walk(browser: &mut Browser, mut sent: Option<&mut BTreeSet<String>>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut open: VecDeque<String> = ROOTS.map(str::to_owned).into();
    while let Some(path) = open.pop_front() {
        let kind = path.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let times = kinds.entry(kind).or_default();
        if *times >= 3 || !seen.insert(path.clone()) {
            continue;
        }
        *times += 1;
        let page = browser.get(&path).await;
        assert!(page.status < 500, "{path}: {}", page.status);
        harmless(&page.text(), &path);
        if let Some(sent) = &mut sent {
            fill_in(browser, &path, &page.text(), sent).await;
        }
        open.extend(links(&page.text()));
    }
    seen
}

/// What ran or stands in a page that should not; and a dialog, which would make the script itself fail.
const TRACES: &str = "return [typeof window.xss, String(document.querySelectorAll(
    'xss-probe, img[src=x], svg[onload], iframe, [onerror], [onload], [hx-on\\\\:load], a[href^=javascript], math').length),
    String(getComputedStyle(document.body).display)].join(' ')";

async fn look(window: &Window, path: &str) {
    window.go(path).await;
    let traces: String = window.ask(TRACES).await;
    assert_eq!(
        traces.replace("flex", "block").replace("grid", "block"),
        "undefined 0 block",
        "{path}"
    );
    assert!(
        window.driver.get_alert_text().await.is_err(),
        "{path} shows a dialog"
    );
}

#[tokio::test]
async fn no_page_runs_what_somebody_typed_or_sent() {
    let server = TestServer::start_with(setup()).await;
    let customer = server.add_customer(SHORT, SHORT, Some(TARO)).await;
    send_in(&server).await;
    server.wait_for_messages(customer, 3).await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser
        .post(&format!("/customer/{customer}/note"), &[("message", LONG)])
        .await;
    browser
        .post(&format!("/customer/{customer}/draft"), &[("message", LONG)])
        .await;
    let mut sent = BTreeSet::new();
    walk(&mut browser, Some(&mut sent)).await;
    assert!(sent.len() > 20, "{sent:?}");
    let mut pages = walk(&mut browser, None).await;
    for made in ["/company/", "/admin/users/", "/admin/teams/"] {
        let mut shown = false;
        for page in &pages {
            if page
                .strip_prefix(made)
                .is_some_and(|id| id.parse::<i64>().is_ok())
            {
                shown |= browser.get(page).await.text().contains("&lt;xss-probe&gt;");
            }
        }
        assert!(shown, "{made}");
    }
    let (short, long) = (encode(SHORT), encode(LONG));
    for reflected in [
        "/customers?q=",
        "/companies?q=",
        "/?tab=",
        "/?q=",
        "/customers?after=",
        "/admin/audit?q=",
        "/login?next=",
        "/",
    ] {
        pages.insert(format!("{reflected}{short}"));
        pages.insert(format!("{reflected}{long}"));
    }
    let window = Window::open(&server, 1280).await;
    window.sign_in("admin@example.jp").await;
    for path in &pages {
        look(&window, path).await;
    }
    assert!(pages.len() > 40, "{pages:?}");
    // The same while the page is open: what arrives live.
    window.go(&format!("/customer/{customer}")).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, LONG))
        .await
        .unwrap();
    server
        .simulator
        .deliver(&callbacks::text(TARO, "最後"))
        .await
        .unwrap();
    window
        .until("it arrives", "return document.body.innerText.includes('最後')")
        .await;
    let traces: String = window.ask(TRACES).await;
    assert!(traces.starts_with("undefined 0"), "{traces}");
    window.close().await;
}

#[tokio::test]
async fn a_dialog_would_be_seen() {
    let server = TestServer::start().await;
    let window = Window::open(&server, 1280).await;
    window.go("/login").await;
    window.run("setTimeout(() => alert('seen'), 0)").await;
    let told = until("the dialog", async || window.driver.get_alert_text().await.ok()).await;
    assert_eq!(told, "seen");
    window.driver.accept_alert().await.unwrap();
    // And what is put into a page in spite of all does not run.
    window
        .run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.xss=1\"><xss-probe>')")
        .await;
    window
        .until(
            "it stands there",
            "return document.querySelector('xss-probe') !== null",
        )
        .await;
    let ran: String = window.ask("return typeof window.xss").await;
    assert_eq!(ran, "undefined", "the policy holds");
    window.close().await;
}
