//! Administration of teams.

use crm_domain::members::Role;
use crm_domain::teams::Sees;

use crate::harness::TestServer;

#[tokio::test]
async fn a_team_is_made_changed_and_deleted() {
    let server = TestServer::start().await;
    let mut admin = server.signed_in(Role::Admin).await;
    let ken = server.add_member("ken@example.jp", Role::Member).await;
    assert!(admin.get("/admin/teams").await.text().contains("チームはまだありません"));
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
    let saved = admin.post(&page, &[("team_name", "営業部"), ("sees", "team")]).await;
    assert_eq!(saved.status, 303);
    let number = ken.to_string();
    let who = [("leader", number.as_str())];
    assert_eq!(admin.post(&format!("{page}/members"), &who).await.status, 303);
    let operator = TestServer::operator();
    let teams = server.crm.list_teams(&operator).await.unwrap();
    assert_eq!((teams[0].name.as_str(), teams[0].sees), ("営業部", Sees::Team));
    let places = server.crm.team_members(&operator).await.unwrap();
    assert_eq!((places[0].member_id, places[0].leader), (ken, true));
    assert!(admin.get("/admin/users").await.text().contains("営業部（リーダー）"));
    let stranger = admin.post(&format!("{page}/members"), &[("member", "999999")]).await;
    assert_eq!(stranger.status, 422);
    let delete = format!("{page}/delete");
    assert!(admin.get(&delete).await.text().contains("営業部"));
    assert_eq!(admin.post(&delete, &[]).await.status, 303);
    assert_eq!(admin.get(&page).await.status, 404);
    assert!(server.crm.list_teams(&operator).await.unwrap().is_empty());
}
