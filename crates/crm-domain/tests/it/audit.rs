//! The audit log: what stands in it, that it can be proven, and what it says of a tampered store.

use crm_domain::audit::{
    Act, AuditEntry, AuditFilter, AuditId, Head, NewEntry, Record, RecordKind, Seal, content, first_content,
};
use crm_domain::companies::CompanyId;
use crm_domain::customers::CustomerId;
use crm_domain::error::Error;
use crm_domain::members::{Locale, Role};
use crm_domain::permissions::Actor;
use crm_domain::ports::host::Caller;
use crm_domain::ports::seals::Seals as _;
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::readings::{ReadingFilter, ReadingRule};
use crm_domain::use_cases::{AuditFault, AuditReport, Looked, Recipient};
use crm_testkit::fakes::{FakeCallbacks, FakeSeals};
use crm_testkit::fixtures::{
    admin, after, company_details, customer_details, customer_on, member, person, text, user, viewer,
};
use time::Duration;

use crate::world::World;

/// As whom the log is tended.
const HOUSE: Actor = Actor::Job("tests");

impl World {
    async fn log(&self) -> Vec<AuditEntry> {
        let all = AuditFilter::default();
        self.crm.list_audit(&admin(), all, None, 1_000).await.unwrap()
    }

    async fn sealed(&self) -> Head {
        let mut head = None;
        loop {
            let round = self.crm.seal_audit(&HOUSE).await.unwrap();
            head = round.head.or(head);
            if round.sealed == 0 {
                return head.unwrap();
            }
        }
    }

    async fn verified(&self, head: Option<Head>) -> AuditReport {
        self.crm.verify_audit(&admin(), head).await.unwrap()
    }
}

/// Three customers, one of them changed: four entries.
async fn filled() -> (World, Vec<CustomerId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for last in ["佐藤", "鈴木", "高橋"] {
        ids.push(world.customer(customer_details(last, "花子")).await);
    }
    let renamed = customer_details("伊藤", "花子");
    world
        .crm
        .revise_customer(&admin(), ids[0], None, renamed)
        .await
        .unwrap();
    (world, ids)
}

#[tokio::test]
async fn a_change_stands_in_the_log_with_old_and_new_values() {
    let (world, ids) = filled().await;
    let log = world.log().await;
    assert_eq!(log.len(), 4);
    let newest = log.first().unwrap();
    assert_eq!(newest.act, Act::CustomerChanged.code());
    assert_eq!(newest.record, Some(("customer".to_owned(), ids[0].get())));
    assert_eq!(newest.fields, ["last_name"]);
    let detail = world.crm.show_audit(&admin(), newest.id).await.unwrap();
    let changes = detail.changes.unwrap();
    assert_eq!(changes[0].old.as_deref(), Some("佐藤"));
    assert_eq!(changes[0].new.as_deref(), Some("伊藤"));
}

#[tokio::test]
async fn what_was_sealed_is_proven_again() {
    let (world, _) = filled().await;
    assert_eq!(world.verified(None).await.waiting, 4);
    let head = world.sealed().await;
    let report = world.verified(Some(head)).await;
    assert_eq!((report.checked, report.waiting, report.head), (4, 0, Some(head)));
    assert_eq!(report.faults, []);
    assert_eq!(world.crm.seal_audit(&HOUSE).await.unwrap().sealed, 0);
}

#[tokio::test]
async fn emptied_values_leave_the_proof_whole() {
    let (world, ids) = filled().await;
    let head = world.sealed().await;
    let of = Record::from(ids[0]);
    let emptied: Result<usize, StoreError> = world
        .store
        .write(move |uow| uow.edit_audit().empty_audit_values(of))
        .await;
    assert_eq!(emptied.unwrap(), 2);
    let report = world.verified(Some(head)).await;
    assert_eq!(
        (report.checked, report.emptied, report.faults),
        (4, 2, Vec::new())
    );
    let newest = world.log().await.remove(0);
    assert_eq!(
        world.crm.show_audit(&admin(), newest.id).await.unwrap().changes,
        None
    );
}

#[tokio::test]
async fn forgetting_the_oldest_leaves_the_proof_whole_and_says_so() {
    let (world, _) = filled().await;
    world.sealed().await;
    world.pass(Duration::hours(1));
    world.customer(customer_details("新しい", "客")).await;
    let before = world.crm.now().minus(Duration::minutes(1));
    assert!(world.crm.trim_audit(&HOUSE, before).await.unwrap());
    assert!(!world.crm.trim_audit(&HOUSE, before).await.unwrap());
    let head = world.sealed().await;
    let report = world.verified(Some(head)).await;
    assert_eq!((report.checked, report.faults), (2, Vec::new()));
    let log = world.log().await;
    assert_eq!(log[0].act, Act::AuditTrimmed.code());
    assert_eq!(log[0].record, Some(("audit".to_owned(), 4)));
}

