//! The audit log.

use crm_domain::audit::{
    Act, AuditEntry, AuditFilter, AuditId, By, Change, Deed, NewEntry, Record, RecordKind, Seal, StoredValues,
};
use crm_domain::customers::CustomerId;
use crm_domain::members::{MemberId, TokenId};
use crm_domain::ports::store::{StoreError, StoreExt};

use super::AnyStore;
use super::steps::{at_once, read, try_write, write};
use crate::fixtures::after;

fn by(kind: &str, member: Option<i64>, name: &str) -> By {
    By {
        kind: kind.to_owned(),
        member_id: member.map(MemberId::new),
        token_id: None,
        name: name.to_owned(),
    }
}

/// An entry at so many seconds, by 山田 (member 1).
fn entry(seconds: i64, what: Deed) -> NewEntry {
    NewEntry {
        at: after(seconds),
        by: by("member", Some(1), "山田"),
        address: Some("192.0.2.1".to_owned()),
        request_id: Some("0123456789abcdef".to_owned()),
        digest: if what.changes.is_empty() { [0; 32] } else { [7; 32] },
        what,
        salt: [3; 16],
    }
}

fn renamed(customer: i64) -> Deed {
    Deed::on(Act::CustomerChanged, CustomerId::new(customer)).with([
        Change::new("last_name", Some("佐藤".to_owned()), Some("鈴木".to_owned())),
        Change::masked("password"),
    ])
}

async fn add(store: &AnyStore, entries: Vec<NewEntry>) {
    write(store, move |unit| unit.edit_audit().add_audit(&entries)).await;
}

async fn list(store: &AnyStore, filter: AuditFilter) -> Vec<AuditEntry> {
    read(store, move |unit| unit.audit().audit_page(&filter, None, 100)).await
}

async fn all(store: &AnyStore) -> Vec<AuditEntry> {
    list(store, AuditFilter::default()).await
}

/// Seals everything, position by position.
async fn seal(store: &AnyStore) {
    write(store, |unit| {
        let waiting = unit.audit().unsealed_audit(100)?;
        let last = unit.audit().last_seal()?.map_or(0, |seal| seal.position);
        let seals: Vec<Seal> = (last + 1..)
            .zip(waiting)
            .map(|(position, entry)| Seal {
                position,
                entry: entry.id,
                mac: [u8::try_from(position).unwrap_or(0); 32],
            })
            .collect();
        unit.edit_audit().add_seals(&seals)
    })
    .await;
}

/// With everything that an entry can hold, and with nothing.
pub async fn an_added_entry_is_found_as_it_was(store: AnyStore) {
    let full = NewEntry {
        by: By {
            token_id: Some(TokenId::new(5)),
            ..by("token", Some(2), "鈴木")
        },
        what: renamed(9).because("頼まれたので".to_owned()),
        ..entry(1, renamed(9))
    };
    let empty = NewEntry {
        by: by("operator", None, "root"),
        address: None,
        request_id: None,
        ..entry(2, Deed::of(Act::SettingChanged))
    };
    add(&store, vec![full.clone(), empty]).await;
    let found = all(&store).await;
    let [second, first] = found.as_slice() else {
        panic!("two entries, not {}", found.len());
    };
    assert_eq!(first.by, full.by);
    assert_eq!(first.at, after(1));
    assert_eq!(first.address.as_deref(), Some("192.0.2.1"));
    assert_eq!(first.request_id.as_deref(), Some("0123456789abcdef"));
    assert_eq!(first.act, "customer_changed");
    assert_eq!(first.record, Some(("customer".to_owned(), 9)));
    assert_eq!(first.customer_id, Some(CustomerId::new(9)));
    assert_eq!(first.fields, ["last_name", "password"]);
    assert_eq!(first.reason.as_deref(), Some("頼まれたので"));
    assert_eq!(first.digest, [7; 32]);
    assert!(second.record.is_none() && second.fields.is_empty() && second.address.is_none());
    assert!(second.request_id.is_none());
    let (one, two) = (first.id, second.id);
    let values = read(&store, move |unit| unit.audit().audit_values(one)).await;
    let expected = StoredValues {
        salt: [3; 16],
        changes: full.what.changes,
    };
    assert_eq!(values, Some(expected));
    assert_eq!(
        read(&store, move |unit| unit.audit().audit_values(two)).await,
        None
    );
    let again = read(&store, move |unit| unit.audit().audit_entry(one)).await;
    assert_eq!(again.as_ref(), Some(first));
}

