//! Tokens: made, used, expired, revoked.

use crm_domain::members::{Role, Scopes, TokenId};
use crm_domain::permissions::{Action, Actor};
use crm_domain::use_cases::TokenForm;
use crm_testkit::fixtures::{admin, after, person, start};
use time::Duration;

use crate::world::{World, code, faults, token_form};

fn until_a_minute(form: TokenForm) -> TokenForm {
    TokenForm {
        expires_at: Some(after(60)),
        ..form
    }
}

#[tokio::test]
async fn a_token_acts_for_its_member() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let secret = world
        .crm
        .create_token(&admin(), token_form(id, "夜間処理"))
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
        .create_token(&admin(), until_a_minute(token_form(id, "短期")))
        .await
        .unwrap();
    assert!(world.crm.token_actor(&secret).await.unwrap().is_some());
    world.pass(Duration::seconds(60));
    assert_eq!(world.crm.token_actor(&secret).await.unwrap(), None);
    let past = world
        .crm
        .create_token(&admin(), until_a_minute(token_form(id, "過去")))
        .await;
    assert_eq!(faults(past), [("expires", "malformed")]);
    let nameless = world.crm.create_token(&admin(), token_form(id, " ")).await;
    assert_eq!(faults(nameless), [("name", "required")]);
}

#[tokio::test]
async fn a_revoked_token_acts_for_nobody() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    let secret = world
        .crm
        .create_token(&admin(), token_form(id, "鍵"))
        .await
        .unwrap();
    let token = world.crm.list_tokens(&admin()).await.unwrap()[0].0.id;
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

#[tokio::test]
async fn everybody_makes_and_revokes_tokens_of_their_own() {
    let world = World::new();
    let (id, other) = (
        world.member("a@example.jp", Role::Viewer).await,
        world.member("b@example.jp", Role::Member).await,
    );
    let myself = person(id.get(), "甲", Role::Viewer);
    let theirs = person(other.get(), "乙", Role::Member);
    let secret = world
        .crm
        .create_token(&myself, token_form(id, "鍵"))
        .await
        .unwrap();
    assert_eq!(
        code(world.crm.create_token(&myself, token_form(other, "鍵")).await),
        "denied"
    );
    let program = world.crm.token_actor(&secret).await.unwrap().unwrap().actor;
    assert!(program.may(Action::ViewRecords).is_ok());
    assert!(
        program.may(Action::SendMessages).is_err(),
        "never beyond the owner's rights"
    );
    assert_eq!(
        code(world.crm.create_token(&program, token_form(id, "鍵")).await),
        "denied"
    );
    let mine = world.crm.list_own_tokens(&myself).await.unwrap();
    assert_eq!(mine.len(), 1);
    assert!(world.crm.list_own_tokens(&theirs).await.unwrap().is_empty());
    assert_eq!(
        code(world.crm.revoke_token(&theirs, mine[0].id).await),
        "not_found"
    );
    assert_eq!(code(world.crm.revoke_token(&program, mine[0].id).await), "denied");
    world.crm.revoke_token(&myself, mine[0].id).await.unwrap();
    assert_eq!(world.crm.token_actor(&secret).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_is_good_for_its_scopes() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    for (codes, may) in [
        (&["read"][..], [true, false, false]),
        (&["write"], [false, true, false]),
        (&["send", "read"], [true, false, true]),
    ] {
        let form = TokenForm {
            scopes: Scopes::from_codes(codes.iter().copied()).unwrap(),
            ..token_form(id, "鍵")
        };
        let secret = world.crm.create_token(&admin(), form).await.unwrap();
        let program = world.crm.token_actor(&secret).await.unwrap().unwrap().actor;
        let answers = [Action::ViewRecords, Action::EditRecords, Action::SendMessages]
            .map(|action| program.may(action).is_ok());
        assert_eq!(answers, may, "{codes:?}");
    }
    assert_eq!(Scopes::from_codes(["read", "king"]), None);
    assert_eq!(Scopes::from_codes([]), None);
    assert_eq!(Scopes::ALL.codes(), ["read", "write", "send"]);
}

#[tokio::test]
async fn all_tokens_are_revoked_at_once() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    for name in ["一", "二"] {
        world
            .crm
            .create_token(&admin(), token_form(id, name))
            .await
            .unwrap();
    }
    assert_eq!(world.crm.revoke_all_tokens(&admin()).await.unwrap(), 2);
    assert_eq!(world.crm.revoke_all_tokens(&admin()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_disabled_member_gets_no_token() {
    let world = World::new();
    let id = world.member("a@example.jp", Role::Member).await;
    world.crm.disable_member(&admin(), id, true).await.unwrap();
    assert_eq!(
        code(world.crm.create_token(&admin(), token_form(id, "鍵")).await),
        "not_found"
    );
}
