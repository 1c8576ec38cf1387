//! The table of settings: what is given, what is understood, what is said.

use std::path::Path;

use crm_domain::members::Locale;
use secrecy::ExposeSecret;

use super::{LogFormat, Need, Origin, Settings, SettingsError, Source, UnknownSender, Warning, known};

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";

fn source(pairs: &[(&str, &str)]) -> Source {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Source::new(pairs, None)
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::read(&source(pairs), Need::Everything).unwrap().settings
}

fn refused(pairs: &[(&str, &str)]) -> SettingsError {
    Settings::read(&source(pairs), Need::Everything).unwrap_err()
}

const LINE_WORKS: &[(&str, &str)] = &[
    ("LINE_WORKS_BOT_ID", "2000001"),
    ("LINE_WORKS_BOT_SECRET", "bot-secret"),
    ("LINE_WORKS_CLIENT_ID", "EXAMPLE_CLIENT_ID"),
    ("LINE_WORKS_CLIENT_SECRET", "EXAMPLE_CLIENT_SECRET"),
    (
        "LINE_WORKS_SERVICE_ACCOUNT",
        "EXAMPLE.serviceaccount@example-tenant",
    ),
    ("LINE_WORKS_DOMAIN_ID", "400000001"),
    ("LINE_WORKS_PRIVATE_KEY", PEM),
];

fn line_works_but(
    left_out: &str,
    more: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let kept = LINE_WORKS.iter().filter(|(name, _)| *name != left_out);
    kept.chain(more).copied().collect()
}

#[test]
fn nothing_given_is_fine_and_takes_the_defaults() {
    let settings = settings(&[]);
    assert_eq!(settings.listen.address.to_string(), "0.0.0.0:3000");
    assert_eq!(settings.listen.public_urls[0].origin(), "http://localhost:3000");
    assert_eq!(settings.data.database.file(), Some(Path::new("data/crm.db")));
    assert_eq!(settings.data.spool_dir, Path::new("data/spool"));
    assert_eq!(settings.web.time_zone.name(), "Asia/Tokyo");
    assert_eq!(settings.web.locale, Locale::Ja);
    assert_eq!(settings.web.api_rate_limit, Some(6_000));
    assert!(settings.web.metrics_allowed_ips[0].contains("127.0.0.1".parse().unwrap()));
    assert_eq!(settings.log.format, LogFormat::Text);
    assert!(settings.line_works.is_none());
}

#[test]
fn without_a_public_url_links_lead_to_the_port_that_is_listened_on() {
    for (listen, url) in [
        ("127.0.0.1:3200", "http://localhost:3200"),
        ("0.0.0.0:0", "http://localhost:3000"),
    ] {
        let settings = settings(&[("CRM_LISTEN", listen)]);
        assert_eq!(settings.listen.public_urls[0].origin(), url);
    }
}

#[test]
fn every_given_value_is_understood() {
    let settings = settings(&[
        ("CRM_LISTEN", "127.0.0.1:8080"),
        ("CRM_CALLBACK_LISTEN", "localhost:8081"),
        ("CRM_PUBLIC_URL", "https://crm.example.jp, http://10.0.0.2:3000"),
        ("CRM_DATA_DIR", "/var/lib/crm"),
        ("CRM_DATABASE_URL", "sqlite:///srv/crm.db"),
        (
            "CRM_SECRET_KEY_PREVIOUS",
            "0123456789012345678901234567890a, 0123456789012345678901234567890b",
        ),
        ("CRM_API_RATE_LIMIT", "0"),
        ("CRM_TIMEZONE", "UTC"),
        ("CRM_LOCALE", "en"),
        ("CRM_FIRM_NAME", "株式会社山田製作所"),
        ("CRM_LOG", "webhook=debug,warning"),
        ("CRM_LOG_FILE", "app.log"),
        ("CRM_LOG_FORMAT", "json"),
        ("CRM_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1"),
    ]);
    assert_eq!(
        settings.listen.callback_address.unwrap().to_string(),
        "127.0.0.1:8081"
    );
    assert_eq!(settings.listen.public_urls.len(), 2);
    assert_eq!(settings.listen.trusted_proxies.len(), 2);
    assert_eq!(settings.data.database.file(), Some(Path::new("/srv/crm.db")));
    assert_eq!(settings.data.backup_dir, Path::new("/var/lib/crm/backups"));
    let earlier = settings.data.previous_secret_keys.iter();
    let earlier: Vec<_> = earlier.map(|key| key.expose_secret().len()).collect();
    assert_eq!(earlier, [32, 32, 66], "a key may hold a comma");
    assert_eq!(settings.web.api_rate_limit, None);
    assert_eq!(settings.web.firm_name.as_deref(), Some("株式会社山田製作所"));
    assert_eq!(settings.log.file.as_deref(), Some(Path::new("app.log")));
    assert_eq!(settings.log.format, LogFormat::Json);
}

