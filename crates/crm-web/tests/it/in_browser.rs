//! What the pages' scripts do, in a real browser, and how the pages fit on a phone.

use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_lineworks_sim::callbacks;

use crate::harness::window::Window;
use crate::harness::{TARO, TestServer, until};

async fn scene(width: u32) -> (TestServer, Window, CustomerId) {
    let server = TestServer::start().await;
    let customer = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_member("hanako@example.jp", Role::Admin).await;
    let window = Window::open(&server, width).await;
    window.sign_in("hanako@example.jp").await;
    (server, window, customer)
}

/// Keys by their code points in `WebDriver`.
const SHIFT: char = '\u{e008}';
const RELEASE: char = '\u{e000}';
const ENTER: &str = "\u{e007}";

const BUBBLES: &str = "return document.querySelectorAll('.msg[data-id]').length";

#[tokio::test]
async fn enter_sends_without_a_new_page() {
    let (server, window, customer) = scene(1280).await;
    window.go(&format!("/customer/{customer}")).await;
    window.run("window.samePage = true").await;
    let two_lines = format!("一行目{SHIFT}{ENTER}{RELEASE}二行目");
    window.type_into("#message", &two_lines).await;
    assert_eq!(
        window
            .ask::<String>("return document.querySelector('#message').value")
            .await,
        "一行目\n二行目"
    );
    assert_eq!(
        window.ask::<usize>(BUBBLES).await,
        0,
        "Shift and Enter only break the line"
    );
    window.type_into("#message", ENTER).await;
    window
        .until(
            "sent",
            "return document.querySelector('.msg[data-state=sent]') !== null",
        )
        .await;
    assert!(window.ask::<bool>("return window.samePage === true").await);
    assert_eq!(
        window
            .ask::<String>("return document.querySelector('#message').value")
            .await,
        ""
    );
    window
        .until(
            "the link is known to work",
            "return document.querySelector('[data-link-status] .link-active') !== null",
        )
        .await;
    assert_eq!(server.simulator.messages_to(TARO).len(), 1);
    window.close().await;
}

#[tokio::test]
async fn enter_never_sends_while_kana_are_converted() {
    let (server, window, customer) = scene(1280).await;
    window.go(&format!("/customer/{customer}")).await;
    let press = "const field = document.querySelector('#message'); field.value = 'かんじ';
        for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
          field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init }));
        }";
    window.run(press).await;
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(
        window
            .ask::<String>("return document.querySelector('#message').value")
            .await,
        "かんじ"
    );
    assert!(server.simulator.messages_to(TARO).is_empty());
    window.close().await;
}

#[tokio::test]
async fn what_arrives_is_shown_without_scrolling_away() {
    let (server, window, customer) = scene(1280).await;
    for number in 0..30 {
        let event = callbacks::text(TARO, &format!("第{number}便です。よろしくお願いいたします。"));
        server.simulator.deliver(&event).await.unwrap();
    }
    server.wait_for_messages(customer, 30).await;
    window.go(&format!("/customer/{customer}")).await;
    let at_end = "const t = document.querySelector('[data-talk]'); return t.scrollHeight - t.scrollTop - t.clientHeight < 4";
    window.until("opens at the end", at_end).await;
    window
        .run("document.querySelector('[data-talk]').scrollTop = 0")
        .await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "新着です"))
        .await
        .unwrap();
    window
        .until(
            "the pill",
            "return !document.querySelector('[data-talk-new]').hidden",
        )
        .await;
    assert!(
        window
            .ask::<bool>("return document.querySelector('[data-talk]').scrollTop < 10")
            .await
    );
    window.click("[data-talk-new]").await;
    window.until("at the end", at_end).await;
    window.close().await;
}

