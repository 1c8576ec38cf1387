//! Names of senders, choosing a member, and login ids.

use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId};
use crm_domain::error::Error;
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::profiles::{Profile, ProfileError};
use crm_domain::ports::store::{StoreError, StoreExt as _};
use crm_domain::senders::Sender;
use crm_domain::values::{FieldError, LineUserId, Problem};
use crm_testkit::fixtures::{admin, customer_details, customer_on, member, profile, user, user_id};
use time::Duration;

use crate::world::{World, code};

const JOB: Actor = Actor::Job("names");

fn busy(wait: Option<u32>) -> ProfileError {
    ProfileError::Later {
        problem: SendProblem::NoConnection,
        wait,
    }
}

impl World {
    async fn note(&self, people: Vec<LineUserId>) {
        let at = self.crm.now();
        let noted = self.store.write(move |unit| {
            unit.edit_senders().note_senders(&people, at)?;
            Ok::<_, StoreError>(())
        });
        noted.await.unwrap();
    }

    async fn sender(&self, person: &LineUserId) -> Sender {
        let found = self.crm.senders_of(&member(), vec![person.clone()]).await;
        found.unwrap().remove(0)
    }

    /// Of how many the directory was asked, and how many names it told.
    async fn round(&self) -> (usize, usize) {
        let round = self.crm.fetch_names(&JOB, 10).await.unwrap();
        (round.asked, round.found)
    }
}

#[tokio::test]
async fn a_name_is_asked_for_once() {
    let world = World::new();
    world.profiles.add(profile(&user(1)));
    world.note(vec![user(1)]).await;
    assert_eq!(world.round().await, (1, 1));
    assert_eq!(
        world.sender(&user(1)).await.full_name().as_deref(),
        Some("佐藤 次郎")
    );
    world.pass(Duration::days(30));
    assert_eq!(world.round().await, (0, 0));
    assert_eq!(code(world.crm.fetch_names(&admin(), 1).await), "denied");
}

#[tokio::test]
async fn one_nobody_knows_does_not_hold_up_the_others() {
    let world = World::new();
    world.profiles.add(profile(&user(2)));
    world.note(vec![user(1), user(2)]).await;
    assert_eq!(world.round().await, (2, 1));
    let unknown = world.sender(&user(1)).await;
    assert!(unknown.is_nameless());
    assert_eq!(
        (unknown.problem.as_deref(), unknown.tries),
        (Some("not_found"), 1)
    );
    for (wait, asked) in [(59, 0), (1, 1), (119, 0), (1, 1)] {
        world.pass(Duration::seconds(wait));
        assert_eq!(world.round().await, (asked, 0), "{wait}");
    }
}

#[tokio::test]
async fn without_the_scope_nobody_is_asked_for_an_hour_or_until_a_restart() {
    let world = World::new();
    world.profiles.add(profile(&user(1)));
    world.note(vec![user(1), user(2)]).await;
    world.profiles.fail_next(ProfileError::ScopeMissing);
    let round = world.crm.fetch_names(&JOB, 10).await.unwrap();
    let pause = round.pause.unwrap();
    assert_eq!((round.asked, &pause.problem), (1, &ProfileError::ScopeMissing));
    for person in [user(1), user(2)] {
        let waiting = world.sender(&person).await;
        assert!(waiting.is_nameless());
        assert_eq!(
            (waiting.problem.as_deref(), waiting.tries),
            (Some("scope_missing"), 0)
        );
    }
    world.note(vec![user(3)]).await;
    assert_eq!(world.crm.defer_names(&JOB, &pause).await.unwrap(), 1);
    assert_eq!(world.crm.defer_names(&JOB, &pause).await.unwrap(), 0);
    world.pass(Duration::minutes(59));
    assert_eq!(world.round().await, (0, 0));
    assert!(pause.lasts(world.crm.now()));
    world.crm.retry_names(&JOB).await.unwrap();
    assert_eq!(world.round().await, (3, 1));
    world.pass(Duration::minutes(1));
    assert!(!pause.lasts(world.crm.now()));
}

#[tokio::test]
async fn who_asks_too_often_waits_as_long_as_told() {
    let world = World::new();
    world.note(vec![user(1), user(2)]).await;
    world.profiles.fail_next(busy(Some(7)));
    assert_eq!(world.round().await, (1, 0));
    assert_eq!(world.sender(&user(1)).await.tries, 0);
    world.pass(Duration::seconds(6));
    assert_eq!(world.round().await, (0, 0));
    world.pass(Duration::seconds(1));
    assert_eq!(world.round().await, (2, 0));
}

#[tokio::test]
async fn one_that_always_fails_lets_the_others_go_first() {
    let world = World::new();
    world.profiles.add(profile(&user(2)));
    world.note(vec![user(1), user(2)]).await;
    for expected in [(1, 0), (1, 0)] {
        world.profiles.fail_next(busy(None));
        assert_eq!(world.round().await, expected);
        world.pass(Duration::minutes(1));
    }
    let asked = world.profiles.asked();
    assert!(asked.contains(&user(2).as_str().to_owned()), "{asked:?}");
}