/// By time, then by id; each page goes on where the last ended.
pub async fn entries_come_newest_first_page_by_page(store: AnyStore) {
    let deed = || Deed::of(Act::SignedIn);
    add(&store, [5, 1, 3, 3, 2].map(|at| entry(at, deed())).to_vec()).await;
    let mut seen = Vec::new();
    let mut place = None;
    loop {
        let from = place;
        let page = read(&store, move |unit| {
            unit.audit().audit_page(&AuditFilter::default(), from, 2)
        })
        .await;
        let Some(last) = page.last() else { break };
        place = Some(last.place());
        seen.extend(page.iter().map(AuditEntry::place));
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    assert_eq!(seen.len(), 5);
    assert_eq!(seen, sorted);
}

/// Each condition alone, and two together.
pub async fn the_filter_leaves_out_what_is_not_wanted(store: AnyStore) {
    let other = NewEntry {
        by: by("operator", None, "ro%t"),
        address: None,
        request_id: Some("fedcba9876543210".to_owned()),
        ..entry(
            20,
            Deed::on(Act::CompanyAdded, crm_domain::companies::CompanyId::new(9)),
        )
    };
    let said = Deed::on(Act::MessageQueued, crm_domain::sends::SendId::new(4)).about(CustomerId::new(9));
    add(&store, vec![entry(10, renamed(9)), other, entry(30, said)]).await;
    let record = |kind, id| Some(Record { kind, id });
    let only = |set: &dyn Fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        set(&mut filter);
        filter
    };
    let text = |text: &str| only(&|filter| filter.text = Some(text.to_owned()));
    let cases = [
        (only(&|filter| filter.member_id = Some(MemberId::new(1))), 2),
        (only(&|filter| filter.by_kind = Some("operator".to_owned())), 1),
        (only(&|filter| filter.act = Some(Act::CompanyAdded)), 1),
        (only(&|filter| filter.record = record(RecordKind::Customer, 9)), 1),
        (only(&|filter| filter.record = record(RecordKind::Company, 9)), 1),
        (only(&|filter| filter.record = record(RecordKind::Company, 8)), 0),
        (only(&|filter| filter.record_kind = Some(RecordKind::Send)), 1),
        (only(&|filter| filter.customer_id = Some(CustomerId::new(9))), 2),
        (text("山"), 2),
        (text("o%t"), 1),
        (text("%"), 1),
        (text("192.0.2.1"), 2),
        (text("192.0"), 0),
        (only(&|filter| filter.from = Some(after(20))), 2),
        (only(&|filter| filter.to = Some(after(20))), 1),
        (
            only(&|filter| (filter.from, filter.to) = (Some(after(20)), Some(after(30)))),
            1,
        ),
        (AuditFilter::default(), 3),
    ];
    for (filter, expected) in cases {
        assert_eq!(list(&store, filter.clone()).await.len(), expected, "{filter:?}");
    }
}

/// Neither an entry, nor a value, nor something that waits.
pub async fn a_unit_that_errs_leaves_no_entry(store: AnyStore) {
    let failed: Result<(), StoreError> = store
        .write(|unit| {
            unit.edit_audit().add_audit(&[entry(1, renamed(1))])?;
            Err(StoreError::Stale("test"))
        })
        .await;
    assert!(failed.is_err());
    assert!(all(&store).await.is_empty());
    let loose = read(&store, |unit| unit.audit().loose_audit()).await;
    assert_eq!(loose, (0, Vec::new()));
}

/// Each waits once, in order, until it is sealed; nothing is sealed twice.
pub async fn an_entry_waits_for_its_seal(store: AnyStore) {
    add(&store, (1..=3).map(|at| entry(at, renamed(at))).collect()).await;
    let waiting = read(&store, |unit| unit.audit().unsealed_audit(2)).await;
    let ids: Vec<AuditId> = waiting.iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.is_sorted());
    assert_eq!(
        read(&store, |unit| unit.audit().loose_audit()).await,
        (3, Vec::new())
    );
    assert_eq!(read(&store, |unit| unit.audit().last_seal()).await, None);
    seal(&store).await;
    assert!(
        read(&store, |unit| unit.audit().unsealed_audit(9))
            .await
            .is_empty()
    );
    assert_eq!(
        read(&store, |unit| unit.audit().loose_audit()).await,
        (0, Vec::new())
    );
    let last = read(&store, |unit| unit.audit().last_seal()).await;
    assert_eq!(last.map(|seal| (seal.position, seal.mac)), Some((3, [3; 32])));
    let (first, last) = (ids.first().copied(), last.map(|seal| seal.entry));
    for (position, entry) in [(4, first), (3, last)] {
        let seal = Seal {
            position,
            entry: entry.expect("sealed entries"),
            mac: [9; 32],
        };
        let again = try_write(&store, move |unit| unit.edit_audit().add_seals(&[seal])).await;
        assert!(again.is_err(), "{position}");
    }
}

