//! The pages of the logs in a real browser, on a desk and on a phone; their pictures are left in `target/tmp/audit`.

use std::path::Path;

use crm_domain::members::Role;

use crate::harness::window::Window;
use crate::harness::{TARO, TestServer, until};

/// Nothing is wider than the window.
async fn fits(window: &Window, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit");
    std::fs::create_dir_all(&folder).unwrap();
    let picture = window.driver.screenshot_as_png().await.unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    let script = "return [document.documentElement.scrollWidth, innerWidth]";
    let (wide, window): (u32, u32) = window.ask(script).await;
    assert!(wide <= window, "{name} is {wide} wide in {window}");
}

async fn walk(width: u32) {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get(&format!("/customer/{id}/edit")).await;
    let remarks = "とても長い備考です。".repeat(40);
    let typed = [
        ("last_name", "鈴木"),
        ("first_name", "太郎"),
        ("email", "taro.suzuki.with.a.very.long.address@example.co.jp"),
        ("line_user_id", TARO),
        ("remarks", remarks.as_str()),
    ];
    browser.post(&format!("/customer/{id}/edit"), &typed).await;
    browser.get(&format!("/customer/{id}")).await;
    let window = Window::open(&server, width).await;
    window.sign_in("admin@example.jp").await;
    window.go("/admin/audit").await;
    fits(&window, &format!("audit-{width}")).await;
    window.run("scrollTo(0, document.body.scrollHeight)").await;
    fits(&window, &format!("audit-end-{width}")).await;
    until("a reading is written", async || {
        let page = browser.clone().get("/admin/audit?tab=readings").await.text();
        page.contains("<tbody>").then_some(())
    })
    .await;
    window.go("/admin/audit?tab=readings").await;
    fits(&window, &format!("readings-{width}")).await;
    window.go("/customers").await;
    window.click(".list-more > summary").await;
    fits(&window, &format!("more-{width}")).await;
    window.click(".list-more .menu-entry").await;
    window
        .until("the question why", "return !!document.querySelector('#f-reason')")
        .await;
    fits(&window, &format!("export-{width}")).await;
    window.close().await;
}

#[tokio::test]
async fn the_logs_fit_a_desk() {
    walk(1280).await;
}

#[tokio::test]
async fn the_logs_fit_a_phone() {
    walk(390).await;
}
