//! The pages of customers: list, page, form, delete (§5.1, §6.3).

use crm_domain::members::Role;

use crate::harness::http::encode;
use crate::harness::{Browser, TARO, TestServer};

async fn scene() -> (TestServer, Browser) {
    let server = TestServer::start().await;
    let browser = server.signed_in(Role::Member).await;
    (server, browser)
}

const FULL: [(&str, &str); 8] = [
    ("last_name", "山田"),
    ("first_name", "太郎"),
    ("last_name_kana", "やまだ"),
    ("first_name_kana", "ﾀﾛｳ"),
    ("email", "ｔａｒｏ@example.jp"),
    ("phone", "０３ー１２３４−５６７８"),
    ("line_user_id", TARO),
    ("company_id", ""),
];

#[tokio::test]
async fn a_customer_is_registered_put_right_and_shown() {
    let (_server, mut browser) = scene().await;
    browser.get("/customer/new").await;
    let answer = browser.post("/customer/new", &FULL).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let path = answer.header("location").unwrap().to_owned();
    let page = browser.get(&path).await.text();
    for shown in [
        "山田 太郎",
        "ヤマダ タロウ",
        "taro@example.jp",
        "03-1234-5678",
        TARO,
        "設定済み（未確認）",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.contains("登録しました"), "the notice is told once");
    assert!(
        !browser.get(&path).await.text().contains("登録しました"),
        "and only once"
    );
    let list = browser.get("/customers").await.text();
    assert_eq!(list.matches("<tr data-href").count(), 1);
}

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed() {
    let (_server, mut browser) = scene().await;
    browser.get("/customer/new").await;
    let typed = [
        ("last_name", ""),
        ("first_name", ""),
        ("email", "taro@"),
        ("phone", "<b>"),
    ];
    let answer = browser.post("/customer/new", &typed).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(
        page.contains("value=\"taro@\"") && page.contains("value=\"&lt;b&gt;\""),
        "{page}"
    );
    for sentence in [
        "姓か名のどちらかを入力してください。",
        "メールアドレスの形ではありません",
    ] {
        assert!(
            page.matches(sentence).count() >= 2,
            "beside the field and in the summary: {sentence}"
        );
    }
    assert!(
        !browser.get("/customers").await.text().contains("data-href"),
        "nothing was stored"
    );
}

#[tokio::test]
async fn a_change_based_on_an_old_version_is_not_saved() {
    let (server, mut browser) = scene().await;
    let id = server.add_customer("山田", "太郎", None).await;
    let path = format!("/customer/{id}/edit");
    let form = browser.get(&path).await.text();
    assert!(form.contains("name=\"version\" value=\"1\""), "{form}");
    let changed = [("last_name", "田中"), ("version", "1")];
    assert_eq!(browser.post(&path, &changed).await.status, 303);
    let late = browser
        .post(&path, &[("last_name", "鈴木"), ("version", "1")])
        .await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("ほかの人が先に保存しました") && late.text().contains("value=\"鈴木\""));
    let page = late.text();
    assert!(
        page.contains("<dt>姓</dt><dd>田中</dd>"),
        "what the other saved is shown: {page}"
    );
    assert!(
        page.contains("name=\"version\" value=\"2\"") && page.contains("もう一度「保存」を押すと"),
        "{page}"
    );
    let again = [("last_name", "鈴木"), ("version", "2")];
    assert_eq!(
        browser.post(&path, &again).await.status,
        303,
        "saving once more overwrites"
    );
    let without_version = browser.post(&path, &[("last_name", "鈴木")]).await;
    assert_eq!(
        without_version.status, 303,
        "a form that carries no version overwrites"
    );
    assert!(
        browser
            .get(&format!("/customer/{id}"))
            .await
            .text()
            .contains("鈴木")
    );
}

#[tokio::test]
async fn an_odd_user_id_is_saved_and_remarked_on() {
    let (server, mut browser) = scene().await;
    let id = server.add_customer("山田", "", Some("taro.yamada")).await;
    let form = browser.get(&format!("/customer/{id}/edit")).await.text();
    let note = |page: &str| {
        let (_, after) = page.split_once("id=\"w-line_user_id\"").unwrap();
        after.split('>').next().unwrap().to_owned()
    };
    assert!(!note(&form).contains("hidden") && form.contains("h-line_user_id w-line_user_id"));
    let empty = browser.get("/customer/new").await.text();
    assert!(note(&empty).contains("hidden"));
    let shown = browser.get(&format!("/customer/{id}")).await.text();
    assert!(shown.contains("UUIDの形"), "also after it was saved");
    let blank = [("last_name", "山田"), ("line_user_id", "taro yamada")];
    let refused = browser.post("/customer/new", &blank).await;
    assert!(refused.status == 422 && refused.text().contains("ユーザーIDに空白は使えません"));
    assert!(form.contains("UUIDの形") && form.contains("このBotと話せるのは自社のLINE WORKSのメンバーだけです。LINEのお客様や他社のLINE WORKSの方とは話せません。"));
}

