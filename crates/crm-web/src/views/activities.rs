//! A conversation: days, messages, the field in which one answers.

use serde::Serialize;

use super::talk_head::TalkHead;
use super::{Face, LinkView};
use crate::page::Page;
use crate::sentence::Sentence;

/// The person a conversation is with.
#[derive(Debug, Clone, Serialize)]
pub struct Who {
    /// The customer's number.
    pub id: i64,
    /// 姓 and 名.
    pub name: String,
    /// セイ and メイ.
    pub reading: Option<String>,
    /// Name of the company, if any.
    pub company_name: Option<String>,
    /// Initial and colour.
    pub face: Face,
}

/// A part of a conversation, oldest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Talk {
    /// Days with their messages.
    pub days: Vec<Day>,
    /// Cursor to what is older, when there is more.
    pub older: Option<String>,
    /// Whether newer messages exist that are not shown here.
    pub newer: bool,
    /// The newest number that was read; a later question asks for what came after it.
    pub last_id: i64,
}

/// The messages of one day.
#[derive(Debug, Clone, Serialize)]
pub struct Day {
    /// `2025-07-08`.
    pub date: String,
    /// 今日, 昨日, 7月8日（火）.
    pub label: String,
    /// 2025年7月8日（火）.
    pub exact: String,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// One bubble.
#[derive(Debug, Clone, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mark of its own, and the template asks for it by name"
)]
pub struct Message {
    /// The activity's number.
    pub id: i64,
    /// Its place in the conversation.
    pub place: String,
    /// The number of its conversation, if known.
    pub conversation: Option<i64>,
    /// The number of its sending; only of what we sent.
    pub send: Option<i64>,
    /// `in`, `out` or `note`.
    pub side: &'static str,
    /// What it says.
    pub body: Body,
    /// The beginning of the text, for the question before deleting.
    pub excerpt: String,
    /// `14:05`.
    pub time: String,
    /// 2025年7月8日（火） 14:05:33.
    pub exact: String,
    /// For machines.
    pub iso: String,
    /// `queued`, `sending`, `sent`, `failed` or `unknown`; only of what we sent.
    pub state: Option<&'static str>,
    /// Who sent it.
    pub author: Option<String>,
    /// Why it failed and what to do.
    pub failure: Option<Sentence>,
    /// On whose page it stands.
    pub customer_id: i64,
    /// The text that 再送する sends again; only of what did not surely arrive.
    pub resend: Option<String>,
    /// From when on 再送する is offered, for one whose sender could still let it leave.
    pub held: Option<String>,
    /// Why it waits, for one that was tried in vain.
    pub waits: Option<Sentence>,
    /// When it is tried again.
    pub next_try: Option<String>,
    /// What else to offer: `cancel` 送信を取り消す or `treat` 送信済みとみなす.
    pub act: Option<&'static str>,
    /// Who treats it as sent.
    pub treated_by: Option<String>,
    /// Whether to offer 削除.
    pub may_delete: bool,
    /// グループ: whether it was said in a room.
    pub room: bool,
    /// 遅れて受信: whether it came after messages that stand below it.
    pub late: bool,
    /// Whether it is the first that the reader has not seen.
    pub first_unread: bool,
    /// How far the bytes that came with it got, and why they are not there, as one word.
    pub file_state: Option<String>,
    /// What the button that was tapped carries unseen; only of words that a button said.
    pub button: Option<String>,
}

/// What a message holds. Never an empty bubble.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Body {
    /// Words.
    Text {
        /// As written.
        text: String,
    },
    /// A place with a link to a map.
    Place {
        /// In words.
        address: String,
        /// Address of a map.
        map: Option<String>,
    },
    /// A file, a sound, a film, or a photo until it can be shown.
    File {
        /// `image`, `file`, `audio` or `video`.
        what: &'static str,
        /// Its name, if known.
        name: Option<String>,
        /// Its size in words, if known.
        size: Option<String>,
        /// Where its bytes are; `None` if none came with it.
        bytes: Option<FileView>,
    },
    /// A tap on a button.
    Button {
        /// What the button says to programs; empty if nothing.
        data: String,
    },
    /// A stamp.
    Sticker,
    /// A kind that this program does not know.
    Unknown {
        /// LINE WORKS' word for it.
        what: String,
    },
    /// Nothing.
    Other,
}

/// How far the bytes of a message got.
#[derive(Debug, Clone, Serialize)]
pub struct FileView {
    /// The attachment's number.
    pub id: i64,
    /// `pending`, `stored`, `failed` or `gone`.
    pub state: &'static str,
    /// Why they are not there (yet).
    pub problem: Option<Sentence>,
}

