//! The database is locked, read-only or full: what was answered 200 is there afterwards, once.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crm_compose::spooled_in;
use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_domain::ports::store::{UnitOfWork, Verdict};
use crm_lineworks_sim::callbacks;
use crm_testkit::postgres::TestDatabase;
use serde_json::Value;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::harness::server::PROGRAM;
use crate::harness::stream::Listener;
use crate::harness::{Ask, TARO, TestServer, on_postgres, until_within};

/// Longer than every wait of the server on a loaded machine.
const LONG: Duration = Duration::from_secs(90);

/// What keeps the server from its database: a file's write lock, held by this process, or a database server that lets
/// nobody in.
enum Hold {
    Lock(mpsc::Sender<()>, JoinHandle<()>),
    Door(String),
}

impl Hold {
    async fn take(server: &TestServer) -> Self {
        if let Some(database) = server.database() {
            database.shut();
            return Self::Door(database.name().to_owned());
        }
        let (release, released) = mpsc::channel::<()>();
        let (took, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let store = std::sync::Arc::clone(&server.store);
        let work = move |_: &mut dyn UnitOfWork| {
            took.send(()).unwrap();
            let _ = released.recv_timeout(Duration::from_mins(5));
            Verdict::RollBack
        };
        let holding = tokio::spawn(async move { store.run_write(Box::new(work)).await.unwrap() });
        tokio::time::timeout(LONG, taken.recv()).await.unwrap().unwrap();
        Self::Lock(release, holding)
    }

    async fn let_go(self) {
        match self {
            Self::Lock(release, holding) => {
                drop(release);
                holding.await.unwrap();
            }
            Self::Door(name) => TestDatabase::open_again(&name),
        }
    }
}

/// Says something by a callback, padded to so many bytes; the status of the answer, `None` without one.
async fn say(server: &TestServer, text: &str, padding: usize) -> Option<u16> {
    let body = callbacks::text(TARO, text).body(40_000_001, time::OffsetDateTime::UNIX_EPOCH);
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["padding"] = "x".repeat(padding).into();
    let body = body.to_string().into_bytes();
    let ask = Ask::post("/webhook")
        .header("x-works-botid", "2000001")
        .header("x-works-signature", callbacks::sign("sim-bot-secret", &body));
    let answer = ask.bytes(body).try_send(server.address).await;
    answer.map(|answer| answer.status)
}

/// How often each text stands on the page, once all of these do.
async fn recorded(server: &TestServer, taro: CustomerId, texts: &[String]) -> BTreeMap<String, usize> {
    until_within(LONG, "all that was answered 200", async || {
        let mut counts = BTreeMap::new();
        for message in server.conversation(taro).await {
            *counts.entry(message.message).or_default() += 1;
        }
        texts
            .iter()
            .all(|text| counts.contains_key(text))
            .then_some(counts)
    })
    .await
}

async fn wait_for_log(server: &TestServer, text: &str) {
    until_within(LONG, text, async || server.log().contains(text).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_another_program_locks_the_database_callbacks_wait_in_the_spool() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let hold = Hold::take(&server).await;
    let begun = Instant::now();
    let mut texts = Vec::new();
    for number in 0..20 {
        let text = format!("鍵の間に {number}");
        assert_eq!(say(&server, &text, 0).await, Some(200));
        texts.push(text);
    }
    assert!(begun.elapsed() < LONG / 3, "{:?}", begun.elapsed());
    assert!(spooled_in(&server.data("spool")).unwrap() >= 19);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(
        ready.text().starts_with("degraded: database\n"),
        "{}",
        ready.text()
    );
    assert_eq!(server.get("/healthz").await.status, 200);
    wait_for_log(&server, "ERROR webhook the database does not take callbacks").await;
    hold.let_go().await;
    let counts = recorded(&server, taro, &texts).await;
    assert_eq!(
        counts.values().sum::<usize>(),
        20,
        "nothing is doubled: {counts:?}"
    );
    wait_for_log(&server, "the spool is empty again").await;
    let log = server.log();
    assert!(log.contains("ERROR webhook callback kept in the spool"), "{log}");
    assert!(!log.contains("鍵の間に") && !log.contains(TARO), "{log}");
    until_within(LONG, "ready again", async || {
        server
            .get("/readyz")
            .await
            .text()
            .starts_with("ready")
            .then_some(())
    })
    .await;
    assert_eq!(spooled_in(&server.data("spool")).unwrap(), 0);
    assert_eq!(say(&server, "その後", 0).await, Some(200));
    recorded(&server, taro, &["その後".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_another_program_locks_the_database_programs_can_read() {
    if on_postgres() {
        // Nothing there locks all of it for writing.
        return;
    }
    let server = TestServer::start().await;
    server.add_customer("山田", "太郎", Some(TARO)).await;
    let token = format!("Bearer {}", server.token(Role::Member).await);
    let hold = Hold::take(&server).await;
    let ask = Ask::get(&format!("/check-customer/{TARO}")).header("authorization", &token);
    let answer = ask.send(server.address).await;
    assert_eq!(
        answer.status,
        200,
        "its first use is to be noted: {}",
        answer.text()
    );
    let nobody = Ask::get("/check-customer/x").header("authorization", "Bearer nonsense");
    assert_eq!(nobody.send(server.address).await.status, 401);
    hold.let_go().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_spool_survives_a_kill_and_is_recorded_once() {
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let hold = Hold::take(&server).await;
    let texts: Vec<String> = (0..5).map(|number| format!("停電の前に {number}")).collect();
    for text in &texts {
        assert_eq!(say(&server, text, 0).await, Some(200));
    }
    server.kill().await;
    assert_eq!(spooled_in(&server.data("spool")).unwrap(), 5);
    hold.let_go().await;
    server.start_again().await;
    for text in &texts {
        assert_eq!(say(&server, text, 0).await, Some(200), "they come again");
    }
    let counts = recorded(&server, taro, &texts).await;
    assert_eq!(counts.values().sum::<usize>(), 5, "{counts:?}");
    until_within(LONG, "an empty spool", async || {
        (spooled_in(&server.data("spool")).unwrap() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_comes_back_with_what_was_typed() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/customer/new").await;
    let hold = Hold::take(&server).await;
    let typed = [("last_name", "書きかけ"), ("email", "typed@example.jp")];
    let page = browser.post("/customer/new", &typed).await;
    assert_eq!(page.status, 503);
    for kept in ["書きかけ", "typed@example.jp", "データベースを使えないため"] {
        assert!(
            page.text().contains(kept),
            "{kept} is not on the page that comes back"
        );
    }
    hold.let_go().await;
}

/// Nobody can say who asks while even reading is not possible: the page comes without a menu, and with what was typed.
#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_read_people_get_a_page() {
    if !on_postgres() {
        // A file can always be read.
        return;
    }
    let server = TestServer::start().await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/customer/new").await;
    let hold = Hold::take(&server).await;
    let typed = [
        ("last_name", "書きかけ"),
        ("first_name", "次郎"),
        ("remarks", "<一行目>\r\n二行目"),
    ];
    let page = browser.post("/customer/new", &typed).await;
    let text = page.text();
    assert_eq!(page.status, 503);
    for kept in [
        "action=\"/customer/new\"",
        "もう一度送る",
        "&lt;一行目&gt;\r\n二行目",
        "csrf_token",
    ] {
        assert!(text.contains(kept), "{kept} is not on the page: {text}");
    }
    let (_, after) = text
        .split_once("name=\"csrf_token\" value=\"")
        .expect("the token of the page");
    let (token, _) = after.split_once('"').unwrap();
    let again = [&[("csrf_token", token)], &typed[..]].concat();
    for path in ["/", "/customers", "/login"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 503, "{path}");
        assert!(
            page.text().contains("ただいま利用できません"),
            "{path}: {}",
            page.text()
        );
    }
    let secret = browser
        .post("/me/password", &[("password", "mine, and long enough")])
        .await;
    assert!(
        !secret.text().contains("mine, and long enough"),
        "{}",
        secret.text()
    );
    hold.let_go().await;
    let kept = until_within(LONG, "an answer that is no 503", async || {
        let answer = browser.post("/customer/new", &again).await;
        (answer.status != 503).then_some(answer)
    });
    let kept = kept.await;
    assert_eq!(kept.status, 303, "{}", kept.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_are_told_that_what_they_show_may_be_old() {
    if !on_postgres() {
        // A file can always be read.
        return;
    }
    let server = TestServer::start().await;
    let browser = server.signed_in(Role::Member).await;
    let mut listener = Listener::open(server.address, &browser, "/events", None).await;
    listener.until_opened().await;
    let hold = Hold::take(&server).await;
    let name = async |listener: &mut Listener| listener.next().await.map(|heard| heard.name);
    assert_eq!(name(&mut listener).await.as_deref(), Some("stale"));
    hold.let_go().await;
    assert_eq!(name(&mut listener).await.as_deref(), Some("current"));
    server.add_customer("遅い", "人", None).await;
    let heard = name(&mut listener).await;
    assert_eq!(heard.as_deref(), Some("customer"), "the same stream goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_kept_nowhere_is_answered_503_and_the_log_says_so() {
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.kill().await;
    // What stands ready where the spool was would be used.
    std::fs::remove_dir_all(server.data("spool")).unwrap();
    let blocked = server.data("no-spool");
    std::fs::write(&blocked, "a file stands where the folder should be").unwrap();
    let setting = ("CRM_SPOOL_DIR", blocked.to_str().unwrap());
    server.start_again_by(Command::new(PROGRAM), &[setting]).await;
    wait_for_log(&server, "callbacks will be lost").await;
    assert_eq!(say(&server, "前", 0).await, Some(200), "the database suffices");
    let hold = Hold::take(&server).await;
    assert_eq!(say(&server, "満杯", 0).await, Some(503));
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    wait_for_log(&server, "ERROR webhook callback not kept").await;
    hold.let_go().await;
    let later = "また入る".to_owned();
    until_within(LONG, "an answer of 200", async || {
        (say(&server, &later, 0).await == Some(200)).then_some(())
    })
    .await;
    let counts = recorded(&server, taro, &["前".to_owned(), later]).await;
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

/// A program that can make no file larger than this: what a disk does that is full, in any container.
fn with_files_up_to(kilobytes: u32) -> Command {
    let mut command = Command::new("/bin/sh");
    let blocks = kilobytes * 2;
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec {PROGRAM}")]);
    command
}

/// Says so much that the limits are reached; which texts were answered 200, and which were not.
async fn pour(server: &TestServer, count: usize) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for number in 0..count {
        let text = format!("大きな {number}");
        match say(server, &text, 500_000).await {
            Some(200) => kept.push(text),
            Some(503) => refused.push(text),
            other => panic!("{other:?}: {}", server.log()),
        }
    }
    (kept, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_databases_disk_is_full_callbacks_go_to_the_spool() {
    if on_postgres() {
        // The disk of a database server is not limited by what this program may write.
        return;
    }
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.kill().await;
    server.start_again_by(with_files_up_to(17 * 1024), &[]).await;
    let (kept, refused) = pour(&server, 90).await;
    assert_eq!((kept.len(), refused.len()), (90, 0), "{}", server.log());
    wait_for_log(&server, "ERROR webhook callback kept in the spool").await;
    server.kill().await;
    server.start_again().await;
    let counts = recorded(&server, taro, &kept).await;
    assert_eq!(counts.values().sum::<usize>(), 90, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_disk_is_full_only_what_is_kept_was_answered_200() {
    if on_postgres() {
        // As above.
        return;
    }
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.kill().await;
    let elsewhere = server.data("other-spool");
    let setting = ("CRM_SPOOL_DIR", elsewhere.to_str().unwrap());
    server
        .start_again_by(with_files_up_to(8 * 1024), &[setting])
        .await;
    let (kept, refused) = pour(&server, 60).await;
    assert!(!kept.is_empty() && !refused.is_empty(), "{}", server.log());
    wait_for_log(&server, "ERROR webhook callback not kept").await;
    server.kill().await;
    server.start_again().await;
    let counts = recorded(&server, taro, &kept).await;
    assert!(
        counts.values().all(|count| *count == 1),
        "none is half there or twice: {counts:?}"
    );
}

/// Makes SQLite take the file for one that it must not write (its "file format write version"), or mends it.
fn set_read_only(server: &TestServer, read_only: bool) {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(server.data("crm.db"))
        .unwrap();
    file.seek(SeekFrom::Start(18)).unwrap();
    file.write_all(&[if read_only { 3 } else { 2 }]).unwrap();
    file.sync_all().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_read_only_callbacks_wait_in_the_spool() {
    if on_postgres() {
        // It is the file that is made read-only.
        return;
    }
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    server.stop().await;
    let log = server.data("crm.db-wal");
    let left = std::fs::metadata(&log).map_or(0, |metadata| metadata.len());
    assert_eq!(
        left, 0,
        "an orderly end leaves nothing outside the database's file"
    );
    set_read_only(&server, true);
    server.start_again().await;
    let texts: Vec<String> = (0..5).map(|number| format!("読むだけ {number}")).collect();
    for text in &texts {
        assert_eq!(say(&server, text, 0).await, Some(200), "{}", server.log());
    }
    assert!(server.get("/readyz").await.text().starts_with("degraded"));
    set_read_only(&server, false);
    let counts = recorded(&server, taro, &texts).await;
    assert_eq!(counts.values().sum::<usize>(), 5, "{counts:?}");
}
