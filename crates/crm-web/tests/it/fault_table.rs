//! The fault table: whatever LINE WORKS does, the state that the message gets and the sentence that the user reads.

use std::time::Duration;

use crm_domain::customers::CustomerId;
use crm_domain::members::Role;
use crm_lineworks_sim::{Endpoint, Fault};

use crate::harness::{Answer, Ask, Browser, Setup, TestServer, until};

/// What happens, and what comes of it.
struct Row {
    what: &'static str,
    faults: Vec<Fault>,
    /// Status and `success` of the answer, and the message's state.
    answer: (u16, bool, &'static str),
    /// What the answer says; of what waits, how it begins.
    sentence: &'static str,
}

fn row(
    what: &'static str,
    faults: Vec<Fault>,
    answer: (u16, bool, &'static str),
    sentence: &'static str,
) -> Row {
    Row {
        what,
        faults,
        answer,
        sentence,
    }
}

const SENT: (u16, bool, &str) = (200, true, "sent");
const FAILED: (u16, bool, &str) = (409, false, "failed");
const UNKNOWN: (u16, bool, &str) = (202, false, "unknown");
const QUEUED: (u16, bool, &str) = (202, true, "queued");

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let status = |code| vec![Fault::status(code)];
    vec![
        row("slow answer, in time", vec![Fault::Slow(Duration::from_secs(2))], SENT, "送信しました"),
        row("cut before it was done", vec![Fault::CutBeforeResponse], UNKNOWN,
            "通信が途中で切れました。届いている可能性があります。お客様に確認してから送り直してください。"),
        row("cut after it was done", vec![Fault::CutAfterDoing], UNKNOWN,
            "通信が途中で切れました。届いている可能性があります。お客様に確認してから送り直してください。"),
        row("cut inside the answer", vec![Fault::CutAfterHeaders], SENT, "送信しました"),
        row("garbage body", vec![Fault::GarbageBody], SENT, "送信しました"),
        row("302", vec![Fault::status(302).with_header("Location", "http://127.0.0.1:9/")], FAILED,
            "LINE WORKSのAPIのアドレスが正しくありません。管理者がLINE_WORKS_API_URLを確認する必要があります。"),
        row("400", status(400), FAILED,
            "LINE WORKSがこの内容か宛先を受け付けませんでした。ユーザーIDと本文を確認してください。（400）"),
        row("401 once", status(401), SENT, "送信しました"),
        row("401 again", vec![Fault::status(401), Fault::status(401)], FAILED,
            "LINE WORKSに認証を拒否されました。管理者がアプリの設定を確認する必要があります。（401）"),
        row("403", status(403), FAILED,
            "このBotを使う権限がありません。管理者画面の「サービス > Bot」でBotが追加・公開され、相手が使用範囲に入っているか確認してください。（403）"),
        row("404", status(404), FAILED,
            "相手が見つかりません。自社のLINE WORKSのメンバーのユーザーIDか確認してください。（404）"),
        row("409", status(409), FAILED,
            "LINE WORKSに拒否されました。少し待って送り直し、続くときは管理者にお知らせください。"),
        row("500", status(500), UNKNOWN,
            "LINE WORKS側で障害が起きています。届いたか分かりません。お客様に確認してから送り直してください。"),
        row("503", status(503), UNKNOWN,
            "LINE WORKS側で障害が起きています。届いたか分かりません。お客様に確認してから送り直してください。"),
        row("429 with headers",
            vec![Fault::status(429).with_header("rateLimit-limit", "240").with_header("rateLimit-reset", "2")], QUEUED,
            "送信待ちです。LINE WORKSの1分あたりの送信数の上限に達しました。まだ送信されていません。"),
    ]
}

const REFUSED: &str = "送信待ちです。LINE WORKSに接続できません。まだ送信されていません。";
const TOO_SLOW: &str = "LINE WORKSから時間内に返事がありませんでした。届いている可能性があります。お客様に確認してから送り直してください。";

struct Desk {
    server: TestServer,
    browser: Browser,
}

impl Desk {
    async fn open() -> Self {
        let server = TestServer::start_with(Setup::default().with("LINE_WORKS_TIMEOUT", "5")).await;
        let mut browser = server.signed_in(Role::Member).await;
        browser.get("/customers").await;
        Self { server, browser }
    }