async fn register(world: &World, id: &str) -> Result<LineUserId, Error> {
    let details = customer_on("山田", "太郎", &user_id(id));
    let new = world.crm.register_customer(&admin(), details).await?;
    let line = world.crm.show_customer(&admin(), new).await?;
    Ok(line.customer.details.line_user_id.unwrap())
}

#[tokio::test]
async fn a_login_id_becomes_the_user_id() {
    let world = World::new();
    world.profiles.add(profile(&user(1)));
    assert_eq!(register(&world, "jiro.sato@example").await.unwrap(), user(1));
    assert_eq!(register(&world, "as-typed").await.unwrap(), user_id("as-typed"));
    assert_eq!(world.profiles.asked().len(), 1, "only a login id is looked up");
    let id = world.customer(customer_details("鈴木", "一")).await;
    let login = Some(user_id("jiro.sato@example"));
    world.crm.link_customer(&admin(), id, login).await.unwrap();
    let linked = world.crm.show_customer(&admin(), id).await.unwrap();
    assert_eq!(linked.customer.details.line_user_id, Some(user(1)));
    let missing = CustomerId::new(404);
    let nobody = world.crm.link_customer(&admin(), missing, None).await;
    assert_eq!(code(nobody), "not_found");
}

#[tokio::test]
async fn a_login_id_that_cannot_be_resolved_is_refused_with_its_reason() {
    let world = World::new();
    let cases = [
        (None, Problem::LoginUnknown),
        (Some(ProfileError::ScopeMissing), Problem::LoginScopeMissing),
        (Some(ProfileError::NotConfigured), Problem::LoginNotConfigured),
        (Some(busy(None)), Problem::LoginUnresolved),
        (Some(busy(Some(3))), Problem::LoginUnresolved),
        (
            Some(ProfileError::Refused(SendProblem::BadRequest)),
            Problem::LoginUnresolved,
        ),
    ];
    for (error, problem) in cases {
        if let Some(error) = error {
            world.profiles.fail_next(error);
        }
        let Err(Error::Invalid(fields)) = register(&world, "nobody@example").await else {
            panic!("{problem:?} is told");
        };
        assert_eq!(fields, [FieldError::new("line_user_id", problem)]);
    }
    let all = world
        .crm
        .list_customers(&admin(), CustomerFilter::default(), PageRequest::first(10))
        .await;
    assert!(all.unwrap().items.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn an_imported_login_id_stays_until_it_can_be_resolved() {
    let world = World::new();
    let login = user_id("jiro.sato@example");
    let details = customer_on("佐藤", "次郎", &login);
    let id = world
        .crm
        .import_customer(&admin(), details.clone())
        .await
        .unwrap();
    let save = async |details: CustomerDetails| {
        world
            .crm
            .revise_customer(&admin(), id, None, details)
            .await
            .unwrap();
        let line = world.crm.show_customer(&admin(), id).await.unwrap();
        line.customer.details.line_user_id.unwrap()
    };
    assert_eq!(save(details.clone()).await, login);
    world.profiles.add(profile(&user(1)));
    assert_eq!(save(details).await, user(1));
}

fn named(number: u32, kana: &str) -> Profile {
    let mut profile = profile(&user(number));
    kana.clone_into(&mut profile.name.last_kana);
    profile
}

#[tokio::test]
async fn members_are_read_to_the_last_page_and_kept_for_a_minute() {
    let world = World::new();
    for (number, kana) in [
        (1, "ワタナベ"),
        (2, "サトウ"),
        (3, "アイザワ"),
        (4, "ヤマダ"),
        (5, "カトウ"),
    ] {
        world.profiles.add(named(number, kana));
    }
    let choice = world.crm.line_works_members(&member()).await.unwrap();
    let order: Vec<&str> = choice
        .members
        .iter()
        .map(|member| member.name.last_kana.as_str())
        .collect();
    assert_eq!(order, ["アイザワ", "カトウ", "サトウ", "ヤマダ", "ワタナベ"]);
    assert_eq!(choice.problem, None);
    let found: Vec<_> = choice.matching("やま").map(|one| one.user_id.clone()).collect();
    assert_eq!(found, [user(4)]);
    assert_eq!(choice.matching("ＪＩＲＯ").count(), 5);
    assert_eq!(choice.matching("佐藤次郎").count(), 5);
    assert_eq!(choice.matching("田中").count(), 0);
    assert_eq!(world.profiles.asked(), ["first", "2", "4"]);
    world.pass(Duration::seconds(59));
    world.crm.line_works_members(&member()).await.unwrap();
    assert_eq!(world.profiles.asked().len(), 3);
    world.pass(Duration::seconds(1));
    world.crm.line_works_members(&member()).await.unwrap();
    assert_eq!(world.profiles.asked().len(), 6);
}

#[tokio::test]
async fn a_list_that_breaks_off_says_so_and_is_not_kept() {
    let world = World::new();
    for number in 1..=3 {
        world.profiles.add(named(number, "サトウ"));
    }
    world.profiles.fail_next(ProfileError::ScopeMissing);
    let none = world.crm.line_works_members(&member()).await.unwrap();
    assert_eq!(
        (none.members.len(), none.problem),
        (0, Some(ProfileError::ScopeMissing))
    );
    let all = world.crm.line_works_members(&member()).await.unwrap();
    assert_eq!((all.members.len(), all.problem), (3, None));
}
