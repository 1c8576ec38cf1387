//! The first start: the link for the first administrator.

use std::sync::Arc;

use crm_domain::members::{Device, Role};
use crm_domain::use_cases::{LINK_LIFE, SetupForm};
use crm_testkit::fixtures::{admin, operator};

use crate::world::{PASSWORD, World, code, faults};

fn form(email: &str, password: &str) -> SetupForm {
    SetupForm {
        name: "責任者".to_owned(),
        email: email.to_owned(),
        password: password.to_owned(),
    }
}

#[tokio::test]
async fn whoever_has_the_link_becomes_the_first_administrator() {
    let world = World::new();
    let link = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    world.crm.look_at_setup_link(&link).await.unwrap();
    world.crm.look_at_setup_link(&link).await.unwrap();
    let setup = async |form| world.crm.use_setup_link(&link, form, Device::default()).await;
    assert_eq!(
        faults(setup(form("boss", "short")).await),
        [("email", "malformed"), ("password", "too_short")]
    );
    assert_eq!(
        faults(setup(form("boss@example.jp", "Password1234")).await),
        [("password", "common")]
    );
    let (session, who) = setup(form("boss@example.jp", PASSWORD)).await.unwrap();
    assert_eq!((who.role, who.name.as_str()), (Role::Admin, "責任者"));
    assert!(world.is_signed_in(&session).await);
    assert!(world.sign_in("boss@example.jp", PASSWORD).await.is_ok());
    assert_eq!(code(setup(form("two@example.jp", PASSWORD)).await), "link_spent");
    assert_eq!(world.crm.make_setup_link(&operator()).await.unwrap(), None);
    assert!(world.crm.only_one_administrator(&admin()).await.unwrap());
    world.member("two@example.jp", Role::Admin).await;
    assert!(!world.crm.only_one_administrator(&admin()).await.unwrap());
}

#[tokio::test]
async fn each_server_that_starts_tells_a_link_that_works_for_a_day_until_one_is_used() {
    let world = World::new();
    let first = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    let second = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    assert_eq!(code(world.crm.look_at_setup_link("nonsense").await), "link_spent");
    world.crm.look_at_setup_link(&first).await.unwrap();
    world.crm.look_at_setup_link(&second).await.unwrap();
    world.pass(LINK_LIFE);
    for link in [&first, &second] {
        assert_eq!(code(world.crm.look_at_setup_link(link).await), "link_spent");
    }
    let third = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    let fourth = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    let used = form("one@example.jp", PASSWORD);
    world
        .crm
        .use_setup_link(&third, used, Device::default())
        .await
        .unwrap();
    for link in [&third, &fourth] {
        let again = form("two@example.jp", PASSWORD);
        let used = world.crm.use_setup_link(link, again, Device::default());
        assert_eq!(code(used.await), "link_spent");
    }
}

#[tokio::test]
async fn any_member_ends_the_link() {
    let world = World::new();
    let link = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    world.member("boss@example.jp", Role::Admin).await;
    assert_eq!(code(world.crm.look_at_setup_link(&link).await), "link_spent");
    let used = world
        .crm
        .use_setup_link(&link, form("two@example.jp", PASSWORD), Device::default());
    assert_eq!(code(used.await), "link_spent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_use_it_at_once_one_becomes_administrator() {
    let world = Arc::new(World::new());
    let link = world.crm.make_setup_link(&operator()).await.unwrap().unwrap();
    let tries: Vec<_> = (0..8)
        .map(|number| {
            let (world, link) = (Arc::clone(&world), link.clone());
            tokio::spawn(async move {
                let form = form(&format!("{number}@example.jp"), PASSWORD);
                world
                    .crm
                    .use_setup_link(&link, form, Device::default())
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut made = 0;
    for attempt in tries {
        made += usize::from(attempt.await.unwrap());
    }
    assert_eq!(made, 1);
    assert_eq!(world.crm.list_members(&admin()).await.unwrap().len(), 1);
}
