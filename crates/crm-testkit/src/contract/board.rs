//! The board.

use crm_domain::activities::{Direction, MessageKind};
use crm_domain::board::{BoardCounts, BoardLine, BoardRequest, Column, Tab};
use crm_domain::conversations::{ConversationId, ConversationKind};
use crm_domain::customers::CustomerId;
use crm_domain::members::{MemberId, Role};
use crm_domain::sends::SendState;
use crm_domain::standings::{Closing, LastMessage, Standing};
use crm_domain::teams::Visible;
use crm_domain::waitings::WaitingId;

use super::AnyStore;
use super::steps::{add_company, add_customer, open, open_talk, read, write};
use crate::fixtures::{after, company_details, customer_of, new_member, new_send, start, talk, user};

async fn member(store: &AnyStore, number: u32) -> MemberId {
    let new = new_member(
        &format!("m{number}@example.jp"),
        &format!("社員{number}"),
        Role::Member,
    );
    write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

async fn save(store: &AnyStore, standings: Vec<(ConversationId, Standing)>) {
    write(store, move |unit| {
        unit.edit_conversations().save_standings(&standings)
    })
    .await;
}

async fn standing(store: &AnyStore, id: ConversationId) -> Standing {
    let found = read(store, move |unit| unit.conversations().conversation(id)).await;
    found.expect("the conversation is there").standing
}

async fn lines(store: &AnyStore, column: Column, tab: Tab) -> Vec<BoardLine> {
    let request = BoardRequest {
        column,
        tab,
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 50,
    };
    read(store, move |unit| unit.board().board(&request)).await.lines
}

async fn ids(store: &AnyStore, column: Column, tab: Tab) -> Vec<ConversationId> {
    let lines = lines(store, column, tab).await;
    lines.into_iter().map(|line| line.conversation.id).collect()
}

fn last(seconds: i64) -> LastMessage {
    LastMessage::new(after(seconds), Direction::Received, MessageKind::Text, "質問")
}

fn waiting(seconds: i64) -> Standing {
    Standing {
        waiting_since: Some(after(seconds)),
        last: Some(last(seconds)),
        received: 1,
        ..Standing::default()
    }
}

fn taken(by: MemberId, at: i64, waits: Option<i64>) -> Standing {
    Standing {
        waiting_since: waits.map(after),
        handler_id: Some(by),
        handled_since: Some(after(at)),
        last: Some(last(at)),
        ..Standing::default()
    }
}

fn done(seconds: i64) -> Standing {
    Standing {
        last: Some(last(seconds)),
        ..Standing::default()
    }
}

/// Opens as many talks as there are standings and saves them.
async fn talks(store: &AnyStore, standings: Vec<Standing>) -> Vec<ConversationId> {
    let numbers = 1..=u32::try_from(standings.len()).expect("few");
    let ids = open(store, numbers.map(|number| talk(&user(number))).collect()).await;
    save(store, ids.iter().copied().zip(standings).collect()).await;
    ids
}

pub async fn a_saved_standing_is_found_as_it_was_but_for_its_version(store: AnyStore) {
    let (hanako, taro) = (member(&store, 1).await, member(&store, 2).await);
    let id = open_talk(&store, &user(1)).await;
    assert_eq!(
        standing(&store, id).await,
        Standing {
            version: 1,
            ..Standing::default()
        }
    );
    let full = Standing {
        customer_id: None,
        owner_id: Some(taro),
        team_id: None,
        waiting_since: Some(after(1)),
        handler_id: Some(hanako),
        handled_since: Some(after(2)),
        troubled_since: Some(after(3)),
        last: Some(LastMessage::new(
            after(4),
            Direction::Sent,
            MessageKind::Text,
            "はい 𠮷",
        )),
        last_said_at: Some(after(5)),
        last_accepted_at: Some(after(6)),
        received: 7,
        closed: Some(Closing {
            at: after(8),
            by: Some(hanako),
            handler: Some(taro),
            waiting: Some(WaitingId::new(9)),
        }),
        version: 40,
    };
    save(&store, vec![(id, full.clone())]).await;
    assert_eq!(standing(&store, id).await, Standing { version: 2, ..full });
    save(&store, vec![(id, Standing::default())]).await;
    assert_eq!(
        standing(&store, id).await,
        Standing {
            version: 3,
            ..Standing::default()
        }
    );
}

pub async fn each_column_has_its_order(store: AnyStore) {
    let me = member(&store, 1).await;
    let troubled = Standing {
        troubled_since: Some(after(2)),
        ..done(50)
    };
    let ids_of = talks(
        &store,
        vec![
            waiting(3),
            waiting(1),
            troubled,
            taken(me, 10, None),
            taken(me, 20, Some(9)),
            taken(me, 5, Some(8)),
            done(30),
            done(31),
            Standing::default(),
        ],
    )
    .await;
    let at = |places: &[usize]| places.iter().map(|place| ids_of[*place]).collect::<Vec<_>>();
    assert_eq!(ids(&store, Column::Waiting, Tab::All).await, at(&[1, 2, 0]));
    assert_eq!(ids(&store, Column::Handled, Tab::All).await, at(&[5, 4, 3]));
    assert_eq!(ids(&store, Column::Done, Tab::All).await, at(&[7, 6]));
}

pub async fn rooms_have_no_line(store: AnyStore) {
    let mut room = talk(&user(1));
    room.kind = ConversationKind::Room;
    let id = open(&store, vec![room]).await[0];
    // Whoever records never lets a room wait; only what was said last is kept of it.
    save(&store, vec![(id, done(1))]).await;
    for column in Column::ALL {
        assert_eq!(ids(&store, column, Tab::All).await, []);
    }
    assert!(
        read(&store, move |unit| unit.board().board_line(id, None))
            .await
            .is_none()
    );
    let unknown = read(&store, |unit| unit.board().unknown_senders(None, None, 9)).await;
    assert!(unknown.is_empty());
}

pub async fn a_tab_shows_its_lines(store: AnyStore) {
    let (me, other) = (member(&store, 1).await, member(&store, 2).await);
    let owned = |owner: MemberId, standing: Standing| Standing {
        owner_id: Some(owner),
        ..standing
    };
    let ids_of = talks(
        &store,
        vec![
            owned(me, waiting(1)),
            owned(other, waiting(2)),
            waiting(3),
            taken(me, 4, Some(4)),
            owned(me, taken(other, 5, Some(5))),
            owned(me, done(6)),
        ],
    )
    .await;
    let at = |places: &[usize]| places.iter().map(|place| ids_of[*place]).collect::<Vec<_>>();
    let mine = Tab::Mine(me);
    assert_eq!(ids(&store, Column::Waiting, mine).await, at(&[0]));
    assert_eq!(
        ids(&store, Column::Handled, mine).await,
        at(&[3]),
        "another has the owner's"
    );
    assert_eq!(ids(&store, Column::Done, mine).await, at(&[5]));
    assert_eq!(ids(&store, Column::Waiting, Tab::Unowned).await, at(&[2]));
    assert_eq!(ids(&store, Column::Handled, Tab::Unowned).await, at(&[3]));
    let counts = |reader, limit| {
        read(&store, move |unit| {
            unit.board().board_counts(reader, &Visible::All, limit)
        })
    };
    let all = BoardCounts {
        waiting: 3,
        mine: 2,
        unknown: 6,
    };
    assert_eq!(counts(Some(me), 9).await, all);
    let few = BoardCounts {
        waiting: 2,
        mine: 0,
        unknown: 2,
    };
    assert_eq!(counts(None, 2).await, few, "counted up to the limit");
}

pub async fn pages_of_equal_times_have_no_gap_and_no_double(store: AnyStore) {
    let me = member(&store, 1).await;
    let mut standings = vec![waiting(1); 5];
    standings.extend(vec![taken(me, 1, Some(1)); 3]);
    standings.extend(vec![taken(me, 1, None); 3]);
    standings.extend(vec![done(1); 5]);
    talks(&store, standings).await;
    for (column, expected) in [(Column::Waiting, 5), (Column::Handled, 6), (Column::Done, 5)] {
        let all = ids(&store, column, Tab::All).await;
        assert_eq!(all.len(), expected);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let request = BoardRequest {
                column,
                tab: Tab::All,
                reader: None,
                visible: Visible::All,
                after,
                limit: 2,
            };
            let page = read(&store, move |unit| unit.board().board(&request)).await;
            assert!(page.lines.len() <= 2);
            seen.extend(page.lines.iter().map(|line| line.conversation.id));
            after = page.lines.last().and_then(BoardLine::cursor);
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, all, "{column:?}");
    }
}

