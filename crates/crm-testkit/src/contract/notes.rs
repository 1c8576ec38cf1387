//! Notes, drafts and unread marks.

use crm_domain::activities::{Direction, NewActivity};
use crm_domain::conversations::ConversationId;
use crm_domain::drafts::Draft;
use crm_domain::members::{MemberId, Role};
use crm_domain::notes::NewNote;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::Author;
use crm_domain::standings::Standing;

use super::AnyStore;
use super::steps::{add_activities, add_customer, open_talk, read, try_write, write};
use crate::fixtures::{after, customer_details, new_member, received, start, text, user};

async fn member(store: &AnyStore, number: u32) -> MemberId {
    let new = new_member(&format!("m{number}@example.jp"), "社員", Role::Member);
    write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

fn note(key: &str, conversation: Option<ConversationId>) -> NewNote {
    NewNote {
        key: key.to_owned(),
        conversation_id: conversation,
        customer_id: None,
        author: Author {
            member_id: None,
            name: "管理 花子".to_owned(),
        },
        text: text("要注意\n二行目"),
        written_at: after(1),
    }
}

pub async fn a_note_is_kept_once_and_shows_its_author(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let new = note("k", Some(talk));
    let add = || {
        let new = new.clone();
        write(&store, move |unit| unit.edit_notes().add_note(&new))
    };
    let id = add().await.expect("new");
    assert_eq!(add().await, None, "the same key");
    let found = read(&store, move |unit| unit.notes().unshown_notes(talk)).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (
            found[0].id,
            found[0].text.as_str(),
            found[0].author.clone(),
            found[0].written_at
        ),
        (id, "要注意\n二行目", new.author.clone(), after(1))
    );
}

pub async fn a_note_on_a_page_is_shown_there(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let customer = add_customer(&store, &customer_details("山", "田")).await;
    let new = note("k", Some(talk));
    let id = write(&store, move |unit| unit.edit_notes().add_note(&new)).await;
    let row = NewActivity {
        conversation_id: Some(talk),
        note_id: id,
        direction: Direction::Note,
        late: true,
        ..received(customer, "要注意", after(1))
    };
    let rows = add_activities(&store, vec![row]).await;
    let shown = read(&store, move |unit| unit.activities().activity(rows[0])).await;
    let shown = shown.expect("the note");
    assert_eq!(
        (shown.direction, shown.note_author.as_deref(), shown.late),
        (Direction::Note, Some("管理 花子"), true)
    );
    assert!(
        read(&store, move |unit| unit.notes().unshown_notes(talk))
            .await
            .is_empty()
    );
    let confirmed = read(&store, move |unit| {
        unit.conversations().has_confirmed_message(talk)
    })
    .await;
    assert!(!confirmed, "a note says nothing of the line");
}

pub async fn a_draft_is_kept_for_each_member_and_conversation(store: AnyStore) {
    let (talk, other) = (
        open_talk(&store, &user(1)).await,
        open_talk(&store, &user(2)).await,
    );
    let (hanako, taro) = (member(&store, 1).await, member(&store, 2).await);
    let keep = |talk, member, words: &'static str, seconds| {
        try_write(&store, move |unit| {
            unit.edit_drafts().keep_draft(talk, member, words, after(seconds))
        })
    };
    let draft = |talk, member| read(&store, move |unit| unit.drafts().draft(talk, member));
    keep(talk, hanako, "一", 1).await.expect("kept");
    keep(talk, hanako, "二", 2).await.expect("replaced");
    keep(talk, taro, "三", 3).await.expect("kept");
    let second = Draft {
        text: "二".to_owned(),
        updated_at: after(2),
    };
    assert_eq!(draft(talk, hanako).await, Some(second));
    assert_eq!(
        draft(talk, taro).await.map(|draft| draft.text),
        Some("三".to_owned())
    );
    assert_eq!(draft(other, hanako).await, None);
    keep(talk, hanako, "", 4).await.expect("emptied");
    assert_eq!(draft(talk, hanako).await, None);
    let nowhere = keep(ConversationId::new(404), hanako, "x", 5).await;
    assert!(matches!(nowhere, Err(StoreError::Missing("conversation_id"))));
}

pub async fn what_a_member_has_seen_is_unread_no_more(store: AnyStore) {
    let talk = open_talk(&store, &user(1)).await;
    let (hanako, taro) = (member(&store, 1).await, member(&store, 2).await);
    let receive = |count| {
        let standing = Standing {
            received: count,
            ..Standing::default()
        };
        write(&store, move |unit| {
            unit.edit_conversations()
                .save_standings(&[(talk, standing.clone())])
        })
    };
    let unread = |reader| {
        let line = read(&store, move |unit| unit.board().board_line(talk, Some(reader)));
        async { line.await.map(|line| line.unread) }
    };
    let mark = |reader| write(&store, move |unit| unit.edit_reads().mark_read(talk, reader));
    assert!(!mark(hanako).await, "there was nothing");
    receive(2).await;
    assert_eq!((unread(hanako).await, unread(taro).await), (Some(2), Some(2)));
    assert!(mark(hanako).await);
    assert!(!mark(hanako).await, "nothing new");
    receive(3).await;
    assert_eq!((unread(hanako).await, unread(taro).await), (Some(1), Some(3)));
}