/// The field in which one answers.
#[derive(Debug, Clone, Serialize)]
pub struct Composer {
    /// Whether a message can be sent.
    pub reachable: bool,
    /// Why not: `no_user_id`.
    pub reason: Option<&'static str>,
    /// 「山田 太郎 様（株式会社山田製作所）へ」.
    pub to: String,
    /// The same key sends once.
    pub key: Option<String>,
    /// What was typed and could not be sent.
    pub text: String,
    /// The failed message that sending this again takes the place of.
    pub replaces: Option<i64>,
    /// Why.
    pub error: Option<Sentence>,
    /// What the writer is asked before it is sent, in words.
    pub question: Option<String>,
    /// The newest message that the page shows; 0 for none.
    pub seen: i64,
    /// A note that could not be kept.
    pub note: String,
    /// Why.
    pub note_error: Option<Sentence>,
    /// Most characters of one message.
    pub limit: usize,
}

/// `GET /customer/{id}/messages`: a piece of a conversation without its page.
#[derive(Debug, Clone, Serialize)]
pub struct MessagesFragment {
    /// The messages asked for.
    pub talk: Talk,
    /// LINE WORKS連携状態, which may have changed; only beside what is new.
    pub link: Option<LinkView>,
    /// What the end of the conversation consists of; only beside what is new.
    pub present: Option<Present>,
    /// Who waits and who has it; only beside what is new.
    pub head: Option<TalkHead>,
}

/// The newest messages by number, so that an open page can tell which are gone and which came back.
#[derive(Debug, Clone, Serialize)]
pub struct Present {
    /// Numbers, separated by commas.
    pub ids: String,
    /// The place of the oldest; empty when there is nothing older.
    pub from: String,
}

/// `GET /send-message/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct SendMessagePage {
    /// To whom.
    pub who: Who,
    /// LINE WORKS連携状態.
    pub link: LinkView,
    /// The field.
    pub composer: Composer,
}

impl Who {
    pub(crate) fn sample() -> Who {
        Who {
            id: 1,
            name: "山田 太郎".to_owned(),
            reading: Some("ヤマダ タロウ".to_owned()),
            company_name: Some("株式会社山田製作所".to_owned()),
            face: Face::of(1, "山田"),
        }
    }
}

impl Composer {
    pub(crate) fn sample() -> Composer {
        Composer {
            reachable: true,
            reason: None,
            to: "山田 太郎 様（株式会社山田製作所）へ".to_owned(),
            key: Some("k-1".to_owned()),
            text: String::new(),
            replaces: None,
            error: None,
            question: None,
            seen: 15,
            note: String::new(),
            note_error: None,
            limit: 2000,
        }
    }
}

impl Composer {
    pub(crate) fn sample_asked() -> Composer {
        Composer {
            text: "承知しました。".to_owned(),
            replaces: Some(13),
            question: Some("田中 花子さんが対応中です。送信しますか？".to_owned()),
            note: "長すぎるメモ".to_owned(),
            note_error: Some(Sentence::of("problem.message.required")),
            ..Composer::sample()
        }
    }
}

impl Message {
    fn sample(id: i64, side: &'static str, text: &str) -> Message {
        Message {
            id,
            place: format!("1751951133000.{id}"),
            conversation: Some(1),
            send: (side == "out").then_some(id),
            side,
            body: Body::Text {
                text: text.to_owned(),
            },
            excerpt: text.to_owned(),
            time: "14:05".to_owned(),
            exact: "2025年7月8日（火） 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
            state: None,
            author: None,
            failure: None,
            customer_id: 1,
            resend: None,
            held: None,
            waits: None,
            next_try: None,
            act: None,
            treated_by: None,
            may_delete: true,
            room: false,
            late: false,
            first_unread: false,
            file_state: None,
            button: None,
        }
    }

    fn sent(id: i64, text: &str, state: &'static str) -> Message {
        Message {
            state: Some(state),
            author: Some("田中 花子".to_owned()),
            resend: matches!(state, "failed" | "unknown").then(|| text.to_owned()),
            waits: (state == "queued").then(|| Sentence::of("send_waits.no_connection")),
            next_try: (state == "queued").then(|| "14:06".to_owned()),
            act: match state {
                "queued" => Some("cancel"),
                "unknown" => Some("treat"),
                _ => None,
            },
            treated_by: (state == "sent").then(|| "田中 花子".to_owned()),
            failure: (state == "failed").then(|| Sentence::of("send_problem.forbidden")),
            ..Message::sample(id, "out", text)
        }
    }

    fn with_body(id: i64, body: Body) -> Message {
        Message {
            body,
            may_delete: false,
            ..Message::sample(id, "in", "")
        }
    }
}

