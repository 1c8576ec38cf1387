//! Who is signed in, ended from the command line; second factors taken away.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::desk::Desk;

/// Two members; the first has two sessions and a second factor, the second one session.
fn office() -> Desk {
    let desk = Desk::new();
    for (email, role) in [("boss@example.jp", "admin"), ("taro@example.jp", "member")] {
        let added = desk.run(&["user", "add", "--email", email, "--name", "甲", "--role", role]);
        assert_eq!(added.code, 0, "{}", added.err);
    }
    let database = desk.database().display().to_string();
    let mut connection = SqliteConnection::establish(&database).unwrap();
    let session = |hash: &str, member: u8, agent: &str| {
        format!(
            "INSERT INTO sessions (hash, member_id, created_at, seen_at, address, agent) VALUES (x'{}', {member}, \
             datetime('now'), datetime('now'), '192.0.2.7', '{agent}');",
            hash.repeat(32)
        )
    };
    let rows = [
        session(
            "a1",
            1,
            "Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36",
        ),
        session("a2", 1, "curl/8"),
        session("b1", 2, "curl/8"),
        "INSERT INTO member_factors (member_id, seed, created_at, confirmed_at) \
         VALUES (1, x'00', datetime('now'), datetime('now'));"
            .to_owned(),
    ];
    connection.batch_execute(&rows.concat()).unwrap();
    desk
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_by_user_and_all() {
    let desk = office();
    let list = desk.json(&["session", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 3);
    let first = list
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["id"] == "a1a1a1a1a1a1a1a1")
        .unwrap();
    assert_eq!(first["user"], "boss@example.jp");
    assert_eq!(first["browser"], "Chrome · Windows");
    assert_eq!(first["address"], "192.0.2.7");
    assert_eq!(desk.run(&["session", "revoke", "b1b1b1b1b1b1b1b1"]).code, 0);
    let gone = desk.run(&["session", "revoke", "b1b1b1b1b1b1b1b1"]);
    assert!(gone.err.trim_end().ends_with("[not_found]"), "{}", gone.err);
    let ended = desk.json(&["session", "revoke", "--user", "boss@example.jp"]);
    assert_eq!(ended["ended"], 2);
    assert_eq!(desk.json(&["session", "list"]).as_array().unwrap().len(), 0);
    let ended = office().json(&["session", "revoke", "--all"]);
    assert_eq!(ended["ended"], 3);
}

#[test]
fn who_revokes_sessions_or_tokens_says_which() {
    let desk = Desk::new();
    for args in [
        &["session", "revoke"][..],
        &["session", "revoke", "--all", "--user", "1"],
        &["token", "revoke"],
        &["token", "revoke", "1", "--all"],
    ] {
        let ran = desk.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_lost_factor_is_taken_away_and_ends_the_sessions() {
    let desk = office();
    let users = desk.json(&["user", "list"]);
    let factors: Vec<_> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["has_factor"] == true)
        .collect();
    assert_eq!(factors, [true, false]);
    assert_eq!(desk.run(&["user", "reset-factors", "boss@example.jp"]).code, 0);
    let again = desk.run(&["user", "reset-factors", "boss@example.jp"]);
    assert!(again.err.trim_end().ends_with("[not_found]"), "{}", again.err);
    assert_eq!(desk.json(&["session", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(desk.json(&["user", "list"])[0]["has_factor"], false);
}

#[test]
fn roles_and_grants_are_changed_and_end_the_sessions() {
    let desk = office();
    let changed = desk.json(&["user", "change", "taro@example.jp", "--may-export", "true"]);
    assert_eq!(
        (&changed["may_export"], &changed["may_import"]),
        (&true.into(), &false.into())
    );
    assert_eq!(desk.json(&["session", "list"]).as_array().unwrap().len(), 2);
    let changed = desk.json(&["user", "change", "taro@example.jp", "--role", "viewer"]);
    assert_eq!(
        (&changed["may_export"], &changed["role"]),
        (&true.into(), &"viewer".into())
    );
    let last = desk.run(&["user", "change", "boss@example.jp", "--role", "member"]);
    assert!(
        last.err.trim_end().ends_with("[last_administrator]"),
        "{}",
        last.err
    );
}

#[test]
fn tokens_have_scopes_and_all_are_revoked_at_once() {
    let desk = office();
    for scope in [&[][..], &["--scope", "read,send"], &["--scope", "write"]] {
        let mut args = vec!["token", "create", "--user", "2", "--name", "連携"];
        args.extend(scope);
        let made = desk.run(&args);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let scopes: Vec<String> = desk
        .json(&["token", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["scopes"].to_string())
        .collect();
    assert_eq!(
        scopes,
        [r#"["write"]"#, r#"["read","send"]"#, r#"["read","write","send"]"#]
    );
    let misused = desk.run(&["token", "create", "--user", "2", "--name", "x", "--scope", "king"]);
    assert_eq!(misused.code, 2);
    assert_eq!(desk.json(&["token", "revoke", "--all"])["revoked"], 3);
    assert_eq!(desk.json(&["token", "revoke", "--all"])["revoked"], 0);
}

#[test]
fn passwords_are_long_and_not_common() {
    let desk = office();
    let set = |password: &str| {
        desk.run_with_input(
            &["user", "password", "boss@example.jp", "--password-stdin"],
            password,
        )
    };
    for (password, sentence) in [
        ("elevenchars", "12文字以上"),
        ("unbelievable", "とてもよく使われる"),
        ("123456789012", "とてもよく使われる"),
    ] {
        let ran = set(password);
        assert_eq!(ran.code, 1, "{password}");
        assert!(ran.err.contains(sentence), "{}", ran.err);
    }
    let ran = set("tanuki to kitsune");
    assert_eq!(ran.code, 0, "{}", ran.err);
}
