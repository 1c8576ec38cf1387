//! Starting, pausing, stopping, waiting, keys.

use crate::world::{World, assertion};
use crm_lineworks_sim::{SimError, Simulator, SimulatorConfig};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn paused_it_refuses_and_resumed_it_knows_everything() {
    let world = World::new();
    let token = world.token();
    assert_eq!(world.send(&token, "a").status, 201);
    let addr = world.sim.addr();
    world.runtime.block_on(world.sim.pause());
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    world.runtime.block_on(world.sim.resume()).unwrap();
    world.runtime.block_on(world.sim.resume()).unwrap();
    assert_eq!(world.sim.addr(), addr);
    assert_eq!(world.send(&token, "b").status, 201);
    assert_eq!(world.sim.messages().len(), 2);
    world.runtime.block_on(world.sim.stop());
    TcpStream::connect(addr).unwrap_err();
}

#[test]
fn dropping_it_ends_it() {
    let world = World::new();
    let (addr, World { sim, runtime, .. }) = (world.sim.addr(), world);
    drop(sim);
    let gone = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        TcpStream::connect(addr).is_err()
    });
    assert!(gone);
    drop(runtime);
}

#[test]
fn messages_can_be_waited_for() {
    let world = World::new();
    let token = world.token();
    let early = world
        .runtime
        .block_on(world.sim.wait_for_messages(1, Duration::from_millis(50)));
    assert!(matches!(
        early,
        Err(SimError::TimedOut {
            wanted: 1,
            seen: 0,
            ..
        })
    ));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            world.send(&token, "a");
            world.send(&token, "b");
        });
        let messages = world
            .runtime
            .block_on(world.sim.wait_for_messages(2, Duration::from_secs(5)))
            .unwrap();
        assert_eq!(
            messages.iter().map(|message| message.number).collect::<Vec<_>>(),
            [1, 2]
        );
    });
    world.sim.clear_messages();
    world.send(&token, "c");
    assert_eq!(world.sim.messages()[0].number, 3);
}

#[test]
fn a_taken_address_and_a_bad_key_are_told() {
    let world = World::new();
    let start = |config: SimulatorConfig| world.runtime.block_on(Simulator::start(config)).map(|_| ());
    let taken = start(SimulatorConfig {
        listen: world.sim.addr(),
        ..SimulatorConfig::default()
    });
    assert!(matches!(taken, Err(SimError::Listen { addr, .. }) if addr == world.sim.addr()));
    let label = "EC PRIVATE KEY";
    let other = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    for key in [
        "",
        "no key",
        &other,
        &crm_lineworks_sim::test_private_key_pem().replace("MIIE", "AAAA"),
    ] {
        let started = start(SimulatorConfig {
            key_pem: key.to_owned(),
            ..SimulatorConfig::default()
        });
        assert!(matches!(started, Err(SimError::Key(_))), "{key}");
    }
}

/// The public halves of the test key, as openssl writes them.
#[test]
fn the_key_may_be_given_as_its_public_half() {
    for (label, body) in [("PUBLIC KEY", SPKI), ("RSA PUBLIC KEY", PKCS1)] {
        let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let world = World::with(|config| config.key_pem = pem);
        assert_eq!(
            world
                .ask_token(&world.token_fields(&assertion(&world.claims())))
                .status,
            200,
            "{label}"
        );
    }
}

#[test]
fn settings_name_everything_that_reaches_it() {
    let world = World::new();
    let settings = world.sim.settings();
    let value = |name: &str| {
        settings
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(
        value("LINE_WORKS_TOKEN_URL"),
        Some(world.sim.token_url().as_str())
    );
    assert_eq!(value("LINE_WORKS_API_URL"), Some(world.sim.api_url().as_str()));
    assert_eq!(value("LINE_WORKS_BOT_SECRET"), Some("sim-bot-secret"));
    let key = value("LINE_WORKS_PRIVATE_KEY").unwrap();
    assert!(!key.contains('\n'), "one line, for a file of settings");
    assert_eq!(
        key.replace("\\n", "\n"),
        crm_lineworks_sim::test_private_key_pem().trim_end()
    );
}

const SPKI: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAosYJa6Fk7GTjt/i9tOwVC1PH9U+fUHWyoiFz11qsUJGbn5J3YiOC\
    foyqRjBiBItxFM7XcbQHcDBm8aW4qLxp40xHtlkZ0R5qGcYDCsDuddmoKpH8Wxs59D62m+XotXn1DJAn0vqyT8ny/IQqOJU/\
    pWAuJbhmTxl9BS0JQqSGhjpbHqeJCiv11zwUFSB5dvSMrq8wPo8trcpcQcRToDMoTw4dmKKhXanwqcg/DLwavfbA4QDcP4jE\
    wAs2KSTnD/n3Qrg6aDBD1CR7Ko4iNfuaf+M1sNT6lM7aJvSKDuZW/l+vEovCo//NAI0kvpdLHkiuXwZ3xZE0QuYg1+/4iYaA\
    cQIDAQAB\
    ";

const PKCS1: &str = "\
    MIIBCgKCAQEAosYJa6Fk7GTjt/i9tOwVC1PH9U+fUHWyoiFz11qsUJGbn5J3YiOCfoyqRjBiBItxFM7XcbQHcDBm8aW4qLxp\
    40xHtlkZ0R5qGcYDCsDuddmoKpH8Wxs59D62m+XotXn1DJAn0vqyT8ny/IQqOJU/pWAuJbhmTxl9BS0JQqSGhjpbHqeJCiv1\
    1zwUFSB5dvSMrq8wPo8trcpcQcRToDMoTw4dmKKhXanwqcg/DLwavfbA4QDcP4jEwAs2KSTnD/n3Qrg6aDBD1CR7Ko4iNfua\
    f+M1sNT6lM7aJvSKDuZW/l+vEovCo//NAI0kvpdLHkiuXwZ3xZE0QuYg1+/4iYaAcQIDAQAB\
    ";
