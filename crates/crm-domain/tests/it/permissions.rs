//! Who may do what: the whole table, reviewed as a file; and that every use case asks.

use std::fmt::Write;

use crm_domain::activities::ActivityId;
use crm_domain::companies::{CompanyFilter, CompanyId};
use crm_domain::customers::{CustomerFilter, CustomerId};
use crm_domain::id::Id;
use crm_domain::imports::Import;
use crm_domain::members::{Grants, LinkPurpose, MemberId, Role, Scopes, TokenId};
use crm_domain::paging::PageRequest;
use crm_domain::permissions::{Action, Actor};
use crm_domain::sends::SendId;
use crm_domain::use_cases::{MemberForm, Recipient};
use crm_testkit::fixtures::{admin, company_details, customer_details, member, operator, text, user, viewer};
use time::Duration;

use crate::world::{JOB, World, code, token_form};

fn token(role: Role) -> Actor {
    scoped(role, Scopes::ALL)
}

fn scoped(role: Role, scopes: Scopes) -> Actor {
    Actor::Token {
        token: TokenId::new(1),
        id: MemberId::new(1),
        name: "夜間処理".to_owned(),
        role,
        grants: Grants::default(),
        scopes,
    }
}

fn granted(role: Role) -> Actor {
    Actor::Member {
        id: MemberId::new(3),
        name: "取り込み係".to_owned(),
        role,
        grants: Grants {
            import: true,
            export: true,
        },
    }
}

/// A token that may be used for one thing only.
fn only(read: bool, write: bool, send: bool) -> Actor {
    scoped(Role::Admin, Scopes { read, write, send })
}

#[test]
fn the_table_of_permissions() {
    let actors = [
        ("admin", admin()),
        ("member", member()),
        ("granted member", granted(Role::Member)),
        ("viewer", viewer()),
        ("granted viewer", granted(Role::Viewer)),
        ("admin's token", token(Role::Admin)),
        ("member's token", token(Role::Member)),
        ("read token", only(true, false, false)),
        ("write token", only(false, true, false)),
        ("send token", only(false, false, true)),
        ("operator", operator()),
        ("job", JOB),
        ("platform", Actor::Platform),
    ];
    let mut table = format!("{:<21}", "");
    for (name, _) in &actors {
        write!(table, "{name:<16}").unwrap();
    }
    for action in Action::ALL {
        table.truncate(table.trim_end().len());
        write!(table, "\n{:<21}", format!("{action:?}")).unwrap();
        for (_, actor) in &actors {
            let mark = if actor.may(action).is_ok() { "✓" } else { "✗" };
            write!(table, "{mark:<16}").unwrap();
        }
    }
    insta::assert_snapshot!(table.trim_end());
}

/// What each use case about records answers to this actor.
async fn ask_about_records(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let mut answers = ask_about_people(world, by).await;
    answers.extend(ask_about_messages(world, by).await);
    answers
}

/// What each use case about customers and companies answers to this actor.
async fn ask_about_people(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let crm = &world.crm;
    let (customer, company, page) = (CustomerId::new(404), CompanyId::new(404), PageRequest::first(1));
    vec![
        (
            "list_customers",
            code(
                crm.list_customers(by, CustomerFilter::default(), page.clone())
                    .await,
            ),
        ),
        ("show_customer", code(crm.show_customer(by, customer).await)),
        ("check_customer", code(crm.check_customer(by, user(1)).await)),
        (
            "register_customer",
            code(crm.register_customer(by, customer_details("山田", "")).await),
        ),
        (
            "revise_customer",
            code(
                crm.revise_customer(by, customer, None, customer_details("山田", ""))
                    .await,
            ),
        ),
        ("link_customer", code(crm.link_customer(by, customer, None).await)),
        ("discard_customer", code(crm.discard_customer(by, customer).await)),
        (
            "list_companies",
            code(crm.list_companies(by, CompanyFilter::default(), page).await),
        ),
        ("show_company", code(crm.show_company(by, company).await)),
        (
            "companies_named",
            code(crm.companies_named(by, &company_details("青空")).await),
        ),
        (
            "company_conversation",
            code(crm.company_conversation(by, company, None, 1).await),
        ),
        (
            "register_company",
            code(crm.register_company(by, company_details("青空")).await),
        ),
        (
            "revise_company",
            code(
                crm.revise_company(by, company, None, company_details("青空"))
                    .await,
            ),
        ),
        ("discard_company", code(crm.discard_company(by, company).await)),
    ]
}

/// What each use case about messages answers to this actor.
async fn ask_about_messages(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let (crm, customer) = (&world.crm, CustomerId::new(404));
    let to = Recipient::Customer(customer);
    vec![
        (
            "conversation",
            code(crm.conversation(by, customer, None, 1).await),
        ),
        (
            "new_messages",
            code(crm.new_messages(by, customer, None, 1).await),
        ),
        (
            "delete_message",
            code(crm.delete_message(by, ActivityId::new(404)).await),
        ),
        (
            "restore_message",
            code(crm.restore_message(by, ActivityId::new(404)).await),
        ),
        (
            "queue_message",
            code(crm.queue_message(by, to, text("はい"), None).await),
        ),
        (
            "resend_message",
            code(
                crm.resend_message(by, customer, text("はい"), None, ActivityId::new(404))
                    .await,
            ),
        ),
        (
            "customer_of_message",
            code(crm.customer_of_message(by, ActivityId::new(404)).await),
        ),
        ("show_send", code(crm.show_send(by, SendId::new(404)).await)),
    ]
}

