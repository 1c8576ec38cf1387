//! Callbacks that do not count because of a wrong setting: held, shown to administrators, recorded once it is mended.

use crm_domain::members::Role;
use crm_lineworks_sim::{Signing, callbacks};
use tokio::process::Command;

use crate::harness::server::PROGRAM;
use crate::harness::{Setup, TARO, TestServer, until};

const ADVICE: &str = "署名の合わない通知が続いている";

async fn deliver(server: &TestServer, text: &str) -> u16 {
    let delivery = server.simulator.deliver(&callbacks::text(TARO, text)).await;
    delivery.unwrap().status
}

async fn wait_until_held(server: &TestServer, count: usize) {
    until("callbacks that are held", async || {
        let held = server.crm.held_callbacks(&TestServer::operator()).await.unwrap();
        (held.wrong_signature + held.other_address == count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_secret_brings_back_what_was_held() {
    let setup = Setup::default().with("LINE_WORKS_BOT_SECRET", "mistyped");
    let mut server = TestServer::start_with(setup).await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    let mut browsers = [
        server.signed_in(Role::Admin).await,
        server.signed_in(Role::Member).await,
    ];
    for number in 0..3 {
        assert!(!browsers[0].get("/customers").await.text().contains(ADVICE));
        assert_eq!(deliver(&server, &format!("届かない {number}")).await, 200);
    }
    let foreign = callbacks::text(TARO, "よその会社").from_domain(7);
    assert_eq!(server.simulator.deliver(&foreign).await.unwrap().status, 200);
    let noise = server
        .simulator
        .deliver_bytes(b"{".to_vec(), Signing::Wrong)
        .await;
    assert_eq!(noise.unwrap().status, 200);
    wait_until_held(&server, 3).await;
    assert!(browsers[0].get("/customers").await.text().contains(ADVICE));
    assert!(
        !browsers[1].get("/customers").await.text().contains(ADVICE),
        "members cannot mend it"
    );
    assert!(server.conversation(taro).await.is_empty());
    let both = ("LINE_WORKS_BOT_SECRET", "mistyped,sim-bot-secret");
    server.kill().await;
    server.start_again_by(Command::new(PROGRAM), &[both]).await;
    let beside = server.beside(&[]).await;
    let operator = TestServer::operator();
    let done = beside.crm.recheck_callbacks(&operator, |_| true).await.unwrap();
    assert_eq!((done.rechecked, done.recorded, done.still_wrong), (3, 3, 0));
    assert_eq!(server.wait_for_messages(taro, 3).await.len(), 3);
    assert_eq!(deliver(&server, "今度は届く").await, 200);
    assert_eq!(server.wait_for_messages(taro, 4).await.len(), 4);
    assert!(!server.log().contains("届かない"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_signature_from_an_address_that_is_not_allowed_is_held_and_told() {
    let setup = Setup::default().with("LINE_WORKS_ALLOWED_IPS", "203.0.113.0/24");
    let server = TestServer::start_with(setup).await;
    let taro = server.add_customer("山田", "太郎", Some(TARO)).await;
    assert_eq!(deliver(&server, "別の入口から").await, 403);
    let forged = server
        .simulator
        .deliver_signed(&callbacks::text(TARO, "偽物"), Signing::Wrong)
        .await;
    assert_eq!(forged.unwrap().status, 403);
    wait_until_held(&server, 1).await;
    let page = server.signed_in(Role::Admin).await.get("/customers").await.text();
    assert!(page.contains("許可していないアドレスから"), "{page}");
    let log = server.log();
    assert!(
        log.contains("ERROR webhook callback with a right signature from 127.0.0.1"),
        "{log}"
    );
    let operator = TestServer::operator();
    let still = server.crm.recheck_callbacks(&operator, |_| false).await.unwrap();
    assert_eq!((still.recorded, still.still_wrong), (0, 1));
    let done = server.crm.recheck_callbacks(&operator, |_| true).await.unwrap();
    assert_eq!((done.recorded, done.still_wrong), (1, 0));
    assert_eq!(server.wait_for_messages(taro, 1).await[0].message, "別の入口から");
}
