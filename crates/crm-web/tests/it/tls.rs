//! https of our own: the certificate, its exchange, and who speaks http all the same.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crm_domain::members::Role;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::server::{PASSWORD, TestServer, launch, listening};
use crate::harness::{Answer, Ask, Setup, until};

/// A certificate for `localhost`, written to the folder.
fn issue(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    // As renewing programs do: written beside, then moved into place.
    for (name, text) in [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem())] {
        std::fs::write(folder.join("new"), text).unwrap();
        std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
    }
    certificate.der().clone()
}

fn setup(folder: &TempDir) -> Setup {
    let path = |name: &str| folder.path().join(name).display().to_string();
    Setup {
        https: true,
        ..Setup::default()
    }
    .with("CRM_TLS_CERT", &path("tls.crt"))
    .with("CRM_TLS_KEY", &path("tls.key"))
}

/// Sends over https, trusting only this certificate.
async fn send(ask: Ask, to: SocketAddr, trusted: &CertificateDer<'static>) -> Option<Answer> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(to).await.ok()?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()?;
    stream.write_all(&ask.bytes_for(to)).await.ok()?;
    let mut received = Vec::new();
    drop(stream.read_to_end(&mut received).await);
    Answer::parse(&received)
}

#[tokio::test]
async fn pages_are_served_over_https_and_cookies_are_for_it_only() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = issue(folder.path());
    let server = TestServer::start_with(setup(&folder)).await;
    server.add_member("hanako@example.jp", Role::Member).await;
    let page = send(Ask::get("/login"), server.address, &trusted)
        .await
        .expect("a page");
    assert_eq!(page.status, 200);
    assert!(page.header("strict-transport-security").is_some());
    let cookie = page.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let token = page.csrf();
    let form = [
        ("email", "hanako@example.jp"),
        ("password", PASSWORD),
        ("csrf_token", token.as_str()),
    ];
    let ask = Ask::post("/login")
        .form(&form)
        .header("origin", format!("https://{}", server.address))
        .header("cookie", cookie.split(';').next().unwrap());
    let answer = send(ask, server.address, &trusted).await.expect("an answer");
    assert_eq!(answer.status, 303, "{}", answer.text());
    for line in answer.all("set-cookie") {
        assert!(line.ends_with("; Secure"), "{line}");
    }
}