    /// A person of their own for each row, so that none waits behind another.
    async fn customer(&self, number: usize) -> CustomerId {
        let user = format!("{number:08x}-0000-4000-8000-00000000fa17");
        self.server.add_customer("山田", "太郎", Some(&user)).await
    }

    async fn send(&self, to: CustomerId, text: &str) -> Answer {
        let ask = Ask::post(&format!("/customer/{to}/send"))
            .header("x-csrf-token", self.browser.token.clone())
            .header("accept", "application/json")
            .header("origin", format!("http://{}", self.server.address))
            .form(&[("message", text)]);
        self.browser.clone().send(ask).await
    }

    async fn check(&self, row: &Row, to: CustomerId, answer: &Answer) {
        let (what, said) = (row.what, answer.json());
        let told = (
            answer.status,
            said["success"].as_bool().unwrap(),
            said["state"].as_str().unwrap(),
        );
        assert_eq!(told, row.answer, "{what}: {said}");
        let words = said["message"].as_str().unwrap();
        let page = self.browser.clone().get(&format!("/customer/{to}")).await.text();
        match row.answer.2 {
            "queued" => {
                let end = "ごろ自動で試します。";
                assert!(
                    words.starts_with(row.sentence) && words.ends_with(end),
                    "{what}: {words}"
                );
                assert!(
                    page.contains(end) && page.contains("送信を取り消す"),
                    "{what}: {page}"
                );
            }
            "sent" => assert_eq!(words, row.sentence, "{what}"),
            state => {
                assert_eq!(words, row.sentence, "{what}");
                let shown = page.replace("&gt;", ">");
                assert!(shown.contains(row.sentence), "{what} on the page");
                assert!(page.contains("再送する"), "{what}");
                assert_eq!(page.contains("/treat-as-sent"), state == "unknown", "{what}");
            }
        }
    }

    async fn becomes_sent(&self, to: CustomerId) {
        until("it is sent by itself", async || {
            let message = self.server.conversation(to).await.remove(0);
            (message.plain_text().starts_with("[送信] ")).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn every_fault_has_its_state_and_its_sentence() {
    let desk = Desk::open().await;
    let sim = &desk.server.simulator;
    let slow = desk.customer(1_000).await;
    sim.fail_next_on(Endpoint::Send, 1, Fault::Slow(Duration::from_secs(40)));
    let too_slow = async {
        let answer = desk.send(slow, "too slow").await;
        let row = row("slow answer, too late", Vec::new(), UNKNOWN, TOO_SLOW);
        desk.check(&row, slow, &answer).await;
    };
    let others = async {
        until("the slow one has left", async || {
            (sim.requests(Endpoint::Send) == 1).then_some(())
        })
        .await;
        for (number, row) in table().iter().enumerate() {
            let customer = desk.customer(number).await;
            for fault in &row.faults {
                sim.fail_next_on(Endpoint::Send, 1, fault.clone());
            }
            let answer = desk.send(customer, row.what).await;
            desk.check(row, customer, &answer).await;
            if row.answer == QUEUED {
                desk.becomes_sent(customer).await;
            }
        }
    };
    tokio::join!(too_slow, others);
    sim.pause().await;
    let customer = desk.customer(2_000).await;
    let answer = desk.send(customer, "refused connection").await;
    let row = row("refused connection", Vec::new(), QUEUED, REFUSED);
    desk.check(&row, customer, &answer).await;
    sim.resume().await.unwrap();
    desk.becomes_sent(customer).await;
    let mut texts: Vec<_> = sim
        .messages()
        .iter()
        .map(|message| message.content["text"].to_string())
        .collect();
    let all = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all, "nothing was sent twice");
}