pub async fn a_line_shows_who_it_is_and_who_has_it(store: AnyStore) {
    let company = add_company(&store, &company_details("山田製作所")).await;
    let customer: CustomerId = add_customer(&store, &customer_of("髙橋", "一郎", company)).await;
    let (hanako, taro) = (member(&store, 1).await, member(&store, 2).await);
    let id = open_talk(&store, &user(1)).await;
    let stands = Standing {
        customer_id: Some(customer),
        owner_id: Some(taro),
        received: 3,
        ..taken(hanako, 1, None)
    };
    save(&store, vec![(id, stands)]).await;
    let line = read(&store, move |unit| unit.board().board_line(id, Some(taro))).await;
    let line = line.expect("a line");
    let shown = line.customer.as_ref().expect("a customer");
    assert_eq!(shown.name.full(), "髙橋 一郎");
    assert_eq!(shown.company_name.as_deref(), Some("山田製作所"));
    assert!(!shown.needs_look);
    assert_eq!(
        (line.handler.as_deref(), line.owner.as_deref(), line.unread),
        (Some("社員1"), Some("社員2"), 3)
    );
    assert_eq!(
        lines(&store, Column::Handled, Tab::All).await[0].customer,
        line.customer
    );
    let none = ConversationId::new(404);
    assert!(
        read(&store, move |unit| unit.board().board_line(none, None))
            .await
            .is_none()
    );
}

