//! Searching in a real browser, on a desk and on a phone; pictures are left in `target/tmp/search`.

use std::path::Path;

use crm_domain::members::Role;
use crm_lineworks_sim::callbacks;

use crate::harness::window::Window;
use crate::harness::{HANAKO, TARO, TestServer};

const ENTER: &str = "\u{e007}";

/// Takes a picture; nothing is wider than the window.
async fn fits(window: &Window, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search");
    std::fs::create_dir_all(&folder).unwrap();
    let picture = window.driver.screenshot_as_png().await.unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    let script = "return [document.documentElement.scrollWidth, innerWidth]";
    let (wide, window): (u32, u32) = window.ask(script).await;
    assert!(wide <= window, "{name} is {wide} wide in {window}");
}

/// Customers who wrote a lot, and a window in which a member is signed in.
async fn scene(width: u32) -> (TestServer, Window) {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let hanako = server.add_customer("見積", "花子", Some(HANAKO)).await;
    let long = format!(
        "{}先日のお見積りの件、{}",
        "お世話になっております。".repeat(30),
        "ご確認ください。".repeat(60)
    );
    let said = [
        "見積はいつ届きますか",
        "https://example.com/見積/w",
        &long,
        &"見積w".repeat(150),
        "\u{202E}見積 مرحبا 👨\u{200D}👩\u{200D}👧\n\n二行目の見積",
    ];
    for text in said {
        server
            .simulator
            .deliver(&callbacks::text(TARO, text))
            .await
            .unwrap();
    }
    for number in 0..60 {
        let text = format!("その後のお話 {number}");
        server
            .simulator
            .deliver(&callbacks::text(TARO, &text))
            .await
            .unwrap();
    }
    server
        .simulator
        .deliver(&callbacks::text(HANAKO, "お見積りありがとうございました"))
        .await
        .unwrap();
    server.wait_for_messages(taro, 65).await;
    server.wait_for_messages(hanako, 1).await;
    server.add_member("hanako@example.jp", Role::Admin).await;
    let window = Window::open(&server, width).await;
    window.sign_in("hanako@example.jp").await;
    (server, window)
}

#[tokio::test]
async fn a_slash_searches_and_a_message_opens_where_it_stands() {
    let (_server, window) = scene(1280).await;
    fits(&window, "bar-1280").await;
    window.type_into("body", "/").await;
    window
        .until(
            "the field has the focus",
            "return document.activeElement.id === 'top-q'",
        )
        .await;
    window.type_into("#top-q", &format!("/みつもり{ENTER}")).await;
    window
        .until("searched", "return location.pathname === '/search'")
        .await;
    let typed = "return document.querySelector('#top-q').value";
    assert_eq!(
        window.ask::<String>(typed).await,
        "/みつもり",
        "a slash in a field is a slash"
    );
    fits(&window, "nothing-1280").await;
    window.go("/search?q=%E8%A6%8B%E7%A9%8D").await;
    fits(&window, "found-1280").await;
    let rows = "return document.querySelectorAll('.found-messages tbody tr').length === 6";
    window.until("the messages", rows).await;
    let open = "[...document.querySelectorAll('.found-messages tr')].find((row) => row.textContent.includes('いつ届きますか')).click()";
    window.run(open).await;
    let seen = "const hit = document.querySelector('.msg:target');
        if (!hit || !hit.textContent.includes('いつ届きますか')) return false;
        const box = hit.getBoundingClientRect();
        return box.top > 56 && box.bottom < innerHeight";
    window.until("the message is in sight", seen).await;
    fits(&window, "message-1280").await;
    window.go("/search").await;
    fits(&window, "empty-1280").await;
    window
        .until(
            "ready to type",
            "return document.activeElement.matches('[data-search]')",
        )
        .await;
    window.go(&format!("/search?q={}", "a".repeat(101))).await;
    fits(&window, "refused-1280").await;
    window.close().await;
}

#[tokio::test]
async fn a_phone_searches_from_the_bar() {
    let (_server, window) = scene(390).await;
    let top = "return document.querySelector('.topbar').getBoundingClientRect().height";
    let bar: f64 = window.ask(top).await;
    window.click(".topbar-link[href='/search']").await;
    window
        .until("the page", "return location.pathname === '/search'")
        .await;
    window
        .until("ready to type", "return document.activeElement.id === 'f-q'")
        .await;
    assert_eq!(window.ask::<f64>(top).await.to_bits(), bar.to_bits());
    fits(&window, "empty-390").await;
    window.type_into("#f-q", &format!("見積{ENTER}")).await;
    window
        .until("found", "return !!document.querySelector('.found-messages')")
        .await;
    fits(&window, "found-390").await;
    window
        .run("document.querySelector('.found-messages').scrollIntoView()")
        .await;
    fits(&window, "messages-390").await;
    let small = "return [...document.querySelectorAll('main a, main button, main input, .topbar a')]
        .filter((one) => one.checkVisibility() && one.tabIndex >= 0)
        .map((one) => [one.outerHTML, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
        .map(([html]) => html).join()";
    assert_eq!(window.ask::<String>(small).await, "");
    window.close().await;
}

#[tokio::test]
async fn the_bar_holds_between_a_phone_and_a_desk() {
    let (_server, window) = scene(768).await;
    for (name, path) in [("board-768", "/"), ("found-768", "/search?q=%E8%A6%8B%E7%A9%8D")] {
        window.go(path).await;
        fits(&window, name).await;
    }
    window.close().await;
}
