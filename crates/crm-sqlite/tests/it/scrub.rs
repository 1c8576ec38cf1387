//! What was deleted stands nowhere in the file, also when pages were split and merged around it.

use std::path::Path;

use crm_domain::customers::CustomerId;
use crm_domain::ports::store::{Store as _, StoreError, StoreExt as _};
use crm_sqlite::SqliteStore;
use crm_testkit::fixtures::{after, customer_read, email, received, start};

use crate::common::{new_store, run};

/// Enough that every tree has several levels.
const PEOPLE: usize = 3_000;

/// In no order, so that rows and index entries land in the middle of pages that split.
fn mixed(number: usize) -> usize {
    number * 7_919 % PEOPLE
}

fn name(number: usize) -> String {
    format!("苗字{number:05}様")
}

async fn fill(store: &SqliteStore) -> Vec<(usize, CustomerId)> {
    let mut all = Vec::new();
    for numbers in (0..PEOPLE).map(mixed).collect::<Vec<_>>().chunks(100) {
        let numbers = numbers.to_vec();
        let added = store.write::<_, StoreError, _>(move |unit| {
            let mut ids = Vec::new();
            for number in &numbers {
                let mut details = customer_read((&name(*number), "太郎"), ("ミョウジ", "タロウ"));
                details.email = Some(email(&format!("person{number:05}@example.jp")));
                let id = unit.edit_customers().add_customer(&details, start())?;
                let said =
                    (0..3).map(|turn| received(id, &format!("{}の発言{turn}", name(*number)), after(turn)));
                unit.edit_activities().add_activities(&said.collect::<Vec<_>>())?;
                ids.push((*number, id));
            }
            Ok(ids)
        });
        all.extend(added.await.unwrap());
    }
    all
}

async fn change_all(store: &SqliteStore, people: &[(usize, CustomerId)]) {
    for part in people.chunks(100) {
        let part = part.to_vec();
        let changed = store.write::<_, StoreError, _>(move |unit| {
            for (number, id) in &part {
                let mut details = customer_read((&name(*number), "改名"), ("カイメイ", "ゴノヒト"));
                details.email = Some(email(&format!("renamed{number:05}@example.jp")));
                unit.edit_customers()
                    .revise_customer(*id, 1, &details, after(9))?;
            }
            Ok(())
        });
        changed.await.unwrap();
    }
}

async fn erase(store: &SqliteStore, gone: &[(usize, CustomerId)]) {
    for part in gone.chunks(50) {
        let part = part.to_vec();
        let erased = store.write::<_, StoreError, _>(move |unit| {
            for (_, id) in &part {
                unit.edit_erasures().erase_page(*id, 100, after(20))?;
                unit.edit_erasures().erase_customer(*id)?;
            }
            Ok(())
        });
        erased.await.unwrap();
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    let log = path.with_extension("db-wal");
    bytes.extend(std::fs::read(log).unwrap_or_default());
    bytes
}

fn left(bytes: &[u8], gone: &[(usize, CustomerId)]) -> Vec<usize> {
    let mut left = Vec::new();
    for (number, _) in gone {
        let words = [
            name(*number),
            format!("person{number:05}@"),
            format!("renamed{number:05}@"),
        ];
        if words.iter().any(|words| holds(bytes, words.as_bytes())) {
            left.push(*number);
        }
    }
    left
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    let first = words[0];
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(words) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[test]
fn nothing_is_left_of_what_was_deleted_from_split_and_merged_pages() {
    run(async {
        let (_folder, path, store) = new_store().await;
        let people = fill(&store).await;
        change_all(&store, &people).await;
        let (gone, staying) = people.split_at(30);
        store.scrub().await.unwrap();
        let before = bytes_of(&path);
        assert_eq!(left(&before, gone).len(), gone.len(), "all of it is there before");
        erase(&store, gone).await;
        store.scrub().await.unwrap();
        assert_eq!(left(&bytes_of(&path), gone), Vec::<usize>::new());
        let (many, few) = staying.split_at(PEOPLE - 60);
        erase(&store, many).await;
        store.scrub().await.unwrap();
        assert_eq!(left(&bytes_of(&path), &many[..60]), Vec::<usize>::new());
        assert_eq!(left(&bytes_of(&path), few).len(), few.len());
    });
}
