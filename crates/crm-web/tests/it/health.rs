//! Does it live, and can it take callbacks.

use crate::harness::{Ask, Setup, TestServer};

#[tokio::test]
async fn a_running_server_lives_and_is_ready() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_callbacks_door_shows_nothing_else() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let setup = Setup::default().with("CRM_CALLBACK_LISTEN", &free.to_string());
    let server = TestServer::start_with(setup).await;
    let door = server.callback_door().await;
    assert_eq!(Ask::get("/healthz").send(door).await.status, 200);
    assert_eq!(Ask::post("/webhook").bytes("{}").send(door).await.status, 200);
    for path in [
        "/",
        "/login",
        "/customers",
        "/readyz",
        "/api/v1/openapi.json",
        "/assets/x/app.css",
    ] {
        assert_eq!(Ask::get(path).send(door).await.status, 404, "{path}");
    }
    server
        .simulator
        .set_callback_url(format!("http://{door}/webhook"));
    let event = crm_lineworks_sim::callbacks::text(crate::harness::TARO, "扉から");
    assert_eq!(server.simulator.deliver(&event).await.unwrap().status, 200);
    server.wait_for_log("No customer has the user id").await;
}

#[tokio::test]
async fn the_program_asks_itself_whether_it_is_well() {
    let mut server = TestServer::start().await;
    let address = server.address.to_string();
    let listen = [("CRM_LISTEN", address.as_str())];
    let (well, said) = server.run_beside(&listen, &["--healthy"]).await;
    assert!(well, "{said}");
    server.kill().await;
    let (well, said) = server.run_beside(&listen, &["--healthy"]).await;
    assert!(!well && said.contains(&address), "{said}");
}

#[tokio::test]
async fn readiness_tells_how_each_part_fares() {
    let server = TestServer::start().await;
    let well = server.get("/readyz").await.text();
    let expected = "ready\ndatabase: ok\nspool: ok\nLINE WORKS: ok\nbackups: none yet\n";
    assert_eq!(well, expected);
    let without = Setup {
        without_line_works: true,
        ..Setup::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "where the folder should be").unwrap();
    let without = without.with("CRM_SPOOL_DIR", blocked.to_str().unwrap());
    let server = TestServer::start_with(without).await;
    let answer = server.get("/readyz").await;
    let expected = "degraded: spool\ndatabase: ok\nspool: cannot be written\nLINE WORKS: not set up\nbackups: none yet\n";
    assert_eq!((answer.status, answer.text().as_str()), (200, expected));
}
