//! Believable boards that reach every branch of the templates.

use crm_domain::standings::Place;

use super::{BoardFragment, BoardLines, BoardPage, ColumnView, CountsView, LastView, LineView, TabView};
use crate::format::Waiting;
use crate::page::Page;
use crate::views::Face;
use crate::views::handling::{HandlerBadge, Handling};

fn tabs() -> Vec<TabView> {
    ["mine", "team", "unowned", "all"]
        .into_iter()
        .map(|code| TabView {
            code,
            href: format!("/?tab={code}"),
            active: code == "all",
        })
        .collect()
}

fn last(side: &'static str, kind: Option<&'static str>, text: &str) -> LastView {
    LastView {
        send_state: (side == "out").then_some("failed"),
        side,
        kind,
        text: text.to_owned(),
        when: "14:05".to_owned(),
        exact: "2025年7月8日（火） 14:05:33".to_owned(),
        iso: "2025-07-08T14:05:33+09:00".to_owned(),
    }
}

fn line(id: i64, place: Place, name: Option<&str>, said: LastView) -> LineView {
    LineView {
        handling: Handling::sample(id, place, id % 2 == 0),
        href: format!("/customer/{id}"),
        name: name.map(str::to_owned),
        nameless: name.is_none().then_some("nameless"),
        face: Face::of(id, name.unwrap_or("?")),
        company: None,
        unknown: name.is_none(),
        needs_look: id == 2,
        unread: (id == 1).then(|| "3".to_owned()),
        owner: None,
        last: Some(said),
        waiting: matches!(place, Place::Waiting | Place::Taken).then(|| Waiting {
            words: "25分".to_owned(),
            exact: "2025年7月8日（火） 14:05:33".to_owned(),
            iso: "2025-07-08T14:05:33+09:00".to_owned(),
            relative: true,
        }),
    }
}

fn column(code: &'static str, lines: Vec<LineView>) -> ColumnView {
    ColumnView {
        code,
        count: Some(lines.len().to_string()),
        lines,
        next: None,
        first: None,
    }
}

fn full() -> BoardLines {
    let yamada = LineView {
        company: Some("株式会社山田製作所".to_owned()),
        owner: Some(HandlerBadge {
            name: "佐藤 健".to_owned(),
            face: Face::of(2, "佐藤 健"),
            me: false,
        }),
        ..line(
            1,
            Place::Waiting,
            Some("山田 太郎"),
            last("in", None, "<b>佐藤</b>様の件で"),
        )
    };
    let asking = LineView {
        nameless: Some("asking"),
        ..line(4, Place::Waiting, None, last("in", Some("image"), "見積.png"))
    };
    let waiting = vec![
        yamada,
        line(3, Place::Waiting, None, last("in", Some("sticker"), "")),
        asking,
    ];
    let handled = vec![
        line(
            2,
            Place::Taken,
            Some("髙橋 美咲"),
            last("out", None, "承知いたしました"),
        ),
        line(
            5,
            Place::Handled,
            Some("鈴木 一郎"),
            last("note", None, "折り返し待ち"),
        ),
    ];
    let done = vec![LineView {
        last: None,
        ..line(6, Place::Done, Some("伊藤 さくら"), last("in", None, ""))
    }];
    BoardLines {
        columns: vec![
            column("waiting", waiting),
            column("handled", handled),
            ColumnView {
                count: Some("50+".to_owned()),
                next: Some("/?tab=all&column=done&after=3.1.6".to_owned()),
                ..column("done", done)
            },
        ],
        empty: false,
        all: None,
    }
}

fn nothing() -> BoardLines {
    BoardLines {
        columns: ["waiting", "handled", "done"]
            .map(|code| column(code, Vec::new()))
            .to_vec(),
        empty: true,
        all: None,
    }
}

fn continued() -> BoardLines {
    let lines = vec![line(
        8,
        Place::Done,
        Some("小林 健太"),
        last("out", None, "ありがとうございました"),
    )];
    BoardLines {
        columns: vec![ColumnView {
            count: None,
            first: Some("/?tab=all&column=done".to_owned()),
            ..column("done", lines)
        }],
        empty: false,
        all: Some("/?tab=all".to_owned()),
    }
}

impl Page for BoardPage {
    const TEMPLATE: &'static str = "board.html";

    fn samples() -> Vec<BoardPage> {
        [full(), nothing(), continued()]
            .into_iter()
            .map(|lines| BoardPage {
                tabs: tabs(),
                fragment: "/board/fragment?tab=all".to_owned(),
                lines,
            })
            .collect()
    }
}

impl Page for BoardFragment {
    const TEMPLATE: &'static str = "board_fragment.html";

    fn samples() -> Vec<BoardFragment> {
        [full(), nothing(), continued()]
            .into_iter()
            .map(|lines| BoardFragment {
                lines,
                counts: CountsView {
                    waiting: "999+".to_owned(),
                    mine: String::new(),
                    unknown: "2".to_owned(),
                },
            })
            .collect()
    }
}