impl FileView {
    fn sample(state: &'static str) -> Option<FileView> {
        (!state.is_empty()).then(|| FileView {
            id: 1,
            state,
            problem: (state != "stored").then(|| Sentence::file_problem("no_connection")),
        })
    }
}

impl Body {
    fn file_sample(what: &'static str, state: &'static str) -> Body {
        Body::File {
            what,
            name: None,
            size: None,
            bytes: FileView::sample(state),
        }
    }
}

impl Talk {
    pub(crate) fn sample() -> Talk {
        let first = vec![
            Message::sample(
                1,
                "in",
                "お世話になっております。見積の件、いかがでしょうか。\nhttps://example.com/a を見ました。",
            ),
            Message::sent(2, "ご連絡ありがとうございます。本日中にお送りします。", "sent"),
            Message::sample(3, "note", "単価は部長に確認済み"),
            Message::with_body(4, Body::Sticker),
            Message::with_body(
                5,
                Body::Place {
                    address: "東京都千代田区丸の内1-9-1".to_owned(),
                    map: Some("https://www.google.com/maps/search/?api=1&query=35.68,139.76".to_owned()),
                },
            ),
        ];
        let second = vec![
            Message::with_body(
                6,
                Body::File {
                    what: "file",
                    name: Some("見積書.pdf".to_owned()),
                    size: Some("850 KB".to_owned()),
                    bytes: FileView::sample("stored"),
                },
            ),
            Message::with_body(7, Body::file_sample("image", "pending")),
            Message::with_body(8, Body::file_sample("video", "failed")),
            Message::with_body(9, Body::file_sample("audio", "gone")),
            Message::with_body(10, Body::file_sample("file", "")),
            Message::with_body(
                16,
                Body::Unknown {
                    what: "hologram".to_owned(),
                },
            ),
            Message {
                room: true,
                ..Message::with_body(
                    17,
                    Body::Button {
                        data: "deal=42&do=won".to_owned(),
                    },
                )
            },
            Message {
                button: Some("deal=42".to_owned()),
                late: true,
                first_unread: true,
                ..Message::sample(18, "in", "はい")
            },
            Message::with_body(11, Body::Other),
            Message::sent(12, "承知しました。", "unknown"),
            Message::sent(13, "よろしくお願いいたします。", "failed"),
            Message::sent(14, "後ほどお電話します。", "sending"),
            Message::sent(15, "ありがとうございました。", "queued"),
        ];
        let day = |date: &str, label: &str, messages| Day {
            date: date.to_owned(),
            label: label.to_owned(),
            exact: "2025年7月8日（火）".to_owned(),
            messages,
        };
        Talk {
            days: vec![
                day("2025-07-08", "昨日", first),
                day("2025-07-09", "今日", second),
            ],
            older: Some("1".to_owned()),
            newer: true,
            last_id: 15,
        }
    }
}

impl Page for MessagesFragment {
    const TEMPLATE: &'static str = "messages_fragment.html";

    fn samples() -> Vec<MessagesFragment> {
        let [waiting, ..] = TalkHead::samples();
        vec![
            MessagesFragment {
                talk: Talk::sample(),
                link: Some(LinkView {
                    state: "active",
                    date: None,
                }),
                present: Some(Present {
                    ids: "14,15".to_owned(),
                    from: String::new(),
                }),
                head: Some(waiting),
            },
            MessagesFragment {
                talk: Talk::default(),
                link: None,
                present: None,
                head: None,
            },
        ]
    }
}

impl Page for SendMessagePage {
    const TEMPLATE: &'static str = "send_message.html";

    fn samples() -> Vec<SendMessagePage> {
        let link = LinkView {
            state: "active",
            date: None,
        };
        let page = SendMessagePage {
            who: Who::sample(),
            link,
            composer: Composer::sample(),
        };
        let mut failed = page.clone();
        failed.composer.error = Some(Sentence::of("send_problem.not_found"));
        failed.composer.replaces = Some(7);
        failed.composer.text.push_str("お世話になっております。");
        let mut asked = page.clone();
        asked.composer = Composer::sample_asked();
        let mut gone = page.clone();
        gone.link = LinkView {
            state: "left",
            date: Some("7月8日（火）".to_owned()),
        };
        gone.composer = Composer {
            reachable: false,
            reason: Some("no_user_id"),
            ..Composer::sample()
        };
        let mut unset = gone.clone();
        (unset.link.state, unset.link.date) = ("not_set", None);
        gone.composer = Composer::sample();
        vec![page, failed, asked, gone, unset]
    }
}
