//! LINE WORKS set up in the pages.

use crm_domain::connection::{ConnectionField as F, ConnectionValues};
use crm_domain::members::Role;
use crm_domain::permissions::Actor;
use crm_domain::ports::connector::BotSetup;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::use_cases::{Advice, CheckState, ConnectionForm, ConnectionReport};
use crm_testkit::fakes::CALLBACK_URL;
use crm_testkit::fixtures::{admin, member, operator, person, viewer};

use crate::world::{JOB, PASSWORD, World, code, faults};

fn values(pairs: &[(F, &str)]) -> ConnectionValues {
    let mut values = ConnectionValues::default();
    for (field, value) in pairs {
        values.set(*field, value);
    }
    values
}

fn form(version: i64, pairs: &[(F, &str)]) -> ConnectionForm {
    ConnectionForm {
        version,
        values: values(pairs),
    }
}

/// An administrator who has a password.
async fn anna(world: &World) -> Actor {
    let id = world.member("anna@example.jp", Role::Admin).await;
    person(id.get(), "Anna", Role::Admin)
}

const ALL: [(F, &str); 3] = [(F::BotId, "1"), (F::BotSecret, "hush"), (F::Scope, "bot")];

#[tokio::test]
async fn what_is_saved_is_sealed_and_in_use() {
    let world = World::new();
    let anna = anna(&world).await;
    world
        .crm
        .save_connection(&anna, form(0, &ALL), PASSWORD)
        .await
        .unwrap();
    assert_eq!(world.connector.values(), values(&ALL));
    let stored: Result<_, StoreError> = world.store.read(|unit| unit.connection().connection()).await;
    let stored = stored.unwrap();
    assert_eq!((stored.version, stored.values.len()), (1, 3));
    assert!(
        stored
            .values
            .iter()
            .all(|value| !value.sealed.windows(4).any(|part| part == b"hush"))
    );
    let view = world.crm.show_connection(&anna).await.unwrap();
    let secret = view
        .fields
        .iter()
        .find(|field| field.field == F::BotSecret)
        .unwrap();
    assert!(secret.value.is_empty() && secret.stored.is_some());
    assert_eq!(view.fields[0].value, "1");
    assert_eq!(view.callback_url.as_deref(), Some(CALLBACK_URL));
}

#[tokio::test]
async fn secrets_stay_when_they_are_left_empty_and_others_go() {
    let world = World::new();
    world
        .crm
        .save_connection(&operator(), form(0, &ALL), "")
        .await
        .unwrap();
    world
        .crm
        .save_connection(&operator(), form(1, &[(F::BotId, "2")]), "")
        .await
        .unwrap();
    assert_eq!(
        world.connector.values(),
        values(&[(F::BotId, "2"), (F::BotSecret, "hush")])
    );
    assert_eq!(
        code(world.crm.save_connection(&operator(), form(1, &ALL), "").await),
        "stale"
    );
}

#[tokio::test]
async fn the_password_and_every_field_are_checked_at_once() {
    let world = World::new();
    let anna = anna(&world).await;
    let wrong = form(0, &[(F::BotId, "bot"), (F::ClientId, &"x".repeat(201))]);
    let refused = world.crm.save_connection(&anna, wrong, "something else").await;
    assert_eq!(
        faults(refused),
        [
            ("client_id", "too_long"),
            ("bot_id", "malformed"),
            ("password", "malformed")
        ]
    );
    assert_eq!(world.connector.values(), ConnectionValues::default());
    for actor in [member(), viewer(), JOB] {
        assert_eq!(
            code(world.crm.save_connection(&actor, form(0, &ALL), "").await),
            "denied"
        );
        assert_eq!(code(world.crm.show_connection(&actor).await), "denied");
        assert_eq!(code(world.crm.check_connection(&actor).await), "denied");
        assert_eq!(code(world.crm.renew_access_token(&actor).await), "denied");
        assert_eq!(code(world.crm.set_bot_up(&actor).await), "denied");
        assert_eq!(code(world.crm.read_pasted_env(&actor, "")), "denied");
    }
}

#[tokio::test]
async fn what_the_environment_sets_is_shown_and_never_stored() {
    let world = World::new();
    world.connector.fix(F::BotId, "9");
    world
        .crm
        .save_connection(&operator(), form(0, &ALL), "")
        .await
        .unwrap();
    assert_eq!(world.connector.values().get(F::BotId), None);
    let view = world.crm.show_connection(&admin()).await.unwrap();
    assert_eq!(
        (view.fields[0].value.as_str(), view.fields[0].fixed.as_deref()),
        ("9", Some("environment"))
    );
}

#[tokio::test]
async fn what_another_program_saved_is_taken_once() {
    let world = World::new();
    assert!(!world.crm.reload_connection(&JOB).await.unwrap());
    let stored: Result<i64, StoreError> = world
        .store
        .write(|unit| {
            unit.edit_connection().save_connection(
                0,
                &[(F::BotId, Some(vec![1]))],
                "x",
                crm_testkit::fixtures::start(),
            )
        })
        .await;
    assert_eq!(stored.unwrap(), 1);
    assert!(world.crm.reload_connection(&JOB).await.unwrap());
    assert!(!world.crm.reload_connection(&JOB).await.unwrap());
    let view = world.crm.show_connection(&admin()).await.unwrap();
    assert!(view.fields[0].broken, "an envelope that does not open is told");
}

fn states(report: &ConnectionReport) -> Vec<(&'static str, CheckState)> {
    report.steps.iter().map(|step| (step.check, step.state)).collect()
}

#[tokio::test]
async fn the_check_goes_as_far_as_it_can() {
    let world = World::new();
    let check = async || world.crm.check_connection(&admin()).await.unwrap();
    let report = check().await;
    assert!(
        report
            .steps
            .iter()
            .all(|step| step.advice == Advice::Skipped("not_set_up"))
    );
    world
        .crm
        .save_connection(&operator(), form(0, &ALL), "")
        .await
        .unwrap();
    world.connector.fail(Some(SendProblem::CredentialsRefused));
    let report = check().await;
    assert_eq!(
        states(&report)[..3],
        [
            ("private_key", CheckState::Ok),
            ("token", CheckState::Failed),
            ("bot", CheckState::Skipped),
        ]
    );
    world.connector.fail(None);
    world.connector.set_bot(BotSetup {
        name: "CRM".to_owned(),
        callback_url: "https://elsewhere.example/webhook".to_owned(),
        callback_enabled: true,
        channel_events: vec!["message".to_owned(), "custom".to_owned()],
        callback_events: vec!["image".to_owned()],
    });
    let report = check().await;
    let of = |name: &str| report.steps.iter().find(|step| step.check == name).unwrap();
    assert_eq!(of("callback_url").state, CheckState::Failed);
    assert_eq!(
        (of("events").state, of("events").detail.as_str()),
        (CheckState::Warning, "begin, end")
    );
    assert_eq!(
        (of("message_kinds").state, of("message_kinds").detail.as_str()),
        (CheckState::Failed, "text, file")
    );
    let offer = report.offer.clone().unwrap();
    assert_eq!(offer.channel_events[..3], ["message", "custom", "postback"]);
    let set = world.crm.set_bot_up(&admin()).await.unwrap().unwrap();
    assert_eq!(set, offer);
    assert_eq!(world.connector.bot().callback_url, CALLBACK_URL);
    assert_eq!(check().await.offer, None);
}
