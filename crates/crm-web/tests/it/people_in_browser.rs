//! The pages about people in a real browser, on a desk and on a phone; their pictures are left in `target/tmp/people`.

use std::path::Path;

use crm_domain::members::Role;
use crm_domain::teams::{Sees, TeamDetails};

use crate::factors;
use crate::harness::TestServer;
use crate::harness::server::PASSWORD;
use crate::harness::window::Window;

const ENTER: &str = "\u{e007}";

/// Nothing is wider than the window.
async fn fits(window: &Window, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("people");
    std::fs::create_dir_all(&folder).unwrap();
    let picture = window.driver.screenshot_as_png().await.unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    let script = "return [document.documentElement.scrollWidth, innerWidth]";
    let (wide, window): (u32, u32) = window.ask(script).await;
    assert!(wide <= window, "{name} is {wide} wide in {window}");
}

/// An administrator, somebody in a team with a customer, and their tokens.
async fn scene(server: &TestServer) -> (String, String) {
    server.add_member("admin@example.jp", Role::Admin).await;
    let ken = server
        .add_member("ken.takahashi.with.a.long.name@example.jp", Role::Member)
        .await;
    let operator = TestServer::operator();
    let details = TeamDetails {
        name: "営業第一チーム（関東・甲信越）".to_owned(),
        sees: Sees::Own,
    };
    let team = server.crm.add_team(&operator, details).await.unwrap();
    let belongs = server.crm.set_team_members(&operator, team, vec![(ken, true)]);
    belongs.await.unwrap();
    let customer = server.add_customer("山田", "太郎", None).await;
    let owned = server.crm.assign_owner(&operator, customer, Some(ken));
    owned.await.unwrap();
    (format!("/admin/users/{ken}"), format!("/admin/teams/{team}"))
}

async fn walk(width: u32) {
    let server = TestServer::start().await;
    let (user, team) = scene(&server).await;
    let window = Window::open(&server, width).await;
    window.sign_in("admin@example.jp").await;
    window.go("/admin/tokens").await;
    window
        .type_into("#f-token_name", &format!("販売管理との連携{ENTER}"))
        .await;
    let made = "return !!document.querySelector('.link-card .one-time')";
    window.until("the secret", made).await;
    fits(&window, &format!("token-{width}")).await;
    let places = [
        ("admin", "/admin"),
        ("users", "/admin/users"),
        ("user", user.as_str()),
        ("disable", &format!("{user}/disable")),
        ("teams", "/admin/teams"),
        ("team", team.as_str()),
        ("tokens", "/admin/tokens"),
        ("sessions", "/admin/sessions"),
        ("me", "/me"),
    ];
    for (name, path) in places {
        window.go(path).await;
        fits(&window, &format!("{name}-{width}")).await;
    }
    set_a_factor_up(&window, width).await;
    window.close().await;
}

async fn set_a_factor_up(window: &Window, width: u32) {
    window.go("/me/factor").await;
    window
        .type_into("#f-current_password", &format!("{PASSWORD}{ENTER}"))
        .await;
    window
        .until(
            "the picture",
            "return (document.querySelector('.qr')?.getBoundingClientRect().width ?? 0) > 150",
        )
        .await;
    fits(window, &format!("factor-{width}")).await;
    let page: String = window.ask("return document.documentElement.outerHTML").await;
    let code = factors::code(&factors::seed(&page), 0);
    window.type_into("#f-code", &format!("{code}{ENTER}")).await;
    window
        .until(
            "the codes",
            "return document.querySelectorAll('.codes li').length === 10",
        )
        .await;
    fits(window, &format!("codes-{width}")).await;
    window.go("/me/factor").await;
    fits(window, &format!("factor-on-{width}")).await;
}

#[tokio::test]
async fn the_pages_about_people_fit_a_desk() {
    walk(1280).await;
}

#[tokio::test]
async fn the_pages_about_people_fit_a_phone() {
    walk(390).await;
}
