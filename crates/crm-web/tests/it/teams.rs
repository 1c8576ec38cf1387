//! Administration of teams.

use crm_domain::members::Role;
use crm_domain::teams::{Sees, TeamDetails};

use crate::harness::TestServer;

#[tokio::test]
async fn a_team_is_made_changed_and_deleted() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    assert!(
        admin
            .get("/admin/teams")
            .await
            .text()
            .contains("チームはまだありません")
    );
    let typed = [("team_name", "営業第一チーム"), ("sees", "own")];
    let added = admin.post("/admin/teams", &typed).await;
    assert_eq!(added.status, 303, "{}", added.text());
    let page = added.header("location").unwrap().to_owned();
    let shown = admin.get(&page).await.text();
    assert!(shown.contains("営業第一チーム") && shown.contains("value=\"own\" autocomplete=\"off\" checked"));
    let taken = admin.post("/admin/teams", &typed).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text().contains("同じ名前のチームがあります。"));
    assert!(taken.text().contains("value=\"営業第一チーム\""));
    let without = admin.post(&page, &[("team_name", " "), ("sees", "x")]).await;
    assert_eq!(without.status, 422);
    let saved = admin
        .post(&page, &[("team_name", "営業部"), ("sees", "team")])
        .await;
    assert_eq!(saved.status, 303);
    let number = ken.to_string();
    let who = [("leader", number.as_str())];
    assert_eq!(admin.post(&format!("{page}/members"), &who).await.status, 303);
    let operator = TestServer::operator();
    let teams = server.crm.list_teams(&operator).await.unwrap();
    assert_eq!((teams[0].name.as_str(), teams[0].sees), ("営業部", Sees::Team));
    let places = server.crm.team_members(&operator).await.unwrap();
    assert_eq!((places[0].member_id, places[0].leader), (ken, true));
    assert!(
        admin
            .get("/admin/users")
            .await
            .text()
            .contains("営業部（リーダー）")
    );
    let stranger = admin
        .post(&format!("{page}/members"), &[("member", "999999")])
        .await;
    assert_eq!(stranger.status, 422);
    let delete = format!("{page}/delete");
    assert!(admin.get(&delete).await.text().contains("営業部"));
    assert_eq!(admin.post(&delete, &[]).await.status, 303);
    assert_eq!(admin.get(&page).await.status, 404);
    assert!(server.crm.list_teams(&operator).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_customer_is_given_to_a_team_and_goes_out_of_sight() {
    let server = TestServer::start().await;
    let mut member = server.signed_in(Role::Member).await;
    let customer = server.add_customer("山田", "太郎", None).await;
    let page = format!("/customer/{customer}");
    assert!(
        !member.get(&page).await.text().contains("name=\"team_id\""),
        "no team so far"
    );
    let operator = TestServer::operator();
    let team = |name: &str| TeamDetails {
        name: name.to_owned(),
        sees: Sees::Team,
    };
    let own = server.crm.add_team(&operator, team("営業")).await.unwrap();
    let other = server.crm.add_team(&operator, team("サポート")).await.unwrap();
    let me = server.crm.list_members(&operator).await.unwrap()[0].id;
    let belongs = server.crm.set_team_members(&operator, own, vec![(me, false)]);
    belongs.await.unwrap();
    let shown = member.get(&page).await.text();
    assert!(shown.contains("name=\"team_id\"") && shown.contains("チームなし"));
    let (own, other) = (own.to_string(), other.to_string());
    let road = format!("{page}/team");
    let kept = member.post(&road, &[("team_id", &own)]).await;
    assert_eq!((kept.status, kept.header("location")), (303, Some(page.as_str())));
    assert_eq!(member.post(&road, &[("team_id", "999999")]).await.status, 422);
    let given = member.post(&road, &[("team_id", &other)]).await;
    assert_eq!(
        (given.status, given.header("location")),
        (303, Some("/customers"))
    );
    assert_eq!(member.get(&page).await.status, 404);
}