#[tokio::test]
async fn who_speaks_http_is_led_to_https() {
    let folder = tempfile::tempdir().unwrap();
    let _ = issue(folder.path());
    let server = TestServer::start_with(setup(&folder)).await;
    let led = server.get("/customers?q=a%26b").await;
    let to = format!("https://{}/customers?q=a%26b", server.address);
    assert_eq!((led.status, led.header("location")), (308, Some(to.as_str())));
    assert!(led.header("x-request-id").is_some_and(|id| id.len() == 16));
    assert_eq!(led.header("strict-transport-security"), None);
    for host in [
        "evil.example",
        "localhost@evil.example",
        "evil.example\\localhost",
    ] {
        let answer = Ask::get("/").header("host", host).send(server.address).await;
        let place = answer.header("location").unwrap_or_default();
        assert!(
            place.is_empty() || place.starts_with("https://localhost:3000/"),
            "{host}: {place}"
        );
    }
    assert_eq!(
        server.get("/healthz").await.status,
        200,
        "whoever watches may ask in the clear"
    );
    assert_eq!(server.get("/readyz").await.status, 200);
    let form = Ask::post("/login").form(&[("email", "a"), ("password", "b")]);
    let refused = form.send(server.address).await;
    assert_eq!((refused.status, refused.all("set-cookie").len()), (400, 0));
    let callback = Ask::post("/webhook").bytes("{}").send(server.address).await;
    assert_eq!(callback.status, 400);
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = issue(folder.path());
    let server = TestServer::start_with(setup(&folder)).await;
    let healthy = async |trusted: &CertificateDer<'static>| {
        let answer = send(Ask::get("/healthz"), server.address, trusted).await;
        answer.is_some_and(|answer| answer.status == 200)
    };
    assert!(healthy(&first).await);
    std::fs::write(folder.path().join("tls.crt"), "nothing").unwrap();
    server.wait_for_log("the one before stays").await;
    assert!(healthy(&first).await, "a bad file changes nothing");
    let second = issue(folder.path());
    until("the new certificate", async || {
        healthy(&second).await.then_some(())
    })
    .await;
    assert!(!healthy(&first).await);
    let other = tempfile::tempdir().unwrap();
    let _ = issue(other.path());
    std::fs::copy(other.path().join("tls.key"), folder.path().join("tls.key")).unwrap();
    server.wait_for_log("CRM_TLS_KEY の秘密鍵は").await;
    assert!(
        healthy(&second).await,
        "the key of another certificate changes nothing"
    );
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_stops_the_start_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let _ = issue(folder.path());
    let other = tempfile::tempdir().unwrap();
    let _ = issue(other.path());
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let cases = [
        (
            certificate.clone(),
            other.path().join("tls.key"),
            ["CRM_TLS_KEY の秘密鍵は", "does not belong"],
        ),
        (
            key.clone(),
            key.clone(),
            ["証明書がありません", "holds no certificate"],
        ),
        (
            certificate.clone(),
            certificate.clone(),
            ["秘密鍵がありません", "holds no private key"],
        ),
        (
            folder.path().join("empty"),
            key.clone(),
            ["CRM_TLS_CERT", "holds no certificate"],
        ),
        (
            folder.path().join("none"),
            key.clone(),
            ["を読めません", "cannot be read"],
        ),
    ];
    for (certificate, key, said) in cases {
        let settings = [
            ("CRM_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("CRM_TLS_CERT".to_owned(), certificate.display().to_string()),
            ("CRM_TLS_KEY".to_owned(), key.display().to_string()),
        ];
        let (well, text) = crate::harness::server::run_to_end(&settings, &folder, &[]).await;
        assert!(
            !well && said.iter().all(|part| text.contains(part)),
            "{said:?}: {text}"
        );
    }
    let alone = [("CRM_TLS_CERT".to_owned(), certificate.display().to_string())];
    let (well, text) = crate::harness::server::run_to_end(&alone, &folder, &[]).await;
    assert!(!well && text.contains("CRM_TLS_KEY"), "{text}");
}

#[tokio::test]
async fn the_door_for_callbacks_takes_both() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = issue(folder.path());
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let setup = setup(&folder).with("CRM_CALLBACK_LISTEN", &free.to_string());
    let server = TestServer::start_with(setup).await;
    let door = server.callback_door().await;
    let plain = Ask::post("/webhook").bytes("{}").send(door).await;
    assert_eq!(plain.status, 200);
    let sealed = send(Ask::post("/webhook").bytes("{}"), door, &trusted).await;
    assert_eq!(sealed.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_about_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = issue(folder.path());
    let server = TestServer::start_with(setup(&folder)).await;
    let mut held = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        if number % 2 == 0 {
            // A handshake that says it goes on.
            stream.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        }
        held.push(stream);
    }
    let answer = send(Ask::get("/login"), server.address, &trusted).await;
    assert_eq!(answer.expect("an answer").status, 200);
    let mut received = Vec::new();
    let mut first = held.swap_remove(0);
    let ended = tokio::time::timeout(
        std::time::Duration::from_secs(15),
        first.read_to_end(&mut received),
    )
    .await;
    assert!(ended.is_ok(), "it is cut");
}

#[tokio::test]
async fn the_demonstration_needs_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("CRM_TLS_CERT".to_owned(), "/nowhere".to_owned())];
    let (_child, log) = launch(&settings, folder.path().to_owned(), &["--demo", "--port", "0"]);
    let address = listening(&log, "listening on http://").await;
    assert_eq!(Ask::get("/healthz").send(address).await.status, 200);
}