#[test]
fn every_problem_is_said_at_once_with_how_to_mend_it() {
    let wrong: &[(&str, &str, &str)] = &[
        ("CRM_LISTEN", "everywhere", "0.0.0.0:3000"),
        ("CRM_PUBLIC_URL", "crm.example.jp", "https://crm.example.jp"),
        ("CRM_DATABASE_URL", "postgres://u:geheim@db", "postgres://"),
        ("CRM_SECRET_KEY", "short", "openssl rand -hex 32"),
        ("CRM_TIMEZONE", "Tokyo", "Asia/Tokyo"),
        ("CRM_LOCALE", "fr", "ja, en"),
        ("CRM_API_RATE_LIMIT", "many", "0以上"),
        ("CRM_METRICS_ALLOWED_IPS", "office", "203.0.113.0/24"),
        ("CRM_LOG", "loud", "error, warning, info, debug"),
        ("CRM_LOG_FORMAT", "xml", "text, json"),
        ("CRM_TRUSTED_PROXIES", "10.0.0.0/99", "10.0.0.0/99"),
        ("LINE_WORKS_TOKEN_URL", "auth", "https://auth.worksmobile.com"),
        ("LINE_WORKS_RATE_LIMIT", "0", "1以上"),
        ("LINE_WORKS_TIMEOUT", "soon", "1以上"),
        ("LINE_WORKS_UNKNOWN_SENDER", "drop", "inbox, register"),
        ("LINE_WORKS_ALLOW_UNSIGNED", "maybe", "true, false"),
    ];
    let pairs: Vec<_> = wrong.iter().map(|(name, value, _)| (*name, *value)).collect();
    let error = refused(&pairs);
    let lines = error.lines();
    assert_eq!(lines.len(), wrong.len(), "{lines:#?}");
    for (name, _, hint) in wrong {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(hint) && !line.contains('\n'), "{line}");
    }
    assert!(!error.to_string().contains("geheim"));
}

#[test]
fn a_database_server_needs_a_key_and_its_password_is_not_shown() {
    let url = ("CRM_DATABASE_URL", "postgres://crm:geheim@db1,db2/crm");
    let error = refused(&[url]);
    assert!(error.lines()[0].starts_with("CRM_SECRET_KEY"), "{error}");
    let key = ("CRM_SECRET_KEY", "0123456789012345678901234567890123");
    let loaded = Settings::read(&source(&[url, key]), Need::Everything).unwrap();
    assert!(loaded.settings.data.database.file().is_none());
    assert_eq!(
        loaded.settings.data.database.to_string(),
        "postgres://crm:***@db1,db2/crm"
    );
    let shown = loaded
        .shown
        .iter()
        .find(|shown| shown.name == "CRM_DATABASE_URL")
        .unwrap();
    assert_eq!(shown.value, "postgres://crm:***@db1,db2/crm");
    let error = refused(&[("CRM_DATABASE_REPLICA_URL", "postgres://db2/crm")]);
    assert!(error.lines()[0].contains("PostgreSQL"), "{error}");
}

#[test]
fn problems_are_said_in_the_language_set() {
    let error = refused(&[("CRM_LOCALE", "en"), ("CRM_TIMEZONE", "Tokyo")]);
    assert_eq!(
        error.to_string(),
        "The settings cannot be used. Please mend each of these:\n- CRM_TIMEZONE: there is no time zone “Tokyo”; write it like Asia/Tokyo or UTC"
    );
}

#[test]
fn a_setting_may_stand_in_a_file_but_not_twice() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("key");
    std::fs::write(&file, "0123456789012345678901234567890123\n").unwrap();
    let file = file.to_str().unwrap();
    let read = settings(&[("CRM_SECRET_KEY_FILE", file)]);
    assert_eq!(read.data.secret_key.unwrap().expose_secret().len(), 34);
    let both = refused(&[
        ("CRM_SECRET_KEY_FILE", file),
        ("CRM_SECRET_KEY", "0123456789012345678901234567890123"),
    ]);
    assert!(both.lines()[0].contains("CRM_SECRET_KEY_FILE"));
    let missing = refused(&[("LINE_WORKS_BOT_SECRET_FILE", "/nonexistent/secret")]);
    assert!(
        missing
            .lines()
            .iter()
            .any(|line| line.contains("/nonexistent/secret"))
    );
}