/// What each use case of administrators answers to this actor.
async fn ask_about_administration(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let crm = &world.crm;
    let id = MemberId::new(404);
    let form = MemberForm {
        email: "a@example.jp".to_owned(),
        name: "甲".to_owned(),
        role: Role::Member,
        password: None,
    };
    vec![
        ("list_members", code(crm.list_members(by).await)),
        ("add_member", code(crm.add_member(by, form).await)),
        (
            "change_role",
            code(crm.change_role(by, id, None, Role::Admin).await),
        ),
        ("disable_member", code(crm.disable_member(by, id, true).await)),
        (
            "set_password",
            code(crm.set_password(by, id, "a long password").await),
        ),
        (
            "make_link",
            code(crm.make_link(by, id, LinkPurpose::SignIn).await),
        ),
        (
            "change_grants",
            code(crm.change_grants(by, id, Grants::default()).await),
        ),
        (
            "only_one_administrator",
            code(crm.only_one_administrator(by).await),
        ),
        ("members_with_factor", code(crm.members_with_factor(by).await)),
        ("reset_factors", code(crm.reset_factors(by, id).await)),
        ("list_sessions", code(crm.list_sessions(by, None).await)),
        ("end_sessions_of", code(crm.end_sessions_of(by, id).await)),
        ("end_all_sessions", code(crm.end_all_sessions(by).await)),
        ("make_setup_link", code(crm.make_setup_link(by).await)),
        (
            "create_token",
            code(crm.create_token(by, token_form(id, "鍵")).await),
        ),
        ("list_tokens", code(crm.list_tokens(by).await)),
        ("revoke_all_tokens", code(crm.revoke_all_tokens(by).await)),
    ]
}

/// What each use case about data from elsewhere, and about how things stand, answers to this actor.
async fn ask_about_imports(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let crm = &world.crm;
    let import = Import {
        id: Id::new(404),
        source: "poc".to_owned(),
        finished: false,
    };
    vec![
        ("try_callback", code(crm.try_callback(by).await)),
        ("begin_import", code(crm.begin_import(by, "poc").await)),
        (
            "import_companies",
            code(crm.import_companies(by, &import, Vec::new()).await),
        ),
        (
            "import_customers",
            code(crm.import_customers(by, &import, Vec::new()).await),
        ),
        (
            "import_activities",
            code(crm.import_activities(by, &import, Vec::new()).await),
        ),
        (
            "open_imported_conversations",
            code(crm.open_imported_conversations(by, Vec::new()).await),
        ),
        (
            "note_imported_talk",
            code(crm.note_imported_talk(by, Vec::new()).await),
        ),
        ("finish_import", code(crm.finish_import(by, &import).await)),
    ]
}

/// What each use case of background work answers to this actor.
async fn ask_about_work(world: &World, by: &Actor) -> Vec<(&'static str, &'static str)> {
    let crm = &world.crm;
    vec![
        ("record_pending", code(crm.record_pending(by, 1).await)),
        ("claim_message", code(crm.claim_message(by, "run").await)),
        ("deliver_next", code(crm.deliver_next(by, "run").await)),
        ("abandon_messages", code(crm.abandon_messages(by, "run").await)),
        ("claim_files", code(crm.claim_files(by, 1).await)),
        (
            "take_job",
            code(crm.take_job(by, "job", "run", Duration::SECOND).await),
        ),
        ("leave_job", code(crm.leave_job(by, "job", "run").await)),
    ]
}

fn expect(answers: &[(&str, &str)], denied: bool, who: &str) {
    for (use_case, answer) in answers {
        assert_eq!(
            *answer == "denied",
            denied,
            "{use_case} answers {answer} to {who}"
        );
    }
}

#[tokio::test]
async fn every_use_case_asks_who_acts() {
    let world = World::new();
    for (who, actor, [records, administration, imports, work]) in [
        ("an administrator", admin(), [true, true, true, false]),
        ("a member", member(), [true, false, false, false]),
        (
            "an administrator's token",
            token(Role::Admin),
            [true, false, true, false],
        ),
        (
            "a member's token",
            token(Role::Member),
            [true, false, false, false],
        ),
        ("a job", JOB, [false, false, false, true]),
    ] {
        expect(&ask_about_records(&world, &actor).await, !records, who);
        expect(
            &ask_about_administration(&world, &actor).await,
            !administration,
            who,
        );
        expect(&ask_about_imports(&world, &actor).await, !imports, who);
        expect(&ask_about_work(&world, &actor).await, !work, who);
    }
    expect(
        &ask_about_records(&world, &operator()).await,
        false,
        "the operator",
    );
    expect(
        &ask_about_administration(&world, &operator()).await,
        false,
        "the operator",
    );
    expect(
        &ask_about_imports(&world, &operator()).await,
        false,
        "the operator",
    );
    let platform = Actor::Platform;
    expect(&ask_about_records(&world, &platform).await, true, "the platform");
    expect(
        &ask_about_administration(&world, &platform).await,
        true,
        "the platform",
    );
    expect(&ask_about_imports(&world, &platform).await, true, "the platform");
}