#[tokio::test]
async fn the_list_is_found_by_prefix_and_read_page_by_page() {
    let (server, mut browser) = scene().await;
    for number in 0..53 {
        server.add_customer(&format!("客{number:02}"), "", None).await;
    }
    server.add_customer("山田", "太郎", None).await;
    let first = browser.get("/customers").await.text();
    assert_eq!(first.matches("<tr data-href").count(), 50);
    let next = first
        .split("rel=\"next\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let second = browser.get(&next.replace("&amp;", "&")).await.text();
    assert_eq!(second.matches("<tr data-href").count(), 4);
    assert!(!second.contains("rel=\"next\""));
    let found = browser
        .get("/customers?q=%E5%B1%B1%E7%94%B0%E3%80%80%E5%A4%AA")
        .await
        .text();
    assert_eq!(
        found.matches("<tr data-href").count(),
        1,
        "山田　太 is found as 山田太"
    );
    let none = browser.get("/customers?q=%3Cscript%3E").await.text();
    assert!(none.contains("&lt;script&gt;") && !none.contains("<script>"));
}

#[tokio::test]
async fn the_words_about_searching_say_what_it_does() {
    let (server, mut browser) = scene().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let found = async |browser: &mut Browser, typed: &str| {
        let typed = encode(typed);
        browser.get(&format!("/customers?q={typed}")).await.text()
    };
    for typed in ["山田", "山田太", &TARO[..6]] {
        assert!(
            found(&mut browser, typed).await.contains("<tr data-href"),
            "{typed}"
        );
    }
    let none = found(&mut browser, "太郎").await;
    assert!(!none.contains("<tr data-href") && none.contains("姓名（姓から）"));
    for words in ["フリガナ", "メールアドレス", "電話番号", "ユーザーID"] {
        assert!(none.contains(words), "{words}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_keeps_its_frame_for_who_is_signed_in() {
    let (server, mut browser) = scene().await;
    for (path, status) in [("/customer/999", 404), ("/nowhere", 404), ("/test-webhook", 403)] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status);
        let page = answer.text();
        assert!(
            page.contains("class=\"sidebar\"") && page.contains("user-menu"),
            "{path}"
        );
    }
    let stranger = server.get("/nowhere").await.text();
    assert!(!stranger.contains("class=\"sidebar\""));
}

#[tokio::test]
async fn what_is_no_id_or_no_record_is_not_found() {
    let (server, mut browser) = scene().await;
    let id = server.add_customer("山田", "", None).await;
    for path in [
        "/customer/x",
        "/customer/0",
        "/customer/-1",
        "/customer/999",
        "/customer/999/edit",
        "/company/x",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(browser.get(&format!("/customer/{id}/delete")).await.status, 200);
    let gone = browser.post(&format!("/customer/{id}/delete"), &[]).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/customers")));
    assert_eq!(browser.get(&format!("/customer/{id}")).await.status, 404);
    assert_eq!(browser.post("/customer/999/delete", &[]).await.status, 404);
}

/// What a form carries along unseen.
fn carried(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&field).unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn who_saves_after_another_takes_nothing_back_that_only_the_other_changed() {
    let server = TestServer::start().await;
    let id = server.add_customer("山田", "太郎", None).await;
    let (mut one, mut other) = (
        server.signed_in(Role::Member).await,
        server.signed_in(Role::Admin).await,
    );
    let path = format!("/customer/{id}/edit");
    one.get(&path).await;
    let drawn = other.get(&path).await.text();
    let (version, marks) = (carried(&drawn, "version"), carried(&drawn, "marks"));
    let first = [
        ("last_name", "山田"),
        ("first_name", "太郎"),
        ("phone", "03-0000-0000"),
        ("remarks", "先"),
        ("version", &version),
        ("marks", &marks),
    ];
    assert_eq!(one.post(&path, &first).await.status, 303);
    let second = [
        ("last_name", "山田"),
        ("first_name", "次郎"),
        ("remarks", "後"),
        ("version", &version),
        ("marks", &marks),
    ];
    let stale = other.post(&path, &second).await;
    assert_eq!(stale.status, 409);
    let page = stale.text();
    assert!(
        page.contains("value=\"03-0000-0000\"") && page.contains("value=\"次郎\""),
        "{page}"
    );
    assert!(
        page.contains("<dd>先</dd>") && !page.contains("<dd>03-0000-0000</dd>"),
        "{page}"
    );
    let (version, marks) = (carried(&page, "version"), carried(&page, "marks"));
    let again = [
        ("last_name", "山田"),
        ("first_name", "次郎"),
        ("phone", "03-0000-0000"),
        ("remarks", "後"),
        ("version", &version),
        ("marks", &marks),
    ];
    assert_eq!(other.post(&path, &again).await.status, 303);
    let page = other.get(&format!("/customer/{id}")).await.text();
    assert!(
        page.contains("03-0000-0000") && page.contains("次郎") && page.contains('後'),
        "{page}"
    );
}