#[tokio::test]
async fn deleting_asks_first_with_the_focus_on_cancel() {
    let (server, window, customer) = scene(1280).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, "消される言葉"))
        .await
        .unwrap();
    server.wait_for_messages(customer, 1).await;
    window.go(&format!("/customer/{customer}")).await;
    let press = "document.querySelector('.msg-delete button').click()";
    window.run(press).await;
    window
        .until(
            "the question",
            "return document.querySelector('#confirm-dialog').open",
        )
        .await;
    let said: String = window
        .ask("return document.querySelector('#confirm-dialog').innerText")
        .await;
    assert!(
        said.contains("本当に削除しますか？") && said.contains("消される言葉"),
        "{said}"
    );
    assert!(
        window
            .ask::<bool>("return document.activeElement.matches('[data-dialog-cancel]')")
            .await
    );
    window.click("#confirm-dialog [data-dialog-cancel]").await;
    assert_eq!(server.conversation(customer).await.len(), 1);
    window.run(press).await;
    window.click("[data-dialog-ok]").await;
    until("deleted", async || {
        server.conversation(customer).await.is_empty().then_some(())
    })
    .await;
    window
        .until(
            "undo is offered",
            "return document.querySelector('.toast-undo') !== null",
        )
        .await;
    window.click(".toast-undo").await;
    until("back", async || {
        (server.conversation(customer).await.len() == 1).then_some(())
    })
    .await;
    window.close().await;
}

#[tokio::test]
async fn a_reading_fills_itself_until_it_is_edited() {
    let (_server, window, _) = scene(1280).await;
    window.go("/customer/new").await;
    let convert = "const field = document.querySelector('#f-last_name');
        const tell = (kind, data) => field.dispatchEvent(new CompositionEvent(kind, { bubbles: true, data }));
        tell('compositionstart', '');
        for (const data of ['ｙ', 'や', 'やま', 'やまだ', '山田']) {
          tell('compositionupdate', data);
          field.value = data;
          field.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing: true, data }));
        }
        tell('compositionend', '山田');";
    window.run(convert).await;
    let reading = "return document.querySelector('#f-last_name_kana').value";
    assert_eq!(window.ask::<String>(reading).await, "ヤマダ");
    window.type_into("#f-last_name_kana", "イチ").await;
    window.run(convert).await;
    assert_eq!(window.ask::<String>(reading).await, "ヤマダイチ");
    window.run("const f = document.querySelector('#f-phone'); f.focus(); f.value = '０３ー１２３４−５６７８'; f.blur()").await;
    assert_eq!(
        window
            .ask::<String>("return document.querySelector('#f-phone').value")
            .await,
        "03-1234-5678"
    );
    window
        .run("window.onbeforeunload = null; document.querySelector('[data-guard]').reset()")
        .await;
    window.close().await;
}

#[tokio::test]
async fn nothing_scrolls_sideways_on_a_phone_and_nothing_inline_is_refused() {
    let (server, window, customer) = scene(390).await;
    server
        .simulator
        .deliver(&callbacks::text(TARO, &"長い言葉".repeat(60)))
        .await
        .unwrap();
    server
        .simulator
        .deliver(&callbacks::text(TARO, &"w".repeat(300)))
        .await
        .unwrap();
    server.wait_for_messages(customer, 2).await;
    let of_customer = ["", "/edit", "/delete"].map(|end| format!("/customer/{customer}{end}"));
    let fixed = [
        "/customers",
        "/companies",
        "/customer/new",
        "/members/line-works",
        "/company/new",
        "/admin/users",
        "/me",
        "/test-webhook",
        "/api/docs",
        "/nowhere",
    ];
    for path in fixed.into_iter().map(str::to_owned).chain(of_customer) {
        window.go(&path).await;
        let width: u32 = window.ask("return document.documentElement.scrollWidth").await;
        assert!(width <= 390, "{path} is {width} wide");
        let styled: usize = window
            .ask("return document.querySelectorAll('[style]').length")
            .await;
        assert_eq!(styled, 0, "{path}");
        assert!(
            window
                .ask::<bool>("return document.documentElement.classList.contains('js')")
                .await,
            "{path}: scripts run"
        );
    }
    window.close().await;
}

