use crate::desk::Desk;

const ADD: [&str; 8] = [
    "user",
    "add",
    "--email",
    "Boss@example.jp",
    "--name",
    "責任者",
    "--role",
    "admin",
];

#[test]
fn users_are_added_listed_and_disabled() {
    let desk = Desk::new();
    let mut args = ADD.to_vec();
    args.extend(["--password-stdin", "--format", "json"]);
    let ran = desk.run_with_input(&args, "correct horse\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let users = desk.json(&["user", "list"]);
    assert_eq!(users[0]["email"], "Boss@example.jp");
    assert_eq!(users[0]["role"], "admin");
    assert_eq!(users[0]["has_password"], true);
    let ran = desk.run(&["user", "disable", "boss@example.jp"]);
    assert!(
        ran.err.trim_end().ends_with("[last_administrator]"),
        "{}",
        ran.err
    );
    let mut again = ADD.to_vec();
    again[3] = "boss@EXAMPLE.jp";
    assert!(desk.run(&again).err.trim_end().ends_with("[invalid]"));
}

#[test]
fn without_a_password_there_is_a_link() {
    let desk = Desk::new().with("CRM_PUBLIC_URL", "https://crm.example.jp");
    let ran = desk.run(&ADD);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let link = ran.out.split_whitespace().last().unwrap();
    assert!(link.starts_with("https://crm.example.jp/link/"), "{link}");
    let mut short = desk.run_with_input(&["user", "password", "boss@example.jp", "--password-stdin"], "x");
    assert!(short.err.trim_end().ends_with("[invalid]"));
    short = desk.run_with_input(
        &["user", "password", "1", "--password-stdin"],
        "long enough words",
    );
    assert_eq!(short.code, 0, "{}", short.err);
}

#[test]
fn tokens_are_shown_once_and_can_be_revoked() {
    let desk = Desk::new();
    desk.run(&ADD);
    let made = desk.run(&[
        "token",
        "create",
        "--user",
        "boss@example.jp",
        "--name",
        "連携",
        "--expires",
        "2099-12-31",
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    let token = made.out.split_whitespace().last().unwrap();
    assert_eq!(token.len(), 64, "{token}");
    let list = desk.json(&["token", "list"]);
    assert_eq!(list[0]["name"], "連携");
    assert_eq!(list[0]["expires_at"], "2099-12-31T15:00:00.000Z");
    assert!(!list.to_string().contains(token));
    assert_eq!(desk.run(&["token", "revoke", "1"]).code, 0);
    assert_eq!(desk.run(&["token", "revoke", "1"]).code, 1);
    let misused = desk.run(&[
        "token",
        "create",
        "--user",
        "1",
        "--name",
        "x",
        "--expires",
        "soon",
    ]);
    assert_eq!(misused.code, 2);
}
