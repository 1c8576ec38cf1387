//! What was answered 200 is there after the power went.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
async fn the_same_callback_from_sixteen_connections_counts_once() {
    let server = TestServer::start().await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let body = callbacks::text(TARO, "一度だけ").body(40_000_001, time::OffsetDateTime::UNIX_EPOCH);
    let address = server.address;
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let body = body.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let ask = Ask::post("/webhook")
                        .header("x-works-botid", "2000001")
                        .header("x-works-signature", callbacks::sign("sim-bot-secret", &body));
                    assert_eq!(ask.bytes(body.clone()).send(address).await.status, 200);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let last = callbacks::text(TARO, "その後");
    assert_eq!(server.simulator.deliver(&last).await.unwrap().status, 200);
    let messages = server.wait_for_messages(taro, 2).await;
    let said: Vec<_> = messages.iter().map(|message| message.message.as_str()).collect();
    assert_eq!(said.iter().filter(|text| **text == "一度だけ").count(), 1);
    assert_eq!(said.len(), 2, "{said:?}");
}