#[test]
fn all_of_line_works_is_understood() {
    let line_works = settings(LINE_WORKS).line_works.unwrap();
    assert_eq!(line_works.bot_id, "2000001");
    assert_eq!(line_works.private_key.expose_secret(), PEM);
    assert_eq!(line_works.api_url, "https://www.worksapis.com/v1.0");
    assert_eq!(settings(LINE_WORKS).rules.unknown_sender, UnknownSender::Inbox);
    assert!(
        !format!("{line_works:?}").contains("SECRET") && !format!("{line_works:?}").contains("bot-secret")
    );
}

#[test]
fn line_works_in_part_lists_what_is_missing() {
    let error = refused(&[("LINE_WORKS_BOT_ID", "2000001"), ("LINE_WORKS_PRIVATE_KEY", PEM)]);
    let names: Vec<_> = error
        .problems
        .iter()
        .map(|problem| problem.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "LINE_WORKS_BOT_SECRET",
            "LINE_WORKS_CLIENT_ID",
            "LINE_WORKS_CLIENT_SECRET",
            "LINE_WORKS_SERVICE_ACCOUNT"
        ]
    );
}

#[test]
fn the_missing_bot_secret_says_where_it_stands_and_can_be_waived() {
    let pairs = line_works_but("LINE_WORKS_BOT_SECRET", &[]);
    let error = refused(&pairs);
    assert_eq!(error.problems.len(), 1);
    let line = &error.lines()[0];
    assert!(
        line.contains("Developer Console") && line.contains("Bot Secret"),
        "{line}"
    );
    let pairs = line_works_but("LINE_WORKS_BOT_SECRET", &[("LINE_WORKS_ALLOW_UNSIGNED", "true")]);
    let loaded = Settings::read(&source(&pairs), Need::Everything).unwrap();
    assert!(loaded.settings.line_works.unwrap().bot_secrets.is_empty());
    assert_eq!(loaded.warnings, [Warning::UnsignedAllowed]);
}

#[test]
fn the_daily_backup_has_its_time_and_number() {
    let pairs = [
        ("CRM_BACKUP_DIR", "/srv/backups"),
        ("CRM_BACKUP_AT", "4:30"),
        ("CRM_BACKUP_KEEP", "30"),
    ];
    let loaded = Settings::read(&source(&pairs), Need::Everything).unwrap();
    assert_eq!(loaded.warnings, []);
    let backups = loaded.settings.backups;
    assert_eq!(
        (backups.at, backups.keep, backups.passphrase.is_none()),
        (270, 30, true)
    );
    let wrong = [("CRM_BACKUP_AT", "noon"), ("CRM_BACKUP_PASSPHRASE", "short")];
    let error = Settings::read(&source(&wrong), Need::Everything).unwrap_err();
    assert_eq!(error.problems.len(), 2);
}

#[test]
fn the_private_key_has_four_ways_in() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("private.key");
    std::fs::write(&file, PEM).unwrap();
    let file: &'static str = Box::leak(file.to_str().unwrap().to_owned().into_boxed_str());
    let with =
        |name: &'static str, value: &'static str| line_works_but("LINE_WORKS_PRIVATE_KEY", &[(name, value)]);
    for pairs in [
        with("LINE_WORKS_PRIVATE_KEY_FILE", file),
        with(
            "LINE_WORKS_PRIVATE_KEY",
            "-----BEGIN PRIVATE KEY-----\\nMIIB\\n-----END PRIVATE KEY-----",
        ),
        with(
            "LINE_WORKS_PRIVATE_KEY_BASE64",
            "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUIKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=",
        ),
    ] {
        assert_eq!(
            settings(&pairs).line_works.unwrap().private_key.expose_secret(),
            PEM
        );
    }
    for (pairs, hint) in [
        (with("LINE_WORKS_PRIVATE_KEY", "no key"), "PEM"),
        (with("LINE_WORKS_PRIVATE_KEY_BASE64", "***"), "Base64"),
        (
            with("LINE_WORKS_PRIVATE_KEY_FILE", "/nonexistent/private.key"),
            "/nonexistent/private.key",
        ),
    ] {
        let lines = refused(&pairs).lines();
        assert!(lines.len() == 1 && lines[0].contains(hint), "{lines:?}");
    }
}

