//! Signing in: the eleventh failure, sessions and their end, one-time links.

use std::sync::Arc;

use crm_domain::members::{Device, LinkPurpose, Member, Role};
use crm_domain::ports::store::{StoreError, StoreExt};
use crm_domain::use_cases::{LINK_LIFE, SESSION_IDLE, SESSION_LIFE, SIGN_IN_TRIES, SIGN_IN_WINDOW};
use crm_testkit::fixtures::{admin, after, member, operator};
use time::Duration;

use crate::world::{PASSWORD, World, code, done, faults};

const TARO: &str = "taro@example.jp";

async fn world_with_taro() -> World {
    let world = World::new();
    world.member(TARO, Role::Member).await;
    world
}

#[tokio::test]
async fn who_signs_in_acts_as_a_member() {
    let world = world_with_taro().await;
    let session = world.sign_in(" Taro@Example.JP ", PASSWORD).await.unwrap();
    assert_eq!(session.len(), 64);
    let signed_in = world.crm.session_actor(&session).await.unwrap().unwrap();
    assert_eq!(signed_in.actor.member_id(), Some(signed_in.member.id));
    assert_eq!(
        (signed_in.member.email.as_str(), signed_in.member.role),
        (TARO, Role::Member)
    );
    world.crm.sign_out(&session).await.unwrap();
    assert!(!world.is_signed_in(&session).await);
    assert!(!world.is_signed_in("").await);
}

#[tokio::test]
async fn wrong_unknown_and_disabled_answer_alike_and_cost_the_same() {
    let world = world_with_taro().await;
    let gone = world.member("gone@example.jp", Role::Member).await;
    world.crm.disable_member(&admin(), gone, true).await.unwrap();
    for (account, password) in [
        (TARO, "wrong"),
        ("nobody@example.jp", PASSWORD),
        ("gone@example.jp", PASSWORD),
        ("", ""),
    ] {
        let before = world.passwords.checks();
        assert_eq!(
            code(world.sign_in(account, password).await),
            "sign_in_refused",
            "{account}"
        );
        assert_eq!(world.passwords.checks(), before + 1, "{account}");
    }
}

#[tokio::test]
async fn a_member_without_password_cannot_sign_in() {
    let world = World::new();
    let form = crm_domain::use_cases::MemberForm {
        email: TARO.to_owned(),
        name: "太郎".to_owned(),
        role: Role::Member,
        password: None,
    };
    world.crm.add_member(&admin(), form).await.unwrap();
    assert_eq!(code(world.sign_in(TARO, "").await), "sign_in_refused");
}

