//! Sessions as listed, and ended.

use crm_domain::error::Error;
use crm_domain::members::{Device, Grants, Role};
use crm_domain::use_cases::{SESSION_IDLE, SignInForm};
use crm_testkit::fixtures::{admin, after, member, person};
use time::Duration;

use crate::world::{PASSWORD, World, code, done, token_form};

const TARO: &str = "taro@example.jp";
const HANAKO: &str = "hanako@example.jp";
const AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36";

async fn sign_in_with(world: &World, email: &str, device: Device) -> String {
    let form = SignInForm {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        known_browser: None,
        device,
    };
    done(world.crm.sign_in(form).await).0
}

#[tokio::test]
async fn ones_own_sessions_are_listed_with_whence() {
    let world = World::new();
    let id = world.member(TARO, Role::Member).await;
    world.member(HANAKO, Role::Member).await;
    let myself = person(id.get(), "太郎", Role::Member);
    let device = Device {
        address: Some("192.0.2.7".to_owned()),
        agent: Some(AGENT.to_owned()),
    };
    let here = sign_in_with(&world, TARO, device).await;
    world.pass(Duration::minutes(5));
    let long = Device {
        address: None,
        agent: Some(format!("\u{7}{}", "x".repeat(9_000))),
    };
    let there = sign_in_with(&world, TARO, long).await;
    world.sign_in(HANAKO, PASSWORD).await.unwrap();
    let lines = world.crm.list_own_sessions(&myself, Some(&here)).await.unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].created_at, lines[0].present), (after(300), false));
    assert_eq!((&lines[0].address, &lines[0].browser), (&None, &None));
    assert_eq!((lines[1].created_at, lines[1].present), (after(0), true));
    assert_eq!(lines[1].address.as_deref(), Some("192.0.2.7"));
    assert_eq!(lines[1].browser.as_deref(), Some("Chrome · Windows"));
    assert_eq!(lines[0].member.id, id);
    assert!(
        !here.contains(&lines[1].id),
        "the name says nothing about the secret"
    );
    world.pass(SESSION_IDLE - Duration::minutes(5));
    let left = world.crm.list_own_sessions(&myself, Some(&here)).await.unwrap();
    assert_eq!(left.len(), 1, "what is over is not listed");
    assert!(world.is_signed_in(&there).await);
}

#[tokio::test]
async fn one_ends_ones_own_and_administrators_anybodys() {
    let world = World::new();
    let taro = world.member(TARO, Role::Member).await;
    world.member(HANAKO, Role::Member).await;
    let myself = person(taro.get(), "太郎", Role::Member);
    let here = world.sign_in(TARO, PASSWORD).await.unwrap();
    let there = world.sign_in(TARO, PASSWORD).await.unwrap();
    let of_hanako = world.sign_in(HANAKO, PASSWORD).await.unwrap();
    let all = world.crm.list_sessions(&admin(), None).await.unwrap();
    assert_eq!(all.len(), 3);
    let hers_id = &all.iter().find(|line| line.member.id != taro).unwrap().id;
    assert_eq!(code(world.crm.end_session(&myself, hers_id).await), "not_found");
    assert!(world.is_signed_in(&of_hanako).await);
    let mine = world.crm.list_own_sessions(&myself, Some(&here)).await.unwrap();
    let other = mine.iter().find(|line| !line.present).unwrap();
    world.crm.end_session(&myself, &other.id).await.unwrap();
    assert!(!world.is_signed_in(&there).await && world.is_signed_in(&here).await);
    assert_eq!(code(world.crm.end_session(&myself, &other.id).await), "not_found");
    world.crm.end_session(&admin(), hers_id).await.unwrap();
    assert!(!world.is_signed_in(&of_hanako).await);
    assert_eq!(code(world.crm.list_sessions(&member(), None).await), "denied");
}

#[tokio::test]
async fn all_others_end_at_once() {
    let world = World::new();
    let taro = world.member(TARO, Role::Member).await;
    let myself = person(taro.get(), "太郎", Role::Member);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(world.sign_in(TARO, PASSWORD).await.unwrap());
    }
    assert_eq!(
        world.crm.end_other_sessions(&myself, &sessions[1]).await.unwrap(),
        2
    );
    assert!(world.is_signed_in(&sessions[1]).await);
    assert!(!world.is_signed_in(&sessions[0]).await && !world.is_signed_in(&sessions[2]).await);
    assert_eq!(world.crm.end_sessions_of(&admin(), taro).await.unwrap(), 1);
    world.sign_in(TARO, PASSWORD).await.unwrap();
    assert_eq!(world.crm.end_all_sessions(&admin()).await.unwrap(), 1);
    assert_eq!(world.crm.end_all_sessions(&admin()).await.unwrap(), 0);
}

#[tokio::test]
async fn what_changes_somebodys_rights_ends_their_sessions() {
    let world = World::new();
    let taro = world.member(TARO, Role::Member).await;
    let signed_in = async || world.sign_in(TARO, PASSWORD).await.unwrap();
    let grants = Grants {
        import: true,
        export: false,
    };
    let session = signed_in().await;
    world
        .crm
        .change_role(&admin(), taro, None, Role::Member)
        .await
        .unwrap();
    world
        .crm
        .change_grants(&admin(), taro, Grants::default())
        .await
        .unwrap();
    assert!(world.is_signed_in(&session).await, "nothing changed");
    world
        .crm
        .change_role(&admin(), taro, None, Role::Viewer)
        .await
        .unwrap();
    assert!(!world.is_signed_in(&session).await);
    let session = signed_in().await;
    world.crm.change_grants(&admin(), taro, grants).await.unwrap();
    assert!(!world.is_signed_in(&session).await);
    let session = signed_in().await;
    let actor = world.crm.session_actor(&session).await.unwrap().unwrap();
    assert_eq!((actor.member.role, actor.member.grants), (Role::Viewer, grants));
    assert!(matches!(
        actor.actor,
        crm_domain::permissions::Actor::Member { grants: acts, .. } if acts == grants
    ));
}

#[tokio::test]
async fn a_program_lists_and_ends_no_sessions() {
    let world = World::new();
    let taro = world.member(TARO, Role::Admin).await;
    world.sign_in(TARO, PASSWORD).await.unwrap();
    let token = world
        .crm
        .create_token(&admin(), token_form(taro, "鍵"))
        .await
        .unwrap();
    let program = world.crm.token_actor(&token).await.unwrap().unwrap().actor;
    assert_eq!(
        code(world.crm.list_own_sessions(&program, None).await),
        "not_found"
    );
    assert_eq!(code(world.crm.list_sessions(&program, None).await), "denied");
    let line = world.crm.list_sessions(&admin(), None).await.unwrap().remove(0);
    let ended: Result<(), Error> = world.crm.end_session(&program, &line.id).await;
    assert_eq!(code(ended), "not_found");
}

#[tokio::test]
async fn a_renewed_session_is_as_old_as_before() {
    let world = World::new();
    world.member(TARO, Role::Member).await;
    let old = world.sign_in(TARO, PASSWORD).await.unwrap();
    world.pass(Duration::minutes(1));
    let new = world.crm.renew_session(&old).await.unwrap();
    assert!(world.is_signed_in(&new).await && !world.is_signed_in(&old).await);
    assert_eq!(code(world.crm.renew_session(&old).await), "sign_in_over");
    let lines = world.crm.list_sessions(&admin(), Some(&new)).await.unwrap();
    assert_eq!(
        (lines.len(), lines[0].created_at, lines[0].present),
        (1, after(0), true)
    );
}