#[test]
fn the_env_file_of_the_python_poc_is_read_as_it_is() {
    let text = "\u{feff}FLASK_SECRET_KEY=your-secret-key-here\r\nLINE_WORKS_BOT_ID=2000001\r\nLINE_WORKS_CLIENT_ID=EXAMPLE_CLIENT_ID\nLINE_WORKS_CLIENT_SECRET=EXAMPLE_CLIENT_SECRET\nLINE_WORKS_DOMAIN_ID=400000001\nLINE_WORKS_SERVICE_ACCOUNT=EXAMPLE.serviceaccount@example-tenant\n";
    let environment = [("LINE_WORKS_PRIVATE_KEY".to_owned(), PEM.to_owned())];
    let source = Source::new(environment, Some(text));
    let error = Settings::read(&source, Need::Everything).unwrap_err();
    assert_eq!(error.lines().len(), 1);
    assert_eq!(error.problems[0].name, "LINE_WORKS_BOT_SECRET");
    assert_eq!(
        error.warnings,
        [Warning::UnknownName("FLASK_SECRET_KEY".to_owned())]
    );
    let store = Settings::read(&source, Need::Store).unwrap().settings;
    assert_eq!(store.bot_id.as_deref(), Some("2000001"));
}

#[test]
fn the_environment_wins_over_the_file_and_empty_is_not_given() {
    let environment = [
        ("CRM_LOCALE".to_owned(), "en".to_owned()),
        ("CRM_TIMEZONE".to_owned(), String::new()),
        ("PATH".to_owned(), "/bin".to_owned()),
        ("CRM_LISTNE".to_owned(), "x".to_owned()),
    ];
    let source = Source::new(
        environment,
        Some("CRM_LOCALE=ja\nCRM_TIMEZONE=UTC\nLINE_WORKS_BOT_ID=\n"),
    );
    let loaded = Settings::read(&source, Need::Everything).unwrap();
    assert_eq!(loaded.settings.web.locale, Locale::En);
    assert_eq!(loaded.settings.web.time_zone.name(), "UTC");
    assert_eq!(loaded.warnings, [Warning::UnknownName("CRM_LISTNE".to_owned())]);
}

#[test]
fn a_broken_line_of_the_file_is_named_by_its_number_only() {
    let source = Source::new([], Some("CRM_LOCALE=ja\nLINE_WORKS_CLIENT_SECRET geheim\n"));
    let error = Settings::read(&source, Need::Everything).unwrap_err();
    assert!(error.lines()[0].contains("2行目"), "{error}");
    assert!(!error.to_string().contains("geheim"));
}

#[test]
fn what_is_shown_has_every_setting_and_no_secret() {
    let loaded = Settings::read(&source(LINE_WORKS), Need::Everything).unwrap();
    assert_eq!(loaded.shown.len(), known::ALL.len());
    let of = |name: &str| loaded.shown.iter().find(|shown| shown.name == name).unwrap();
    assert_eq!(of("LINE_WORKS_BOT_SECRET").value, "***");
    assert_eq!(of("LINE_WORKS_BOT_ID").origin, Origin::Environment);
    assert_eq!(of("CRM_DATABASE_URL").value, "sqlite://data/crm.db");
    assert!(!format!("{:?}", loaded.shown).contains("bot-secret"));
}

#[test]
fn the_example_file_names_every_setting_and_changes_nothing() {
    for locale in Locale::ALL {
        let text = super::example(locale);
        assert!(
            known::ALL
                .iter()
                .all(|known| text.contains(&format!("\n#{}=", known.name)))
        );
        assert!(Settings::read(&Source::new([], Some(&text)), Need::Everything).is_ok());
        let used = text.replace("\n#", "\n").replace("\n ", "\n# ");
        let error = Settings::read(&Source::new([], Some(&used)), Need::Store);
        assert!(error.is_ok(), "{error:?}");
    }
}

#[test]
fn warnings_are_told_beside_problems_and_the_rest_is_shown() {
    let file = "FLASK_SECRET_KEY=hidden\nCRM_LISTEN=here\nCRM_SECRET_KEY=short\n";
    let error = Settings::read(&Source::new([], Some(file)), Need::Everything).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("CRM_LISTEN") && text.contains("FLASK_SECRET_KEY"),
        "{text}"
    );
    let shown = |name: &str| {
        let found = error.shown.iter().find(|shown| shown.name == name);
        found.unwrap().value.clone()
    };
    assert_eq!(
        (shown("CRM_LISTEN").as_str(), shown("CRM_SECRET_KEY").as_str()),
        ("here", "***")
    );
}

#[test]
fn two_bot_secrets_may_be_valid_while_they_are_changed() {
    let read = |text: &'static str| {
        let pairs = line_works_but("LINE_WORKS_BOT_SECRET", &[("LINE_WORKS_BOT_SECRET", text)]);
        Settings::read(&source(&pairs), Need::Everything)
    };
    let count = |text| read(text).unwrap().settings.line_works.unwrap().bot_secrets.len();
    assert_eq!((count("new, old"), count("only")), (2, 1));
    assert!(read(",").is_err() && read("new old").is_err());
}
