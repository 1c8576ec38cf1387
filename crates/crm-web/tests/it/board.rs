//! The board: who waits, in which order, and who takes whom.

use crm_domain::members::{MemberId, Role};
use crm_domain::use_cases::MemberForm;
use crm_lineworks_sim::callbacks;

use crate::harness::server::PASSWORD;
use crate::harness::{Ask, Browser, HANAKO, TARO, TestServer, until};

/// Somebody who is no customer.
const STRANGER: &str = "0b1c2d3e-0000-4000-8000-000000000009";

async fn member(server: &TestServer, email: &str, name: &str) -> (MemberId, Browser) {
    let form = MemberForm {
        email: email.to_owned(),
        name: name.to_owned(),
        role: Role::Member,
        password: Some(PASSWORD.to_owned()),
    };
    let id = server
        .crm
        .add_member(&TestServer::operator(), form)
        .await
        .unwrap();
    let mut browser = server.browser();
    assert_eq!(browser.sign_in(email, PASSWORD).await.status, 303);
    browser.get("/").await;
    (id, browser)
}

async fn say(server: &TestServer, user: &str, words: &str) {
    server
        .simulator
        .deliver(&callbacks::text(user, words))
        .await
        .unwrap();
}

/// The conversations of a column as the page shows them, from above.
fn lines_of(page: &str, column: &str) -> Vec<i64> {
    let start = format!("id=\"column-{column}\"");
    let Some((_, section)) = page.split_once(&start) else {
        return Vec::new();
    };
    let section = section.split("</section>").next().unwrap_or_default();
    section
        .split("data-line=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

/// Waits until the board of a tab holds this many lines in a column, and answers the page.
async fn board_with(browser: &mut Browser, path: &str, column: &str, count: usize) -> String {
    let mut last = String::new();
    for _ in 0..500 {
        last = browser.get(path).await.text();
        if lines_of(&last, column).len() == count {
            return last;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{column} never held {count}: {last}");
}

#[tokio::test]
async fn who_waits_longest_stands_first_and_everything_is_told() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_customer("佐藤", "花子", Some(HANAKO)).await;
    let (_, mut browser) = member(&server, "ken@example.jp", "田中 健").await;
    let empty = browser.get("/").await.text();
    assert!(empty.contains("お待たせしているお客様はいません"), "{empty}");
    say(&server, TARO, "見積もりをお願いします").await;
    board_with(&mut browser, "/", "waiting", 1).await;
    let stamp = callbacks::sticker(HANAKO, "1", "2");
    server.simulator.deliver(&stamp).await.unwrap();
    board_with(&mut browser, "/", "waiting", 2).await;
    say(&server, STRANGER, "はじめまして").await;
    let page = board_with(&mut browser, "/?tab=all", "waiting", 3).await;
    let places: Vec<usize> = ["山田 太郎", "佐藤 花子", "はじめまして"]
        .iter()
        .map(|words| page.find(words).unwrap_or_else(|| panic!("{words}: {page}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for words in [
        "見積もりをお願いします",
        "［スタンプ］",
        "未登録",
        "1分未満",
        "担当者なし",
        "<title>（3）対応状況",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains(&format!("data-href=\"/customer/{taro}\"")));
    let stranger = lines_of(&page, "waiting")[2];
    assert!(page.contains(&format!("data-href=\"/unknown-senders/{stranger}\"")));
    let counts = browser.get("/board/counts").await.json();
    assert_eq!(
        (&counts["waiting"], &counts["unknown"]),
        (&"3".into(), &"1".into())
    );
}

#[tokio::test]
async fn tabs_show_what_is_mine_and_what_is_nobodys() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.add_customer("佐藤", "花子", Some(HANAKO)).await;
    let (ken, mut browser) = member(&server, "ken@example.jp", "田中 健").await;
    server
        .crm
        .assign_owner(&TestServer::operator(), taro, Some(ken))
        .await
        .unwrap();
    say(&server, TARO, "一").await;
    say(&server, HANAKO, "二").await;
    let all = board_with(&mut browser, "/", "waiting", 2).await;
    let mine = browser.get("/?tab=mine").await.text();
    let unowned = browser.get("/?tab=unowned").await.text();
    assert_eq!(lines_of(&mine, "waiting"), lines_of(&all, "waiting")[..1]);
    assert_eq!(lines_of(&unowned, "waiting"), lines_of(&all, "waiting")[1..]);
    assert_eq!(browser.get("/board/counts").await.json()["mine"], "1");
    assert!(mine.contains("aria-current=\"page\">自分"), "{mine}");
}

#[tokio::test]
async fn columns_are_read_page_by_page() {
    let server = TestServer::start().await;
    let (_, mut browser) = member(&server, "ken@example.jp", "田中 健").await;
    for number in 0..53 {
        say(
            &server,
            &format!("0b1c2d3e-0000-4000-8000-0000000001{number:02}"),
            "一",
        )
        .await;
    }
    until("all are recorded", async || {
        let counts = server
            .crm
            .board_counts(&TestServer::operator(), 1_000)
            .await
            .unwrap();
        (counts.waiting == 53).then_some(())
    })
    .await;
    let first = browser.get("/").await.text();
    assert_eq!(lines_of(&first, "waiting").len(), 50);
    let (_, next) = first
        .split_once("rel=\"next\" href=\"")
        .expect("a way to the next lines");
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    assert!(next.starts_with("/?column=waiting&after=0."), "{next}");
    let second = browser.get(&next).await.text();
    let (seen, rest) = (lines_of(&first, "waiting"), lines_of(&second, "waiting"));
    assert_eq!(rest.len(), 3);
    assert!(rest.iter().all(|line| !seen.contains(line)));
    assert!(!second.contains("id=\"column-done\"") && second.contains("すべての列を表示"));
}

async fn one_waiting(server: &TestServer) -> (i64, Browser) {
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let (_, mut browser) = member(server, "ken@example.jp", "田中 健").await;
    say(server, TARO, "お願いします").await;
    let page = board_with(&mut browser, "/", "waiting", 1).await;
    (lines_of(&page, "waiting")[0], browser)
}

#[tokio::test]
async fn of_fifty_at_once_one_takes_it_and_the_others_are_told_who() {
    let server = TestServer::start().await;
    let (conversation, first) = one_waiting(&server).await;
    let mut everybody = vec![("田中 健".to_owned(), first)];
    for number in 1..50 {
        let name = format!("社員 {number}");
        let member = member(&server, &format!("m{number}@example.jp"), &name).await;
        everybody.push((name, member.1));
    }
    let mut asked = tokio::task::JoinSet::new();
    for (name, mut browser) in everybody {
        asked.spawn(async move {
            let path = format!("/conversation/{conversation}/take");
            let answer = browser.post_json(&path, &serde_json::json!({})).await;
            (name, answer.status, answer.json())
        });
    }
    let answers = asked.join_all().await;
    let won: Vec<&String> = answers
        .iter()
        .filter(|(_, status, _)| *status == 200)
        .map(|(name, ..)| name)
        .collect();
    let [winner] = won[..] else {
        panic!("{won:?}");
    };
    let told = format!("{winner}さんが対応中です。");
    let lost = answers.iter().filter(|(_, status, _)| *status == 409);
    assert!(
        lost.clone()
            .all(|(.., body)| body["message"] == told && body["success"] == false)
    );
    assert_eq!(lost.count(), 49);
}

#[tokio::test]
async fn without_scripts_every_button_leads_back_with_a_notice() {
    let server = TestServer::start().await;
    let (conversation, mut browser) = one_waiting(&server).await;
    let path = |act: &str| format!("/conversation/{conversation}/{act}");
    let home = format!("http://{}/?tab=all", server.address);
    for (act, column, notice) in [
        ("take", "handled", "対応を始めました"),
        ("release", "waiting", "対応をやめました"),
        ("close", "done", "対応済みにしました"),
        ("undo-close", "waiting", "元に戻しました"),
    ] {
        let ask = Ask::post(&path(act))
            .header("origin", format!("http://{}", server.address))
            .header("referer", &home)
            .form(&[("csrf_token", &browser.token.clone())]);
        let answer = browser.send(ask).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/?tab=all")),
            "{act}"
        );
        let page = browser.get("/?tab=all").await.text();
        assert!(page.contains(notice), "{act}: {page}");
        assert_eq!(lines_of(&page, column), [conversation], "{act}: {page}");
        let undo = format!("action=\"/conversation/{conversation}/undo-close\"");
        assert_eq!(page.contains(&undo), act == "close");
    }
    let late = browser.post(&path("undo-close"), &[]).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("元に戻せませんでした"), "{}", late.text());
}

#[tokio::test]
async fn a_conversation_is_handed_to_somebody_with_a_note() {
    let server = TestServer::start().await;
    let (conversation, mut ken) = one_waiting(&server).await;
    let (rie, mut other) = member(&server, "rie@example.jp", "佐藤 理恵").await;
    let path = format!("/conversation/{conversation}/hand-over");
    let form = ken.get(&path).await.text();
    assert!(
        form.contains("佐藤 理恵") && form.contains("田中 健（自分）"),
        "{form}"
    );
    let nobody = ken.post(&path, &[("to", ""), ("note", "お願いします")]).await;
    assert_eq!(nobody.status, 422);
    assert!(
        nobody.text().contains("引き継ぐ相手を選んでください") && nobody.text().contains(">お願いします<")
    );
    let fields = [
        ("to", &*rie.to_string()),
        ("note", "折り返しをお願いします"),
        ("back", "/?tab=mine"),
    ];
    let done = ken.post(&path, &fields).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/?tab=mine")));
    let page = board_with(&mut other, "/?tab=mine", "handled", 1).await;
    assert!(page.contains("佐藤 理恵"), "{page}");
    let kept = server.conversation(crm_domain::id::Id::new(1)).await;
    assert_eq!(kept[0].plain_text(), "[社内メモ] 折り返しをお願いします");
    let refused = ken.post(&format!("/conversation/{conversation}/take"), &[]).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.text().contains("佐藤 理恵さんが対応中です"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn next_leads_to_whoever_waits_longest_and_is_not_looked_at() {
    let server = TestServer::start().await;
    let (conversation, mut browser) = one_waiting(&server).await;
    let page = browser.get("/").await.text();
    let (_, link) = page.split_once("href=\"/customer/").unwrap();
    let (customer, _) = link.split_once(['"', '?', '#']).unwrap();
    let to = async |browser: &mut Browser, path: &str| {
        let answer = browser.get(path).await;
        (
            answer.status,
            answer.header("location").unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(
        to(&mut browser, "/next").await,
        (303, format!("/customer/{customer}"))
    );
    let here = format!("/next?after={conversation}");
    assert_eq!(to(&mut browser, &here).await, (303, "/".to_owned()));
    let page = browser.get("/").await.text();
    assert!(page.contains("class=\"toast-box\"") && page.contains("お待たせしているお客様はいません"));
    say(&server, STRANGER, "もしもし").await;
    let page = board_with(&mut browser, "/", "waiting", 2).await;
    let stranger = lines_of(&page, "waiting")[1];
    assert_eq!(
        to(&mut browser, &here).await,
        (303, format!("/unknown-senders/{stranger}"))
    );
}

#[tokio::test]
async fn unread_marks_are_each_members_own() {
    let server = TestServer::start().await;
    let (conversation, mut ken) = one_waiting(&server).await;
    let (_, mut rie) = member(&server, "rie@example.jp", "佐藤 理恵").await;
    let unread = async |browser: &mut Browser| browser.get("/").await.text().contains("class=\"unread\"");
    assert!(unread(&mut ken).await && unread(&mut rie).await);
    let read = ken
        .post_json(
            &format!("/conversation/{conversation}/read"),
            &serde_json::json!({}),
        )
        .await;
    assert_eq!((read.status, &read.json()["success"]), (200, &true.into()));
    assert!(!unread(&mut ken).await && unread(&mut rie).await);
}