#[tokio::test]
async fn a_chain_of_another_key_or_with_an_end_cut_off_is_found_out() {
    let (world, _) = filled().await;
    let head = world.sealed().await;
    let beyond = Head {
        position: head.position + 3,
        ..head
    };
    assert_eq!(world.verified(Some(beyond)).await.faults, [AuditFault::Cut(7)]);
    let other = Head { mac: [1; 32], ..head };
    assert_eq!(
        world.verified(Some(other)).await.faults,
        [AuditFault::OtherHead(4)]
    );
    let forged = Seal {
        position: 5,
        entry: AuditId::new(5),
        mac: [9; 32],
    };
    world.customer(customer_details("追加", "した")).await;
    let added: Result<(), StoreError> = world
        .store
        .write(move |uow| uow.edit_audit().add_seals(&[forged]))
        .await;
    added.unwrap();
    let report = world.verified(None).await;
    assert_eq!(report.faults, [AuditFault::Changed(5, AuditId::new(5))]);
}

#[tokio::test]
async fn values_that_were_swapped_are_found_out() {
    let (world, _) = filled().await;
    let copied: Result<(), StoreError> = world
        .store
        .write(|uow| {
            let values = uow.audit().audit_values(AuditId::new(1))?;
            let values = values.ok_or(StoreError::Stale("test"))?;
            let first = uow.audit().audit_entry(AuditId::new(1))?;
            let first = first.ok_or(StoreError::Stale("test"))?;
            let mut what = crm_domain::audit::Deed::of(Act::CustomerAdded).with(values.changes);
            what.changes[0].new = Some("別人".to_owned());
            let forged = NewEntry {
                at: first.at,
                by: first.by,
                address: None,
                request_id: None,
                what,
                salt: values.salt,
                digest: first.digest,
            };
            uow.edit_audit().add_audit(&[forged])
        })
        .await;
    copied.unwrap();
    world.sealed().await;
    let report = world.verified(None).await;
    assert_eq!(report.faults, [AuditFault::ValueChanged(5, AuditId::new(5))]);
}

#[tokio::test]
async fn refusals_are_written_and_bounded() {
    let world = World::new();
    for _ in 0..25 {
        let refused = world
            .crm
            .list_audit(&member(), AuditFilter::default(), None, 1)
            .await;
        assert!(matches!(refused, Err(Error::Denied(_))));
    }
    let viewer = viewer();
    let other = world.crm.register_company(&viewer, company_details("社"));
    assert!(other.await.is_err());
    world.crm.write_refusals().await.unwrap();
    let refused = |log: &[AuditEntry]| {
        log.iter()
            .filter(|entry| entry.act == Act::Refused.code())
            .count()
    };
    assert_eq!(refused(&world.log().await), 11);
    world.pass(Duration::minutes(2));
    let again = world
        .crm
        .list_audit(&member(), AuditFilter::default(), None, 1)
        .await;
    assert!(again.is_err());
    world.crm.write_refusals().await.unwrap();
    let log = world.log().await;
    assert_eq!(refused(&log), 12);
    let detail = world.crm.show_audit(&admin(), log[0].id).await.unwrap();
    assert_eq!(detail.changes.unwrap()[0].new.as_deref(), Some("ViewAudit"));
}

#[tokio::test]
async fn a_refusal_that_cannot_be_written_is_written_later() {
    let world = World::new();
    let _ = world
        .crm
        .list_audit(&member(), AuditFilter::default(), None, 1)
        .await;
    world.store.fail_next(StoreError::unavailable("disk full"));
    assert!(world.crm.write_refusals().await.is_err());
    assert_eq!(world.crm.write_refusals().await.unwrap(), 1);
    assert_eq!(world.log().await.len(), 1);
}

