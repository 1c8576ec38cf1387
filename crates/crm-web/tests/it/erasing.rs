//! Erasing somebody for good leaves nothing of them on the disk, and other people's data alone.

use std::path::{Path, PathBuf};

use crm_domain::attachments::{AttachmentId, AttachmentState};
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::members::Role;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::tally::DataKind;
use crm_lineworks_sim::{Member, Signing, SimulatorConfig, callbacks};
use crm_testkit::fixtures::{customer_on, user_id};

use crate::harness::{Browser, HANAKO, Setup, TARO, TestServer, on_postgres, until, until_within};

const ROOM: &str = "7f2a0000-0000-4000-8000-0000000000ee";

/// What is known of the person and was said, each to be found before and not afterwards.
pub const WORDS: &[&str] = &[
    "蘇我野",
    "倫太郎丸",
    "ソガノ",
    "リンタロウマル",
    "rintaro.sogano@example.jp",
    "rintaro.sogano@old.example.jp",
    "0312345999",
    TARO,
    "備考は内緒の話",
    "前の備考はもっと内緒",
    "はじめまして倫太郎丸です",
    "見積もりを急いでください",
    "部屋の中での発言です",
    "消された発言の中身",
    "お返事を差し上げます様",
    "社内だけの噂話です",
    "書きかけの文面です",
    "署名の合わない言葉",
    "図面の内緒.png",
    "内緒の住所一丁目",
    "プロフィールの苗字",
];

pub fn setup() -> Setup {
    let member = Member::new(TARO, "プロフィールの苗字", "倫太郎丸").with_kana("ソガノ", "リンタロウマル");
    Setup {
        simulator: SimulatorConfig {
            members: vec![member],
            scopes: ["bot", "user.read", "user.profile.read"]
                .map(str::to_owned)
                .to_vec(),
            ..SimulatorConfig::default()
        },
        ..Setup::default()
    }
    .with("LINE_WORKS_RATE_LIMIT", "60000")
}

/// Every file below this folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|part| part == words.as_bytes())
}

/// Where these words stand on the disk.
fn places(server: &TestServer, words: &str) -> Vec<PathBuf> {
    let all = files(&server.data(""));
    all.into_iter()
        .filter(|path| std::fs::read(path).is_ok_and(|bytes| holds(&bytes, words)))
        .collect()
}

async fn say(server: &TestServer, event: &callbacks::Event) {
    let delivery = server.simulator.deliver(event).await.unwrap();
    assert_eq!(delivery.status, 200);
}

async fn stored(server: &TestServer, id: i64) {
    until("the stored file", async || {
        let found: Result<_, StoreError> = server
            .store
            .read(move |unit| unit.attachments().attachment(AttachmentId::new(id)))
            .await;
        let file = found.unwrap()?;
        (file.state == AttachmentState::Stored).then_some(())
    })
    .await;
}

async fn wait_for_name(server: &TestServer) {
    until("the sender's name", async || {
        let page = server
            .crm
            .unknown_senders(&TestServer::operator(), None, 9)
            .await
            .unwrap();
        let named = page.iter().any(|unknown| {
            let sender = unknown.sender.as_ref();
            sender.is_some_and(|sender| sender.full_name().is_some())
        });
        named.then_some(())
    })
    .await;
}

const FIELDS: [(&str, &str); 8] = [
    ("last_name", "蘇我野"),
    ("first_name", "倫太郎丸"),
    ("last_name_kana", "ソガノ"),
    ("first_name_kana", "リンタロウマル"),
    ("email", "rintaro.sogano@old.example.jp"),
    ("phone", "03-1234-5999"),
    ("line_user_id", TARO),
    ("remarks", "前の備考はもっと内緒"),
];