/// With entry and values, page by page.
pub async fn the_chain_is_read_in_order(store: AnyStore) {
    add(
        &store,
        vec![entry(1, renamed(1)), entry(2, Deed::of(Act::SignedIn))],
    )
    .await;
    seal(&store).await;
    let chain = read(&store, |unit| unit.audit().sealed_audit(0, 9)).await;
    let shape: Vec<_> = chain
        .iter()
        .map(|sealed| {
            let act = sealed.entry.as_ref().map(|entry| entry.act.as_str());
            (sealed.seal.position, act, sealed.values.is_some())
        })
        .collect();
    assert_eq!(
        shape,
        [(1, Some("customer_changed"), true), (2, Some("signed_in"), false)]
    );
    assert_eq!(
        read(&store, |unit| unit.audit().sealed_audit(1, 9)).await.len(),
        1
    );
    assert_eq!(
        read(&store, |unit| unit.audit().sealed_audit(0, 1)).await.len(),
        1
    );
}

/// Whoever writes at the same time: none is lost and none waits twice.
pub async fn of_many_writers_every_entry_waits(store: AnyStore) {
    at_once(20, |number| {
        let store = AnyStore::clone(&store);
        async move {
            add(
                &store,
                vec![entry(i64::try_from(number).unwrap_or(0), renamed(1))],
            )
            .await;
        }
    })
    .await;
    seal(&store).await;
    let chain = read(&store, |unit| unit.audit().sealed_audit(0, 99)).await;
    let positions: Vec<i64> = chain.iter().map(|sealed| sealed.seal.position).collect();
    assert_eq!(positions, (1..=20).collect::<Vec<_>>());
}

/// Those of the customer's record and of everything that concerns the customer; entries and fields stay.
pub async fn emptied_values_are_gone_and_their_entries_stay(store: AnyStore) {
    let note = Deed::of(Act::NoteWritten)
        .about(CustomerId::new(1))
        .value("key", None, Some("x".to_owned()));
    add(
        &store,
        vec![entry(1, renamed(1)), entry(2, note), entry(3, renamed(2))],
    )
    .await;
    let one = Record::from(CustomerId::new(1));
    let empty = || write(&store, move |unit| unit.edit_audit().empty_audit_values(one));
    assert_eq!(empty().await, 2);
    assert_eq!(empty().await, 0);
    let found = all(&store).await;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|entry| !entry.fields.is_empty()));
    let mut left = Vec::new();
    for entry in found {
        let id = entry.id;
        if read(&store, move |unit| unit.audit().audit_values(id))
            .await
            .is_some()
        {
            left.push(entry.customer_id);
        }
    }
    assert_eq!(left, [Some(CustomerId::new(2))]);
}

/// Only from the beginning, only what is sealed; the last seal stays in place of what it sealed.
pub async fn old_entries_are_forgotten_from_the_beginning(store: AnyStore) {
    add(&store, [1, 2, 9, 3].map(|at| entry(at, renamed(at))).to_vec()).await;
    seal(&store).await;
    add(&store, vec![entry(4, renamed(4))]).await;
    let count = || write(&store, |unit| unit.edit_audit().trimmable_audit(after(5)));
    let trim = |limit| write(&store, move |unit| unit.edit_audit().trim_audit(after(5), limit));
    assert_eq!(
        count().await,
        2,
        "the third is too young, and those behind it stay"
    );
    assert_eq!(trim(1).await, Some(1));
    assert_eq!(count().await, 1);
    assert_eq!(trim(9).await, Some(2));
    assert_eq!(trim(9).await, None);
    assert_eq!(all(&store).await.len(), 3);
    let chain = read(&store, |unit| unit.audit().sealed_audit(0, 9)).await;
    let shape: Vec<_> = chain
        .iter()
        .map(|sealed| {
            (
                sealed.seal.position,
                sealed.entry.is_some(),
                sealed.values.is_some(),
            )
        })
        .collect();
    assert_eq!(shape, [(2, false, false), (3, true, true), (4, true, true)]);
    assert_eq!(
        read(&store, |unit| unit.audit().loose_audit()).await,
        (1, Vec::new())
    );
}