#[tokio::test]
async fn readings_are_written_together_and_can_be_switched_off() {
    let (world, admin) = (World::new(), admin());
    let list = || {
        world
            .crm
            .list_readings(&admin, ReadingFilter::default(), None, 10)
    };
    world
        .crm
        .note_reading(&member(), Looked::Customer(CustomerId::new(3)));
    world
        .crm
        .note_reading(&member(), Looked::Search(" 佐藤 ".to_owned()));
    world.crm.note_reading(&member(), Looked::Search("  ".to_owned()));
    assert!(list().await.unwrap().0.is_empty());
    world.store.fail_next(StoreError::unavailable("disk full"));
    assert!(world.crm.write_readings(&HOUSE).await.is_err());
    assert_eq!(world.crm.write_readings(&HOUSE).await.unwrap(), 2);
    let (found, rule) = list().await.unwrap();
    assert_eq!(found[0].what.words.as_deref(), Some("佐藤"));
    assert_eq!((found.len(), rule), (2, ReadingRule::default()));

    let off = ReadingRule { on: false, days: 30 };
    world.crm.set_reading_rule(&admin, off).await.unwrap();
    world
        .crm
        .note_reading(&member(), Looked::Customer(CustomerId::new(3)));
    assert_eq!(world.crm.write_readings(&HOUSE).await.unwrap(), 0);
    let log = world.log().await;
    assert_eq!(log[0].act, Act::SettingChanged.code());
    assert_eq!(log[0].fields, ["reading_log", "reading_log_days"]);
    let wrong = ReadingRule { on: true, days: 0 };
    assert!(world.crm.set_reading_rule(&admin, wrong).await.is_err());
    assert!(world.crm.set_reading_rule(&member(), off).await.is_err());

    world.pass(Duration::days(31));
    assert_eq!(world.crm.prune_readings(&HOUSE).await.unwrap(), 2);
    assert_eq!(world.crm.prune_readings(&HOUSE).await.unwrap(), 0);
}

#[tokio::test]
async fn an_export_of_the_log_needs_a_reason() {
    let world = World::new();
    for wrong in ["", "  ", "a\nb", &"長".repeat(201)] {
        assert!(
            world.crm.note_audit_export(&admin(), wrong).await.is_err(),
            "{wrong}"
        );
    }
    world
        .crm
        .note_audit_export(&admin(), " 監査のため ")
        .await
        .unwrap();
    let entry = world.log().await.remove(0);
    assert_eq!(entry.act, Act::ListExported.code());
    assert_eq!(entry.reason.as_deref(), Some("監査のため"));
    let by_kind = AuditFilter {
        record_kind: Some(RecordKind::Customer),
        ..AuditFilter::default()
    };
    let found = world.crm.list_audit(&admin(), by_kind, None, 10).await.unwrap();
    assert!(found.is_empty());
}

/// What the log says since the last look, oldest first.
async fn acts(world: &World, seen: &mut usize) -> Vec<String> {
    let mut log = world.log().await;
    log.reverse();
    let new = log.split_off(*seen);
    *seen += new.len();
    new.into_iter().map(|entry| entry.act).collect()
}

/// A customer and a company that a new administrator works with: their ids, and the administrator.
async fn tell_of_records(world: &World, seen: &mut usize) -> (CustomerId, CompanyId, Actor) {
    let (crm, admin) = (&world.crm, admin());
    let customer = world.customer(customer_on("山田", "太郎", &user(1))).await;
    let company = world.company(company_details("青空商事")).await;
    assert_eq!(acts(world, seen).await, ["customer_added", "company_added"]);

    let hanako = world.member("hanako@example.jp", Role::Member).await;
    crm.assign_owner(&admin, customer, Some(hanako)).await.unwrap();
    crm.revise_company(&admin, company, None, company_details("青空物産"))
        .await
        .unwrap();
    crm.link_customer(&admin, customer, Some(user(2))).await.unwrap();
    crm.change_role(&admin, hanako, None, Role::Admin).await.unwrap();
    crm.choose_locale(&person(hanako.get(), "花子", Role::Admin), Some(Locale::En))
        .await
        .unwrap();
    assert_eq!(
        acts(world, seen).await,
        [
            "member_added",
            "owner_changed",
            "company_changed",
            "customer_changed",
            "member_changed",
            "member_changed"
        ]
    );
    let hanako = person(hanako.get(), "花子", Role::Admin);
    (customer, company, hanako)
}

async fn tell_of_handling(world: &World, seen: &mut usize, customer: CustomerId, hanako: &Actor) {
    let (crm, admin) = (&world.crm, admin());
    world
        .hear(&FakeCallbacks::message(&user(2), after(1), "質問"))
        .await;
    assert!(acts(world, seen).await.is_empty(), "callbacks are not audited");
    let lines = crm.conversations_of_customer(&admin, customer).await.unwrap();
    let talk = lines.last().unwrap().conversation.id;
    crm.take_conversation(hanako, talk).await.unwrap();
    crm.take_conversation(hanako, talk).await.unwrap();
    crm.release_conversation(hanako, talk).await.unwrap();
    crm.hand_over_conversation(&admin, talk, hanako.member_id().unwrap(), None)
        .await
        .unwrap();
    crm.close_conversation(hanako, talk).await.unwrap();
    crm.undo_closing(hanako, talk).await.unwrap();
    crm.write_note(hanako, customer, text("社内向け"), None)
        .await
        .unwrap();
    assert_eq!(
        acts(world, seen).await,
        [
            "conversation_taken",
            "conversation_released",
            "conversation_handed_over",
            "conversation_closed",
            "closing_undone",
            "note_written"
        ]
    );
}

