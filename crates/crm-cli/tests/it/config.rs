use crate::desk::Desk;

#[test]
fn every_problem_is_listed_and_nothing_is_made() {
    let desk = Desk::new()
        .with("CRM_TIMEZONE", "Tokyo")
        .with("CRM_LISTEN", "here");
    let ran = desk.run(&["config", "check"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("CRM_TIMEZONE") && ran.out.contains("CRM_LISTEN"),
        "{}",
        ran.out
    );
    let ran = desk.run(&["customer", "list"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("CRM_TIMEZONE") && ran.err.trim_end().ends_with("[settings]"),
        "{}",
        ran.err
    );
    assert!(!desk.path("data").exists());
}

#[test]
fn the_env_file_of_the_working_directory_counts_and_secrets_are_hidden() {
    let desk = Desk::new();
    desk.dot_env("CRM_LOCALE=en\nCRM_SECRET_KEY=0123456789012345678901234567890123\nFLASK_SECRET_KEY=x\n");
    let shown = desk.json(&["config", "show"]);
    let of = |name: &str| {
        shown
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("CRM_LOCALE")["value"], "en");
    assert_eq!(of("CRM_LOCALE")["origin"], ".env");
    assert_eq!(of("CRM_SECRET_KEY")["value"], "***");
    let check = desk.json(&["config", "check"]);
    assert_eq!(check["ok"], true);
    assert!(
        check["warnings"][0]
            .as_str()
            .unwrap()
            .contains("FLASK_SECRET_KEY")
    );
}

#[test]
fn the_example_can_be_used_as_it_is() {
    let desk = Desk::new();
    let example = desk.run(&["config", "example"]).out;
    assert!(example.contains("#CRM_LISTEN=0.0.0.0:3000"));
    desk.dot_env(&example);
    assert_eq!(desk.json(&["config", "check"])["ok"], true);
}

#[test]
fn a_poc_env_file_without_bot_secret_does_not_stop_the_store() {
    let desk = Desk::new();
    desk.dot_env("LINE_WORKS_BOT_ID=2000001\n");
    assert_eq!(desk.run(&["config", "check"]).code, 1);
    assert_eq!(desk.json(&["customer", "list"]), serde_json::json!([]));
}

#[test]
fn what_is_known_is_shown_before_what_is_wrong() {
    let desk = Desk::new();
    desk.dot_env("CRM_LISTEN=here\nCRM_LOCALE=en\nFLASK_SECRET_KEY=x\n");
    let ran = desk.run(&["config", "show", "--format", "json"]);
    assert_eq!(ran.code, 1);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let listen = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "CRM_LISTEN");
    assert_eq!(listen.unwrap()["value"], "here");
    for word in ["CRM_LISTEN", "FLASK_SECRET_KEY", "[settings]"] {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
    assert!(!ran.out.contains("FLASK_SECRET_KEY"), "{}", ran.out);
}

#[test]
fn migrations_of_a_new_folder_are_listed_and_nothing_is_made() {
    let desk = Desk::new();
    for flag in ["--dry-run", "--status"] {
        let listed = desk.json(&["migrate", flag]);
        let rows = listed.as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["applied"] == false));
    }
    assert!(!desk.path("data").exists());
}
