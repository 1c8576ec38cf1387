use crate::desk::Desk;

#[test]
fn misuse_ends_with_two_and_its_code_last() {
    let desk = Desk::new();
    for args in [
        &["nonsense"][..],
        &["customer", "show", "abc"],
        &["customer", "show"],
        &[
            "user",
            "add",
            "--email",
            "a@example.jp",
            "--name",
            "A",
            "--role",
            "king",
        ],
        &["message", "send", "--message", "x"],
        &["customer", "list", "--limit", "0"],
        &["customer", "list", "--format", "xml"],
        &["customer", "list", "--after", "?"],
    ] {
        let ran = desk.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.trim_end().ends_with("[misused]"), "{}", ran.err);
        assert!(ran.out.is_empty());
    }
    assert!(!desk.path("data").exists());
}

#[test]
fn failure_ends_with_one_and_its_code_last() {
    let desk = Desk::new();
    for (args, code) in [
        (&["customer", "show", "99"][..], "not_found"),
        (&["company", "delete", "99"], "not_found"),
        (&["customer", "add"], "invalid"),
        (
            &["customer", "add", "--last-name", "山田", "--company-id", "99"],
            "invalid",
        ),
        (
            &["message", "send", "--user-id", "x", "--message", "y"],
            "messenger",
        ),
        (&["import", "poc", "none.db"], "file"),
    ] {
        let ran = desk.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.err);
        assert!(ran.err.trim_end().ends_with(&format!("[{code}]")), "{}", ran.err);
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let desk = Desk::new();
    for args in [&["--help"][..], &["customer", "list", "--help"], &["version"]] {
        let ran = desk.run(args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
    }
    assert!(desk.run(&["customer", "add", "--help"]).out.contains("使い方"));
    let english = Desk::new()
        .with("CRM_LOCALE", "en")
        .run(&["customer", "add", "--help"])
        .out;
    assert!(english.contains("Family name"), "{english}");
    assert_eq!(desk.json(&["version"])["name"], "crm");
    assert!(desk.run(&["completions", "bash"]).out.contains("crm"));
}

#[test]
fn messages_follow_the_language_set() {
    let japanese = Desk::new().run(&["customer", "show", "99"]).err;
    let english = Desk::new()
        .with("CRM_LOCALE", "en")
        .run(&["customer", "show", "99"])
        .err;
    assert!(japanese.starts_with("この顧客は見つかりません"), "{japanese}");
    assert!(english.starts_with("There is no such customer"), "{english}");
}

#[test]
fn what_was_misunderstood_is_named() {
    let desk = Desk::new();
    let ran = desk.run(&["message", "send", "--message", "hi"]);
    assert!(
        ran.err.contains("--customer") && ran.err.contains("--user-id"),
        "{}",
        ran.err
    );
    desk.run(&["migrate"]);
    let ran = desk.run(&["backup", "nonexist/x.db"]);
    assert!(
        ran.err.contains("フォルダー nonexist") && ran.err.trim_end().ends_with("[no_folder]"),
        "{}",
        ran.err
    );
    let token = ["token", "create", "--user", "1", "--name", "x", "--expires"];
    for (given, code) in [
        ("2020-01-01", "expires_past"),
        ("0d", "expires_past"),
        ("soon", "expires"),
    ] {
        let ran = desk.run(&[&token[..], &[given]].concat());
        assert_eq!(ran.code, 2);
        assert!(ran.err.trim_end().ends_with(&format!("[{code}]")), "{}", ran.err);
    }
}
