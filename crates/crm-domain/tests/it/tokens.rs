//! Tokens: made, used, expired, revoked.

use crm_domain::members::{Role, TokenId};
use crm_domain::permissions::Actor;
use crm_testkit::fixtures::{admin, after, member, start};
use time::Duration;

use crate::world::{World, code, faults};

#[tokio::test]
async fn a_token_acts_for_its_member() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let secret = world
        .crm
        .create_token(&admin(), id, "夜間処理", None)
        .await
        .unwrap();
    assert_eq!(secret.len(), 64);
    let signed_in = world.crm.token_actor(&secret).await.unwrap().unwrap();
    assert!(matches!(signed_in.actor, Actor::Token { id: owner, role: Role::Member, .. } if owner == id));
    assert_eq!(world.crm.token_actor("nonsense").await.unwrap(), None);
    assert_eq!(
        world.crm.session_actor(&secret).await.unwrap(),
        None,
        "a token is no session"
    );
    let (token, owner) = world.crm.list_tokens(&admin()).await.unwrap().remove(0);
    assert_eq!(
        (token.name.as_str(), owner.id, token.used_at),
        ("夜間処理", id, Some(start()))
    );
}

#[tokio::test]
async fn an_expired_token_acts_for_nobody() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let secret = world
        .crm
        .create_token(&admin(), id, "短期", Some(after(60)))
        .await
        .unwrap();
    assert!(world.crm.token_actor(&secret).await.unwrap().is_some());
    world.pass(Duration::seconds(60));
    assert_eq!(world.crm.token_actor(&secret).await.unwrap(), None);
    let past = world
        .crm
        .create_token(&admin(), id, "過去", Some(after(60)))
        .await;
    assert_eq!(faults(past), [("expires", "malformed")]);
    let nameless = world.crm.create_token(&admin(), id, " ", None).await;
    assert_eq!(faults(nameless), [("name", "required")]);
}

#[tokio::test]
async fn a_revoked_token_acts_for_nobody() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let secret = world.crm.create_token(&admin(), id, "鍵", None).await.unwrap();
    let token = world.crm.list_tokens(&admin()).await.unwrap()[0].0.id;
    assert_eq!(code(world.crm.revoke_token(&member(), token).await), "denied");
    world.crm.revoke_token(&admin(), token).await.unwrap();
    assert_eq!(world.crm.token_actor(&secret).await.unwrap(), None);
    assert_eq!(code(world.crm.revoke_token(&admin(), token).await), "not_found");
    assert_eq!(
        code(world.crm.revoke_token(&admin(), TokenId::new(404)).await),
        "not_found"
    );
    assert_eq!(
        world.crm.list_tokens(&admin()).await.unwrap()[0].0.revoked_at,
        Some(start())
    );
}