async fn tell_of_messages(world: &World, seen: &mut usize, customer: CustomerId, hanako: &Actor) {
    let crm = &world.crm;
    let to = || Recipient::Customer(customer);
    let key = || Some("once".to_owned());
    let queued = crm
        .queue_message(hanako, to(), text("承知しました"), key())
        .await
        .unwrap();
    crm.queue_message(hanako, to(), text("承知しました"), key())
        .await
        .unwrap();
    crm.cancel_message(hanako, queued.id()).await.unwrap();
    let said = world.page(customer).await;
    let message = said.iter().find(|message| message.message == "質問").unwrap().id;
    crm.delete_message(hanako, message).await.unwrap();
    crm.restore_message(hanako, message).await.unwrap();
    crm.discard_customer(hanako, customer).await.unwrap();
    assert_eq!(
        acts(world, seen).await,
        [
            "message_queued",
            "message_cancelled",
            "message_deleted",
            "message_restored",
            "customer_discarded"
        ]
    );
}

#[tokio::test]
async fn each_act_is_told_and_no_message_is_copied() {
    let (world, mut seen) = (World::new(), 0);
    let (customer, company, hanako) = tell_of_records(&world, &mut seen).await;
    tell_of_handling(&world, &mut seen, customer, &hanako).await;
    tell_of_messages(&world, &mut seen, customer, &hanako).await;
    world.crm.discard_company(&hanako, company).await.unwrap();
    assert_eq!(acts(&world, &mut seen).await, ["company_discarded"]);
    let log = world.log().await;
    let texts = ["質問", "承知しました", "社内向け"];
    for entry in &log {
        let detail = world.crm.show_audit(&admin(), entry.id).await.unwrap();
        let told = format!("{detail:?}");
        assert!(!texts.iter().any(|text| told.contains(text)), "{told}");
    }
    world.sealed().await;
    assert_eq!(world.verified(None).await.faults, []);
}

/// One request, however often it is asked.
struct OneRequest;

impl Caller for OneRequest {
    fn address(&self) -> Option<String> {
        None
    }

    fn request_id(&self) -> Option<String> {
        Some("9f3a1c22b4e07d15".to_owned())
    }
}

/// A world with what one request left in the log.
async fn asked_once() -> World {
    let mut world = World::new();
    world.crm = world.crm.clone().asked_through(std::sync::Arc::new(OneRequest));
    let by = admin();
    let added = world.crm.register_company(&by, company_details("社"));
    added.await.unwrap();
    world
}

#[tokio::test]
async fn an_entry_is_found_by_its_request_and_sealed_with_it() {
    let world = asked_once().await;
    let filter = AuditFilter::searching("9f3a1c22b4e07d15");
    let found = world.crm.list_audit(&admin(), filter, None, 9).await.unwrap();
    assert_eq!(found[0].request_id.as_deref(), Some("9f3a1c22b4e07d15"));
    world.sealed().await;
    assert!(world.verified(None).await.faults.is_empty());
    let sealed = content(1, &[0; 32], &found[0]);
    for changed in [Some("9f3a1c22b4e07d16".to_owned()), None] {
        let mut other = found[0].clone();
        other.request_id = changed;
        assert_ne!(content(1, &[0; 32], &other), sealed);
        assert_ne!(first_content(1, &[0; 32], &other), sealed);
    }
}

#[tokio::test]
async fn what_an_earlier_version_sealed_stays_whole() {
    let world = asked_once().await;
    let sealed: Result<(), StoreError> = world
        .store
        .write(|uow| {
            let entries = uow.audit().unsealed_audit(9)?;
            let (mut before, mut seals) = ([0; 32], Vec::new());
            for (position, entry) in (1..).zip(&entries) {
                let mac = FakeSeals::default().seal(&first_content(position, &before, entry));
                before = mac.ok_or(StoreError::Stale("test"))?;
                seals.push(Seal {
                    position,
                    entry: entry.id,
                    mac: before,
                });
            }
            uow.edit_audit().add_seals(&seals)
        })
        .await;
    sealed.unwrap();
    let report = world.verified(None).await;
    assert!(report.faults.is_empty() && report.checked > 0, "{report:?}");
}