/// Somebody who used everything.
pub async fn somebody(server: &TestServer, browser: &mut Browser) -> CustomerId {
    say(server, &callbacks::text(TARO, "はじめまして倫太郎丸です")).await;
    wait_for_name(server).await;
    browser.get("/customer/new").await;
    let added = browser.post("/customer/new", &FIELDS).await;
    assert_eq!(added.status, 303, "{}", added.text());
    let path = added.header("location").unwrap().to_owned();
    let id: CustomerId = path.rsplit('/').next().unwrap().parse().unwrap();
    server.wait_for_messages(id, 1).await;
    let edit = format!("{path}/edit");
    let form = browser.get(&edit).await.text();
    let version = form
        .split("name=\"version\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("1")
        .to_owned();
    let mut fields = FIELDS.to_vec();
    fields[4].1 = "rintaro.sogano@example.jp";
    fields[7].1 = "備考は内緒の話";
    fields.push(("version", &version));
    let saved = browser.post(&edit, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    talk(server, browser, id).await;
    for search in ["蘇我野", "rintaro"] {
        browser
            .get(&format!("/customers?q={}", crate::harness::http::encode(search)))
            .await;
    }
    id
}

async fn talk(server: &TestServer, browser: &mut Browser, id: CustomerId) {
    say(server, &callbacks::text(TARO, "見積もりを急いでください")).await;
    say(
        server,
        &callbacks::text(TARO, "部屋の中での発言です").in_channel(ROOM),
    )
    .await;
    say(
        server,
        &callbacks::location(TARO, "内緒の住所一丁目", 35.0, 139.0),
    )
    .await;
    say(server, &callbacks::text(TARO, "消された発言の中身")).await;
    let picture: Vec<u8> = (0..5_000_u32).map(|number| (number % 241) as u8).collect();
    let file = server.simulator.store_file("図面の内緒.png", picture).unwrap();
    say(server, &callbacks::image(TARO, &file)).await;
    let messages = server.wait_for_messages(id, 6).await;
    stored(server, 1).await;
    let doomed = messages
        .iter()
        .find(|row| row.message.contains("消された"))
        .unwrap();
    let path = format!("/customer/{id}");
    browser.get(&path).await;
    browser
        .post(&format!("/activity/{}/delete", doomed.id), &[])
        .await;
    let sent = browser
        .post(
            &format!("{path}/send"),
            &[("message", "お返事を差し上げます様"), ("anyway", "1")],
        )
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    browser
        .post(
            &format!("{path}/note"),
            &[("message", "社内だけの噂話です"), ("key", "n1")],
        )
        .await;
    browser
        .post(&format!("{path}/draft"), &[("message", "書きかけの文面です")])
        .await;
    let wrong = callbacks::text(TARO, "署名の合わない言葉");
    let delivery = server.simulator.deliver_signed(&wrong, Signing::Wrong).await;
    assert_eq!(delivery.unwrap().status, 200);
    until("the held callback", async || {
        let held = server.crm.held_callbacks(&TestServer::operator()).await.unwrap();
        (held.wrong_signature == 1).then_some(())
    })
    .await;
    say(server, &callbacks::leave(ROOM)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_erased_person_is_left_on_the_disk() {
    if on_postgres() {
        // The database is not in the data folder; docs/postgresql.md says what its files keep.
        return;
    }
    let mut server = TestServer::start_with(setup()).await;
    let hanako = server.add_customer("田中", "花子", Some(HANAKO)).await;
    say(&server, &callbacks::text(HANAKO, "花子の言葉は残ります")).await;
    let mut browser = server.signed_in(Role::Admin).await;
    let id = somebody(&server, &mut browser).await;
    for words in WORDS {
        let stands = !places(&server, words).is_empty();
        assert!(stands, "looking for {words} would prove nothing");
    }
    let (crm, operator) = (&server.crm, TestServer::operator());
    let dossier = crm.export_customer(&operator, id).await.unwrap();
    let told = serde_json::to_string(&dossier).unwrap();
    for words in WORDS.iter().filter(|words| **words != "0312345999") {
        assert!(told.contains(words), "{words} is not in the dossier");
    }
    assert!(!told.contains("花子の言葉"), "what others said is not");

    let hold = crm.place_hold(&operator, Some(id), "訴訟").await.unwrap();
    let refused = crm.erase_customer(&operator, id).await;
    assert!(matches!(refused, Err(Error::Held)), "{refused:?}");
    assert!(crm.show_customer(&operator, id).await.is_ok(), "nothing happened");
    crm.lift_hold(&operator, hold).await.unwrap();

    browser.get(&format!("/customer/{id}/delete")).await;
    browser.post(&format!("/customer/{id}/delete"), &[]).await;
    let page = browser.get("/trash").await.text();
    assert!(
        page.contains("蘇我野 倫太郎丸") && page.contains("完全に削除する"),
        "{page}"
    );
    let asked = browser.get(&format!("/trash/customer/{id}/erase")).await;
    assert!(asked.text().contains("元に戻せません"));
    let erased = browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    assert_eq!(erased.status, 303, "{}", erased.text());
    let receipt = until("the receipt", async || {
        let overview = server.crm.retention(&TestServer::operator()).await.unwrap();
        let newest = overview.receipts.into_iter().next()?;
        newest.finished_at.is_some().then_some(newest)
    })
    .await;
    for kind in [
        DataKind::Customers,
        DataKind::Activities,
        DataKind::Notes,
        DataKind::Drafts,
        DataKind::Sends,
        DataKind::Bodies,
        DataKind::Files,
        DataKind::Contents,
        DataKind::Senders,
        DataKind::Conversations,
        DataKind::HeldCallbacks,
        DataKind::AuditValues,
    ] {
        assert!(
            receipt.tally.count(kind) > 0,
            "{} of {}",
            kind.code(),
            receipt.tally
        );
    }
    for words in WORDS {
        let left = places(&server, words);
        assert!(left.is_empty(), "{words} is left in {left:?}");
    }
    let report = server
        .crm
        .verify_audit(&TestServer::operator(), None)
        .await
        .unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!(server.wait_for_messages(hanako, 1).await.len(), 1);
    server.stop().await;
    for words in WORDS {
        let left = places(&server, words);
        assert!(left.is_empty(), "{words} is left in {left:?}");
    }
    assert!(!server.log().contains("蘇我野"));
}

/// Once it is begun it is done, so nobody is told that it failed.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_fails_in_the_middle_is_told_to_go_on_and_does() {
    if on_postgres() {
        // There files lie in the database.
        return;
    }
    let server = TestServer::start_with(setup()).await;
    let id = server.add_customer("蘇我野", "倫太郎丸", Some(TARO)).await;
    let file = server.simulator.store_file("図面.png", vec![7; 5_000]).unwrap();
    say(&server, &callbacks::image(TARO, &file)).await;
    server.wait_for_messages(id, 1).await;
    stored(&server, 1).await;
    let contents = server.data("files");
    let stored: Vec<PathBuf> = files(&contents)
        .into_iter()
        .filter(|path| path.metadata().unwrap().len() >= 5_000)
        .collect();
    let [content] = &stored[..] else {
        panic!("one content: {stored:?}")
    };
    std::fs::remove_file(content).unwrap();
    std::fs::create_dir_all(content.join("in the way")).unwrap();
    let mut browser = server.signed_in(Role::Admin).await;
    browser.get(&format!("/customer/{id}/delete")).await;
    browser.post(&format!("/customer/{id}/delete"), &[]).await;
    browser.get("/trash").await;
    let erased = browser.post(&format!("/trash/customer/{id}/erase"), &[]).await;
    assert_eq!(erased.status, 303, "{}", erased.text());
    let page = browser.get("/trash").await.text();
    assert!(page.contains("完全に削除しています"), "{page}");
    assert!(!page.contains("蘇我野"), "{page}");
    std::fs::remove_dir_all(content).unwrap();
    let patience = std::time::Duration::from_secs(90);
    until_within(patience, "the receipt", async || {
        let overview = server.crm.retention(&TestServer::operator()).await.unwrap();
        overview.receipts.first()?.finished_at
    })
    .await;
}

/// A copy of an older state of the database is put back under the server.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_with_an_older_backup_is_erased_again() {
    if on_postgres() {
        // The backup that is put back is a file.
        return;
    }
    let mut server = TestServer::start_with(setup()).await;
    let id = server.add_customer("蘇我野", "倫太郎丸", Some(TARO)).await;
    say(&server, &callbacks::text(TARO, "見積もりを急いでください")).await;
    server.wait_for_messages(id, 1).await;
    let backup = server.data("older.db");
    let beside = server.beside(&[]).await;
    beside.admin.backup(&backup).await.unwrap();
    let operator = TestServer::operator();
    beside.crm.erase_customer(&operator, id).await.unwrap();
    drop(beside);
    assert!(holds(&std::fs::read(&backup).unwrap(), "蘇我野"));
    server.stop().await;
    std::fs::rename(&backup, server.data("crm.db")).unwrap();
    for left in ["crm.db-wal", "crm.db-shm"] {
        drop(std::fs::remove_file(server.data(left)));
    }
    server.start_again().await;
    let beside = server.beside(&[]).await;
    until("the second receipt", async || {
        let overview = beside.crm.retention(&operator).await.unwrap();
        let receipt = overview.receipts.into_iter().next()?;
        assert_eq!(receipt.cause.code(), "restored");
        receipt.finished_at.map(|_| ())
    })
    .await;
    for words in ["蘇我野", TARO, "見積もりを急いでください"] {
        let left = places(&server, words);
        assert!(left.is_empty(), "{words} is left in {left:?}");
    }
    // The harness' own handle still holds the file that is gone.
    let details = customer_on("別の", "人", &user_id(TARO));
    let again = beside.crm.register_customer(&operator, details).await.unwrap();
    server.stop().await;
    server.start_again().await;
    assert!(
        beside.crm.show_customer(&operator, again).await.is_ok(),
        "who comes anew is somebody else"
    );
}