pub async fn unknown_senders_come_newest_first(store: AnyStore) {
    let customer = add_customer(&store, &crate::fixtures::customer_on("山", "田", &user(1))).await;
    let known = Standing {
        customer_id: Some(customer),
        ..waiting(9)
    };
    let ids_of = talks(
        &store,
        vec![known, waiting(1), done(3), waiting(3), Standing::default()],
    )
    .await;
    let page = |before| read(&store, move |unit| unit.board().unknown_senders(None, before, 2));
    let id = |line: &BoardLine| line.conversation.id;
    let first = page(None).await;
    assert_eq!(first.iter().map(id).collect::<Vec<_>>(), [ids_of[3], ids_of[2]]);
    let rest = page(Some((after(3), ids_of[2]))).await;
    assert_eq!(rest.iter().map(id).collect::<Vec<_>>(), [ids_of[1]]);
}

pub async fn a_line_tells_how_far_our_last_message_got(store: AnyStore) {
    let id = open_talk(&store, &user(1)).await;
    let ours = Standing {
        last: Some(LastMessage::new(
            after(1),
            Direction::Sent,
            MessageKind::Text,
            "はい",
        )),
        ..Standing::default()
    };
    save(&store, vec![(id, ours)]).await;
    let last = || {
        let line = read(&store, move |unit| unit.board().board_line(id, None));
        async { line.await.and_then(|line| line.last_send) }
    };
    assert_eq!(last().await, None, "imported");
    let queue = |key: &'static str| {
        write(&store, move |unit| {
            unit.edit_sends().add_send(&new_send(key, id, "はい", after(1)))
        })
    };
    queue("first").await;
    assert_eq!(last().await, Some(SendState::Queued));
    let second = queue("second").await.id();
    write(&store, move |unit| {
        unit.edit_sends().cancel_send(second, after(2))
    })
    .await;
    assert_eq!(
        last().await,
        Some(SendState::Queued),
        "what was taken back is none"
    );
    save(&store, vec![(id, waiting(3))]).await;
    assert_eq!(last().await, None, "the last word is theirs");
}
