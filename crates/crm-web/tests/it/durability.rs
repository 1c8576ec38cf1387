//! What was answered 200 is there after the power went.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_domain::members::Role;
use crm_domain::ports::store::Verdict;
use crm_lineworks_sim::callbacks;

use crate::harness::{Ask, TARO, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn every_callback_that_got_200_survives_a_kill() {
    let mut server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let (stop, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let address = server.address;
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (stop, kept) = (Arc::clone(&stop), Arc::clone(&kept));
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let text = format!("{caller}-{number}");
                    let at =
                        time::OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(1_700_000_000 + number);
                    let body = callbacks::text(TARO, &text).body(40_000_001, at);
                    let ask = Ask::post("/webhook")
                        .header("x-works-botid", "2000001")
                        .header("x-works-signature", callbacks::sign("sim-bot-secret", &body));
                    match ask.bytes(body).try_send(address).await {
                        Some(answer) if answer.status == 200 => {
                            acknowledged.push(text);
                            kept.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => break,
                    }
                }
                acknowledged
            })
        })
        .collect();
    crate::harness::until("some callbacks", async || {
        (kept.load(Ordering::Relaxed) > 200).then_some(())
    })
    .await;
    server.kill().await;
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for caller in callers {
        acknowledged.extend(caller.await.unwrap());
    }
    server.start_again().await;
    server
        .wait_for_messages(taro, acknowledged.len().min(1_000))
        .await;
    let mut there: Vec<String> = Vec::new();
    let mut before = None;
    loop {
        let page = server
            .crm
            .conversation(&TestServer::operator(), taro, before, 500)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(crm_domain::activities::ActivityPlace {
            timestamp: last.timestamp,
            id: last.id,
        });
        there.extend(page.into_iter().map(|message| message.message));
    }
    let total = there.len();
    there.sort_unstable();
    there.dedup();
    assert_eq!(there.len(), total, "nothing is doubled");
    for text in acknowledged {
        assert!(there.binary_search(&text).is_ok(), "{text} got 200 and is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_not_answered_200() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browser = server.signed_in(Role::Member).await;
    browser.get("/customer/new").await;
    let (store, hold) = (Arc::clone(&server.store), Duration::from_secs(9));
    let holding = tokio::spawn(async move {
        // Another process that writes and does not end: as a full disk, it lets nobody else write.
        let work = Box::new(move |unit: &mut dyn crm_domain::ports::store::UnitOfWork| {
            drop(unit.operation_done(&[0; 16]));
            std::thread::sleep(hold);
            Verdict::RollBack
        });
        store.run_write(work).await
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let typed = [("last_name", "書きかけ"), ("email", "typed@example.jp")];
    let saving = tokio::spawn(async move { browser.post("/customer/new", &typed).await });
    let begun = Instant::now();
    let delivery = server
        .simulator
        .deliver(&callbacks::text(TARO, "満杯"))
        .await
        .unwrap();
    assert_eq!(delivery.status, 503);
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
    let page = saving.await.unwrap();
    assert_eq!(page.status, 503);
    for kept in ["書きかけ", "typed@example.jp", "データベースを使えないため"] {
        assert!(
            page.text().contains(kept),
            "{kept} is not on the page that comes back"
        );
    }
    holding.await.unwrap().unwrap();
    let delivery = server
        .simulator
        .deliver(&callbacks::text(TARO, "また入る"))
        .await
        .unwrap();
    assert_eq!(delivery.status, 200);
    crate::harness::until("the later one is recorded", async || {
        let messages = server.conversation(taro).await;
        messages
            .iter()
            .any(|message| message.message == "また入る")
            .then_some(())
    })
    .await;
    assert!(
        server.log().contains(" ERROR webhook callback not kept"),
        "{}",
        server.log()
    );
}
