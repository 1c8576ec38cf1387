//! Members: added, promoted, disabled, and the last administrator.

use crm_domain::members::{LinkPurpose, Locale, MemberId, Role};
use crm_domain::use_cases::MemberForm;
use crm_testkit::fixtures::{admin, member, operator, person};

use crate::world::{PASSWORD, World, code, faults, token_form};

fn form(email: &str, name: &str, password: Option<&str>) -> MemberForm {
    MemberForm {
        email: email.to_owned(),
        name: name.to_owned(),
        role: Role::Member,
        password: password.map(str::to_owned),
    }
}

#[tokio::test]
async fn an_added_member_is_listed() {
    let world = World::new();
    let form = form("Hanako@Example.jp", "管理 花子", Some(PASSWORD));
    let id = world.crm.add_member(&operator(), form).await.unwrap();
    let members = world.crm.list_members(&admin()).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(
        (members[0].id, members[0].name.as_str(), members[0].has_password),
        (id, "管理 花子", true)
    );
}

#[tokio::test]
async fn every_fault_of_a_form_is_told_at_once() {
    let world = World::new();
    let add = async |form| faults(world.crm.add_member(&admin(), form).await);
    assert_eq!(
        add(form("", " ", Some("elevenchars"))).await,
        [
            ("email", "required"),
            ("name", "required"),
            ("password", "too_short")
        ]
    );
    let long = "長".repeat(257);
    assert_eq!(
        add(form("hanako", &long, Some(&long))).await,
        [
            ("email", "malformed"),
            ("name", "too_long"),
            ("password", "too_long")
        ]
    );
    assert_eq!(
        add(form("a@example.jp", "甲", Some("PASSWORD1234"))).await,
        [("password", "common")]
    );
    assert_eq!(
        add(form("a@example.jp", "甲", Some(""))).await,
        [("password", "required")]
    );
    world.member("a@example.jp", Role::Member).await;
    assert_eq!(add(form("A@Example.JP", "甲", None)).await, [("email", "taken")]);
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let world = World::new();
    let first = world.member("a@example.jp", Role::Admin).await;
    let plain = world.member("b@example.jp", Role::Member).await;
    let demote = async |id| world.crm.change_role(&operator(), id, None, Role::Member).await;
    let disable = async |id| world.crm.disable_member(&operator(), id, true).await;
    assert_eq!(code(demote(first).await), "last_administrator");
    assert_eq!(code(disable(first).await), "last_administrator");
    disable(plain).await.unwrap();
    world
        .crm
        .change_role(&operator(), plain, Some(Role::Member), Role::Admin)
        .await
        .unwrap();
    assert_eq!(
        code(disable(first).await),
        "last_administrator",
        "a disabled one does not count"
    );
    world.crm.disable_member(&operator(), plain, false).await.unwrap();
    demote(first).await.unwrap();
    assert_eq!(code(disable(plain).await), "last_administrator");
    disable(first).await.unwrap();
}

#[tokio::test]
async fn a_disabled_member_is_out_at_once() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let session = world.sign_in("a@example.jp", PASSWORD).await.unwrap();
    let token = world
        .crm
        .create_token(&admin(), token_form(id, "script"))
        .await
        .unwrap();
    world.crm.disable_member(&admin(), id, true).await.unwrap();
    assert!(!world.is_signed_in(&session).await);
    assert_eq!(world.crm.token_actor(&token).await.unwrap(), None);
    assert_eq!(
        code(world.sign_in("a@example.jp", PASSWORD).await),
        "sign_in_refused"
    );
    world.crm.disable_member(&admin(), id, false).await.unwrap();
    assert!(!world.is_signed_in(&session).await, "what was ended stays ended");
    assert_eq!(world.crm.token_actor(&token).await.unwrap(), None);
    assert!(world.sign_in("a@example.jp", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_unknown_member_is_not_found() {
    let world = World::new();
    let nobody = MemberId::new(404);
    assert_eq!(
        code(world.crm.change_role(&admin(), nobody, None, Role::Admin).await),
        "not_found"
    );
    assert_eq!(
        code(world.crm.disable_member(&admin(), nobody, true).await),
        "not_found"
    );
    assert_eq!(
        code(world.crm.set_password(&admin(), nobody, PASSWORD).await),
        "not_found"
    );
    assert_eq!(
        code(
            world
                .crm
                .create_token(&admin(), token_form(nobody, "script"))
                .await
        ),
        "not_found"
    );
    assert_eq!(code(world.crm.myself(&operator()).await), "not_found");
}

#[tokio::test]
async fn members_choose_their_own_language() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let myself = person(id.get(), "甲", Role::Member);
    for locale in [Some(Locale::En), Some(Locale::Ja), None] {
        world.crm.choose_locale(&myself, locale).await.unwrap();
        assert_eq!(world.crm.myself(&myself).await.unwrap().locale, locale);
    }
    assert_eq!(
        code(world.crm.choose_locale(&operator(), None).await),
        "not_found"
    );
}

#[tokio::test]
async fn ones_own_password_needs_the_present_one_and_ends_the_other_sessions() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let myself = person(id.get(), "甲", Role::Member);
    let here = world.sign_in("a@example.jp", PASSWORD).await.unwrap();
    let there = world.sign_in("a@example.jp", PASSWORD).await.unwrap();
    let change =
        async |current: &str, new: &str| world.crm.change_own_password(&myself, &here, current, new).await;
    assert_eq!(
        faults(change("wrong", "a new password").await),
        [("current_password", "malformed")]
    );
    assert_eq!(
        faults(change(PASSWORD, "short").await),
        [("password", "too_short")]
    );
    assert!(world.is_signed_in(&there).await);
    change(PASSWORD, "a new password").await.unwrap();
    assert!(world.is_signed_in(&here).await && !world.is_signed_in(&there).await);
    assert_eq!(
        code(world.sign_in("a@example.jp", PASSWORD).await),
        "sign_in_refused"
    );
    assert!(world.sign_in("a@example.jp", "a new password").await.is_ok());
}

#[tokio::test]
async fn an_administrators_new_password_ends_all_sessions() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let session = world.sign_in("a@example.jp", PASSWORD).await.unwrap();
    assert_eq!(
        faults(world.crm.set_password(&operator(), id, "short").await),
        [("password", "too_short")]
    );
    assert_eq!(
        code(world.crm.set_password(&member(), id, "a new password").await),
        "denied"
    );
    world
        .crm
        .set_password(&operator(), id, "a new password")
        .await
        .unwrap();
    assert!(!world.is_signed_in(&session).await);
    assert!(world.sign_in("a@example.jp", "a new password").await.is_ok());
}

#[tokio::test]
async fn administrators_too_change_their_own_password_and_factor_on_their_own_page_only() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Admin).await;
    let myself = person(id.get(), "自分", Role::Admin);
    let crm = &world.crm;
    assert_eq!(
        code(crm.set_password(&myself, id, "a new password").await),
        "denied"
    );
    assert_eq!(
        code(crm.make_link(&myself, id, LinkPurpose::SetPassword).await),
        "denied"
    );
    assert_eq!(code(crm.reset_factors(&myself, id).await), "denied");
    let colleague = person(id.get() + 1, "同僚", Role::Admin);
    crm.make_link(&colleague, id, LinkPurpose::SetPassword)
        .await
        .unwrap();
}