#[tokio::test]
async fn a_form_tells_about_an_odd_id_and_leaves_legal_forms_out_of_readings() {
    let (_server, window, _) = scene(1280).await;
    window.go("/customer/new").await;
    let hidden = "return document.querySelector('#w-line_user_id').hidden";
    window.type_into("#f-line_user_id", "taro yamada").await;
    assert!(window.ask::<bool>(hidden).await, "not while it is typed");
    window
        .run("document.querySelector('#f-line_user_id').blur()")
        .await;
    assert!(!window.ask::<bool>(hidden).await, "told on leaving the field");
    let value = "return document.querySelector('#f-line_user_id').value";
    assert_eq!(
        window.ask::<String>(value).await,
        "taro yamada",
        "nothing is removed unseen"
    );
    window
        .run("document.querySelector('#f-line_user_id').value = ''")
        .await;
    window.type_into("#f-line_user_id", TARO).await;
    assert!(window.ask::<bool>(hidden).await, "gone once it has its shape");
    window.run("document.querySelector('[data-guard]').reset()").await;
    window.go("/company/new").await;
    window.type_into("#f-name", "かぶしきがいしゃやまだ").await;
    let reading = "return document.querySelector('#f-name_kana').value";
    assert_eq!(window.ask::<String>(reading).await, "ヤマダ");
    window.run("document.querySelector('[data-guard]').reset()").await;
    window.close().await;
}

#[tokio::test]
async fn nothing_that_needs_scripts_shows_without_them() {
    let (_server, window, customer) = scene(1280).await;
    for path in [format!("/customer/{customer}"), "/customer/new".to_owned()] {
        window.go(&path).await;
        window
            .run("document.documentElement.classList.remove('js')")
            .await;
        let shown =
            "return [...document.querySelectorAll('.needs-js, [data-copy], [data-print], [data-shortcuts]')]
            .filter((one) => one.checkVisibility()).map((one) => one.outerHTML).join()";
        assert_eq!(window.ask::<String>(shown).await, "", "{path}");
    }
    window.close().await;
}

async fn company_with(window: &Window, customer: CustomerId) -> String {
    window.go("/company/new").await;
    window.type_into("#f-name", "株式会社山田製作所").await;
    window.click("[data-guard] [type=submit]").await;
    let arrived = "return /^.company.[0-9]+$/.test(location.pathname)";
    window.until("the company's page", arrived).await;
    let path: String = window.ask("return location.pathname").await;
    let number = path.trim_start_matches("/company/");
    window.go(&format!("/customer/{customer}/edit")).await;
    window
        .run(&format!(
            "document.querySelector('#f-company_id').value = '{number}';
             document.querySelector('#f-email').value = 'taro.yamada-keiri@yamada-seisakusho.example.jp';
             document.querySelector('[data-guard]').requestSubmit()"
        ))
        .await;
    window
        .until("saved", "return !location.pathname.endsWith('/edit')")
        .await;
    path
}

#[tokio::test]
async fn nothing_scrolls_sideways_between_a_phone_and_a_desk() {
    for width in [768, 1024] {
        let (_server, window, customer) = scene(width).await;
        let company = company_with(&window, customer).await;
        let person = format!("/customer/{customer}");
        for path in ["/customers", "/companies", &company, &person] {
            window.go(path).await;
            let over: i32 = window
                .ask("return document.documentElement.scrollWidth - innerWidth")
                .await;
            assert!(over <= 0, "{path} is {over} wider than {width}");
            let broken = "return [...document.querySelectorAll('.tab, .side-entry span')]
                .some((one) => one.scrollHeight > 52)";
            assert!(!window.ask::<bool>(broken).await, "{path}: a word breaks");
        }
        window.close().await;
    }
}

#[tokio::test]
async fn what_is_touched_is_large_enough_and_what_has_the_focus_is_seen() {
    let (_server, window, customer) = scene(390).await;
    let company = company_with(&window, customer).await;
    let (talk, profile) = (
        format!("/customer/{customer}"),
        format!("/customer/{customer}?a=b#profile"),
    );
    for path in ["/customers", "/customer/new", &talk, &profile, &company] {
        window.go(path).await;
        let small = "return [...document.querySelectorAll('main a, main button, main select, .topbar a')]
            .filter((one) => one.checkVisibility() && one.tabIndex >= 0)
            .map((one) => [one.outerHTML, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
            .map(([html]) => html).join()";
        assert_eq!(window.ask::<String>(small).await, "", "{path}");
        let heading = "return [...document.querySelectorAll('h1')].some((one) => one.checkVisibility())";
        assert!(window.ask::<bool>(heading).await, "{path} has no heading");
    }
    window.click(".profile-delete button").await;
    let outline = "const focused = document.activeElement;
        return focused.matches('[data-dialog-cancel]') && getComputedStyle(focused).outlineStyle === 'solid'";
    window.until("the focus is seen", outline).await;
    window.close().await;
}
