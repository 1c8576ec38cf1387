//! Believable senders for the test that renders every page.

use crm_domain::standings::Place;

use super::{
    LinkChoice, LinkPage, ReplacePage, RoomView, SenderComposer, SenderPage, SenderView, SendersPage,
};
use crate::format::Waiting;
use crate::page::Page;
use crate::sentence::Sentence;
use crate::views::activities::Talk;
use crate::views::handling::Handling;
use crate::views::{Face, Pager};

const USER: &str = "0b1c2d3e-0000-4000-8000-000000000009";

impl SenderView {
    fn sample(id: i64, name: Option<&str>) -> SenderView {
        SenderView {
            id,
            handling: Handling::sample(id, Place::Waiting, false),
            name: name.map(str::to_owned),
            nameless: if id % 2 == 0 { "nameless" } else { "asking" },
            reading: name.map(|_| "タカハシ ハナコ".to_owned()),
            face: Face::of(id, name.unwrap_or("?")),
            user_id: USER.to_owned(),
            unread: name.map(|_| "2".to_owned()),
            waiting: name.map(|_| Waiting {
                words: "25分".to_owned(),
                exact: "2025年7月8日（火） 14:05:33".to_owned(),
                iso: "2025-07-08T14:05:33+09:00".to_owned(),
                relative: true,
            }),
            talk: Talk::sample(),
            more: name.is_some(),
            new_href: format!("/customer/new?line_user_id={USER}"),
        }
    }
}

impl LinkChoice {
    fn sample(user_id: Option<&str>) -> LinkChoice {
        LinkChoice {
            id: 1,
            name: "髙橋 花子".to_owned(),
            reading: Some("タカハシ ハナコ".to_owned()),
            company: Some("株式会社山田製作所".to_owned()),
            email: Some("hanako@example.jp".to_owned()),
            face: Face::of(1, "髙橋"),
            user_id: user_id.map(str::to_owned),
        }
    }
}

impl Page for SendersPage {
    const TEMPLATE: &'static str = "unknown_senders.html";

    fn samples() -> Vec<SendersPage> {
        let room = |id, more| RoomView {
            id,
            channel: "5c2a6b7e-0000-4000-8000-000000000005".to_owned(),
            talk: Talk::sample(),
            more,
        };
        let page = SendersPage {
            rows: vec![
                SenderView::sample(1, Some("髙橋 花子")),
                SenderView::sample(2, None),
                SenderView::sample(3, None),
            ],
            rooms: vec![room(5, false), room(6, true)],
            pager: Pager {
                next: Some("/unknown-senders?before=1.2".to_owned()),
                first: Some("/unknown-senders".to_owned()),
            },
            may_link: true,
        };
        let empty = SendersPage {
            rows: Vec::new(),
            rooms: Vec::new(),
            pager: Pager::default(),
            may_link: false,
        };
        let watched = SendersPage {
            may_link: false,
            ..page.clone()
        };
        vec![page, watched, empty]
    }
}

impl Page for SenderPage {
    const TEMPLATE: &'static str = "unknown_sender.html";

    fn samples() -> Vec<SenderPage> {
        let page = SenderPage {
            sender: SenderView::sample(1, Some("髙橋 花子")),
            may_link: true,
            composer: SenderComposer {
                key: "k-1".to_owned(),
                text: String::new(),
                error: None,
            },
        };
        let refused = SenderPage {
            sender: SenderView::sample(2, None),
            may_link: false,
            composer: SenderComposer {
                text: "はじめまして。".to_owned(),
                error: Some(Sentence::of("problem.message.required")),
                ..page.composer.clone()
            },
        };
        vec![page, refused]
    }
}

impl Page for LinkPage {
    const TEMPLATE: &'static str = "link_sender.html";

    fn samples() -> Vec<LinkPage> {
        let page = LinkPage {
            sender: SenderView::sample(1, Some("髙橋 花子")),
            q: "髙橋".to_owned(),
            rows: vec![LinkChoice::sample(None), LinkChoice::sample(Some(USER))],
            more: true,
        };
        let none = LinkPage {
            rows: Vec::new(),
            more: false,
            ..page.clone()
        };
        let blank = LinkPage {
            sender: SenderView::sample(2, None),
            q: String::new(),
            ..none.clone()
        };
        vec![page, none, blank]
    }
}

impl Page for ReplacePage {
    const TEMPLATE: &'static str = "replace_sender.html";

    fn samples() -> Vec<ReplacePage> {
        let page = |name| ReplacePage {
            sender: SenderView::sample(2, name),
            customer: LinkChoice::sample(Some("0b1c2d3e-0000-4000-8000-000000000001")),
        };
        vec![page(Some("髙橋 花子")), page(None)]
    }
}
