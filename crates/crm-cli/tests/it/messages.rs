use crate::desk::{Desk, Running};

const USER: &str = "00000000-0000-4000-8000-000000000001";

/// The simulator by its own command, and an installation that uses the settings it wrote.
fn with_simulator() -> (Desk, Running) {
    let desk = Desk::new();
    let file = desk.path(".env");
    let args = ["dev", "line-works", "--listen", "127.0.0.1:0", "--env-file"];
    let mut all = args.to_vec();
    all.push(file.to_str().unwrap());
    let mut running = desk.start(&all);
    running.wait_for(&file);
    (desk, running)
}

#[test]
fn without_a_server_the_command_sends_itself() {
    let (desk, _simulator) = with_simulator();
    let id = desk.customer("山田", &["--line-user-id", USER]);
    let sent = desk.json(&["message", "send", "--customer", &id, "--message", "こんにちは"]);
    assert_eq!((&sent["state"], &sent["success"]), (&"sent".into(), &true.into()));
    let typed = desk.run_with_input(&["message", "send", "--user-id", USER], "二行の\n文章\n");
    assert_eq!(typed.code, 0, "{}", typed.err);
    let list = desk.json(&["activity", "list", "--customer", &id]);
    assert_eq!(list[0]["message"], "[送信] 二行の\n文章");
    assert_eq!(list[1]["message"], "[送信] こんにちは");
    assert_eq!(list[1]["author"], "tester");
    assert!(list[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(desk.json(&["customer", "show", &id])["link_status"], "active");
    let message = list[0]["id"].to_string();
    assert_eq!(desk.run(&["activity", "delete", &message]).code, 0);
    assert_eq!(
        desk.json(&["activity", "list", "--customer", &id])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_line_works_refuses_is_said_with_its_reason() {
    let (desk, _simulator) = with_simulator();
    let ran = desk.run(&["message", "send", "--user-id", "not-a-member", "--message", "x"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.trim_end().ends_with(']') && ran.err.contains("ユーザーID"),
        "{}",
        ran.err
    );
    let id = desk.customer("山田", &[]);
    let ran = desk.run(&["message", "send", "--customer", &id, "--message", "x"]);
    assert!(ran.err.trim_end().ends_with("[no_address]"), "{}", ran.err);
}

#[test]
fn the_doctor_finds_the_simulator_well() {
    let (desk, _simulator) = with_simulator();
    desk.run(&["migrate"]);
    let ran = desk.run(&["doctor", "--format", "json"]);
    let checks: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let state = |name: &str| {
        let found = checks
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == name);
        found.unwrap()["state"].as_str().unwrap().to_owned()
    };
    for name in [
        "settings",
        "private_key",
        "token",
        "bot",
        "callback_enabled",
        "callback_url",
        "database",
        "migrations",
        "writable",
    ] {
        assert_eq!(state(name), "ok", "{name}: {}", ran.out);
    }
}

#[test]
fn the_simulator_posts_where_the_settings_have_a_server_listen() {
    for (setting, told) in [
        ("CRM_LISTEN=127.0.0.1:21300", "http://localhost:21300/webhook"),
        (
            "CRM_CALLBACK_LISTEN=127.0.0.1:21301",
            "http://127.0.0.1:21301/webhook",
        ),
        ("CRM_LISTEN=nowhere", "http://localhost:3000/webhook"),
    ] {
        let desk = Desk::new();
        desk.dot_env(&format!("{setting}\n"));
        let args = ["dev", "line-works", "--listen", "127.0.0.1:0", "--format", "json"];
        assert_eq!(desk.start(&args).said()["callback_url"], told, "{setting}");
    }
}

#[test]
fn the_settings_file_keeps_what_the_simulator_does_not_need() {
    let desk = Desk::new();
    desk.dot_env("# ours\nCRM_LOCALE=en\nLINE_WORKS_BOT_ID=7654321\nLINE_WORKS_BOT_SECRET_FILE=secret.txt\n");
    let file = desk.path(".env");
    let mut running = desk.start(&[
        "dev",
        "line-works",
        "--listen",
        "127.0.0.1:0",
        "--env-file",
        ".env",
    ]);
    let text = running.wait_until(&file, |text| text.contains("LINE_WORKS_API_URL="));
    for line in [
        "# ours",
        "CRM_LOCALE=en",
        "# LINE_WORKS_BOT_ID=7654321",
        "# LINE_WORKS_BOT_SECRET_FILE=secret.txt",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(desk.json(&["config", "check"])["ok"], true);
}
