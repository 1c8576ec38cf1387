//! Private keys as operators have them, and settings that cannot work.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crm_lineworks::{ConfigError, LineWorks, LineWorksConfig};
use crm_lineworks_sim::{SimulatorConfig, test_private_key_pem};

use crate::setup::{clock, config, setup_with};

/// The PKCS#1 form of the test key: what the octet string of its PKCS#8 form holds.
fn pkcs1() -> String {
    let pem = test_private_key_pem();
    let digits: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(digits).unwrap();
    let inner = STANDARD.encode(&der[26..]);
    format!("-----BEGIN RSA PRIVATE KEY-----\n{inner}\n-----END RSA PRIVATE KEY-----\n")
}

fn with_key(key: &str) -> LineWorksConfig {
    let address = "http://127.0.0.1:9";
    let mut config = config(format!("{address}/token"), format!("{address}/v1.0"));
    key.clone_into(&mut config.private_key);
    config
}

fn problem(config: LineWorksConfig) -> Option<ConfigError> {
    LineWorks::new(config, clock()).err()
}

#[tokio::test]
async fn the_service_accepts_what_either_form_of_the_key_signs() {
    for key in [test_private_key_pem(), pkcs1()] {
        let all = setup_with(SimulatorConfig::default(), |config| config.private_key = key).await;
        assert_eq!(all.send().await, Ok(()));
    }
}

#[test]
fn keys_are_read_however_their_lines_end() {
    let key = test_private_key_pem();
    let forms = [
        key.replace('\n', "\\n"),
        key.replace('\n', "\r\n"),
        key.replace('\n', "\\r\\n"),
        key.replace('\n', " "),
        key.replace('\n', ""),
        format!("\u{FEFF}  \n{}\n\n", key.trim()),
        format!("\"{}\"", key.trim().replace('\n', "\\n")),
        format!("Bag Attributes\n  friendlyName: x\n{key}"),
    ];
    for form in forms {
        assert_eq!(
            problem(with_key(&form)),
            None,
            "{}…",
            form.chars().take(40).collect::<String>()
        );
    }
}

#[test]
fn a_bad_key_is_told_with_what_to_do() {
    let key = test_private_key_pem();
    let public = key.replace("PRIVATE KEY", "PUBLIC KEY");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let old = pkcs1().replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMII");
    let short = key
        .lines()
        .filter(|line| !line.starts_with("MIIEv"))
        .collect::<Vec<_>>()
        .join("\n");
    let cases = [
        (String::new(), "empty"),
        ("  \n".to_owned(), "empty"),
        ("private.key".to_owned(), "key_not_pem"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE".to_owned(), "key_not_pem"),
        (public, "key_not_private"),
        (encrypted, "key_encrypted"),
        (old, "key_encrypted"),
        (short, "key_damaged"),
        (
            "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----".to_owned(),
            "key_damaged",
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMII=\n-----END EC PRIVATE KEY-----".to_owned(),
            "key_damaged",
        ),
    ];
    for (key, code) in cases {
        let found = problem(with_key(&key));
        assert_eq!(found.map(ConfigError::code), Some(code), "{key}");
        assert!(found.unwrap().to_string().len() > 40);
    }
}

#[test]
fn what_is_missing_or_no_address_is_named() {
    let whole = || with_key(&test_private_key_pem());
    let cases = [
        (
            LineWorksConfig {
                bot_id: " ".into(),
                ..whole()
            },
            ConfigError::Empty("the bot id"),
        ),
        (
            LineWorksConfig {
                client_id: String::new(),
                ..whole()
            },
            ConfigError::Empty("the client id"),
        ),
        (
            LineWorksConfig {
                client_secret: String::new(),
                ..whole()
            },
            ConfigError::Empty("the client secret"),
        ),
        (
            LineWorksConfig {
                service_account: String::new(),
                ..whole()
            },
            ConfigError::Empty("the service account"),
        ),
        (
            LineWorksConfig {
                scope: String::new(),
                ..whole()
            },
            ConfigError::Empty("the scope"),
        ),
        (
            LineWorksConfig {
                api_url: "www.worksapis.com".into(),
                ..whole()
            },
            ConfigError::Address("the API address"),
        ),
        (
            LineWorksConfig {
                api_url: "ftp://x/y".into(),
                ..whole()
            },
            ConfigError::Address("the API address"),
        ),
        (
            LineWorksConfig {
                token_url: "https://".into(),
                ..whole()
            },
            ConfigError::Address("the token address"),
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(problem(config), Some(expected));
    }
    assert_eq!(problem(whole()), None);
}

#[test]
fn debug_shows_no_secret() {
    let config = with_key(&test_private_key_pem());
    let shown = format!("{config:?}");
    assert!(shown.contains("2000001"));
    for secret in ["sim-bot-secret", "sim-client-secret", "PRIVATE", "MII"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
