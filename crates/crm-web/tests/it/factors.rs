//! The second factor in the pages: set up, asked for at sign-in, recovery codes, off.

use std::time::{SystemTime, UNIX_EPOCH};

use crm_domain::members::Role;
use ring::hmac;

use crate::harness::server::PASSWORD;
use crate::harness::{Answer, Browser, TestServer};

/// The seed that a page shows as text, decoded from base 32.
pub fn seed(page: &str) -> Vec<u8> {
    let (_, code) = page
        .split_once("<p class=\"code one-time\"><span>")
        .expect("a seed");
    let text = code.split('<').next().unwrap_or_default();
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b' ') {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|known| *known == letter);
        bits = bits << 5 | u32::try_from(value.expect("base 32")).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// What an app shows so many steps from now (RFC 6238).
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test reads the same clock"
)]
pub fn code(seed: &[u8], ahead: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &(now / 30 + ahead).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let four = <[u8; 4]>::try_from(&tag[at..at + 4]).unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// The recovery codes that a page shows once.
fn codes(page: &str) -> Vec<String> {
    let (_, list) = page.split_once("<ul class=\"codes code\">").expect("codes");
    let (list, _) = list.split_once("</ul>").unwrap();
    list.split("<li>")
        .skip(1)
        .map(|item| item.replace("</li>", ""))
        .collect()
}

/// Turns it on, with what is needed afterwards: the seed and the recovery codes.
async fn turned_on(browser: &mut Browser) -> (Vec<u8>, Vec<String>) {
    browser.get("/me/factor").await;
    let wrong = browser
        .post("/me/factor/begin", &[("current_password", "x")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("現在のパスワードが違います。"));
    let begun = browser
        .post("/me/factor/begin", &[("current_password", PASSWORD)])
        .await;
    assert_eq!(
        (begun.status, begun.header("location")),
        (303, Some("/me/factor"))
    );
    let page = browser.get("/me/factor").await.text();
    assert!(page.contains("<svg class=\"qr\"") && !page.contains("otpauth"));
    let refused = browser.post("/me/factor/confirm", &[("code", "000000")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("<svg class=\"qr\""), "the picture stays");
    let seed = seed(&page);
    let on = browser
        .post("/me/factor/confirm", &[("code", &code(&seed, 0))])
        .await;
    assert_eq!(on.status, 200, "{}", on.text());
    (seed, codes(&on.text()))
}

/// Signs in with the password and comes to the second page.
async fn half_in(server: &TestServer, next: &str) -> Browser {
    let mut browser = server.browser();
    browser.get(&format!("/login?next={next}")).await;
    let fields = [
        ("email", "member@example.jp"),
        ("password", PASSWORD),
        ("next", next),
    ];
    let answer = browser.post("/login", &fields).await;
    let road = answer.header("location").unwrap_or_default().to_owned();
    assert!(road.starts_with("/login/code"), "{road}");
    assert_eq!(browser.get("/customers").await.status, 303, "not in yet");
    assert_eq!(browser.get(&road).await.status, 200);
    browser
}

fn led_to(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("location"))
}

#[tokio::test]
async fn signing_in_asks_for_the_code_or_a_recovery_code() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    let (seed, codes) = turned_on(&mut member).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(member.get("/customers").await.status, 200, "this session goes on");
    assert!(member.get("/me").await.text().contains("から有効です。"));

    let mut browser = half_in(&server, "/customers").await;
    let wrong = [("code", "12345"), ("next", "/customers")];
    let refused = browser.post("/login/code", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("name=\"next\" value=\"/customers\""));
    let right = code(&seed, 1);
    let fields = [("code", right.as_str()), ("next", "/customers")];
    let inside = browser.post("/login/code", &fields).await;
    assert_eq!(led_to(&inside), (303, Some("/customers")));
    assert_eq!(browser.cookie("crm_sign_in"), None);
    assert_eq!(browser.get("/customers").await.status, 200);

    let mut lost = half_in(&server, "/").await;
    let recovery = codes[0].to_uppercase();
    assert_eq!(
        led_to(&lost.post("/login/code", &[("code", &recovery)]).await),
        (303, Some("/"))
    );
    let mut again = half_in(&server, "/").await;
    let used = again.post("/login/code", &[("code", &codes[0])]).await;
    assert_eq!(used.status, 422, "each works once");
}

#[tokio::test]
async fn without_a_password_before_it_the_second_page_leads_back() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    assert_eq!(led_to(&browser.get("/login/code").await), (303, Some("/login")));
    browser.get("/login").await;
    let posted = browser.post("/login/code", &[("code", "123456")]).await;
    assert_eq!(led_to(&posted), (303, Some("/login")));
}

#[tokio::test]
async fn codes_are_renewed_and_the_factor_turned_off_by_its_owner_or_reset() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    let (seed, codes_before) = turned_on(&mut member).await;
    member.get("/me/factor").await;
    let wrong = member.post("/me/factor/renew", &[("renew_code", "1")]).await;
    assert_eq!(wrong.status, 422);
    let right = code(&seed, 1);
    let renewed = member.post("/me/factor/renew", &[("renew_code", &right)]).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    let fresh = codes(&renewed.text());
    assert!(fresh.len() == 10 && !fresh.contains(&codes_before[0]));
    let half = [("current_password", "x"), ("code", fresh[0].as_str())];
    member.get("/me/factor").await;
    assert_eq!(member.post("/me/factor/off", &half).await.status, 422);
    let whole = [("current_password", PASSWORD), ("code", fresh[0].as_str())];
    let off = member.post("/me/factor/off", &whole).await;
    assert_eq!(led_to(&off), (303, Some("/me")));
    let mut plain = server.browser();
    assert_eq!(
        led_to(&plain.sign_in("member@example.jp", PASSWORD).await),
        (303, Some("/"))
    );

    turned_on(&mut member).await;
    let mut admin = server.signed_in(Role::Admin).await;
    let members = server.crm.list_members(&TestServer::operator()).await.unwrap();
    let id = members
        .iter()
        .find(|member| member.role == Role::Member)
        .unwrap()
        .id;
    assert!(admin.get("/admin/users").await.text().contains("あり"));
    admin.get(&format!("/admin/users/{id}")).await;
    assert_eq!(
        admin
            .post(&format!("/admin/users/{id}/factors"), &[])
            .await
            .status,
        303
    );
    assert_eq!(member.get("/customers").await.status, 303, "signed out");
    let mut plain = server.browser();
    assert_eq!(
        led_to(&plain.sign_in("member@example.jp", PASSWORD).await),
        (303, Some("/"))
    );
}