#[tokio::test]
async fn the_eleventh_failure_is_turned_away_for_a_while() {
    let world = world_with_taro().await;
    world.member("other@example.jp", Role::Member).await;
    for _ in 0..SIGN_IN_TRIES {
        assert_eq!(code(world.sign_in(TARO, "wrong").await), "sign_in_refused");
        world.pass(Duration::seconds(1));
    }
    assert_eq!(code(world.sign_in(TARO, "wrong").await), "too_many_sign_ins");
    assert_eq!(
        code(world.sign_in("TARO@example.jp", PASSWORD).await),
        "too_many_sign_ins"
    );
    assert!(world.sign_in("other@example.jp", PASSWORD).await.is_ok());
    let known = world.sign_in_from(TARO, PASSWORD, Some("browser")).await;
    assert!(known.is_ok(), "a browser that is known has its own counter");
    world.pass(SIGN_IN_WINDOW);
    assert!(world.sign_in(TARO, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn too_many_hashes_at_once_are_turned_away_for_a_moment() {
    let world = world_with_taro().await;
    world.passwords.set_busy(true);
    assert_eq!(code(world.sign_in(TARO, PASSWORD).await), "too_many_sign_ins");
    world.passwords.set_busy(false);
    assert!(world.sign_in(TARO, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    let world = world_with_taro().await;
    let session = world.sign_in(TARO, PASSWORD).await.unwrap();
    let moment = Duration::seconds(1);
    world.pass(SESSION_IDLE - moment);
    assert!(world.is_signed_in(&session).await);
    world.pass(SESSION_IDLE - moment);
    assert!(world.is_signed_in(&session).await, "use keeps it");
    world.pass(SESSION_IDLE);
    assert!(!world.is_signed_in(&session).await);
}

#[tokio::test]
async fn a_session_ends_after_its_life_though_it_is_used() {
    let world = world_with_taro().await;
    let session = world.sign_in(TARO, PASSWORD).await.unwrap();
    let mut age = Duration::ZERO;
    while age + Duration::days(5) < SESSION_LIFE {
        world.pass(Duration::days(5));
        age += Duration::days(5);
        assert!(world.is_signed_in(&session).await, "{age}");
    }
    world.pass(SESSION_LIFE - age);
    assert!(!world.is_signed_in(&session).await);
}

#[tokio::test]
async fn use_is_noted_to_the_minute_only() {
    let world = world_with_taro().await;
    let session = world.sign_in(TARO, PASSWORD).await.unwrap();
    let seen = async || {
        let members: Result<_, StoreError> = world.store.read(|unit| unit.members().members()).await;
        assert_eq!(members.unwrap().len(), 1);
        assert!(world.is_signed_in(&session).await);
        let hash = crm_domain::ports::host::Secrets::hash(
            &crm_testkit::fakes::SeededSecrets::new(1),
            session.as_bytes(),
        );
        let found = world.store.read(move |unit| unit.credentials().session(&hash));
        let found: Result<Option<(_, Member)>, StoreError> = found.await;
        found.unwrap().unwrap().0.seen_at
    };
    world.pass(Duration::seconds(59));
    assert_eq!(seen().await, after(0));
    world.pass(Duration::seconds(1));
    assert_eq!(seen().await, after(60));
}

#[tokio::test]
async fn a_sign_in_link_works_once() {
    let world = world_with_taro().await;
    let id = world.crm.list_members(&admin()).await.unwrap()[0].id;
    let link = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SignIn)
        .await
        .unwrap();
    assert_eq!(world.crm.link_purpose(&link).await.unwrap(), LinkPurpose::SignIn);
    assert_eq!(
        world.crm.link_purpose(&link).await.unwrap(),
        LinkPurpose::SignIn,
        "looking is not using"
    );
    let (session, who) = done(world.crm.use_link(&link, None, Device::default()).await);
    assert_eq!(who.id, id);
    assert!(world.is_signed_in(&session).await);
    assert_eq!(
        code(world.crm.use_link(&link, None, Device::default()).await),
        "link_spent"
    );
    assert_eq!(code(world.crm.link_purpose(&link).await), "link_spent");
    assert_eq!(
        code(world.crm.use_link("nonsense", None, Device::default()).await),
        "link_spent"
    );
    assert_eq!(
        code(world.crm.make_link(&member(), id, LinkPurpose::SignIn).await),
        "denied"
    );
}

#[tokio::test]
async fn a_link_is_good_for_a_day() {
    let world = world_with_taro().await;
    let id = world.crm.list_members(&admin()).await.unwrap()[0].id;
    let early = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SignIn)
        .await
        .unwrap();
    world.pass(Duration::seconds(1));
    let late = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SignIn)
        .await
        .unwrap();
    world.pass(LINK_LIFE - Duration::seconds(1));
    assert_eq!(
        code(world.crm.use_link(&early, None, Device::default()).await),
        "link_spent"
    );
    assert!(world.crm.use_link(&late, None, Device::default()).await.is_ok());
}

#[tokio::test]
async fn a_link_of_a_disabled_member_is_spent() {
    let world = world_with_taro().await;
    let id = world.crm.list_members(&admin()).await.unwrap()[0].id;
    let link = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SignIn)
        .await
        .unwrap();
    world.crm.disable_member(&admin(), id, true).await.unwrap();
    assert_eq!(
        code(world.crm.use_link(&link, None, Device::default()).await),
        "link_spent"
    );
}

#[tokio::test]
async fn a_password_link_sets_a_good_password_and_ends_other_sessions() {
    let world = world_with_taro().await;
    let id = world.crm.list_members(&admin()).await.unwrap()[0].id;
    let old = world.sign_in(TARO, PASSWORD).await.unwrap();
    let link = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SetPassword)
        .await
        .unwrap();
    assert_eq!(
        faults(world.crm.use_link(&link, None, Device::default()).await),
        [("password", "required")]
    );
    assert_eq!(
        faults(world.crm.use_link(&link, Some("short"), Device::default()).await),
        [("password", "too_short")]
    );
    let (session, _) = done(
        world
            .crm
            .use_link(&link, Some("a new password"), Device::default())
            .await,
    );
    assert!(world.is_signed_in(&session).await && !world.is_signed_in(&old).await);
    assert!(world.sign_in(TARO, "a new password").await.is_ok());
    assert_eq!(
        code(
            world
                .crm
                .use_link(&link, Some("another one"), Device::default())
                .await
        ),
        "link_spent"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_use_a_link_at_once_one_gets_in() {
    let world = Arc::new(world_with_taro().await);
    let id = world.crm.list_members(&admin()).await.unwrap()[0].id;
    let link = world
        .crm
        .make_link(&operator(), id, LinkPurpose::SignIn)
        .await
        .unwrap();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (world, link) = (Arc::clone(&world), link.clone());
            tokio::spawn(async move { world.crm.use_link(&link, None, Device::default()).await.is_ok() })
        })
        .collect();
    let mut in_by_link = 0;
    for attempt in tries {
        in_by_link += usize::from(attempt.await.unwrap());
    }
    assert_eq!(in_by_link, 1);
}
